package background

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"example.com/walkaround/domain"
	"example.com/walkaround/storage"
)

const (
	leaseTime = 15 * time.Second
	pollEvery = 2 * time.Second
	taskTime  = 2 * time.Minute
	batch     = 32
	maxReason = 500 // bytes of an error that a task keeps
)

// Relay runs the tasks that documents owe: found by their `pending` key, under a lease, at least once, in order per
// document; what keeps failing is set aside in the document, under its `failed` key.
type Relay struct {
	leases  *Leases
	lease   time.Duration // how long a lease is held without being renewed
	log     *slog.Logger
	now     func() time.Time
	loops   []func(context.Context)
	wakes   map[string]chan struct{}
	stop    context.CancelFunc
	wait    sync.WaitGroup
	held    []string
	depths  []func(context.Context) (Depth, error)
	watcher Watcher
}

// NewRelay makes a relay that does nothing yet.
func NewRelay(leases *Leases, log *slog.Logger, now func() time.Time) *Relay {
	return &Relay{leases: leases, lease: leaseTime, log: log, now: now, wakes: map[string]chan struct{}{}, watcher: nobody{}}
}

// Consumer does a task of a document. It may run again after it succeeded. The change that it returns, if any, is
// written in the same replace that forgets the task.
type Consumer[T any] func(ctx context.Context, doc T, task domain.Task) (change func(*T), err error)

// Queue is a collection whose documents owe tasks.
type Queue[T any] struct {
	Name       string
	Collection *storage.Collection[T]
	ID         func(*T) string
	Outbox     func(*T) *domain.Outbox
	Consumers  map[string]Consumer[T]
	Workers    int // tasks of different documents that run at once
}

// Serve adds a queue.
func Serve[T any](r *Relay, q Queue[T]) {
	wake := make(chan struct{}, 1)
	r.wakes[q.Name] = wake
	name := "relay/" + q.Name
	r.held = append(r.held, name)
	r.depths = append(r.depths, func(ctx context.Context) (Depth, error) { return depth(ctx, q) })
	r.loops = append(r.loops, func(ctx context.Context) {
		for r.sleep(ctx, wake, pollEvery) {
			r.attempt(ctx, name, func(ctx context.Context) error { return drain(ctx, r, q) })
		}
	})
}

// Every adds work that recurs. It is started at once, then each period, by one process at a time. Where another process
// has the lease, which may have crashed over the work, or where the work failed, it is tried again as soon as a lease
// lapses; while it goes on failing, after ever longer pauses up to the period.
func (r *Relay) Every(name string, period time.Duration, do func(context.Context) error) {
	wake := make(chan struct{}, 1)
	wake <- struct{}{}
	r.wakes[name] = wake
	name = "every/" + name
	r.held = append(r.held, name)
	r.loops = append(r.loops, func(ctx context.Context) {
		pause, retry := period, r.lease
		for r.sleep(ctx, wake, min(pause, period)) {
			switch r.attempt(ctx, name, do) {
			case done:
				pause, retry = period, r.lease
			case elsewhere:
				pause = r.lease
			case failed, lost:
				pause, retry = retry, min(2*retry, period)
			}
		}
	})
}

// Wake tells a queue that something is owed, so that it need not be found by looking.
func (r *Relay) Wake(queue string) {
	select {
	case r.wakes[queue] <- struct{}{}:
	default:
	}
}

// Start begins to work. Close ends it.
func (r *Relay) Start(ctx context.Context) {
	ctx, r.stop = context.WithCancel(ctx)
	for _, loop := range r.loops {
		r.wait.Go(func() { loop(ctx) })
	}
}

// Close ends what runs and waits for it as long as ctx lasts: what was ended stays owed. Then it gives the leases back;
// those of work that would not end are left to lapse.
func (r *Relay) Close(ctx context.Context) {
	if r.stop == nil {
		return
	}
	r.stop()
	ended := make(chan struct{})
	go func() {
		r.wait.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-ctx.Done():
		r.log.WarnContext(ctx, "background work did not end in time", slog.Any("error", ctx.Err()))
		return
	}
	for _, name := range r.held {
		if err := r.leases.Release(ctx, name); err != nil {
			r.log.WarnContext(ctx, "lease not released", slog.String("lease", name), slog.Any("error", err))
		}
	}
}

// sleep waits for a wake or for the period to pass; false when the relay ends.
func (r *Relay) sleep(ctx context.Context, wake <-chan struct{}, period time.Duration) bool {
	timer := time.NewTimer(period)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-wake:
	case <-timer.C:
	}
	return true
}

// attempt does work under its lease, which is renewed as long as it lasts, and logs what goes wrong.
func (r *Relay) attempt(ctx context.Context, name string, do func(context.Context) error) outcome {
	start := time.Now()
	mine, err := r.leases.Hold(ctx, name, r.lease)
	became := elsewhere
	if err == nil && mine {
		held, end := context.WithCancelCause(ctx)
		r.wait.Go(func() { r.renew(held, end, name, start.Add(r.lease)) })
		err = do(held)
		became = done
		if errors.Is(context.Cause(held), errLost) {
			became, err = lost, errors.Join(errLost, err)
		}
		end(nil)
	}
	if err != nil && became != lost {
		became = failed
	}
	if err != nil && ctx.Err() == nil {
		r.log.ErrorContext(ctx, "background work failed", slog.String("work", name), slog.Any("error", err))
	}
	r.watcher.Attempted(name, string(became), time.Since(start))
	return became
}

// renew holds on to a lease until ctx ends. When another process has it, or when it could not be renewed before it lapsed,
// so that another may take it, the work is ended: two would run it at once.
func (r *Relay) renew(ctx context.Context, end context.CancelCauseFunc, name string, until time.Time) {
	ticker := time.NewTicker(r.lease / 3)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		next := time.Now().Add(r.lease)
		inTime, cancel := context.WithDeadline(ctx, until)
		mine, err := r.leases.Hold(inTime, name, r.lease)
		cancel()
		switch {
		case err == nil && mine:
			until = next
		case err == nil, !time.Now().Before(until):
			end(errLost)
			return
		}
	}
}

// drain runs what is due until nothing is, or something could not be noted: then it is left to the next round, since what
// is found again at once would be run without end.
func drain[T any](ctx context.Context, r *Relay, q Queue[T]) error {
	var damaged []error // what is damaged holds up nobody else
	due := storage.Query{Key: "pending", Limit: batch, Whole: true, SkipDamaged: true}
	for ctx.Err() == nil {
		if due.After == "" { // a cursor is of the bounds that it was made under
			due.To = domain.At(r.now()).String() + "~"
		}
		page, err := q.Collection.FindValues(ctx, due)
		damaged = append(damaged, page.Damaged...)
		switch {
		case err != nil:
			return err
		case len(page.Items) == 0 && page.Next == "", !runBatch(ctx, r, q, page.Items):
			return errors.Join(damaged...)
		}
		if due.After = ""; len(page.Items) == 0 {
			due.After = page.Next
		} else {
			damaged = nil // they are found again
		}
	}
	return nil
}

// runBatch says whether what was done and what failed is noted in every document.
func runBatch[T any](ctx context.Context, r *Relay, q Queue[T], items []storage.Saved[T]) bool {
	var wait sync.WaitGroup
	var unnoted atomic.Bool
	slots := make(chan struct{}, max(1, q.Workers))
	for _, item := range items {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			if !run(ctx, r, q, item.Value) {
				unnoted.Store(true)
			}
		})
	}
	wait.Wait()
	return !unnoted.Load()
}

// run does the tasks that a document owes now, in order, until one fails, and says whether all that is noted in it.
func run[T any](ctx context.Context, r *Relay, q Queue[T], doc T) bool {
	for ctx.Err() == nil {
		task, ok := q.Outbox(&doc).Next()
		if !ok || task.DueAt.After(r.now()) {
			return true
		}
		start := time.Now()
		change, failure := consume(ctx, q, doc, task)
		r.watcher.Ran(q.Name, task.Type, failure != nil, time.Since(start))
		if failure != nil && ctx.Err() != nil {
			return false // ended, not failed
		}
		saved, err := q.Collection.Update(ctx, q.ID(&doc), func(v *T) error {
			settle(q.Outbox(v), task, failure, domain.At(r.now()))
			if failure == nil && change != nil {
				change(v)
			}
			return nil
		})
		if failure != nil || err != nil {
			r.log.ErrorContext(ctx, "task failed", slog.String("queue", q.Name), slog.String("document", q.ID(&doc)),
				slog.String("task", task.Type), slog.Int("attempt", task.Attempts+1), slog.Any("error", failure), slog.Any("not_noted", err))
			return err == nil
		}
		doc = saved.Value
	}
	return false
}

// settle notes what became of a run. One that lost its lease in the middle may come late: the task was done by another
// meanwhile and is owed anew, which this run has not seen.
func settle(o *domain.Outbox, task domain.Task, failure error, now domain.Time) {
	if failure != nil {
		reason := failure.Error()
		o.Fail(task.Type, task.Ref, strings.ToValidUTF8(reason[:min(len(reason), maxReason)], ""), now)
		return
	}
	same := func(t domain.Task) bool { return t.Type == task.Type && t.Ref == task.Ref && t.DueAt == task.DueAt }
	if slices.ContainsFunc(*o, same) {
		o.Done(task)
	}
}

// consume runs one task; a panic is its failure.
func consume[T any](ctx context.Context, q Queue[T], doc T, task domain.Task) (change func(*T), err error) {
	ctx, cancel := context.WithTimeout(ctx, taskTime)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	do, ok := q.Consumers[task.Type]
	if !ok {
		return nil, fmt.Errorf("no consumer for task %q", task.Type)
	}
	return do(ctx, doc, task)
}
