package main

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"os"
	"runtime/pprof"
	"time"

	"example.com/walkaround/api"
	"example.com/walkaround/storage/open"
)

// serveProfiled serves a folder as the real binary does, writing a CPU profile to the file named by the second
// argument. The real binary has no profiler.
func serveProfiled(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	if len(args) != 2 {
		return errors.New("serve FOLDER PROFILE")
	}
	file, err := os.Create(args[1]) //nolint:gosec // the file that was asked for
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	engine, blobs, err := open.Open(ctx, open.Config{Folder: args[0], Now: clock})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, engine.Close(), blobs.Close()) }()
	key, err := hex.DecodeString(secret)
	if err != nil {
		return err
	}
	s, err := api.New(ctx, api.Config{
		Engine: engine, Blobs: blobs, Secret: key, Now: clock, Log: slog.New(slog.NewTextHandler(stderr, nil)), RatePerAccount: rate,
	})
	if err != nil {
		return err
	}
	if _, _, err := s.EnsureFirst(ctx, adminPassword); err != nil {
		return err
	}
	s.Start(ctx)
	if err := pprof.StartCPUProfile(file); err != nil {
		return err
	}
	err = listenAndServe(ctx, s.Handler(), stdout)
	pprof.StopCPUProfile()
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return errors.Join(err, s.Close(closing))
}
