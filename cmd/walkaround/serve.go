package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os/signal"
	"syscall"
	"time"

	"example.com/walkaround/cmd/walkaround/config"
	"example.com/walkaround/storage"
	"example.com/walkaround/storage/open"
)

// How long a stop may take.
const (
	drainTime       = 5 * time.Second  // in which a balancer that watches /readyz sends new requests elsewhere
	requestGrace    = 20 * time.Second // for requests that are being answered
	backgroundGrace = 10 * time.Second // for the work behind them, afterwards
)

const serveSummary = `Runs the store. The first start makes the store "main" and the account "admin". SIGTERM and Ctrl-C end it in order; a
second one ends it at once. Flags override the environment.`

// serve runs the store until it is told to stop.
func serve(ctx context.Context, c call) int {
	cfg, code, ok := c.config("serve", serveSummary)
	if !ok {
		return code
	}
	if holdsDemo(cfg.Data) {
		c.say("WALKAROUND_DATA is %q, the folder of a demo, whose passwords everyone knows; choose another one.", cfg.Data)
		return exitUsage
	}
	return c.house(ctx, cfg, c.firstAccount(cfg))
}

// welcome is what happens once the house is open and before the first request: accounts, and a word about them.
type welcome func(context.Context, server) error

// firstAccount makes store and account of a first start.
func (c call) firstAccount(cfg config.Config) welcome {
	return func(ctx context.Context, s server) error {
		created, password, err := s.EnsureFirst(ctx, cfg.AdminPassword)
		if err == nil && created && cfg.AdminPassword == "" {
			c.print("first start: store main, account %s, password %s (shown this once; change it)\n", config.FirstAccount, password)
		}
		return err
	}
}

// house opens everything, serves, and closes everything. A signal is no failure.
func (c call) house(ctx context.Context, cfg config.Config, welcome welcome) int {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // From now on a second signal ends the process.
	log := newLog(c.stderr, cfg)
	err := c.open(ctx, cfg, log, welcome)
	stopped := ctx.Err() != nil && errors.Is(err, context.Canceled) // While it was still opening.
	if err != nil && !stopped {
		c.say("%s", err)
		return exitFailed
	}
	return exitOK
}

// open opens the door, behind it the storage, runs what lies in it, and closes all in the reverse order. Until the storage is
// open whoever comes is told so: it may have to be waited for, or brought to a new format.
func (c call) open(ctx context.Context, cfg config.Config, log *slog.Logger, welcome welcome) (err error) {
	d, err := c.newDoor(ctx, materials{config: cfg, log: log})
	if err != nil {
		return err
	}
	defer d.close()
	d.serve(c.parts.opening(log))
	engine, blobs, err := open.Open(ctx, lies(cfg, log))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, engine.Close(), blobs.Close()) }()
	if err := stranded(ctx, engine, blobs); err != nil {
		return err
	}
	if err := prepare(ctx, engine); err != nil {
		return err
	}
	return c.furnish(ctx, d, materials{config: cfg, log: log, engine: engine, blobs: blobs}, welcome)
}

// furnish makes secret and server, and lets people in.
func (c call) furnish(ctx context.Context, d *door, m materials, welcome welcome) (err error) {
	if err := keepsSecret(ctx, m.config, m.engine); err != nil {
		return err
	}
	if m.secret, err = secretOf(m.config); err != nil {
		return err
	}
	s, err := c.parts.newServer(ctx, m)
	if err != nil {
		return err
	}
	if err = welcome(ctx, s); err == nil {
		err = c.attend(ctx, d, s)
	}
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), backgroundGrace)
	defer cancel()
	return errors.Join(err, s.Close(closing))
}

// attend starts the background, lets people in, and ends in the reverse order.
func (c call) attend(ctx context.Context, d *door, s server) error {
	background, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	s.Start(background)
	d.lead(s.Handler())
	c.print("%s", d.announcement())
	select {
	case err := <-d.failed:
		return errors.Join(err, d.server.Close())
	case <-ctx.Done():
		d.log.Info("stopping", "grace_seconds", requestGrace.Seconds())
		if s.Drain() {
			c.pause(drainTime)
		}
		return d.shutdown(context.WithoutCancel(ctx))
	}
}

// newLog writes to w in the configured form.
func newLog(w io.Writer, cfg config.Config) *slog.Logger {
	o := &slog.HandlerOptions{Level: cfg.LogLevel}
	if cfg.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

// materials is what a server is made of, beside the code.
type materials struct {
	config config.Config
	secret []byte // config.SecretBytes of them; they encrypt the signing keys
	log    *slog.Logger
	engine storage.Engine
	blobs  storage.Blobs
}

// server is the API behind the door.
type server interface {
	// Handler answers requests, after Start and until Close.
	Handler() http.Handler
	// EnsureFirst makes the store and its first account, if there is none. An empty password is made up.
	EnsureFirst(ctx context.Context, password string) (created bool, used string, err error)
	// Start begins the work in the background, which ends with ctx.
	Start(ctx context.Context)
	// Drain makes the server say that it is not ready, and tells whether a balancer watches that.
	Drain() (watched bool)
	// Close waits for that work. The storage is closed by who opened it.
	Close(ctx context.Context) error
}

// portOf is the port of a listener.
func portOf(l net.Listener) string {
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return ""
	}
	return port
}
