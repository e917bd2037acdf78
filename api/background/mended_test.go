package background_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"

	"example.com/walkaround/api/background"
	"example.com/walkaround/domain"
	"example.com/walkaround/storage"
)

// damage changes the bytes of a document behind the engine's back: no checksum follows.
func (h *house) damage(t *testing.T, id string) {
	t.Helper()
	c, err := sqlite3.Open("file:" + filepath.Join(h.folder, "walkaround.db"))
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(c.BusyTimeout(10*time.Second), c.Exec("UPDATE c_jobs SET doc = CAST(replace(doc, 'work', 'wurk') AS BLOB) WHERE id = '"+id+"'"))
	if c.Changes() != 1 {
		t.Errorf("%d rows damaged", c.Changes())
	}
	if err = errors.Join(err, c.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestDamagedDocumentsHoldUpNobody(t *testing.T) {
	h := start(t)
	for i := range 33 { // more than a batch, and all before the sound one
		h.owe(t, fmt.Sprintf("a%02d", i), "work:1")
		h.damage(t, fmt.Sprintf("a%02d", i))
	}
	h.owe(t, "b", "work:1")
	h.serve(t, note).Wake("jobs")
	until(t, "the sound one is done", func() bool { return len(h.read(t, "b").Done) == 1 })
	until(t, "the log tells of the damaged", func() bool { return strings.Contains(h.log.String(), "damaged: jobs a00") })
}

func TestTaskThatIsOwedAnewWhileItRunsRunsAgain(t *testing.T) {
	h := start(t)
	begun, goOn := make(chan struct{}, 2), make(chan struct{}, 2)
	h.owe(t, "j", "work:1")
	r := h.serve(t, func(ctx context.Context, j job, task domain.Task) (func(*job), error) {
		begun <- struct{}{}
		<-goOn
		return note(ctx, j, task)
	})
	r.Wake("jobs")
	<-begun
	_, err := h.jobs.Update(t.Context(), "j", func(j *job) error {
		j.Outbox.Add("work", "work:1", domain.At(h.clock.Now()))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	goOn <- struct{}{}
	goOn <- struct{}{}
	until(t, "both runs", func() bool { return len(h.read(t, "j").Done) == 2 })
	if left := h.read(t, "j").Outbox; len(left) != 0 {
		t.Errorf("%+v", left)
	}
}

func TestRecurringWorkThatFailedIsTriedAgainSoon(t *testing.T) {
	h := start(t)
	var runs atomic.Int64
	r := h.relay()
	r.Hurry(20 * time.Millisecond)
	r.Every("checkpoints", time.Hour, func(context.Context) error {
		if runs.Add(1) < 3 {
			return errors.New("not yet")
		}
		return nil
	})
	r.Start(t.Context())
	t.Cleanup(func() { r.Close(context.Background()) })
	until(t, "a third run within the hour", func() bool { return runs.Load() == 3 })
}

func TestRecurringWorkOfAProcessThatCrashedIsTakenOver(t *testing.T) {
	h := start(t)
	const lease = 30 * time.Millisecond
	if mine, err := background.NewLeases(h.engine, h.clock.Now).Hold(t.Context(), "every/keys", lease); err != nil || !mine {
		t.Fatal(mine, err)
	}
	m := &mute{Engine: h.engine}
	h.engine = m
	ran := make(chan struct{}, 8)
	r := h.relay()
	r.Hurry(lease)
	r.Every("keys", time.Hour, func(context.Context) error {
		ran <- struct{}{}
		return nil
	})
	r.Start(t.Context())
	t.Cleanup(func() { r.Close(context.Background()) })
	until(t, "asked for and refused", func() bool { return m.asked.Load() > 0 })
	h.clock.move(lease)
	select {
	case <-ran:
	case <-time.After(8 * time.Second):
		t.Error("waits for the whole period")
	}
}

// mute is an engine that takes no change any more once it is told so.
type mute struct {
	storage.Engine
	silent atomic.Bool
	asked  atomic.Int64 // how often anything was read
}

func (m *mute) Get(ctx context.Context, collection, id string) (storage.Record, error) {
	r, err := m.Engine.Get(ctx, collection, id)
	m.asked.Add(1)
	return r, err
}

func (m *mute) Replace(ctx context.Context, collection string, r storage.Record) error {
	if m.silent.Load() {
		return storage.ErrUnavailable
	}
	return m.Engine.Replace(ctx, collection, r)
}

func TestWorkEndsWhenItsLeaseCannotBeRenewed(t *testing.T) {
	h := start(t)
	m := &mute{Engine: h.engine}
	h.engine = m
	ended := make(chan error, 8)
	r := h.relay()
	r.Hurry(60 * time.Millisecond)
	r.Every("keys", time.Hour, func(ctx context.Context) error {
		m.silent.Store(true)
		<-ctx.Done()
		ended <- ctx.Err()
		return ctx.Err()
	})
	r.Start(t.Context())
	t.Cleanup(func() { r.Close(context.Background()) })
	select {
	case err := <-ended:
		if err == nil {
			t.Error("ended without a reason")
		}
	case <-time.After(8 * time.Second):
		t.Error("worked on without a lease")
	}
	m.silent.Store(false)
}

func TestCloseWaitsNoLongerThanItMay(t *testing.T) {
	h := start(t)
	begun, goOn := make(chan struct{}), make(chan struct{})
	h.owe(t, "j", "work:1")
	r := h.serve(t, func(context.Context, job, domain.Task) (func(*job), error) {
		close(begun)
		<-goOn // deaf to its context
		return nil, errors.New("late")
	})
	t.Cleanup(func() { close(goOn) }) // before serve's own Close
	r.Wake("jobs")
	<-begun
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	r.Close(ctx)
	if ctx.Err() == nil {
		t.Error("did not wait at all")
	}
	if mine, err := background.NewLeases(h.engine, h.clock.Now).Hold(t.Context(), "relay/jobs", time.Minute); err != nil || mine {
		t.Errorf("gave the lease of running work back: %v, %v", mine, err)
	}
}
