package image

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/jpeg"
	"image/png"
	"io"
)

// bufferSize bounds what is read ahead while a structure is walked, in bytes.
const bufferSize = 32 << 10

// source is the file under inspection. It ends at size, stops when the context does, and remembers a failure of the
// reader below, so that a broken disk is never taken for a broken picture.
type source struct {
	ctx  context.Context // decoders take an io.Reader: this is how it reaches into them
	r    io.ReadSeeker
	size int64
	pos  int64
	err  error // first failure of r or ctx
}

func newSource(ctx context.Context, r io.ReadSeeker, size int64) *source {
	return &source{ctx: ctx, r: r, size: size, pos: -1}
}

// Read reads up to the end of the file.
func (s *source) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, s.fail(err)
	}
	if s.pos < 0 {
		if _, err := s.Seek(0, io.SeekStart); err != nil {
			return 0, err
		}
	}
	left := s.size - s.pos
	if left <= 0 {
		return 0, io.EOF
	}
	n, err := s.r.Read(p[:min(int64(len(p)), left)])
	s.pos += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		err = s.fail(err)
	}
	return n, err
}

// Seek moves as io.Seeker says; the end is size, not the end of the reader below. What lies behind it is never asked of
// that reader: hostile offsets lead there.
func (s *source) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += max(s.pos, 0)
	case io.SeekEnd:
		offset += s.size
	default:
	}
	if offset < 0 {
		return 0, fmt.Errorf("image: seek before the start: %w", ErrMalformed)
	}
	if offset < s.size {
		if _, err := s.r.Seek(offset, io.SeekStart); err != nil {
			return 0, s.fail(err)
		}
	}
	s.pos = offset
	return offset, nil
}

// fail remembers the first failure that is not the picture's fault.
func (s *source) fail(err error) error {
	if s.err == nil {
		s.err = err
	}
	return err
}

// rewound is a buffered reader at the start.
func (s *source) rewound() (*bufio.Reader, error) {
	if _, err := s.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	return bufio.NewReaderSize(s, bufferSize), nil
}

// tail reads the last two bytes; a shorter file has zeros.
func (s *source) tail() (last [2]byte, err error) {
	if s.size < int64(len(last)) {
		return last, nil
	}
	if _, err := s.Seek(-int64(len(last)), io.SeekEnd); err != nil {
		return last, err
	}
	_, err = io.ReadFull(s, last[:])
	return last, err
}

// head reads up to n bytes from the start; a shorter file gives fewer.
func (s *source) head(n int) ([]byte, error) {
	br, err := s.rewound()
	if err != nil {
		return nil, err
	}
	head, err := br.Peek(n)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("image: read: %w", err)
	}
	return bytes.Clone(head), nil
}

// verdict turns what a decoder said into one of the errors of this package; a failure of the reader comes first.
func (s *source) verdict(err error) error {
	var (
		unsupportedJPEG jpeg.UnsupportedError
		unsupportedPNG  png.UnsupportedError
	)
	switch {
	case err == nil:
		return nil
	case s.err != nil:
		return fmt.Errorf("image: read: %w", s.err)
	case errors.Is(err, ErrUnsupported), errors.Is(err, ErrTooManyPixels), errors.Is(err, ErrTruncated), errors.Is(err, ErrMalformed):
		return err
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("image: %w", ErrTruncated)
	case errors.As(err, &unsupportedJPEG), errors.As(err, &unsupportedPNG):
		return fmt.Errorf("image: %w: %w", ErrUnsupported, err)
	default:
		return fmt.Errorf("image: %w: %w", ErrMalformed, err)
	}
}

// guarded runs a decoder of others on bytes of strangers. A panic in there means bytes that its author did not think of:
// one photo is refused instead of a server stopped. Nothing of ours is called inside, so no fault of ours is hidden.
func guarded(decode func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("image: decoder gave up: %v: %w", r, ErrMalformed)
		}
	}()
	return decode()
}

// skip passes over n bytes; a file that ends before is io.ErrUnexpectedEOF.
func skip(br *bufio.Reader, n int64) error {
	for n > 0 {
		done, err := br.Discard(int(min(n, 1<<30)))
		n -= int64(done)
		if err != nil {
			return unexpected(err)
		}
	}
	return nil
}

// unexpected makes of io.EOF, inside of something, an io.ErrUnexpectedEOF.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
