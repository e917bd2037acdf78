package image

import (
	"bufio"
	"fmt"
	"io"
	"math/bits"
)

// Elements of Matroska (RFC 9559) that the walk must know.
const (
	idSegment = 0x18538067
	idCluster = 0x1f43b675
	idTracks  = 0x1654ae6b
)

// unknownSize marks an element whose end its writer did not know.
const unknownSize = -1

// webmEnd walks the elements: the EBML header, the segment, and inside it everything of a known size must lie whole in
// the file; tracks and a cluster of sound must be there. Segments and clusters of unknown size are walked through.
func webmEnd(br *bufio.Reader, size int64) error {
	var tracks, clusters bool
	for pos := int64(0); pos < size; {
		id, length, header, err := readElement(br)
		if err != nil {
			return err
		}
		pos += header
		tracks, clusters = tracks || id == idTracks, clusters || id == idCluster
		if length > size-pos {
			return fmt.Errorf("image: element %x beyond the end: %w", id, ErrTruncated)
		}
		if id == idSegment || id == idCluster && length == unknownSize {
			continue // its content comes next
		}
		if length == unknownSize {
			return fmt.Errorf("image: element %x of unknown size: %w", id, ErrMalformed)
		}
		if err := skip(br, length); err != nil {
			return err
		}
		pos += length
	}
	if !tracks || !clusters {
		return fmt.Errorf("image: no sound before the end: %w", ErrTruncated)
	}
	return nil
}

// readElement reads an element's identifier and size (RFC 8794, 4); header is how many bytes they took.
func readElement(br *bufio.Reader) (id, length, header int64, err error) {
	id, idBytes, err := readVint(br, 4, true)
	if err != nil {
		return 0, 0, 0, err
	}
	length, sizeBytes, err := readVint(br, 8, false)
	if err != nil {
		return 0, 0, 0, err
	}
	if length == 1<<(7*sizeBytes)-1 {
		length = unknownSize
	}
	return id, length, idBytes + sizeBytes, nil
}

// readVint reads a number whose first byte tells how long it is; an identifier keeps that mark.
func readVint(br *bufio.Reader, most int, keepMark bool) (n, count int64, err error) {
	first, err := br.ReadByte()
	if err != nil {
		return 0, 0, unexpected(err)
	}
	more := bits.LeadingZeros8(first)
	if more >= most {
		return 0, 0, fmt.Errorf("image: number of more than %d bytes: %w", most, ErrMalformed)
	}
	n = int64(first)
	if !keepMark {
		n &= 1<<(7-more) - 1
	}
	rest := make([]byte, more)
	if _, err := io.ReadFull(br, rest); err != nil {
		return 0, 0, unexpected(err)
	}
	for _, b := range rest {
		n = n<<8 | int64(b)
	}
	return n, int64(more + 1), nil
}
