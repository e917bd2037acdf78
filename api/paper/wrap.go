package paper

import (
	"strings"
	"unicode"
)

// line is one line of text as it is printed.
type line []atom

// width is the line's length in thousandths of the font size.
func (l line) width() int {
	sum := 0
	for _, a := range l {
		sum += a.width
	}
	return sum
}

// What may not begin and what may not end a line (simple kinsoku).
const (
	noStart = "，。、；：？！）」』】〉》〕］｝”’…‥—～・·ー々％℃°,.;:?!)]}%"
	noEnd   = "（「『【〈《〔［｛“‘([{￥¥$"
)

// wrap breaks text into lines no longer than width points at size: Han anywhere but against kinsoku, Latin at spaces, a word
// longer than a line wherever it must. Only spaces at a break are left out. Empty text has no lines.
func (s *setter) wrap(text string, size, width float64) []line {
	limit := int(width / size * 1000)
	var out []line
	for _, atoms := range s.paragraphs(text) {
		out = append(out, wrapAtoms(atoms, limit)...)
	}
	if len(out) == 1 && len(out[0]) == 0 {
		return nil
	}
	return out
}

func wrapAtoms(atoms []atom, limit int) []line {
	var out []line
	start, last, sum := 0, 0, 0 // last: the newest place where this line may break
	for i := 0; i < len(atoms); i++ {
		if i > start && breakable(atoms[i-1], atoms[i]) {
			last = i
		}
		sum += atoms[i].width
		if sum <= limit || i == start || atoms[i].r == ' ' {
			continue
		}
		if last <= start {
			last = i
		}
		out = append(out, trimRight(atoms[start:last]))
		start, sum = last, 0
		i = start - 1
	}
	return append(out, trimRight(atoms[start:]))
}

func trimRight(l line) line {
	for len(l) > 0 && l[len(l)-1].r == ' ' {
		l = l[:len(l)-1]
	}
	return l
}

// breakable says whether a line may end with a and the next begin with b.
func breakable(a, b atom) bool {
	switch {
	case b.r == ' ':
		return false
	case a.r == ' ':
		return true
	case strings.ContainsRune(noStart, b.r), strings.ContainsRune(noEnd, a.r):
		return false
	case a.r == '-', a.r == '/':
		return unicode.IsLetter(b.r)
	}
	return wide(a) || wide(b)
}

// wide says whether text may be broken beside this atom: Han, kana, Hangul, full-width forms and boxes.
func wide(a atom) bool {
	return a.boxed || unicode.In(a.r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul) ||
		a.r >= 0x3000 && a.r <= 0x303F || a.r >= 0xFF00 && a.r <= 0xFFEF || a.r == '…' || a.r == '—'
}
