package image

import "image"

// upright turns a picture as the EXIF orientation (1 to 8) demands.
func upright(m *image.RGBA, orientation int) *image.RGBA {
	if orientation <= 1 || orientation > 8 {
		return m
	}
	w, h := m.Rect.Dx(), m.Rect.Dy()
	if orientation >= 5 {
		w, h = h, w
	}
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		row := out.Pix[y*out.Stride:][:4*w]
		for x := range w {
			sx, sy := stored(orientation, x, y, w, h)
			copy(row[4*x:4*x+4], m.Pix[sy*m.Stride+4*sx:])
		}
	}
	return out
}

// stored tells where the pixel that is shown at x, y of w × h lies in the file (EXIF 2.32, tag 274).
func stored(orientation, x, y, w, h int) (int, int) {
	switch orientation {
	case 2: // mirrored
		return w - 1 - x, y
	case 3: // upside down
		return w - 1 - x, h - 1 - y
	case 4: // mirrored, upside down
		return x, h - 1 - y
	case 5: // mirrored along the diagonal
		return y, x
	case 6: // lying on its left side
		return y, w - 1 - x
	case 7: // mirrored along the other diagonal
		return h - 1 - y, w - 1 - x
	case 8: // lying on its right side
		return h - 1 - y, x
	default:
		return x, y
	}
}
