package mongo

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"golang.org/x/sync/errgroup"

	"example.com/walkaround/storage"
)

// What of a stored document is read.
var (
	getFields   = fieldsOf(versionField, sumsField, writeField, docField)
	listFields  = fieldsOf(versionField, sumsField, keysField, manyField, summaryField)
	wholeFields = fieldsOf(versionField, sumsField, keysField, manyField, summaryField, docField)
	headFields  = fieldsOf(versionField, writeField)
)

func fieldsOf(names ...string) bson.D {
	var projection bson.D
	for _, name := range names {
		projection = append(projection, bson.E{Key: name, Value: 1})
	}
	return projection
}

// Get returns a record with its document.
func (e *Engine) Get(ctx context.Context, collection, id string) (storage.Record, error) {
	c, err := e.declared(collection)
	if err != nil {
		return storage.Record{}, err
	}
	limited, done, err := e.begin(ctx)
	if err != nil {
		return storage.Record{}, err
	}
	defer done()
	r, err := c.get(limited, id)
	if err != nil {
		return storage.Record{}, fmt.Errorf("%s %s: %w", collection, id, failure(ctx, err))
	}
	return r, nil
}

func (c *collection) get(ctx context.Context, id string) (storage.Record, error) {
	f, err := c.one(ctx, id, getFields)
	if err != nil {
		return storage.Record{}, err
	}
	if f.record.ID != id || !f.bodyOK() {
		return storage.Record{}, storage.ErrCorrupt
	}
	c.made.note(id, f.record.Version, f.write)
	return storage.Record{ID: id, Version: f.record.Version, Doc: f.record.Doc}, nil
}

// one reads some fields of one stored document. ErrNotFound, ErrCorrupt.
func (c *collection) one(ctx context.Context, id string, projection bson.D) (fields, error) {
	if storage.CheckID(id) != nil {
		return fields{}, storage.ErrNotFound
	}
	raw, err := c.FindOne(ctx, bson.D{{Key: idField, Value: id}}, options.FindOne().SetProjection(projection)).Raw()
	if errors.Is(err, mongo.ErrNoDocuments) {
		return fields{}, storage.ErrNotFound
	}
	if err != nil {
		return fields{}, err
	}
	f, ok := parse(raw)
	if !ok {
		return fields{}, storage.ErrCorrupt
	}
	return f, nil
}

// Find walks a declared key: those of its values that stand alone in their documents, and beside it those that do not. Each
// of the two walks gives its first records in order, so the first of both are the first of all.
func (e *Engine) Find(ctx context.Context, collection string, q storage.Query) ([]storage.Record, error) {
	c, err := e.declared(collection)
	if err != nil {
		return nil, err
	}
	if !c.keys[q.Key] {
		return nil, fmt.Errorf("%s: key %q: %w", collection, q.Key, storage.ErrUndeclared)
	}
	span, err := q.Span()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", collection, err)
	}
	limited, done, err := e.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	w := &walk{collection: c, query: q, span: span}
	records, err := w.run(limited)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", collection, failure(ctx, err))
	}
	return records, nil
}

// walk is one page of a Find.
type walk struct {
	collection *collection
	query      storage.Query
	span       storage.Span
}

// A page is walked again when one of its records was deleted while its document was read: short, it would be taken for the last.
const pageTries = 5

var errGone = fmt.Errorf("%w: storage/mongo: records are deleted faster than they are read", storage.ErrUnavailable)

func (w *walk) run(ctx context.Context) (records []storage.Record, err error) {
	for range pageTries {
		if records, err = w.page(ctx); !errors.Is(err, errGone) {
			break
		}
	}
	return records, err
}

func (w *walk) page(ctx context.Context) ([]storage.Record, error) {
	var single, many []storage.Record
	together, inner := errgroup.WithContext(ctx)
	together.Go(func() (err error) {
		single, err = w.single(inner)
		return err
	})
	together.Go(func() (err error) {
		many, err = w.many(inner)
		return err
	})
	if err := together.Wait(); err != nil {
		return nil, err
	}
	records := w.merge(single, many)
	if !w.query.SkipDamaged {
		for _, r := range records {
			if r.Damaged != nil {
				return nil, r.Damaged
			}
		}
	}
	return w.fill(ctx, records)
}

// merge takes the first records of two lists that are in order. A document that changed between the two reads may be in both.
func (w *walk) merge(a, b []storage.Record) []storage.Record {
	all := append(a, b...)
	slices.SortFunc(all, w.compare)
	seen := make(map[string]bool, len(all))
	all = slices.DeleteFunc(all, func(r storage.Record) bool {
		again := seen[r.ID]
		seen[r.ID] = true
		return again
	})
	return all[:min(len(all), w.query.Limit)]
}

// compare orders records as the walk meets them.
func (w *walk) compare(a, b storage.Record) int {
	order := strings.Compare(a.At, b.At)
	if order == 0 {
		order = strings.Compare(a.ID, b.ID)
	}
	if w.query.Desc {
		return -order
	}
	return order
}

// fill adds the document to what a list found without a summary.
func (w *walk) fill(ctx context.Context, records []storage.Record) ([]storage.Record, error) {
	if w.query.Whole {
		return records, nil
	}
	var ids []string
	for _, r := range records {
		if r.Summary == nil && r.Damaged == nil {
			ids = append(ids, r.ID)
		}
	}
	if len(ids) == 0 {
		return records, nil
	}
	found, err := w.collection.read(ctx, bson.D{{Key: idField, Value: bson.D{{Key: "$in", Value: ids}}}}, bounded(len(ids)).SetProjection(getFields).SetHint(idIndex), noLimit)
	if err != nil {
		return nil, err
	}
	docs := make(map[string]fields, len(found))
	for _, f := range found {
		docs[f.record.ID] = f
	}
	return w.filled(records, docs)
}

func (w *walk) filled(records []storage.Record, docs map[string]fields) ([]storage.Record, error) {
	kept := records[:0]
	for _, r := range records {
		f, ok := docs[r.ID]
		switch {
		case r.Summary != nil || r.Damaged != nil:
		case !ok:
			return nil, errGone
		case f.bodyOK():
			r.Version, r.Doc = f.record.Version, f.record.Doc
		case !w.query.SkipDamaged:
			return nil, damaged(w.collection.Name(), r.ID)
		default:
			r = storage.Record{ID: r.ID, At: r.At, Damaged: damaged(w.collection.Name(), r.ID)}
		}
		kept = append(kept, r)
	}
	return kept, nil
}

// idIndex is the name that MongoDB gives to its own index of every collection.
const idIndex = "_id_"

// noLimit is of a page, whose documents the caller wants all.
const noLimit = math.MaxInt

// bounded asks for so many documents, and for all of them in one answer.
func bounded(limit int) *options.FindOptionsBuilder {
	return options.Find().SetLimit(int64(limit)).SetBatchSize(int32(limit) + 1) //nolint:gosec // a page is short
}

// read runs a query, and ends it when enough bytes have come.
func (c *collection) read(ctx context.Context, filter bson.D, o *options.FindOptionsBuilder, enough int) ([]fields, error) {
	cursor, err := c.Find(ctx, filter, o)
	if err != nil {
		return nil, err
	}
	var list []fields
	for size := 0; size < enough && cursor.Next(ctx); size += len(cursor.Current) {
		f, ok := parse(cursor.Current)
		if !ok {
			f.sums = ^sums(f.record, f.record.Keys) // both are wrong
		}
		list = append(list, f)
	}
	if err := cursor.Err(); err != nil {
		return nil, errors.Join(err, cursor.Close(ctx))
	}
	return list, cursor.Close(ctx)
}

// options of a query of this walk: what it reads, by which index, in what order, and how many.
func (w *walk) options(index string, limit int, order ...string) *options.FindOptionsBuilder {
	projection := listFields
	if w.query.Whole {
		projection = wholeFields
	}
	o := bounded(limit).SetProjection(projection).SetHint(index)
	if len(order) == 0 {
		return o
	}
	var sort bson.D
	for _, field := range order {
		sort = append(sort, bson.E{Key: field, Value: w.way()})
	}
	return o.SetSort(sort)
}

func (w *walk) way() int32 {
	if w.query.Desc {
		return down
	}
	return up
}

// record is what Find returns of a stored document.
func (w *walk) record(f fields, at string) storage.Record {
	if !f.headOK() || w.query.Whole && !f.bodyOK() {
		return storage.Record{ID: f.record.ID, At: at, Damaged: damaged(w.collection.Name(), f.record.ID)}
	}
	r := f.record
	r.At, r.Keys = at, nil
	return r
}

// single walks the values that stand alone in their documents. Both queries are a range of one index that is not
// multikey, in its order: MongoDB sorts nothing, and mongos merges what the shards give.
func (w *walk) single(ctx context.Context) ([]storage.Record, error) {
	field := keyIndex(w.query.Key)
	var records []storage.Record
	for _, part := range w.parts() {
		filter, order := bson.D{{Key: field, Value: part.values()}}, []string{field, idField}
		if part.equal {
			filter, order = append(filter, part.ids(w.query.Desc)...), order[1:]
		}
		list, err := w.collection.read(ctx, filter, w.options(field, w.query.Limit-len(records), order...), noLimit)
		if err != nil {
			return nil, err
		}
		for _, f := range list {
			at := ""
			if v := f.values(w.query.Key); len(v) > 0 {
				at = v[0]
			}
			records = append(records, w.record(f, at))
		}
		if len(records) >= w.query.Limit {
			break
		}
	}
	return records, nil
}

// part is a piece of a walk: the rest of one value's documents, or all values of a range.
type part struct {
	equal     bool
	low, high string // the value, in low; otherwise low ≤ value < high
	open      bool   // high does not count: there is no upper end
	id        string // of an equal part: the walk goes on behind it; empty: from its start
}

// parts cuts a walk where its cursor stands, so that each is one range of (value, id).
func (w *walk) parts() []part {
	s := w.span
	if w.query.Desc {
		return w.partsDown()
	}
	switch {
	case w.query.Equal != "" && s.LowValue == w.query.Equal:
		return []part{{equal: true, low: s.LowValue, id: s.LowID}}
	case w.query.Equal != "" || s.LowValue >= s.HighValue:
		return nil
	case s.LowID != "":
		return []part{{equal: true, low: s.LowValue, id: s.LowID}, between(s.LowValue+"\x00", s.HighValue)}
	default:
		return []part{between(s.LowValue, s.HighValue)}
	}
}

func (w *walk) partsDown() []part {
	s := w.span
	switch {
	case w.query.Equal != "" && (s.HighID == "" || s.HighValue == w.query.Equal):
		return []part{{equal: true, low: w.query.Equal, id: s.HighID}}
	case w.query.Equal != "" || s.LowValue > s.HighValue:
		return nil
	case s.HighID != "":
		return []part{{equal: true, low: s.HighValue, id: s.HighID}, between(s.LowValue, s.HighValue)}
	default:
		return []part{between(s.LowValue, s.HighValue)}
	}
}

// between is a range whose upper end MongoDB can be told: text, and not the byte 0xFF that Span puts behind a prefix.
func between(low, high string) part {
	prefix, isPrefix := strings.CutSuffix(high, "\xff")
	if !isPrefix {
		return part{low: low, high: high}
	}
	next, ok := successor(prefix)
	return part{low: low, high: next, open: !ok}
}

// successor is the least text above all that begin with prefix; false when there is none.
func successor(prefix string) (string, bool) {
	for prefix != "" {
		last, size := utf8.DecodeLastRuneInString(prefix)
		prefix = prefix[:len(prefix)-size]
		switch {
		case last == 0xD7FF: // the surrogates behind it are no characters
			return prefix + "\uE000", true
		case last < utf8.MaxRune:
			return prefix + string(last+1), true
		}
	}
	return "", false
}

// values is the condition on the value.
func (p part) values() any {
	switch {
	case p.equal:
		return p.low
	case p.open:
		return bson.D{{Key: "$gte", Value: p.low}}
	default:
		return bson.D{{Key: "$gte", Value: p.low}, {Key: "$lt", Value: p.high}}
	}
}

// ids is the condition on the id in an equal part.
func (p part) ids(desc bool) bson.D {
	switch {
	case p.id == "":
		return nil
	case desc:
		return bson.D{{Key: idField, Value: bson.D{{Key: "$lt", Value: p.id}}}}
	default:
		return bson.D{{Key: idField, Value: bson.D{{Key: "$gt", Value: p.id}}}}
	}
}
