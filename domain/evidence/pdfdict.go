package evidence

import (
	"bytes"
	"encoding/hex"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf16"
)

// A reader of the few kinds of PDF values that a dictionary of an attachment holds (ISO 32000-1, 7.3). What it doesn't know it
// refuses.

const (
	pdfMaxDepth   = 8
	pdfMaxEntries = 64
)

type (
	pdfName string
	pdfWord string // true, false, null
	pdfRef  int
	pdfDict map[pdfName]any // pdfName, pdfWord, pdfRef, pdfDict, []any, int, string
)

// pdfReader walks over the bytes of one object.
type pdfReader struct {
	b     []byte
	at    int
	depth int
}

// dict reads the dictionary at the current place.
func (r *pdfReader) dict() (pdfDict, bool) {
	if r.depth++; r.depth > pdfMaxDepth || !r.take("<<") {
		return nil, false
	}
	defer func() { r.depth-- }()
	d := pdfDict{}
	for !r.take(">>") {
		name, ok := r.name()
		if _, twice := d[name]; !ok || twice || len(d) >= pdfMaxEntries {
			return nil, false
		}
		if d[name], ok = r.value(); !ok {
			return nil, false
		}
	}
	return d, true
}

// value reads any value.
func (r *pdfReader) value() (any, bool) {
	r.space()
	switch rest := r.b[r.at:]; {
	case bytes.HasPrefix(rest, []byte("<<")):
		return known(r.dict())
	case bytes.HasPrefix(rest, []byte("/")):
		return known(r.name())
	case bytes.HasPrefix(rest, []byte("(")):
		return known(r.literal())
	case bytes.HasPrefix(rest, []byte("<")):
		return known(r.hexadecimal())
	case bytes.HasPrefix(rest, []byte("[")):
		return known(r.array())
	default:
		return r.plain()
	}
}

// plain reads a keyword or a number.
func (r *pdfReader) plain() (any, bool) {
	for _, word := range []string{"true", "false", "null"} {
		if r.take(word) {
			return pdfWord(word), true
		}
	}
	return r.number()
}

func known[T any](v T, ok bool) (any, bool) { return v, ok }

func (r *pdfReader) array() ([]any, bool) {
	if r.depth++; r.depth > pdfMaxDepth || !r.take("[") {
		return nil, false
	}
	defer func() { r.depth-- }()
	var out []any
	for !r.take("]") {
		v, ok := r.value()
		if !ok || len(out) >= pdfMaxEntries {
			return nil, false
		}
		out = append(out, v)
	}
	return out, true
}

// number reads an integer or a reference such as "12 0 R".
func (r *pdfReader) number() (any, bool) {
	n, ok := r.integer()
	if !ok {
		return nil, false
	}
	back := r.at
	if generation, ok := r.integer(); ok && generation == 0 && r.take("R") {
		return pdfRef(n), true
	}
	r.at = back
	return n, true
}

func (r *pdfReader) integer() (int, bool) {
	r.space()
	start := r.at
	for r.at < len(r.b) && r.b[r.at] >= '0' && r.b[r.at] <= '9' && r.at-start < 10 {
		r.at++
	}
	n, err := strconv.Atoi(string(r.b[start:r.at]))
	return n, err == nil
}

// name reads a name, with #2F in it for a slash.
func (r *pdfReader) name() (pdfName, bool) {
	if !r.take("/") {
		return "", false
	}
	start := r.at
	for r.at < len(r.b) && bytes.IndexByte([]byte("\x00\t\n\f\r ()<>[]{}/%"), r.b[r.at]) < 0 {
		r.at++
	}
	plain, err := url.PathUnescape(strings.NewReplacer("%", "%25", "#", "%").Replace(string(r.b[start:r.at])))
	return pdfName(plain), err == nil && plain != ""
}

// literal reads a string in parentheses without escapes or inner parentheses.
func (r *pdfReader) literal() (string, bool) {
	end := bytes.IndexAny(r.b[r.at+1:], `()\`)
	if end < 0 || r.b[r.at+1+end] != ')' {
		return "", false
	}
	text := r.b[r.at+1 : r.at+1+end]
	r.at += end + 2
	return pdfText(text), true
}

// hexadecimal reads a string such as <FEFF0061>.
func (r *pdfReader) hexadecimal() (string, bool) {
	end := bytes.IndexByte(r.b[r.at:], '>')
	if end < 0 {
		return "", false
	}
	text, err := hex.DecodeString(string(r.b[r.at+1 : r.at+end]))
	r.at += end + 1
	return pdfText(text), err == nil
}

// pdfText decodes a text string: UTF-16 if it says so.
func pdfText(b []byte) string {
	if len(b) < 2 || b[0] != 0xFE || b[1] != 0xFF {
		return string(b)
	}
	units := make([]uint16, 0, len(b)/2)
	for i := 2; i+1 < len(b); i += 2 {
		units = append(units, uint16(b[i])<<8|uint16(b[i+1]))
	}
	return string(utf16.Decode(units))
}

// take steps over a token, if it is next.
func (r *pdfReader) take(token string) bool {
	r.space()
	if !bytes.HasPrefix(r.b[r.at:], []byte(token)) {
		return false
	}
	r.at += len(token)
	return true
}

func (r *pdfReader) space() {
	for r.at < len(r.b) && bytes.IndexByte([]byte("\x00\t\n\f\r "), r.b[r.at]) >= 0 {
		r.at++
	}
}
