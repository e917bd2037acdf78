package sqlite

import (
	"bytes"
	"context"
	"fmt"

	"github.com/ncruces/go-sqlite3"

	"example.com/walkaround/storage"
)

// Insert stores a new record.
func (e *Engine) Insert(ctx context.Context, collection string, r storage.Record) error {
	r.Version = 1
	return e.write(ctx, collection, r, func(c *conn, t *table, keys []byte) error {
		return c.insert(t, r, keys)
	})
}

// Replace stores a record in place of the one that was read.
func (e *Engine) Replace(ctx context.Context, collection string, r storage.Record) error {
	was := r.Version
	r.Version++
	return e.write(ctx, collection, r, func(c *conn, t *table, keys []byte) error {
		return c.replace(t, r, was, keys)
	})
}

// write checks a record and has fn run by the writer.
func (e *Engine) write(ctx context.Context, collection string, r storage.Record, fn func(*conn, *table, []byte) error) error {
	t, err := e.writable(collection)
	if err != nil {
		return err
	}
	if err := t.check(r); err != nil {
		return err
	}
	keys := packKeys(storage.SortKeys(append([]storage.KeyValue(nil), r.Keys...)))
	on := target{cacheKey{t.name, r.ID}, &r}
	return e.writer.do(ctx, on, func(c *conn) error { return fn(c, t, keys) })
}

func (e *Engine) writable(collection string) (*table, error) {
	if e.writer == nil {
		return nil, errReadOnly
	}
	return e.table(collection)
}

func (t *table) check(r storage.Record) error {
	if err := storage.CheckID(r.ID); err != nil {
		return fmt.Errorf("%s: id: %w", t.name, err)
	}
	if size := len(r.Doc) + len(r.Summary); size > storage.MaxDocumentBytes {
		return fmt.Errorf("%s %s: %d bytes: %w", t.name, r.ID, size, storage.ErrTooLarge)
	}
	for _, k := range r.Keys {
		if !t.keys[k.Name] {
			return fmt.Errorf("%s: key %q: %w", t.name, k.Name, storage.ErrUndeclared)
		}
		if err := storage.CheckValue(k.Value); err != nil {
			return fmt.Errorf("%s: key %s: %w", t.name, k.Name, err)
		}
	}
	return nil
}

// Delete removes a record and its keys' entries.
func (e *Engine) Delete(ctx context.Context, collection, id string, version int64) error {
	t, err := e.writable(collection)
	if err != nil {
		return err
	}
	return e.writer.do(ctx, target{cacheKey: cacheKey{t.name, id}}, func(c *conn) error {
		old, err := c.old(t, id, version)
		if err != nil {
			return err
		}
		if err := c.changeKeys(t, id, old.keys, nil); err != nil {
			return err
		}
		return c.run(t.remove, old.row)
	})
}

func (c *conn) insert(t *table, r storage.Record, keys []byte) error {
	err := c.run(t.insert, r.ID, r.Version, sums(r, keys), keys, []byte(r.Summary), []byte(r.Doc))
	if err != nil {
		return err
	}
	if c.Changes() == 0 {
		return fmt.Errorf("%s %s: %w", t.name, r.ID, storage.ErrExists)
	}
	return c.changeKeys(t, r.ID, nil, keys)
}

func (c *conn) replace(t *table, r storage.Record, was int64, keys []byte) error {
	old, err := c.old(t, r.ID, was)
	if err != nil {
		return err
	}
	if err := c.changeKeys(t, r.ID, old.keys, keys); err != nil {
		return err
	}
	return c.run(t.update, old.row, r.Version, sums(r, keys), keys, []byte(r.Summary), []byte(r.Doc))
}

// oldRow is what a change must know of the row it changes.
type oldRow struct {
	row  int64
	keys []byte
}

// old finds the row of id if its version is version. ErrNotFound, ErrStale; ErrCorrupt, because what is not known to be
// right cannot be compared with.
func (c *conn) old(t *table, id string, version int64) (old oldRow, err error) {
	refusal := storage.ErrNotFound
	err = c.rows(func(s *sqlite3.Stmt) (bool, error) {
		stored, keys := s.ColumnInt64(0), s.ColumnRawBlob(2)
		switch {
		case !headOK(s.ColumnInt64(1), id, stored, keys, s.ColumnRawBlob(3)):
			refusal = storage.ErrCorrupt
		case stored != version:
			refusal = storage.ErrStale
		default:
			refusal = nil
		}
		old = oldRow{row: s.ColumnInt64(4), keys: bytes.Clone(keys)}
		return false, nil
	}, t.head, id)
	if err == nil && refusal != nil {
		err = fmt.Errorf("%s %s: %w", t.name, id, refusal)
	}
	return old, err
}

// changeKeys writes the difference between two packed lists, both in order.
func (c *conn) changeKeys(t *table, id string, old, fresh []byte) error {
	if bytes.Equal(old, fresh) {
		return nil
	}
	before, after := unpackKeys(old), unpackKeys(fresh)
	for len(before) > 0 || len(after) > 0 {
		order := compareFirst(before, after)
		var err error
		switch {
		case order < 0:
			err = c.run(t.leave, before[0].Name, before[0].Value, id)
		case order > 0:
			err = c.run(t.enter, after[0].Name, after[0].Value, id)
		}
		if err != nil {
			return err
		}
		if order <= 0 {
			before = before[1:]
		}
		if order >= 0 {
			after = after[1:]
		}
	}
	return nil
}

// compareFirst compares the heads of two lists; an empty list comes last.
func compareFirst(a, b []storage.KeyValue) int {
	switch {
	case len(a) == 0:
		return 1
	case len(b) == 0:
		return -1
	default:
		return storage.CompareKeys(a[0], b[0])
	}
}
