// Package sqlite is the embedded engine: documents in one SQLite file, durable when a write returns.
//
// Call Open for the engine of a running server, OpenReadOnly to look beside one. It imports storage and SQLite, and
// package storage/open alone chooses it.
//
// How it is built: one goroutine writes. It takes all writes that wait, gives each a savepoint, and commits them in one
// transaction, so that one fsync serves them all. A few connections read beside it (WAL). Each collection has a table
// of documents and one of its keys' entries; both are named by the collection, c_visits and k_visits.
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"

	"example.com/walkaround/storage"
)

const fileName = "walkaround.db"

// readers is how many connections read at once: more than two to four only compete for the processors.
const readers = 4

var (
	errReadOnly = errors.New("storage/sqlite: opened read-only")
	errClosed   = fmt.Errorf("%w: storage/sqlite: closed", storage.ErrUnavailable)
)

// Engine keeps documents in SQLite. It implements storage.Engine.
type Engine struct {
	path    string
	lock    *os.File // nil when read-only
	writer  *writer  // nil when read-only
	cache   *cache   // nil when read-only: another process writes
	pool    chan *conn
	closed  chan struct{}
	pinned  bool        // a snapshot: its connection is never opened again
	faulted atomic.Bool // a mapped page was missing: nothing is mapped any more
	once    sync.Once

	declaring sync.Mutex
	tables    atomic.Pointer[map[string]*table] // replaced, never changed
}

var _ storage.Engine = (*Engine)(nil)

// Open opens the engine in folder and makes both if they are absent. It is refused while another process has it open.
func Open(ctx context.Context, folder string) (*Engine, error) {
	if err := makeFolder(folder); err != nil {
		return nil, err
	}
	lock, err := lockFolder(folder)
	if err != nil {
		return nil, err
	}
	e := newEngine(folder, readers)
	e.lock = lock
	first, err := openWriter(ctx, e.path)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the database in %s: %w", folder, err), lock.Close())
	}
	e.cache = newCache()
	e.writer = startWriter(first, e.path, e.cache) //nolint:contextcheck // the writer lives until Close, not as long as ctx
	return e, nil
}

// OpenReadOnly opens the engine in folder for reading, also beside a running server. It never writes a document.
func OpenReadOnly(ctx context.Context, folder string) (*Engine, error) {
	e := newEngine(folder, readers)
	if _, err := os.Stat(e.path); err != nil {
		return nil, fmt.Errorf("no database in %s: %w", folder, err)
	}
	if err := e.Ping(ctx); err != nil {
		return nil, fmt.Errorf("open the database in %s: %w", folder, err)
	}
	if err := shareFolder(e.path); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

// newEngine is an engine with so many readers, without a writer.
func newEngine(folder string, readers int) *Engine {
	e := &Engine{
		path:   filepath.Join(folder, fileName),
		pool:   make(chan *conn, readers),
		closed: make(chan struct{}),
	}
	e.tables.Store(&map[string]*table{})
	for range readers {
		e.pool <- nil // opened when it is first needed
	}
	return e
}

// Declare makes the tables that are absent; read-only, it remembers the declarations.
func (e *Engine) Declare(ctx context.Context, declarations []storage.Declaration) error {
	e.declaring.Lock()
	defer e.declaring.Unlock()
	tables := maps.Clone(*e.tables.Load())
	for _, d := range declarations {
		t, err := newTable(d)
		if err != nil {
			return err
		}
		tables[d.Name] = t
	}
	if err := e.makeTables(ctx, tables); err != nil {
		return fmt.Errorf("declare collections: %w", err)
	}
	e.tables.Store(&tables)
	return nil
}

func (e *Engine) makeTables(ctx context.Context, tables map[string]*table) error {
	if e.writer == nil {
		return e.missingTables(ctx, tables)
	}
	return e.writer.do(ctx, target{}, func(c *conn) error {
		for _, name := range slices.Sorted(maps.Keys(tables)) {
			if err := c.Exec(tables[name].create); err != nil {
				return err
			}
		}
		return nil
	})
}

// missingTables marks what is not there yet, for a reader that may not make it: such a collection is empty.
func (e *Engine) missingTables(ctx context.Context, tables map[string]*table) error {
	stored, err := e.Collections(ctx)
	if err != nil {
		return err
	}
	for name, t := range tables {
		_, found := slices.BinarySearch(stored, name)
		t.missing = !found
	}
	return nil
}

// table returns what was declared of a collection.
func (e *Engine) table(collection string) (*table, error) {
	t, ok := (*e.tables.Load())[collection]
	if !ok {
		return nil, fmt.Errorf("collection %s: %w", collection, storage.ErrUndeclared)
	}
	return t, nil
}

// Ping reads from the database.
func (e *Engine) Ping(ctx context.Context) error {
	return e.read(ctx, func(c *conn) error { return c.Exec("SELECT count(*) FROM sqlite_schema") })
}

// Close commits the writes that wait, closes every connection and gives the folder free. Calls after it, and those
// that come too late, get storage.ErrUnavailable.
func (e *Engine) Close() error {
	var err error
	e.once.Do(func() {
		close(e.closed)
		for range cap(e.pool) {
			err = errors.Join(err, (<-e.pool).close())
		}
		if e.writer != nil {
			err = errors.Join(err, e.writer.close(), e.lock.Close())
		}
	})
	return err
}

// read runs fn on a connection of its own, which is interrupted when ctx ends.
func (e *Engine) read(ctx context.Context, fn func(*conn) error) (err error) {
	c, err := e.take(ctx)
	if err != nil {
		return err
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil { // a mapped page that is not there, or SQLite out of memory
			e.faulted.Store(true) // from now on such a page is an error of its own; closing what was torn could hang
			c, err = nil, panicked("read", p)
		}
		e.pool <- c
	}()
	if c == nil && e.pinned {
		return errUnpinned
	}
	if c == nil {
		if c, err = openReader(ctx, e.path, !e.faulted.Load()); err != nil {
			return failure(ctx, err)
		}
	}
	c.SetInterrupt(ctx)
	err = fn(c)
	c.SetInterrupt(context.Background())
	return failure(ctx, err)
}

// live says whether a call may still be answered.
func (e *Engine) live(ctx context.Context) error {
	select {
	case <-e.closed:
		return errClosed
	default:
		return ctx.Err()
	}
}

func (e *Engine) take(ctx context.Context) (*conn, error) {
	if err := e.live(ctx); err != nil {
		return nil, err
	}
	select {
	case c := <-e.pool:
		return c, nil
	case <-e.closed:
		return nil, errClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
