package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	sdk "go.opentelemetry.io/otel/sdk/trace"
)

func TestTracesAreOffUntilTheEnvironmentSaysOtherwise(t *testing.T) {
	const endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318"
	for set, want := range map[string]bool{
		"":                       false,
		"OTEL_SERVICE_NAME=lane": false,
		endpoint:                 true,
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://collector:4318/v1/traces": true,
		"OTEL_TRACES_EXPORTER=otlp":                             true,
		"OTEL_TRACES_EXPORTER=none " + endpoint:                 false,
		"OTEL_SDK_DISABLED=TRUE " + endpoint:                    false,
		"OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf " + endpoint: true,
		"OTEL_EXPORTER_OTLP_PROTOCOL=grpc":                      false,
	} {
		if on, err := traced(environ(set)); err != nil || on != want {
			t.Errorf("%q: %v, %v", set, on, err)
		}
	}
	for set, want := range map[string]string{
		"OTEL_TRACES_EXPORTER=zipkin":                  `OTEL_TRACES_EXPORTER is "zipkin"`,
		"OTEL_EXPORTER_OTLP_PROTOCOL=grpc " + endpoint: `OTEL_EXPORTER_OTLP_PROTOCOL is "grpc"`,
	} {
		if _, err := traced(environ(set)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v", set, err)
		}
	}
}

// environ reads NAME=value pairs between spaces.
func environ(set string) func(string) string {
	return func(name string) string {
		for pair := range strings.FieldsSeq(set) {
			if value, ok := strings.CutPrefix(pair, name+"="); ok {
				return value
			}
		}
		return ""
	}
}

func TestLinesOfATracedRequestNameTheTrace(t *testing.T) {
	var b bytes.Buffer
	to := slog.New(slog.NewJSONHandler(&b, nil))
	if (*traces)(nil).log(to) != to {
		t.Error("without traces the log is another")
	}
	provider := sdk.NewTracerProvider()
	log := (&traces{provider}).log(to).With("a", 1)
	ctx, span := provider.Tracer("test").Start(t.Context(), "request")
	log.InfoContext(ctx, "inside")
	if want := `"trace_id":"` + span.SpanContext().TraceID().String() + `"`; !strings.Contains(b.String(), want) {
		t.Errorf("no %s in %s", want, &b)
	}
	span.End()
	b.Reset()
	log.InfoContext(t.Context(), "outside")
	log.WithGroup("g").InfoContext(ctx, "grouped")
	outside, grouped, _ := strings.Cut(b.String(), "\n")
	if strings.Contains(outside, "trace_id") || !strings.Contains(grouped, "trace_id") {
		t.Errorf("%s", &b)
	}
}

// collector takes what an exporter sends.
type collector struct {
	mu     sync.Mutex
	bodies bytes.Buffer
	status int
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, _ = io.Copy(&c.bodies, r.Body)
	w.WriteHeader(c.status)
}

func (c *collector) got() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bodies.String()
}

func TestARealServeSendsItsSpans(t *testing.T) {
	c := &collector{status: http.StatusOK}
	receiver := httptest.NewServer(c)
	defer receiver.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.URL)
	t.Setenv("OTEL_SERVICE_NAME", "lane seven")
	r := startInProcess(t, wired(), "serve")
	for _, path := range []string{"/readyz", "/v1/verify/sha256:" + strings.Repeat("7", 64)} {
		answer, err := http.Get(r.url + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
	}
	r.cancel()
	if code := r.exit(t); code != exitOK {
		t.Fatal(code, r.err.String())
	}
	got := c.got()
	for _, want := range []string{"lane seven", "GET /readyz", "ping", "/v1/verify/:digest", version} {
		if !strings.Contains(got, want) {
			t.Errorf("%q did not arrive", want)
		}
	}
	if strings.Contains(got, strings.Repeat("7", 64)) {
		t.Error("a digest arrived")
	}
}

func TestACollectorThatIsAwayHoldsUpNothing(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", gone.URL)
	t.Setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "200")
	r := startInProcess(t, wired(), "serve")
	answer, err := http.Get(r.url + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	r.cancel()
	if code := r.exit(t); code != exitOK || answer.StatusCode != http.StatusOK {
		t.Errorf("%d, exit code %d", answer.StatusCode, code)
	}
	if !strings.Contains(r.err.String(), "traces not sent") {
		t.Errorf("the log says\n%s", r.err.String())
	}
}

func TestABadOtelSettingStopsTheStart(t *testing.T) {
	t.Setenv("OTEL_TRACES_EXPORTER", "zipkin")
	r := &lines{url: make(chan string, 1)}
	var stderr bytes.Buffer
	code := runWith(context.Background(), []string{"serve", "--addr=127.0.0.1:0", "--data=" + t.TempDir()}, call{stdout: r, stderr: &stderr, parts: wired()})
	if code != exitFailed || !strings.Contains(stderr.String(), "OTEL_TRACES_EXPORTER") {
		t.Errorf("%d: %s", code, &stderr)
	}
}
