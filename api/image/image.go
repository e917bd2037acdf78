// Package image says what an uploaded photo or recording is, and makes the sizes of a photo that are shown.
//
// Call Inspect first, on the stored bytes: it tells type, size as displayed and time of a photo and refuses what is no
// complete picture, reading headers and structure only. Then a Deriver (NewDeriver, one a process) makes the upright
// JPEGs without metadata. Recordings have SniffAudio and InspectAudio. Photos are bytes and nothing else: what is
// appended to one (a ZIP, HTML, a phone's motion photo) is neither read nor refused.
//
// It may import the standard library, golang.org/x, the HEIC and EXIF decoders, and nothing of the project.
package image

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
)

// Limits of a photo. A header that claims more is refused before anything is allocated for it.
const (
	MaxBytes   = 20 << 20    // of the file
	MaxSide    = 16_384      // pixels of width or height
	MaxPixels  = 100_000_000 // width × height
	MaxDecoded = 700 << 20   // bytes that decoding holds: progressive, deep or interlaced files reach it before MaxPixels
)

// The long sides, in pixels, of the sizes that the API offers.
const (
	ScreenSide = 1280
	ThumbSide  = 320
)

// The content types of photos.
const (
	TypeJPEG = "image/jpeg"
	TypePNG  = "image/png"
	TypeWebP = "image/webp"
	TypeHEIC = "image/heic"
)

// What is wrong with a file; compare with errors.Is. An error that is none of these comes from the reader or the context.
var (
	ErrUnsupported   = errors.New("not a supported format")
	ErrTooManyPixels = errors.New("more pixels than allowed")
	ErrTruncated     = errors.New("the file ends before its content does")
	ErrMalformed     = errors.New("the file breaks the rules of its format")
)

// Info is what Inspect found in a photo's headers.
type Info struct {
	ContentType   string // one of TypeJPEG, TypePNG, TypeWebP, TypeHEIC
	Width, Height int    // pixels as displayed: the orientation is obeyed
	Orientation   int    // EXIF, 1 to 8; always 1 for HEIC, whose decoder turns the picture itself

	// TakenAt is EXIF DateTimeOriginal in UTC, nil when it is absent or has no OffsetTimeOriginal: a local time of an
	// unknown zone would look like evidence and be none.
	TakenAt *time.Time
}

// sniffLength is how much of the beginning Sniff and SniffAudio look at, in bytes.
const sniffLength = 64

// Sniff tells the content type of a photo from its first bytes (64 are enough) and from nothing else, neither name nor
// declared type. ok is false for anything that is not a JPEG, PNG, WebP or HEIC.
func Sniff(head []byte) (contentType string, ok bool) {
	head = head[:min(len(head), sniffLength)]
	switch {
	case bytes.HasPrefix(head, []byte("\xff\xd8\xff")):
		return TypeJPEG, true
	case bytes.HasPrefix(head, []byte(pngMagic)):
		return TypePNG, true
	case len(head) >= 12 && string(head[:4]) == "RIFF" && string(head[8:12]) == "WEBP":
		return TypeWebP, true
	case hasBrand(head, heicBrands):
		return TypeHEIC, true
	default:
		return "", false
	}
}

// Inspect reads the headers and the structure of a photo of size bytes, in small buffers and without decoding a pixel:
// the dimensions first, then the orientation, then whether the file has its end and what lies before it: checksums and rows
// of a PNG, restarts of a JPEG, lengths in the containers of the others. What only decoding tells is left to a Deriver: a
// JPEG without restarts that was cut and given an end. Errors: ErrUnsupported, ErrTooManyPixels, ErrTruncated,
// ErrMalformed, or an error of r.
func Inspect(ctx context.Context, r io.ReadSeeker, size int64) (Info, error) {
	src := newSource(ctx, r, size)
	h, err := readHeader(src)
	if err != nil {
		return Info{}, err
	}
	if err := checkEnd(src, h.ContentType); err != nil {
		return Info{}, err
	}
	return h.Info, nil
}

// header is what must be known before a decoder may run.
type header struct {
	Info
	cost int64 // bytes that decoding will hold, an upper estimate
}

// readHeader sniffs, reads dimensions, holds them against the limits, and adds what EXIF says.
func readHeader(src *source) (header, error) {
	kind, err := sniffSource(src)
	if err != nil {
		return header{}, err
	}
	f, err := readFrame(src, kind)
	if err != nil {
		return header{}, src.verdict(err)
	}
	if err := f.check(); err != nil {
		return header{}, err
	}
	h := header{cost: f.cost()}
	h.ContentType, h.Width, h.Height, h.Orientation = kind, f.width, f.height, 1
	if err := h.readEXIF(src); err != nil {
		return header{}, err
	}
	return h, nil
}

// sniffSource is Sniff on the beginning of src.
func sniffSource(src *source) (string, error) {
	head, err := src.head(sniffLength)
	if err != nil {
		return "", err
	}
	kind, ok := Sniff(head)
	if !ok {
		return "", fmt.Errorf("image: %w", ErrUnsupported)
	}
	return kind, nil
}

// frame is the size of a picture as stored and what a decoder needs to hold for it.
type frame struct {
	width, height int
	perPixel      float64 // bytes held a pixel while decoding
	units         int64   // JPEG: of a scan of all components
	components    byte    // JPEG
}

// cost is the memory that decoding holds, in bytes.
func (f frame) cost() int64 { return int64(float64(f.width) * float64(f.height) * f.perPixel) }

// check holds a frame against the limits: ErrMalformed without pixels, ErrTooManyPixels above the limits.
func (f frame) check() error {
	switch {
	case f.width < 1 || f.height < 1:
		return fmt.Errorf("image: %d × %d pixels: %w", f.width, f.height, ErrMalformed)
	case f.width > MaxSide, f.height > MaxSide, f.width*f.height > MaxPixels, f.cost() > MaxDecoded:
		return fmt.Errorf("image: %d × %d pixels: %w", f.width, f.height, ErrTooManyPixels)
	default:
		return nil
	}
}

// readFrame reads the dimensions from the header of the format.
func readFrame(src *source, kind string) (frame, error) {
	switch kind {
	case TypeJPEG:
		return jpegFrame(src)
	case TypePNG:
		return pngFrame(src)
	case TypeWebP:
		return webpFrame(src)
	default:
		return heicFrame(src)
	}
}

// checkEnd walks the structure of the format to its end: ErrTruncated where the file stops before.
func checkEnd(src *source, kind string) error {
	tail, err := src.tail()
	if err != nil {
		return src.verdict(err)
	}
	br, err := src.rewound()
	if err != nil {
		return err
	}
	switch kind {
	case TypeJPEG:
		err = jpegEnd(br, tail == [2]byte{0xff, markEOI})
	case TypePNG:
		err = pngEnd(br)
	case TypeWebP:
		err = webpEnd(br, src.size)
	default:
		err = boxesEnd(br, src.size, skipping(br), "meta", "mdat")
	}
	return src.verdict(err)
}

// bigEndian32 reads four bytes as a length.
func bigEndian32(b []byte) int64 { return int64(binary.BigEndian.Uint32(b)) }
