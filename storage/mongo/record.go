package mongo

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"example.com/walkaround/storage"
)

// The fields of a stored document. A key with one value in a document stands in keys, by its name; one with several in many,
// an entry each, "name:value" (a name has no colon). So an index of keys.name is never a multikey index, of which MongoDB
// would sort what a range finds; one index of many serves all keys of a collection.
const (
	idField      = "_id"
	versionField = "version"
	sumsField    = "sums"    // see sums
	writeField   = "write"   // id of the write that made this version
	keysField    = "keys"    // absent when there is none
	manyField    = "many"    // absent when there is none
	summaryField = "summary" // absent when there is none
	docField     = "doc"     // the document as it was given, field by field: MongoDB keeps their order
)

// stored is a document as MongoDB keeps it.
func stored(r storage.Record, write bson.ObjectID) bson.Raw {
	keys := storage.SortKeys(slices.Clone(r.Keys))
	b := make([]byte, 0, len(r.Doc)+len(r.Summary)+512)
	start, b := bsoncore.AppendDocumentStart(b)
	b = bsoncore.AppendStringElement(b, idField, r.ID)
	b = bsoncore.AppendInt64Element(b, versionField, r.Version)
	b = bsoncore.AppendInt64Element(b, sumsField, sums(r, keys))
	b = bsoncore.AppendObjectIDElement(b, writeField, write)
	b = appendKeys(b, keys)
	if r.Summary != nil {
		b = bsoncore.AppendDocumentElement(b, summaryField, r.Summary)
	}
	b = bsoncore.AppendDocumentElement(b, docField, r.Doc)
	b, _ = bsoncore.AppendDocumentEnd(b, start) // start lies within b
	return b
}

// appendKeys writes sorted entries.
func appendKeys(b []byte, keys []storage.KeyValue) []byte {
	single := bsoncore.NewDocumentBuilder()
	many := bsoncore.NewArrayBuilder()
	singles, several := 0, 0
	for i, k := range keys {
		if i > 0 && keys[i-1].Name == k.Name || i+1 < len(keys) && keys[i+1].Name == k.Name {
			many.AppendString(entry(k.Name, k.Value))
			several++
			continue
		}
		single.AppendString(k.Name, k.Value)
		singles++
	}
	if singles > 0 {
		b = bsoncore.AppendDocumentElement(b, keysField, single.Build())
	}
	if several > 0 {
		b = bsoncore.AppendArrayElement(b, manyField, many.Build())
	}
	return b
}

// entry is a key's value as it stands in many.
func entry(name, value string) string { return name + ":" + value }

// fields are those of a stored document, as far as they were read.
type fields struct {
	record storage.Record // its Keys are sorted
	sums   int64
	write  bson.ObjectID
}

// parse takes a stored document apart and copies what it keeps. False when it is none: what could be read is returned.
func parse(raw bson.Raw) (f fields, ok bool) {
	elements, err := raw.Elements()
	ok = err == nil
	for _, e := range elements {
		ok = f.take(e) && ok
	}
	f.record.Keys = storage.SortKeys(f.record.Keys)
	return f, ok && f.record.ID != ""
}

func (f *fields) take(e bson.RawElement) (ok bool) {
	value := e.Value()
	switch e.Key() {
	case idField:
		f.record.ID, ok = value.StringValueOK()
	case versionField:
		f.record.Version, ok = value.Int64OK()
	case sumsField:
		f.sums, ok = value.Int64OK()
	case writeField:
		f.write, ok = value.ObjectIDOK()
	case keysField:
		ok = f.takeKeys(value)
	case manyField:
		ok = f.takeMany(value)
	case summaryField:
		f.record.Summary, ok = document(value)
	case docField:
		f.record.Doc, ok = document(value)
	}
	return ok
}

func (f *fields) takeKeys(value bson.RawValue) bool {
	keys, ok := value.DocumentOK()
	if !ok {
		return false
	}
	elements, err := keys.Elements()
	for _, e := range elements {
		text, isText := e.Value().StringValueOK()
		f.record.Keys, ok = append(f.record.Keys, storage.KeyValue{Name: e.Key(), Value: text}), ok && isText
	}
	return ok && err == nil
}

func (f *fields) takeMany(value bson.RawValue) bool {
	many, ok := value.ArrayOK()
	if !ok {
		return false
	}
	entries, err := many.Values()
	for _, e := range entries {
		text, isText := e.StringValueOK()
		name, value, isEntry := strings.Cut(text, ":")
		f.record.Keys, ok = append(f.record.Keys, storage.KeyValue{Name: name, Value: value}), ok && isText && isEntry
	}
	return ok && err == nil
}

// document copies an embedded document.
func document(value bson.RawValue) (bson.Raw, bool) {
	doc, ok := value.DocumentOK()
	return slices.Clone(doc), ok
}

// values are those of one key, in order.
func (f *fields) values(name string) (values []string) {
	for _, k := range f.record.Keys {
		if k.Name == name {
			values = append(values, k.Value)
		}
	}
	return values
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sums are two, so that a list need not read the document: one over id, version, keys and summary, one over id, version and
// document. They show what was changed in the database by hand, or bytes that came back other than they were given; not a
// forger, whom the chain of events shows.
func sums(r storage.Record, keys []storage.KeyValue) int64 {
	return int64(uint64(headSum(r, keys))<<32 | uint64(bodySum(r))) //nolint:gosec // 64 bits are kept as they are
}

func seed(r storage.Record) uint32 {
	return crc32.Update(0, castagnoli, binary.AppendVarint(append([]byte(r.ID), 0), r.Version))
}

func headSum(r storage.Record, keys []storage.KeyValue) uint32 {
	sum := seed(r)
	for _, k := range keys {
		sum = crc32.Update(sum, castagnoli, []byte(k.Name+"\x00"+k.Value+"\x00"))
	}
	if r.Summary == nil {
		return sum
	}
	return crc32.Update(sum^1, castagnoli, r.Summary)
}

func bodySum(r storage.Record) uint32 { return crc32.Update(seed(r), castagnoli, r.Doc) }

func (f *fields) headOK() bool { return uint32(uint64(f.sums)>>32) == headSum(f.record, f.record.Keys) } //nolint:gosec // the upper half

func (f *fields) bodyOK() bool { return uint32(uint64(f.sums)) == bodySum(f.record) } //nolint:gosec // the lower half

func damaged(collection, id string) error {
	return fmt.Errorf("%w: %s %s", storage.ErrCorrupt, collection, id)
}
