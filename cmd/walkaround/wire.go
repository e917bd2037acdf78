package main

import (
	"context"
	"io"
	"net/http"

	"example.com/walkaround/cmd/walkaround/config"
	"example.com/walkaround/openapi"
)

// parts is what the commands are made of. A command whose part is nil is not there.
type parts struct {
	newServer func(context.Context, materials) (server, error)
	seed      func(context.Context, server) ([]account, error)                                       // demo
	check     func(ctx context.Context, c config.Config, findings io.Writer) (faults int, err error) // check
	codes     []openapi.Code                                                                         // the catalogue of problems
}

// wired is the real house.
func wired() parts {
	return parts{newServer: newServer}
}

// newServer builds the API on the storage.
func newServer(_ context.Context, m materials) (server, error) {
	return health{m}, nil
}

// health answers whether the storage can be reached, and nothing else.
type health struct{ materials }

// Handler answers /healthz.
func (h health) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		if err := h.engine.Ping(r.Context()); err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, "ok\n") // A client who went away is no trouble.
	})
	return mux
}

// EnsureFirst has no accounts to make.
func (health) EnsureFirst(context.Context, string) (created bool, password string, err error) {
	return false, "", nil
}

// Start has nothing to do in the background.
func (health) Start(context.Context) {}

// Close has nothing to wait for.
func (health) Close(context.Context) error { return nil }
