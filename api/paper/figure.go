package paper

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/signintech/gopdf"
)

// frame is where a view stands on the page.
type frame struct{ x, y, w, h float64 }

func (f frame) at(q Point) gopdf.Point { return gopdf.Point{X: f.x + q.X*f.w, Y: f.y + q.Y*f.h} }

// Measures of the drawing.
const (
	viewGap      = 13.0
	viewLabel    = 13.0
	viewScale    = (inner - 3*viewGap - 16) / (carLength + 3*carWidth) // points a millimetre
	figureHeight = carLength*viewScale + viewLabel + 14
)

// figure prints the six views in one arrangement, all to the same scale, with the marks of the damages upon them.
func (p *press) figure(s Sheet) {
	const (
		gap   = viewGap
		label = viewLabel
		side  = carLength * viewScale
		front = carWidth * viewScale
		high  = carHeight * viewScale
	)
	p.heading("drawing", figureHeight)
	top := p.y
	p.fill(rounded(margin, top, inner, figureHeight, 6), pale)
	x0 := margin + 8
	lower := top + 7 + label + side - high
	frames := map[string]frame{
		"front":    {x0, top + 7 + label, front, high},
		"rear":     {x0, lower, front, high},
		"left":     {x0 + front + gap, top + 7 + label, side, high},
		"right":    {x0 + front + gap, lower, side, high},
		"top":      {x0 + front + 2*gap + side, top + 7 + label, front, side},
		"interior": {x0 + 2*front + 3*gap + side, top + 7 + label, front, side},
	}
	for _, v := range Views() {
		p.view(v, frames[v.Name])
	}
	middle := frames["left"]
	p.legend(middle.x+middle.w/2, (middle.y+middle.h+lower-label)/2, len(s.Damages) == 0)
	p.stamps(s.Damages, frames)
	p.y = top + figureHeight
}

// view draws one side of the car with its name above.
func (p *press) view(v View, f frame) {
	p.center(f.x+f.w/2, f.y-12, style{sizeFine, muted}, p.say("view."+v.Name))
	for _, s := range v.Shapes {
		points := make([]gopdf.Point, len(s.Points))
		for i, q := range s.Points {
			points[i] = f.at(q)
		}
		tone := tones[s.Tone]
		if s.Tone == Crease {
			p.trace(points, tone.width, tone.line)
			continue
		}
		p.fill(points, tone.fill)
		p.outline(points, tone.width, tone.line)
	}
}

// legend explains the colours of the marks, around x, y.
func (p *press) legend(x, y float64, none bool) {
	st := style{sizeSmall, ink}
	if none {
		l := p.fit(p.say("no_damage"), st.size, 200)
		w := float64(l.width()) / 1000 * st.size
		p.tick(x-w/2-8, y)
		p.text(x-w/2+2, y-st.leading()/2, st, l)
		return
	}
	const step = 62.0
	for i, severity := range []string{"minor", "moderate", "severe"} {
		at := x + (float64(i)-1)*step - 18
		p.fill(circle(at, y, 4), severityColor(severity))
		p.short(at+8, y-st.leading()/2, step-12, st, p.say("severity."+severity))
	}
}

func severityColor(severity string) rgb {
	switch severity {
	case "minor":
		return amber
	case "moderate":
		return orange
	case "severe":
		return red
	}
	return muted
}

// badge is the radius of a numbered mark.
const badge = 5.6

// stamps puts a numbered mark on each damage. One that would hide another moves aside and keeps a line to its place.
func (p *press) stamps(damages []Damage, frames map[string]frame) {
	type stamp struct {
		place  gopdf.Point
		damage Damage
	}
	var stamps []stamp
	var taken []gopdf.Point
	for _, d := range damages {
		f, ok := frames[d.View]
		if !ok {
			continue
		}
		at := f.at(Point{within(d.X), within(d.Y)})
		place := freePlace(at, taken)
		taken = append(taken, place)
		stamps = append(stamps, stamp{place, d})
		if place != at {
			c := severityColor(d.Severity)
			p.trace([]gopdf.Point{at, place}, 0.6, c)
			p.fill(circle(at.X, at.Y, 1.4), c)
		}
	}
	for _, s := range stamps {
		p.stamp(s.place.X, s.place.Y, s.damage)
	}
}

// within takes what is no number or outside of the drawing to its edge.
func within(v float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return min(max(v, 0), 1)
}

// freePlace is the place nearest to at where a mark covers no other one; at itself if the neighbourhood is full.
func freePlace(at gopdf.Point, taken []gopdf.Point) gopdf.Point {
	if isFree(at, taken) {
		return at
	}
	for ring := 1; ring <= 12; ring++ {
		steps := 8 * ring
		for i := range steps {
			sin, cos := math.Sincos(float64(i)/float64(steps)*2*math.Pi - math.Pi/2)
			distance := float64(ring) * badge
			place := gopdf.Point{X: at.X + distance*cos, Y: at.Y + distance*sin}
			if place.X > margin+badge && place.X < margin+inner-badge && isFree(place, taken) {
				return place
			}
		}
	}
	return at
}

func isFree(at gopdf.Point, taken []gopdf.Point) bool {
	return !slices.ContainsFunc(taken, func(q gopdf.Point) bool { return math.Hypot(at.X-q.X, at.Y-q.Y) < 2*badge+0.6 })
}

// stamp draws a damage's number in the colour of its severity; what was repaired is hollow.
func (p *press) stamp(x, y float64, d Damage) {
	c, letters := severityColor(d.Severity), white
	p.fill(circle(x, y, badge+0.7), white)
	if d.Status == "repaired" {
		p.outline(circle(x, y, badge-0.4), 0.9, c)
		letters = c
	} else {
		p.fill(circle(x, y, badge), c)
	}
	size := 7.4
	if d.Number > 99 {
		size = 5.4
	}
	st := style{size, letters}
	l := p.fit(fmt.Sprint(d.Number), size, 3*badge)
	p.text(x-float64(l.width())/2000*size, y-st.leading()/2, st, l)
}

// damages is the table of the marks.
func (p *press) damages(s Sheet) {
	if len(s.Damages) == 0 {
		return
	}
	fixed := 54.0 + 62 + 58 + 50 + 76 + 48
	tracks := []track{
		{p.say("where"), 54 + 22},
		{p.say("kind"), 62},
		{p.say("severity"), 58 - 4},
		{p.say("length"), 50},
		{p.say("status"), 76},
		{p.say("note"), inner - fixed - 18},
		{p.say("photo"), 48},
	}
	rows := make([][]cell, len(s.Damages))
	for i, d := range s.Damages {
		rows[i] = p.damageRow(d)
	}
	p.table("damages", tracks, rows)
}

func (p *press) damageRow(d Damage) []cell {
	length := ""
	if d.LengthMM != nil {
		length = thousands(*d.LengthMM) + " mm"
	}
	status := ink
	if d.Status == "worse" || d.Status == "new" {
		status = severityColor("severe")
	}
	return []cell{
		{text: p.name("view", d.View), color: ink, indent: 22, mark: func(x, y float64) { p.stamp(x, y, d) }},
		{text: p.name("kind", d.Kind), color: ink},
		{text: p.name("severity", d.Severity), color: ink},
		{text: length, color: ink},
		{text: join("\n", p.name("status", d.Status), p.phrase("first_seen", p.day(d.FirstSeenAt))), color: status},
		{text: d.Note, color: ink, spill: true},
		{text: numbers(d.Photos), color: muted},
	}
}

func numbers(list []int) string {
	out := make([]string, len(list))
	for i, n := range list {
		out[i] = fmt.Sprint(n)
	}
	return strings.Join(out, ", ")
}
