// Package storagetest is the contract of storage in tests: every engine and every blob store passes it.
//
// Call Engine or Blobs from a test of the implementation, with a function that opens an empty one. It imports storage
// only.
package storagetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"example.com/walkaround/storage"
)

const cars = "cars"

var declared = []storage.Declaration{
	{Name: cars, Keys: []string{"plate", "word", "n"}},
	{Name: "taken"},
}

// suite is one engine under test.
type suite struct {
	storage.Engine
	t *testing.T
}

// Engine holds an engine to what storage.Engine promises. open returns an empty one and closes it with the test; a
// second Close by a subtest must do no harm.
func Engine(t *testing.T, open func(*testing.T) storage.Engine) {
	t.Helper()
	for _, c := range []struct {
		name string
		run  func(suite)
	}{
		{"declaring again changes nothing", declareAgain},
		{"what was inserted is read", insertAndGet},
		{"an id is taken once", insertTwice},
		{"what is absent is not found", absent},
		{"a replace wants the stored version", replaceStale},
		{"a delete wants the stored version and frees the keys", deleteRecord},
		{"of 32 writers one wins each version", compareAndSet},
		{"of 32 inserts of one id one wins", insertOnce},
		{"32 inserts at once all succeed", insertMany},
		{"a walk goes in order of value and id, both ways", order},
		{"equal, prefix and range bound a walk", bounds},
		{"odd values are ordered as bytes", oddValues},
		{"each document comes once, whatever its values", onceEach},
		{"a query finds what looking at everything does", likeAModel},
		{"a cursor of elsewhere is a place like any", staleCursors},
		{"pages lose and repeat nothing under inserts", pagesUnderInserts},
		{"a replaced key is found anew only", replacedKeys},
		{"undeclared names are refused", undeclared},
		{"limits are kept", limits},
		{"a malformed cursor is refused", malformedCursors},
		{"values that no engine keeps are refused", refusedValues},
		{"a list returns summaries without documents", summaries},
		{"nothing is shared between callers", notShared},
		{"an ended context ends the call", deadlines},
		{"a walk sees every record with its keys", walkAll},
		{"a closed engine is out of reach", closed},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := suite{open(t), t}
			s.ok(s.Declare(t.Context(), declared))
			c.run(s)
		})
	}
}

func (s suite) ok(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s suite) is(err, want error) {
	s.t.Helper()
	if !errors.Is(err, want) {
		s.t.Fatalf("got %v, want %v", err, want)
	}
}

func (s suite) ctx() context.Context { return s.t.Context() }

// record makes a record whose document says text; keys are given as name, value, name, value.
func record(id, text string, keys ...string) storage.Record {
	doc, _ := bson.Marshal(bson.D{{Key: "text", Value: text}}) // a string can always be written
	r := storage.Record{ID: id, Doc: doc}
	for i := 0; i+1 < len(keys); i += 2 {
		r.Keys = append(r.Keys, storage.KeyValue{Name: keys[i], Value: keys[i+1]})
	}
	return r
}

func (s suite) put(id, text string, keys ...string) {
	s.t.Helper()
	s.ok(s.Insert(s.ctx(), cars, record(id, text, keys...)))
}

// ids walks all pages of a query.
func (s suite) ids(q storage.Query) []string {
	s.t.Helper()
	ids := []string{}
	for been := map[string]bool{}; ; {
		page, err := s.Find(s.ctx(), cars, q)
		s.ok(err)
		for _, r := range page {
			ids = append(ids, r.ID)
			q.After = storage.Cursor(r.At, r.ID)
		}
		if been[q.After] && len(page) > 0 {
			s.t.Fatalf("%+v goes in a circle: %q", q, ids[:min(len(ids), 20)])
		}
		been[q.After] = true
		if len(page) < q.Limit {
			return ids
		}
	}
}

func (s suite) finds(q storage.Query, want ...string) {
	s.t.Helper()
	for _, limit := range []int{1, 2, 100} {
		q.Limit = limit
		if got := s.ids(q); !slices.Equal(got, want) {
			s.t.Errorf("%+v: got %q, want %q", q, got, want)
		}
		q.Desc = true
		got := s.ids(q)
		q.Desc = false
		if len(got) != len(want) {
			s.t.Errorf("%+v downwards: got %q, want as many as %q", q, got, want)
		}
	}
}

func declareAgain(s suite) {
	s.put("main/1", "kept", "plate", "A")
	s.ok(s.Declare(s.ctx(), declared))
	s.ok(s.Declare(s.ctx(), []storage.Declaration{{Name: "more"}}))
	s.finds(storage.Query{Key: "plate"}, "main/1")
	names, err := s.Collections(s.ctx())
	s.ok(err)
	if want := []string{cars, "more", "taken"}; !slices.Equal(names, want) {
		s.t.Errorf("collections %q, want %q", names, want)
	}
}

func insertAndGet(s suite) {
	in := record("main/1", "煞車有異響 🚗", "plate", "粤A12345")
	at := time.Date(2026, 3, 1, 8, 30, 0, 123_000_000, time.UTC)
	doc, err := bson.Marshal(bson.D{{Key: "at", Value: at}, {Key: "raw", Value: []byte(`{"a":1}`)}, {Key: "big", Value: int64(1) << 53}})
	s.ok(err)
	in.Doc = doc
	s.ok(s.Insert(s.ctx(), cars, in))
	got, err := s.Get(s.ctx(), cars, "main/1")
	s.ok(err)
	if got.Version != 1 || got.ID != "main/1" || !slices.Equal(got.Doc, in.Doc) {
		s.t.Errorf("got %+v, want %+v as version 1: every byte, so every millisecond and every type", got, in)
	}
}

func insertTwice(s suite) {
	s.put("main/1", "first", "plate", "A")
	s.is(s.Insert(s.ctx(), cars, record("main/1", "second", "plate", "B")), storage.ErrExists)
	s.hasText("main/1", "first", 1)
	s.finds(storage.Query{Key: "plate", Equal: "B"})
	s.ok(s.Insert(s.ctx(), "taken", record("main/1", "another collection")))
}

func (s suite) hasText(id, text string, version int64) {
	s.t.Helper()
	got, err := s.Get(s.ctx(), cars, id)
	s.ok(err)
	if v := got.Doc.Lookup("text").StringValue(); v != text || got.Version != version {
		s.t.Errorf("%s says %q in version %d, want %q in %d", id, v, got.Version, text, version)
	}
}

func absent(s suite) {
	for _, id := range []string{"main/1", "", "a\x00b", "\xff", strings.Repeat("x", 5000)} {
		_, err := s.Get(s.ctx(), cars, id)
		s.is(err, storage.ErrNotFound)
	}
	r := record("main/1", "")
	r.Version = 1
	s.is(s.Replace(s.ctx(), cars, r), storage.ErrNotFound)
	s.is(s.Delete(s.ctx(), cars, "main/1", 1), storage.ErrNotFound)
}

func replaceStale(s suite) {
	s.put("main/1", "one")
	r := record("main/1", "two")
	for version, want := range map[int64]error{0: storage.ErrStale, 2: storage.ErrStale} {
		r.Version = version
		s.is(s.Replace(s.ctx(), cars, r), want)
	}
	r.Version = 1
	s.ok(s.Replace(s.ctx(), cars, r))
	s.is(s.Replace(s.ctx(), cars, r), storage.ErrStale)
	s.hasText("main/1", "two", 2)
}

func deleteRecord(s suite) {
	s.put("main/1", "one", "plate", "A", "word", "x")
	s.is(s.Delete(s.ctx(), cars, "main/1", 2), storage.ErrStale)
	s.ok(s.Delete(s.ctx(), cars, "main/1", 1))
	_, err := s.Get(s.ctx(), cars, "main/1")
	s.is(err, storage.ErrNotFound)
	s.finds(storage.Query{Key: "plate"})
	s.put("main/1", "again", "plate", "A")
	s.hasText("main/1", "again", 1)
}

const writers = 32

// together runs fn on all writers at once and counts those that succeed; each other must fail with want.
func (s suite) together(want error, fn func(i int) error) int {
	s.t.Helper()
	var won atomic.Int64
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range writers {
		wg.Go(func() {
			<-start
			err := fn(i)
			if err == nil {
				won.Add(1)
			} else if !errors.Is(err, want) {
				s.t.Errorf("writer %d: got %v, want %v", i, err, want)
			}
		})
	}
	close(start)
	wg.Wait()
	return int(won.Load())
}

func compareAndSet(s suite) {
	s.put("main/1", "start")
	for version := int64(1); version <= 5; version++ {
		won := s.together(storage.ErrStale, func(i int) error {
			r := record("main/1", fmt.Sprint(i), "n", fmt.Sprint(i))
			r.Version = version
			return s.Replace(s.ctx(), cars, r)
		})
		if won != 1 {
			s.t.Fatalf("%d writers won version %d", won, version)
		}
	}
	got, err := s.Get(s.ctx(), cars, "main/1")
	s.ok(err)
	winner := got.Doc.Lookup("text").StringValue()
	s.finds(storage.Query{Key: "n"}, "main/1")
	s.finds(storage.Query{Key: "n", Equal: winner}, "main/1")
}

func insertOnce(s suite) {
	won := s.together(storage.ErrExists, func(i int) error {
		return s.Insert(s.ctx(), cars, record("main/1", fmt.Sprint(i), "plate", fmt.Sprint(i)))
	})
	if won != 1 {
		s.t.Fatalf("%d inserts of one id succeeded", won)
	}
	s.finds(storage.Query{Key: "plate"}, "main/1")
}

func insertMany(s suite) {
	won := s.together(nil, func(i int) error {
		return s.Insert(s.ctx(), cars, record(fmt.Sprintf("main/%02d", i), "", "plate", "same"))
	})
	if got := s.ids(storage.Query{Key: "plate", Equal: "same", Limit: 7}); won != writers || len(got) != writers {
		s.t.Fatalf("%d of %d inserts succeeded, %d are found", won, writers, len(got))
	}
}
