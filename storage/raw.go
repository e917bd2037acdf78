package storage

import (
	"bytes"
	"encoding/binary"
	"math"
)

// BSON's element types, as far as the driver's codec writes them for Go values.
const (
	typeDouble   = 0x01
	typeString   = 0x02
	typeDocument = 0x03
	typeArray    = 0x04
	typeBinary   = 0x05
	typeObjectID = 0x07
	typeBool     = 0x08
	typeDateTime = 0x09
	typeNull     = 0x0A
	typeSymbol   = 0x0E
	typeInt32    = 0x10
	typeInt64    = 0x12
)

// element is one member of a document; its slices lie inside the document's bytes.
type element struct {
	typ   byte
	name  []byte
	value []byte
	whole []byte // type, name and value
}

// elements returns what lies between a document's length and its closing zero; nil for what is no document.
func elements(doc []byte) []byte {
	if len(doc) < 5 || int64(binary.LittleEndian.Uint32(doc)) != int64(len(doc)) || doc[len(doc)-1] != 0 {
		return nil
	}
	return doc[4 : len(doc)-1]
}

// next cuts the first element off. It is false at the end, and where the bytes are damaged.
func next(b []byte) (e element, rest []byte, ok bool) {
	if len(b) < 2 {
		return e, nil, false
	}
	end := bytes.IndexByte(b[1:], 0)
	if end < 0 {
		return e, nil, false
	}
	head := end + 2
	size, ok := valueSize(b[0], b[head:])
	if !ok || size > len(b)-head {
		return e, nil, false
	}
	e = element{typ: b[0], name: b[1 : end+1], value: b[head : head+size], whole: b[:head+size]}
	return e, b[head+size:], true
}

// valueSize is the number of bytes of a value of type typ at the start of b.
func valueSize(typ byte, b []byte) (int, bool) {
	switch typ {
	case 0x06, typeNull, 0x7F, 0xFF:
		return 0, true
	case typeBool:
		return 1, true
	case typeInt32:
		return 4, true
	case typeDouble, typeDateTime, 0x11, typeInt64:
		return 8, true
	case typeObjectID:
		return 12, true
	case 0x13:
		return 16, true
	case typeString, 0x0D, typeSymbol:
		return prefixed(b, 4)
	case typeDocument, typeArray, 0x0F:
		return prefixed(b, 0)
	case typeBinary:
		return prefixed(b, 5)
	default:
		return 0, false
	}
}

// prefixed reads a length that stands before extra bytes it does not count itself.
func prefixed(b []byte, extra int) (int, bool) {
	if len(b) < 4 {
		return 0, false
	}
	n := binary.LittleEndian.Uint32(b)
	if n > math.MaxInt32 {
		return 0, false
	}
	return int(n) + extra, true
}

// text is the bytes of a BSON string without its length and its closing zero.
func text(value []byte) []byte {
	if len(value) < 5 {
		return nil
	}
	return value[4 : len(value)-1]
}
