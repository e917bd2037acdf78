package image

import (
	"bufio"
	"compress/zlib"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// maxRows bounds what of a PNG is inflated to look for missing rows, in bytes: 22 megapixels of colour. A larger one is
// looked through when its sizes are made.
const maxRows = 64 << 20

// pngEnd walks the chunks to IEND, holds each against its checksum, and counts the rows. What follows is not looked at.
func pngEnd(br *bufio.Reader) error {
	if err := skip(br, int64(len(pngMagic))); err != nil {
		return err
	}
	w := pngWalk{br: br}
	rows, err := w.header()
	if err != nil {
		return err
	}
	data := false
	for w.kind != "IEND" {
		if w.kind == "IDAT" && !data {
			data = true
			err = rows.check(&w)
		} else {
			err = w.next()
		}
		if err != nil {
			return err
		}
	}
	if err := w.close(); err != nil {
		return err
	}
	return needData(data)
}

// pngWalk reads a PNG chunk by chunk. As a reader it gives the content of a run of IDAT chunks, and ends behind it.
type pngWalk struct {
	br   *bufio.Reader
	kind string
	left int64 // bytes of the chunk's content that are not read
	sum  uint32
}

// next closes this chunk and goes to the content of the next.
func (w *pngWalk) next() error {
	if err := w.close(); err != nil {
		return err
	}
	var b [8]byte
	if _, err := io.ReadFull(w.br, b[:]); err != nil {
		return unexpected(err)
	}
	w.kind, w.left, w.sum = string(b[4:]), bigEndian32(b[:4]), crc32.ChecksumIEEE(b[4:])
	return nil
}

// close passes over the rest of the chunk, if one was begun, and holds it against its checksum.
func (w *pngWalk) close() error {
	if w.kind == "" {
		return nil
	}
	for w.left > 0 {
		if err := w.pass(); err != nil {
			return err
		}
	}
	var b [4]byte
	if _, err := io.ReadFull(w.br, b[:]); err != nil {
		return unexpected(err)
	}
	if bigEndian32(b[:]) != int64(w.sum) {
		return fmt.Errorf("image: checksum of %q: %w", w.kind, ErrMalformed)
	}
	return nil
}

// pass reads some of the content, for its checksum alone.
func (w *pngWalk) pass() error {
	b, err := w.br.Peek(int(min(w.left, bufferSize)))
	if err != nil {
		return unexpected(err)
	}
	w.sum, w.left = crc32.Update(w.sum, crc32.IEEETable, b), w.left-int64(len(b))
	_, err = w.br.Discard(len(b))
	return err
}

// Read reads on in the run of IDAT chunks.
func (w *pngWalk) Read(p []byte) (int, error) {
	for w.left == 0 && w.kind == "IDAT" {
		if err := w.next(); err != nil {
			return 0, err
		}
	}
	if w.kind != "IDAT" {
		return 0, io.EOF
	}
	n, err := w.br.Read(p[:min(int64(len(p)), w.left)])
	w.sum, w.left = crc32.Update(w.sum, crc32.IEEETable, p[:n]), w.left-int64(n)
	return n, unexpected(err)
}

// pngRows is how the pixels lie in the data.
type pngRows struct {
	width, height int64
	bits          int64 // a pixel
	interlaced    bool
}

// header reads IHDR, whose values pngFrame has judged.
func (w *pngWalk) header() (pngRows, error) {
	if err := w.next(); err != nil {
		return pngRows{}, err
	}
	b, err := w.br.Peek(13)
	if err != nil {
		return pngRows{}, unexpected(err)
	}
	samples := map[byte]int64{0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[b[9]]
	return pngRows{width: bigEndian32(b), height: bigEndian32(b[4:]), bits: samples * int64(b[8]), interlaced: b[12] != 0}, w.next()
}

// pass is a picture that is coded by itself: how many rows, of how many bytes behind their filter.
type pass struct{ rows, stride int64 }

// passes are the pictures: one, or the seven of an interlaced file (PNG, 8.2).
func (r pngRows) passes() []pass {
	if !r.interlaced {
		return []pass{{r.height, (r.width*r.bits + 7) / 8}}
	}
	var list []pass
	for _, p := range [7]struct{ x, y, dx, dy int64 }{
		{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2},
	} {
		columns, rows := (r.width-p.x+p.dx-1)/p.dx, (r.height-p.y+p.dy-1)/p.dy
		if columns > 0 && rows > 0 {
			list = append(list, pass{rows, (columns*r.bits + 7) / 8})
		}
	}
	return list
}

// check inflates the run of IDAT chunks that begins here and counts the rows in it. Behind it w is at the next chunk.
func (r pngRows) check(w *pngWalk) error {
	if r.height*((r.width*r.bits+7)/8) > maxRows {
		return w.next()
	}
	z, err := zlib.NewReader(w)
	if err != nil {
		return err
	}
	br := bufio.NewReaderSize(z, bufferSize)
	for _, p := range r.passes() {
		if err := p.check(br); err != nil {
			return err
		}
	}
	if _, err := br.ReadByte(); !errors.Is(err, io.EOF) { // zlib compares its checksum where it ends
		return fmt.Errorf("image: behind the last row: %w", errors.Join(ErrMalformed, err))
	}
	for w.kind == "IDAT" { // what nobody reads
		if err := w.next(); err != nil {
			return err
		}
	}
	return nil
}

// check reads the rows of one pass.
func (p pass) check(br *bufio.Reader) error {
	const filters = 5
	for range p.rows {
		filter, err := br.ReadByte()
		if err != nil {
			return unexpected(err)
		}
		if filter >= filters {
			return fmt.Errorf("image: row of filter %d: %w", filter, ErrMalformed)
		}
		if err := skip(br, p.stride); err != nil {
			return err
		}
	}
	return nil
}
