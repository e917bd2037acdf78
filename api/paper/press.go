package paper

import (
	"fmt"
	"math"
	"time"

	"github.com/signintech/gopdf"
)

// Measures of the page in points. A4 upright, margins of 14 mm.
const (
	pageWidth  = 595.28
	pageHeight = 841.89
	margin     = 39.69
	inner      = pageWidth - 2*margin
	bottom     = pageHeight - margin - 16 // the footer stands below
	topNext    = margin + 22              // where pages after the first begin, under the running head
)

// The type scale in points.
const (
	sizeFine  = 6.8
	sizeSmall = 7.8
	sizeBody  = 9.2
	sizeHead  = 11.5
	sizeTitle = 20
)

// rgb is a colour.
type rgb struct{ r, g, b uint8 }

var (
	ink     = rgb{27, 36, 48}
	muted   = rgb{104, 116, 131}
	hair    = rgb{214, 220, 227}
	pale    = rgb{243, 246, 249}
	white   = rgb{255, 255, 255}
	brand   = rgb{20, 56, 84}
	onBrand = rgb{190, 208, 222}
	green   = rgb{43, 138, 62}
	amber   = rgb{219, 143, 0}
	orange  = rgb{222, 92, 12}
	red     = rgb{196, 34, 34}
)

// press draws onto one document. Its methods take points from the top left corner of the page. The first error of the
// library sticks in err; all that follows draws nothing that matters.
type press struct {
	gp   *gopdf.GoPdf
	set  *setter
	lang int
	zone *time.Location
	y    float64 // top of what is printed next
	err  error
	head string // running head of pages after the first
}

func newPress(s Sheet) (*press, error) {
	f, err := typeface()
	if err != nil {
		return nil, err
	}
	p := &press{gp: new(gopdf.GoPdf), set: newSetter(f), lang: column(s.Language), zone: s.Zone, y: margin}
	if p.zone == nil {
		p.zone = time.UTC
	}
	p.gp.Start(gopdf.Config{PageSize: gopdf.Rect{W: pageWidth, H: pageHeight}})
	if err := p.gp.AddTTFFontFromFontContainer(family, &f.container); err != nil {
		return nil, fmt.Errorf("take the font: %w", err)
	}
	if err := p.gp.SetFont(family, "", sizeBody); err != nil {
		return nil, fmt.Errorf("set the font: %w", err)
	}
	p.gp.AddPage()
	return p, nil
}

func (p *press) keep(err error) {
	if p.err == nil && err != nil {
		p.err = err
	}
}

// room is the height left on this page.
func (p *press) room() float64 { return bottom - p.y }

// ensure begins a new page unless h points are left, or the page is new already.
func (p *press) ensure(h float64) {
	if p.room() < h && p.y > topNext {
		p.newPage()
	}
}

func (p *press) newPage() {
	p.gp.AddPage()
	p.text(margin, margin, style{sizeSmall, muted}, p.fit(p.head, sizeSmall, inner))
	p.rule(margin, margin+14, inner, hair)
	p.y = topNext
}

// style is size and colour of text.
type style struct {
	size  float64
	color rgb
}

// leading is the height of a line.
func (s style) leading() float64 { return s.size * 1.42 }

// text prints a line whose top is y.
func (p *press) text(x, y float64, st style, l line) {
	y += (st.leading()-st.size)/2 + st.size*0.86
	for len(l) > 0 {
		n := 1
		if !l[0].boxed {
			for n < len(l) && !l[n].boxed {
				n++
			}
			p.raw(x, y, st, l[:n])
		} else {
			p.box(x, y, st, l[0])
		}
		x += float64(l[:n].width()) / 1000 * st.size
		l = l[n:]
	}
}

// raw prints runes that all have a glyph, on the baseline y.
func (p *press) raw(x, y float64, st style, l line) {
	runes := make([]rune, len(l))
	for i, a := range l {
		runes[i] = a.r
	}
	p.gp.SetTextColor(st.color.r, st.color.g, st.color.b)
	p.keep(p.gp.SetFontSize(st.size))
	p.gp.SetXY(x, y)
	p.keep(p.gp.Text(string(runes)))
}

// box prints the name of a rune without a glyph in a frame, so that nobody takes it for another character.
func (p *press) box(x, y float64, st style, a atom) {
	unit := st.size / 1000
	w := float64(a.width) * unit
	p.outline(rectangle(x+boxMargin*unit, y-st.size*0.62, w-2*boxMargin*unit, st.size*0.78), 0.4, st.color)
	name := p.set.atoms(boxName(a.r))
	p.raw(x+2*boxMargin*unit, y-st.size*0.08, style{st.size * boxScale, st.color}, name)
}

// short prints text that is known to be short; what is longer than width is cut with an ellipsis.
func (p *press) short(x, y, width float64, st style, text string) {
	p.text(x, y, st, p.fit(text, st.size, width))
}

// fit is text as one line, cut with an ellipsis to at most width points.
func (p *press) fit(text string, size, width float64) line {
	if lines := p.clip(text, size, width, 1); len(lines) > 0 {
		return lines[0]
	}
	return nil
}

// clip is text as at most n lines; an ellipsis ends the last one if there were more.
func (p *press) clip(text string, size, width float64, n int) []line {
	lines := p.set.wrap(text, size, width)
	if len(lines) <= n {
		return lines
	}
	dots := p.set.atom('…')
	last := append(line(nil), lines[n-1]...)
	for len(last) > 0 && last.width()+dots.width > int(width/size*1000) {
		last = last[:len(last)-1]
	}
	return append(lines[:n-1:n-1], append(last, dots))
}

// right prints one short line that ends at x.
func (p *press) right(x, y float64, st style, text string) {
	l := p.fit(text, st.size, inner)
	p.text(x-float64(l.width())/1000*st.size, y, st, l)
}

// center prints one short line around x.
func (p *press) center(x, y float64, st style, text string) {
	l := p.fit(text, st.size, inner)
	p.text(x-float64(l.width())/2000*st.size, y, st, l)
}

// flow prints text of any length from p.y on, over as many pages as it takes.
func (p *press) flow(x, width float64, st style, text string) {
	for _, l := range p.set.wrap(text, st.size, width) {
		p.ensure(st.leading())
		p.text(x, p.y, st, l)
		p.y += st.leading()
	}
}

// rule draws a hairline.
func (p *press) rule(x, y, width float64, c rgb) {
	p.gp.SetStrokeColor(c.r, c.g, c.b)
	p.gp.SetLineWidth(0.6)
	p.gp.Line(x, y, x+width, y)
}

// fill paints a polygon.
func (p *press) fill(points []gopdf.Point, c rgb) {
	p.gp.SetFillColor(c.r, c.g, c.b)
	p.gp.Polygon(points, "F")
}

// outline draws a closed line.
func (p *press) outline(points []gopdf.Point, width float64, c rgb) {
	p.gp.SetStrokeColor(c.r, c.g, c.b)
	p.gp.SetLineWidth(width)
	p.gp.Polygon(points, "D")
}

// trace draws an open line. The library closes each path, so the line goes forth and back.
func (p *press) trace(points []gopdf.Point, width float64, c rgb) {
	there := append([]gopdf.Point(nil), points...)
	for i := len(points) - 2; i > 0; i-- {
		there = append(there, points[i])
	}
	p.outline(there, width, c)
}

func rectangle(x, y, w, h float64) []gopdf.Point {
	return []gopdf.Point{{X: x, Y: y}, {X: x + w, Y: y}, {X: x + w, Y: y + h}, {X: x, Y: y + h}}
}

// rounded is a rectangle with round corners.
func rounded(x, y, w, h, radius float64) []gopdf.Point {
	var out []gopdf.Point
	corners := [4][2]float64{{x + w - radius, y + radius}, {x + w - radius, y + h - radius}, {x + radius, y + h - radius}, {x + radius, y + radius}}
	for i, c := range corners {
		for step := range 7 {
			sin, cos := math.Sincos((float64(i-1) + float64(step)/6) * math.Pi / 2)
			out = append(out, gopdf.Point{X: c[0] + radius*cos, Y: c[1] + radius*sin})
		}
	}
	return out
}

func circle(x, y, radius float64) []gopdf.Point {
	out := make([]gopdf.Point, 28)
	for i := range out {
		sin, cos := math.Sincos(float64(i) / 28 * 2 * math.Pi)
		out[i] = gopdf.Point{X: x + radius*cos, Y: y + radius*sin}
	}
	return out
}

// headingRoom is what heading takes of a page, with the space above it.
const headingRoom = 14 + 24

// whole is the most that can stand below a heading on one page.
const whole = bottom - topNext - 24

// heading opens a section that keeps at least follow points together with its title.
func (p *press) heading(key string, follow float64) {
	p.y += 14
	p.ensure(24 + follow)
	p.fill(rounded(margin, p.y+2.5, 3, 12, 1.5), brand)
	p.short(margin+10, p.y, inner-10, style{sizeHead, brand}, p.say(key))
	p.y += 21
}

// moment writes a time in the sheet's zone; nothing for the zero time.
func (p *press) moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(p.zone).Format("2006-01-02 15:04")
}

// day writes the date of a time; nothing for the zero time.
func (p *press) day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(p.zone).Format(time.DateOnly)
}

// number is a phrase with a number in it; nothing for 0.
func (p *press) number(key string, n int64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(p.say(key), n)
}

// phrase is a phrase with a text in it; nothing without the text.
func (p *press) phrase(key, text string) string {
	if text == "" {
		return ""
	}
	return fmt.Sprintf(p.say(key), text)
}

// thousands writes a number with narrow groups.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
