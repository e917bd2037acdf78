package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"example.com/walkaround/api/auth"
	"example.com/walkaround/cmd/walkaround/config"
	"example.com/walkaround/cmd/walkaround/keep"
	"example.com/walkaround/storage"
	"example.com/walkaround/storage/archive"
	"example.com/walkaround/storage/migrate"
	"example.com/walkaround/storage/open"
)

const restoreSummary = `Fills an empty store with the backup in FILE, or from standard input for -. serve must not run. The secret of the store that
was backed up must be there: in WALKAROUND_SECRET, or as the file secret in the data folder. A FILE is read to its end before
anything is stored. A restore that broke off leaves a store that nothing opens; repeat it with the same backup.
  --dry-run
      only read the backup to its end and say whether it is whole
Exit code: 0 everything is restored, 1 it is not.`

// errDemo keeps the known passwords of a demo out of a store that can't be told from a real one.
var errDemo = errors.New("this is the backup of a demo, whose passwords everyone knows")

// restoration is one run of restore.
type restoration struct {
	call
	cfg  config.Config
	file string
}

// restore fills an empty store.
func restore(ctx context.Context, c call) int {
	dry, args := takeFlag(c.args, "dry-run")
	file, flags, err := takeFile(args)
	if err != nil {
		c.say("restore: %s.", err)
		return exitUsage
	}
	c.args = flags
	cfg, code, ok := c.config("restore FILE|-", restoreSummary)
	if !ok {
		return code
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	r := restoration{call: c, cfg: cfg, file: file}
	if dry {
		m, err := r.verify(ctx)
		return r.told(err, m, "can be restored")
	}
	m, err := r.run(ctx)
	return r.told(err, m, "are restored")
}

// told is the last word.
func (r restoration) told(err error, m archive.Manifest, what string) int {
	if err != nil {
		r.say("restore: %s", err)
		return exitFailed
	}
	r.print("%d documents and %d blobs %s.\n", m.Count(), m.Blobs-m.DamagedBlobs, what)
	if n := m.Damaged(); n > 0 {
		r.print("%d more were damaged when they were backed up.\n", n)
	}
	return exitOK
}

func (r restoration) run(ctx context.Context) (m archive.Manifest, err error) {
	secret, err := r.secret()
	if err != nil {
		return m, err
	}
	total := int64(0)
	if r.file != stdStream {
		known, err := r.verify(ctx)
		if err != nil {
			return m, fmt.Errorf("%w; nothing was stored", err)
		}
		total = known.BlobBytes
	}
	engine, blobs, err := opened(ctx, lies(r.cfg, newLog(r.stderr, r.cfg)), open.Open)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, engine.Close(), blobs.Close()) }()
	if m, err = r.store(ctx, storageOf(engine, blobs), total); err != nil {
		return m, r.unfinished(ctx, engine, err)
	}
	return m, opens(ctx, engine, secret)
}

// verify reads the backup to its end.
func (r restoration) verify(ctx context.Context) (m archive.Manifest, err error) {
	from, err := r.readFrom(r.file)
	if err != nil {
		return m, err
	}
	defer from.Close() //nolint:errcheck // it was only read
	meter := newMeter("reading", r.stderr, time.Now)
	defer meter.end()
	_, m, err = archive.Verify(ctx, from, archive.Watch{Progress: meter.show})
	return m, err
}

func (r restoration) store(ctx context.Context, into archive.Storage, total int64) (m archive.Manifest, err error) {
	from, err := r.readFrom(r.file)
	if err != nil {
		return m, err
	}
	defer from.Close() //nolint:errcheck // it was only read
	meter := newMeter("restore", r.stderr, time.Now)
	meter.total = total
	defer meter.end()
	return archive.Restore(ctx, from, into, migrate.Known(), archive.Watch{
		Progress: meter.show, Damaged: func(err error) { r.say("%s", err) }, Begin: r.begin,
	})
}

// begin marks the folder of a demo.
func (r restoration) begin(h archive.Header) error {
	switch {
	case !h.Demo:
		return nil
	case r.cfg.MongoDB != "":
		return errDemo
	}
	err := keep.New(filepath.Join(r.cfg.Data, demoMark), []byte(demoMarkText))
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return errors.Join(errDemo, err)
	}
	return nil
}

// unfinished says what a restore that broke off leaves.
func (restoration) unfinished(ctx context.Context, engine storage.Engine, err error) error {
	if _, none := migrate.Restoring(context.WithoutCancel(ctx), engine); none == nil && !errors.Is(err, archive.ErrNotEmpty) {
		return fmt.Errorf("%w\nThe store is restored in part, and nothing opens it. Repeat this with the same backup, or empty the store", err)
	}
	return err
}

// secret is the one that must be there before: a new one, which serve would make, opens nothing.
func (r restoration) secret() ([]byte, error) {
	if r.cfg.Secret != nil {
		return r.cfg.Secret, nil
	}
	path := filepath.Join(r.cfg.Data, secretFile)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("no backup holds the secret: put that of the store that was backed up into WALKAROUND_SECRET, or the file into %s", path)
	}
	return readSecret(path)
}

// opens says whether the secret is that of the store which was restored.
func opens(ctx context.Context, engine storage.Engine, secret []byte) error {
	if err := engine.Declare(ctx, auth.Declarations()); err != nil {
		return err
	}
	_, err := auth.New(ctx, auth.Config{Engine: engine, Secret: secret, Issuer: "walkaround", Audience: "walkaround", Now: time.Now})
	if errors.Is(err, auth.ErrSecret) {
		return fmt.Errorf("everything is restored, but the secret is another store's: %w", err)
	}
	return err
}
