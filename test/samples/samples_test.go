package samples_test

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"testing"

	"example.com/walkaround/test/samples"
)

func TestEachViewIsAPhotoOfItsOwn(t *testing.T) {
	seen := map[string]string{}
	for _, view := range samples.Views() {
		b := samples.CarJPEG(3, view, "粤A·12345", samples.Defect{})
		m, err := jpeg.Decode(bytes.NewReader(b))
		if err != nil {
			t.Fatalf("%s: %v", view, err)
		}
		if got := m.Bounds().Size(); got != image.Pt(1280, 960) {
			t.Errorf("%s is %v", view, got)
		}
		if other, twice := seen[string(b)]; twice {
			t.Errorf("%s looks like %s", view, other)
		}
		seen[string(b)] = view
	}
}

func TestTheSameSeedIsTheSameCar(t *testing.T) {
	a := samples.CarJPEG(5, samples.Front, "A1", samples.Defect{})
	if !bytes.Equal(a, samples.CarJPEG(5, samples.Front, "A1", samples.Defect{})) {
		t.Error("one seed, two cars")
	}
	if bytes.Equal(a, samples.CarJPEG(6, samples.Front, "A1", samples.Defect{})) {
		t.Error("two seeds, one car")
	}
}

func TestADefectIsSeenWhereItIsSaidToBe(t *testing.T) {
	clean := samples.CarPhoto(1, samples.Left, "", samples.Defect{})
	for _, kind := range []string{"scratch", "dent", "chip", "crack", "rust", "stain"} {
		marked := samples.CarPhoto(1, samples.Left, "", samples.Defect{Kind: kind, X: 0.5, Y: 0.6})
		if near := difference(clean, marked, image.Rect(560, 520, 720, 630)); near < 2 {
			t.Errorf("%s: the place of the mark differs by %.1f", kind, near)
		}
		if far := difference(clean, marked, image.Rect(0, 0, 300, 300)); far > 4 {
			t.Errorf("%s: a place far away differs by %.1f", kind, far)
		}
	}
}

// difference is the mean difference of green over r; the grain alone makes about 2.5 in places of equal paint.
func difference(a, b image.Image, r image.Rectangle) float64 {
	var sum, n float64
	for y := r.Min.Y; y < r.Max.Y; y += 2 {
		for x := r.Min.X; x < r.Max.X; x += 2 {
			_, ga, _, _ := a.At(x, y).RGBA()
			_, gb, _, _ := b.At(x, y).RGBA()
			sum += max(float64(ga)-float64(gb), float64(gb)-float64(ga)) / 257
			n++
		}
	}
	return sum / n
}

func TestStoredIsUndoneByItsOrientation(t *testing.T) {
	seen := samples.Quadrants(8, 4)
	for orientation, topLeft := range map[int]color.RGBA{
		1: seen.RGBAAt(0, 0), 2: seen.RGBAAt(7, 0), 3: seen.RGBAAt(7, 3), 4: seen.RGBAAt(0, 3),
		5: seen.RGBAAt(0, 0), 6: seen.RGBAAt(7, 0), 7: seen.RGBAAt(7, 3), 8: seen.RGBAAt(0, 3),
	} {
		if got := samples.Stored(seen, orientation).RGBAAt(0, 0); got != topLeft {
			t.Errorf("orientation %d: the first pixel is %v, want %v", orientation, got, topLeft)
		}
	}
}

func TestHostileFilesAreWhatTheyClaim(t *testing.T) {
	j, err := jpeg.DecodeConfig(bytes.NewReader(samples.GigapixelJPEG()))
	if err != nil || j.Width != 60_000 || j.Height != 50_000 {
		t.Errorf("JPEG: %d × %d, %v", j.Width, j.Height, err)
	}
	p, err := png.DecodeConfig(bytes.NewReader(samples.GigapixelPNG()))
	if err != nil || p.Width != 60_000 || p.Height != 50_000 {
		t.Errorf("PNG: %d × %d, %v", p.Width, p.Height, err)
	}
	if n := len(samples.GigapixelJPEG()) + len(samples.GigapixelPNG()); n > 2000 {
		t.Errorf("they take %d bytes", n)
	}
	if _, err := jpeg.Decode(bytes.NewReader(samples.Polyglot())); err != nil {
		t.Errorf("polyglot: %v", err)
	}
}

func TestBigJPEGHasTheSizeAskedFor(t *testing.T) {
	c, err := jpeg.DecodeConfig(bytes.NewReader(samples.BigJPEG(0.5)))
	if mp := float64(c.Width*c.Height) / 1e6; err != nil || mp < 0.5 || mp > 0.52 {
		t.Errorf("%f megapixels, %v", mp, err)
	}
}
