package paper

import (
	"fmt"
)

// reception tells how the car was received: presence, reminder, covers, engine.
func (p *press) reception(s Sheet) {
	p.heading("reception", 50)
	var out []item
	out = append(out, p.yes(s.CustomerPresent, "present", "not_present", "")...)
	out = append(out, p.yes(!s.ReminderAt.IsZero(), "reminder", "no_reminder", p.moment(s.ReminderAt))...)
	c := s.Covers
	var fitted []string
	for _, cover := range []struct {
		on  bool
		key string
	}{{c.Seat, "cover.seat"}, {c.SteeringWheel, "cover.wheel"}, {c.Floor, "cover.floor"}} {
		if cover.on {
			fitted = append(fitted, p.say(cover.key))
		}
	}
	sep := map[int]string{hant: "、", hans: "、", english: ", "}[p.lang]
	out = append(out, p.yes(len(fitted) == 3, "covers", "no_covers", join("  ·  ", p.moment(c.FittedAt), p.phrase("fitted_by", c.FittedBy), join(sep, fitted...)))...)
	out = append(out, p.engine(s.Engine)...)
	p.columns(out)
	p.remarks(margin, s.Inspection)
}

// yes is a line with a tick or, if it is not so, with a warning.
func (p *press) yes(so bool, yes, no, note string) []item {
	if so {
		return p.entry(p.say(yes), note, p.tick)
	}
	return p.entry(p.say(no), note, p.warning)
}

func (p *press) engine(e Engine) []item {
	note := join("  ·  ", e.Note, p.number("recordings", int64(e.Recordings)))
	switch {
	case !e.Checked:
		return p.entry(p.say("engine.none"), note, p.dash)
	case e.AbnormalNoise:
		return p.entry(p.say("engine.noise"), note, p.warning)
	}
	return p.entry(p.say("engine.quiet"), note, p.tick)
}

// checklist prints the items in two columns under the names of their sections.
func (p *press) checklist(s Sheet) {
	if len(s.Checklist) == 0 {
		return
	}
	p.heading("checklist", 60)
	p.right(margin+inner, p.y-17, style{sizeSmall, muted}, p.number("template", s.Template))
	p.resultKey()
	var out []item
	for i, c := range s.Checklist {
		if c.Section != "" && (i == 0 || s.Checklist[i-1].Section != c.Section) {
			out = append(out, p.section(c.Section)...)
		}
		out = append(out, p.entry(c.Label, join("  ·  ", c.Note, p.photosOf(c.Photos)), p.result(c.Result))...)
	}
	p.columns(out)
}

// photosOf names photos by their numbers.
func (p *press) photosOf(list []int) string {
	if len(list) == 0 {
		return ""
	}
	return p.say("photo") + " " + numbers(list)
}

// section is the name of a part of the checklist.
func (p *press) section(name string) []item {
	st := style{sizeSmall + 0.4, brand}
	var out []item
	for i, l := range p.set.wrap(name, st.size, half) {
		it := item{text: l, style: st, height: st.leading(), joined: i < 3}
		if i == 0 {
			it.height += 5
		}
		out = append(out, it)
	}
	return out
}

// result is the mark of a result.
func (p *press) result(result string) func(x, y float64) {
	switch result {
	case "ok":
		return p.tick
	case "attention":
		return p.warning
	case "urgent":
		return p.alarm
	case "not_applicable":
		return p.dash
	}
	return p.open
}

// resultKey explains the marks in one line.
func (p *press) resultKey() {
	st := style{sizeSmall, muted}
	x := margin + 4.0
	for _, result := range []string{"ok", "attention", "urgent", "not_applicable", ""} {
		l := p.fit(p.say("result."+result), st.size, 120)
		p.result(result)(x+4, p.y+st.leading()/2)
		p.text(x+12, p.y, st, l)
		x += 12 + float64(l.width())/1000*st.size + 16
	}
	p.y += st.leading() + 3
}

// belongings is the table of what lies in the car.
func (p *press) belongings(s Sheet) {
	if len(s.Belongings) == 0 {
		p.heading("belongings", 30)
		p.flow(margin+10, inner-10, style{sizeBody, muted}, p.say("no_belongings"))
		return
	}
	tracks := []track{
		{p.say("item"), inner - 60 - 90 - 140 - 60}, {p.say("quantity"), 60}, {p.say("valuable"), 90}, {p.say("kept"), 140}, {p.say("photo"), 60},
	}
	rows := make([][]cell, len(s.Belongings))
	for i, b := range s.Belongings {
		rows[i] = p.belonging(b)
	}
	p.table("belongings", tracks, rows)
}

func (p *press) belonging(b Belonging) []cell {
	valuable := cell{color: ink}
	if b.Valuable {
		valuable = cell{text: p.say("valuable"), color: orange, indent: 14, mark: p.gem}
	}
	return []cell{
		{text: join("\n", b.Description, b.Note), color: ink, spill: true},
		{text: fmt.Sprint(b.Quantity), color: ink},
		valuable,
		{text: p.name("kept", b.Kept), color: ink},
		{text: numbers(b.Photos), color: muted},
	}
}

// gem marks what is valuable.
func (p *press) gem(x, y float64) {
	p.fill(rotated(x, y, 4), orange)
}
