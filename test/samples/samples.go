// Package samples draws the pictures that the demo shows and the tests upload, and makes the files that no camera should
// make: truncated, turned, hostile.
//
// CarPhoto draws a car; JPEG and PNG encode it; the rest are whole files. Everything is made by this package or, where Go
// has no encoder (WebP, HEIC, sound), lies in testdata, encoded from its drawings. It imports the standard library and
// golang.org/x/image only, as the demo carries it.
package samples

import (
	"bytes"
	_ "embed" // the files of testdata
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
)

// quality of the sample JPEGs, as phones have it.
const quality = 88

// JPEG encodes a picture as a phone does, without metadata. The error is the writer's.
func JPEG(w io.Writer, img image.Image) error {
	return jpeg.Encode(w, img, &jpeg.Options{Quality: quality})
}

// PNG encodes a picture as a screenshot. The error is the writer's.
func PNG(w io.Writer, img image.Image) error { return png.Encode(w, img) }

// CarJPEG is CarPhoto as the bytes of a JPEG.
func CarJPEG(seed uint64, view, plate string, defect Defect) []byte {
	var b bytes.Buffer
	_ = JPEG(&b, CarPhoto(seed, view, plate, defect)) // a buffer takes everything
	return b.Bytes()
}

// Quadrants is a picture whose orientation can be told: red, green on top; blue, white below.
func Quadrants(w, h int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	colours := [2][2]color.RGBA{{{R: 220, A: 255}, {G: 180, A: 255}}, {{B: 220, A: 255}, {R: 250, G: 250, B: 250, A: 255}}}
	for y := range h {
		for x := range w {
			m.SetRGBA(x, y, colours[2*y/max(h, 1)][2*x/max(w, 1)])
		}
	}
	return m
}

// BigJPEG is a valid photo of about that many megapixels, 4:3, with detail everywhere.
func BigJPEG(megapixels float64) []byte {
	m := textured(megapixels)
	var b bytes.Buffer
	_ = JPEG(&b, m) // a buffer takes everything
	return b.Bytes()
}

// textured is a picture that no encoder can make cheap: gradients with a fine pattern.
func textured(megapixels float64) *image.YCbCr {
	w := 4
	for float64(w)*float64(w)*3/4 < megapixels*1e6 {
		w += 4
	}
	h := w * 3 / 4
	m := image.NewYCbCr(image.Rect(0, 0, w, h), image.YCbCrSubsampleRatio420)
	for y := range h {
		row := m.Y[y*m.YStride:][:w]
		for x := range row {
			row[x] = level(float64((x*255/w+y*255/h)/2 + (x*7^y*13)%48 - 24))
		}
	}
	for i := range m.Cb {
		x, y := i%m.CStride, i/m.CStride
		m.Cb[i], m.Cr[i] = level(float64(80+x*96/m.CStride)), level(float64(176-y*96*2/h))
	}
	return m
}

// The files that Go can't encode; see testdata/README.md for how they were made.
var (
	//go:embed testdata/car.webp
	webP []byte
	//go:embed testdata/car-lossless.webp
	webPLossless []byte
	//go:embed testdata/car.heic
	heic []byte
	//go:embed testdata/turned.heic
	heicTurned []byte
	//go:embed testdata/progressive.jpg
	progressive []byte
	//go:embed testdata/cmyk.jpg
	cmyk []byte
	//go:embed testdata/noise.m4a
	m4a []byte
	//go:embed testdata/noise.webm
	webM []byte
)

// WebP is a lossy WebP of a car, 320 × 240 pixels.
func WebP() []byte { return bytes.Clone(webP) }

// WebPLossless is Quadrants(64, 48) as a lossless WebP.
func WebPLossless() []byte { return bytes.Clone(webPLossless) }

// HEIC is a car as a phone's HEIC, 320 × 240 pixels.
func HEIC() []byte { return bytes.Clone(heic) }

// HEICTurned is Quadrants(64, 128), stored lying (128 × 64) with a rotation in the container and the same in its EXIF.
func HEICTurned() []byte { return bytes.Clone(heicTurned) }

// ProgressiveJPEG is a car as a progressive JPEG, 320 × 240 pixels.
func ProgressiveJPEG() []byte { return bytes.Clone(progressive) }

// CMYKJPEG is Quadrants(64, 48) as a JPEG in CMYK with Adobe's marker.
func CMYKJPEG() []byte { return bytes.Clone(cmyk) }

// M4A is a second of engine noise as a phone records it.
func M4A() []byte { return bytes.Clone(m4a) }

// WebM is a second of engine noise as a browser records it.
func WebM() []byte { return bytes.Clone(webM) }
