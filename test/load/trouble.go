package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// storm compares GETs beside a storm of logins with GETs alone, by turns on one server. The logins come from ever new
// addresses and name ever new accounts, so that no throttle spares their hashing.
func (b *bench) storm(ctx context.Context) error {
	s := setup{visits: few, env: []string{"WALKAROUND_TRUSTED_PROXIES=127.0.0.1"}}
	return b.with(ctx, s, func(a *account) error {
		for _, clients := range []int{1, many} {
			calm, storm, logins, err := b.weather(ctx, a, clients)
			if err != nil {
				return err
			}
			b.rows = append(b.rows, row{
				name: fmt.Sprintf("p99 of GET in a storm of logins, %d reading", clients), target: atMost(3),
				ratio: ratio(storm.percentile(99).Seconds(), calm.percentile(99).Seconds()), ours: storm, floor: calm,
				note: fmt.Sprintf("%.0f logins/s of %d clients; floor: no storm", float64(logins)/storm.elapsed.Seconds(), many),
			})
		}
		return nil
	})
}

func (b *bench) weather(ctx context.Context, a *account, clients int) (calm, storm sample, logins int64, err error) {
	readers := newCrew(gets(a, func(w *worker) string { return "/v1/visits/" + visitID(w.random.IntN(few)) }), clients)
	defer readers.dismiss()
	for range b.rounds {
		quiet, err := readers.turn(ctx, b.slice)
		if err != nil {
			return calm, storm, logins, err
		}
		stop, count := b.rage(ctx, a)
		loud, err := readers.turn(ctx, b.slice)
		stop()
		if err != nil {
			return calm, storm, logins, err
		}
		calm.add(quiet)
		storm.add(loud)
		logins += count.Load()
	}
	return calm, storm, logins, nil
}

// rage sends logins until it is stopped.
func (b *bench) rage(ctx context.Context, a *account) (stop func(), count *atomic.Int64) {
	ctx, cancel := context.WithCancel(ctx)
	count = &atomic.Int64{}
	var wait sync.WaitGroup
	for range many {
		wait.Go(func() {
			client := newClient()
			defer client.CloseIdleConnections()
			for ctx.Err() == nil {
				if b.guess(ctx, a, client) == nil {
					count.Add(1)
				}
			}
		})
	}
	return func() { cancel(); wait.Wait() }, count
}

// guess tries a password that is wrong.
func (b *bench) guess(ctx context.Context, a *account, client *http.Client) error {
	n := uint32(b.sent.Add(1)) //nolint:gosec // a count
	body := fmt.Appendf(nil, `{"username":"guest%d","password":"not the password at all","store":"main"}`, n)
	stranger := account{server: a.server}
	r, err := stranger.request(ctx, http.MethodPost, "/v1/auth/login", body)
	if err != nil {
		return err
	}
	var address [4]byte
	binary.BigEndian.PutUint32(address[:], 0x0B000000+n*257)
	r.Header.Set("X-Forwarded-For", netip.AddrFrom4(address).String())
	answer, err := client.Do(r)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusUnauthorized {
		err = fmt.Errorf("login: %s", answer.Status)
	}
	return errors.Join(err, answer.Body.Close())
}

// starts times the start of the server until its first answer: the median of some.
func (b *bench) starts(ctx context.Context) error {
	large, err := b.seed(ctx, b.visits)
	if err != nil {
		return err
	}
	err = b.started(ctx, "ms to start on an empty folder", 300, func(n int) string {
		return filepath.Join(b.scratch, fmt.Sprintf("empty-%d", n))
	})
	if err != nil {
		return err
	}
	return b.started(ctx, fmt.Sprintf("ms to start on %d visits", b.visits), 1_000, func(int) string { return large })
}

func (b *bench) started(ctx context.Context, name string, most float64, folder func(n int) string) error {
	var took []time.Duration
	for n := range 5 {
		p, err := b.serve(ctx, folder(n))
		if err != nil {
			return err
		}
		took = append(took, p.took)
		if err := p.stop(); err != nil {
			return err
		}
	}
	slices.Sort(took)
	middle := float64(took[len(took)/2].Microseconds()) / 1_000
	b.rows = append(b.rows, row{
		name: name, target: atMost(most), ratio: middle,
		note: fmt.Sprintf("median of %d, most %.0f", len(took), float64(took[len(took)-1].Microseconds())/1_000),
	})
	return nil
}
