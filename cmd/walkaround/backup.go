package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os/signal"
	"syscall"
	"time"

	"example.com/walkaround/cmd/walkaround/config"
	"example.com/walkaround/domain"
	"example.com/walkaround/storage"
	"example.com/walkaround/storage/archive"
	"example.com/walkaround/storage/open"
)

// exitDamaged says that a backup was written, but not of everything.
const exitDamaged = 2

const backupSummary = `Writes the whole store, documents and blobs, into FILE, or to standard output for -. It may run beside serve. FILE is a tar
archive that is not encrypted: it holds names, phone numbers and photos. The secret is not in it: keep that elsewhere.
Exit code: 0 it is written, 1 it is not, 2 it is written, and what is damaged is not in it.`

// named are the collections whose documents name those of others.
func named() []string { return []string{"visits"} }

// backup writes one.
func backup(ctx context.Context, c call) int {
	file, flags, err := takeFile(c.args)
	if err != nil {
		c.say("backup: %s.", err)
		return exitUsage
	}
	c.args = flags
	cfg, code, ok := c.config("backup FILE|-", backupSummary)
	if !ok {
		return code
	}
	if file == stdStream && isTerminal(c.stdout) {
		c.say("backup: a terminal can't take it; name a FILE, or send it into another program.")
		return exitUsage
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	m, err := c.backUp(ctx, cfg, file)
	if err != nil {
		c.say("backup: %s", err)
		return exitFailed
	}
	c.say("%d documents and %d blobs (%s) are backed up. The secret is not among them: without it, kept elsewhere, no sheet can be "+
		"sealed with the keys of this store.", m.Count(), m.Blobs-m.DamagedBlobs, inBytes(m.BlobBytes))
	if n := m.Damaged(); n > 0 {
		c.say("%d documents or blobs are damaged and not in the backup; `walkaround check` tells more.", n)
		return exitDamaged
	}
	return exitOK
}

// backUp opens both ends.
func (c call) backUp(ctx context.Context, cfg config.Config, file string) (m archive.Manifest, err error) {
	engine, blobs, err := opened(ctx, lies(cfg, newLog(c.stderr, cfg)), open.OpenReadOnly)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, engine.Close(), blobs.Close()) }()
	from := storageOf(engine, blobs)
	if file == stdStream {
		return c.writeBackup(ctx, cfg, from, c.stdout)
	}
	f, err := createFile(file)
	if err != nil {
		return m, err
	}
	m, err = c.writeBackup(ctx, cfg, from, f)
	return m, f.finish(err)
}

// storageOf is what package archive moves.
func storageOf(engine storage.Engine, blobs storage.Blobs) archive.Storage {
	return archive.Storage{Engine: engine, Blobs: blobs, First: named()}
}

func (c call) writeBackup(ctx context.Context, cfg config.Config, from archive.Storage, to io.Writer) (archive.Manifest, error) {
	meter := newMeter("backup", c.stderr, time.Now)
	defer meter.end()
	out := bufio.NewWriterSize(to, 256<<10)
	h := archive.Header{ID: domain.NewID(), Program: version, CreatedAt: domain.At(time.Now()), Demo: holdsDemo(cfg.Data)}
	m, err := archive.Write(ctx, out, from, h, archive.Watch{
		Progress: meter.show, Damaged: func(err error) { c.say("%s", err) },
	})
	return m, errors.Join(err, out.Flush())
}
