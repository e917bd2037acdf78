package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"example.com/walkaround/storage"
	"example.com/walkaround/storage/sqlite"
)

// A read that follows an answered write sees it or a later one, whoever else reads and writes the document meanwhile.
func TestAReadIsNeverOlderThanAnAnsweredWrite(t *testing.T) {
	e := filled(t, t.TempDir())
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			id, last := fmt.Sprint("main/", worker%2), int64(1)
			for range 200 {
				if err := step(t.Context(), e, id, &last); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}

// step reads a document, replaces it, and holds what it reads to what it was answered before.
func step(ctx context.Context, e *sqlite.Engine, id string, last *int64) error {
	r, err := e.Get(ctx, "cars", id)
	if err != nil {
		return err
	}
	if r.Version < *last || r.Doc.Lookup("text").StringValue() != fmt.Sprint("text", r.Version) && r.Version > 1 {
		return fmt.Errorf("%s: version %d with %s, after version %d was answered", id, r.Version, r.Doc, *last)
	}
	*last = r.Version
	fresh := record(0, fmt.Sprint("text", r.Version+1))
	fresh.ID, fresh.Version, fresh.Keys = id, r.Version, nil
	switch err := e.Replace(ctx, "cars", fresh); {
	case err == nil:
		*last++
	case !errors.Is(err, storage.ErrStale):
		return err
	}
	return nil
}

func TestWhatIsHeldEndsWithTheDocumentAndTheEngine(t *testing.T) {
	e := filled(t, t.TempDir())
	ctx := t.Context()
	r, err := e.Get(ctx, "cars", "main/1")
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Delete(ctx, "cars", "main/1", r.Version); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Get(ctx, "cars", "main/1"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("a deleted document: %v", err)
	}
	if err := e.Insert(ctx, "cars", record(1, "again")); err != nil {
		t.Fatal(err)
	}
	if r, err := e.Get(ctx, "cars", "main/1"); err != nil || r.Version != 1 || r.Doc.Lookup("text").StringValue() != "again" {
		t.Errorf("a document that came back: %v, %v", r, err)
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := e.Get(ended, "cars", "main/1"); !errors.Is(err, context.Canceled) {
		t.Errorf("for a caller that went away: %v", err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Get(ctx, "cars", "main/1"); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("after Close: %v", err)
	}
}

// More than the cache holds is read and written as before, and the newest is what is read.
func TestMoreThanIsHeld(t *testing.T) {
	e := filled(t, t.TempDir())
	ctx, wide := t.Context(), make([]byte, 100<<10)
	for i := range 400 { // 40 MB
		r := record(2000+i, fmt.Sprint(i)+string(wide))
		r.Summary = nil
		if err := e.Insert(ctx, "cars", r); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 400 {
		r, err := e.Get(ctx, "cars", fmt.Sprint("main/", 2000+i))
		if err != nil || r.Doc.Lookup("text").StringValue() != fmt.Sprint(i)+string(wide) {
			t.Fatalf("document %d: %d bytes, %v", i, len(r.Doc), err)
		}
	}
}
