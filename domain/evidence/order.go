package evidence

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/gowebpki/jcs"
)

// orderer copies JSON that inspect has passed into its canonical form, in one pass: members in order, numbers and
// escapes in their one form, and without the members that say nothing.
type orderer struct {
	in, out []byte
	at      int
	depth   int // of objects
	scratch []byte
	twice   bool // an object names a member twice
}

// placed is a member as it stands in out: nothing when it was left out.
type placed struct {
	name     []byte
	from, to int
}

// skipSpace moves to the next token.
func (o *orderer) skipSpace() {
	for o.at < len(o.in) && (o.in[o.at] == ' ' || o.in[o.at] == '\n' || o.in[o.at] == '\t' || o.in[o.at] == '\r') {
		o.at++
	}
}

// value copies the next value and says whether it is empty. Inside free values nothing is left out.
func (o *orderer) value(free bool) (empty bool) {
	o.skipSpace()
	switch start := o.at; o.in[start] {
	case '{':
		return o.object(free)
	case '[':
		return o.array(free)
	case '"':
		o.at = stringEnd(o.in, start)
		o.literal(o.in[start:o.at])
		return o.at == start+2
	case 't', 'n':
		o.at += len("true")
		o.out = append(o.out, o.in[start:o.at]...)
		return o.in[start] == 'n'
	case 'f':
		o.at += len("false")
		o.out = append(o.out, "false"...)
		return false
	default:
		o.at = numberEnd(o.in, start)
		o.number(o.in[start:o.at])
		return false
	}
}

// object copies an object in order, without its empty members unless it is free.
func (o *orderer) object(free bool) (empty bool) {
	var space [16]placed
	members := space[:0]
	o.at++
	o.depth++
	o.out = append(o.out, '{')
	start := len(o.out)
	for o.next('}') {
		m := placed{from: len(o.out)}
		m.name = o.name()
		if o.value(free || o.speaks(m.name)) && !free {
			o.out = o.out[:m.from]
		}
		m.to = len(o.out)
		members = append(members, m)
	}
	o.depth--
	o.arrange(start, members)
	empty = len(o.out) == start
	o.out = append(o.out, '}')
	return empty
}

// speaks says whether nothing is left out below a member of that name.
func (o *orderer) speaks(name []byte) bool {
	return string(name) == freeMember || o.depth == 1 && (string(name) == photosMember || string(name) == recordingsMember)
}

// next moves to the next value or name inside an object or array; false behind its end.
func (o *orderer) next(closing byte) bool {
	o.skipSpace()
	if o.in[o.at] == ',' {
		o.at++
		o.skipSpace()
	}
	if o.in[o.at] == closing {
		o.at++
		return false
	}
	return true
}

// name copies a member's name and the colon, and returns what it says.
func (o *orderer) name() []byte {
	start := o.at
	o.at = stringEnd(o.in, start)
	o.literal(o.in[start:o.at])
	name := unquoted(o.in[start:o.at])
	o.out = append(o.out, ':')
	o.skipSpace()
	o.at++ // the colon
	return name
}

// arrange puts the members behind start in order, with commas between those that were not left out.
func (o *orderer) arrange(start int, members []placed) {
	slices.SortFunc(members, func(a, b placed) int { return compareUTF16(a.name, b.name) })
	kept := o.scratch[:0]
	for i, m := range members {
		o.twice = o.twice || i > 0 && bytes.Equal(members[i-1].name, m.name)
		if m.from == m.to {
			continue
		}
		if len(kept) > 0 {
			kept = append(kept, ',')
		}
		kept = append(kept, o.out[m.from:m.to]...)
	}
	o.out, o.scratch = append(o.out[:start], kept...), kept
}

// compareUTF16 compares by UTF-16 code units: as bytes do, save that what lies above U+FFFF comes before U+E000.
func compareUTF16(a, b []byte) int {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	if i == len(a) || i == len(b) {
		return len(a) - len(b)
	}
	for i > 0 && !utf8.RuneStart(a[i]) { // both are UTF-8 and equal so far
		i--
	}
	x, _ := utf8.DecodeRune(a[i:])
	y, _ := utf8.DecodeRune(b[i:])
	if (x > 0xffff) != (y > 0xffff) {
		return int(firstUnit(x)) - int(firstUnit(y))
	}
	return int(x - y)
}

// firstUnit is the first UTF-16 code unit of a rune.
func firstUnit(r rune) rune {
	if r <= 0xffff {
		return r
	}
	high, _ := utf16.EncodeRune(r)
	return high
}

// array copies an array with all its elements.
func (o *orderer) array(free bool) (empty bool) {
	o.at++
	o.out = append(o.out, '[')
	for empty = true; o.next(']'); empty = false {
		if !empty {
			o.out = append(o.out, ',')
		}
		o.value(free)
	}
	o.out = append(o.out, ']')
	return empty
}

// literal copies a string with the shortest escapes. Most have none, and are that already.
func (o *orderer) literal(quoted []byte) {
	if bytes.IndexByte(quoted, '\\') < 0 {
		o.out = append(o.out, quoted...)
		return
	}
	o.out = append(o.out, '"')
	for _, c := range unquoted(quoted) {
		o.out = appendEscaped(o.out, c)
	}
	o.out = append(o.out, '"')
}

// unquoted is what a string of valid JSON says.
func unquoted(quoted []byte) []byte {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return quoted[1 : len(quoted)-1]
	}
	var s string
	_ = json.Unmarshal(quoted, &s) // inspect has passed it
	return []byte(s)
}

// appendEscaped appends a byte of a string as RFC 8785 section 3.2.2.2 writes it.
func appendEscaped(dst []byte, c byte) []byte {
	const short = "\b\t\n\f\r\"\\"
	if i := bytes.IndexByte([]byte(short), c); i >= 0 {
		return append(dst, '\\', `btnfr"\`[i])
	}
	if c < 0x20 {
		const hexDigits = "0123456789abcdef"
		return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
	}
	return append(dst, c)
}

// number copies a number as ECMAScript writes it. A short integer is that already.
func (o *orderer) number(text []byte) {
	if len(text) <= 15 && text[0] != '-' && !bytes.ContainsAny(text, ".eE") {
		o.out = append(o.out, text...)
		return
	}
	f, err := strconv.ParseFloat(string(text), 64)
	shortest, err2 := jcs.NumberToJSON(f)
	if err != nil || err2 != nil { // inspect has passed it
		return
	}
	o.out = append(o.out, shortest...)
}
