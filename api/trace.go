package api

import (
	"context"
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// traced is the context of a request, with its span where requests are traced: a child of the one that traceparent names. A
// span holds method, route, status and request id, and never a path: ids, tokens and digests stand in it.
func (s *Server) traced(c *gin.Context, id string) context.Context {
	ctx := c.Request.Context()
	if s.Tracer == nil {
		return ctx
	}
	method := c.Request.Method
	if !slices.Contains(knownMethods, method) {
		method = "_OTHER"
	}
	name, attributes := method, []attribute.KeyValue{
		attribute.String("http.request.method", method), attribute.String("walkaround.request_id", id),
	}
	if route := c.FullPath(); route != "" {
		name += " " + route
		attributes = append(attributes, attribute.String("http.route", route))
	}
	ctx = propagation.TraceContext{}.Extract(ctx, propagation.HeaderCarrier(c.Request.Header))
	ctx, _ = s.Tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(attributes...))
	return ctx
}

// endTrace ends the span that traced began.
func (s *Server) endTrace(c *gin.Context) {
	if s.Tracer == nil {
		return
	}
	span, status := trace.SpanFromContext(c.Request.Context()), c.Writer.Status()
	span.SetAttributes(attribute.Int("http.response.status_code", status))
	if status >= http.StatusInternalServerError {
		span.SetStatus(codes.Error, "")
	}
	span.End()
}
