package archive

import (
	"encoding/binary"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"example.com/walkaround/storage"
)

// appendRecord writes a record as one BSON document; document and summary are copied, not decoded.
func appendRecord(dst []byte, r storage.Record) []byte {
	at, dst := bsoncore.AppendDocumentStart(dst)
	dst = bsoncore.AppendStringElement(dst, "_id", r.ID)
	dst = bsoncore.AppendInt64Element(dst, "version", r.Version)
	keys, dst := bsoncore.AppendArrayElementStart(dst, "keys")
	for i, k := range r.Keys {
		dst = bsoncore.AppendDocumentElement(dst, fmt.Sprint(i), appendKey(nil, k))
	}
	dst, _ = bsoncore.AppendArrayEnd(dst, keys) // the length of what was begun here
	if r.Summary != nil {
		dst = bsoncore.AppendDocumentElement(dst, "summary", bsoncore.Document(r.Summary))
	}
	dst = bsoncore.AppendDocumentElement(dst, "doc", bsoncore.Document(r.Doc))
	dst, _ = bsoncore.AppendDocumentEnd(dst, at) // likewise
	return dst
}

func appendKey(dst []byte, k storage.KeyValue) []byte {
	at, dst := bsoncore.AppendDocumentStart(dst)
	dst = bsoncore.AppendStringElement(dst, "name", k.Name)
	dst = bsoncore.AppendStringElement(dst, "value", k.Value)
	dst, _ = bsoncore.AppendDocumentEnd(dst, at) // the length of what was begun here
	return dst
}

// parseRecords reads a chunk. What it returns shares its bytes.
func parseRecords(chunk []byte) ([]storage.Record, error) {
	var list []storage.Record
	for rest := chunk; len(rest) > 0; {
		size := uint32(0)
		if len(rest) >= 5 {
			size = binary.LittleEndian.Uint32(rest)
		}
		if size < 5 || int64(size) > int64(len(rest)) {
			return nil, fmt.Errorf("%w: a record ends behind its chunk", ErrDamaged)
		}
		r, err := parseRecord(bson.Raw(rest[:size:size]))
		if err != nil {
			return nil, err
		}
		list, rest = append(list, r), rest[size:]
	}
	return list, nil
}

func parseRecord(raw bson.Raw) (r storage.Record, err error) {
	if err := raw.Validate(); err != nil {
		return r, fmt.Errorf("%w: a record is no BSON: %w", ErrDamaged, err)
	}
	var whole [3]bool
	r.ID, whole[0] = raw.Lookup("_id").StringValueOK()
	r.Version, whole[1] = raw.Lookup("version").Int64OK()
	r.Doc, whole[2] = raw.Lookup("doc").DocumentOK()
	r.Summary, _ = raw.Lookup("summary").DocumentOK()
	keys, ok := raw.Lookup("keys").ArrayOK()
	if !ok || whole != [3]bool{true, true, true} {
		return r, fmt.Errorf("%w: a record lacks a part", ErrDamaged)
	}
	values, err := keys.Values()
	for _, v := range values {
		k, _ := v.DocumentOK() // a nil document holds nothing
		name, hasName := k.Lookup("name").StringValueOK()
		value, hasValue := k.Lookup("value").StringValueOK()
		if !hasName || !hasValue {
			return r, fmt.Errorf("%w: a key lacks a part", ErrDamaged)
		}
		r.Keys = append(r.Keys, storage.KeyValue{Name: name, Value: value})
	}
	return r, err
}
