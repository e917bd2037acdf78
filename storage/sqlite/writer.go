package sqlite

import (
	"context"
	"errors"

	"example.com/walkaround/storage"
)

// A group is bounded, so that no transaction holds more than the WAL should take at once.
const (
	groupWrites = 128
	groupBytes  = 16 << 20
)

// writer owns the one connection that writes.
type writer struct {
	path    string
	cache   *cache
	conn    *conn // used by its goroutine alone; nil after a panic, until it is opened again
	jobs    chan *job
	closing chan struct{}
	stopped chan struct{} // closed when the goroutine has ended
	closed  error         // of closing the connection, readable after stopped
}

// job is one write: fn runs inside a transaction with others.
type job struct {
	ctx  context.Context //nolint:containedctx // the writer drops what nobody waits for
	fn   func(*conn) error
	on   target
	size int
	err  error
	done chan error // holds one answer, so that the writer never waits for a caller who went away
}

// target is the document that a write changes. The zero target is none.
type target struct {
	cacheKey
	record *storage.Record // as it is stored then; nil when it is deleted
}

func startWriter(c *conn, path string, documents *cache) *writer {
	w := &writer{
		path: path, conn: c, cache: documents,
		jobs:    make(chan *job, groupWrites),
		closing: make(chan struct{}),
		stopped: make(chan struct{}),
	}
	go w.run()
	return w
}

// do has fn run and returns when its effect is durable, or when it is known to have none. When ctx ends first it
// returns at once; a write that still waited then is never made.
func (w *writer) do(ctx context.Context, on target, fn func(*conn) error) error {
	j := &job{ctx: ctx, fn: fn, on: on, size: on.size(), done: make(chan error, 1)}
	select {
	case <-w.closing:
		return errClosed
	default:
	}
	select {
	case w.jobs <- j:
	case <-ctx.Done():
		return ctx.Err()
	case <-w.stopped:
		return errClosed
	}
	select {
	case err := <-j.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-w.stopped:
		return w.late(j)
	}
}

// size is about what a write adds to its transaction.
func (t target) size() int {
	if t.record == nil {
		return 0
	}
	return len(t.record.Doc) + len(t.record.Summary)
}

// late is for a write that came while the writer ended: it was answered, or it was never seen.
func (w *writer) late(j *job) error {
	select {
	case err := <-j.done:
		return err
	default:
		return errClosed
	}
}

func (w *writer) run() {
	defer close(w.stopped)
	defer func() { w.closed = w.conn.close() }()
	group := make([]*job, 0, groupWrites)
	for {
		select {
		case j := <-w.jobs:
			group = w.gather(append(group[:0], j))
			w.commit(group)
		case <-w.closing:
			if group = w.gather(group[:0]); len(group) == 0 {
				return
			}
			w.commit(group)
		}
	}
}

// gather takes what waits besides; it never waits itself, so a lone client is served at once.
func (w *writer) gather(group []*job) []*job {
	size := 0
	for _, j := range group {
		size += j.size
	}
	for len(group) < groupWrites && size < groupBytes {
		select {
		case j := <-w.jobs:
			size += j.size
			group = append(group, j)
		default:
			return group
		}
	}
	return group
}

// commit runs a group in one transaction and answers each of its writes.
func (w *writer) commit(group []*job) {
	for _, j := range group {
		w.cache.begin(j.on.cacheKey)
	}
	err := w.transact(group)
	for i, j := range group {
		if j.err == nil {
			j.err = err
		}
		if j.err != nil { // what is stored is not known here
			j.on.record = nil
		}
		w.cache.end(j.on.cacheKey, j.on.record)
		j.done <- failure(j.ctx, j.err)
		group[i] = nil
	}
}

// transact returns the error that undid the whole group, if one did. Errors of single writes stand in the jobs.
func (w *writer) transact(group []*job) (err error) {
	defer func() {
		if p := recover(); p != nil { // SQLite out of memory: the connection is left alone, its locks go with it
			w.conn, err = nil, panicked("write", p)
		}
	}()
	if w.conn == nil {
		if w.conn, err = openWriter(context.Background(), w.path); err != nil {
			return err
		}
	}
	if err := w.conn.run("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	wrote, err := w.apply(group)
	if err == nil && wrote {
		err = w.conn.run("COMMIT")
	}
	if !w.conn.GetAutocommit() { // nothing was written, or the commit failed
		err = errors.Join(err, w.conn.run("ROLLBACK"))
	}
	return err
}

// apply runs each write behind a savepoint. It says whether any succeeded; its error is that of a write in which SQLite
// gave the whole transaction up (a full disk may do that).
func (w *writer) apply(group []*job) (wrote bool, err error) {
	for _, j := range group {
		if j.err = j.ctx.Err(); j.err != nil {
			continue
		}
		j.err = w.applyOne(j)
		if j.err != nil && w.conn.GetAutocommit() {
			return false, j.err
		}
		wrote = wrote || j.err == nil
	}
	return wrote, nil
}

func (w *writer) applyOne(j *job) error {
	if err := w.conn.run("SAVEPOINT one"); err != nil {
		return err
	}
	err := j.fn(w.conn)
	if err != nil {
		if w.conn.GetAutocommit() {
			return err
		}
		err = errors.Join(err, w.conn.run("ROLLBACK TO one"))
	}
	return errors.Join(err, w.conn.run("RELEASE one"))
}

// close waits for the writes that were taken.
func (w *writer) close() error {
	close(w.closing)
	<-w.stopped
	return w.closed
}
