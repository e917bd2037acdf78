package image

import (
	"bufio"
	"fmt"
	"io"
	"math/bits"
)

// Elements of Matroska (RFC 9559) that the walk must know.
const (
	idSegment   = 0x18538067
	idCluster   = 0x1f43b675
	idTracks    = 0x1654ae6b
	idEntry     = 0xae
	idTrackType = 0x83
)

// unknownSize marks an element whose end its writer did not know.
const unknownSize = -1

// webmEnd walks the elements: the EBML header, the segment, and inside it everything of a known size must lie whole in
// the file; tracks and a cluster of sound must be there. Segments and clusters of unknown size are walked through.
// It notes in t what the tracks hold.
func webmEnd(br *bufio.Reader, size int64, t *tracks) error {
	var described, clusters bool
	for pos := int64(0); pos < size; {
		id, length, header, err := readElement(br)
		if err != nil {
			return err
		}
		pos += header
		described, clusters = described || id == idTracks, clusters || id == idCluster
		if length > size-pos {
			return fmt.Errorf("image: element %x beyond the end: %w", id, ErrTruncated)
		}
		if id == idSegment || id == idCluster && length == unknownSize {
			continue // its content comes next
		}
		if length == unknownSize {
			return fmt.Errorf("image: element %x of unknown size: %w", id, ErrMalformed)
		}
		if err := t.element(br, idSegment, id, length); err != nil {
			return err
		}
		pos += length
	}
	if !described || !clusters {
		return fmt.Errorf("image: no sound before the end: %w", ErrTruncated)
	}
	return nil
}

// element reads an element of a WebM to its end: Tracks, each TrackEntry in it, and the TrackType there (RFC 9559, 5.1.4).
func (t *tracks) element(br *bufio.Reader, parent, id, length int64) error {
	inside := map[int64]int64{idSegment: idTracks, idTracks: idEntry, idEntry: idTrackType}
	switch {
	case id != inside[parent]:
		return skip(br, length)
	case id == idTrackType:
		return t.trackType(br, length)
	default:
		return t.elementsIn(br, id, length)
	}
}

// elementsIn walks the elements of the next size bytes, the content of parent.
func (t *tracks) elementsIn(br *bufio.Reader, parent, size int64) error {
	for pos := int64(0); pos < size; {
		id, length, header, err := readElement(br)
		if err != nil {
			return err
		}
		pos += header
		if length == unknownSize || length > size-pos {
			return fmt.Errorf("image: element %x beyond its parent: %w", id, ErrMalformed)
		}
		if err := t.element(br, parent, id, length); err != nil {
			return err
		}
		pos += length
	}
	return nil
}

// trackType reads a number: 1 is video, 2 audio, 3 both.
func (t *tracks) trackType(br *bufio.Reader, length int64) error {
	var number [8]byte
	if length > int64(len(number)) {
		return fmt.Errorf("image: number of %d bytes: %w", length, ErrMalformed)
	}
	if _, err := io.ReadFull(br, number[:length]); err != nil {
		return unexpected(err)
	}
	var n uint64
	for _, b := range number[:length] {
		n = n<<8 | uint64(b)
	}
	t.sound = t.sound || n == 2
	t.pictures = t.pictures || n == 1 || n == 3
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
