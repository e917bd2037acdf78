package storage

import (
	"encoding/binary"
	"reflect"
	"time"

	"example.com/walkaround/domain"
)

// String reads a member that is a string; false when it is none.
func (d Document) String(name string) (string, bool) {
	e, ok := d.member(name, typeString)
	return string(text(e.value)), ok
}

// Int reads a member that is an integer; false when it is none.
func (d Document) Int(name string) (int64, bool) {
	if e, ok := d.member(name, typeInt32); ok {
		return int64(int32(binary.LittleEndian.Uint32(e.value))), true //nolint:gosec // two's complement is the format
	}
	e, ok := d.member(name, typeInt64)
	return e.int64(), ok
}

// Bool reads a member; false also when it is absent.
func (d Document) Bool(name string) bool {
	e, ok := d.member(name, typeBool)
	return ok && e.value[0] != 0
}

// Time reads a member that is a time; false when it is none.
func (d Document) Time(name string) (time.Time, bool) {
	e, ok := d.member(name, typeDateTime)
	return domain.At(time.UnixMilli(e.int64())).Time, ok
}

// member finds an element of type typ.
func (d Document) member(name string, typ byte) (element, bool) {
	e, ok := lookup(d.raw, []byte(name))
	return e, ok && e.typ == typ
}

// int64 reads eight bytes; an element that has none is 0.
func (e element) int64() int64 {
	if len(e.value) < 8 {
		return 0
	}
	return int64(binary.LittleEndian.Uint64(e.value)) //nolint:gosec // two's complement is the format
}

// JSON writes a value as it will read once it is stored: byte for byte what Document.AppendJSON makes of it.
func JSON[T any](v T) ([]byte, error) {
	raw, err := marshal(v)
	if err != nil {
		return nil, err
	}
	return Document{raw: raw, form: formOf(reflect.TypeFor[T]())}.AppendJSON(nil), nil
}
