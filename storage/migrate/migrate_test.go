package migrate_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"example.com/walkaround/storage"
	"example.com/walkaround/storage/migrate"
	"example.com/walkaround/storage/sqlite"
)

const cars = "cars"

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, folder string) storage.Engine {
	t.Helper()
	e, err := sqlite.Open(t.Context(), folder)
	ok(t, err)
	t.Cleanup(func() { ok(t, e.Close()) })
	ok(t, e.Declare(t.Context(), []storage.Declaration{{Name: cars, Keys: []string{"plate", "plate_key"}}}))
	return e
}

// store is an engine with so many cars of the oldest format, without a word about it.
func store(t *testing.T, n int) storage.Engine {
	t.Helper()
	return filled(t, t.TempDir(), n)
}

func filled(t *testing.T, folder string, n int) storage.Engine {
	t.Helper()
	e := open(t, folder)
	for i := range n {
		plate := fmt.Sprintf("a-%02d", i)
		ok(t, e.Insert(t.Context(), cars, storage.Record{
			ID: fmt.Sprintf("main/%02d", i), Doc: doc(t, "plate", plate), Keys: []storage.KeyValue{{Name: "plate", Value: plate}},
		}))
	}
	return e
}

func doc(t *testing.T, name, value string) bson.Raw {
	t.Helper()
	raw, err := bson.Marshal(bson.D{{Key: name, Value: value}})
	ok(t, err)
	return raw
}

// steps are migrations made up for the tests: format 2 files a plate in capitals under another key, format 3 marks it.
func steps(t *testing.T, seen func() error) migrate.Steps {
	t.Helper()
	rewrite := func(from, to string, change func(string) string) func(context.Context, storage.Engine) error {
		return func(ctx context.Context, e storage.Engine) error {
			return migrate.Each(ctx, e, cars, func(r storage.Record) (storage.Record, error) {
				old, is := r.Doc.Lookup(from).StringValueOK()
				if !is {
					return r, storage.ErrUnchanged
				}
				value := change(old)
				r.Doc, r.Keys = doc(t, to, value), []storage.KeyValue{{Name: "plate_key", Value: value}}
				return r, seen()
			})
		}
	}
	return migrate.Steps{
		{To: 2, Run: rewrite("plate", "plate_key", strings.ToUpper)},
		{To: 3, Run: rewrite("plate_key", "marked", func(s string) string { return s + "!" })},
	}
}

func quietly() error { return nil }

// leases is a lease that can be taken away.
type leases struct {
	mu      sync.Mutex
	held    bool
	refuse  bool
	holders atomic.Int64
}

func (l *leases) Hold(context.Context, string, time.Duration) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held || l.refuse {
		return false, nil
	}
	l.held = true
	l.holders.Add(1)
	return true, nil
}

func (l *leases) Release(context.Context, string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held = false
	return nil
}

// values are what cars of the newest format say; by just that they are found.
func values(t *testing.T, e storage.Engine) (list []string) {
	t.Helper()
	ok(t, e.Walk(t.Context(), cars, func(r storage.Record, damage error) error {
		value, _ := r.Doc.Lookup("marked").StringValueOK()
		if len(r.Keys) != 1 || r.Keys[0].Value != value {
			t.Errorf("%s is found by %v", value, r.Keys)
		}
		list = append(list, value)
		return damage
	}))
	return list
}

func format(t *testing.T, e storage.Engine) migrate.Format {
	t.Helper()
	ok(t, migrate.Declare(t.Context(), e))
	f, err := migrate.FormatOf(t.Context(), e)
	ok(t, err)
	return migrate.Format{Version: f.Version, Target: f.Target}
}

func TestAStoreWithoutAWordIsOfTheOldestFormat(t *testing.T) {
	e, known := store(t, 3), steps(t, quietly)
	ok(t, known.Prepare(t.Context(), e, &leases{}))
	if got := format(t, e); got != (migrate.Format{Version: 3}) {
		t.Errorf("%+v", got)
	}
	if got := values(t, e); fmt.Sprint(got) != "[A-00! A-01! A-02!]" {
		t.Errorf("%q", got)
	}
	r, err := e.Get(t.Context(), cars, "main/00")
	ok(t, err)
	ok(t, known.Prepare(t.Context(), e, &leases{refuse: true})) // nothing is left to do, so nothing is held
	if again, err := e.Get(t.Context(), cars, "main/00"); err != nil || again.Version != r.Version || r.Version != 3 {
		t.Errorf("version %d, then %d: %v", r.Version, again.Version, err)
	}
}

func TestAnEmptyStoreIsOfTheNewestFormat(t *testing.T) {
	e := store(t, 0)
	never := func() error { return errors.New("there is nothing to change") }
	ok(t, steps(t, never).Prepare(t.Context(), e, &leases{}))
	if got := format(t, e); got != (migrate.Format{Version: 3}) {
		t.Errorf("%+v", got)
	}
}

func TestThisProgramMarksItsStores(t *testing.T) {
	e := store(t, 2)
	ok(t, migrate.Known().Prepare(t.Context(), e, &leases{}))
	if got := format(t, e); got != (migrate.Format{Version: migrate.Known().Newest()}) {
		t.Errorf("%+v", got)
	}
}

// A process may be killed before or behind any write. Whatever it left is found and finished by the next one.
func TestAMigrationThatBreaksOffAnywhereIsFinished(t *testing.T) {
	for broken := range 8 {
		e := store(t, 4)
		left := broken
		killed := errors.New("killed")
		die := func() error {
			if left--; left < 0 {
				return killed
			}
			return nil
		}
		if err := steps(t, die).Prepare(t.Context(), e, &leases{}); !errors.Is(err, killed) {
			t.Fatalf("at %d: %v", broken, err)
		}
		f := format(t, e)
		if want := 2 + broken/4; f.Target != want {
			t.Errorf("at %d: %+v, want it on its way to %d", broken, f, want)
		}
		if err := steps(t, quietly)[:f.Target-2].Refuse(t.Context(), e); !errors.Is(err, migrate.ErrNewer) {
			t.Errorf("at %d: a program that knows less opens it: %v", broken, err)
		}
		ok(t, steps(t, quietly).Prepare(t.Context(), e, &leases{}))
		if got := values(t, e); fmt.Sprint(got) != "[A-00! A-01! A-02! A-03!]" {
			t.Errorf("at %d: %q", broken, got)
		}
	}
}

func TestNewerDocumentsAreRefused(t *testing.T) {
	e := store(t, 1)
	ok(t, steps(t, quietly).Prepare(t.Context(), e, &leases{}))
	before := values(t, e)
	for _, known := range []migrate.Steps{migrate.Known(), steps(t, quietly)[:1]} {
		err := known.Prepare(t.Context(), e, &leases{})
		if !errors.Is(err, migrate.ErrNewer) || !strings.Contains(err.Error(), "format 3") || strings.Contains(err.Error(), "\n") {
			t.Errorf("got %v, want one line that names both formats", err)
		}
	}
	if got := values(t, e); fmt.Sprint(got) != fmt.Sprint(before) || format(t, e) != (migrate.Format{Version: 3}) {
		t.Errorf("it was changed: %q", got)
	}
}

func TestOfManyProcessesOneMigrates(t *testing.T) {
	e := store(t, 4)
	shared := &leases{}
	var changed atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			known := steps(t, func() error { changed.Add(1); return nil })
			if err := known.Prepare(t.Context(), e, shared); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := values(t, e); changed.Load() != 8 || fmt.Sprint(got) != "[A-00! A-01! A-02! A-03!]" {
		t.Errorf("%d changes of 4 documents in 2 steps: %q", changed.Load(), got)
	}
}

// Two that run at once, because a lease was lost, do no harm either.
func TestTwoAtOnceDoNoHarm(t *testing.T) {
	e := store(t, 20)
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			if err := steps(t, quietly).Prepare(t.Context(), e, &leases{}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := values(t, e); len(got) != 20 || got[19] != "A-19!" || format(t, e) != (migrate.Format{Version: 3}) {
		t.Errorf("%q", got)
	}
}

func TestTheFormatIsNeverTakenBack(t *testing.T) {
	e := store(t, 0)
	ok(t, migrate.Declare(t.Context(), e))
	for _, c := range []struct{ write, want migrate.Format }{
		{migrate.Format{Version: 1}, migrate.Format{Version: 1}},
		{migrate.Format{Version: 1, Target: 2}, migrate.Format{Version: 1, Target: 2}},
		{migrate.Format{Version: 1}, migrate.Format{Version: 1, Target: 2}},
		{migrate.Format{Version: 2}, migrate.Format{Version: 2}},
		{migrate.Format{Version: 1, Target: 2}, migrate.Format{Version: 2}},
		{migrate.Format{Version: 2, Target: 3}, migrate.Format{Version: 2, Target: 3}},
		{migrate.Format{Version: 2}, migrate.Format{Version: 2, Target: 3}},
	} {
		ok(t, migrate.SetFormat(t.Context(), e, c.write))
		if got := format(t, e); got != c.want {
			t.Errorf("after %+v: %+v, want %+v", c.write, got, c.want)
		}
	}
}

// What others change while a step is under way is changed again, not overwritten.
func TestADocumentThatOthersChangedIsReadAgain(t *testing.T) {
	e := store(t, 1)
	others := 3
	err := migrate.Each(t.Context(), e, cars, func(r storage.Record) (storage.Record, error) {
		if others--; others >= 0 {
			other := r
			other.Doc = doc(t, "plate", fmt.Sprint("other", others))
			ok(t, e.Replace(t.Context(), cars, other))
		}
		r.Doc = doc(t, "seen", r.Doc.Lookup("plate").StringValue())
		return r, nil
	})
	ok(t, err)
	r, err := e.Get(t.Context(), cars, "main/00")
	ok(t, err)
	if got := r.Doc.Lookup("seen").StringValue(); got != "other0" {
		t.Errorf("the change of another is lost: %s", got)
	}
}

func TestARestoreThatBrokeOffKeepsTheStoreClosed(t *testing.T) {
	e := store(t, 0)
	ok(t, migrate.Declare(t.Context(), e))
	ok(t, migrate.BeginRestore(t.Context(), e, "b1"))
	if err := migrate.Known().Prepare(t.Context(), e, &leases{}); !errors.Is(err, migrate.ErrRestoring) {
		t.Errorf("got %v", err)
	}
	if backup, err := migrate.Restoring(t.Context(), e); err != nil || backup != "b1" {
		t.Errorf("%q, %v", backup, err)
	}
	if err := migrate.BeginRestore(t.Context(), e, "b2"); !errors.Is(err, storage.ErrExists) {
		t.Errorf("a second restore begins: %v", err)
	}
	ok(t, migrate.EndRestore(t.Context(), e))
	ok(t, migrate.Known().Prepare(t.Context(), e, &leases{}))
}

// A lease that is lost ends the migration: another process has it by now.
func TestALostLeaseEndsTheMigration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, held := store(t, 1), &leases{}
		hangs := migrate.Steps{{To: 2, Run: func(ctx context.Context, _ storage.Engine) error {
			<-ctx.Done()
			return ctx.Err()
		}}}
		began := time.Now()
		err := hangs.Prepare(t.Context(), e, held) // this lease can't be renewed
		if !errors.Is(err, storage.ErrUnavailable) || !strings.Contains(err.Error(), "lease of the migration was lost") {
			t.Errorf("got %v", err)
		}
		if took := time.Since(began); took > 15*time.Second {
			t.Errorf("it went on for %s", took)
		}
		if got := format(t, e); got != (migrate.Format{Version: 1, Target: 2}) {
			t.Errorf("%+v", got)
		}
	})
}
