package main

import (
	"context"
	"errors"
	"time"

	"example.com/walkaround/api/background"
	"example.com/walkaround/cmd/walkaround/config"
	"example.com/walkaround/storage"
	"example.com/walkaround/storage/migrate"
	"example.com/walkaround/storage/open"
)

const sweepSummary = `Deletes blobs that nothing names, such as those of uploads that broke off: older than a day, marked by one sweep and still
unnamed in another one a day later. serve does the same by itself.
  --dry-run
      only list them, also beside serve
Exit code: 0 it is done, 1 it is not.`

// sweep deletes what nothing names, or lists it.
func sweep(ctx context.Context, c call) int {
	dry, flags := takeFlag(c.args, "dry-run")
	c.args = flags
	cfg, code, ok := c.config("sweep", sweepSummary)
	if !ok {
		return code
	}
	do, how := c.sweepNow, open.Open
	if dry {
		do, how = c.sweepLook, open.OpenReadOnly
	}
	if err := c.withSweeper(ctx, cfg, how, do); err != nil {
		c.say("sweep: %s", err)
		return exitFailed
	}
	return exitOK
}

func (c call) withSweeper(
	ctx context.Context, cfg config.Config, how func(context.Context, open.Config) (storage.Engine, storage.Blobs, error),
	do func(context.Context, background.Sweeper) error,
) (err error) {
	engine, blobs, err := opened(ctx, lies(cfg, newLog(c.stderr, cfg)), how)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, engine.Close(), blobs.Close()) }()
	if err := migrate.Known().Refuse(ctx, engine); err != nil {
		return err
	}
	return do(ctx, background.Sweeper{Engine: engine, Blobs: blobs, Now: time.Now})
}

// sweepLook lists what nothing names.
func (c call) sweepLook(ctx context.Context, s background.Sweeper) error {
	due, others, size := 0, 0, int64(0)
	err := s.Look(ctx, func(u background.Unnamed) error {
		what := "nothing names it; not marked yet"
		switch {
		case time.Now().Before(u.Retained):
			what = "nothing names it; retained until " + u.Retained.UTC().Format(time.DateOnly)
		case u.Due:
			what = "nothing names it; is deleted next"
		case !u.Since.IsZero():
			what = "nothing names it; marked " + u.Since.UTC().Format(time.RFC3339)
		}
		if u.Due {
			due++
			size += u.Bytes
		} else {
			others++
		}
		c.print("%s %s: %s\n", u.Key, inBytes(u.Bytes), what)
		return nil
	})
	if err == nil {
		c.print("%d blobs (%s) would be deleted now, %d others are named by nothing.\n", due, inBytes(size), others)
	}
	return err
}

// sweepNow marks and deletes.
func (c call) sweepNow(ctx context.Context, s background.Sweeper) error {
	swept, err := s.Sweep(ctx)
	if err == nil {
		c.print("%d blobs: %d deleted (%s), %d marked, %d marked before, %d retained.\n",
			swept.Looked, swept.Deleted, inBytes(swept.Bytes), swept.Marked, swept.Waiting, swept.Retained)
	}
	return err
}
