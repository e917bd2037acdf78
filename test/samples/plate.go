package samples

import (
	"image"
	"strconv"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	papers "example.com/walkaround/api/paper/font"
)

// drawPlate hangs the number plate with its middle at x, y.
func (c *car) drawPlate(x, y float64) {
	const w, h = 216.0, 62.0
	left, top := x-w/2, y-h/2
	c.fill(rounded(left-4, top-3, w+8, h+9, 8), flat(0x000000, 0.45))
	c.fill(rounded(left, top, w, h, 7), down(top, top+h, hex(0x2a63c4, 1), hex(0x16418f, 1)))
	c.stroke("M"+num(left+7)+" "+num(top+5)+" L"+num(left+w-7)+" "+num(top+5)+" L"+num(left+w-5)+" "+num(top+h-5)+
		" L"+num(left+5)+" "+num(top+h-5)+" L"+num(left+7)+" "+num(top+5), 2, flat(0xf3f6fb, 0.9))
	c.letters(c.plate, x, y)
}

// letters writes the plate's text in the middle of x, y: letters and digits bold, the province's character in the font of
// the papers.
func (c *car) letters(text string, x, y float64) {
	latin, han := plateFace(gobold.TTF, 38), plateFace(papers.TTF, 34)
	if latin == nil || han == nil {
		return
	}
	of := func(r rune) font.Face {
		if r < 0x2000 {
			return latin
		}
		return han
	}
	total := fixed.I(0)
	for _, r := range text {
		a, _ := of(r).GlyphAdvance(r)
		total += a
	}
	d := font.Drawer{Dst: c.img, Src: image.White, Dot: fixed.Point26_6{X: fixed.I(int(x)) - total/2, Y: fixed.I(int(y) + 14)}}
	for _, r := range text {
		d.Face = of(r)
		d.DrawString(string(r))
	}
}

// plateFace is a built-in font at a size in pixels; nil only if the font were broken.
func plateFace(ttf []byte, size float64) font.Face {
	f, err := opentype.Parse(ttf)
	if err != nil {
		return nil
	}
	face, err := opentype.NewFace(f, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingNone})
	if err != nil {
		return nil
	}
	return face
}

// box is the path of a rectangle.
func box(x, y, w, h float64) string {
	return "M" + num(x) + " " + num(y) + " L" + num(x+w) + " " + num(y) + " L" + num(x+w) + " " + num(y+h) +
		" L" + num(x) + " " + num(y+h) + " Z"
}

// rounded is the path of a rectangle with round corners.
func rounded(x, y, w, h, r float64) string {
	x2, y2 := x+w, y+h
	return "M" + num(x+r) + " " + num(y) + " L" + num(x2-r) + " " + num(y) + corner(x2, y, x2, y+r) +
		" L" + num(x2) + " " + num(y2-r) + corner(x2, y2, x2-r, y2) +
		" L" + num(x+r) + " " + num(y2) + corner(x, y2, x, y2-r) +
		" L" + num(x) + " " + num(y+r) + corner(x, y, x+r, y) + " Z"
}

// corner bends around a corner to the next point.
func corner(cx, cy, x, y float64) string {
	return " Q" + num(cx) + " " + num(cy) + " " + num(x) + " " + num(y)
}

// num writes a coordinate.
func num(v float64) string { return strconv.FormatFloat(v, 'f', 2, 64) }
