package storage

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// registry is the driver's own, save that raw JSON that is absent is null and not an empty binary.
var registry = newRegistry()

func newRegistry() *bson.Registry {
	r := bson.NewRegistry()
	r.RegisterTypeEncoder(reflect.TypeFor[json.RawMessage](), bson.ValueEncoderFunc(encodeRawJSON))
	r.RegisterTypeEncoder(reflect.TypeFor[map[string]string](), bson.ValueEncoderFunc(encodeSorted))
	return r
}

// encodeSorted writes a map in the order of its names, so that what did not change is stored as it was.
func encodeSorted(_ bson.EncodeContext, w bson.ValueWriter, v reflect.Value) error {
	document, err := w.WriteDocument()
	if err != nil {
		return err
	}
	names := make([]string, 0, v.Len())
	for _, name := range v.MapKeys() {
		names = append(names, name.String())
	}
	slices.Sort(names)
	for _, name := range names {
		member, err := document.WriteDocumentElement(name)
		if err != nil {
			return err
		}
		if err := member.WriteString(v.MapIndex(reflect.ValueOf(name)).String()); err != nil {
			return err
		}
	}
	return document.WriteDocumentEnd()
}

func encodeRawJSON(_ bson.EncodeContext, w bson.ValueWriter, v reflect.Value) error {
	if v.Len() == 0 {
		return w.WriteNull()
	}
	return w.WriteBinary(v.Bytes())
}

// marshal makes BSON of v: nil slices are empty arrays and nil maps empty documents, so that no list is ever null.
func marshal(v any) (bson.Raw, error) {
	var buf bytes.Buffer
	enc := bson.NewEncoder(bson.NewDocumentWriter(&buf))
	enc.NilSliceAsEmpty()
	enc.NilMapAsEmpty()
	enc.SetRegistry(registry)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("storage: encode %T: %w", v, err)
	}
	return buf.Bytes(), nil
}

// unmarshal reads raw into v, a pointer to a zero value. Nothing of raw is referred to afterwards. The driver's own
// registry serves here, as ours differs in encoding alone, and this way in reads the bytes where they lie.
func unmarshal(raw bson.Raw, v any) error {
	if err := bson.Unmarshal(raw, v); err != nil {
		return fmt.Errorf("%w: decode %T: %w", ErrCorrupt, v, err)
	}
	return nil
}

// keepUnknown returns fresh with the members of old that f does not know, at every depth of nested structs, so that
// what a newer replica stored survives a change by an older one. Slices and maps are taken from fresh as they are.
func keepUnknown(fresh, old bson.Raw, f *form) bson.Raw {
	if !hasUnknown(old, f) {
		return fresh
	}
	return appendKept(make([]byte, 0, len(fresh)+len(old)), fresh, old, f)
}

func hasUnknown(doc []byte, f *form) bool {
	if !f.isStruct() || f.open {
		return false
	}
	expected := 0
	for rest := elements(doc); ; {
		e, tail, ok := next(rest)
		if !ok {
			return false
		}
		rest = tail
		i, known := f.find(e.name, expected)
		if !known || e.typ == typeDocument && hasUnknown(e.value, f.members[i].form) {
			return true
		}
		expected = i + 1
	}
}

// appendKept appends the document that has all of fresh, and of old what f does not know.
func appendKept(dst, fresh, old []byte, f *form) []byte {
	start := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	for rest := elements(fresh); ; {
		e, tail, ok := next(rest)
		if !ok {
			break
		}
		rest = tail
		dst = appendMerged(dst, e, old, f)
	}
	for rest := elements(old); ; {
		e, tail, ok := next(rest)
		if !ok {
			break
		}
		rest = tail
		if _, known := f.index[string(e.name)]; !known {
			dst = append(dst, e.whole...)
		}
	}
	dst = append(dst, 0)
	binary.LittleEndian.PutUint32(dst[start:], uint32(len(dst)-start)) //nolint:gosec // both documents are under 16 MiB
	return dst
}

// appendMerged appends one member of the fresh document, with what a nested struct kept.
func appendMerged(dst []byte, e element, old []byte, f *form) []byte {
	i, known := f.index[string(e.name)]
	if !known || e.typ != typeDocument {
		return append(dst, e.whole...)
	}
	before, ok := lookup(old, e.name)
	if !ok || before.typ != typeDocument || !hasUnknown(before.value, f.members[i].form) {
		return append(dst, e.whole...)
	}
	dst = append(dst, e.whole[:len(e.whole)-len(e.value)]...)
	return appendKept(dst, e.value, before.value, f.members[i].form)
}

func lookup(doc, name []byte) (element, bool) {
	for rest := elements(doc); ; {
		e, tail, ok := next(rest)
		if !ok || bytes.Equal(e.name, name) {
			return e, ok
		}
		rest = tail
	}
}
