package samples

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"io"
	"slices"
)

// Tags of EXIF that the samples write (EXIF 2.32).
const (
	tagOrientation = 0x0112
	tagExifIFD     = 0x8769
	tagGPSIFD      = 0x8825
	tagOriginal    = 0x9003
	tagOffset      = 0x9011
	tagLatitudeRef = 0x0001
	tagLatitude    = 0x0002

	typeASCII    = 2
	typeShort    = 3
	typeLong     = 4
	typeRational = 5
)

// TakenAt is when the photos of JPEGWithEXIF were taken, as EXIF writes it, with TakenOffset.
const (
	TakenAt     = "2026:03:14 09:26:53"
	TakenOffset = "+08:00"
)

// JPEGWithEXIF encodes a picture with an orientation (1 to 8), a time (TakenAt) and, if asked for, a GPS position. The
// picture is stored as given: a viewer turns it. The error is the writer's.
func JPEGWithEXIF(w io.Writer, img image.Image, orientation int, gps bool) error {
	return JPEGWithEXIFTime(w, img, orientation, gps, TakenOffset)
}

// JPEGWithEXIFTime is JPEGWithEXIF with an offset from UTC of one's own; "" leaves it out, as old phones do.
func JPEGWithEXIFTime(w io.Writer, img image.Image, orientation int, gps bool, offset string) error {
	var b bytes.Buffer
	if err := JPEG(&b, img); err != nil {
		return err
	}
	_, err := w.Write(WithEXIF(b.Bytes(), EXIF(orientation, gps, offset)))
	return err
}

// Stored is how a camera stores a picture that is shown upright only by the orientation (1 to 8): row 0 of the file is at
// one side of what is seen, column 0 at another.
func Stored(seen image.Image, orientation int) *image.RGBA {
	b := seen.Bounds()
	w, h := b.Dx(), b.Dy()
	if orientation >= 5 {
		w, h = h, w
	}
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	right, bottom := b.Max.X-1, b.Max.Y-1
	for row := range h {
		for col := range w {
			x, y := b.Min.X+col, b.Min.Y+row // row 0 at the top, column 0 at the left
			if orientation >= 5 {
				x, y = b.Min.X+row, b.Min.Y+col // row 0 at the left, column 0 at the top
			}
			switch orientation {
			case 2, 3, 6, 7:
				x = right - (x - b.Min.X)
			}
			switch orientation {
			case 3, 4, 7, 8:
				y = bottom - (y - b.Min.Y)
			}
			out.Set(col, row, seen.At(x, y))
		}
	}
	return out
}

// WithEXIF puts an EXIF block behind the start of a JPEG.
func WithEXIF(jpeg, exif []byte) []byte {
	app1 := append([]byte("Exif\x00\x00"), exif...)
	segment := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(app1)+2)) //nolint:gosec // G115: some hundred bytes.
	return slices.Concat(jpeg[:2], segment, app1, jpeg[2:])
}

// EXIF is a TIFF structure with what the arguments of JPEGWithEXIFTime say.
func EXIF(orientation int, gps bool, offset string) []byte {
	var t tiff
	main := []entry{{tagOrientation, typeShort, 1, short(orientation)}}
	exif := []entry{{tagOriginal, typeASCII, uint32(len(TakenAt) + 1), []byte(TakenAt + "\x00")}}
	if offset != "" {
		exif = append(exif, entry{tagOffset, typeASCII, uint32(len(offset) + 1), []byte(offset + "\x00")}) //nolint:gosec // G115: seven bytes.
	}
	main = append(main, entry{tagExifIFD, typeLong, 1, t.directory(exif)})
	if gps {
		main = append(main, entry{tagGPSIFD, typeLong, 1, t.directory([]entry{
			{tagLatitudeRef, typeASCII, 2, []byte("N\x00")},
			{tagLatitude, typeRational, 3, rationals(23, 7, 45)},
		})})
	}
	first := t.directory(main)
	return slices.Concat([]byte("MM\x00*"), first, t.body)
}

// entry is a field of a TIFF directory.
type entry struct {
	tag, kind uint16
	count     uint32
	value     []byte
}

// tiff collects directories; the body begins behind the header of eight bytes.
type tiff struct{ body []byte }

// directory appends one, long values before it, and returns its place as four bytes.
func (t *tiff) directory(entries []entry) []byte {
	for i, e := range entries {
		if len(e.value) > 4 {
			place := t.here()
			t.body = append(t.body, e.value...)
			t.body = append(t.body, make([]byte, len(t.body)%2)...)
			entries[i].value = place
		}
	}
	place := t.here()
	t.body = binary.BigEndian.AppendUint16(t.body, uint16(len(entries))) //nolint:gosec // G115: a handful.
	for _, e := range entries {
		t.body = binary.BigEndian.AppendUint16(t.body, e.tag)
		t.body = binary.BigEndian.AppendUint16(t.body, e.kind)
		t.body = binary.BigEndian.AppendUint32(t.body, e.count)
		t.body = append(t.body, append(e.value, 0, 0, 0, 0)[:4]...)
	}
	t.body = append(t.body, 0, 0, 0, 0) // no next directory
	return place
}

func (t *tiff) here() []byte {
	return binary.BigEndian.AppendUint32(nil, uint32(8+len(t.body))) //nolint:gosec // G115: some hundred bytes.
}

func short(n int) []byte {
	return binary.BigEndian.AppendUint16(nil, uint16(n)) //nolint:gosec // G115: an orientation.
}

func rationals(values ...uint32) (b []byte) {
	for _, v := range values {
		b = binary.BigEndian.AppendUint32(b, v)
		b = binary.BigEndian.AppendUint32(b, 1)
	}
	return b
}

// GigapixelJPEG is a file of some hundred bytes whose header claims 60,000 × 50,000 pixels.
func GigapixelJPEG() []byte {
	var b bytes.Buffer
	_ = JPEG(&b, image.NewGray(image.Rect(0, 0, 8, 8))) // a buffer takes everything
	out := b.Bytes()
	sof := bytes.Index(out, []byte{0xff, 0xc0})
	binary.BigEndian.PutUint16(out[sof+5:], 50_000)
	binary.BigEndian.PutUint16(out[sof+7:], 60_000)
	return out
}

// GigapixelPNG is the same as a PNG, with right checksums.
func GigapixelPNG() []byte {
	var b bytes.Buffer
	_ = PNG(&b, image.NewGray(image.Rect(0, 0, 8, 8))) // a buffer takes everything
	out := b.Bytes()
	binary.BigEndian.PutUint32(out[16:], 60_000)
	binary.BigEndian.PutUint32(out[20:], 50_000)
	binary.BigEndian.PutUint32(out[29:], crc32.ChecksumIEEE(out[12:29]))
	return out
}

// Truncated is the first two thirds of a file: an upload that broke off.
func Truncated(file []byte) []byte { return bytes.Clone(file[:len(file)*2/3]) }

// Polyglot is a valid JPEG that is also a web page and the beginning of a ZIP: a comment of HTML inside, both behind its
// end.
func Polyglot() []byte {
	const page = "<html><script>alert(1)</script></html>"
	var b bytes.Buffer
	_ = JPEG(&b, Quadrants(64, 48)) // a buffer takes everything
	comment := append([]byte{0xff, 0xfe, 0, byte(len(page) + 2)}, page...)
	return slices.Concat(b.Bytes()[:2], comment, b.Bytes()[2:], []byte(page), []byte("PK\x03\x04"), make([]byte, 26))
}
