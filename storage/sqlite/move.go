package sqlite

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"example.com/walkaround/storage"
)

var (
	_ storage.Restorer    = (*Engine)(nil)
	_ storage.Snapshotter = (*Engine)(nil)
)

// errUnpinned ends a snapshot whose connection was given up: another one would see another moment.
var errUnpinned = fmt.Errorf("%w: storage/sqlite: the snapshot is lost", storage.ErrUnavailable)

// Restore stores a record as it was backed up.
func (e *Engine) Restore(ctx context.Context, collection string, r storage.Record) error {
	if r.Version < 1 {
		return fmt.Errorf("%s %s: version %d: %w", collection, r.ID, r.Version, storage.ErrValue)
	}
	return e.write(ctx, collection, r, func(c *conn, t *table, keys []byte) error {
		return c.insert(t, r, keys)
	})
}

// Snapshot opens an engine whose one connection stays in the transaction that it begins here. The WAL can't be reset
// before it is closed.
func (e *Engine) Snapshot(ctx context.Context) (storage.Engine, error) {
	c, err := openReader(ctx, e.path, !e.faulted.Load())
	if err != nil {
		return nil, failure(ctx, err)
	}
	if err := errors.Join(c.Exec("BEGIN"), c.Exec("SELECT count(*) FROM sqlite_schema")); err != nil { // the read pins the moment
		return nil, failure(ctx, errors.Join(err, c.close()))
	}
	pinned := newEngine(filepath.Dir(e.path), 1)
	<-pinned.pool
	pinned.pool <- c
	pinned.pinned = true
	return pinned, nil
}
