// Package harness is the real server for the suites: storage in a temporary folder, background work running, HTTP on
// loopback. Nothing is faked but the clock, and that only when a test sets it.
//
// Call Start, then House.As for a client of a role; visit.go holds what a walk-around consists of. Every answer is held
// to the OpenAPI document, and when a house closes, its log is searched for what must never be logged. It may import
// everything of this module but cmd.
package harness

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/walkaround/api"
	"example.com/walkaround/openapi"
	"example.com/walkaround/storage"
	"example.com/walkaround/storage/open"
	"example.com/walkaround/test/conform"
)

// AdminPassword is the password of the account `admin`, Password that of every account that As makes.
const (
	AdminPassword = "ginkgo lamp on the third floor"   //nolint:gosec // of stores that live for one test
	Password      = "a blue bucket stands in the yard" //nolint:gosec // likewise
)

// House is a running server.
type House struct {
	Server *api.Server
	Engine storage.Engine
	Blobs  storage.Blobs
	Clock  *Clock
	Log    *Log
	URL    string // http://127.0.0.1:port
	Folder string

	tb      testing.TB
	secrets *secrets
	http    *http.Client
	mu      sync.Mutex
	clients map[string]*Client
	trips   trips
}

// Option changes how a house is built.
type Option func(*setup)

type setup struct {
	folder string
	idle   bool
	change []func(*api.Config)
}

// Folder opens the house on a folder that was there before.
func Folder(path string) Option { return func(s *setup) { s.folder = path } }

// Idle leaves the background work undone.
func Idle() Option { return func(s *setup) { s.idle = true } }

// Config changes the configuration of the server.
func Config(change func(*api.Config)) Option {
	return func(s *setup) { s.change = append(s.change, change) }
}

// Start opens a house and closes it when tb ends.
func Start(tb testing.TB, options ...Option) *House {
	tb.Helper()
	var how setup
	for _, o := range options {
		o(&how)
	}
	if how.folder == "" {
		how.folder = tb.TempDir()
	}
	h := &House{
		Clock: &Clock{}, Log: &Log{}, Folder: how.folder, tb: tb, secrets: newSecrets(), clients: map[string]*Client{},
		http: &http.Client{Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64}},
	}
	h.build(tb, how)
	h.serve(tb, how.idle)
	if _, _, err := h.Server.EnsureFirst(tb.Context(), AdminPassword); err != nil {
		tb.Fatalf("harness: %v", err)
	}
	return h
}

func (h *House) build(tb testing.TB, how setup) {
	tb.Helper()
	var err error
	in := h.lies()
	tb.Cleanup(func() { h.drop(in) })
	h.Engine, h.Blobs, err = open.Open(tb.Context(), in)
	if err != nil {
		tb.Fatalf("harness: %v", err)
	}
	c := api.Config{
		Engine: h.Engine, Blobs: h.Blobs, Secret: []byte("sixteen bytes or more of a secret"), Now: h.Clock.Now,
		Log: slog.New(slog.NewJSONHandler(h.Log, &slog.HandlerOptions{Level: slog.LevelDebug})), Version: "test",
	}
	for _, change := range how.change {
		change(&c)
	}
	if h.Server, err = api.New(tb.Context(), c); err != nil {
		tb.Fatalf("harness: %v", err)
	}
}

// serve opens the door; everything is closed in the reverse order when tb ends, and the log searched.
func (h *House) serve(tb testing.TB, idle bool) {
	tb.Helper()
	ctx, end := context.WithCancel(context.WithoutCancel(tb.Context()))
	if !idle {
		h.Server.Start(ctx)
	}
	door := httptest.NewServer(h.Server.Handler())
	h.URL = door.URL
	tb.Cleanup(func() {
		h.http.CloseIdleConnections()
		door.Close()
		grace, cancel := context.WithTimeout(ctx, 20*time.Second)
		if err := h.Server.Close(grace); err != nil {
			tb.Errorf("harness: close: %v", err)
		}
		cancel()
		end()
		if err := h.Engine.Close(); err != nil {
			tb.Errorf("harness: close: %v", err)
		}
		if err := h.Blobs.Close(); err != nil {
			tb.Errorf("harness: close: %v", err)
		}
		h.secrets.search(tb, h.Log.String())
	})
}

// Clock is the time of a house: the real one, moved. It goes on running wherever it is set.
type Clock struct {
	mu    sync.Mutex
	moved time.Duration
}

// Now reads the clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.moved) //nolint:forbidigo // this is the clock of the tests
}

// Set sets the clock.
func (c *Clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.moved = time.Until(t)
}

// Move moves the clock, also backwards.
func (c *Clock) Move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.moved += d
}

// Log is what the server logged.
type Log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write appends.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// String reads it whole.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// secrets are what must not be in a log: passwords, tokens, phone numbers, names, signatures.
type secrets struct {
	mu   sync.Mutex
	seen map[string]string
}

func newSecrets() *secrets {
	return &secrets{seen: map[string]string{AdminPassword: "a password", Password: "a password"}}
}

func (s *secrets) keep(what string, values ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range values {
		if len(v) > 5 {
			s.seen[v] = what
		}
	}
}

func (s *secrets) search(tb testing.TB, log string) {
	tb.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for value, what := range s.seen {
		if at := strings.Index(log, value); at >= 0 {
			tb.Errorf("the log holds %s: …%s…", what, log[max(0, at-200):min(len(log), at+len(value))])
		}
	}
}

// shared is the checker of a test binary: reading the document takes a second.
//
//nolint:gochecknoglobals // made once, never changed
var shared struct {
	once    sync.Once
	checker *conform.Checker
}

func checker(tb testing.TB) *conform.Checker {
	tb.Helper()
	shared.once.Do(func() { shared.checker = conform.New(tb, openapi.JSON) })
	if shared.checker == nil {
		tb.Fatal("harness: the OpenAPI document can't be read; see the first failure")
	}
	return shared.checker
}

// Eventually waits until cond holds, asking again and again for half a minute. Background work is waited for so.
func Eventually(tb testing.TB, what string, cond func() bool) {
	tb.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) { //nolint:forbidigo // patience needs a real clock
		if cond() {
			return
		}
	}
	tb.Fatalf("never came true: %s", what)
}
