package operation_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"example.com/walkaround/api"
	"example.com/walkaround/storage"
	"example.com/walkaround/test/harness"
)

// sick are stores that can be told to fail.
type sick struct {
	documents, blobs atomic.Bool
	asked            atomic.Int64 // how often blobs were tried
	finds            atomic.Int64 // queries of documents
	lame             atomic.Bool  // queries fail, pings don't
	hanging          atomic.Bool  // pings hang, whatever their context says
	hang             chan struct{}
	free             atomic.Uint64
}

func (s *sick) wait() {
	if s.hanging.Load() {
		<-s.hang
	}
}

type sickEngine struct {
	storage.Engine
	*sick
}

func (s sickEngine) Find(ctx context.Context, collection string, q storage.Query) ([]storage.Record, error) {
	s.finds.Add(1)
	if s.lame.Load() {
		return nil, storage.ErrUnavailable
	}
	return s.Engine.Find(ctx, collection, q)
}

func (s sickEngine) Ping(ctx context.Context) error {
	s.wait()
	if s.documents.Load() {
		return fmt.Errorf("main/粵A12345: %w", storage.ErrUnavailable)
	}
	return s.Engine.Ping(ctx)
}

type sickBlobs struct {
	storage.Blobs
	*sick
}

func (s sickBlobs) Ping(ctx context.Context) error {
	s.asked.Add(1)
	s.wait()
	if s.blobs.Load() {
		return storage.ErrFull
	}
	return s.Blobs.Ping(ctx)
}

func sickHouse(t *testing.T, s *sick) *harness.House {
	t.Helper()
	s.free.Store(1 << 40)
	return harness.Start(t, harness.Idle(), harness.Config(func(c *api.Config) {
		c.Engine, c.Blobs = sickEngine{c.Engine, s}, sickBlobs{c.Blobs, s}
		c.Space = func() (uint64, error) {
			if free := s.free.Load(); free > 0 {
				return free, nil
			}
			return 0, errors.New("no such disk")
		}
	}))
}

// pointers are the pointers of a problem, in order.
func pointers(a harness.Answer) string {
	var list []string
	for _, e := range a.List("errors") {
		if m, ok := e.(map[string]any); ok {
			list = append(list, fmt.Sprint(m["pointer"]))
		}
	}
	return strings.Join(list, " ")
}

func TestReadyzNamesWhatIsMissing(t *testing.T) {
	for name, c := range map[string]struct {
		hurt func(*sick)
		want string
	}{
		"documents":  {func(s *sick) { s.documents.Store(true) }, "/documents"},
		"blobs":      {func(s *sick) { s.blobs.Store(true) }, "/blobs"},
		"space":      {func(s *sick) { s.free.Store(256<<20 - 1) }, "/disk"},
		"disk":       {func(s *sick) { s.free.Store(0) }, "/disk"},
		"everything": {func(s *sick) { s.documents.Store(true); s.blobs.Store(true); s.free.Store(1) }, "/documents /blobs /disk"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &sick{}
			h := sickHouse(t, s)
			anyone := h.Anyone().In(t)
			anyone.Get("/readyz").Want(http.StatusOK)
			c.hurt(s)
			anyone.Get("/readyz").Want(http.StatusOK) // asked a moment ago
			h.Clock.Move(2 * time.Second)
			got := anyone.Get("/readyz").WantProblem(http.StatusServiceUnavailable, "unavailable")
			if pointers(got) != c.want || got.Header.Get("Retry-After") == "" {
				t.Errorf("it names %q: %s", pointers(got), got.Body)
			}
			for check := range strings.FieldsSeq(c.want) {
				if ready := line(t, scrape(t, h), `walkaround_ready{check="`+check[1:]+`"}`); ready != "0" {
					t.Errorf("walkaround_ready of %s is %s", check, ready)
				}
			}
			balanced := http.StatusOK
			if strings.Contains(c.want, "/documents") {
				balanced = http.StatusServiceUnavailable
			}
			anyone.Get("/readyz?only=documents").Want(balanced)
			anyone.Get("/healthz").Want(http.StatusOK)
			h.Clock.Move(2 * time.Second)
			anyone.Get("/readyz").Want(http.StatusServiceUnavailable)
			s.documents.Store(false)
			s.blobs.Store(false)
			s.free.Store(256 << 20)
			h.Clock.Move(2 * time.Second)
			anyone.Get("/readyz").Want(http.StatusOK)
			log := h.Log.String()
			changes := len(strings.Fields(c.want))
			if strings.Count(log, `"not ready"`) != changes || strings.Count(log, `"ready again"`) != changes || strings.Contains(log, "12345") {
				t.Errorf("the log says\n%s", log)
			}
		})
	}
}

func TestReadyzKnowsItsParameter(t *testing.T) {
	anyone := harness.Start(t, harness.Idle()).Anyone().In(t)
	anyone.Get("/readyz?only=blobs").WantProblem(http.StatusBadRequest, "bad_parameter")
}

func TestQuestionsOfStrangersCostStorageNoMoreThanOneASecond(t *testing.T) {
	s := &sick{}
	h := sickHouse(t, s)
	h.Clock.Set(time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC))
	anyone := h.Anyone().In(t)
	anyone.Get("/readyz").Want(http.StatusOK)
	pings, finds := s.asked.Load(), s.finds.Load()
	for range 50 {
		anyone.Get("/readyz").Want(http.StatusOK)
	}
	if pings, finds = s.asked.Load()-pings, s.finds.Load()-finds; pings+finds > 0 {
		t.Errorf("50 questions in the same second cost %d probes and %d queries", pings, finds)
	}
	h.Clock.Move(time.Minute)
	before := s.finds.Load()
	if got := anyone.Get("/readyz?only=documents").Want(http.StatusOK); s.finds.Load() != before || strings.Contains(string(got.Body), "failed") {
		t.Errorf("a balancer's question costs %d queries: %s", s.finds.Load()-before, got.Body)
	}
	s.lame.Store(true)
	anyone.Get("/readyz").Want(http.StatusServiceUnavailable)
	before = s.finds.Load()
	for range 50 {
		anyone.Get("/readyz").Want(http.StatusServiceUnavailable)
	}
	if n := s.finds.Load() - before; n > 0 {
		t.Errorf("while queries fail, 50 questions in the same second cost %d", n)
	}
	s.lame.Store(false)
	h.Clock.Move(time.Second)
	anyone.Get("/readyz").Want(http.StatusOK)
}

func TestAScrapeWaitsForAllThatHangsAtOnce(t *testing.T) {
	s := &sick{hang: make(chan struct{})}
	h := sickHouse(t, s)
	s.hanging.Store(true)
	began := time.Now()
	metrics := scrape(t, h)
	if took := time.Since(began); took < 4*time.Second || took > 8*time.Second {
		t.Errorf("while both stores hang a scrape takes %s, want the 5 s that it may wait", took)
	}
	for check, want := range map[string]string{"documents": "0", "blobs": "0", "disk": "1"} {
		if got := line(t, metrics, `walkaround_ready{check="`+check+`"}`); got != want {
			t.Errorf("walkaround_ready of %s is %s", check, got)
		}
	}
	line(t, metrics, `walkaround_queue_waiting{queue="visits"}`) // queries answer, so it is told
	close(s.hang)
	h.Clock.Move(2 * time.Second)
	harness.Eventually(t, "it is ready again", func() bool {
		h.Clock.Move(2 * time.Second)
		return line(t, scrape(t, h), `walkaround_ready{check="documents"}`) == "1"
	})
}

func TestWhoStopsIsNotReady(t *testing.T) {
	h := harness.Start(t, harness.Idle())
	if h.Server.Drain() {
		t.Error("nobody watches, and it says so")
	}
	h = harness.Start(t, harness.Idle())
	anyone := h.Anyone().In(t)
	anyone.Get("/readyz").Want(http.StatusOK)
	if !h.Server.Drain() {
		t.Error("a balancer watches, and it is not told")
	}
	if got := anyone.Get("/readyz").WantProblem(http.StatusServiceUnavailable, "unavailable"); pointers(got) != "/process" {
		t.Errorf("%s", got.Body)
	}
	anyone.Get("/readyz?only=documents").Want(http.StatusServiceUnavailable)
	anyone.Get("/healthz").Want(http.StatusOK)
	h.As("advisor").In(t).Arrive(harness.CarArrival("粵A·70010")) // whoever still comes is served
	h.Clock.Move(2 * time.Minute)
	if h.Server.Drain() {
		t.Error("a balancer that asked two minutes ago watches no more")
	}
}

func TestBeforeStorageIsOpenTheProcessIsAliveAndNotReady(t *testing.T) {
	var log bytes.Buffer
	opening := api.Opening("test", time.Now, slog.New(slog.NewTextHandler(&log, nil)))
	for path, want := range map[string]int{
		"/healthz": http.StatusOK, "/readyz": http.StatusServiceUnavailable, "/v1/visits": http.StatusServiceUnavailable, "/metrics": http.StatusServiceUnavailable,
	} {
		w := httptest.NewRecorder()
		opening.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody))
		if w.Code != want {
			t.Errorf("%s: %d", path, w.Code)
		}
		problem := want != http.StatusServiceUnavailable ||
			w.Header().Get("Content-Type") == "application/problem+json" && w.Header().Get("Retry-After") != "" && strings.Contains(w.Body.String(), `"request_id":"0`)
		if !problem {
			t.Errorf("%s: %v %s", path, w.Header(), w.Body)
		}
	}
	if log.Len() > 0 {
		t.Errorf("the log says %s", &log)
	}
}
