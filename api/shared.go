package api

import (
	"context"
	"time"
)

// measureTime is how long a look at storage may take that is told to a scrape or a balancer: what can't be told by then is
// missing.
const measureTime = 5 * time.Second

// shared is what storage said last. One asks at a time, and whoever comes within a moment gets the same answer: anyone may
// ask, and each look costs queries. A failure is told for probeFor at most.
type shared[T any] struct {
	keep time.Duration // how long an answer is told again
	turn chan struct{} // held by who asks
	last answer[T]
}

type answer[T any] struct {
	at    time.Time
	value T
	err   error
}

func newShared[T any](keep time.Duration) *shared[T] {
	return &shared[T]{keep: keep, turn: make(chan struct{}, 1)}
}

// get asks, unless that was done a moment ago. It returns within measureTime, or by the deadline of ctx, also when what is
// asked heeds no context; whoever goes away before ends nothing, as others wait for the same.
func (r *shared[T]) get(ctx context.Context, now func() time.Time, ask func(context.Context) (T, error)) (none T, err error) {
	ctx, cancel := probing(ctx)
	defer cancel()
	select {
	case r.turn <- struct{}{}:
	case <-ctx.Done():
		return none, ctx.Err()
	}
	told := make(chan answer[T], 1)
	go func() {
		defer func() { <-r.turn }()
		if !r.fresh(now()) {
			value, err := ask(ctx)
			r.last = answer[T]{now(), value, err}
		}
		told <- r.last
	}()
	select {
	case a := <-told:
		return a.value, a.err
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

func (r *shared[T]) fresh(now time.Time) bool {
	keep := r.keep
	if r.last.err != nil {
		keep = min(keep, probeFor)
	}
	age := now.Sub(r.last.at)
	return age >= 0 && age < keep
}

// probing is a context that its caller's end does not end, but its deadline does.
func probing(ctx context.Context) (context.Context, context.CancelFunc) {
	end := time.Now().Add(measureTime)
	if earlier, ok := ctx.Deadline(); ok && earlier.Before(end) {
		end = earlier
	}
	return context.WithDeadline(context.WithoutCancel(ctx), end)
}
