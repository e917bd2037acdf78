package archive

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strings"
	"time"

	"example.com/walkaround/storage"
	"example.com/walkaround/storage/migrate"
)

// Write writes a backup of from to w, also beside writers. It sets Version and Format of the header; ID, Program,
// CreatedAt and Demo are the caller's. What is damaged is told to watch and counted in the manifest, and holds up nothing
// else. It is written whole only when the error is nil.
func Write(ctx context.Context, w io.Writer, from Storage, h Header, watch Watch) (Manifest, error) {
	sum := sha256.New()
	b := &writer{
		from: from, watch: watch, out: w, sum: sum, tar: tar.NewWriter(io.MultiWriter(w, sum)), at: h.CreatedAt.Time,
		manifest: Manifest{ID: h.ID, Documents: map[string]int64{}},
	}
	for _, step := range []func() error{
		func() error { return b.documents(ctx, h) },
		func() error { return b.blobs(ctx) },
		b.finish,
	} {
		if err := step(); err != nil {
			return b.manifest, err
		}
	}
	return b.manifest, nil
}

// writer is one backup as it is written.
type writer struct {
	from     Storage
	watch    Watch
	out      io.Writer
	sum      hash.Hash // of all that went through tar
	tar      *tar.Writer
	at       time.Time
	manifest Manifest
	progress Progress
	longest  time.Time          // until which any blob is retained
	unknown  []storage.BlobInfo // of which that can't be read
}

// documents writes the header and all documents, at one moment if the engine can show one.
func (b *writer) documents(ctx context.Context, h Header) (err error) {
	engine := b.from.Engine
	if pinning, ok := engine.(storage.Snapshotter); ok {
		if engine, err = pinning.Snapshot(ctx); err != nil {
			return fmt.Errorf("hold the documents at one moment: %w", err)
		}
		defer func() { err = errors.Join(err, engine.Close()) }()
	}
	if err := migrate.Declare(ctx, engine); err != nil {
		return err
	}
	if _, err := migrate.Restoring(ctx, engine); !errors.Is(err, storage.ErrNotFound) {
		return errors.Join(migrate.ErrRestoring, err)
	}
	if err := b.header(ctx, engine, h); err != nil {
		return err
	}
	names, err := engine.Collections(ctx)
	if err != nil {
		return err
	}
	for _, name := range b.ordered(names) {
		if err := b.collection(ctx, engine, name); err != nil {
			return fmt.Errorf("back up %s: %w", name, err)
		}
	}
	return nil
}

// ordered puts first what names others.
func (b *writer) ordered(names []string) []string {
	first := slices.DeleteFunc(slices.Clone(b.from.First), func(n string) bool { return !slices.Contains(names, n) })
	others := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return slices.Contains(first, n) })
	return append(first, others...)
}

func (b *writer) header(ctx context.Context, engine storage.Engine, h Header) error {
	format, err := migrate.FormatOf(ctx, engine)
	if err != nil {
		return err
	}
	if format.Target != 0 {
		return fmt.Errorf("%w: the documents are on their way to format %d; start serve, which finishes that", storage.ErrUnavailable, format.Target)
	}
	h.Version, h.Format = Version, format.Version
	text, err := plain(h)
	if err != nil {
		return err
	}
	return b.file(headerName, text)
}

// file writes a small file.
func (b *writer) file(name string, content []byte) error {
	if err := b.tar.WriteHeader(entry(name, int64(len(content)), b.at)); err != nil {
		return err
	}
	_, err := b.tar.Write(content)
	return err
}

// collection writes the records of a collection, some at a time.
func (b *writer) collection(ctx context.Context, engine storage.Engine, name string) error {
	c := chunk{writer: b, collection: name}
	err := engine.Walk(ctx, name, func(r storage.Record, damage error) error {
		if errors.Is(damage, storage.ErrCorrupt) {
			b.manifest.DamagedDocuments++
			b.watch.damaged(fmt.Errorf("left out: %w", damage))
			return nil
		}
		return errors.Join(damage, c.add(r))
	})
	return errors.Join(err, c.flush())
}

// chunk is the records that are written next.
type chunk struct {
	*writer
	collection string
	records    []byte
	held       int64
	written    int // chunks of this collection
}

func (c *chunk) add(r storage.Record) error {
	c.records = appendRecord(c.records, r)
	if c.held++; len(c.records) < chunkBytes {
		return nil
	}
	return c.flush()
}

func (c *chunk) flush() error {
	if c.held == 0 {
		return nil
	}
	c.written++
	sum := sha256.Sum256(c.records)
	err := c.file(fmt.Sprintf("documents/%s/%06d.%x.bson", c.collection, c.written, sum), c.records)
	c.manifest.Documents[c.collection] += c.held
	c.progress.Documents += c.held
	c.watch.progress(c.progress)
	c.records, c.held = c.records[:0], 0
	return err
}

// blobs writes all blobs that are there once the documents are written.
func (b *writer) blobs(ctx context.Context) error {
	if err := storage.EachBlob(ctx, b.from.Blobs, func(info storage.BlobInfo) error {
		b.progress.TotalBlobs++
		b.progress.TotalBytes += info.Bytes
		return nil
	}); err != nil {
		return err
	}
	b.watch.progress(b.progress)
	if err := storage.EachBlob(ctx, b.from.Blobs, func(info storage.BlobInfo) error { return b.met(ctx, info) }); err != nil {
		return err
	}
	for _, info := range b.unknown {
		until := b.longest
		if until.IsZero() {
			until = b.at.AddDate(usualYears, 0, 0)
		}
		b.watch.damaged(fmt.Errorf("%w: until when blob %s is retained can't be read; in the backup it is until %s", storage.ErrCorrupt, info.Key, until.Format(time.DateOnly)))
		if err := b.blob(ctx, info, until); err != nil {
			return err
		}
	}
	return nil
}

// usualYears is for how long evidence is retained unless something else is set.
const usualYears = 10

// met writes a blob of which it is known until when it is retained, and keeps the others for later: the longest retention
// of the store will do for them too.
func (b *writer) met(ctx context.Context, info storage.BlobInfo) error {
	until, err := b.from.Blobs.Retained(ctx, info.Key)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return nil // deleted meanwhile, so nothing named it when the documents were read
	case err != nil:
		if err := b.lost(ctx, err); err != nil {
			return fmt.Errorf("back up the retention of blob %s: %w", info.Key, err)
		}
		b.manifest.DamagedRetentions++
		b.unknown = append(b.unknown, info)
		return nil
	case until.After(b.longest):
		b.longest = until
	}
	return b.blob(ctx, info, until)
}

// lost is nil where one thing can't be read, and the error where nothing can: its context has ended, or the store is away.
func (b *writer) lost(ctx context.Context, err error) error {
	if ended := ctx.Err(); ended != nil {
		return ended
	}
	if _, away := b.from.Blobs.Stores(ctx); away != nil {
		return errors.Join(err, away)
	}
	return nil
}

// blob writes one blob. Bytes that are not those of its name are written too, told and counted: the reader knows them by
// their digest as well. Zeros stand for those that can't be read.
func (b *writer) blob(ctx context.Context, info storage.BlobInfo, until time.Time) (err error) {
	r, now, err := b.from.Blobs.Open(ctx, info.Key)
	switch {
	case errors.Is(err, storage.ErrNotFound): // deleted meanwhile
		return nil
	case err != nil:
		r = unreadable{err}
	default:
		info = now
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	h := entry("blobs/"+info.Key, info.Bytes, b.at)
	if !until.IsZero() {
		h.PAXRecords = map[string]string{retainedKey: until.UTC().Format(time.RFC3339Nano)}
	}
	if err := b.tar.WriteHeader(h); err != nil {
		return err
	}
	sum := sha256.New()
	failed, err := b.bytes(ctx, io.MultiWriter(b.tar, sum), r, info.Bytes)
	if err != nil {
		return fmt.Errorf("back up blob %s: %w", info.Key, err)
	}
	b.progress.Blobs++
	b.manifest.Blobs++
	b.manifest.BlobBytes += info.Bytes
	b.watch.progress(b.progress)
	if !strings.HasSuffix(info.Key, "/"+hex.EncodeToString(sum.Sum(nil))) {
		b.manifest.DamagedBlobs++
		b.watch.damaged(errors.Join(fmt.Errorf("%w: blob %s", storage.ErrCorrupt, info.Key), failed))
	}
	return nil
}

// bytes copies so many bytes, and fills up with zeros what can't be read: failed says why.
func (b *writer) bytes(ctx context.Context, w io.Writer, r io.Reader, size int64) (failed, err error) {
	to := &counted{ctx: ctx, to: w, b: b}
	n, failed := io.CopyN(to, r, size)
	if failed == nil {
		return nil, nil
	}
	if to.err != nil {
		return nil, to.err
	}
	if err := b.lost(ctx, failed); err != nil {
		return nil, err
	}
	_, err = io.CopyN(to, nothing{}, size-n)
	return failed, err
}

// nothing reads as zeros.
type nothing struct{}

func (nothing) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// unreadable is a blob that can't be opened.
type unreadable struct{ err error }

func (u unreadable) Read([]byte) (int, error)       { return 0, u.err }
func (u unreadable) Seek(int64, int) (int64, error) { return 0, u.err }
func (unreadable) Close() error                     { return nil }

// counted tells of the bytes that pass, and ends with its context.
type counted struct {
	ctx context.Context //nolint:containedctx // it lives for one blob
	to  io.Writer
	b   *writer
	err error // of the last write
}

func (c *counted) Write(p []byte) (n int, err error) {
	if c.err = c.ctx.Err(); c.err != nil {
		return 0, c.err
	}
	n, c.err = c.to.Write(p)
	c.b.progress.BlobBytes += int64(n)
	c.b.watch.progress(c.b.progress)
	return n, c.err
}

// finish writes the manifest and the end.
func (b *writer) finish() error {
	if err := b.tar.Flush(); err != nil {
		return err
	}
	m, err := digested(b.manifest, b.sum)
	if err != nil {
		return err
	}
	end, err := trailer(m, b.at)
	if err != nil {
		return err
	}
	b.manifest = m
	_, err = b.out.Write(end)
	return err
}
