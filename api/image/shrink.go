package image

import (
	"image"
	"image/color"
	"image/draw"

	xdraw "golang.org/x/image/draw"
)

// maxBox bounds the side of a box, so that no sum of bytes overflows.
const maxBox = 1024

// shrink scales a picture so that its longest side is at most side, on white, in two steps: each f × f box becomes its
// mean, with the largest whole f that leaves enough, then a bilinear step does the rest (less than 2). The second alone
// would skip pixels and show patterns that are not there; a kernel over all pixels takes four times as long.
func shrink(img image.Image, side int) *image.RGBA {
	b := img.Bounds()
	w, h := fit(b.Dx(), b.Dy(), side)
	boxed := boxes(img, min(max(b.Dx(), b.Dy())/side, maxBox))
	if opaque, ok := boxed.(*image.RGBA); ok && boxed.Bounds().Dx() == w && boxed.Bounds().Dy() == h {
		return opaque
	}
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	xdraw.ApproxBiLinear.Scale(out, out.Rect, boxed, boxed.Bounds(), draw.Src, nil)
	return out
}

// fit is the size after scaling the longest side down to side, each at least 1.
func fit(w, h, side int) (int, int) {
	long := max(w, h)
	if long <= side {
		return w, h
	}
	return max(1, (w*side+long/2)/long), max(1, (h*side+long/2)/long)
}

// boxes takes the mean of f × f boxes; the last ones of a row or column may be smaller. The result is opaque.
func boxes(img image.Image, f int) image.Image {
	if y, ok := img.(*image.YCbCr); ok && y.Rect.Min == (image.Point{}) {
		return boxYCbCr(y, f)
	}
	return boxAny(img, max(f, 1))
}

// boxYCbCr works on the planes as they were decoded. Each shrinks by f, so the subsampling of colour stays what it was.
func boxYCbCr(m *image.YCbCr, f int) image.Image {
	if f <= 1 {
		return m
	}
	w, h := m.Rect.Dx(), m.Rect.Dy()
	out := image.NewYCbCr(image.Rect(0, 0, ceilDiv(w, f), ceilDiv(h, f)), m.SubsampleRatio)
	cw, ch := chromaSize(m.SubsampleRatio, w, h)
	boxPlane(plane{out.Y, out.YStride}, plane{m.Y, m.YStride}, w, h, f)
	boxPlane(plane{out.Cb, out.CStride}, plane{m.Cb, m.CStride}, cw, ch, f)
	boxPlane(plane{out.Cr, out.CStride}, plane{m.Cr, m.CStride}, cw, ch, f)
	return out
}

// chromaSize is the size of the colour planes of a picture of w × h.
func chromaSize(ratio image.YCbCrSubsampleRatio, w, h int) (int, int) {
	switch ratio {
	case image.YCbCrSubsampleRatio422:
		return ceilDiv(w, 2), h
	case image.YCbCrSubsampleRatio420:
		return ceilDiv(w, 2), ceilDiv(h, 2)
	case image.YCbCrSubsampleRatio440:
		return w, ceilDiv(h, 2)
	case image.YCbCrSubsampleRatio411:
		return ceilDiv(w, 4), h
	case image.YCbCrSubsampleRatio410:
		return ceilDiv(w, 4), ceilDiv(h, 2)
	default:
		return w, h
	}
}

// plane is one channel, a byte a sample.
type plane struct {
	pix    []byte
	stride int
}

// boxPlane writes the means of the f × f boxes of a plane of w × h.
func boxPlane(dst, src plane, w, h, f int) {
	sums := make([]int, ceilDiv(w, f))
	for y := 0; y < h; y += f {
		rows := min(f, h-y)
		clear(sums)
		for dy := range rows {
			addRow(sums, src.pix[(y+dy)*src.stride:][:w], f)
		}
		out := dst.pix[y/f*dst.stride:][:len(sums)]
		for i, sum := range sums {
			out[i] = mean(sum, rows*min(f, w-i*f))
		}
	}
}

// addRow adds each f samples of a row to their sum.
func addRow(sums []int, row []byte, f int) {
	for i := range sums {
		cell := row[i*f : min(i*f+f, len(row))]
		var sum int
		for _, v := range cell {
			sum += int(v)
		}
		sums[i] += sum
	}
}

// boxAny does the same for every other kind of picture, in bands of f rows laid over white.
func boxAny(img image.Image, f int) *image.RGBA {
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	out := image.NewRGBA(image.Rect(0, 0, ceilDiv(w, f), ceilDiv(h, f)))
	band := image.NewRGBA(image.Rect(0, 0, w, f))
	for y := 0; y < h; y += f {
		rows := image.Rect(0, 0, w, min(f, h-y))
		draw.Draw(band, rows, image.NewUniform(color.White), image.Point{}, draw.Src)
		draw.Draw(band, rows, img, b.Min.Add(image.Pt(0, y)), draw.Over)
		boxBand(out.Pix[y/f*out.Stride:], band, rows, f)
	}
	return out
}

// boxBand writes one row of means.
func boxBand(dst []byte, band *image.RGBA, rows image.Rectangle, f int) {
	for x := 0; x < rows.Dx(); x += f {
		width := min(f, rows.Dx()-x)
		var sum [4]int
		for y := range rows.Dy() {
			cell := band.Pix[y*band.Stride+4*x:][:4*width]
			for i, v := range cell {
				sum[i&3] += int(v)
			}
		}
		for c, v := range sum {
			dst[x/f*4+c] = mean(v, width*rows.Dy())
		}
	}
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// mean is the rounded mean of n bytes that add up to sum.
func mean(sum, n int) byte {
	return byte((sum + n/2) / n) //nolint:gosec // G115: a mean of bytes is one.
}
