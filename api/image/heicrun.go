package image

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"
)

// Colour spaces and chroma formats of libheif's decode function.
const (
	heifYCbCr      = 0
	heifRGB        = 1
	heifMonochrome = 2

	heif420 = 1
	heif422 = 2
	heif444 = 3
)

// heifResult is what the decoder says about a picture before it decodes it.
type heifResult struct {
	width, height      int
	space, chroma      uint32
	alphaPremultiplied bool
}

// load copies the file into the sandbox, straight from the reader.
func (h *heicRun) load(src *source) (err error) {
	if src.size > MaxBytes {
		return fmt.Errorf("image: HEIC of %d bytes: %w", src.size, ErrUnsupported)
	}
	h.size = uint32(src.size) //nolint:gosec // G115: at most MaxBytes, checked above.
	if h.in, err = h.alloc(h.size); err != nil {
		return err
	}
	if h.results, err = h.alloc(5 * 4); err != nil {
		return err
	}
	room, err := h.view(h.in, h.size)
	if err != nil {
		return err
	}
	if _, err := src.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err = io.ReadFull(src, room)
	return err
}

// view is a piece of the sandbox's memory. It stays good until the sandbox allocates again.
func (h *heicRun) view(at, n uint32) ([]byte, error) {
	b, ok := h.mod.Memory().Read(at, n)
	if !ok {
		return nil, fmt.Errorf("image: HEIC decoder: memory out of range: %w", ErrMalformed)
	}
	return b, nil
}

// picture asks for the size first: what the coded picture claims need not be what the container claimed.
func (h *heicRun) picture() (image.Image, error) {
	if err := h.decode(true, 0); err != nil {
		return nil, err
	}
	before, err := h.result()
	if err != nil {
		return nil, err
	}
	l, err := before.layout()
	if err != nil {
		return nil, err
	}
	out, err := h.room(l)
	if err != nil {
		return nil, err
	}
	if err := h.decode(false, out); err != nil {
		return nil, err
	}
	if err := h.checkGuard(out, l); err != nil {
		return nil, err
	}
	if after, err := h.result(); err != nil || after != before {
		return nil, fmt.Errorf("image: HEIC decoder changed its mind: %w", errors.Join(ErrMalformed, err))
	}
	pix, err := h.view(out, l.bytes())
	if err != nil {
		return nil, err
	}
	return before.image(pix, l), nil
}

// guard lies behind the planes. The decoder copies rows of a length that it does not tell: should it be another than
// ours, bytes change here.
const guard = "what the decoder must leave alone"

// room reserves the planes, as much again, so that a wrong guess of their layout breaks nothing, and sets the guard.
func (h *heicRun) room(l heifLayout) (uint32, error) {
	out, err := h.alloc(2*l.bytes() + uint32(len(guard)))
	if err != nil {
		return 0, err
	}
	behind, err := h.view(out+l.bytes(), uint32(len(guard)))
	copy(behind, guard)
	return out, err
}

// checkGuard refuses a picture whose rows are not as long as thought: it would be a picture of stripes.
func (h *heicRun) checkGuard(out uint32, l heifLayout) error {
	behind, err := h.view(out+l.bytes(), uint32(len(guard)))
	if err == nil && string(behind) != guard {
		err = fmt.Errorf("image: HEIC in an unknown layout: %w", ErrUnsupported)
	}
	return err
}

// decode calls the decoder for the header alone or for the pixels.
func (h *heicRun) decode(headerOnly bool, out uint32) error {
	var only uint32
	if headerOnly {
		only = 1
	}
	r := h.results
	ok, err := h.call("decode", h.in, h.size, only, r, r+4, r+8, r+12, r+16, out)
	if err == nil && ok == 0 {
		err = fmt.Errorf("image: HEIC decoder refused: %w", ErrMalformed)
	}
	return err
}

// result reads what decode wrote.
func (h *heicRun) result() (heifResult, error) {
	b, err := h.view(h.results, 5*4)
	if err != nil {
		return heifResult{}, err
	}
	word := func(i int) uint32 { return binary.LittleEndian.Uint32(b[4*i:]) }
	return heifResult{
		width: int(word(0)), height: int(word(1)), space: word(2), chroma: word(3), alphaPremultiplied: word(4) == 1,
	}, nil
}

// heifLayout is how the decoder lays out its planes: rows aligned to 16 bytes, of 64 pixels at least, one
// plane after the other.
type heifLayout struct {
	ratio             image.YCbCrSubsampleRatio
	stride, colStride int
	luma, size        int // bytes of the first plane, of all
}

// bytes is size for the sandbox, where addresses have 32 bits.
func (l heifLayout) bytes() uint32 {
	return uint32(l.size) //nolint:gosec // G115: at most 4 bytes a pixel and MaxPixels.
}

// layout judges the claimed size and computes the planes.
func (r heifResult) layout() (heifLayout, error) {
	if err := (frame{width: r.width, height: r.height, perPixel: heicPerPixel}).check(); err != nil {
		return heifLayout{}, err
	}
	switch r.space {
	case heifYCbCr:
		return r.planes()
	case heifMonochrome:
		l := heifLayout{stride: rowBytes(r.width, 1)}
		l.size = l.stride * r.height
		return l, nil
	case heifRGB:
		l := heifLayout{stride: rowBytes(r.width, 4)}
		l.size = l.stride * r.height
		return l, nil
	default:
		return heifLayout{}, fmt.Errorf("image: HEIC colour space %d: %w", r.space, ErrUnsupported)
	}
}

// planes is layout for the usual colour space.
func (r heifResult) planes() (heifLayout, error) {
	ratios := map[uint32]image.YCbCrSubsampleRatio{
		heif420: image.YCbCrSubsampleRatio420, heif422: image.YCbCrSubsampleRatio422, heif444: image.YCbCrSubsampleRatio444,
	}
	ratio, ok := ratios[r.chroma]
	if !ok {
		return heifLayout{}, fmt.Errorf("image: HEIC chroma format %d: %w", r.chroma, ErrUnsupported)
	}
	cw, ch := chromaSize(ratio, r.width, r.height)
	l := heifLayout{ratio: ratio, stride: rowBytes(r.width, 1), colStride: rowBytes(cw, 1)}
	l.luma = l.stride * r.height
	l.size = l.luma + 2*l.colStride*ch
	return l, nil
}

// image lays a Go image over the planes, without a copy.
func (r heifResult) image(pix []byte, l heifLayout) image.Image {
	rect := image.Rect(0, 0, r.width, r.height)
	switch {
	case r.space == heifMonochrome:
		return &image.Gray{Pix: pix, Stride: l.stride, Rect: rect}
	case r.space == heifRGB && r.alphaPremultiplied:
		return &image.RGBA{Pix: pix, Stride: l.stride, Rect: rect}
	case r.space == heifRGB:
		return &image.NRGBA{Pix: pix, Stride: l.stride, Rect: rect}
	}
	second := l.luma + (l.size-l.luma)/2
	return &image.YCbCr{
		Y: pix[:l.luma], Cb: pix[l.luma:second], Cr: pix[second:],
		YStride: l.stride, CStride: l.colStride, SubsampleRatio: l.ratio, Rect: rect,
	}
}

// rowBytes is the length of a row in memory.
func rowBytes(pixels, each int) int { return (max(pixels, 64)*each + 15) &^ 15 }
