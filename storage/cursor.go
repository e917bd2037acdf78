package storage

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf8"
)

// MaxKeyBytes is the largest value of a key and the largest id.
const MaxKeyBytes = 1024

// Cursor names the place of a record in a walk, for Query.After: the value at which it was found, and its id.
func Cursor(at, id string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(at + "\x00" + id))
}

// ParseCursor takes a Cursor apart. ErrCursor when Cursor did not make it.
func ParseCursor(cursor string) (at, id string, err error) {
	raw, err := bare(cursor)
	if err != nil {
		return "", "", err
	}
	at, id, found := strings.Cut(string(raw), "\x00")
	if !found || CheckID(id) != nil || CheckValue(at) != nil {
		return "", "", ErrCursor
	}
	return at, id, nil
}

// bare takes the base64 off, which has line breaks passed over by its decoder.
func bare(cursor string) ([]byte, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || strings.ContainsAny(cursor, "\r\n") {
		return nil, fmt.Errorf("%w: not base64url", ErrCursor)
	}
	return raw, nil
}

// walkBytes is how much of a walk's hash its cursors begin with: enough that none is taken for another's by mistake.
const walkBytes = 8

// walk names the walk that q is in a collection: its key, bounds and direction. Pages of other sizes are the same walk.
func (q Query) walk(collection string) []byte {
	var parts []byte
	for _, part := range []string{collection, q.Key, q.Equal, q.Prefix, q.From, q.To} {
		parts = append(binary.AppendUvarint(parts, uint64(len(part))), part...)
	}
	if q.Desc {
		parts = append(parts, 1)
	}
	sum := sha256.Sum256(parts)
	return sum[:walkBytes]
}

// cursor is what Collection returns as Page.Next: the place, behind the name of the walk that it belongs to.
func (q Query) cursor(collection string, last Record) string {
	return base64.RawURLEncoding.EncodeToString(append(q.walk(collection), last.At+"\x00"+last.ID...))
}

// engines is q as an engine takes it: with the bare Cursor of the place. ErrCursor for one of another walk, which would go
// on at a place that means nothing here.
func (q Query) engines(collection string) (Query, error) {
	if q.After == "" {
		return q, nil
	}
	raw, err := bare(q.After)
	if err != nil || len(raw) == walkBytes || !bytes.HasPrefix(raw, q.walk(collection)) {
		return q, fmt.Errorf("%w: not of this list", ErrCursor)
	}
	q.After = base64.RawURLEncoding.EncodeToString(raw[walkBytes:])
	return q, nil
}

// CheckValue says whether s can be a key's value: UTF-8 without U+0000, at most MaxKeyBytes. ErrValue otherwise.
func CheckValue(s string) error {
	if len(s) > MaxKeyBytes || !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0 {
		return ErrValue
	}
	return nil
}

// CheckID says whether s can be an id: what a value can be, and not empty. ErrValue otherwise.
func CheckID(s string) error {
	if s == "" {
		return ErrValue
	}
	return CheckValue(s)
}

// bound is one end of a walk: (value, id), compared as bytes.
type bound struct{ value, id string }

func (b bound) less(o bound) bool {
	return b.value < o.value || b.value == o.value && b.id < o.id
}

// above is greater than every value that starts with what it is appended to: UTF-8 has no byte 0xFF.
const above = "\xff"

// Span is a checked Query: what an engine walks. It is made by Query.Span.
type Span struct {
	From, To          string // the query's own bounds: From ≤ value < To
	LowValue, LowID   string // Low < (value, id) < High: the bounds, and the cursor
	HighValue, HighID string
	desc              bool
}

// Span checks q and turns its bounds and its cursor into a span. ErrCursor, ErrValue; other mistakes of the caller are
// errors of their own.
func (q Query) Span() (Span, error) {
	if q.Limit < 1 || q.Limit > MaxFind+1 {
		return Span{}, fmt.Errorf("storage: limit %d is not within 1 to %d", q.Limit, MaxFind)
	}
	low, high, err := q.bounds()
	if err != nil {
		return Span{}, err
	}
	s := Span{From: low.value, To: high.value, desc: q.Desc}
	if q.After != "" {
		if low, high, err = q.behind(low, high); err != nil {
			return Span{}, err
		}
	}
	s.LowValue, s.LowID, s.HighValue, s.HighID = low.value, low.id, high.value, high.id
	return s, nil
}

// behind moves the end at which the walk starts to the cursor.
func (q Query) behind(low, high bound) (bound, bound, error) {
	at, id, err := ParseCursor(q.After)
	if err != nil {
		return low, high, err
	}
	after := bound{at, id}
	if q.Desc && after.less(high) {
		high = after
	}
	if !q.Desc && low.less(after) {
		low = after
	}
	return low, high, nil
}

// Earlier says whether a walk meets value before at, so that a document found at at was returned already.
func (s Span) Earlier(value []byte, at string) bool {
	if string(value) < s.From || string(value) >= s.To {
		return false
	}
	if s.desc {
		return string(value) > at
	}
	return string(value) < at
}

func (q Query) bounds() (low, high bound, err error) {
	given := 0
	for _, b := range []bool{q.Equal != "", q.Prefix != "", q.From != "" || q.To != ""} {
		if b {
			given++
		}
	}
	if given > 1 {
		return low, high, fmt.Errorf("storage: query of %s is bounded more than once", q.Key)
	}
	for _, v := range []string{q.Equal, q.Prefix, q.From, q.To} {
		if err := CheckValue(v); err != nil {
			return low, high, err
		}
	}
	switch {
	case q.Equal != "":
		return bound{value: q.Equal}, bound{value: q.Equal + "\x00"}, nil
	case q.Prefix != "":
		return bound{value: q.Prefix}, bound{value: q.Prefix + above}, nil
	case q.To != "":
		return bound{value: q.From}, bound{value: q.To}, nil
	default:
		return bound{value: q.From}, bound{value: above}, nil
	}
}
