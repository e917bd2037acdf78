package paper

import (
	"fmt"
	"unicode/utf8"

	"github.com/signintech/gopdf"
)

// masthead is the band at the head of the first page: store, title, number and the plate.
func (p *press) masthead(s Sheet) {
	const pad, plateWidth = 16.0, 150.0
	textWidth := inner - 2*pad - plateWidth - 16
	store := style{sizeBody + 1.3, white}
	small := style{sizeSmall, onBrand}
	name := p.clip(s.Store.Name, store.size, textWidth, 3)
	address := p.clip(join("  ·  ", s.Store.Address, s.Store.Phone), small.size, textWidth, 4)
	h := max(84, 2*pad-4+float64(len(name))*store.leading()+34+float64(len(address))*small.leading())

	p.fill(rounded(margin, margin, inner, h, 6), brand)
	y := margin + pad - 4
	y = p.lines(margin+pad, y, store, name)
	p.short(margin+pad, y+1, textWidth, style{sizeTitle, white}, p.say("title"))
	p.lines(margin+pad, y+33, small, address)
	p.plate(margin+inner-pad-plateWidth, margin+pad, plateWidth, s.Plate)
	p.numbered(margin+inner-pad-plateWidth, margin+pad+39, plateWidth, s)
	p.y = margin + h + 4
	p.marks(s)
}

// numbered prints number and revision below the plate: side by side if they fit.
func (p *press) numbered(x, y, width float64, s Sheet) {
	if s.Number == "" {
		return
	}
	st, number, revision := style{sizeBody, white}, p.say("number")+" "+s.Number, p.number("revision", s.Revision)
	lines := p.clip(join("  ·  ", number, revision), st.size, width, 2)
	if len(lines) > 1 {
		lines = []line{p.fit(number, st.size, width), p.fit(revision, st.size, width)}
	}
	for _, l := range lines {
		p.text(x+width/2-float64(l.width())/2000*st.size, y, st, l)
		y += st.leading() - 1
	}
}

// lines prints set lines below each other and returns where they end.
func (p *press) lines(x, y float64, st style, lines []line) float64 {
	for _, l := range lines {
		p.text(x, y, st, l)
		y += st.leading()
	}
	return y
}

// plate draws the number plate; a long one gets smaller letters.
func (p *press) plate(x, y, width float64, plate string) {
	const h = 36.0
	p.fill(rounded(x, y, width, h, 5), white)
	p.outline(rounded(x+2.2, y+2.2, width-4.4, h-4.4, 3.4), 1.1, ink)
	size := 21.0
	for size > 6 && len(p.set.wrap(plate, size, width-14)) > 1 {
		size--
	}
	st := style{size, ink}
	l := p.fit(plate, size, width-14)
	p.text(x+width/2-float64(l.width())/2000*size, y+h/2-st.leading()/2, st, l)
}

// marks are the banners that nobody may miss.
func (p *press) marks(s Sheet) {
	if s.SignedAt.IsZero() {
		p.banner(p.say("draft"), amber)
	}
	if s.Superseded {
		p.banner(p.say("superseded"), red)
	}
	if s.Conflict {
		p.banner(p.say("conflict"), orange)
	}
}

func (p *press) banner(text string, c rgb) {
	st := style{sizeBody, white}
	lines := p.set.wrap(text, st.size, inner-24)
	h := float64(len(lines))*st.leading() + 8
	p.fill(rounded(margin, p.y, inner, h, 4), c)
	p.lines(margin+12, p.y+4, st, lines)
	p.y += h + 4
}

// fact is a label with its value.
type fact struct {
	label string
	value string
	gauge *int // percent, drawn left of the value
}

// facts are customer, vehicle and times in three columns.
func (p *press) facts(s Sheet) {
	p.y += 8
	odometer, fuel := "", ""
	if s.OdometerKM != nil {
		odometer = fmt.Sprintf(p.say("km"), thousands(*s.OdometerKM))
	}
	if s.FuelPercent != nil {
		fuel = fmt.Sprintf("%d %%", *s.FuelPercent)
	}
	p.grid([]fact{
		{label: "customer", value: s.Customer.address()},
		{label: "phone", value: s.Customer.Phone},
		{label: "advisor", value: s.Advisor},
		{label: "model", value: s.Model},
		{label: "vin", value: s.VIN},
		{label: "odometer", value: odometer},
		{label: "arrived", value: p.moment(s.ArrivedAt)},
		{label: "wanted", value: p.moment(s.WantedAt)},
		{label: "fuel", value: fuel, gauge: s.FuelPercent},
	})
	p.flow(margin+2, inner-4, style{sizeBody, ink}, p.phrase("reason", s.Reason))
}

// address is the name as one says it: 陳大文 先生, Mr David Miller.
func (c Customer) address() string {
	if c.Salutation != "" && c.Salutation[0] < utf8.RuneSelf {
		return join(" ", c.Salutation, c.Name)
	}
	return join(" ", c.Name, c.Salutation)
}

const factColumns = 3

func (p *press) grid(facts []fact) {
	for len(facts) > 0 {
		n := min(factColumns, len(facts))
		p.gridRow(facts[:n])
		if facts = facts[n:]; len(facts) > 0 {
			p.rule(margin, p.y, inner, hair)
		}
	}
}

const gaugeWidth = 74.0

// gridRow prints facts side by side. All rows have room on the first page, as masthead and values are clipped.
func (p *press) gridRow(facts []fact) {
	const width = inner / factColumns
	label, value := style{sizeFine, muted}, style{sizeBody + 0.6, ink}
	set := make([][]line, len(facts))
	depth := 1
	for i, f := range facts {
		set[i] = p.clip(f.value, value.size, width-16, 12)
		if len(set[i]) == 0 {
			set[i] = []line{p.fit("–", value.size, width)}
		}
		depth = max(depth, len(set[i]))
	}
	h := label.leading() + float64(depth)*value.leading() + 9
	for i, f := range facts {
		x := margin + float64(i)*width + 2
		p.short(x, p.y+4, width-16, label, p.say(f.label))
		y := p.y + 4 + label.leading()
		if f.gauge != nil {
			p.gauge(x, y+value.leading()/2-3, *f.gauge)
			x += gaugeWidth + 8
		}
		p.lines(x, y, value, set[i])
	}
	p.y += h
}

// gauge draws the tank.
func (p *press) gauge(x, y float64, percent int) {
	const h = 6.0
	p.fill(rounded(x, y, gaugeWidth, h, h/2), hair)
	c := brand
	if percent <= 10 {
		c = red
	}
	if w := gaugeWidth * float64(min(max(percent, 0), 100)) / 100; w >= h {
		p.fill(rounded(x, y, w, h, h/2), c)
	} else if w > 0 {
		p.fill(circle(x+h/2, y+h/2, h/2), c)
	}
	for i := 1; i < 4; i++ {
		p.fill(rectangle(x+gaugeWidth*float64(i)/4-0.4, y, 0.8, h), white)
	}
}

// requests are the customer's wishes in his own words.
func (p *press) requests(s Sheet) {
	if len(s.Requests) == 0 && s.Intake == (Remarks{}) {
		return
	}
	p.heading("requests", 30)
	for i, r := range s.Requests {
		p.request(i+1, r)
	}
	p.remarks(margin+22, s.Intake)
}

// remarks prints what a section says beside its own fields.
func (p *press) remarks(x float64, r Remarks) {
	p.flow(x, margin+inner-x, style{sizeBody, ink}, p.phrase("remark", r.Note))
	more := join("  ·  ", p.number("recordings", int64(r.Recordings)), p.number("further", int64(r.Further)))
	p.flow(x, margin+inner-x, style{sizeSmall, muted}, more)
}

func (p *press) request(number int, r Request) {
	const indent = 22.0
	words, small := style{sizeBody + 0.8, ink}, style{sizeSmall, muted}
	p.ensure(words.leading() + small.leading() + 6)
	p.fill(circle(margin+8, p.y+words.leading()/2, 7), pale)
	p.center(margin+8, p.y+words.leading()/2-small.leading()/2, style{sizeSmall, brand}, fmt.Sprint(number))
	p.flow(margin+indent, inner-indent, words, p.quoted(r.Words))
	p.ensure(small.leading())
	state, mark := p.say("not_restated"), p.open
	if r.Restated {
		state, mark = join("  ", p.say("restated"), p.moment(r.RestatedAt)), p.tick
	}
	mark(margin+indent+4, p.y+small.leading()/2)
	state = join("  ·  ", state, p.number("recordings", int64(r.Recordings)))
	p.short(margin+indent+13, p.y, inner-indent-13, small, state)
	p.y += small.leading() + 1
	p.flow(margin+indent, inner-indent, small, r.Note)
	p.y += 4
}

// quoted puts the language's quotation marks around words.
func (p *press) quoted(words string) string {
	switch p.lang {
	case hant:
		return "「" + words + "」"
	default:
		return "“" + words + "”"
	}
}

// The marks of results: small, told apart by shape as well as by colour. x, y is their centre.

func (p *press) tick(x, y float64) {
	p.fill(circle(x, y, 4.2), green)
	p.trace([]gopdf.Point{{X: x - 2, Y: y}, {X: x - 0.5, Y: y + 1.7}, {X: x + 2.2, Y: y - 1.6}}, 1.1, white)
}

func (p *press) warning(x, y float64) {
	p.fill([]gopdf.Point{{X: x, Y: y - 4.4}, {X: x + 4.8, Y: y + 3.9}, {X: x - 4.8, Y: y + 3.9}}, amber)
	p.exclaim(x, y+0.6, 0.85)
}

func (p *press) alarm(x, y float64) {
	const a, b = 4.4, 1.9
	p.fill([]gopdf.Point{
		{X: x - b, Y: y - a},
		{X: x + b, Y: y - a},
		{X: x + a, Y: y - b},
		{X: x + a, Y: y + b},
		{X: x + b, Y: y + a},
		{X: x - b, Y: y + a},
		{X: x - a, Y: y + b},
		{X: x - a, Y: y - b},
	}, red)
	p.exclaim(x, y, 1)
}

func (p *press) exclaim(x, y, scale float64) {
	p.fill(rectangle(x-0.55, y-2.7*scale, 1.1, 3.4*scale), white)
	p.fill(circle(x, y+2*scale, 0.7), white)
}

func (p *press) dash(x, y float64) {
	p.fill(circle(x, y, 4.2), hair)
	p.fill(rectangle(x-2.2, y-0.55, 4.4, 1.1), muted)
}

func (p *press) open(x, y float64) { p.outline(circle(x, y, 3.8), 0.8, muted) }
