package samples

import (
	"math"
	"math/rand/v2"
)

// defect draws a mark where it is said to be.
func (c *car) defect(d Defect, rnd *rand.Rand) {
	if d.Kind == "" {
		return
	}
	if d.Size <= 0 {
		d.Size = 1
	}
	x, y, size := d.X*width, d.Y*height, d.Size
	switch d.Kind {
	case "scratch":
		c.scratch(x, y, size, rnd)
	case "dent":
		c.dent(x, y, 58*size)
	case "chip":
		c.chip(x, y, size, rnd)
	case "crack":
		c.crack(x, y, size, rnd)
	case "rust":
		c.blot(x, y, 40*size, 0x8a3d12, rnd)
	default:
		c.blot(x, y, 46*size, 0x3b2f1e, rnd)
	}
}

// scratch is a bundle of bright lines through the paint, with the primer in the deepest.
func (c *car) scratch(x, y, size float64, rnd *rand.Rand) {
	for i := range 6 {
		dy := (rnd.Float64() - 0.5) * 26 * size
		from, to := x-(50+40*rnd.Float64())*size, x+(50+40*rnd.Float64())*size
		tilt := 16 * size
		path := "M" + num(from) + " " + num(y+dy+tilt) + " Q" + num(x) + " " + num(y+dy-4) + " " + num(to) + " " + num(y+dy-tilt)
		c.stroke(path, 2.6, flat(0x14100c, 0.35))
		c.stroke(path, 1+rnd.Float64()*1.4, flat(0xf4f1ea, 0.55+0.4*rnd.Float64()))
		if i == 0 {
			c.stroke(path, 4.5, flat(0x6d6a66, 0.9))
			c.stroke(path, 2, flat(0xfaf8f4, 0.95))
		}
	}
}

// dent is a hollow: dark where it turns from the sky, bright at its lower lip.
func (c *car) dent(x, y, r float64) {
	c.glow(x, y, r*1.25, r, hex(0x000000, 0.38))
	c.glow(x-r*0.1, y-r*0.34, r*0.95, r*0.42, hex(0x000000, 0.42))
	c.glow(x+r*0.12, y+r*0.4, r*0.85, r*0.3, hex(0xffffff, 0.55))
	c.stroke("M"+num(x-r*0.75)+" "+num(y+r*0.36)+" Q"+num(x)+" "+num(y+r*0.8)+" "+num(x+r*0.8)+" "+num(y+r*0.26), 2, flat(0xffffff, 0.35))
}

// chip is a place without paint, a few around it.
func (c *car) chip(x, y, size float64, rnd *rand.Rand) {
	c.splinter(x, y, 15*size, rnd)
	for range 5 {
		c.splinter(x+rnd.NormFloat64()*34*size, y+rnd.NormFloat64()*20*size, (2.5+3*rnd.Float64())*size, rnd)
	}
}

// splinter is one edge of broken paint around the primer.
func (c *car) splinter(x, y, r float64, rnd *rand.Rand) {
	outer, inner := "", ""
	for i := range 9 {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / 9)
		k := r * (0.7 + 0.5*rnd.Float64())
		op := " L"
		if i == 0 {
			op = "M"
		}
		outer += op + num(x+cos*k) + " " + num(y+sin*k)
		inner += op + num(x+cos*k*0.7) + " " + num(y+sin*k*0.7)
	}
	c.fill(outer+" Z", flat(0xf3f1ed, 0.95))
	c.fill(inner+" Z", flat(0x77726c, 1))
}

// crack is a star in glass, its rays broken.
func (c *car) crack(x, y, size float64, rnd *rand.Rand) {
	c.glow(x, y, 30*size, 30*size, hex(0xffffff, 0.7))
	for i := range 11 {
		angle := 2*math.Pi*float64(i)/11 + 0.3*rnd.Float64()
		path, px, py := "M"+num(x)+" "+num(y), x, y
		for range 4 {
			long := (10 + 16*rnd.Float64()) * size
			angle += 0.5 * (rnd.Float64() - 0.5)
			px, py = px+math.Cos(angle)*long, py+math.Sin(angle)*long
			path += " L" + num(px) + " " + num(py)
		}
		c.stroke(path, 2.6, flat(0x0b1014, 0.4))
		c.stroke(path, 1.3, flat(0xffffff, 0.9))
	}
	c.circle(x, y, 5*size, flat(0x0b1014, 0.9))
}

// blot is a spread of spots: rust, a stain.
func (c *car) blot(x, y, r float64, rgb uint32, rnd *rand.Rand) {
	c.glow(x, y, r*1.2, r*0.9, hex(rgb, 0.8))
	for range 40 {
		dx, dy := rnd.NormFloat64()*r*0.4, rnd.NormFloat64()*r*0.3
		c.circle(x+dx, y+dy, 1+rnd.Float64()*r*0.12, flat(rgb+0x181008*rnd.Uint32N(3), 0.6))
	}
}
