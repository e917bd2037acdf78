package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// traces sends the spans of requests where the OTEL_ variables say; nil sends none. The variables are OpenTelemetry's own,
// which its libraries read from the environment themselves.
type traces struct{ provider *sdk.TracerProvider }

// newTraces reads the OTEL_ variables: traces are off unless an endpoint is named or OTEL_TRACES_EXPORTER is otlp.
func newTraces(ctx context.Context, log *slog.Logger) (*traces, error) {
	on, err := traced(os.Getenv)
	if err != nil || !on {
		return nil, err
	}
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_ENDPOINT: %w", err)
	}
	about, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithHost(),
		resource.WithAttributes(attribute.String("service.name", "walkaround"), attribute.String("service.version", version)),
		resource.WithFromEnv()) // What the environment says comes last and wins.
	if err != nil {
		return nil, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { // The library knows no other way to tell.
		log.Warn("traces not sent", slog.Any("error", err))
	}))
	log.Info("traces are sent")
	return &traces{sdk.NewTracerProvider(sdk.WithBatcher(exporter), sdk.WithResource(about))}, nil
}

// traced says whether the variables ask for traces, and refuses what is not done here.
func traced(env func(string) string) (bool, error) {
	either := func(a, b string) string {
		if v := env(a); v != "" {
			return v
		}
		return env(b)
	}
	exporter := env("OTEL_TRACES_EXPORTER")
	named := either("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT") != ""
	protocol := either("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
	switch {
	case strings.EqualFold(env("OTEL_SDK_DISABLED"), "true"), exporter == "none", exporter == "" && !named:
		return false, nil
	case exporter != "" && exporter != "otlp":
		return false, fmt.Errorf("OTEL_TRACES_EXPORTER is %q, but only otlp and none are known", exporter)
	case protocol != "" && protocol != "http/protobuf":
		return false, fmt.Errorf("OTEL_EXPORTER_OTLP_PROTOCOL is %q, but traces are sent by http/protobuf", protocol)
	default:
		return true, nil
	}
}

// tracer makes the spans of requests; nil when none are made.
func (t *traces) tracer() trace.Tracer {
	if t == nil {
		return nil
	}
	return t.provider.Tracer("example.com/walkaround/api")
}

// log writes the ids of trace and span into each line that is written in a request that is traced.
func (t *traces) log(to *slog.Logger) *slog.Logger {
	if t == nil {
		return to
	}
	return slog.New(tracedLog{to.Handler()})
}

// close sends what was not sent yet.
func (t *traces) close(ctx context.Context) {
	if t == nil {
		return
	}
	if err := t.provider.Shutdown(ctx); err != nil {
		otel.Handle(err) // What is lost is a few spans: no reason to end with a failure.
	}
}

// tracedLog is a handler that knows of traces.
type tracedLog struct{ slog.Handler }

// Handle adds the ids.
func (h tracedLog) Handle(ctx context.Context, r slog.Record) error {
	if in := trace.SpanContextFromContext(ctx); in.IsValid() {
		r = r.Clone()
		r.AddAttrs(slog.String("trace_id", in.TraceID().String()), slog.String("span_id", in.SpanID().String()))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs goes on knowing of traces.
func (h tracedLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	return tracedLog{h.Handler.WithAttrs(attrs)}
}

// WithGroup goes on knowing of traces.
func (h tracedLog) WithGroup(name string) slog.Handler { return tracedLog{h.Handler.WithGroup(name)} }
