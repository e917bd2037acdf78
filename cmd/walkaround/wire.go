package main

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"example.com/walkaround/api"
	"example.com/walkaround/api/background/timestamp"
	"example.com/walkaround/cmd/walkaround/config"
	"example.com/walkaround/openapi"
	"example.com/walkaround/storage/measured"
)

// parts is what the commands are made of. A command whose part is nil is not there.
type parts struct {
	newServer func(context.Context, materials) (server, error)
	opening   func(*slog.Logger) http.Handler                                                                  // answers until the storage is open
	seed      func(ctx context.Context, s server, base string, say func(string)) ([]account, error)            // demo
	check     func(ctx context.Context, c config.Config, log *slog.Logger, tell func(api.Finding) error) error // check
	codes     []openapi.Code                                                                                   // the catalogue of problems
}

// wired is the real house.
func wired() parts {
	return parts{newServer: newServer, opening: opening, seed: seedDemo, check: checkStore, codes: codes()}
}

// newServer builds the API on the storage.
func newServer(ctx context.Context, m materials) (server, error) {
	traces, err := newTraces(ctx, m.log)
	if err != nil {
		return nil, err
	}
	registry := prometheus.NewRegistry()
	c := api.Config{
		Engine: measured.Engine(m.engine, registry), Blobs: measured.Blobs(m.blobs, registry), Secret: m.secret, PublicURL: m.config.PublicURL, Now: time.Now, Log: traces.log(m.log),
		RatePerAccount: m.config.RatePerAccount, TrustedProxies: m.config.TrustedProxies, RetentionYears: m.config.RetentionYears, Version: version,
		Registry: registry, MetricsFrom: m.config.MetricsFrom, Tracer: traces.tracer(), Space: spaceOf(m.config),
	}
	if m.config.PublicURL == "" {
		m.log.Warn("WALKAROUND_PUBLIC_URL is empty: links and QR codes on sealed sheets name the address that the tablet happened to use")
	}
	if m.config.TimestampURL != "" {
		client, err := timestamp.New(m.config.TimestampURL, m.config.TimestampCA, &http.Client{Timeout: 10 * time.Second})
		if err != nil {
			return nil, err
		}
		c.Timestamps = client
	}
	s, err := api.New(ctx, c)
	if err != nil {
		traces.close(ctx)
		return nil, err
	}
	return &house{Server: s, traces: traces}, nil
}

// house is the API with what must end after it.
type house struct {
	*api.Server
	traces *traces
}

// Close ends the API, and sends the spans that are left.
func (h *house) Close(ctx context.Context) error {
	defer h.traces.close(ctx)
	return h.Server.Close(ctx)
}

// opening answers until the storage is open.
func opening(log *slog.Logger) http.Handler { return api.Opening(version, time.Now, log) }

// version is what the binary says of itself.
const version = "0.1.0"

// codes are the refusals that annotations may name.
func codes() []openapi.Code {
	var list []openapi.Code
	for _, c := range api.Codes() {
		list = append(list, openapi.Code{Name: string(c.Code), Status: c.Status, Meaning: c.Title})
	}
	return list
}
