package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"example.com/walkaround/api"
	"example.com/walkaround/cmd/walkaround/config"
	"example.com/walkaround/storage/migrate"
	"example.com/walkaround/storage/open"
)

// exitCouldNotCheck says that check has nothing to tell about the data.
const exitCouldNotCheck = 2

const checkSummary = `Reads every document, blob, event, seal and checkpoint of the store, and names each that is damaged, a line each. It
changes nothing and may run beside serve. Exit code: 0 nothing was found, 1 something was, 2 it could not be read.
  --json
      each finding an object on a line of its own, {"kind", "where", "what", "note"}, and last {"findings": n}`

// check looks for damage.
func check(ctx context.Context, c call) int {
	asJSON, flags := takeFlag(c.args, "json")
	c.args = flags
	cfg, code, ok := c.config("check", checkSummary)
	if !ok {
		return code
	}
	faults := 0
	err := c.parts.check(ctx, cfg, newLog(c.stderr, cfg), func(f api.Finding) error {
		if !f.Note {
			faults++
		}
		if asJSON {
			return json.NewEncoder(c.stdout).Encode(f)
		}
		_, err := fmt.Fprintln(c.stdout, f)
		return err
	})
	switch {
	case err != nil:
		c.say("%s", err)
		return exitCouldNotCheck
	case asJSON:
		c.print("{\"findings\":%d}\n", faults)
	case faults > 0:
		c.print("%d findings.\n", faults)
	default:
		c.print("Nothing is damaged.\n")
	}
	if faults > 0 {
		return exitFailed
	}
	return exitOK
}

// checkStore opens the store read-only and tells each finding.
func checkStore(ctx context.Context, c config.Config, log *slog.Logger, tell func(api.Finding) error) (err error) {
	engine, blobs, err := opened(ctx, lies(c, log), open.OpenReadOnly)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, engine.Close(), blobs.Close()) }()
	if err := migrate.Known().Refuse(ctx, engine); err != nil {
		return err
	}
	var broken error // of the terminal or the pipe
	config := api.CheckConfig{Engine: engine, Blobs: blobs, TimestampRoots: c.TimestampCA, Now: time.Now()}
	err = api.Check(ctx, config, func(f api.Finding) {
		if err := tell(f); err != nil {
			broken = err
		}
	})
	return errors.Join(err, broken)
}
