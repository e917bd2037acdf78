package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

const (
	secret = "6b1f0e2d3c4b5a69788796a5b4c3d2e1f00112233445566778899aabbccddeef" //nolint:gosec // of a store that lives for minutes
	rate   = 1_000_000
)

// house is what the figures are taken in: binaries, folders and the processes that run.
type house struct {
	options
	folder  string
	stderr  io.Writer
	scratch string // for what does not outlive this run
	floor   *process
	served  int
	copies  int
}

// newHouse builds the server and starts the floor.
func newHouse(ctx context.Context, o options, stderr io.Writer) (*house, error) {
	h := &house{options: o, folder: o.folder, stderr: stderr}
	var err error
	if h.folder == "" {
		if h.folder, err = os.MkdirTemp("", "load-*"); err != nil {
			return nil, err
		}
	} else if err = os.MkdirAll(h.folder, 0o700); err != nil {
		return nil, err
	}
	if h.binary == "" && o.profile == "" {
		h.binary = filepath.Join(h.folder, "walkaround")
		h.say("building the server")
		build := exec.CommandContext(ctx, "go", "build", "-o", h.binary, "./cmd/walkaround") //nolint:gosec // our own server
		if out, err := build.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("build: %w\n%s", err, out)
		}
	}
	if h.scratch, err = os.MkdirTemp(h.folder, "run-*"); err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	h.floor, err = start(ctx, nil, self, "floor")
	return h, err
}

func (h *house) say(format string, args ...any) {
	fmt.Fprintf(h.stderr, format+"\n", args...) //nolint:errcheck // nothing to be done where standard error is gone
}

// close stops the floor and removes what is temporary.
func (h *house) close() error {
	err := errors.Join(h.floor.stop(), os.RemoveAll(h.scratch))
	if h.options.folder == "" {
		err = errors.Join(err, os.RemoveAll(h.folder))
	}
	return err
}

// serve starts the server on a folder.
func (h *house) serve(ctx context.Context, folder string, env ...string) (*process, error) {
	if h.profile != "" {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		if err := os.MkdirAll(h.profile, 0o700); err != nil {
			return nil, err
		}
		h.served++
		return start(ctx, nil, self, "serve", folder, filepath.Join(h.profile, fmt.Sprintf("%d.pprof", h.served)))
	}
	env = append([]string{
		"WALKAROUND_ADDR=127.0.0.1:0", "WALKAROUND_DATA=" + folder, "WALKAROUND_SECRET=" + secret,
		"WALKAROUND_ADMIN_PASSWORD=" + adminPassword, "WALKAROUND_RATE_PER_ACCOUNT=" + strconv.Itoa(rate),
	}, env...)
	return start(ctx, env, h.binary, "serve")
}

// setup says what a store is like for a figure.
type setup struct {
	visits  int
	env     []string                                       // of the server, besides
	prepare func(ctx context.Context, folder string) error // is done just before it starts
	after   func(ctx context.Context, folder string) error // is done once it has stopped
}

// open serves a copy of a seeded folder, and signs in.
func (h *house) open(ctx context.Context, s setup) (*account, error) {
	seeded, err := h.seed(ctx, s.visits)
	if err != nil {
		return nil, err
	}
	h.copies++
	folder := filepath.Join(h.scratch, strconv.Itoa(h.copies))
	if err := os.CopyFS(folder, os.DirFS(seeded)); err != nil {
		return nil, err
	}
	if s.prepare != nil {
		if err := s.prepare(ctx, folder); err != nil {
			return nil, err
		}
	}
	p, err := h.serve(ctx, folder, s.env...)
	if err != nil {
		return nil, err
	}
	a := &account{server: p, client: newClient(), folder: folder}
	if err := a.login(ctx); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return a, nil
}

// wants says whether a figure was asked for.
func (h *house) wants(name string) bool { return strings.Contains(name, h.only) }
