package image

import (
	"bytes"
	"context"
	"fmt"
	"io"
)

// The content types of recordings, and the limit of one in bytes.
const (
	TypeMP4       = "audio/mp4"
	TypeWebM      = "audio/webm"
	MaxAudioBytes = 10 << 20
)

// mp4Brands are what phones and browsers write at the start of an m4a or mp4.
var mp4Brands = []string{"M4A ", "M4B ", "mp41", "mp42", "isom", "iso2", "iso3", "iso4", "iso5", "iso6", "iso8", "iso9", "dash"}

// SniffAudio tells the content type of a recording from its first bytes (64 are enough). ok is false for anything that
// is neither MP4 nor WebM. A picture track would go unnoticed: these are containers.
func SniffAudio(head []byte) (contentType string, ok bool) {
	head = head[:min(len(head), sniffLength)]
	switch {
	case hasBrand(head, heicBrands):
		return "", false
	case hasBrand(head, mp4Brands):
		return TypeMP4, true
	case isWebM(head):
		return TypeWebM, true
	default:
		return "", false
	}
}

// InspectAudio checks that a recording of size bytes has all parts of its container's top level, whole. It reads in
// small buffers. A WebM that was streamed leaves its own length open: a cut between two blocks can't be seen there.
// Errors: ErrUnsupported, ErrTruncated, ErrMalformed, or an error of r.
func InspectAudio(ctx context.Context, r io.ReadSeeker, size int64) error {
	src := newSource(ctx, r, size)
	head, err := src.head(sniffLength)
	if err != nil {
		return err
	}
	kind, ok := SniffAudio(head)
	if !ok {
		return fmt.Errorf("image: recording: %w", ErrUnsupported)
	}
	br, err := src.rewound()
	if err != nil {
		return src.verdict(err)
	}
	if kind == TypeWebM {
		return src.verdict(webmEnd(br, size))
	}
	return src.verdict(boxesEnd(br, size, "moov", "mdat")) // fragments have an mdat each
}

// isWebM reads the document type out of the EBML header.
func isWebM(head []byte) bool {
	if !bytes.HasPrefix(head, []byte("\x1a\x45\xdf\xa3")) {
		return false
	}
	return bytes.Contains(head, []byte("\x42\x82\x84webm"))
}
