package image

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
)

// heicBrands are the brands of still pictures coded by HEVC. AVIF has others, and sequences are no photos.
var heicBrands = []string{"heic", "heix", "heim", "heis"}

// hasBrand looks for one of the brands among those of an ftyp box (ISO 14496-12, 4.3), as far as head shows it.
func hasBrand(head []byte, brands []string) bool {
	if len(head) < 12 || string(head[4:8]) != "ftyp" {
		return false
	}
	if slices.Contains(brands, string(head[8:12])) {
		return true
	}
	end := min(bigEndian32(head), int64(len(head)))
	for i := int64(16); i+4 <= end; i += 4 { // 12 to 16 is the minor version
		if slices.Contains(brands, string(head[i:i+4])) {
			return true
		}
	}
	return false
}

// box is a header of ISO 14496-12: its kind and how many bytes follow.
type box struct {
	kind   string
	length int64 // of the content; -1: to the end of the file
	header int64 // of the header itself
}

// boxesEnd walks the boxes at the top level: each lies whole inside the file of size bytes, and those needed are there.
// A file cut between two boxes lacks a needed one, so that is ErrTruncated too. What is inside a box is read by look, to
// its end.
func boxesEnd(br *bufio.Reader, size int64, look func(box) error, needed ...string) error {
	missing := slices.Clone(needed)
	err := boxesIn(br, size, ErrTruncated, func(b box) error {
		missing = slices.DeleteFunc(missing, func(kind string) bool { return kind == b.kind })
		return look(b)
	})
	if err == nil && len(missing) > 0 {
		err = fmt.Errorf("image: no box %q: %w", missing, ErrTruncated)
	}
	return err
}

// boxesIn walks the boxes of the next size bytes. A box that is longer than what is left of them is the error beyond.
func boxesIn(br *bufio.Reader, size int64, beyond error, look func(box) error) error {
	for pos := int64(0); pos < size; {
		b, err := readBox(br)
		if err != nil {
			return err
		}
		pos += b.header
		if b.length < 0 {
			b.length = size - pos
		}
		if b.length > size-pos || b.length < 0 {
			return fmt.Errorf("image: box %q beyond the end: %w", b.kind, beyond)
		}
		if err := look(b); err != nil {
			return err
		}
		pos += b.length
	}
	return nil
}

// skipping passes over the content of a box.
func skipping(br *bufio.Reader) func(box) error {
	return func(b box) error { return skip(br, b.length) }
}

// readBox reads a box header with its short or long length.
func readBox(br *bufio.Reader) (box, error) {
	var short [8]byte
	if _, err := io.ReadFull(br, short[:]); err != nil {
		return box{}, unexpected(err)
	}
	b := box{kind: string(short[4:]), header: 8}
	switch n := bigEndian32(short[:4]); n {
	case 0:
		b.length = -1
		return b, nil
	case 1:
		return longBox(br, b)
	default:
		b.length = n - b.header
	}
	if b.length < 0 {
		return box{}, fmt.Errorf("image: box shorter than its header: %w", ErrMalformed)
	}
	return b, nil
}

// longBox reads the 64-bit length behind a short header.
func longBox(br *bufio.Reader, b box) (box, error) {
	var long [8]byte
	if _, err := io.ReadFull(br, long[:]); err != nil {
		return box{}, unexpected(err)
	}
	n := binary.BigEndian.Uint64(long[:])
	if n < 16 || n > 1<<62 {
		return box{}, fmt.Errorf("image: box of %d bytes: %w", n, ErrMalformed)
	}
	b.header, b.length = 16, int64(n)-16
	return b, nil
}
