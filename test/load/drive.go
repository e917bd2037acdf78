package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// side is one of the two that are compared: a server and the request that it is asked.
type side struct {
	server *process
	// request makes the next request of a worker. Workers do not share a rand, nor does one number occur twice at once.
	request func(ctx context.Context, w *worker) (*http.Request, error)
	// answered looks at an answer of the wanted status, if there is something to remember of it.
	answered func(w *worker, answer *http.Response)
	status   int
}

// worker is one client with one connection.
type worker struct {
	number int
	of     int
	random *rand.Rand
	last   int // what the request of this worker was about
	client *http.Client
}

// plan is how long two sides are asked by turns, and by how many clients.
type plan struct {
	clients int
	rounds  int
	slice   time.Duration
}

// compare asks both sides by turns, so that what else the machine does meets both alike. The first turn of each is
// not counted.
func compare(ctx context.Context, p plan, ours, theirs side) (a, b sample, err error) {
	first, second := newCrew(ours, p.clients), newCrew(theirs, p.clients)
	defer first.dismiss()
	defer second.dismiss()
	for round := range p.rounds + 1 {
		slice := p.slice
		if round == 0 {
			slice = p.slice / 2
		}
		x, err := first.turn(ctx, slice)
		if err != nil {
			return a, b, err
		}
		y, err := second.turn(ctx, slice)
		if err != nil {
			return a, b, err
		}
		if round > 0 {
			a.add(x)
			b.add(y)
		}
	}
	return a, b, nil
}

// crew is the clients of one side. Their connections stay open between turns.
type crew struct {
	side    side
	workers []*worker
}

func newCrew(s side, clients int) *crew {
	c := &crew{side: s}
	for i := range clients {
		c.workers = append(c.workers, &worker{
			number: i, of: clients, random: rand.New(rand.NewPCG(uint64(i), 7)), //nolint:gosec // which visit is asked for is no secret
			client: newClient(),
		})
	}
	return c
}

// newClient is an ordinary client with a connection of its own. It does not ask for compressed answers.
func newClient() *http.Client {
	return &http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableCompression: true}}
}

func (c *crew) dismiss() {
	for _, w := range c.workers {
		w.client.CloseIdleConnections()
	}
}

// turn has every worker ask as fast as it is answered, until the slice is over.
func (c *crew) turn(ctx context.Context, slice time.Duration) (sample, error) {
	before, err := c.side.server.cpu()
	if err != nil {
		return sample{}, err
	}
	began := clock()
	samples, failures := make([]sample, len(c.workers)), make([]error, len(c.workers))
	var wait sync.WaitGroup
	for i, w := range c.workers {
		wait.Go(func() { samples[i], failures[i] = c.ask(ctx, w, began.Add(slice)) })
	}
	wait.Wait()
	total := sample{elapsed: clock().Sub(began)}
	for i, s := range samples {
		if failures[i] != nil {
			return total, failures[i]
		}
		s.elapsed = 0
		total.add(s)
	}
	after, err := c.side.server.cpu()
	total.cpu = after - before
	return total, err
}

// ask repeats one worker's request until then.
func (c *crew) ask(ctx context.Context, w *worker, until time.Time) (sample, error) {
	var s sample
	for now := clock(); now.Before(until); {
		if err := c.once(ctx, w); err != nil {
			return s, err
		}
		after := clock()
		s.latencies = append(s.latencies, after.Sub(now))
		s.requests++
		now = after
	}
	return s, nil
}

func (c *crew) once(ctx context.Context, w *worker) error {
	r, err := c.side.request(ctx, w)
	if err != nil {
		return err
	}
	answer, err := w.client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close() //nolint:errcheck // it was read
	if answer.StatusCode != c.side.status {
		text, _ := io.ReadAll(answer.Body)
		return fmt.Errorf("%s %s: %s: %.300s", r.Method, r.URL.Path, answer.Status, text)
	}
	if c.side.answered != nil {
		c.side.answered(w, answer)
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}
