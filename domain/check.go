package domain

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxFaults is how many wrong values one answer lists.
const maxFaults = 100

// Faults gathers every value that is wrong, so that a client hears of all of them at once: the first hundred.
type Faults struct{ fields []Field }

// Add notes a fault at a JSON pointer.
func (f *Faults) Add(pointer string, code Code, format string, args ...any) {
	if len(f.fields) < maxFaults {
		f.fields = append(f.fields, Field{Pointer: pointer, Code: code, Message: fmt.Sprintf(format, args...)})
	}
}

// Text holds s to at most limit characters, without control characters other than tab and line feeds.
func (f *Faults) Text(pointer, s string, limit int) {
	if n := utf8.RuneCountInString(s); n > limit {
		f.Add(pointer, CodeTooLong, "%d characters; at most %d are taken", n, limit)
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0x7f }) {
		f.Add(pointer, CodeMalformed, "control characters are not taken")
	}
}

// Line is Text of one line that can be seen: a name, a plate, a phone number.
func (f *Faults) Line(pointer, s string, limit int) {
	f.Text(pointer, s, limit)
	if strings.ContainsAny(s, "\r\n\t\u2028\u2029") {
		f.Add(pointer, CodeMalformed, "one line is taken, without tabs")
	}
	if s != "" && !strings.ContainsFunc(s, unicode.IsGraphic) {
		f.Add(pointer, CodeMalformed, "nothing of it can be seen")
	}
}

// Required is Text of a value that must be there.
func (f *Faults) Required(pointer, s string, limit int) {
	if strings.TrimSpace(s) == "" {
		f.Add(pointer, CodeRequired, "must not be empty")
	}
	f.Text(pointer, s, limit)
}

// RequiredLine is Line of a value that must be there.
func (f *Faults) RequiredLine(pointer, s string, limit int) {
	if strings.TrimSpace(s) == "" {
		f.Add(pointer, CodeRequired, "must not be empty")
	}
	f.Line(pointer, s, limit)
}

// Count holds a list to at most limit entries.
func (f *Faults) Count(pointer string, n, limit int) {
	if n > limit {
		f.Add(pointer, CodeTooMany, "%d entries; at most %d are taken", n, limit)
	}
}

// Range holds a number, if there is one, to low … high.
func (f *Faults) Range(pointer string, n *int64, low, high int64) {
	if n != nil && (*n < low || *n > high) {
		f.Add(pointer, CodeOutOfRange, "%d is not from %d to %d", *n, low, high)
	}
}

// ID holds a value to the form of an id.
func (f *Faults) ID(pointer, id string) {
	if !ValidID(id) {
		f.Add(pointer, CodeMalformed, "not a UUID in lower case")
	}
}

// IDs holds a list of ids to limit, form and uniqueness.
func (f *Faults) IDs(pointer string, ids []string, limit int) {
	f.Count(pointer, len(ids), limit)
	for i, id := range ids {
		f.ID(fmt.Sprintf("%s/%d", pointer, i), id)
	}
	Unique(f, pointer, ids, func(id string) string { return id })
}

// Err is the refusal of everything noted, or nil.
func (f *Faults) Err() error { return Invalid(f.fields) }

// OneOf holds a value to its enumeration; the zero value passes, since a section may be saved incomplete.
func OneOf[T ~string](f *Faults, pointer string, value T, known ...T) {
	if value != "" && !slices.Contains(known, value) {
		f.Add(pointer, CodeUnknown, "%q is not one of %v", string(value), known)
	}
}

// Unique notes entries whose name stood before in the list.
func Unique[T any](f *Faults, pointer string, list []T, name func(T) string) {
	seen := make(map[string]bool, len(list))
	for i, entry := range list {
		if n := name(entry); n != "" && seen[n] {
			f.Add(fmt.Sprintf("%s/%d", pointer, i), CodeDuplicate, "%q stands twice", n)
		} else {
			seen[n] = true
		}
	}
}
