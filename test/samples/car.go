package samples

import (
	"image"
	"image/color"
	"math"
	"math/rand/v2"
)

// The views of a car, as an inspection names them.
const (
	Front    = "front"
	Rear     = "rear"
	Left     = "left"
	Right    = "right"
	Top      = "top"
	Interior = "interior"
)

// Views lists them in the order of a walk around the car.
func Views() []string { return []string{Front, Left, Rear, Right, Top, Interior} }

// Defect is a mark to be seen in a picture; the zero value is none.
type Defect struct {
	Kind string  // scratch, dent, chip, crack, rust or stain, as an inspection names them; anything else is a stain
	X, Y float64 // where, from 0 to 1 of the picture
	Size float64 // 1 is usual, 2 is twice as long
}

// CarPhoto draws a car in the yard, 1280 × 960 pixels: what the demo and the tests use as a photo. The seed chooses
// paint, light and grain, so the same seed is the same car. The plate is shown at front and rear; what the built-in font
// lacks (the province's character) is an empty box. An unknown view is drawn as the front.
func CarPhoto(seed uint64, view, plate string, defect Defect) image.Image {
	c := newCanvas()
	rnd := rand.New(rand.NewPCG(seed, 0x77616c6b)) //nolint:gosec // G404: drawings repeat, nothing is secret here.
	car := car{canvas: c, plate: plate, paint: paints()[rnd.IntN(len(paints()))], warmth: rnd.Float64()}
	switch view {
	case Left:
		car.side()
	case Right:
		c.mirror = true
		car.side()
	case Rear:
		car.rear()
	case Top:
		car.top()
	case Interior:
		car.interior()
	default:
		car.front()
	}
	c.mirror = false
	car.defect(defect, rnd)
	car.grain(rnd)
	return c.img
}

// car is one drawing under way.
type car struct {
	*canvas
	plate  string
	paint  color.NRGBA
	warmth float64 // of the light, 0 to 1
}

// paints are the colours that cars have.
func paints() []color.NRGBA {
	return []color.NRGBA{
		hex(0xb3262c, 1), hex(0x1f4f8f, 1), hex(0xe4e6e8, 1), hex(0x3a3f46, 1), hex(0x9aa3aa, 1),
		hex(0x1d5c4b, 1), hex(0xc98a2b, 1), hex(0x5b2a3c, 1),
	}
}

// yard is the place behind the car: sky, workshop with its gates, asphalt with the lines of a bay.
func (c *car) yard(horizon float64) {
	sky := mix(hex(0x9fc4e8, 1), hex(0xf2c9a0, 1), c.warmth*0.6)
	c.all(down(0, horizon, lit(sky, -0.12), lit(sky, 0.55)))
	c.fill("M0 150 L1280 110 L1280 600 L0 600 Z", down(110, horizon, hex(0xd8d5cd, 1), hex(0xb9b5ac, 1)))
	c.fill("M0 150 L1280 110 L1280 134 L0 174 Z", flat(0x7f8790, 1))
	for i := range 4 {
		c.gate(60+float64(i)*310, horizon)
	}
	ground := box(0, horizon, width, height-horizon)
	c.fill(ground, down(horizon, height, hex(0x8d8f90, 1), hex(0x55585b, 1)))
	c.fill(box(0, horizon-10, width, 14), down(horizon-10, horizon+4, hex(0x6e6c66, 1), hex(0x7c7d7c, 1)))
	c.stroke("M60 960 L210 "+num(horizon+40), 9, flat(0xf2f0e4, 0.75))
	c.stroke("M1220 960 L1070 "+num(horizon+40), 9, flat(0xf2f0e4, 0.75))
}

// gate is a roller door of the workshop.
func (c *car) gate(x, horizon float64) {
	c.fill(box(x, 235, 225, horizon-235), down(235, horizon, hex(0xa9b2b8, 1), hex(0x88939b, 1)))
	for y := 255.0; y < horizon-10; y += 22 {
		c.stroke("M"+num(x+4)+" "+num(y)+" L"+num(x+221)+" "+num(y), 2, flat(0x5f6a72, 0.35))
	}
	c.fill(box(x-8, 225, 241, 12), flat(0x5c666e, 1))
}

// shadow lies under the car.
func (c *car) shadow(x, y, rx, ry float64) {
	c.glow(x, y, rx, ry, hex(0x101214, 0.85))
	c.glow(x, y, rx*0.8, ry*0.6, hex(0x08090a, 0.7))
}

// metal is the paint under the open sky: light above, the horizon's dark line, ground below.
func (c *car) metal(y0, y1 float64) image.Image {
	p := c.paint
	return shade(func(_, y float64) color.NRGBA {
		t := (y - y0) / (y1 - y0)
		switch {
		case t < 0.3:
			return mix(lit(p, 0.34), lit(p, 0.1), t/0.3)
		case t < 0.62:
			return mix(lit(p, 0.1), lit(p, -0.1), (t-0.3)/0.32)
		default:
			return mix(lit(p, -0.1), lit(p, -0.45), (t-0.62)/0.38)
		}
	})
}

// glass is a window: sky above, the dark of the cabin below.
func (c *car) glass(y0, y1 float64) image.Image {
	return down(y0, y1, hex(0x8fa9ba, 1), hex(0x1b262d, 1))
}

// seam is the gap between two panels, with the light on its edge.
func (c *car) seam(path string) {
	c.stroke(path, 4.5, image.NewUniform(withAlpha(lit(c.paint, 0.5), 0.35)))
	c.stroke(path, 2.5, flat(0x0c0e10, 0.7))
}

// wheel is a tyre on a rim of ten spokes.
func (c *car) wheel(x, y, r float64) {
	c.circle(x, y, r, down(y-r, y+r, hex(0x2c2e30, 1), hex(0x121314, 1)))
	c.circle(x, y, r*0.94, flat(0x1c1d1f, 1))
	c.circle(x, y, r*0.70, down(y-r*0.7, y+r*0.7, hex(0xe3e6e8, 1), hex(0x8c9297, 1)))
	c.circle(x, y, r*0.63, flat(0x26292c, 1))
	for i := range 10 {
		sin, cos := math.Sincos(2*math.Pi*float64(i)/10 + 0.2)
		path := "M" + num(x+cos*r*0.12) + " " + num(y+sin*r*0.12) + " L" + num(x+cos*r*0.64) + " " + num(y+sin*r*0.64)
		c.stroke(path, r*0.085, down(y-r*0.7, y+r*0.7, hex(0xdfe3e6, 1), hex(0x9ba1a6, 1)))
	}
	c.circle(x, y, r*0.17, down(y-r*0.2, y+r*0.2, hex(0xf0f2f3, 1), hex(0x8f959a, 1)))
	c.circle(x, y, r*0.08, flat(0x55595d, 1))
}

// grain lays the noise of a small sensor over everything, and darkens the corners.
func (c *car) grain(rnd *rand.Rand) {
	for y := range height {
		for x := range width {
			d := math.Hypot(float64(x-width/2)/width, float64(y-height/2)/height)
			dim := 1 - 0.35*d*d
			add := rnd.NormFloat64() * 2.2
			p := c.img.Pix[y*c.img.Stride+4*x:][:3]
			for i, v := range p {
				p[i] = level(float64(v)*dim + add)
			}
		}
	}
}

func withAlpha(c color.NRGBA, alpha float64) color.NRGBA {
	c.A = level(alpha * 255)
	return c
}
