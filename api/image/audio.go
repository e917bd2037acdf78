package image

import (
	"bufio"
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
// is neither MP4 nor WebM. These are containers: InspectAudio looks for pictures inside.
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

// InspectAudio checks that a recording of size bytes has all parts of its container's top level, whole, and that its tracks
// are of sound: a video is ErrUnsupported. It reads in small buffers. A WebM that was streamed leaves its own length open: a
// cut between two blocks can't be seen there. Errors: ErrUnsupported, ErrTruncated, ErrMalformed, or an error of r.
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
	var t tracks
	if kind == TypeWebM {
		err = webmEnd(br, size, &t)
	} else {
		err = boxesEnd(br, size, func(b box) error { return t.box(br, "", b) }, "moov", "mdat") // fragments have an mdat each
	}
	if err == nil {
		err = t.check()
	}
	return src.verdict(err)
}

// tracks is what the tracks of a recording hold.
type tracks struct{ sound, pictures bool }

// check wants sound and no pictures.
func (t *tracks) check() error {
	switch {
	case t.pictures:
		return fmt.Errorf("image: recording with pictures: %w", ErrUnsupported)
	case !t.sound:
		return fmt.Errorf("image: recording without sound: %w", ErrUnsupported)
	default:
		return nil
	}
}

// box reads a box of an MP4 to its end. Each track says in moov/trak/mdia/hdlr what it holds (ISO 14496-12, 8.4.3).
func (t *tracks) box(br *bufio.Reader, parent string, b box) error {
	inside := map[string]string{"": "moov", "moov": "trak", "trak": "mdia", "mdia": "hdlr"}
	switch {
	case b.kind != inside[parent]:
		return skip(br, b.length)
	case b.kind == "hdlr":
		return t.handler(br, b)
	default:
		return boxesIn(br, b.length, ErrMalformed, func(child box) error { return t.box(br, b.kind, child) })
	}
}

// handler reads an hdlr box: version and flags, four bytes of nothing, the type.
func (t *tracks) handler(br *bufio.Reader, b box) error {
	var head [12]byte
	if b.length < int64(len(head)) {
		return fmt.Errorf("image: hdlr of %d bytes: %w", b.length, ErrMalformed)
	}
	if _, err := io.ReadFull(br, head[:]); err != nil {
		return unexpected(err)
	}
	switch string(head[8:]) {
	case "soun":
		t.sound = true
	case "vide", "auxv", "pict":
		t.pictures = true
	}
	return skip(br, b.length-int64(len(head)))
}

// isWebM reads the document type out of the EBML header.
func isWebM(head []byte) bool {
	if !bytes.HasPrefix(head, []byte("\x1a\x45\xdf\xa3")) {
		return false
	}
	return bytes.Contains(head, []byte("\x42\x82\x84webm"))
}
