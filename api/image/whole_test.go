package image_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"hash/crc32"
	stdimage "image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"example.com/walkaround/api/image"
	"example.com/walkaround/test/samples"
)

func chunk(kind string, content []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(content)))
	b = append(append(b, kind...), content...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

func deflated(rows []byte) []byte {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	_, _ = z.Write(rows) // a buffer takes everything
	_ = z.Close()
	return b.Bytes()
}

// pngWith is a PNG whose data are given in pieces.
func pngWith(width, height uint32, depth, colour, interlace byte, data ...[]byte) []byte {
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, width), height)
	b := append([]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", append(head, depth, colour, 0, 0, interlace))...)
	if colour == 3 {
		b = append(b, chunk("PLTE", []byte{0, 0, 0, 255, 255, 255})...)
	}
	for _, d := range data {
		b = append(b, chunk("IDAT", d)...)
	}
	return append(b, chunk("IEND", nil)...)
}

func TestEveryRowOfAPNGIsLookedFor(t *testing.T) {
	gray := deflated(make([]byte, 48*65))
	noise := deflated(grain(48, 65))
	filtered := make([]byte, 48*65)
	filtered[47*65] = 5
	for name, c := range map[string]struct {
		file []byte
		want error
	}{
		"whole":                     {pngWith(64, 48, 8, 0, 0, gray), nil},
		"in pieces":                 {pngWith(64, 48, 8, 0, 0, gray[:1], nil, gray[1:20], gray[20:]), nil},
		"bits":                      {pngWith(61, 48, 1, 0, 0, deflated(make([]byte, 48*9))), nil},
		"palette of two bits":       {pngWith(61, 48, 2, 3, 0, deflated(make([]byte, 48*17))), nil},
		"deep with alpha":           {pngWith(64, 48, 16, 6, 0, deflated(make([]byte, 48*513))), nil},
		"gray with alpha":           {pngWith(64, 48, 8, 4, 0, deflated(make([]byte, 48*129))), nil},
		"interlaced":                {pngWith(5, 5, 8, 2, 1, deflated(make([]byte, 1*4+1*4+1*7+2*4+1*10+3*7+2*16))), nil},
		"interlaced, one pixel":     {pngWith(1, 1, 8, 2, 1, deflated(make([]byte, 4))), nil},
		"bytes behind":              {pngWith(64, 48, 8, 0, 0, gray, []byte("garbage")), nil},
		"no byte":                   {pngWith(64, 48, 8, 0, 0, nil), image.ErrTruncated},
		"garbage":                   {pngWith(64, 48, 8, 0, 0, []byte("these are no pixels at all")), image.ErrMalformed},
		"one byte":                  {pngWith(64, 48, 8, 0, 0, []byte{0x78}), image.ErrTruncated},
		"cut":                       {pngWith(64, 48, 8, 0, 0, gray[:len(gray)/2]), image.ErrTruncated},
		"without its own checksum":  {pngWith(64, 48, 8, 0, 0, gray[:len(gray)-4]), image.ErrMalformed},
		"another checksum":          {pngWith(64, 48, 8, 0, 0, flipped(gray, len(gray)-1)), image.ErrMalformed},
		"a row less":                {pngWith(64, 48, 8, 0, 0, deflated(make([]byte, 47*65))), image.ErrTruncated},
		"a byte less":               {pngWith(64, 48, 8, 0, 0, deflated(make([]byte, 48*65-1))), image.ErrTruncated},
		"a byte more":               {pngWith(64, 48, 8, 0, 0, deflated(make([]byte, 48*65+1))), image.ErrMalformed},
		"interlaced, a byte less":   {pngWith(5, 5, 8, 2, 1, deflated(make([]byte, 85))), image.ErrTruncated},
		"a filter that is none":     {pngWith(64, 48, 8, 0, 0, deflated(filtered)), image.ErrMalformed},
		"a bit turned":              {flipped(pngWith(64, 48, 8, 0, 0, gray), 45), image.ErrMalformed},
		"a bit turned behind":       {flipped(pngWith(64, 48, 8, 0, 0, gray), len(pngWith(64, 48, 8, 0, 0, gray))-1), image.ErrMalformed},
		"a bit of the header":       {flipped(pngWith(64, 48, 8, 0, 0, gray), 31), image.ErrMalformed},
		"cut and given an end":      {slices.Concat(pngWith(64, 48, 8, 0, 0, noise)[:1000], chunk("IEND", nil)), image.ErrTruncated},
		"too large to be inflated":  {pngWith(10_000, 10_000, 8, 0, 0, []byte("nobody knows")), nil},
		"too large, a bit turned":   {flipped(pngWith(10_000, 10_000, 8, 0, 0, []byte("nobody knows")), 45), image.ErrMalformed},
		"large, and looked through": {pngWith(8_000, 8_000, 8, 0, 0, deflated(make([]byte, 1<<20))), image.ErrTruncated},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := inspect(c.file)
			if !errors.Is(err, c.want) {
				t.Errorf("%+v, %v; want %v", got, err, c.want)
			}
			if _, decoded := png.Decode(bytes.NewReader(c.file)); (decoded == nil) != (c.want == nil) && len(c.file) < 16<<10 && !strings.Contains(name, "large") {
				t.Errorf("the decoder says %v", decoded)
			}
		})
	}
}

// grain is rows that do not compress, of filter 0.
func grain(rows, bytes int) []byte {
	b := make([]byte, rows*bytes)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range b {
		if i%bytes != 0 {
			b[i] = byte(random.Uint32())
		}
	}
	return b
}

func flipped(file []byte, at int) []byte {
	out := bytes.Clone(file)
	out[at] ^= 1
	return out
}

// restarting is a flat JPEG whose scan restarts behind each interval of units; color is 64 × 48 in 12 units, else gray in 48.
func restarting(tb testing.TB, colored bool, interval int) []byte {
	tb.Helper()
	var m stdimage.Image = stdimage.NewGray(stdimage.Rect(0, 0, 64, 48))
	unit, units := []byte{0x2b}, 48 // a unit is all zeros: 00 and 1010 of the usual tables, padded to whole bytes
	if colored {
		m, unit, units = samples.Quadrants(64, 48), []byte{0x28, 0xa2, 0x8a, 0x00}, 12 // four, and twice 00 and 00
	} else {
		interval = 1 // a padded unit ends its interval
	}
	file := jpegOf(m)
	scan := bytes.Index(file, []byte{0xff, 0xda})
	head := file[scan : scan+2+int(file[scan+3])]
	out := slices.Concat(file[:scan], []byte{0xff, 0xdd, 0, 4, 0, byte(interval)}, head)
	for n := range units {
		if n > 0 && n%interval == 0 {
			out = append(out, 0xff, 0xd0+byte(n/interval-1)%8)
		}
		out = append(out, unit...)
	}
	return append(out, 0xff, 0xd9)
}

func TestACutJPEGWithAnEndIsFoundByItsRestarts(t *testing.T) {
	for name, file := range map[string][]byte{"gray": restarting(t, false, 1), "color": restarting(t, true, 5), "one interval": restarting(t, true, 12)} {
		if m, err := jpeg.Decode(bytes.NewReader(file)); err != nil || distance(m.At(60, 40), color.Gray{Y: 128}) > 2 {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := inspect(file); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		last := bytes.LastIndex(file[:len(file)-2], []byte{0xff})
		if file[last+1] < 0xd0 || file[last+1] > 0xd7 {
			continue // no restart in it: nothing tells but the decoder
		}
		for _, end := range []string{"\xff\xd9", "\xff\xd9 and what phones append"} {
			if _, err := inspect(append(bytes.Clone(file[:last]), end...)); !errors.Is(err, image.ErrTruncated) {
				t.Errorf("%s cut: %v", name, err)
			}
		}
	}
}

// What no header tells is found when the sizes are made.
func TestACutJPEGWithAnEndIsNotShown(t *testing.T) {
	file := append(samples.Truncated(samples.BigJPEG(0.2)), 0xff, 0xd9)
	if _, err := inspect(file); err != nil {
		t.Fatal(err)
	}
	err := newDeriver(t, 64<<20).Derive(t.Context(), bytes.NewReader(file), int64(len(file)), &bytes.Buffer{}, 100)
	if !errors.Is(err, image.ErrMalformed) {
		t.Error(err)
	}
}
