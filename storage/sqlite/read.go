package sqlite

import (
	"context"
	"fmt"

	"github.com/ncruces/go-sqlite3"

	"example.com/walkaround/storage"
)

// Get returns a record with its document.
func (e *Engine) Get(ctx context.Context, collection, id string) (storage.Record, error) {
	t, err := e.table(collection)
	if err != nil {
		return storage.Record{}, err
	}
	r, found := storage.Record{ID: id}, false
	if !t.missing && storage.CheckID(id) == nil {
		found, err = e.lookUp(ctx, t, &r)
	}
	if err != nil {
		return storage.Record{}, fmt.Errorf("%s %s: %w", collection, id, err)
	}
	if !found {
		return storage.Record{}, fmt.Errorf("%s %s: %w", collection, id, storage.ErrNotFound)
	}
	return r, nil
}

// lookUp fills r from the documents that are held, or from the file.
func (e *Engine) lookUp(ctx context.Context, t *table, r *storage.Record) (found bool, err error) {
	read := func(c *conn) error {
		found, err = c.get(t, r)
		return err
	}
	if e.cache == nil {
		err = e.read(ctx, read)
		return found, err
	}
	k := cacheKey{t.name, r.ID}
	held, asked := e.cache.get(k, r)
	if held {
		return true, e.live(ctx)
	}
	if err = e.read(ctx, read); err == nil && found {
		e.cache.fill(k, *r, asked)
	}
	return found, err
}

func (c *conn) get(t *table, r *storage.Record) (found bool, err error) {
	err = c.rows(func(s *sqlite3.Stmt) (bool, error) {
		found = true
		r.Version = s.ColumnInt64(0)
		if doc := s.ColumnRawBlob(2); !bodyOK(s.ColumnInt64(1), r.ID, r.Version, doc) {
			return false, damaged(t.name, r.ID)
		}
		r.Doc = blob(s, 2)
		return false, nil
	}, t.get, r.ID)
	return found, err
}

// Find walks a declared key.
func (e *Engine) Find(ctx context.Context, collection string, q storage.Query) ([]storage.Record, error) {
	t, err := e.table(collection)
	if err != nil {
		return nil, err
	}
	if !t.keys[q.Key] {
		return nil, fmt.Errorf("%s: key %q: %w", collection, q.Key, storage.ErrUndeclared)
	}
	span, err := q.Span()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", collection, err)
	}
	w := walk{table: t, query: q, span: span, records: make([]storage.Record, 0, min(q.Limit, 64))}
	if t.missing {
		return w.records, nil
	}
	err = e.read(ctx, w.run)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", collection, err)
	}
	return w.records, nil
}

// walk is one page of a Find.
type walk struct {
	table   *table
	query   storage.Query
	span    storage.Span
	records []storage.Record
}

func (w *walk) run(c *conn) error {
	sql := w.table.find[way{w.query.Desc, w.query.Whole}]
	s := w.span
	if w.query.Desc {
		return c.rows(w.row, sql, w.query.Key, s.HighValue, s.HighID, s.LowValue)
	}
	return c.rows(w.row, sql, w.query.Key, s.LowValue, s.LowID, s.HighValue)
}

// row takes one entry of the key with its document, unless the walk has met that at another value before.
func (w *walk) row(s *sqlite3.Stmt) (more bool, err error) {
	r := storage.Record{ID: s.ColumnText(5), At: s.ColumnText(6), Version: s.ColumnInt64(0)}
	sum, keys := s.ColumnInt64(1), s.ColumnRawBlob(2)
	if s.ColumnType(1) == sqlite3.NULL || !headOK(sum, r.ID, r.Version, keys, s.ColumnRawBlob(3)) {
		return w.damaged(r)
	}
	first, present := w.first(keys, r.At)
	if !present {
		return w.damaged(r)
	}
	if !first {
		return true, nil
	}
	if doc := s.ColumnRawBlob(4); doc != nil {
		if !bodyOK(sum, r.ID, r.Version, doc) {
			return w.damaged(r)
		}
		r.Doc = blob(s, 4)
	}
	r.Summary = blob(s, 3)
	w.records = append(w.records, r)
	return len(w.records) < w.query.Limit, nil
}

// damaged ends the walk at a damaged record, or goes on behind it.
func (w *walk) damaged(r storage.Record) (more bool, err error) {
	err = damaged(w.table.name, r.ID)
	if !w.query.SkipDamaged {
		return false, err
	}
	w.records = append(w.records, storage.Record{ID: r.ID, At: r.At, Damaged: err})
	return len(w.records) < w.query.Limit, nil
}

// first looks into a document's entries: whether at is among them, and whether none of them comes before it.
func (w *walk) first(keys []byte, at string) (first, present bool) {
	first = true
	for name, value, rest, ok := nextKey(keys); ok; name, value, rest, ok = nextKey(rest) {
		if string(name) != w.query.Key {
			continue
		}
		present = present || string(value) == at
		first = first && !w.span.Earlier(value, at)
	}
	return first, present
}
