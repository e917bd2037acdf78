package minio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/minio/minio-go/v7"

	"example.com/walkaround/storage"
)

// Stat describes a blob.
func (s *Store) Stat(ctx context.Context, key string) (storage.BlobInfo, error) {
	o, err := s.stat(ctx, key)
	if err != nil {
		return storage.BlobInfo{}, err
	}
	return describe(key, o), nil
}

// stat is the newest version of a blob, whatever hides it.
func (s *Store) stat(ctx context.Context, key string) (minio.ObjectInfo, error) {
	name, err := object(key)
	if err != nil {
		return minio.ObjectInfo{}, err
	}
	ctx, done := attentive(ctx)
	defer done()
	o, err := s.core.StatObject(ctx, s.bucket, name, minio.StatObjectOptions{})
	if err != nil && o.IsDeleteMarker {
		return s.hidden(ctx, name)
	}
	if err != nil {
		return minio.ObjectInfo{}, fmt.Errorf("blob %s: %w", key, failure(ctx, err))
	}
	return o, nil
}

// hidden is the newest version of an object under delete markers.
func (s *Store) hidden(ctx context.Context, name string) (minio.ObjectInfo, error) {
	versions, err := s.found(ctx, name)
	if err != nil {
		return minio.ObjectInfo{}, err
	}
	o, err := s.core.StatObject(ctx, s.bucket, name, minio.StatObjectOptions{VersionID: newest(versions).VersionID})
	return o, failure(ctx, err)
}

// describe cuts times to whole seconds, which is all that some answers tell.
func describe(key string, o minio.ObjectInfo) storage.BlobInfo {
	return storage.BlobInfo{Key: key, Bytes: o.Size, Stored: o.LastModified.UTC().Truncate(time.Second)}
}

// Open reads a blob. Its bytes begin to flow at once, for nearly all blobs are read whole; the reader lives as long as
// ctx, and asks again from wherever it is sought to.
func (s *Store) Open(ctx context.Context, key string) (io.ReadSeekCloser, storage.BlobInfo, error) {
	name, err := object(key)
	if err != nil {
		return nil, storage.BlobInfo{}, err
	}
	r := &reader{ctx: ctx, store: s, name: name}
	o, err := r.start()
	if errors.Is(err, storage.ErrNotFound) && s.versioned {
		var v minio.ObjectInfo
		if v, err = s.stat(ctx, key); err == nil {
			r.version = v.VersionID
			o, err = r.start()
		}
	}
	if err != nil {
		return nil, storage.BlobInfo{}, fmt.Errorf("blob %s: %w", key, err)
	}
	r.size = o.Size
	return r, describe(key, o), nil
}

// reader reads an object from where it is sought to.
type reader struct {
	ctx     context.Context //nolint:containedctx // it lives for one reading
	store   *Store
	name    string
	version string // "": the newest
	size    int64
	pos     int64         // of the next Read
	body    io.ReadCloser // nil: to be started
	began   int64         // where body began
	at      int64         // where it is
}

// start asks for the bytes from pos on.
func (r *reader) start() (minio.ObjectInfo, error) {
	opts := minio.GetObjectOptions{VersionID: r.version}
	if r.pos > 0 {
		if err := opts.SetRange(r.pos, 0); err != nil {
			return minio.ObjectInfo{}, err
		}
	}
	body, o, _, err := r.store.core.GetObject(r.ctx, r.store.bucket, r.name, opts)
	if err != nil {
		return minio.ObjectInfo{}, failure(r.ctx, err)
	}
	r.body, r.began, r.at = body, r.pos, r.pos
	return o, nil
}

// Read reads on. When the server breaks off, it is asked for the rest, as long as it gives some each time;
// storage.ErrUnavailable when it does not.
func (r *reader) Read(p []byte) (int, error) {
	if r.pos >= r.size {
		return 0, io.EOF
	}
	if r.body == nil || r.at != r.pos {
		if err := r.restart(); err != nil {
			return 0, err
		}
	}
	n, err := r.body.Read(p)
	r.pos, r.at = r.pos+int64(n), r.at+int64(n)
	switch {
	case err == nil, r.pos == r.size:
		return n, nil
	case r.ctx.Err() == nil && r.pos > r.began:
		r.at = -1 // it is of no more use
		return n, nil
	default:
		return n, failure(r.ctx, fmt.Errorf("it broke off: %w", err))
	}
}

func (r *reader) restart() error {
	if err := r.Close(); err != nil {
		return failure(r.ctx, err)
	}
	_, err := r.start()
	return err
}

// Seek sets where the next Read begins. It sends nothing.
func (r *reader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.pos
	case io.SeekEnd:
		offset += r.size
	}
	if offset < 0 || whence < io.SeekStart || whence > io.SeekEnd {
		return 0, fmt.Errorf("storage/minio: seek to %d by %d", offset, whence)
	}
	r.pos = offset
	return offset, nil
}

// Close ends the reading.
func (r *reader) Close() error {
	if r.body == nil {
		return nil
	}
	body := r.body
	r.body = nil
	return body.Close()
}
