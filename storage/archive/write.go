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
	if err := b.eachBlob(ctx, func(info storage.BlobInfo) error {
		b.progress.TotalBlobs++
		b.progress.TotalBytes += info.Bytes
		return nil
	}); err != nil {
		return err
	}
	b.watch.progress(b.progress)
	return b.eachBlob(ctx, func(info storage.BlobInfo) error {
		err := b.blob(ctx, info.Key)
		if errors.Is(err, storage.ErrNotFound) { // deleted meanwhile, so nothing named it when the documents were read
			return nil
		}
		if err != nil {
			return fmt.Errorf("back up blob %s: %w", info.Key, err)
		}
		return nil
	})
}

func (b *writer) eachBlob(ctx context.Context, fn func(storage.BlobInfo) error) error {
	stores, err := b.from.Blobs.Stores(ctx)
	for _, store := range stores {
		err = errors.Join(err, eachOf(ctx, b.from.Blobs, store, fn))
	}
	return err
}

// eachOf calls fn with every blob of a store.
func eachOf(ctx context.Context, blobs storage.Blobs, store string, fn func(storage.BlobInfo) error) error {
	for after := ""; ; {
		list, err := blobs.List(ctx, store, after, storage.MaxList)
		if err != nil {
			return err
		}
		for _, info := range list {
			if err := fn(info); err != nil {
				return err
			}
			after = info.Key
		}
		if len(list) < storage.MaxList {
			return nil
		}
	}
}

// blob writes one blob. Bytes that are not those of its name are written too, told and counted: the reader knows them by
// their digest as well.
func (b *writer) blob(ctx context.Context, key string) (err error) {
	until, err := b.from.Blobs.Retained(ctx, key)
	if err != nil {
		return err
	}
	r, info, err := b.from.Blobs.Open(ctx, key)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	h := entry("blobs/"+key, info.Bytes, b.at)
	if !until.IsZero() {
		h.PAXRecords = map[string]string{retainedKey: until.UTC().Format(time.RFC3339Nano)}
	}
	if err := b.tar.WriteHeader(h); err != nil {
		return err
	}
	sum := sha256.New()
	to := &counted{ctx: ctx, to: io.MultiWriter(b.tar, sum), b: b}
	if _, err := io.CopyN(to, r, info.Bytes); err != nil {
		return fmt.Errorf("read it: %w", err)
	}
	b.progress.Blobs++
	b.manifest.Blobs++
	b.manifest.BlobBytes += info.Bytes
	b.watch.progress(b.progress)
	if !strings.HasSuffix(key, "/"+hex.EncodeToString(sum.Sum(nil))) {
		b.manifest.DamagedBlobs++
		b.watch.damaged(fmt.Errorf("%w: blob %s", storage.ErrCorrupt, key))
	}
	return nil
}

// counted tells of the bytes that pass, and ends with its context.
type counted struct {
	ctx context.Context //nolint:containedctx // it lives for one blob
	to  io.Writer
	b   *writer
}

func (c *counted) Write(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.to.Write(p)
	c.b.progress.BlobBytes += int64(n)
	c.b.watch.progress(c.b.progress)
	return n, err
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
