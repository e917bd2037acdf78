package background_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"example.com/walkaround/api/background"
	"example.com/walkaround/storage"
	"example.com/walkaround/storage/disk"
	"example.com/walkaround/storage/sqlite"
)

// yard is a store whose clock is moved by hand.
type yard struct {
	background.Sweeper
	t      *testing.T
	clock  *clock
	folder string // of the blobs
	n      int
}

func newYard(t *testing.T) *yard {
	t.Helper()
	engine, err := sqlite.Open(t.Context(), t.TempDir())
	fine(t, err)
	t.Cleanup(func() { fine(t, engine.Close()) })
	c := &clock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	folder := filepath.Join(t.TempDir(), "blobs")
	blobs, err := disk.Open(folder, c.Now)
	fine(t, err)
	fine(t, engine.Declare(t.Context(), []storage.Declaration{{Name: "photos"}, {Name: "visits"}}))
	return &yard{Sweeper: background.Sweeper{Engine: engine, Blobs: blobs, Now: c.Now}, t: t, clock: c, folder: folder}
}

func fine(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (y *yard) put(data string) storage.BlobInfo {
	y.t.Helper()
	info, err := y.Blobs.Put(y.t.Context(), "main", strings.NewReader(data), 1<<20, nil)
	fine(y.t, err)
	return info
}

// insert files a document that says value under name.
func (y *yard) insert(collection string, value any) string {
	y.t.Helper()
	doc, err := bson.Marshal(bson.D{{Key: "id", Value: "x"}, {Key: "value", Value: value}})
	fine(y.t, err)
	y.n++
	id := fmt.Sprintf("main/%d", y.n)
	fine(y.t, y.Engine.Insert(y.t.Context(), collection, storage.Record{ID: id, Doc: doc}))
	return id
}

func (y *yard) sweep() background.Swept {
	y.t.Helper()
	swept, err := y.Sweep(y.t.Context())
	fine(y.t, err)
	return swept
}

// there says whether a blob is there, and what it would be called in a failure.
func (y *yard) there(info storage.BlobInfo) bool {
	y.t.Helper()
	_, err := y.Blobs.Stat(y.t.Context(), info.Key)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		y.t.Fatal(err)
	}
	return err == nil
}

func sum(info storage.BlobInfo) string { return strings.TrimPrefix(info.Key, "main/") }

const day = 25 * time.Hour

func TestWhatNothingNamesIsDeletedTwoDaysLater(t *testing.T) {
	y := newYard(t)
	lost, kept := y.put("lost"), y.put("kept")
	y.insert("photos", sum(kept))
	for _, step := range []struct {
		after time.Duration
		want  background.Swept
	}{
		{0, background.Swept{Looked: 2}},
		{day - time.Minute, background.Swept{Looked: 2}},
		{2 * time.Minute, background.Swept{Looked: 2, Marked: 1}},
		{day - time.Minute, background.Swept{Looked: 2, Waiting: 1}},
		{2 * time.Minute, background.Swept{Looked: 2, Deleted: 1, Bytes: 4}},
		{day, background.Swept{Looked: 1}},
	} {
		if y.clock.move(step.after); y.sweep() != step.want {
			y.t.Errorf("after %s: not %+v", step.after, step.want)
		}
	}
	if y.there(lost) || !y.there(kept) {
		t.Error("the wrong one is gone")
	}
	fine(t, y.Engine.Walk(t.Context(), "sweep_marks", func(r storage.Record, _ error) error {
		t.Errorf("the mark of %s is left", r.ID)
		return nil
	}))
}

// sweeps goes through marking and deleting.
func (y *yard) sweeps() {
	y.t.Helper()
	for range 3 {
		y.clock.move(day)
		y.sweep()
	}
}

func TestANameCountsWhereverItStands(t *testing.T) {
	y := newYard(t)
	for name, value := range map[string]func(string) any{
		"a digest":             func(s string) any { return "sha256:" + s },
		"a key":                func(s string) any { return "main/" + s },
		"deep in a document":   func(s string) any { return bson.A{bson.D{{Key: "a", Value: bson.D{{Key: "b", Value: s}}}}} },
		"the name of a member": func(s string) any { return bson.D{{Key: s, Value: true}} },
		"free JSON":            func(s string) any { return []byte(`{"photo":"` + s + `"}`) },
		"behind other digits":  func(s string) any { return "00ff" + s },
		"before other digits":  func(s string) any { return s + "00ff" },
		"two without a gap":    func(s string) any { return strings.Repeat("0", 64) + s },
	} {
		t.Run(name, func(t *testing.T) {
			info := y.put(name)
			y.insert("visits", value(sum(info)))
			if y.sweeps(); !y.there(info) {
				t.Error("it is gone")
			}
		})
	}
}

func TestCollectionsThatNobodyDeclaredHereNameToo(t *testing.T) {
	y := newYard(t)
	fine(t, y.Engine.Declare(t.Context(), []storage.Declaration{{Name: "of_a_newer_program"}}))
	info := y.put("new")
	y.insert("of_a_newer_program", sum(info))
	if y.sweeps(); !y.there(info) {
		t.Error("it is gone")
	}
}

func TestWhatIsRetainedStays(t *testing.T) {
	y := newYard(t)
	info := y.put("sealed")
	fine(t, y.Blobs.Retain(t.Context(), info.Key, y.clock.Now().Add(10*day)))
	if y.sweeps(); !y.there(info) {
		t.Fatal("it is gone")
	}
	y.clock.move(10 * day)
	if y.sweeps(); y.there(info) {
		t.Error("it stays when its time is over")
	}
}

func TestDamageSweepsNothing(t *testing.T) {
	y := newYard(t)
	info := y.put("lost")
	y.clock.move(day)
	y.sweep()
	y.clock.move(day)
	y.insert("photos", "x")
	y.Engine = spoilt{y.Engine}
	if _, err := y.Sweep(t.Context()); !errors.Is(err, background.ErrUnsure) || !y.there(info) {
		t.Errorf("got %v", err)
	}
}

// spoilt is an engine whose photos are damaged.
type spoilt struct{ storage.Engine }

func (s spoilt) Walk(ctx context.Context, collection string, fn func(storage.Record, error) error) error {
	return s.Engine.Walk(ctx, collection, func(r storage.Record, err error) error {
		if collection == "photos" {
			err = storage.ErrCorrupt
		}
		return fn(r, err)
	})
}

// meanwhile is what happens between the steps of a sweep.
type meanwhile struct {
	walked  func(collection string)
	listed  func()
	removes func()
}

// late is blobs beside which something happens.
type late struct {
	storage.Blobs
	m *meanwhile
}

func (l late) List(ctx context.Context, store, after string, limit int) ([]storage.BlobInfo, error) {
	list, err := l.Blobs.List(ctx, store, after, limit)
	if l.m.listed != nil {
		l.m.listed()
	}
	return list, err
}

func (l late) DeleteUnrenewed(ctx context.Context, key string, stored time.Time) error {
	if l.m.removes != nil {
		l.m.removes()
	}
	return l.Blobs.DeleteUnrenewed(ctx, key, stored)
}

// An upload of the same bytes is a PUT and then a name. Wherever the two fall into a sweep that was about to delete, the
// bytes stay.
func TestAnUploadDuringASweepKeepsItsBytes(t *testing.T) {
	for name, place := range map[string]func(m *meanwhile, put, name func()){
		"both behind the walk of the documents": func(m *meanwhile, put, name func()) {
			m.walked = func(c string) {
				if c == "visits" {
					put()
					name()
				}
			}
		},
		"put before the list, named behind it": func(m *meanwhile, put, name func()) {
			m.walked = func(c string) {
				if c == "visits" {
					put()
				}
			}
			m.listed = name
		},
		"put behind the list":                  func(m *meanwhile, put, name func()) { m.removes = func() { put(); name() } },
		"put behind the list, named after all": func(m *meanwhile, put, _ func()) { m.removes = put },
	} {
		t.Run(name, func(t *testing.T) {
			y := newYard(t)
			info := y.put("photo")
			y.clock.move(day)
			y.sweep()
			y.clock.move(day)
			var put, named sync.Once
			engine, blobs, m := y.Engine, y.Blobs, &meanwhile{}
			naming := func() { named.Do(func() { y.insertInto(engine, sum(info)) }) }
			place(m, func() { put.Do(func() { y.put("photo") }) }, naming)
			hooked := y.Sweeper
			hooked.Engine, hooked.Blobs = walking{engine, m}, late{blobs, m}
			_, err := hooked.Sweep(t.Context())
			fine(t, err)
			naming()
			if !y.there(info) {
				t.Fatal("the bytes of an upload are gone")
			}
			if y.sweeps(); !y.there(info) {
				t.Error("they are gone later")
			}
		})
	}
}

// walking is an engine beside which something happens.
type walking struct {
	storage.Engine
	m *meanwhile
}

func (w walking) Walk(ctx context.Context, collection string, fn func(storage.Record, error) error) error {
	err := w.Engine.Walk(ctx, collection, fn)
	if w.m.walked != nil {
		w.m.walked(collection)
	}
	return err
}

func (y *yard) insertInto(e storage.Engine, value string) {
	y.t.Helper()
	was := y.Engine
	y.Engine = e
	y.insert("photos", value)
	y.Engine = was
}

func TestUploadsBesideSweepsAllStay(t *testing.T) {
	y := newYard(t)
	const photos, rounds = 20, 10
	for i := range photos {
		y.put(fmt.Sprint(i))
	}
	y.clock.move(day)
	y.sweep()
	y.clock.move(day)
	var both sync.WaitGroup
	both.Go(func() {
		for range rounds {
			if _, err := y.Sweep(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
	var named []storage.BlobInfo
	for i := range photos {
		named = append(named, y.put(fmt.Sprint(i)))
		y.insert("photos", sum(named[i]))
	}
	both.Wait()
	for _, info := range named {
		if !y.there(info) {
			t.Errorf("%s is gone", info.Key)
		}
	}
}

func TestAMarkFromBeforeALaterPutCountsForNothing(t *testing.T) {
	y := newYard(t)
	info := y.put("photo")
	y.clock.move(day)
	y.sweep()
	y.clock.move(time.Hour)
	y.put("photo")
	id := y.insert("photos", sum(info))
	y.clock.move(2 * day)
	fine(t, y.Engine.Delete(t.Context(), "photos", id, 1))
	if swept := y.sweep(); swept.Deleted != 0 || swept.Marked != 1 {
		t.Errorf("%+v: what was named a moment ago must wait a day", swept)
	}
}

func TestLookChangesNothing(t *testing.T) {
	y := newYard(t)
	lost := y.put("lost")
	y.put("young")
	look := func() (found []string) {
		fine(t, y.Look(t.Context(), func(u background.Unnamed) error {
			found = append(found, fmt.Sprint(u.Key == lost.Key, !u.Since.IsZero(), u.Due))
			return nil
		}))
		return found
	}
	y.clock.move(day)
	y.put("young")
	for range 2 {
		if got := look(); !slices.Equal(got, []string{"true false false"}) {
			t.Errorf("unmarked: %q", got)
		}
	}
	y.sweep()
	y.clock.move(day)
	y.put("young")
	for range 2 {
		if got := look(); !slices.Equal(got, []string{"true true true"}) {
			t.Errorf("due: %q", got)
		}
	}
	if !y.there(lost) {
		t.Error("it is gone")
	}
}

func TestManyStoresAndPages(t *testing.T) {
	y := newYard(t)
	old := y.clock.Now()
	for i := range 1_005 { // more than one page; written by hand, as a put is durable and takes its time
		name := fmt.Sprintf("%064x", i)
		path := filepath.Join(y.folder, "many", "00", name)
		fine(t, os.MkdirAll(filepath.Dir(path), 0o700))
		fine(t, errors.Join(os.WriteFile(path, nil, 0o600), os.Chtimes(path, old, old)))
	}
	info := y.put("main's")
	y.insert("photos", sum(info))
	y.clock.move(day)
	if swept := y.sweep(); swept.Looked != 1_006 || swept.Marked < 980 || swept.Marked > 1_005 {
		t.Errorf("%+v", swept)
	}
}

func TestAMarkFromBeforeALaterNameCountsForNothing(t *testing.T) {
	y := newYard(t)
	info := y.put("photo")
	y.clock.move(day)
	y.sweep()
	id := y.insert("photos", sum(info))
	y.clock.move(day)
	y.sweep()
	fine(t, y.Engine.Delete(t.Context(), "photos", id, 1))
	if swept := y.sweep(); swept.Deleted != 0 || swept.Marked != 1 {
		t.Errorf("%+v: what was named a moment ago must wait a day", swept)
	}
}

func TestFewNamesSeemToBeThereThatAreNot(t *testing.T) {
	const blobs = 20_000
	digests := func(from, n int) []string {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprintf("%x", sha256.Sum256(fmt.Append(nil, from+i)))
		}
		return list
	}
	others := digests(0, blobs)
	for each, most := range map[int]int{3: blobs / 2_000, 6: blobs / 500, 10: blobs / 50} {
		if hits := background.FalseHits(blobs, digests(blobs, each*blobs), others); hits > most {
			t.Errorf("at %d digests a blob %d of %d seem to be named, want no more than %d", each, hits, blobs, most)
		}
	}
}

func TestTheNextSweepDeletesWhatOneMarks(t *testing.T) {
	y := newYard(t)
	lost := y.put("lost")
	y.clock.move(background.SweepEvery)
	if swept := y.sweep(); swept.Marked != 1 {
		t.Fatalf("%+v", swept)
	}
	y.clock.move(background.SweepEvery)
	if swept := y.sweep(); swept.Deleted != 1 || y.there(lost) {
		t.Errorf("%+v", swept)
	}
}
