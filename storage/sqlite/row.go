package sqlite

import (
	"encoding/binary"
	"hash/crc32"
	"math"

	"github.com/ncruces/go-sqlite3"
	"go.mongodb.org/mongo-driver/v2/bson"

	"example.com/walkaround/storage"
)

// A row carries two sums, so that a list need not read the document: one over id, version, keys and summary, one over
// id, version and document. They show bytes that changed on the disk, not a forger, whom the chain of events shows.

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// seed is the sum of what both sums cover: the id, where it ends, and the version.
func seed(id string, version int64) uint32 {
	var b [64]byte
	return crc32.Update(0, castagnoli, binary.AppendVarint(append(append(b[:0], id...), 0), version))
}

func headSum(id string, version int64, keys, summary []byte) uint32 {
	sum := seed(id, version)
	sum = crc32.Update(sum, castagnoli, keys)
	if summary == nil {
		return sum
	}
	return crc32.Update(sum^1, castagnoli, summary)
}

func bodySum(id string, version int64, doc []byte) uint32 {
	return crc32.Update(seed(id, version), castagnoli, doc)
}

func sums(r storage.Record, keys []byte) int64 {
	head, body := headSum(r.ID, r.Version, keys, r.Summary), bodySum(r.ID, r.Version, r.Doc)
	return int64(uint64(head)<<32 | uint64(body)) //nolint:gosec // 64 bits are kept as they are
}

func headOK(sums int64, id string, version int64, keys, summary []byte) bool {
	return uint32(uint64(sums)>>32) == headSum(id, version, keys, summary) //nolint:gosec // the upper half
}

func bodyOK(sums int64, id string, version int64, doc []byte) bool {
	return uint32(uint64(sums)) == bodySum(id, version, doc) //nolint:gosec // the lower half
}

// packKeys writes entries one after the other, each name and value behind its length.
func packKeys(keys []storage.KeyValue) []byte {
	b := make([]byte, 0, 32*len(keys))
	for _, k := range keys {
		b = append(binary.AppendUvarint(b, uint64(len(k.Name))), k.Name...)
		b = append(binary.AppendUvarint(b, uint64(len(k.Value))), k.Value...)
	}
	return b
}

// nextKey cuts an entry off packed keys; false at the end.
func nextKey(b []byte) (name, value, rest []byte, ok bool) {
	if name, b, ok = cut(b); !ok {
		return nil, nil, nil, false
	}
	value, rest, ok = cut(b)
	return name, value, rest, ok
}

func cut(b []byte) (part, rest []byte, ok bool) {
	n, size := binary.Uvarint(b)
	if size <= 0 || n > math.MaxInt32 || int(n) > len(b)-size {
		return nil, nil, false
	}
	end := size + int(n)
	return b[size:end], b[end:], true
}

func unpackKeys(b []byte) []storage.KeyValue {
	var keys []storage.KeyValue
	for name, value, rest, ok := nextKey(b); ok; name, value, rest, ok = nextKey(rest) {
		keys = append(keys, storage.KeyValue{Name: string(name), Value: string(value)})
	}
	return keys
}

// blob copies a column, so that it outlives the statement; nil for NULL.
func blob(s *sqlite3.Stmt, column int) bson.Raw {
	b := s.ColumnRawBlob(column)
	if b == nil {
		return nil
	}
	return append(make(bson.Raw, 0, len(b)), b...)
}
