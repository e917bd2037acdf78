package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"example.com/walkaround/api"
	"example.com/walkaround/cmd/walkaround/config"
	"example.com/walkaround/storage/migrate"
	"example.com/walkaround/storage/open"
)

// exitCouldNotCheck says that check has nothing to tell about the data.
const exitCouldNotCheck = 2

const checkSummary = `Reads every document, blob, event, seal and checkpoint of the data folder, and names each that is damaged, a line each. It
changes nothing and may run beside serve. Exit code: 0 nothing was found, 1 something was, 2 it could not be read.`

// check looks for damage.
func check(ctx context.Context, c call) int {
	cfg, code, ok := c.config("check", checkSummary)
	if !ok {
		return code
	}
	faults, err := c.parts.check(ctx, cfg, newLog(c.stderr, cfg), c.stdout)
	switch {
	case err != nil:
		c.say("%s", err)
		return exitCouldNotCheck
	case faults > 0:
		c.print("%d findings.\n", faults)
		return exitFailed
	}
	c.print("Nothing is damaged.\n")
	return exitOK
}

// checkFolder opens the data folder read-only, prints a line a finding and counts those that are damage.
func checkFolder(ctx context.Context, c config.Config, log *slog.Logger, findings io.Writer) (faults int, err error) {
	engine, blobs, err := opened(ctx, lies(c, log), open.OpenReadOnly)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, engine.Close(), blobs.Close()) }()
	if err := migrate.Known().Refuse(ctx, engine); err != nil {
		return 0, err
	}
	var broken error // of the terminal or the pipe
	config := api.CheckConfig{Engine: engine, Blobs: blobs, TimestampRoots: c.TimestampCA, Now: time.Now()}
	err = api.Check(ctx, config, func(f api.Finding) {
		if !f.Note {
			faults++
		}
		if _, err := fmt.Fprintln(findings, f); err != nil {
			broken = err
		}
	})
	return faults, errors.Join(err, broken)
}
