package sqlite

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"

	"example.com/walkaround/storage"
)

// blocked opens an engine whose writer is held until release is called: what is written meanwhile makes one group.
func blocked(t *testing.T) (e *Engine, release func()) {
	t.Helper()
	e, err := Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := e.Declare(t.Context(), []storage.Declaration{{Name: "cars"}}); err != nil {
		t.Fatal(err)
	}
	held, gate := make(chan struct{}), make(chan struct{})
	go func() {
		err := e.writer.do(context.WithoutCancel(t.Context()), target{}, func(*conn) error { close(held); <-gate; return nil })
		if err != nil {
			t.Error(err)
		}
	}()
	<-held
	return e, func() { close(gate) }
}

// queue sends a write without waiting for its answer.
func queue(ctx context.Context, e *Engine, fn func(*conn) error) *job {
	j := &job{ctx: ctx, fn: fn, done: make(chan error, 1)}
	e.writer.jobs <- j
	return j
}

func insertCar(id string, then error) func(*conn) error {
	return func(c *conn) error {
		t, err := newTable(storage.Declaration{Name: "cars"})
		if err != nil {
			return err
		}
		return errors.Join(c.insert(t, storage.Record{ID: id, Version: 1, Doc: []byte{}}, []byte{}), then)
	}
}

func TestAFailedWriteLeavesNothingAndSpoilsNobody(t *testing.T) {
	e, release := blocked(t)
	refusal := errors.New("refused")
	before := queue(t.Context(), e, insertCar("main/before", nil))
	failed := queue(t.Context(), e, insertCar("main/failed", refusal))
	after := queue(t.Context(), e, insertCar("main/after", nil))
	release()
	if err := errors.Join(<-before.done, <-after.done); err != nil {
		t.Error(err)
	}
	if err := <-failed.done; !errors.Is(err, refusal) {
		t.Errorf("got %v, want %v", err, refusal)
	}
	for id, want := range map[string]error{"main/before": nil, "main/failed": storage.ErrNotFound, "main/after": nil} {
		if _, err := e.Get(t.Context(), "cars", id); !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", id, err, want)
		}
	}
}

func TestWhatNobodyWaitsForIsNotWritten(t *testing.T) {
	e, release := blocked(t)
	ctx, cancel := context.WithCancel(t.Context())
	left := queue(ctx, e, insertCar("main/left", nil))
	cancel()
	release()
	if err := <-left.done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := e.Get(t.Context(), "cars", "main/left"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("got %v, want it absent", err)
	}
}

func TestAPanicTellsWhereItCameFrom(t *testing.T) {
	e, release := blocked(t)
	release()
	torn := func(*conn) error { panic("torn page") }
	for doing, err := range map[string]error{"read": e.read(t.Context(), torn), "write": e.writer.do(t.Context(), target{}, torn)} {
		if !errors.Is(err, storage.ErrUnavailable) || !strings.Contains(err.Error(), doing+": panic: torn page") ||
			!strings.Contains(err.Error(), "writer_test.go") {
			t.Errorf("%s: %v", doing, err)
		}
	}
}

// What a group leaves is what its last write of a document left, also where a read follows at once.
func TestAGroupLeavesItsLastWrite(t *testing.T) {
	e, release := blocked(t)
	doc := func(text string) storage.Record {
		return storage.Record{ID: "main/1", Doc: append([]byte{5, 0, 0, 0, 0}, text...)}
	}
	queued := 0
	write := func(fn func() error) <-chan error {
		done := make(chan error, 1)
		go func() { done <- fn() }()
		for queued++; len(e.writer.jobs) < queued; {
			runtime.Gosched()
		}
		return done
	}
	ctx := t.Context()
	answers := []<-chan error{
		write(func() error { return e.Insert(ctx, "cars", doc("one")) }),
		write(func() error {
			r := doc("two")
			r.Version = 1
			return e.Replace(ctx, "cars", r)
		}),
		write(func() error { return e.Delete(ctx, "cars", "main/1", 2) }),
	}
	release()
	for i, answer := range answers {
		if err := <-answer; err != nil {
			t.Fatalf("write %d: %v", i, err)
		}
	}
	if r, err := e.Get(ctx, "cars", "main/1"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("a deleted document comes back: %v, %v", r, err)
	}
}
