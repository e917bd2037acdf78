package measured_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"example.com/walkaround/storage"
	"example.com/walkaround/storage/disk"
	"example.com/walkaround/storage/measured"
	"example.com/walkaround/storage/sqlite"
	"example.com/walkaround/storage/storagetest"
)

func TestContract(t *testing.T) {
	storagetest.Engine(t, func(t *testing.T) storage.Engine {
		t.Helper()
		return measured.Engine(sqliteIn(t), prometheus.NewRegistry())
	})
	blobs := func(t *testing.T) storage.Blobs {
		t.Helper()
		return measured.Blobs(diskIn(t), prometheus.NewRegistry())
	}
	storagetest.Blobs(t, blobs)
	storagetest.Movable(t, blobs)
}

func sqliteIn(t *testing.T) *sqlite.Engine {
	t.Helper()
	e, err := sqlite.Open(t.Context(), t.TempDir())
	fine(t, err)
	t.Cleanup(func() { fine(t, e.Close()) })
	return e
}

func diskIn(t *testing.T) *disk.Store {
	t.Helper()
	b, err := disk.Open(t.TempDir(), time.Now)
	fine(t, err)
	return b
}

func fine(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// broken answers everything with one error.
type broken struct {
	storage.Engine
	err error
}

func (b broken) Get(context.Context, string, string) (storage.Record, error) {
	return storage.Record{}, b.err
}

func TestEachOutcomeHasItsLine(t *testing.T) {
	for want, err := range map[string]error{
		"ok":          nil,
		"cancelled":   fmt.Errorf("%w: %w", storage.ErrUnavailable, context.Canceled),
		"timeout":     fmt.Errorf("%w: %w", storage.ErrUnavailable, context.DeadlineExceeded),
		"not_found":   fmt.Errorf("visits 粵A12345: %w", storage.ErrNotFound),
		"exists":      storage.ErrExists,
		"stale":       storage.ErrStale,
		"retained":    storage.ErrRetained,
		"too_large":   storage.ErrTooLarge,
		"refused":     storage.ErrUndeclared,
		"corrupt":     storage.ErrCorrupt,
		"full":        storage.ErrFull,
		"unavailable": storage.ErrUnavailable,
		"error":       errors.New("粵A12345 is odd"),
	} {
		t.Run(want, func(t *testing.T) {
			registry := prometheus.NewRegistry()
			_, got := measured.Engine(broken{err: err}, registry).Get(t.Context(), "visits", "main/粵A12345")
			if !errors.Is(got, err) {
				t.Errorf("answers %v", got)
			}
			lines := linesOf(t, registry)
			label := `walkaround_storage_seconds_count{collection="visits",engine="measured_test",operation="get",outcome="` + want + `"} 1`
			if !strings.Contains(lines, label) || strings.Contains(lines, "12345") {
				t.Errorf("no %s in\n%s", label, lines)
			}
		})
	}
}

// linesOf is what Prometheus would read.
func linesOf(t *testing.T, from prometheus.Gatherer) string {
	t.Helper()
	families, err := from.Gather()
	fine(t, err)
	var b strings.Builder
	for _, f := range families {
		for _, m := range f.GetMetric() {
			labels := make([]string, len(m.GetLabel()))
			for i, l := range m.GetLabel() {
				labels[i] = fmt.Sprintf("%s=%q", l.GetName(), l.GetValue())
			}
			name, value := f.GetName(), m.GetCounter().GetValue()+m.GetGauge().GetValue()
			if h := m.GetHistogram(); h != nil {
				name, value = name+"_count", float64(h.GetSampleCount())
			}
			fmt.Fprintf(&b, "%s{%s} %v\n", name, strings.Join(labels, ","), value)
		}
	}
	return b.String()
}

func TestEveryOperationIsTimed(t *testing.T) {
	registry, ctx := prometheus.NewRegistry(), t.Context()
	e, b := measured.Engine(sqliteIn(t), registry), measured.Blobs(diskIn(t), registry)
	fine(t, e.Declare(ctx, []storage.Declaration{{Name: "cars"}}))
	_, _ = e.Get(ctx, "cars", "main/1")
	_, _ = e.Find(ctx, "cars", storage.Query{Key: "plate", Limit: 1})
	_ = e.Insert(ctx, "cars", storage.Record{})
	_ = e.Replace(ctx, "cars", storage.Record{})
	_ = e.Delete(ctx, "cars", "main/1", 1)
	_ = e.Walk(ctx, "cars", func(storage.Record, error) error { return nil })
	info, err := b.Put(ctx, "main", strings.NewReader("photo"), 5, nil)
	fine(t, errors.Join(err, e.Ping(ctx), b.Ping(ctx)))
	_, _ = b.Stat(ctx, info.Key)
	_ = b.Retain(ctx, info.Key, time.Unix(0, 0))
	_, _ = b.List(ctx, "main", "", 1)
	_, _, _ = b.Open(ctx, "main/none")
	_, _ = b.Stores(ctx)
	_, _ = b.Retained(ctx, info.Key)
	_ = b.DeleteUnrenewed(ctx, info.Key, time.Unix(0, 0))
	_ = b.Delete(ctx, info.Key)
	lines := linesOf(t, registry)
	for _, operation := range []string{"get", "find", "insert", "replace", "delete", "walk"} {
		if want := `{collection="cars",engine="sqlite",operation="` + operation + `"`; !strings.Contains(lines, want) {
			t.Errorf("no %s", want)
		}
	}
	for _, operation := range []string{"put", "open", "stat", "retain", "delete", "list", "ping", "stores", "retained", "delete_unrenewed"} {
		if want := `{collection="blobs",engine="disk",operation="` + operation + `"`; !strings.Contains(lines, want) {
			t.Errorf("no %s in\n%s", want, lines)
		}
	}
	if want := `{collection="",engine="sqlite",operation="ping",outcome="ok"} 1`; !strings.Contains(lines, want) {
		t.Errorf("no %s", want)
	}
}

func TestBytesAndPutsAreCounted(t *testing.T) {
	registry := prometheus.NewRegistry()
	b := measured.Blobs(diskIn(t), registry)
	during := ""
	info, err := b.Put(t.Context(), "main", strings.NewReader("photo"), 5, func(string, int64) error {
		during = linesOf(t, registry)
		return nil
	})
	fine(t, err)
	if want := `walkaround_blob_puts_in_flight{engine="disk"} 1`; !strings.Contains(during, want) {
		t.Errorf("meanwhile\n%s", during)
	}
	_, err = b.Put(t.Context(), "main", strings.NewReader("too long"), 5, nil)
	if !errors.Is(err, storage.ErrTooLarge) {
		t.Fatal(err)
	}
	r, _, err := b.Open(t.Context(), info.Key)
	fine(t, err)
	_, err = io.ReadAll(io.LimitReader(r, 3))
	fine(t, errors.Join(err, r.Close()))
	_ = r.Close() // a second time counts nothing
	after := linesOf(t, registry)
	for _, want := range []string{
		`walkaround_blob_puts_in_flight{engine="disk"} 0`,
		`walkaround_blob_bytes_total{direction="written",engine="disk"} 5`,
		`walkaround_blob_bytes_total{direction="read",engine="disk"} 3`,
	} {
		if !strings.Contains(after, want) {
			t.Errorf("no %s in\n%s", want, after)
		}
	}
}

// telling is a reader that says more of itself than a reader must.
type telling struct{ io.Reader }

func (telling) Declared() (sum string, size int64) { return "", 0 }

// seen is a store that looks at the reader it is given.
type seen struct {
	storage.Blobs
	reader io.Reader
}

func (s *seen) Put(_ context.Context, _ string, r io.Reader, _ int64, _ func(string, int64) error) (storage.BlobInfo, error) {
	s.reader = r
	return storage.BlobInfo{}, nil
}

func TestTheSenderIsHandedOnAsItIs(t *testing.T) {
	under := &seen{}
	_, err := measured.Blobs(under, prometheus.NewRegistry()).Put(t.Context(), "main", telling{strings.NewReader("")}, 0, nil)
	fine(t, err)
	if _, ok := under.reader.(telling); !ok {
		t.Errorf("the store sees a %T", under.reader)
	}
}

func TestSpansOnlyInARequestThatIsTraced(t *testing.T) {
	recorder := tracetest.NewSpanRecorder()
	tracer := sdk.NewTracerProvider(sdk.WithSpanProcessor(recorder)).Tracer("test")
	e := measured.Engine(broken{err: fmt.Errorf("visits 粵A12345: %w", storage.ErrUnavailable)}, prometheus.NewRegistry())
	_, _ = e.Get(t.Context(), "visits", "main/粵A12345")
	if n := len(recorder.Started()); n != 0 {
		t.Fatalf("%d spans outside of a request", n)
	}
	ctx, root := tracer.Start(t.Context(), "request")
	_, _ = e.Get(ctx, "visits", "main/粵A12345")
	root.End()
	spans := recorder.Ended()
	if len(spans) != 2 {
		t.Fatalf("%d spans", len(spans))
	}
	span := spans[0]
	if span.Name() != "get visits" || span.Parent().SpanID() != root.SpanContext().SpanID() || span.Status().Code != codes.Error {
		t.Errorf("%s below %s: %v", span.Name(), span.Parent().SpanID(), span.Status())
	}
	if all := fmt.Sprint(span.Attributes(), span.Status(), span.Events()); strings.Contains(all, "12345") || !strings.Contains(all, "unavailable") {
		t.Errorf("it tells %s", all)
	}
}

func TestAnExpectedAnswerIsNoError(t *testing.T) {
	recorder := tracetest.NewSpanRecorder()
	ctx, root := sdk.NewTracerProvider(sdk.WithSpanProcessor(recorder)).Tracer("test").Start(t.Context(), "request")
	defer root.End()
	_, _ = measured.Engine(broken{err: storage.ErrNotFound}, prometheus.NewRegistry()).Get(ctx, "visits", "main/1")
	if got := recorder.Ended()[0].Status().Code; got != codes.Unset {
		t.Errorf("what is absent is an %v", got)
	}
}

func TestMeasuringAllocatesNothing(t *testing.T) {
	e := measured.Engine(broken{}, prometheus.NewRegistry())
	ctx := t.Context()
	_, _ = e.Get(ctx, "visits", "main/1")
	if n := testing.AllocsPerRun(100, func() { _, _ = e.Get(ctx, "visits", "main/1") }); n != 0 {
		t.Errorf("%v allocations a call", n)
	}
}

func BenchmarkGet(b *testing.B) {
	for name, e := range map[string]storage.Engine{"bare": broken{}, "measured": measured.Engine(broken{}, prometheus.NewRegistry())} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_, _ = e.Get(b.Context(), "visits", "main/1")
			}
		})
	}
}

func TestTheNamesAreWellFormed(t *testing.T) {
	registry := prometheus.NewRegistry()
	measured.Engine(broken{}, registry)
	measured.Blobs(diskIn(t), registry)
	families, err := registry.Gather()
	fine(t, err)
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	fine(t, err)
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}
