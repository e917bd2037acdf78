// Package measured tells how an engine and a blob store are doing: it counts and times what they are asked, and adds a span
// to a request that is traced. What is asked and what is answered stays untouched.
//
// Call Engine and Blobs once, at the start, around what package open has opened, and give the results to the server. The
// package may import storage, Prometheus' client and the API of OpenTelemetry. Labels and spans name collections and
// operations, never an id: ids hold plates and VINs.
package measured

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"example.com/walkaround/storage"
)

// scope is the name under which spans are made.
const scope = "example.com/walkaround/storage/measured"

// buckets are from 50 µs, a read from memory, to 13 s, a photo over a slow line.
func buckets() []float64 { return prometheus.ExponentialBuckets(0.00005, 4, 10) }

// outcome is what an operation ended with.
type outcome struct {
	name   string
	failed bool // worth looking into; the others are answers like any other
}

// outcomes are told by the first error that matches: one that is out of reach because its time ran out is `timeout`.
//
//nolint:gochecknoglobals // a table that nothing changes
var outcomes = []struct {
	err error
	outcome
}{
	{context.Canceled, outcome{name: "cancelled"}},
	{context.DeadlineExceeded, outcome{"timeout", true}},
	{storage.ErrNotFound, outcome{name: "not_found"}},
	{storage.ErrExists, outcome{name: "exists"}},
	{storage.ErrStale, outcome{name: "stale"}},
	{storage.ErrRetained, outcome{name: "retained"}},
	{storage.ErrTooLarge, outcome{name: "too_large"}},
	{storage.ErrValue, outcome{name: "refused"}},
	{storage.ErrCursor, outcome{name: "refused"}},
	{storage.ErrUndeclared, outcome{"refused", true}},
	{storage.ErrCorrupt, outcome{"corrupt", true}},
	{storage.ErrFull, outcome{"full", true}},
	{storage.ErrUnavailable, outcome{"unavailable", true}},
}

func outcomeOf(err error) outcome {
	if err == nil {
		return outcome{name: "ok"}
	}
	for _, o := range outcomes {
		if errors.Is(err, o.err) {
			return o.outcome
		}
	}
	return outcome{"error", true}
}

// series is what one line of a histogram is about.
type series struct{ collection, operation, outcome string }

// meter times operations. Finding a line in the vector costs more than a read from memory, so it is done once.
type meter struct {
	system  string
	seconds *prometheus.HistogramVec
	mu      sync.Mutex // held to add a line
	known   atomic.Pointer[map[series]prometheus.Observer]
}

// newMeter makes the lines of one store in walkaround_storage_seconds.
func newMeter(store any, to prometheus.Registerer) *meter {
	m := &meter{system: system(store)}
	m.seconds = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "walkaround_storage_seconds", Help: "Time that operations of storage took; of a put with the time of its sender.",
		Buckets: buckets(), ConstLabels: prometheus.Labels{"engine": m.system},
	}, []string{"collection", "operation", "outcome"})
	to.MustRegister(m.seconds)
	m.known.Store(&map[series]prometheus.Observer{})
	return m
}

func (m *meter) observe(s series, took time.Duration) {
	o, ok := (*m.known.Load())[s]
	if !ok {
		o = m.add(s)
	}
	o.Observe(took.Seconds())
}

func (m *meter) add(s series) prometheus.Observer {
	m.mu.Lock()
	defer m.mu.Unlock()
	lines := maps.Clone(*m.known.Load())
	lines[s] = m.seconds.WithLabelValues(s.collection, s.operation, s.outcome)
	m.known.Store(&lines)
	return lines[s]
}

// operation is one call under way.
type operation struct {
	meter      *meter
	collection string
	name       string
	start      time.Time
	span       trace.Span // nil when the request is not traced
}

// begin starts the clock, and a span where ctx belongs to a request that is traced.
func (m *meter) begin(ctx context.Context, collection, name string) (context.Context, operation) {
	o := operation{meter: m, collection: collection, name: name}
	if parent := trace.SpanFromContext(ctx); parent.IsRecording() {
		ctx, o.span = parent.TracerProvider().Tracer(scope).Start(ctx, strings.TrimSpace(name+" "+collection),
			trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
				attribute.String("db.system.name", m.system), attribute.String("db.operation.name", name),
				attribute.String("db.collection.name", collection)))
	}
	o.start = time.Now() //nolint:forbidigo // a duration, which no test and no document depends on
	return ctx, o
}

// end notes how long it took and how it ended. Of an error only its kind is told.
func (o operation) end(err error) {
	took, ended := time.Since(o.start), outcomeOf(err)
	o.meter.observe(series{o.collection, o.name, ended.name}, took)
	if o.span == nil {
		return
	}
	if err != nil {
		o.span.SetAttributes(attribute.String("error.type", ended.name))
	}
	if ended.failed {
		o.span.SetStatus(codes.Error, ended.name)
	}
	o.span.End()
}

// system names the kind of a store by its package: sqlite, mongodb, disk, minio.
func system(store any) string {
	name, _, _ := strings.Cut(strings.TrimLeft(fmt.Sprintf("%T", store), "*"), ".")
	if name == "mongo" {
		return "mongodb" // as everyone's dashboards call it
	}
	return name
}
