// Package mongo is the engine on MongoDB 5.0 or later: a replica set, or a cluster sharded on _id.
//
// Call Open for the engine of a running server, OpenReadOnly to look beside one. It imports storage and the driver, and
// package storage/open alone chooses it.
//
// How it is built: a record is one document of the collection of its name (see stored in record.go), so that a change is one
// atomic replace of {_id, version} and neither transactions nor change streams are needed. A write is answered when a
// majority has it, and a read sees only what a majority has, from the primary: what is answered can't be rolled back, and
// one's own writes are seen. Each document carries the id of the write that made it, by which a write whose answer was lost
// is told from another's. Find walks indexes that it names itself (find.go, many.go); docs/scaling.md lists them.
package mongo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"example.com/walkaround/storage"
)

// Config says where the documents lie.
type Config struct {
	URI      string // as the driver takes it; its read and write concern and its read preference are not used
	Database string // empty: the one that URI names

	Log     *slog.Logger          // empty: nothing is logged
	Monitor *event.CommandMonitor // told of each command and its answer, if set; a test counts round trips by it
}

var (
	errReadOnly = errors.New("storage/mongo: opened read-only")
	errClosed   = fmt.Errorf("%w: storage/mongo: closed", storage.ErrUnavailable)
)

// Engine keeps documents in MongoDB. It implements storage.Engine and storage.Restorer.
type Engine struct {
	client   *mongo.Client
	db       *mongo.Database
	readOnly bool
	limit    time.Duration // of a call, whatever its context says

	mu     sync.RWMutex
	closed bool
	active sync.WaitGroup

	declaring   sync.Mutex
	collections atomic.Pointer[map[string]*collection] // replaced, never changed
}

var _ storage.Restorer = (*Engine)(nil)

// Open opens the engine. A server that is out of reach is waited for, with a line in the log at each try, until ctx ends. It
// is refused at once with a URI that can't be read or names no database, where the server lets nobody in or is too old, and
// where a newer program has stored documents in a format that this one does not know.
func Open(ctx context.Context, c Config) (*Engine, error) {
	return open(ctx, c, false)
}

// OpenReadOnly opens the engine for reading, also beside running servers. It writes nothing, and is refused as Open is.
func OpenReadOnly(ctx context.Context, c Config) (*Engine, error) {
	return open(ctx, c, true)
}

func open(ctx context.Context, c Config, readOnly bool) (*Engine, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	o, database, err := clientOptions(c)
	if err != nil {
		return nil, err
	}
	client, err := mongo.Connect(o)
	if err != nil {
		return nil, fmt.Errorf("storage/mongo: %w", err)
	}
	e := &Engine{client: client, db: client.Database(database), readOnly: readOnly, limit: *o.Timeout}
	e.collections.Store(&map[string]*collection{})
	if err := e.start(ctx, c.Log, o.Hosts); err != nil {
		return nil, errors.Join(err, e.Close()) //nolint:contextcheck // what was opened is closed also when ctx has ended
	}
	return e, nil
}

// begin says that a call is under way, until done is called, and limits its time: the driver tries again and again for as
// long as it may.
func (e *Engine) begin(ctx context.Context) (limited context.Context, done func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	if e.closed {
		return nil, nil, errClosed
	}
	e.active.Add(1)
	limited, stop := context.WithTimeout(ctx, e.limit)
	return limited, func() { stop(); e.active.Done() }, nil
}

// Ping asks the primary, and reads.
func (e *Engine) Ping(ctx context.Context) error {
	limited, done, err := e.begin(ctx)
	if err != nil {
		return err
	}
	defer done()
	_, err = e.format(limited)
	return failure(ctx, err)
}

// lastWait is how long Close waits for connections to be given back: none is in use any more.
const lastWait = 5 * time.Second

// Close waits for the calls under way, each of which ends by its own time limit, and closes every connection. Calls after
// it get storage.ErrUnavailable.
func (e *Engine) Close() error {
	e.mu.Lock()
	again := e.closed
	e.closed = true
	e.mu.Unlock()
	if again {
		return nil
	}
	e.active.Wait()
	ctx, stop := context.WithTimeout(context.Background(), lastWait)
	defer stop()
	return e.client.Disconnect(ctx)
}
