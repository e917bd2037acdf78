package demodata

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"

	"golang.org/x/image/vector"
)

// The pad that customers sign on.
const (
	padWidth, padHeight = 640, 220 // pixels
	strokeSteps         = 24       // points of a stroke
)

// ink is a signature as a tablet takes it: strokes of points [x, y, t, p] (pixels, milliseconds, pressure), and their
// picture.
type ink struct {
	strokes [][][]float64
	image   string // data URI of the PNG
}

// signature writes something that looks like a name of so many characters. The same seed is the same hand.
func signature(seed uint64, characters int) (ink, error) {
	rnd := rand.New(rand.NewPCG(seed, 0x696e6b)) //nolint:gosec // G404: a drawing that repeats, nothing is secret here.
	var s ink
	clock := 0.0
	for c := range characters {
		left := 60 + float64(c)*520/float64(characters)
		for range 4 + rnd.IntN(3) {
			s.strokes = append(s.strokes, stroke(rnd, left, &clock))
			clock += 60 + 80*rnd.Float64()
		}
	}
	var err error
	s.image, err = inked(s.strokes)
	return s, err
}

// stroke is one sweep of the pen about a character's place: a curve through three points.
func stroke(rnd *rand.Rand, left float64, clock *float64) [][]float64 {
	point := func() (x, y float64) { return left + 120*rnd.Float64(), 50 + 120*rnd.Float64() }
	x0, y0 := point()
	x1, y1 := point()
	x2, y2 := point()
	points := make([][]float64, strokeSteps)
	for i := range points {
		u := float64(i) / (strokeSteps - 1)
		*clock += 9
		points[i] = []float64{
			round((1-u)*(1-u)*x0 + 2*u*(1-u)*x1 + u*u*x2),
			round((1-u)*(1-u)*y0 + 2*u*(1-u)*y1 + u*u*y2),
			math.Round(*clock),
			round(0.35 + 0.6*math.Sin(math.Pi*(0.15+0.8*u))),
		}
	}
	return points
}

func round(n float64) float64 { return math.Round(n*100) / 100 }

// inked draws the strokes: between two points a bar as wide as the pressure, and a round end.
func inked(strokes [][][]float64) (string, error) {
	img := image.NewNRGBA(image.Rect(0, 0, padWidth, padHeight))
	pen := image.NewUniform(color.NRGBA{R: 0x12, G: 0x1f, B: 0x4d, A: 0xff})
	for _, s := range strokes {
		r := vector.NewRasterizer(padWidth, padHeight)
		for i := 1; i < len(s); i++ {
			bar(r, s[i-1], s[i])
		}
		r.Draw(img, img.Bounds(), pen, image.Point{})
	}
	var b bytes.Buffer
	err := png.Encode(&b, img)
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(b.Bytes()), err
}

// bar adds a many-sided disc that is drawn out from one point to the next.
func bar(r *vector.Rasterizer, from, to []float64) {
	const sides = 16
	along := math.Atan2(to[1]-from[1], to[0]-from[0])
	width := 1.2 + 2.6*to[3]
	for i := range sides {
		angle := along - math.Pi/2 + 2*math.Pi*float64(i)/sides
		centre := to
		if i > sides/2 {
			centre = from
		}
		x, y := float32(centre[0]+width*math.Cos(angle)), float32(centre[1]+width*math.Sin(angle))
		if i == 0 {
			r.MoveTo(x, y)
		} else {
			r.LineTo(x, y)
		}
	}
	r.ClosePath()
}
