package storage

import (
	"reflect"
	"time"

	"example.com/walkaround/domain"
)

// String reads a member that is a string; false when it is none.
func (d Document) String(name string) (string, bool) {
	return d.raw.Lookup(name).StringValueOK()
}

// Int reads a member that is an integer; false when it is none.
func (d Document) Int(name string) (int64, bool) {
	return d.raw.Lookup(name).AsInt64OK()
}

// Bool reads a member; false also when it is absent.
func (d Document) Bool(name string) bool {
	b, ok := d.raw.Lookup(name).BooleanOK()
	return ok && b
}

// Time reads a member that is a time; false when it is none.
func (d Document) Time(name string) (time.Time, bool) {
	ms, ok := d.raw.Lookup(name).DateTimeOK()
	return domain.At(time.UnixMilli(ms)).Time, ok
}

// JSON writes a value as it will read once it is stored: byte for byte what Document.AppendJSON makes of it.
func JSON[T any](v T) ([]byte, error) {
	raw, err := marshal(v)
	if err != nil {
		return nil, err
	}
	return Document{raw: raw, form: formOf(reflect.TypeFor[T]())}.AppendJSON(nil), nil
}
