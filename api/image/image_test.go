package image_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	stdimage "image"
	"io"
	"os"
	"runtime"
	"slices"
	"testing"
	"testing/iotest"
	"time"

	"example.com/walkaround/api/image"
	"example.com/walkaround/test/samples"
)

func inspect(b []byte) (image.Info, error) {
	return image.Inspect(context.Background(), bytes.NewReader(b), int64(len(b)))
}

func jpegOf(m stdimage.Image) []byte {
	var b bytes.Buffer
	_ = samples.JPEG(&b, m)
	return b.Bytes()
}

func pngOf(m stdimage.Image) []byte {
	var b bytes.Buffer
	_ = samples.PNG(&b, m)
	return b.Bytes()
}

func turnedJPEG(orientation int, gps bool) []byte {
	var b bytes.Buffer
	_ = samples.JPEGWithEXIF(&b, samples.Stored(samples.Quadrants(64, 48), orientation), orientation, gps)
	return b.Bytes()
}

func TestInspectTellsTypeAndSizeAsDisplayed(t *testing.T) {
	for name, c := range map[string]struct {
		file []byte
		want image.Info
	}{
		"JPEG":             {jpegOf(samples.Quadrants(64, 48)), image.Info{ContentType: image.TypeJPEG, Width: 64, Height: 48, Orientation: 1}},
		"progressive JPEG": {samples.ProgressiveJPEG(), image.Info{ContentType: image.TypeJPEG, Width: 320, Height: 240, Orientation: 1}},
		"CMYK JPEG":        {samples.CMYKJPEG(), image.Info{ContentType: image.TypeJPEG, Width: 64, Height: 48, Orientation: 1}},
		"polyglot":         {samples.Polyglot(), image.Info{ContentType: image.TypeJPEG, Width: 64, Height: 48, Orientation: 1}},
		"PNG":              {pngOf(samples.Quadrants(64, 48)), image.Info{ContentType: image.TypePNG, Width: 64, Height: 48, Orientation: 1}},
		"turned PNG":       {pngWithEXIF(6), image.Info{ContentType: image.TypePNG, Width: 48, Height: 64, Orientation: 6}},
		"WebP":             {samples.WebP(), image.Info{ContentType: image.TypeWebP, Width: 320, Height: 240, Orientation: 1}},
		"lossless WebP":    {samples.WebPLossless(), image.Info{ContentType: image.TypeWebP, Width: 64, Height: 48, Orientation: 1}},
		"HEIC":             {samples.HEIC(), image.Info{ContentType: image.TypeHEIC, Width: 320, Height: 240, Orientation: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := inspect(c.file)
			if err != nil || got != c.want {
				t.Errorf("got %+v, %v; want %+v", got, err, c.want)
			}
		})
	}
}

// pngWithEXIF is a PNG of 64 × 48 with an eXIf chunk behind its header.
func pngWithEXIF(orientation int) []byte {
	b := pngOf(samples.Quadrants(64, 48))
	exif := samples.EXIF(orientation, false, "")
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(exif)))
	chunk = append(append(chunk, "eXIf"...), exif...)
	chunk = binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
	return slices.Concat(b[:33], chunk, b[33:])
}

func TestInspectObeysEachOrientation(t *testing.T) {
	for o := 1; o <= 8; o++ {
		got, err := inspect(turnedJPEG(o, false))
		if err != nil || got.Orientation != o || got.Width != 64 || got.Height != 48 {
			t.Errorf("orientation %d: %+v, %v", o, got, err)
		}
	}
	if got, err := inspect(turnedJPEG(9, false)); err != nil || got.Orientation != 1 {
		t.Errorf("orientation 9 is none: %+v, %v", got, err)
	}
}

func TestHEICIsTurnedByItsContainerNotByItsEXIF(t *testing.T) {
	got, err := inspect(samples.HEICTurned())
	if err != nil || got.Width != 64 || got.Height != 128 || got.Orientation != 1 {
		t.Errorf("got %+v, %v", got, err)
	}
	if got.TakenAt == nil {
		t.Error("the time in its EXIF is lost")
	}
}

func TestTakenAtNeedsAnOffset(t *testing.T) {
	want := time.Date(2026, 3, 14, 1, 26, 53, 0, time.UTC)
	got, err := inspect(turnedJPEG(1, true))
	if err != nil || got.TakenAt == nil || !got.TakenAt.Equal(want) || got.TakenAt.Location() != time.UTC {
		t.Errorf("with offset: %v, %v; want %v", got.TakenAt, err, want)
	}
	for _, offset := range []string{"", "east", "+8"} {
		var b bytes.Buffer
		_ = samples.JPEGWithEXIFTime(&b, samples.Quadrants(8, 8), 1, false, offset)
		if got, err := inspect(b.Bytes()); err != nil || got.TakenAt != nil {
			t.Errorf("offset %q: %v, %v; want nil", offset, got.TakenAt, err)
		}
	}
}

func TestInspectRefuses(t *testing.T) {
	jpeg, png, webp, heic := jpegOf(samples.Quadrants(64, 48)), pngOf(samples.Quadrants(64, 48)), samples.WebP(), samples.HEIC()
	lossless := samples.WebPLossless()
	for name, c := range map[string]struct {
		file []byte
		want error
	}{
		"nothing":                      {nil, image.ErrUnsupported},
		"text":                         {[]byte("<html>"), image.ErrUnsupported},
		"GIF":                          {[]byte("GIF89a\x01\x00\x01\x00"), image.ErrUnsupported},
		"SVG":                          {[]byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), image.ErrUnsupported},
		"AVIF":                         {[]byte("\x00\x00\x00\x18ftypavif\x00\x00\x00\x00mif1miaf"), image.ErrUnsupported},
		"a recording":                  {samples.M4A(), image.ErrUnsupported},
		"JPEG of 3 gigapixels":         {samples.GigapixelJPEG(), image.ErrTooManyPixels},
		"PNG of 3 gigapixels":          {samples.GigapixelPNG(), image.ErrTooManyPixels},
		"WebP of 201 megapixels":       {resizedWebP(lossless, 16_384, 12_300), image.ErrTooManyPixels},
		"PNG too wide":                 {resizedPNG(16_385, 1, 8), image.ErrTooManyPixels},
		"PNG too deep":                 {resizedPNG(10_000, 10_000, 16), image.ErrTooManyPixels},
		"progressive JPEG, 100 MP 444": {resizedSOF(samples.ProgressiveJPEG(), 0xc2, 10_000, 10_000), image.ErrTooManyPixels},
		"JPEG without pixels":          {resizedSOF(jpeg, 0xc0, 0, 48), image.ErrMalformed},
		"JPEG of five components":      {patched(jpeg, bytes.Index(jpeg, []byte{0xff, 0xc0})+9, 5), image.ErrUnsupported},
		"JPEG of twelve bits":          {patched(jpeg, bytes.Index(jpeg, []byte{0xff, 0xc0})+4, 12), image.ErrUnsupported},
		"JPEG without a scan":          {slices.Concat(jpeg[:bytes.Index(jpeg, []byte{0xff, 0xda})], []byte{0xff, 0xd9}), image.ErrMalformed},
		"JPEG without a frame":         {[]byte{0xff, 0xd8, 0xff, 0xd9}, image.ErrMalformed},
		"truncated JPEG":               {samples.Truncated(jpeg), image.ErrTruncated},
		"JPEG without its last byte":   {jpeg[:len(jpeg)-1], image.ErrTruncated},
		"truncated with a thumbnail":   {jpegWithThumbnail(jpeg)[:len(jpeg)], image.ErrTruncated},
		"segment of length 1":          {slices.Concat(jpeg[:2], []byte{0xff, 0xe1, 0, 1}, jpeg[2:]), image.ErrMalformed},
		"truncated PNG":                {samples.Truncated(png), image.ErrTruncated},
		"PNG without IEND":             {png[:len(png)-12], image.ErrTruncated},
		"PNG without IHDR":             {patched(png, 12, 'X'), image.ErrMalformed},
		"PNG without pixels":           {slices.Concat(png[:33], png[len(png)-12:]), image.ErrMalformed},
		"truncated WebP":               {samples.Truncated(webp), image.ErrTruncated},
		"WebP without its last byte":   {webp[:len(webp)-1], image.ErrTruncated},
		"animated WebP":                {animatedWebP(webp), image.ErrUnsupported},
		"WebP chunk beyond the end":    {patched(webp, 17, 0xff), image.ErrMalformed},
		"truncated HEIC":               {samples.Truncated(heic), image.ErrTruncated},
		"HEIC without its last byte":   {heic[:len(heic)-1], image.ErrTruncated},
		"HEIC cut before its pixels":   {heic[:bytes.Index(heic, []byte("mdat"))-4], image.ErrTruncated},
		"HEIC cut behind its brands":   {heic[:28], image.ErrTruncated},
		"HEIC with a box of 3 bytes":   {patched(heic, bytes.Index(heic, []byte("mdat"))-1, 3, 'm'), image.ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := inspect(c.file); !errors.Is(err, c.want) {
				t.Errorf("got %+v, %v; want %v", got, err, c.want)
			}
		})
	}
}

func patched(file []byte, at int, with ...byte) []byte {
	out := bytes.Clone(file)
	copy(out[at:], with)
	if len(with) == 2 { // a box's length: the three bytes before are zero then
		copy(out[at-3:], []byte{0, 0, 0})
	}
	return out
}

func resizedPNG(w, h uint32, depth byte) []byte {
	out := samples.GigapixelPNG()
	binary.BigEndian.PutUint32(out[16:], w)
	binary.BigEndian.PutUint32(out[20:], h)
	out[24] = depth
	out[25] = 2
	return out
}

func resizedSOF(file []byte, marker byte, w, h uint16) []byte {
	out := bytes.Clone(file)
	at := bytes.Index(out, []byte{0xff, marker})
	binary.BigEndian.PutUint16(out[at+5:], h)
	binary.BigEndian.PutUint16(out[at+7:], w)
	for i := range 3 {
		out[at+11+3*i] = 0x11
	}
	return out
}

func resizedWebP(file []byte, w, h uint32) []byte {
	out := bytes.Clone(file)
	binary.LittleEndian.PutUint32(out[21:], (w-1)|(h-1)<<14)
	return out
}

func animatedWebP(file []byte) []byte {
	out := slices.Concat(file, []byte("ANIM\x06\x00\x00\x00\x00\x00\x00\x00\x00\x00"))
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
	return out
}

// jpegWithThumbnail carries a whole JPEG, with its end, inside a segment.
func jpegWithThumbnail(file []byte) []byte {
	thumb := jpegOf(samples.Quadrants(16, 16))
	return samples.WithEXIF(file, thumb)
}

func TestInspectAcceptsWhatPhonesAppend(t *testing.T) {
	jpeg, png, webp := jpegOf(samples.Quadrants(64, 48)), pngOf(samples.Quadrants(64, 48)), samples.WebP()
	for name, file := range map[string][]byte{
		"a motion photo's video": slices.Concat(jpeg, samples.M4A()),
		"padding":                slices.Concat(jpeg, make([]byte, 5000)),
		"a gain map":             slices.Concat(jpeg, jpeg),
		"fill bytes":             slices.Concat(jpeg[:len(jpeg)-2], []byte{0xff, 0xff, 0xff, 0xd9}),
		"a thumbnail inside":     jpegWithThumbnail(jpeg),
		"PNG with a trailer":     append(png, "trailer"...),
		"WebP with a trailer":    append(webp, "trailer"...),
		"HEIC with a box":        append(samples.HEIC(), "\x00\x00\x00\x0csefd1234"...),
		"HEIC with an open box":  append(samples.HEIC(), "\x00\x00\x00\x00free12345"...),
	} {
		if _, err := inspect(file); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestABrokenReaderIsNotABrokenPicture(t *testing.T) {
	broken := errors.New("disk on fire")
	for name, file := range map[string][]byte{
		"JPEG": samples.BigJPEG(0.2), "PNG": pngOf(samples.Quadrants(64, 48)), "WebP": samples.WebP(), "HEIC": samples.HEIC(),
	} {
		for _, good := range []int{0, 20, 200, len(file) - 1} {
			r := &failing{Reader: bytes.NewReader(file), good: int64(min(good, len(file)-1)), err: broken}
			if _, err := image.Inspect(t.Context(), r, int64(len(file))); !errors.Is(err, broken) {
				t.Errorf("%s broken at %d: %v", name, good, err)
			}
		}
	}
}

// failing reads up to good bytes of the file and fails behind.
type failing struct {
	*bytes.Reader
	good int64
	err  error
}

func (f *failing) Read(p []byte) (int, error) {
	at, _ := f.Seek(0, io.SeekCurrent)
	if at >= f.good {
		return 0, f.err
	}
	return f.Reader.Read(p[:min(int64(len(p)), f.good-at)])
}

func TestInspectReadsSmallPieces(t *testing.T) {
	file := samples.BigJPEG(0.2)
	r := struct {
		io.Reader
		io.Seeker
	}{Seeker: bytes.NewReader(file)}
	r.Reader = iotest.OneByteReader(r.Seeker.(io.Reader)) //nolint:errcheck // a bytes.Reader.
	if _, err := image.Inspect(t.Context(), r, int64(len(file))); err != nil {
		t.Error(err)
	}
}

func TestInspectHoldsLittle(t *testing.T) {
	file := slices.Concat(samples.BigJPEG(0.5), make([]byte, 8<<20))
	r := bytes.NewReader(file)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := image.Inspect(t.Context(), r, int64(len(file)))
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; err != nil || got > 1<<20 {
		t.Errorf("%d bytes allocated for a file of %d, %v", got, len(file), err)
	}
}

func TestSniffLooksAtTheBeginningOnly(t *testing.T) {
	for name, want := range map[string]string{
		"\xff\xd8\xff\xe0":                                     image.TypeJPEG,
		"\x89PNG\r\n\x1a\n":                                    image.TypePNG,
		"RIFF\x00\x00\x00\x00WEBPVP8 ":                         image.TypeWebP,
		"\x00\x00\x00\x1cftypheic\x00\x00\x00\x00":             image.TypeHEIC,
		"\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00mif1heicmiaf": image.TypeHEIC,
		"\x00\x00\x00\x10ftypmif1\x00\x00\x00\x00heicheic":     "", // the brand lies behind the box
		"\x00\x00\x00\x1cftypisom\x00\x00\x00\x00mp42":         "",
		"RIFF\x00\x00\x00\x00WAVE":                             "",
		"\xff\xd8":                                             "",
		string(make([]byte, 64)) + "\xff\xd8\xff":              "",
		"\x00\x00\x00\x1cftyp":                                 "",
	} {
		if got, ok := image.Sniff([]byte(name)); got != want || ok != (want != "") {
			t.Errorf("%q: %q, %v; want %q", name, got, ok, want)
		}
	}
}

// The folder of real photos lies beside the clone, where it is there at all.
const photos = "../../../shared/photos/"

func TestRealPhotos(t *testing.T) {
	entries, err := os.ReadDir(photos)
	if err != nil {
		t.Skip("no real photos beside the clone")
	}
	for _, e := range entries {
		if e.Name() == "README.md" {
			continue
		}
		file, err := os.ReadFile(photos + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		if got, err := inspect(file); err != nil || got.Width*got.Height < 300*200 {
			t.Errorf("%s: %+v, %v", e.Name(), got, err)
		}
		if _, err := inspect(samples.Truncated(file)); !errors.Is(err, image.ErrTruncated) {
			t.Errorf("%s truncated: %v", e.Name(), err)
		}
	}
}
