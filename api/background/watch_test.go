package background_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"example.com/walkaround/api/background"
	"example.com/walkaround/domain"
)

// noting does a task as consumers must: doing it again changes nothing.
func noting(_ context.Context, _ job, task domain.Task) (func(*job), error) {
	return func(j *job) {
		if !slices.Contains(j.Done, task.Ref) {
			j.Done = append(j.Done, task.Ref)
		}
	}, nil
}

// relayOf starts a relay with a lease of an hour, so that it learns nothing by itself of having lost it.
func (h *house) relayOf(t *testing.T, do background.Consumer[job], now func() time.Time) *background.Relay {
	t.Helper()
	if now == nil {
		now = h.clock.Now
	}
	r := background.NewRelay(background.NewLeases(h.engine, now), quiet(h.log), now)
	r.Hurry(time.Hour)
	background.Serve(r, background.Queue[job]{
		Name: "jobs", Collection: h.jobs, Workers: 1,
		ID:        func(j *job) string { return j.ID },
		Outbox:    func(j *job) *domain.Outbox { return &j.Outbox },
		Consumers: map[string]background.Consumer[job]{"work": do},
	})
	r.Start(t.Context())
	t.Cleanup(func() { r.Close(context.Background()) })
	return r
}

func TestALeaseLostInTheMiddleDoesNoHarm(t *testing.T) {
	h := start(t)
	h.owe(t, "j", "work:1")
	begun, goOn := make(chan struct{}), make(chan struct{})
	var mu sync.Mutex
	late, anew := 0, false // runs of the one that lost the lease, of what is owed anew
	slow := h.relayOf(t, func(ctx context.Context, j job, task domain.Task) (func(*job), error) {
		mu.Lock()
		if anew {
			late++
		}
		mu.Unlock()
		select {
		case begun <- struct{}{}:
			<-goOn // deaf to its context, as a process is that was stopped for a while
		default:
		}
		return noting(ctx, j, task)
	}, nil)
	slow.Wake("jobs")
	<-begun
	h.clock.move(time.Hour)
	second := h.relayOf(t, noting, nil)
	second.Wake("jobs")
	until(t, "another takes over", func() bool { return len(h.read(t, "j").Outbox) == 0 })
	second.Close(t.Context())
	_, err := h.jobs.Update(t.Context(), "j", func(j *job) error {
		j.Outbox.Add("work", "work:1", domain.At(h.clock.Now()))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	anew = true
	mu.Unlock()
	close(goOn)
	until(t, "what is owed anew is done", func() bool { return len(h.read(t, "j").Outbox) == 0 })
	slow.Close(t.Context())
	mu.Lock()
	defer mu.Unlock()
	if done := h.read(t, "j").Done; late == 0 || !slices.Equal(done, []string{"work:1"}) {
		t.Errorf("run %d times anew, done %v: the late one forgot what it had not seen", late, done)
	}
}

func TestClocksAMinuteApartLoseNothing(t *testing.T) {
	h := start(t)
	for i := range 40 {
		h.owe(t, fmt.Sprint("j", i), "work:1", "work:2")
	}
	ahead := h.relayOf(t, noting, func() time.Time { return h.clock.Now().Add(time.Minute) })
	h.relayOf(t, noting, nil).Wake("jobs")
	ahead.Wake("jobs")
	for i := range 40 {
		until(t, "all done", func() bool { return len(h.read(t, fmt.Sprint("j", i)).Outbox) == 0 })
		if done := h.read(t, fmt.Sprint("j", i)).Done; !slices.Equal(done, []string{"work:1", "work:2"}) {
			t.Errorf("job %d: %v", i, done)
		}
	}
}

// watcher keeps what it is told.
type watcher struct {
	mu   sync.Mutex
	told []string
}

func (w *watcher) tell(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.told = append(w.told, what)
}

func (w *watcher) Attempted(work, outcome string, _ time.Duration) { w.tell(work + " " + outcome) }

func (w *watcher) Ran(queue, task string, failed bool, _ time.Duration) {
	w.tell(fmt.Sprint(queue, " ", task, " ", failed))
}

func (w *watcher) heard(what string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Contains(w.told, what)
}

func TestAWatcherIsToldWhatBecameOfWork(t *testing.T) {
	h := start(t)
	m := &mute{Engine: h.engine}
	h.engine = m
	if mine, err := background.NewLeases(h.engine, h.clock.Now).Hold(t.Context(), "every/theirs", time.Hour); err != nil || !mine {
		t.Fatal(mine, err)
	}
	r, w := h.relay(), &watcher{}
	r.Hurry(60 * time.Millisecond)
	r.Watch(w)
	r.Every("ours", time.Hour, func(context.Context) error { return nil })
	r.Every("broken", time.Hour, func(context.Context) error { return errors.New("no") })
	r.Every("losing", time.Hour, func(ctx context.Context) error {
		if !w.heard("every/ours done") || !w.heard("every/broken failed") {
			return nil
		}
		m.silent.Store(true)
		<-ctx.Done()
		return nil
	})
	r.Start(t.Context())
	t.Cleanup(func() { r.Close(context.Background()) })
	until(t, "done and failed", func() bool { return w.heard("every/ours done") && w.heard("every/broken failed") })
	until(t, "lost", func() bool { r.Wake("losing"); return w.heard("every/losing lost") })
}

func TestAWatcherIsToldOfTasks(t *testing.T) {
	h := start(t)
	h.owe(t, "j", "work:1", "boom:2")
	r, w := h.relay(), &watcher{}
	r.Watch(w)
	h.serveOn(t, r, note).Wake("jobs")
	until(t, "both", func() bool { return w.heard("jobs work false") && w.heard("jobs boom true") })
	until(t, "the round", func() bool { return w.heard("relay/jobs done") })
}

func TestDepthsTellWhatIsLeft(t *testing.T) {
	h := start(t)
	r := h.serve(t, func(context.Context, job, domain.Task) (func(*job), error) { return nil, errors.New("no") })
	depth := func() background.Depth {
		t.Helper()
		depths, err := r.Depths(t.Context())
		if err != nil || len(depths) != 1 {
			t.Fatal(depths, err)
		}
		return depths[0]
	}
	if got := depth(); got != (background.Depth{Queue: "jobs"}) {
		t.Errorf("nothing is owed: %+v", got)
	}
	h.owe(t, "damaged", "work:1")
	h.damage(t, "damaged")
	h.owe(t, "later", "work:1")
	due := h.clock.Now()
	for range domain.MaxAttempts {
		_, err := h.jobs.Update(t.Context(), "later", func(j *job) error {
			j.Outbox.Fail("work", "work:1", "no", domain.At(due))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := depth(); got.Waiting != 1 || got.Failed != 1 {
		t.Errorf("%+v: the damaged one waits, the other was set aside", got)
	}
	h.owe(t, "a", "work:1")
	if got := depth(); got.Waiting != 2 {
		t.Errorf("%+v", got)
	}
}
