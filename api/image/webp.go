package image

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"

	"golang.org/x/image/webp"
)

const riffHeader = 12 // "RIFF", size, "WEBP"

// webpFrame asks the decoder for the dimensions; it holds a frame against the canvas of an extended header itself.
func webpFrame(src *source) (frame, error) {
	br, err := src.rewound()
	if err != nil {
		return frame{}, err
	}
	b, err := br.Peek(riffHeader + 4)
	if err != nil {
		return frame{}, unexpected(err)
	}
	f := frame{perPixel: 8} // lossless, or not known yet: twice four bytes
	if string(b[riffHeader:]) == "VP8 " {
		f.perPixel = 1.5
	}
	return f, guarded(func() error {
		config, err := webp.DecodeConfig(br)
		f.width, f.height = config.Width, config.Height
		return err
	})
}

// webpEnd holds the size in the RIFF header against the file, and the chunks against that size. What follows is not
// looked at. Animations are ErrUnsupported: a photo is one picture.
func webpEnd(br *bufio.Reader, size int64) error {
	var b [riffHeader]byte
	if _, err := io.ReadFull(br, b[:]); err != nil {
		return unexpected(err)
	}
	end := int64(binary.LittleEndian.Uint32(b[4:])) + 8
	if end > size {
		return fmt.Errorf("image: RIFF of %d bytes in a file of %d: %w", end, size, ErrTruncated)
	}
	data := false
	for pos := int64(riffHeader); pos+8 <= end; {
		id, length, err := riffChunk(br)
		if err != nil {
			return err
		}
		switch id {
		case "VP8 ", "VP8L":
			data = true
		case "ANIM", "ANMF":
			return fmt.Errorf("image: animation: %w", ErrUnsupported)
		}
		pos += 8 + length
		if pos > end+1 { // the padding of the last chunk is forgotten by some writers
			return fmt.Errorf("image: chunk beyond the end: %w", ErrMalformed)
		}
		if err := skip(br, min(length, size-pos+length)); err != nil {
			return err
		}
	}
	return needData(data)
}

// riffChunk reads a chunk's name and its length with padding.
func riffChunk(br *bufio.Reader) (id string, length int64, err error) {
	var b [8]byte
	if _, err := io.ReadFull(br, b[:]); err != nil {
		return "", 0, unexpected(err)
	}
	n := int64(binary.LittleEndian.Uint32(b[4:]))
	return string(b[:4]), n + n%2, nil
}
