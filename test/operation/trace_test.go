package operation_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"example.com/walkaround/api"
	"example.com/walkaround/domain"
	"example.com/walkaround/test/harness"
)

func tracedHouse(t *testing.T) (*harness.House, *tracetest.SpanRecorder) {
	t.Helper()
	recorder := tracetest.NewSpanRecorder()
	provider := sdk.NewTracerProvider(sdk.WithSpanProcessor(recorder), sdk.WithSampler(sdk.ParentBased(sdk.AlwaysSample())))
	return harness.Start(t, harness.Idle(), harness.Config(measuredHouse), harness.Config(func(c *api.Config) {
		c.Tracer = provider.Tracer("test")
	})), recorder
}

// named is the last span of a name that ended; nil when there is none.
func named(recorder *tracetest.SpanRecorder, name string) sdk.ReadOnlySpan {
	for _, span := range slices.Backward(recorder.Ended()) {
		if span.Name() == name {
			return span
		}
	}
	return nil
}

func TestASpanTellsOfARequestAndItsStorage(t *testing.T) {
	h, recorder := tracedHouse(t)
	advisor := h.As("advisor").In(t)
	v := advisor.ReadyVisit("粵A·70020")
	got := advisor.Get(v.At(""))
	span, child := named(recorder, "GET /v1/visits/:id"), named(recorder, "get visits")
	if span == nil || child == nil {
		t.Fatalf("%d spans", len(recorder.Ended()))
	}
	if span.Parent().IsValid() || child.Parent().SpanID() != span.SpanContext().SpanID() {
		t.Error("the span of storage is not below the span of its request")
	}
	told := map[string]string{}
	for _, a := range span.Attributes() {
		told[string(a.Key)] = a.Value.Emit()
	}
	for name, want := range map[string]string{
		"http.request.method": "GET", "http.route": "/v1/visits/:id", "http.response.status_code": "200",
		"walkaround.request_id": got.Header.Get("X-Request-ID"),
	} {
		if told[name] != want {
			t.Errorf("%s is %q, want %q", name, told[name], want)
		}
	}
}

func TestTraceparentIsHonoured(t *testing.T) {
	h, recorder := tracedHouse(t)
	const trace, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	h.Anyone().In(t).Get("/healthz", "traceparent", "00-"+trace+"-"+parent+"-01")
	span := named(recorder, "GET /healthz")
	if span.SpanContext().TraceID().String() != trace || span.Parent().SpanID().String() != parent {
		t.Errorf("it is %s below %s", span.SpanContext().TraceID(), span.Parent().SpanID())
	}
	before := len(recorder.Ended())
	h.Anyone().In(t).Get("/healthz", "traceparent", "00-"+trace+"-"+parent+"-00")
	if n := len(recorder.Ended()) - before; n != 0 {
		t.Errorf("who was not sampled makes %d spans", n)
	}
	h.Anyone().In(t).Get("/healthz", "traceparent", "00-"+strings.Repeat("0", 32)+"-nonsense")
	if span := named(recorder, "GET /healthz"); span.Parent().IsValid() {
		t.Error("nonsense is a parent")
	}
}

func TestSpansTellNothingOfPeople(t *testing.T) {
	h, recorder := tracedHouse(t)
	advisor := h.As("advisor").In(t)
	v := advisor.ReadyVisit("粵A·70021")
	v.Sign().Want(http.StatusCreated)
	advisor.Get("/v1/visits?plate=70021")
	advisor.Get("/v1/verify/" + v.Digest())
	advisor.Raw("BREW", "/secret/粵A70021", nil)
	secrets := []string{"70021", "陳大文", "138001", v.ID, harness.Password, harness.AdminPassword, advisor.Token(), advisor.Refresh(), v.Digest(), "127.0.0.1", "BREW", "secret"}
	for _, span := range recorder.Ended() {
		all := fmt.Sprint(span.Name(), span.Attributes(), span.Events(), span.Status(), span.Links())
		for _, secret := range secrets {
			if strings.Contains(all, secret) {
				t.Errorf("%s tells %q: %s", span.Name(), secret, all)
			}
		}
	}
	if span := named(recorder, "_OTHER"); span == nil {
		t.Error("an odd method has no span")
	}
}

func TestAFailureIsMarked(t *testing.T) {
	h, recorder := tracedHouse(t)
	h.Server.Drain()
	h.Anyone().In(t).Get("/readyz")
	if got := named(recorder, "GET /readyz").Status().Code; got != codes.Error {
		t.Errorf("503 is %v", got)
	}
	h.As("advisor").In(t).Get("/v1/visits/" + domain.NewID())
	if got := named(recorder, "GET /v1/visits/:id").Status().Code; got != codes.Unset {
		t.Errorf("404 is %v", got)
	}
}
