package sqlite

import (
	"bytes"
	"context"
	"errors"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"example.com/walkaround/storage"
)

// A walk reads in chunks and keeps no transaction open while the caller works, so that the WAL never grows behind it.
const (
	chunkRows    = 64
	chunkBytes   = 8 << 20
	chunkEntries = 1000
)

// Collections names the stored collections.
func (e *Engine) Collections(ctx context.Context) (names []string, err error) {
	err = e.read(ctx, func(c *conn) error {
		return c.rows(func(s *sqlite3.Stmt) (bool, error) {
			names = append(names, strings.TrimPrefix(s.ColumnText(0), "c_"))
			return true, nil
		}, `SELECT name FROM sqlite_schema WHERE type = 'table' AND name GLOB 'c_*' ORDER BY name`)
	})
	return names, err
}

// Walk calls fn with every record, then with those of keys' entries that belong to no document.
func (e *Engine) Walk(ctx context.Context, collection string, fn func(storage.Record, error) error) error {
	t, err := e.stored(ctx, collection)
	if err != nil || t.missing {
		return err
	}
	if err := e.walkRows(ctx, t, fn); err != nil {
		return err
	}
	return e.walkEntries(ctx, t, fn)
}

// stored is the declared collection, or one that an older program declared.
func (e *Engine) stored(ctx context.Context, collection string) (*table, error) {
	if t, err := e.table(collection); err == nil {
		return t, nil
	}
	t, err := newTable(storage.Declaration{Name: collection})
	if err != nil {
		return nil, err
	}
	return t, e.missingTables(ctx, map[string]*table{collection: t})
}

// seen is a record as Walk hands it on.
type seen struct {
	record storage.Record
	err    error
}

func (e *Engine) walkRows(ctx context.Context, t *table, fn func(storage.Record, error) error) error {
	for last, more := "", true; more; {
		chunk, err := e.rowsBehind(ctx, t, last)
		if err != nil {
			return err
		}
		for _, s := range chunk {
			if err := fn(s.record, s.err); err != nil {
				return err
			}
			last = s.record.ID
		}
		more = last != "" && len(chunk) > 0
	}
	return nil
}

// rowsBehind reads a chunk. Of a broken page only that it is broken can be told: what lies behind it is not reached, and
// a seen without an id ends the walk.
func (e *Engine) rowsBehind(ctx context.Context, t *table, last string) (chunk []seen, err error) {
	err = e.read(ctx, func(c *conn) (err error) {
		chunk, err = c.rowsBehind(t, last)
		return err
	})
	if errors.Is(err, storage.ErrCorrupt) {
		return append(chunk, seen{err: err}), nil
	}
	return chunk, err
}

// rowsBehind reads some rows and looks for their entries, both at one moment: a savepoint is a transaction of its own, and
// inside a snapshot a part of that.
func (c *conn) rowsBehind(t *table, last string) (chunk []seen, err error) {
	if err := c.run("SAVEPOINT chunk"); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.run("RELEASE chunk")) }()
	size := 0
	err = c.rows(func(s *sqlite3.Stmt) (bool, error) {
		found := readRow(t, s)
		chunk = append(chunk, found)
		size += len(found.record.Doc)
		return size < chunkBytes, nil
	}, t.chunk, last, int64(chunkRows))
	for i := range chunk {
		if err == nil && chunk[i].err == nil {
			chunk[i].err, err = c.checkEntries(t, chunk[i].record)
		}
	}
	return chunk, err
}

func readRow(t *table, s *sqlite3.Stmt) seen {
	r := storage.Record{ID: s.ColumnText(5), Version: s.ColumnInt64(0), Summary: blob(s, 3), Doc: blob(s, 4)}
	sum, keys := s.ColumnInt64(1), s.ColumnRawBlob(2)
	r.Keys = unpackKeys(keys)
	if !headOK(sum, r.ID, r.Version, keys, r.Summary) || !bodyOK(sum, r.ID, r.Version, r.Doc) {
		return seen{r, damaged(t.name, r.ID)}
	}
	return seen{r, nil}
}

// checkEntries looks whether the record can be found by each of its keys.
func (c *conn) checkEntries(t *table, r storage.Record) (missing, err error) {
	for _, k := range r.Keys {
		found := false
		err := c.rows(func(*sqlite3.Stmt) (bool, error) {
			found = true
			return false, nil
		}, t.entry, k.Name, k.Value, r.ID)
		if err != nil {
			return nil, err
		}
		if !found {
			return damaged(t.name, r.ID+": it is not found by its key "+k.Name), nil
		}
	}
	return nil, nil
}

// entry is one entry of a key.
type entry struct{ name, value, id string }

func (e *Engine) walkEntries(ctx context.Context, t *table, fn func(storage.Record, error) error) error {
	for last, more := (entry{}), true; more; {
		var stray []entry
		err := e.read(ctx, func(c *conn) (err error) {
			stray, last, more, err = c.strayEntries(t, last)
			return err
		})
		if err != nil {
			return err
		}
		for _, s := range stray {
			if err := fn(storage.Record{ID: s.id}, damaged(t.name, s.id+": an entry of key "+s.name+" is not its own")); err != nil {
				return err
			}
		}
	}
	return nil
}

// strayEntries looks at some entries behind after and returns those of which no document knows.
func (c *conn) strayEntries(t *table, after entry) (stray []entry, last entry, more bool, err error) {
	last = after
	err = c.rows(func(s *sqlite3.Stmt) (bool, error) {
		last, more = entry{s.ColumnText(0), s.ColumnText(1), s.ColumnText(2)}, true
		one := packKeys([]storage.KeyValue{{Name: last.name, Value: last.value}})
		if !holds(s.ColumnRawBlob(3), one) {
			stray = append(stray, last)
		}
		return true, nil
	}, t.entries, after.name, after.value, after.id, int64(chunkEntries))
	return stray, last, more, err
}

// holds says whether packed keys have an entry.
func holds(keys, one []byte) bool {
	for rest := keys; ; {
		_, _, tail, ok := nextKey(rest)
		if !ok {
			return false
		}
		if bytes.Equal(rest[:len(rest)-len(tail)], one) {
			return true
		}
		rest = tail
	}
}
