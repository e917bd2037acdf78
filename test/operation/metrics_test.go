// Package operation_test holds what whoever runs the server looks at to what it promises: metrics, readiness, traces.
package operation_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"example.com/walkaround/api"
	"example.com/walkaround/domain"
	"example.com/walkaround/domain/visit"
	"example.com/walkaround/storage"
	"example.com/walkaround/storage/measured"
	"example.com/walkaround/test/harness"
)

// measuredHouse is wired as the binary is.
func measuredHouse(c *api.Config) {
	c.Registry = prometheus.NewRegistry()
	c.Engine, c.Blobs = measured.Engine(c.Engine, c.Registry), measured.Blobs(c.Blobs, c.Registry)
}

// scrape reads /metrics, where it can be seen behind the doors of a proxy too.
func scrape(t *testing.T, h *harness.House) string {
	t.Helper()
	return string(h.Anyone().In(t).Raw(http.MethodGet, "/metrics", nil).Want(http.StatusOK).Body)
}

// line is the value of one line.
func line(t *testing.T, metrics, name string) string {
	t.Helper()
	for l := range strings.SplitSeq(metrics, "\n") {
		if value, ok := strings.CutPrefix(l, name+" "); ok {
			return value
		}
	}
	t.Errorf("no %s", name)
	return ""
}

func TestMetricsTellWhatAVisitDid(t *testing.T) {
	h := harness.Start(t, harness.Idle(), harness.Config(measuredHouse), harness.Config(func(c *api.Config) {
		c.Space = func() (uint64, error) { return 1 << 40, nil }
	}))
	v := h.As("advisor").ReadyVisit("粵A·70001")
	photo := harness.SmallPhoto(7)
	v.UploadPhoto(photo, "image/jpeg").Want(http.StatusCreated)
	v.Sign().Want(http.StatusCreated)
	metrics := scrape(t, h)
	engine := "sqlite"
	if !strings.Contains(metrics, `engine="sqlite"`) {
		engine = "mongodb" // the suite runs on either
	}
	for name, want := range map[string]string{
		`walkaround_request_seconds_count{method="POST",route="/v1/visits/:id/signatures",status="201"}`:                "1",
		`walkaround_storage_seconds_count{collection="visits",engine="` + engine + `",operation="insert",outcome="ok"}`: "1",
		`walkaround_requests_in_flight`:                                        "1", // this very one
		`walkaround_uploads_in_flight`:                                         "0",
		`walkaround_queue_waiting{queue="visits"}`:                             "1",
		`walkaround_queue_waiting{queue="photos"}`:                             "2",
		`walkaround_queue_failed{queue="visits"}`:                              "0",
		`walkaround_ready{check="documents"}`:                                  "1",
		`walkaround_disk_free_bytes`:                                           "1.099511627776e+12",
		`walkaround_build_info{go="` + runtime.Version() + `",version="test"}`: "1",
	} {
		if got := line(t, metrics, name); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	for _, name := range []string{"go_goroutines", "process_open_fds", "walkaround_seal_lag_seconds", `walkaround_queue_overdue_seconds{queue="visits"}`} {
		line(t, metrics, name)
	}
	for _, secret := range []string{v.ID, "70001", "陳大文", "138001"} {
		if strings.Contains(metrics, secret) {
			t.Errorf("the metrics tell %q", secret)
		}
	}
}

func TestTheLagOfSealsGrowsUntilTheyAreFiled(t *testing.T) {
	h := harness.Start(t, harness.Idle())
	lag := func() string { return line(t, scrape(t, h), "walkaround_seal_lag_seconds") }
	if got := lag(); got != "0" {
		t.Errorf("nothing is signed, and the lag is %s", got)
	}
	v := h.As("advisor").ReadyVisit("粵A·70002")
	v.Sign().Want(http.StatusCreated)
	h.Clock.Move(10 * 60e9)
	if got := lag(); len(got) < 3 || got[:2] != "60" {
		t.Errorf("after ten minutes it is %s s", got)
	}
	visits := storage.NewCollection(h.Engine, storage.Shape[visit.Visit]{
		Name: "visits", ID: func(v *visit.Visit) string { return v.StoreID + "/" + v.ID },
		Keys: []storage.Key[visit.Visit]{{Name: "failed", Values: func(v *visit.Visit) []string { return v.Outbox.FailedKey() }}},
	})
	set := func(change func(*visit.Visit)) {
		t.Helper()
		if _, err := visits.Update(t.Context(), "main/"+v.ID, func(v *visit.Visit) error { change(v); return nil }); err != nil {
			t.Fatal(err)
		}
		h.Clock.Move(6e9) // what was read is remembered for 5 s
	}
	set(func(v *visit.Visit) {
		for range domain.MaxAttempts {
			v.Outbox.Fail(visit.TaskSeal, v.Outbox[0].Ref, "no paper", v.ArrivedAt)
		}
	})
	metrics := scrape(t, h)
	if got := line(t, metrics, "walkaround_seal_lag_seconds"); len(got) < 3 || got[:2] != "60" {
		t.Errorf("a seal that was set aside is still owed, but the lag is %s s", got)
	}
	if got := line(t, metrics, `walkaround_queue_failed{queue="visits"}`); got != "1" {
		t.Errorf("%s are set aside", got)
	}
	set(func(v *visit.Visit) { v.Outbox = nil })
	if got := lag(); got != "0" {
		t.Errorf("nothing is owed, and the lag is %s", got)
	}
}

func TestUploadsInFlightAreCounted(t *testing.T) {
	h := harness.Start(t, harness.Idle(), harness.Config(measuredHouse))
	advisor := h.As("advisor")
	v := advisor.Arrive(harness.CarArrival("粵A·70003"))
	photo := harness.SmallPhoto(3)
	body, send := io.Pipe()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, h.URL+v.At("/photos/"+domain.NewID()), body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+advisor.Token())
	r.Header.Set("Content-Type", "image/jpeg")
	status := make(chan int, 1)
	go func() {
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Error(err)
			status <- 0
			return
		}
		_ = answer.Body.Close()
		status <- answer.StatusCode
	}()
	_, _ = send.Write(photo[:len(photo)/2])
	puts := func(metrics string) string {
		for l := range strings.SplitSeq(metrics, "\n") {
			if strings.HasPrefix(l, "walkaround_blob_puts_in_flight{") {
				return l[len(l)-1:]
			}
		}
		return ""
	}
	harness.Eventually(t, "one upload in flight", func() bool {
		metrics := scrape(t, h)
		return line(t, metrics, "walkaround_uploads_in_flight") == "1" && puts(metrics) == "1"
	})
	_, _ = send.Write(photo[len(photo)/2:])
	_ = send.Close()
	if got := <-status; got != http.StatusCreated {
		t.Fatalf("the upload ends with %d", got)
	}
	harness.Eventually(t, "none in flight", func() bool {
		metrics := scrape(t, h)
		return line(t, metrics, "walkaround_uploads_in_flight") == "0" && puts(metrics) == "0"
	})
}

func TestMetricsAreForWhoRunsTheServer(t *testing.T) {
	h := harness.Start(t, harness.Idle(), harness.Config(func(c *api.Config) {
		c.MetricsFrom = []netip.Prefix{netip.MustParsePrefix("10.7.0.0/16")}
	}))
	for name, c := range map[string]struct {
		from   string
		header string
		want   int
	}{
		"this machine":                      {"127.0.0.1:9", "", http.StatusOK},
		"this machine, by IPv6":             {"[::1]:9", "", http.StatusOK},
		"an address that may":               {"10.7.1.2:9", "", http.StatusOK},
		"the same, written as IPv6":         {"[::ffff:10.7.1.2]:9", "", http.StatusOK},
		"a stranger":                        {"10.8.1.2:9", "", http.StatusNotFound},
		"a stranger through a proxy here":   {"127.0.0.1:9", "X-Forwarded-For", http.StatusNotFound},
		"a stranger through another proxy":  {"10.7.1.2:9", "Forwarded", http.StatusNotFound},
		"a stranger through an old gateway": {"127.0.0.1:9", "Via", http.StatusNotFound},
		"a socket without an address":       {"@", "", http.StatusNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody)
			if r.RemoteAddr = c.from; c.header != "" {
				r.Header.Set(c.header, "198.51.100.7")
			}
			w := httptest.NewRecorder()
			h.Server.Handler().ServeHTTP(w, r)
			if w.Code != c.want {
				t.Errorf("%d, want %d", w.Code, c.want)
			}
		})
	}
}
