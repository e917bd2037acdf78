package storagetest

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"example.com/walkaround/storage"
)

// Restorer holds an engine to what storage.Restorer promises, and to storage.Snapshotter if it is one. open is as for
// Engine.
func Restorer(t *testing.T, open func(*testing.T) storage.Engine) {
	t.Helper()
	for _, c := range []struct {
		name string
		run  func(suite, storage.Restorer)
	}{
		{"a record is restored as it was", restoreWhole},
		{"a restored record goes on from its version", restoreThenReplace},
		{"nothing is restored over a record", restoreTwice},
		{"what no engine keeps is not restored", restoreRefused},
		{"a snapshot stands still beside writers", snapshotStands},
		{"a snapshot refuses writes", snapshotRefuses},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := suite{open(t), t}
			s.ok(s.Declare(t.Context(), declared))
			r, ok := s.Engine.(storage.Restorer)
			if !ok {
				t.Fatalf("%T can't restore", s.Engine)
			}
			c.run(s, r)
		})
	}
}

// walked is a collection as Walk tells of it.
func (s suite) walked(e storage.Engine, collection string) (list []storage.Record) {
	s.t.Helper()
	s.ok(e.Walk(s.ctx(), collection, func(r storage.Record, damage error) error {
		list = append(list, r)
		return damage
	}))
	return list
}

// same compares all of two records that is stored; a summary that is absent is not one that is empty.
func (s suite) same(got, want storage.Record) {
	s.t.Helper()
	if got.ID != want.ID || got.Version != want.Version || !bytes.Equal(got.Doc, want.Doc) || !bytes.Equal(got.Summary, want.Summary) ||
		(got.Summary == nil) != (want.Summary == nil) || !slices.Equal(got.Keys, want.Keys) {
		s.t.Errorf("got %+v, want %+v", got, want)
	}
}

// moved are records of every kind, in order of id, with their keys in order.
func moved() []storage.Record {
	odd, _ := bson.Marshal(bson.D{ // of values that can always be written
		{Key: "z", Value: "last first"},
		{Key: "a", Value: nil},
		{Key: "", Value: "no name"},
		{Key: "at", Value: bson.DateTime(1)},
		{Key: "raw", Value: bson.Binary{Subtype: 0, Data: []byte(`{"b":1,"a":2}`)}},
		{Key: "n", Value: int32(7)},
		{Key: "n64", Value: int64(7)},
		{Key: "deep", Value: bson.D{{Key: "list", Value: bson.A{}}, {Key: "f", Value: 0.5}}},
	})
	empty, _ := bson.Marshal(bson.D{}) // likewise
	plain := record("main/a", "first", "n", "1", "plate", "粵A12345")
	plain.Version = 1
	return []storage.Record{
		plain,
		{ID: "main/b", Version: 41, Doc: odd, Summary: empty, Keys: []storage.KeyValue{{Name: "word", Value: ""}, {Name: "word", Value: "x"}}},
		{ID: "other\x01/c", Version: 1 << 40, Doc: empty, Summary: odd},
	}
}

func restoreWhole(s suite, to storage.Restorer) {
	want := moved()
	for _, r := range want {
		s.ok(to.Restore(s.ctx(), cars, clone(r)))
	}
	for i, got := range s.walked(s.Engine, cars) {
		s.same(got, want[i])
	}
	s.finds(storage.Query{Key: "word"}, "main/b")
	s.finds(storage.Query{Key: "plate", Prefix: "粵"}, "main/a")
}

func clone(r storage.Record) storage.Record {
	r.Doc, r.Summary, r.Keys = bytes.Clone(r.Doc), bytes.Clone(r.Summary), slices.Clone(r.Keys)
	return r
}

func restoreThenReplace(s suite, to storage.Restorer) {
	old := moved()[1]
	s.ok(to.Restore(s.ctx(), cars, clone(old)))
	next := clone(old)
	next.Version = 1
	s.is(s.Replace(s.ctx(), cars, next), storage.ErrStale)
	next.Version = old.Version
	s.ok(s.Replace(s.ctx(), cars, next))
	got, err := s.Get(s.ctx(), cars, old.ID)
	s.ok(err)
	if got.Version != old.Version+1 {
		s.t.Errorf("version %d follows %d", got.Version, old.Version)
	}
}

func restoreTwice(s suite, to storage.Restorer) {
	s.put("main/a", "was here", "plate", "A")
	s.is(to.Restore(s.ctx(), cars, clone(moved()[0])), storage.ErrExists)
	s.hasText("main/a", "was here", 1)
	s.finds(storage.Query{Key: "plate"}, "main/a")
	s.finds(storage.Query{Key: "n"})
}

func restoreRefused(s suite, to storage.Restorer) {
	good := moved()[0]
	for _, version := range []int64{0, -1} {
		r := clone(good)
		r.Version = version
		s.is(to.Restore(s.ctx(), cars, r), storage.ErrValue)
	}
	r := clone(good)
	r.ID = ""
	s.is(to.Restore(s.ctx(), cars, r), storage.ErrValue)
	r = clone(good)
	r.Keys = []storage.KeyValue{{Name: "colour", Value: "red"}}
	s.is(to.Restore(s.ctx(), cars, r), storage.ErrUndeclared)
	s.is(to.Restore(s.ctx(), "boats", clone(good)), storage.ErrUndeclared)
	s.finds(storage.Query{Key: "n"})
}

// snapshot opens one, or leaves the test to engines that have them.
func (s suite) snapshot() (storage.Engine, bool) {
	s.t.Helper()
	from, ok := s.Engine.(storage.Snapshotter)
	if !ok {
		return nil, false
	}
	e, err := from.Snapshot(s.ctx())
	s.ok(err)
	s.t.Cleanup(func() { s.ok(e.Close()) })
	return e, true
}

func snapshotStands(s suite, _ storage.Restorer) {
	s.put("main/1", "before", "plate", "A")
	s.put("main/2", "before")
	e, ok := s.snapshot()
	if !ok {
		return
	}
	s.put("main/3", "after")
	r, err := s.Get(s.ctx(), cars, "main/1")
	s.ok(err)
	changed := record("main/1", "after", "plate", "B")
	changed.Version = r.Version
	s.ok(s.Replace(s.ctx(), cars, changed))
	s.ok(s.Delete(s.ctx(), cars, "main/2", 1))
	s.ok(s.Declare(s.ctx(), []storage.Declaration{{Name: "boats"}}))
	for range 2 {
		list := s.walked(e, cars)
		if len(list) != 2 || list[0].Doc.Lookup("text").StringValue() != "before" || list[1].ID != "main/2" {
			s.t.Errorf("the snapshot moved: %v", list)
		}
	}
	names, err := e.Collections(s.ctx())
	s.ok(err)
	if slices.Contains(names, "boats") {
		s.t.Errorf("the snapshot has %v", names)
	}
}

func snapshotRefuses(s suite, _ storage.Restorer) {
	e, ok := s.snapshot()
	if !ok {
		return
	}
	s.ok(e.Declare(s.ctx(), declared))
	if err := e.Insert(s.ctx(), cars, record("main/1", "x")); err == nil {
		s.t.Error("it takes a record")
	}
}

// Movable holds a blob store to what storage.Blobs promises for backup, restore and sweep. open is as for Blobs.
func Movable(t *testing.T, open func(*testing.T) storage.Blobs) {
	t.Helper()
	for _, c := range []struct {
		name string
		run  func(blobs)
	}{
		{"stores are named in order", storesNamed},
		{"retention is read as it was set", retentionRead},
		{"what was put again is not deleted", renewedStays},
		{"what was not put again is deleted", unrenewedGoes},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.run(blobs{open(t), t})
		})
	}
}

func storesNamed(s blobs) {
	names, err := s.Stores(s.ctx())
	s.ok(err)
	if len(names) != 0 {
		s.t.Errorf("an empty one has %v", names)
	}
	want := []string{"a-b", "a_b", "main", "z9"}
	for _, store := range []string{"main", "z9", "a_b", "a-b", "main"} {
		_, err := s.Put(s.ctx(), store, strings.NewReader("x"), limit, nil)
		s.ok(err)
	}
	names, err = s.Stores(s.ctx())
	s.ok(err)
	if !slices.Equal(names, want) {
		s.t.Errorf("got %v, want %v", names, want)
	}
}

func retentionRead(s blobs) {
	sealed := s.put("sealed")
	until, err := s.Retained(s.ctx(), sealed.Key)
	s.ok(err)
	if !until.IsZero() {
		s.t.Errorf("retained until %s from the start", until)
	}
	want := sealed.Stored.Add(48 * time.Hour).Truncate(time.Second)
	s.ok(s.Retain(s.ctx(), sealed.Key, want))
	s.ok(s.Retain(s.ctx(), sealed.Key, want.Add(-time.Hour)))
	until, err = s.Retained(s.ctx(), sealed.Key)
	s.ok(err)
	if !until.Equal(want) {
		s.t.Errorf("retained until %s, want %s", until, want)
	}
	_, err = s.Retained(s.ctx(), key("absent"))
	s.is(err, storage.ErrNotFound)
}

func renewedStays(s blobs) {
	first := s.put("x")
	s.is(s.DeleteUnrenewed(s.ctx(), first.Key, first.Stored.Add(-24*time.Hour)), storage.ErrStale)
	again := s.put("x")
	for again.Stored.Equal(first.Stored) { // the clock of a blob store may be coarse
		again = s.put("x")
	}
	s.is(s.DeleteUnrenewed(s.ctx(), first.Key, first.Stored), storage.ErrStale)
	s.hold(1)
	s.ok(s.DeleteUnrenewed(s.ctx(), first.Key, again.Stored))
	s.hold(0)
}

func unrenewedGoes(s blobs) {
	info := s.put("x")
	list, err := s.List(s.ctx(), "main", "", 1) // as a sweeper sees it
	s.ok(err)
	s.ok(s.DeleteUnrenewed(s.ctx(), info.Key, list[0].Stored))
	s.hold(0)
	s.is(s.DeleteUnrenewed(s.ctx(), info.Key, info.Stored), storage.ErrNotFound)
	sealed := s.put("sealed")
	s.ok(s.Retain(s.ctx(), sealed.Key, sealed.Stored.Add(time.Hour)))
	s.is(s.DeleteUnrenewed(s.ctx(), sealed.Key, sealed.Stored), storage.ErrRetained)
	s.hold(1)
}
