package image

import (
	"fmt"
	"image/png"
)

const pngMagic = "\x89PNG\r\n\x1a\n"

// pngFrame reads IHDR: its dimensions before the decoder sees them, which takes too large ones for unsupported.
func pngFrame(src *source) (frame, error) {
	br, err := src.rewound()
	if err != nil {
		return frame{}, err
	}
	b, err := br.Peek(29)
	if err != nil {
		return frame{}, unexpected(err)
	}
	if string(b[12:16]) != "IHDR" {
		return frame{}, fmt.Errorf("image: no IHDR at the start: %w", ErrMalformed)
	}
	f := frame{width: int(bigEndian32(b[16:])), height: int(bigEndian32(b[20:])), perPixel: pngBytes(b[24], b[25])}
	if b[28] != 0 {
		f.perPixel *= 2 // interlaced: each pass is a picture of its own
	}
	if err := f.check(); err != nil {
		return f, err
	}
	return f, guarded(func() error {
		_, err := png.DecodeConfig(br)
		return err
	})
}

// pngBytes is what the decoder holds a pixel for a depth and colour type.
func pngBytes(depth, colour byte) float64 {
	const palette = 3
	switch {
	case colour == palette || colour == 0 && depth <= 8:
		return 1
	case depth == 16:
		return 8
	default:
		return 4
	}
}

// needData refuses a file that ends without pixels.
func needData(seen bool) error {
	if !seen {
		return fmt.Errorf("image: no pixels before the end: %w", ErrMalformed)
	}
	return nil
}
