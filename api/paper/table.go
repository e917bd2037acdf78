package paper

// track is a column of a table.
type track struct {
	title string
	width float64
}

// cell is one field of a row: wrapped text, with an optional mark drawn left of its first line.
type cell struct {
	text   string
	color  rgb
	mark   func(x, y float64) // centre of the mark
	indent float64            // room for the mark
	spill  bool               // when long, it goes below its row over the whole width
}

// row is a row that was set: each cell as lines.
type row struct {
	cells []cell
	lines [][]line
	depth int    // lines of its longest cell
	below []line // of the cell that spilt
}

const (
	cellPad = 3.2
	cellGap = 8.0

	spillDepth  = 6 // lines from which on a cell spills
	spillIndent = 26.0
)

var rowStyle = style{sizeBody - 0.6, ink}

// table prints a section of rows under headings, which are repeated on each page. A row that fits on a page is kept whole,
// the first one with the title, and the last one with the one before it: no row stands alone on a page.
func (p *press) table(title string, tracks []track, rows [][]cell) {
	set := make([]row, len(rows))
	for i, cells := range rows {
		set[i] = p.setRow(tracks, cells, rowStyle.size)
	}
	first := headHeight + together(set, 0)
	if first > whole {
		first = 3 * headHeight
	}
	p.heading(title, first)
	p.tableHead(tracks)
	for i, r := range set {
		if h := together(set, i); h > p.room() && h < bottom-topNext-40 {
			p.newPage()
			p.tableHead(tracks)
		}
		p.tableRow(tracks, r, rowStyle)
	}
}

// together is the height of row i, and of the last row too if i is the one before it and both fit on a page.
func together(rows []row, i int) float64 {
	h := rows[i].height()
	if i == len(rows)-2 && h+rows[i+1].height() < bottom-topNext-40 {
		h += rows[i+1].height()
	}
	return h
}

func (r row) height() float64 { return float64(r.depth+len(r.below))*rowStyle.leading() + 2*cellPad }

const headHeight = (sizeSmall-0.4)*1.42 + 5

func (p *press) tableHead(tracks []track) {
	st := style{sizeSmall - 0.4, muted}
	const h = headHeight
	p.fill(rectangle(margin, p.y, inner, h), pale)
	x := margin
	for _, t := range tracks {
		p.short(x+cellGap/2, p.y+2.5, t.width-cellGap, st, t.title)
		x += t.width
	}
	p.y += h
}

func (p *press) setRow(tracks []track, cells []cell, size float64) row {
	r := row{cells: cells, lines: make([][]line, len(cells)), depth: 1}
	for i, c := range cells {
		r.lines[i] = p.set.wrap(c.text, size, tracks[i].width-cellGap-c.indent)
		if c.spill && len(r.lines[i]) > spillDepth {
			r.below = p.set.wrap(c.text, size, inner-spillIndent-cellGap)
			r.lines[i] = nil
		}
		r.depth = max(r.depth, len(r.lines[i]))
	}
	return r
}

// tableRow prints a row line by line, over pages if it must.
func (p *press) tableRow(tracks []track, r row, st style) {
	p.y += cellPad
	for n := range r.depth + len(r.below) {
		if p.room() < st.leading()+cellPad {
			p.newPage()
			p.tableHead(tracks)
			p.y += cellPad
		}
		if n < r.depth {
			p.tableLine(tracks, r, n, st)
		} else {
			p.text(margin+spillIndent, p.y, st, r.below[n-r.depth])
		}
		p.y += st.leading()
	}
	p.y += cellPad
	p.rule(margin, p.y, inner, hair)
}

func (p *press) tableLine(tracks []track, r row, n int, st style) {
	x := margin
	for i, c := range r.cells {
		if n == 0 && c.mark != nil {
			c.mark(x+cellGap/2+c.indent/2-2, p.y+st.leading()/2)
		}
		if n < len(r.lines[i]) {
			p.text(x+cellGap/2+c.indent, p.y, style{st.size, c.color}, r.lines[i][n])
		}
		x += tracks[i].width
	}
}

// item is one line that flows through two columns.
type item struct {
	text   line
	style  style
	indent float64
	mark   func(x, y float64) // centre of a mark left of the text
	height float64
	joined bool // not parted from the next line
}

const gutter = 18.0

// half is the width of one of two columns.
const half = (inner - gutter) / 2

// columns lets lines flow through two columns of about equal height, page after page.
func (p *press) columns(items []item) {
	for len(items) > 0 {
		left := upTo(items, min(p.room(), balanced(items)))
		second := upTo(items[left:], p.room())
		top := p.y
		low := max(p.stack(margin, top, items[:left]), p.stack(margin+half+gutter, top, items[left:left+second]))
		p.y = low
		if items = items[left+second:]; len(items) > 0 {
			p.newPage()
		}
	}
}

// balanced is the height of the first column at which the higher of both is lowest.
func balanced(items []item) float64 {
	total := 0.0
	for _, it := range items {
		total += it.height
	}
	best, sum := total, 0.0
	for _, it := range items {
		sum += it.height
		if !it.joined && max(sum, total-sum) <= max(best, total-best) {
			best = sum
		}
	}
	return best + 0.01 // sums of fractions differ by their order
}

// upTo counts the lines that fit in h: at least one if there is any.
func upTo(items []item, h float64) int {
	n, sum := 0, 0.0
	for n < len(items) && sum+items[n].height <= h {
		sum += items[n].height
		n++
	}
	full := n
	for n > 0 && n < len(items) && items[n-1].joined {
		n--
	}
	if n == 0 {
		return min(max(full, 1), len(items))
	}
	return n
}

// stack prints lines below each other and returns where they end.
func (p *press) stack(x, y float64, items []item) float64 {
	for _, it := range items {
		base := y + it.height - it.style.leading()
		if it.mark != nil {
			it.mark(x+it.indent/2-2, base+it.style.leading()/2)
		}
		p.text(x+it.indent, base, it.style, it.text)
		y += it.height
	}
	return y
}

// entry sets a marked text with a note below it as lines that stay together where they can.
func (p *press) entry(text, note string, mark func(x, y float64)) []item {
	const indent = 16.0
	st := style{sizeBody, ink}
	var out []item
	for _, l := range p.set.wrap(text, st.size, half-indent) {
		out = append(out, item{text: l, style: st, indent: indent, height: st.leading() + 1, joined: true})
	}
	if len(out) == 0 {
		out = []item{{style: st, indent: indent, height: st.leading() + 1, joined: true}}
	}
	out[0].mark = mark
	out[0].height += 1.5
	small := style{sizeSmall, muted}
	for _, l := range p.set.wrap(note, small.size, half-indent) {
		out = append(out, item{text: l, style: small, indent: indent, height: small.leading()})
	}
	for i := range out {
		out[i].joined = i < min(len(out)-1, 3)
	}
	return out
}
