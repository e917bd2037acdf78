package api

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"example.com/walkaround/api/background"
	"example.com/walkaround/domain/visit"
	"example.com/walkaround/storage"
)

// What is read from storage at a scrape. All replicas tell the same of it.
//
//nolint:gochecknoglobals // descriptions that nothing changes
var (
	descWaiting = prometheus.NewDesc("walkaround_queue_waiting", "Documents that owe tasks; 200 means 200 or more.", []string{"queue"}, nil)
	descFailed  = prometheus.NewDesc("walkaround_queue_failed", "Documents with tasks that were set aside; 200 means 200 or more.", []string{"queue"}, nil)
	descOverdue = prometheus.NewDesc("walkaround_queue_overdue_seconds", "For how long the first waiting task has been due.", []string{"queue"}, nil)
	descSeal    = prometheus.NewDesc("walkaround_seal_lag_seconds", "Age of the oldest signature whose PDF is not filed yet, of the first 50 that wait and the first 50 that were set aside.", nil, nil)
	descReady   = prometheus.NewDesc("walkaround_ready", "1 if a check of /readyz holds.", []string{"check"}, nil)
	descFree    = prometheus.NewDesc("walkaround_disk_free_bytes", "Free space where the embedded engines write.", nil, nil)
)

// lagging is how many visits are looked at for the oldest seal that is owed.
const lagging = 50

// stateFor is how long what was read at a scrape is told again: several may scrape, and each look costs queries.
const stateFor = 5 * time.Second

// backlog collects what is left to do.
type backlog struct{ s *Server }

// Describe names what Collect tells.
func (b backlog) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descWaiting, descFailed, descOverdue, descSeal, descReady, descFree} {
		to <- d
	}
}

// Collect tells what could be read; what couldn't is missing.
func (b backlog) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := probing(context.Background())
	defer cancel()
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	for _, name := range allChecks {
		ready := 1.0
		if b.s.probes[name].look(ctx, b.s) != "" {
			ready = 0
		}
		gauge(descReady, ready, name)
	}
	if b.s.Space != nil {
		if free, err := b.s.Space(); err == nil {
			gauge(descFree, float64(free))
		}
	}
	left, err := b.s.state.get(ctx, b.s)
	if err != nil {
		b.s.Log.WarnContext(ctx, "queues not measured", slog.Any("error", err))
		return
	}
	for _, d := range left.depths {
		gauge(descWaiting, float64(d.Waiting), d.Queue)
		gauge(descFailed, float64(d.Failed), d.Queue)
		gauge(descOverdue, since(b.s.Now(), d.Due), d.Queue)
	}
	gauge(descSeal, since(b.s.Now(), left.seal))
}

// since is the age of a moment in seconds; 0 for none, and for one to come.
func since(now, moment time.Time) float64 {
	if moment.IsZero() {
		return 0
	}
	return max(0, now.Sub(moment).Seconds())
}

// left is what is left to do.
type left struct {
	depths []background.Depth
	seal   time.Time // when the oldest signature was sealed whose PDF is owed; zero when none is
}

// readings are what was read last.
type readings struct {
	turn chan struct{} // held by who reads
	at   time.Time
	left left
}

func newReadings() *readings { return &readings{turn: make(chan struct{}, 1)} }

// get reads what is left, unless it was read a moment ago.
func (r *readings) get(ctx context.Context, s *Server) (left, error) {
	select {
	case r.turn <- struct{}{}:
	case <-ctx.Done():
		return left{}, ctx.Err()
	}
	defer func() { <-r.turn }()
	if age := s.Now().Sub(r.at); age >= 0 && age < stateFor {
		return r.left, nil
	}
	depths, err := s.relay.Depths(ctx)
	if err != nil {
		return left{}, err
	}
	seal, err := s.oldestSeal(ctx)
	if err != nil {
		return left{}, err
	}
	r.at, r.left = s.Now(), left{depths, seal}
	return r.left, nil
}

// oldestSeal finds the signature that has waited longest for its PDF.
func (s *Server) oldestSeal(ctx context.Context) (oldest time.Time, err error) {
	for _, key := range []string{"pending", "failed"} {
		page, err := s.visits.FindValues(ctx, storage.Query{Key: key, Limit: lagging, SkipDamaged: true})
		if err != nil {
			return oldest, err
		}
		for _, saved := range page.Items {
			if at := owedSeal(&saved.Value); !at.IsZero() && (oldest.IsZero() || at.Before(oldest)) {
				oldest = at
			}
		}
	}
	return oldest, nil
}

// owedSeal is when the first signature of a visit was sealed whose PDF is owed.
func owedSeal(v *visit.Visit) (oldest time.Time) {
	for _, task := range v.Outbox {
		if task.Type != visit.TaskSeal {
			continue
		}
		if sig := v.Signature(task.Ref); sig != nil && (oldest.IsZero() || sig.SealedAt.Before(oldest)) {
			oldest = sig.SealedAt.Time
		}
	}
	return oldest
}
