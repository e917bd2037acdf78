package storage

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"go.mongodb.org/mongo-driver/v2/bson"

	"example.com/walkaround/domain"
)

// Document is a stored document, or a part of one, that can be written as JSON without going through its Go type.
// The zero Document is written as null. It is never shared with another caller.
type Document struct {
	raw   bson.Raw
	form  *form
	array bool
}

// Bytes returns the BSON itself.
func (d Document) Bytes() bson.Raw { return d.raw }

// AppendJSON appends the document as JSON: byte for byte what encoding/json makes of the Go value without HTML
// escaping, where its members are stored. Members whose Go field has json:"-", and members that the Go type does not
// know (a newer replica wrote them), are left out at every depth. Bytes are taken for JSON and copied verbatim if their
// Go type marshals itself (json.RawMessage); times are written by domain.Layout. It allocates nothing but dst.
func (d Document) AppendJSON(dst []byte) []byte {
	switch {
	case d.raw == nil:
		return append(dst, "null"...)
	case d.array:
		return appendArray(dst, d.raw, d.form)
	default:
		dst = append(dst, '{')
		dst = appendMembers(dst, d.raw, d.form)
		return append(dst, '}')
	}
}

// AppendFields appends the members as AppendJSON does, without the braces, so that the caller can put others beside.
func (d Document) AppendFields(dst []byte) []byte {
	return appendMembers(dst, d.raw, d.form)
}

// Sub returns the document or array at the path of stored names; false when none is there.
func (d Document) Sub(path ...string) (Document, bool) {
	for _, name := range path {
		var ok bool
		if d, ok = d.sub(name); !ok {
			return Document{}, false
		}
	}
	return d, true
}

func (d Document) sub(name string) (Document, bool) {
	rest := elements(d.raw)
	for {
		e, tail, ok := next(rest)
		if !ok {
			return Document{}, false
		}
		rest = tail
		if string(e.name) != name {
			continue
		}
		if e.typ != typeDocument && e.typ != typeArray {
			return Document{}, false
		}
		return Document{raw: bson.Raw(e.value), form: d.form.child(name), array: e.typ == typeArray}, true
	}
}

// child is the form of a member of a struct, or of whatever a map or an array holds.
func (f *form) child(name string) *form {
	if !f.isStruct() {
		return f.item()
	}
	if i, ok := f.index[name]; ok {
		return f.members[i].form
	}
	return nil
}

func (f *form) item() *form {
	if f == nil {
		return nil
	}
	return f.elem
}

func appendMembers(dst, doc []byte, f *form) []byte {
	if !f.isStruct() {
		return appendMap(dst, doc, f.item())
	}
	first, expected := true, 0
	for rest := elements(doc); ; {
		e, tail, ok := next(rest)
		if !ok {
			return dst
		}
		rest = tail
		i, known := f.find(e.name, expected)
		if known {
			expected = i + 1
		}
		if known && f.members[i].hidden || !known && !f.open {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		if !known {
			dst = appendValue(appendKey(dst, e.name), e, nil)
			continue
		}
		dst = appendValue(append(dst, f.members[i].key...), e, f.members[i].form)
	}
}

func appendMap(dst, doc []byte, item *form) []byte {
	first := true
	for rest := elements(doc); ; {
		e, tail, ok := next(rest)
		if !ok {
			return dst
		}
		rest = tail
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = appendValue(appendKey(dst, e.name), e, item)
	}
}

func appendKey(dst, name []byte) []byte {
	return append(appendString(dst, name), ':')
}

func appendArray(dst, doc []byte, f *form) []byte {
	item, first := f.item(), true
	dst = append(dst, '[')
	for rest := elements(doc); ; {
		e, tail, ok := next(rest)
		if !ok {
			return append(dst, ']')
		}
		rest = tail
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = appendValue(dst, e, item)
	}
}

func appendValue(dst []byte, e element, f *form) []byte {
	switch e.typ {
	case typeDocument:
		dst = append(dst, '{')
		return append(appendMembers(dst, e.value, f), '}')
	case typeArray:
		return appendArray(dst, e.value, f)
	case typeString, typeSymbol:
		return appendString(dst, text(e.value))
	case typeBinary:
		return appendBinary(dst, e.value, f)
	case typeDouble:
		return appendDouble(dst, math.Float64frombits(binary.LittleEndian.Uint64(e.value)))
	case typeInt32:
		return strconv.AppendInt(dst, int64(int32(binary.LittleEndian.Uint32(e.value))), 10) //nolint:gosec // two's complement is the format
	case typeInt64:
		return strconv.AppendInt(dst, int64(binary.LittleEndian.Uint64(e.value)), 10) //nolint:gosec // as above
	case typeBool:
		return strconv.AppendBool(dst, e.value[0] != 0)
	case typeDateTime:
		return appendTime(dst, int64(binary.LittleEndian.Uint64(e.value))) //nolint:gosec // as above
	default: // nothing else is written by a Go value of ours
		return append(dst, "null"...)
	}
}

// appendBinary writes bytes that are JSON themselves as they are.
func appendBinary(dst, value []byte, f *form) []byte {
	if len(value) < 5 {
		return append(dst, "null"...)
	}
	data := value[5:]
	if f != nil && f.base64 {
		dst = append(dst, '"')
		dst = base64.StdEncoding.AppendEncode(dst, data)
		return append(dst, '"')
	}
	if len(data) == 0 {
		return append(dst, "null"...)
	}
	return append(dst, data...)
}

// appendDouble writes a number as ECMAScript does, like encoding/json; what JSON cannot say is null.
func appendDouble(dst []byte, v float64) []byte {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return append(dst, "null"...)
	}
	abs := math.Abs(v)
	if abs == 0 || abs >= 1e-6 && abs < 1e21 {
		return strconv.AppendFloat(dst, v, 'f', -1, 64)
	}
	dst = strconv.AppendFloat(dst, v, 'e', -1, 64)
	if n := len(dst); n >= 4 && dst[n-4] == 'e' && dst[n-3] == '-' && dst[n-2] == '0' {
		dst[n-2] = dst[n-1] // e-09 is e-9
		dst = dst[:n-1]
	}
	return dst
}

// appendTime writes milliseconds since 1970 by domain.Layout, whose general formatter is slower.
func appendTime(dst []byte, ms int64) []byte {
	t := time.UnixMilli(ms).UTC()
	year, month, day := t.Date()
	if year < 0 || year > 9999 {
		return append(t.AppendFormat(append(dst, '"'), domain.Layout), '"')
	}
	hour, minute, second := t.Clock()
	dst = append(dst, '"')
	dst = appendDigits(dst, year, 4)
	dst = appendDigits(append(dst, '-'), int(month), 2)
	dst = appendDigits(append(dst, '-'), day, 2)
	dst = appendDigits(append(dst, 'T'), hour, 2)
	dst = appendDigits(append(dst, ':'), minute, 2)
	dst = appendDigits(append(dst, ':'), second, 2)
	dst = appendDigits(append(dst, '.'), t.Nanosecond()/1e6, 3)
	return append(dst, 'Z', '"')
}

func appendDigits(dst []byte, v, width int) []byte {
	for unit := pow10(width - 1); unit > 0; unit /= 10 {
		dst = append(dst, byte('0'+v/unit%10))
	}
	return dst
}

func pow10(n int) int {
	p := 1
	for range n {
		p *= 10
	}
	return p
}

const hexDigits = "0123456789abcdef"

// appendString writes a JSON string as encoding/json does without HTML escaping: what is not UTF-8 becomes \ufffd.
func appendString(dst, s []byte) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c < utf8.RuneSelf && c != '"' && c != '\\' {
			i++
			continue
		}
		size := 1
		if c >= utf8.RuneSelf {
			var r rune
			if r, size = utf8.DecodeRune(s[i:]); !escaped(r, size) {
				i += size
				continue
			}
		}
		dst = append(dst, s[start:i]...)
		dst = appendEscape(dst, s[i:i+size])
		i += size
		start = i
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

// escaped says whether a rune outside ASCII is escaped: broken bytes, and the two line ends of JavaScript.
func escaped(r rune, size int) bool {
	return r == utf8.RuneError && size == 1 || r == '\u2028' || r == '\u2029'
}

func appendEscape(dst, s []byte) []byte {
	if i := bytes.IndexByte([]byte("\"\\\b\f\n\r\t"), s[0]); i >= 0 {
		return append(dst, '\\', "\"\\bfnrt"[i])
	}
	switch {
	case len(s) == 3:
		return append(dst, '\\', 'u', '2', '0', '2', hexDigits[s[2]&0xF])
	case s[0] < 0x20:
		return append(dst, '\\', 'u', '0', '0', hexDigits[s[0]>>4], hexDigits[s[0]&0xF])
	default:
		return append(dst, `\ufffd`...)
	}
}
