package samples

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"strconv"
	"strings"

	"golang.org/x/image/vector"
)

// The size of every drawing, in pixels and in units of its coordinates.
const (
	width  = 1280
	height = 960
)

// canvas is a picture drawn by anti-aliased paths. Paths are written as in SVG: M, L, Q, C, Z with absolute coordinates.
type canvas struct {
	img    *image.RGBA
	mirror bool // x runs from the right: the right side of a car is the left one mirrored
}

func newCanvas() *canvas {
	return &canvas{img: image.NewRGBA(image.Rect(0, 0, width, height))}
}

// point is a place on the canvas.
type point struct{ x, y float64 }

// place is where a point lies in the picture.
func (c *canvas) place(p point) point {
	if c.mirror {
		p.x = width - p.x
	}
	return p
}

// shape collects the outlines of one stroke of the brush, so that only the part of the picture they cover is touched.
type shape struct {
	canvas *canvas
	steps  []step
}

// add places one step.
func (s *shape) add(op byte, points ...point) {
	placed := make([]point, len(points))
	for i, p := range points {
		placed[i] = s.canvas.place(p)
	}
	s.steps = append(s.steps, step{op, placed})
}

// bounds is the part of the picture that the shape may cover.
func (s *shape) bounds() image.Rectangle {
	lo, hi := point{math.Inf(1), math.Inf(1)}, point{math.Inf(-1), math.Inf(-1)}
	for _, st := range s.steps {
		for _, p := range st.points {
			lo, hi = point{min(lo.x, p.x), min(lo.y, p.y)}, point{max(hi.x, p.x), max(hi.y, p.y)}
		}
	}
	if lo.x > hi.x {
		return image.Rectangle{}
	}
	return image.Rect(int(lo.x)-1, int(lo.y)-1, int(hi.x)+2, int(hi.y)+2).Intersect(s.canvas.img.Rect)
}

// paint fills the shape.
func (s *shape) paint(paint image.Image) {
	b := s.bounds()
	if b.Empty() {
		return
	}
	r := vector.NewRasterizer(b.Dx(), b.Dy())
	for _, st := range s.steps {
		trace(r, st, b.Min)
	}
	r.Draw(s.canvas.img, b, paint, b.Min)
}

// trace adds one step to the rasteriser, whose origin is at from.
func trace(r *vector.Rasterizer, s step, from image.Point) {
	var x, y [3]float32
	for i, p := range s.points {
		x[i], y[i] = float32(p.x-float64(from.X)), float32(p.y-float64(from.Y))
	}
	switch s.op {
	case 'M':
		r.MoveTo(x[0], y[0])
	case 'L':
		r.LineTo(x[0], y[0])
	case 'Q':
		r.QuadTo(x[0], y[0], x[1], y[1])
	case 'C':
		r.CubeTo(x[0], y[0], x[1], y[1], x[2], y[2])
	default:
		r.ClosePath()
	}
}

// fill paints the inside of a path.
func (c *canvas) fill(path string, paint image.Image) {
	s := shape{canvas: c}
	for _, st := range parse(path) {
		s.add(st.op, st.points...)
	}
	s.paint(paint)
}

// stroke paints along a path, with round ends and joints.
func (c *canvas) stroke(path string, thickness float64, paint image.Image) {
	s := shape{canvas: c}
	line := flatten(parse(path))
	for i, p := range line {
		s.disc(p, thickness/2)
		if i > 0 {
			s.bar(line[i-1], p, thickness/2)
		}
	}
	s.paint(paint)
}

// bar adds a straight piece of a stroke. It turns the way that disc turns, as opposite turns would cut holes.
func (s *shape) bar(a, b point, half float64) {
	long := math.Hypot(b.x-a.x, b.y-a.y)
	if long == 0 {
		return
	}
	nx, ny := -(b.y-a.y)/long*half, (b.x-a.x)/long*half
	s.add('M', point{a.x - nx, a.y - ny})
	s.add('L', point{b.x - nx, b.y - ny})
	s.add('L', point{b.x + nx, b.y + ny})
	s.add('L', point{a.x + nx, a.y + ny})
	s.add('Z')
}

// disc adds a circle.
func (s *shape) disc(p point, radius float64) {
	corners := int(min(max(6*math.Sqrt(radius), 8), 64))
	s.add('M', point{p.x + radius, p.y})
	for i := 1; i < corners; i++ {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / float64(corners))
		s.add('L', point{p.x + radius*cos, p.y + radius*sin})
	}
	s.add('Z')
}

// circle paints a disc.
func (c *canvas) circle(x, y, radius float64, paint image.Image) {
	s := shape{canvas: c}
	s.disc(point{x, y}, radius)
	s.paint(paint)
}

// all paints everything.
func (c *canvas) all(paint image.Image) { draw.Draw(c.img, c.img.Rect, paint, image.Point{}, draw.Src) }

// glow paints a light or a shadow that fades from the centre of an ellipse to nothing at its edge.
func (c *canvas) glow(x0, y0, rx, ry float64, colour color.NRGBA) {
	m := c.place(point{x0, y0})
	b := image.Rect(int(m.x-rx), int(m.y-ry), int(m.x+rx)+1, int(m.y+ry)+1).Intersect(c.img.Rect)
	draw.Draw(c.img, b, shade(func(x, y float64) color.NRGBA {
		out := colour
		out.A = level(float64(colour.A) * smooth(1-math.Hypot((x-m.x)/rx, (y-m.y)/ry)))
		return out
	}), b.Min, draw.Over)
}

// step is one command of a path.
type step struct {
	op     byte
	points []point
}

// parse reads the path commands. The paths are the constants of this package: what is no number counts as 0.
func parse(path string) []step {
	var steps []step
	var numbers []float64
	flush := func() {
		if len(steps) == 0 {
			return
		}
		last := &steps[len(steps)-1]
		for i := 0; i+1 < len(numbers); i += 2 {
			last.points = append(last.points, point{numbers[i], numbers[i+1]})
		}
		numbers = numbers[:0]
	}
	for word := range strings.FieldsSeq(path) {
		if strings.ContainsAny(word[:1], "MLQCZ") {
			flush()
			steps = append(steps, step{op: word[0]})
			word = word[1:]
		}
		if word != "" {
			n, _ := strconv.ParseFloat(word, 64)
			numbers = append(numbers, n)
		}
	}
	flush()
	return steps
}

// flatten turns curves into short lines.
func flatten(steps []step) []point {
	var line []point
	for _, s := range steps {
		if len(s.points) == 1 {
			line = append(line, s.points[0])
			continue
		}
		if len(s.points) == 0 || len(line) == 0 {
			continue
		}
		curve := append([]point{line[len(line)-1]}, s.points...)
		for i := 1; i <= 24; i++ {
			line = append(line, onCurve(curve, float64(i)/24))
		}
	}
	return line
}

// onCurve is de Casteljau's construction.
func onCurve(p []point, t float64) point {
	p = append([]point(nil), p...)
	for n := len(p) - 1; n > 0; n-- {
		for i := range n {
			p[i] = point{p[i].x + (p[i+1].x-p[i].x)*t, p[i].y + (p[i+1].y-p[i].y)*t}
		}
	}
	return p[0]
}

// shade computes a colour at each pixel; it is an image.Image without edges.
type shade func(x, y float64) color.NRGBA

// ColorModel is part of image.Image.
func (shade) ColorModel() color.Model { return color.NRGBAModel }

// Bounds is part of image.Image.
func (shade) Bounds() image.Rectangle { return image.Rect(-1<<20, -1<<20, 1<<20, 1<<20) }

// At is part of image.Image.
func (s shade) At(x, y int) color.Color { return s(float64(x), float64(y)) }

// RGBA64At is part of image.RGBA64Image, which spares an allocation a pixel.
func (s shade) RGBA64At(x, y int) color.RGBA64 {
	r, g, b, a := s(float64(x), float64(y)).RGBA()
	return color.RGBA64{uint16(r), uint16(g), uint16(b), uint16(a)} //nolint:gosec // G115: RGBA returns 16 bits.
}

// flat is one colour; rgb is 0xrrggbb, alpha from 0 to 1.
func flat(rgb uint32, alpha float64) image.Image { return image.NewUniform(hex(rgb, alpha)) }

func hex(rgb uint32, alpha float64) color.NRGBA {
	return color.NRGBA{R: uint8(rgb >> 16 & 255), G: uint8(rgb >> 8 & 255), B: uint8(rgb & 255), A: level(alpha * 255)}
}

// down runs from one colour at height y0 to another at y1.
func down(y0, y1 float64, top, bottom color.NRGBA) image.Image {
	return shade(func(_, y float64) color.NRGBA { return mix(top, bottom, (y-y0)/(y1-y0)) })
}

// smooth eases from 0 at t ≤ 0 to 1 at t ≥ 1.
func smooth(t float64) float64 {
	t = min(max(t, 0), 1)
	return t * t * (3 - 2*t)
}

// mix goes from a at t ≤ 0 to b at t ≥ 1.
func mix(a, b color.NRGBA, t float64) color.NRGBA {
	t = min(max(t, 0), 1)
	part := func(p, q uint8) uint8 { return level(float64(p) + (float64(q)-float64(p))*t) }
	return color.NRGBA{R: part(a.R, b.R), G: part(a.G, b.G), B: part(a.B, b.B), A: part(a.A, b.A)}
}

// lit is a colour with more white (t > 0) or black (t < 0).
func lit(c color.NRGBA, t float64) color.NRGBA {
	target := color.NRGBA{A: c.A}
	if t > 0 {
		target = color.NRGBA{R: 255, G: 255, B: 255, A: c.A}
	}
	return mix(c, target, math.Abs(t))
}

func level(v float64) uint8 { return uint8(min(max(v+0.5, 0), 255)) }
