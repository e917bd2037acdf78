package background

import (
	"context"
	"errors"
	"time"

	"example.com/walkaround/storage"
)

// Watcher is told what a relay does, for those who measure it. Its methods are called from many goroutines.
type Watcher interface {
	// Attempted is called after an attempt to work under a lease: a queue's name behind "relay/", or recurring work's behind
	// "every/". The outcome is done, failed, elsewhere (another process has the lease) or lost (it was lost in the middle).
	Attempted(work, outcome string, took time.Duration)
	// Ran is called after a task was run.
	Ran(queue, task string, failed bool, took time.Duration)
}

// Watch tells w what is done. It is called before Start.
func (r *Relay) Watch(w Watcher) { r.watcher = w }

// nobody watches.
type nobody struct{}

func (nobody) Attempted(string, string, time.Duration) {}
func (nobody) Ran(string, string, bool, time.Duration) {}

// outcome is what became of an attempt.
type outcome string

const (
	done      outcome = "done"
	elsewhere outcome = "elsewhere"
	failed    outcome = "failed"
	lost      outcome = "lost"
)

// errLost ends work whose lease another process has, or may have.
var errLost = errors.New("background: the lease was lost")

// Depth is how much of a queue is left to do.
type Depth struct {
	Queue   string
	Waiting int       // documents that owe tasks, storage.MaxFind at most
	Failed  int       // documents with tasks that were set aside, storage.MaxFind at most
	Due     time.Time // when the first of those that wait was due, or will be; zero when none waits
}

// Depths measures each queue by a page of its index. Damaged documents count.
func (r *Relay) Depths(ctx context.Context) ([]Depth, error) {
	depths := make([]Depth, 0, len(r.depths))
	for _, measure := range r.depths {
		d, err := measure(ctx)
		if err != nil {
			return nil, err
		}
		depths = append(depths, d)
	}
	return depths, nil
}

// depth measures one queue.
func depth[T any](ctx context.Context, q Queue[T]) (d Depth, err error) {
	d.Queue = q.Name
	if d.Failed, err = count(ctx, q, "failed"); err != nil {
		return d, err
	}
	if d.Waiting, err = count(ctx, q, "pending"); err != nil || d.Waiting == 0 {
		return d, err
	}
	first, err := q.Collection.FindValues(ctx, storage.Query{Key: "pending", Limit: 1, SkipDamaged: true})
	if err != nil || len(first.Items) == 0 {
		return d, err
	}
	if task, ok := q.Outbox(&first.Items[0].Value).Next(); ok {
		d.Due = task.DueAt.Time
	}
	return d, nil
}

func count[T any](ctx context.Context, q Queue[T], key string) (int, error) {
	page, err := q.Collection.Find(ctx, storage.Query{Key: key, Limit: storage.MaxFind, SkipDamaged: true})
	return len(page.Items) + len(page.Damaged), err
}
