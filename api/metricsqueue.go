package api

import (
	"context"
	"log/slog"
	"sync"
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

// Collect tells what could be read; what couldn't is missing. Everything is asked at once, so that what hangs takes nothing
// else with it and a scrape no longer than measureTime.
func (b backlog) Collect(to chan<- prometheus.Metric) {
	ctx := context.Background()
	var work sync.WaitGroup
	work.Go(func() {
		for i, missing := range b.s.ask(ctx, allChecks) {
			ready := 1.0
			if missing != "" {
				ready = 0
			}
			tell(to, descReady, ready, allChecks[i])
		}
	})
	work.Go(func() { b.queues(ctx, to) })
	work.Wait()
	if b.s.Space != nil {
		if free, err := b.s.Space(); err == nil {
			tell(to, descFree, float64(free))
		}
	}
}

func tell(to chan<- prometheus.Metric, d *prometheus.Desc, value float64, labels ...string) {
	to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
}

// queues tells what is left to do.
func (b backlog) queues(ctx context.Context, to chan<- prometheus.Metric) {
	left, err := b.s.state.get(ctx, b.s.Now, b.s.readLeft)
	if err != nil {
		b.s.Log.WarnContext(ctx, "queues not measured", slog.Any("error", err))
		return
	}
	for _, d := range left.depths {
		tell(to, descWaiting, float64(d.Waiting), d.Queue)
		tell(to, descFailed, float64(d.Failed), d.Queue)
		tell(to, descOverdue, since(b.s.Now(), d.Due), d.Queue)
	}
	tell(to, descSeal, since(b.s.Now(), left.seal))
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

func (s *Server) readLeft(ctx context.Context) (l left, err error) {
	if l.depths, err = s.relay.Depths(ctx); err != nil {
		return l, err
	}
	l.seal, err = s.oldestSeal(ctx)
	return l, err
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
