package background_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/walkaround/api/background"
	"example.com/walkaround/domain"
	"example.com/walkaround/storage"
	"example.com/walkaround/storage/sqlite"
)

// job is a document that owes tasks.
type job struct {
	ID     string        `bson:"id"`
	Done   []string      `bson:"done"`
	Outbox domain.Outbox `bson:"outbox"`
}

// clock is moved by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// house is one store of jobs that relays share.
type house struct {
	engine storage.Engine
	folder string
	jobs   *storage.Collection[job]
	clock  *clock
	log    *lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func start(t *testing.T) *house {
	t.Helper()
	h := &house{clock: &clock{now: time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC)}, log: &lockedBuffer{}, folder: t.TempDir()}
	var err error
	if h.engine, err = sqlite.Open(t.Context(), h.folder); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.engine.Close(); err != nil {
			t.Error(err)
		}
	})
	h.jobs = storage.NewCollection(h.engine, storage.Shape[job]{
		Name: "jobs", ID: func(j *job) string { return j.ID },
		Keys: []storage.Key[job]{
			{Name: "pending", Values: func(j *job) []string { return j.Outbox.PendingKey() }},
			{Name: "failed", Values: func(j *job) []string { return j.Outbox.FailedKey() }},
		},
	})
	err = h.engine.Declare(t.Context(), []storage.Declaration{h.jobs.Declaration(), background.LeasesOf(h.engine).Declaration()})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *house) relay() *background.Relay {
	return background.NewRelay(background.NewLeases(h.engine, h.clock.Now), quiet(h.log), h.clock.Now)
}

func quiet(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }

// serve starts a relay whose tasks are done by do; what it did is noted in the document.
func (h *house) serve(t *testing.T, do background.Consumer[job]) *background.Relay {
	t.Helper()
	return h.serveOn(t, h.relay(), do)
}

// serveOn is serve by a relay that is there.
func (h *house) serveOn(t *testing.T, r *background.Relay, do background.Consumer[job]) *background.Relay {
	t.Helper()
	background.Serve(r, background.Queue[job]{
		Name: "jobs", Collection: h.jobs, Workers: 2,
		ID:     func(j *job) string { return j.ID },
		Outbox: func(j *job) *domain.Outbox { return &j.Outbox },
		Consumers: map[string]background.Consumer[job]{
			"work": do,
			"boom": func(context.Context, job, domain.Task) (func(*job), error) { panic("boom") },
		},
	})
	r.Start(t.Context())
	t.Cleanup(func() { r.Close(context.Background()) })
	return r
}

func (h *house) owe(t *testing.T, id string, refs ...string) {
	t.Helper()
	j := job{ID: id}
	for _, ref := range refs {
		kind, _, _ := strings.Cut(ref, ":")
		j.Outbox.Add(kind, ref, domain.At(h.clock.Now()))
	}
	if _, err := h.jobs.Insert(t.Context(), j); err != nil {
		t.Fatal(err)
	}
}

func (h *house) read(t *testing.T, id string) job {
	t.Helper()
	saved, err := h.jobs.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return saved.Value
}

// until waits for what a relay does on its own.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(8 * time.Second); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: never", what)
		}
	}
}

func note(_ context.Context, _ job, task domain.Task) (func(*job), error) {
	return func(j *job) { j.Done = append(j.Done, task.Ref) }, nil
}

func TestTasksOfADocumentRunInOrder(t *testing.T) {
	h := start(t)
	for i := range 40 { // more than one batch
		h.owe(t, fmt.Sprint("j", i), "work:1", "work:2", "work:3")
	}
	h.serve(t, note).Wake("jobs")
	for i := range 40 {
		until(t, "all done", func() bool { return len(h.read(t, fmt.Sprint("j", i)).Outbox) == 0 })
		if done := h.read(t, fmt.Sprint("j", i)).Done; !slices.Equal(done, []string{"work:1", "work:2", "work:3"}) {
			t.Errorf("job %d: %v", i, done)
		}
	}
}

func TestFailedTaskIsTriedAgainAndHoldsUpWhatFollows(t *testing.T) {
	h := start(t)
	var mu sync.Mutex
	broken := true
	r := h.serve(t, func(ctx context.Context, j job, task domain.Task) (func(*job), error) {
		mu.Lock()
		defer mu.Unlock()
		if broken && task.Ref == "work:1" {
			return nil, errors.New("no paper" + strings.Repeat("紙", 500))
		}
		return note(ctx, j, task)
	})
	h.owe(t, "j", "work:1", "work:2")
	r.Wake("jobs")
	until(t, "first attempt", func() bool { return h.read(t, "j").Outbox[0].Attempts == 1 })
	first := h.read(t, "j").Outbox[0]
	if len(first.LastError) > 500 || !strings.HasPrefix(first.LastError, "no paper") || first.DueAt != domain.At(h.clock.Now().Add(time.Second)) {
		t.Errorf("%+v", first)
	}
	if !strings.Contains(h.log.String(), "no paper") {
		t.Error("a failure leaves no line in the log")
	}
	mu.Lock()
	broken = false
	mu.Unlock()
	h.clock.move(time.Second)
	r.Wake("jobs")
	until(t, "second attempt", func() bool { return len(h.read(t, "j").Outbox) == 0 })
	if done := h.read(t, "j").Done; !slices.Equal(done, []string{"work:1", "work:2"}) {
		t.Errorf("%v", done)
	}
}

func TestNotBeforeItIsDue(t *testing.T) {
	h := start(t)
	later := job{ID: "later"}
	later.Outbox.Add("work", "work:1", domain.At(h.clock.Now().Add(time.Millisecond)))
	if _, err := h.jobs.Insert(t.Context(), later); err != nil {
		t.Fatal(err)
	}
	both := job{ID: "both"}
	both.Outbox.Add("work", "work:1", domain.At(h.clock.Now()))
	both.Outbox.Add("work", "work:2", domain.At(h.clock.Now().Add(time.Hour)))
	if _, err := h.jobs.Insert(t.Context(), both); err != nil {
		t.Fatal(err)
	}
	r := h.serve(t, note)
	r.Wake("jobs")
	until(t, "the one that is due", func() bool { return len(h.read(t, "both").Done) > 0 })
	h.owe(t, "now", "work:1")
	r.Wake("jobs")
	until(t, "the next round", func() bool { return len(h.read(t, "now").Outbox) == 0 })
	if len(h.read(t, "later").Outbox) != 1 || len(h.read(t, "both").Outbox) != 1 {
		t.Fatal("done before it was due")
	}
	h.clock.move(time.Millisecond)
	r.Wake("jobs")
	until(t, "the later one", func() bool { return len(h.read(t, "later").Outbox) == 0 })
}

func TestWhatKeepsFailingIsSetAside(t *testing.T) {
	h := start(t)
	h.owe(t, "j", "boom:1", "nobody:2", "work:3")
	r := h.serve(t, note)
	until(t, "set aside, and the rest done", func() bool {
		h.clock.move(time.Hour)
		r.Wake("jobs")
		return len(h.read(t, "j").Done) == 1
	})
	j := h.read(t, "j")
	if len(j.Outbox) != 2 || j.Outbox[0].FailedAt == nil || j.Outbox[1].FailedAt == nil || j.Outbox[0].Attempts != domain.MaxAttempts {
		t.Fatalf("%+v", j.Outbox)
	}
	if !strings.HasPrefix(j.Outbox[0].LastError, "panic: boom") || j.Outbox[1].LastError != `no consumer for task "nobody"` {
		t.Errorf("%q, %q", j.Outbox[0].LastError, j.Outbox[1].LastError)
	}
	page, err := h.jobs.Find(t.Context(), storage.Query{Key: "failed", Limit: 10})
	if err != nil || len(page.Items) != 1 {
		t.Errorf("in sight: %d, %v", len(page.Items), err)
	}
}

func TestWhatCannotBeNotedIsNotRunWithoutEnd(t *testing.T) {
	h := start(t)
	h.owe(t, "j", "work:1")
	var mu sync.Mutex
	runs := 0
	r := h.serve(t, func(context.Context, job, domain.Task) (func(*job), error) {
		mu.Lock()
		defer mu.Unlock()
		runs++
		return func(j *job) { j.ID = "another" }, nil // storage refuses such a change
	})
	r.Wake("jobs")
	until(t, "the fault", func() bool { return strings.Contains(h.log.String(), "changed the id") })
	for range 20 { // reads, during which an endless round would run on
		h.read(t, "j")
	}
	mu.Lock()
	defer mu.Unlock()
	if runs > 2 {
		t.Errorf("run %d times at once", runs)
	}
}

func TestOneOfTwoRelaysHasTheLease(t *testing.T) {
	h := start(t)
	one, two := background.NewLeases(h.engine, h.clock.Now), background.NewLeases(h.engine, h.clock.Now)
	hold := func(l *background.Leases, want bool) {
		t.Helper()
		if mine, err := l.Hold(t.Context(), "relay/jobs", 15*time.Second); err != nil || mine != want {
			t.Fatalf("holds %v, %v; want %v", mine, err, want)
		}
	}
	hold(one, true)
	hold(two, false)
	hold(one, true) // renewed
	h.clock.move(14 * time.Second)
	hold(two, false)
	h.clock.move(time.Second)
	hold(two, true) // lapsed
	hold(one, false)
	h.clock.move(-time.Hour) // the lease lies an hour ahead: whoever wrote it had a wrong clock
	hold(one, true)
	if err := two.Release(t.Context(), "relay/jobs"); err != nil {
		t.Fatal(err)
	}
	hold(two, false) // not his to give back
	if err := one.Release(t.Context(), "relay/jobs"); err != nil {
		t.Fatal(err)
	}
	hold(two, true)
	if err := one.Release(t.Context(), "never held"); err != nil {
		t.Error(err)
	}
}

func TestManyClaimAtOnceAndOneWins(t *testing.T) {
	h := start(t)
	var wait sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for range 8 {
		wait.Go(func() {
			mine, err := background.NewLeases(h.engine, h.clock.Now).Hold(t.Context(), "work", time.Minute)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			if mine {
				won++
			}
		})
	}
	wait.Wait()
	if won != 1 {
		t.Errorf("%d hold it", won)
	}
}

func TestCloseEndsWorkAndGivesLeasesBack(t *testing.T) {
	h := start(t)
	begun := make(chan struct{})
	h.owe(t, "j", "work:1")
	r := h.serve(t, func(ctx context.Context, _ job, _ domain.Task) (func(*job), error) {
		close(begun)
		<-ctx.Done()
		return nil, ctx.Err()
	})
	r.Wake("jobs")
	<-begun
	r.Close(t.Context())
	if task := h.read(t, "j").Outbox[0]; task.Attempts != 0 {
		t.Errorf("what was ended has not failed: %+v", task)
	}
	if mine, err := background.NewLeases(h.engine, h.clock.Now).Hold(t.Context(), "relay/jobs", time.Minute); err != nil || !mine {
		t.Errorf("another process must wait: %v, %v", mine, err)
	}
	h.relay().Close(t.Context()) // one that was never started
}

func TestRecurringWorkRunsAtOnceAndByOneProcess(t *testing.T) {
	h := start(t)
	if mine, err := background.NewLeases(h.engine, h.clock.Now).Hold(t.Context(), "every/theirs", 15*time.Second); err != nil || !mine {
		t.Fatal(mine, err)
	}
	ran := make(chan string, 10)
	r := h.relay()
	for _, name := range []string{"theirs", "ours"} {
		r.Every(name, time.Hour, func(context.Context) error {
			ran <- name
			return errors.New("not today")
		})
	}
	r.Start(t.Context())
	if name := <-ran; name != "ours" {
		t.Errorf("%s ran under another's lease", name)
	}
	until(t, "the log", func() bool { return strings.Contains(h.log.String(), "not today") })
	h.clock.move(15 * time.Second)
	r.Wake("theirs")
	if name := <-ran; name != "theirs" {
		t.Errorf("%s ran", name)
	}
	r.Close(t.Context())
	r.Wake("nothing of this name")
}
