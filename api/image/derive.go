package image

import (
	"bufio"
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/webp"
	"golang.org/x/sync/semaphore"
)

// quality of the derived JPEGs: scratches stay visible, a screen size is about 200 KB.
const quality = 82

// Target is a size wanted from DeriveAll.
type Target struct {
	Side int       // longest side in pixels, at least 1
	W    io.Writer // takes the JPEG
}

// Deriver makes the shown sizes of photos and bounds what all decodes together hold in memory. Its methods may be called
// from many goroutines.
type Deriver struct {
	memory *semaphore.Weighted
	limit  int64
	heic   *heicDecoder
}

// NewDeriver makes a Deriver whose decoders together hold about memory bytes; who comes when it is used up waits. A
// picture that needs more than all of it runs alone. HEIC is decoded one at a time besides. Close it at the end.
func NewDeriver(memory int64) *Deriver {
	memory = max(memory, 1)
	return &Deriver{memory: semaphore.NewWeighted(memory), limit: memory, heic: newHEICDecoder()}
}

// Close frees what the HEIC decoder holds, after waiting for the decode that runs; a HEIC afterwards is an error.
func (d *Deriver) Close(ctx context.Context) error { return d.heic.close(ctx) }

// Derive is DeriveAll for one size.
func (d *Deriver) Derive(ctx context.Context, r io.ReadSeeker, size int64, w io.Writer, maxSide int) error {
	return d.DeriveAll(ctx, r, size, []Target{{Side: maxSide, W: w}})
}

// DeriveAll decodes a photo of size bytes once and writes each target: a JPEG, upright, no longer than its side, never
// enlarged, transparent parts white, without any metadata. A colour profile goes too, unconverted: what a phone shot in
// Display P3 looks slightly paler. Errors: those of Inspect, of a writer, and the context's.
func (d *Deriver) DeriveAll(ctx context.Context, r io.ReadSeeker, size int64, targets []Target) error {
	src := newSource(ctx, r, size)
	h, err := readHeader(src)
	if err != nil {
		return err
	}
	weight := min(h.cost, d.limit)
	if err := d.memory.Acquire(ctx, weight); err != nil {
		return fmt.Errorf("image: waiting for memory: %w", err)
	}
	defer d.memory.Release(weight)
	if h.ContentType == TypeHEIC {
		return d.deriveHEIC(ctx, src, targets)
	}
	img, err := decode(src, h.ContentType)
	if err != nil {
		return err
	}
	return writeAll(ctx, img, h.Orientation, targets)
}

// deriveHEIC is the rest of DeriveAll for HEIC, whose decoder has turned the picture.
func (d *Deriver) deriveHEIC(ctx context.Context, src *source, targets []Target) error {
	img, err := d.heic.decode(ctx, src)
	if err != nil {
		return err
	}
	return writeAll(ctx, img, 1, targets)
}

// decode runs the decoder of the format.
func decode(src *source, kind string) (image.Image, error) {
	br, err := src.rewound()
	if err != nil {
		return nil, src.verdict(err)
	}
	decoders := map[string]func(io.Reader) (image.Image, error){TypeJPEG: jpeg.Decode, TypePNG: png.Decode, TypeWebP: webp.Decode}
	var img image.Image
	err = guarded(func() (err error) {
		img, err = decoders[kind](br)
		return err
	})
	return img, src.verdict(err)
}

// writeAll makes each size from the decoded picture.
func writeAll(ctx context.Context, img image.Image, orientation int, targets []Target) error {
	for _, t := range targets {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("image: derive: %w", err)
		}
		small := upright(shrink(img, max(t.Side, 1)), orientation)
		bw := bufio.NewWriter(t.W)
		if err := jpeg.Encode(bw, small, &jpeg.Options{Quality: quality}); err != nil {
			return fmt.Errorf("image: write: %w", err)
		}
		if err := bw.Flush(); err != nil {
			return fmt.Errorf("image: write: %w", err)
		}
	}
	return nil
}
