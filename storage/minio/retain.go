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

// Retain forbids deletion before until: by an object lock where the bucket has one, otherwise by a mark of its own.
func (s *Store) Retain(ctx context.Context, key string, until time.Time) error {
	o, err := s.stat(ctx, key)
	if err != nil {
		return err
	}
	switch {
	case s.readOnly:
		return errReadOnly
	case !until.After(s.now()):
		return nil
	case !s.locks():
		return s.mark(ctx, key, until)
	}
	end, err := lockEnd(o)
	if err != nil || !until.After(end) {
		return err
	}
	return s.retain(ctx, o.Key, o.VersionID, until)
}

// retain locks a version of an object. Locks end with whole seconds.
func (s *Store) retain(ctx context.Context, name, version string, until time.Time) error {
	mode := minio.Compliance
	if s.lock == LockGovernance {
		mode = minio.Governance
	}
	until = until.Add(time.Second - 1).Truncate(time.Second).UTC()
	return failure(ctx, s.core.PutObjectRetention(ctx, s.bucket, name, minio.PutObjectRetentionOptions{
		VersionID: version, Mode: &mode, RetainUntilDate: &until,
	}))
}

// lockEnd is when the lock on an object ends; the zero time if it has none. It reads the headers of a HEAD: what answers to
// the question proper differs from server to server.
func lockEnd(o minio.ObjectInfo) (time.Time, error) {
	text := o.Metadata.Get("X-Amz-Object-Lock-Retain-Until-Date")
	if text == "" {
		return time.Time{}, nil
	}
	end, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%w: lock of %s: %w", storage.ErrCorrupt, o.Key, err)
	}
	return end, nil
}

// held says whether a lock on a version forbids its deletion now.
func (s *Store) held(ctx context.Context, name, version string) (bool, error) {
	o, err := s.core.StatObject(ctx, s.bucket, name, minio.StatObjectOptions{VersionID: version})
	if err != nil {
		return false, failure(ctx, err)
	}
	end, err := lockEnd(o)
	return s.now().Before(end) || o.Metadata.Get("X-Amz-Object-Lock-Legal-Hold") == "ON", err
}

// Retained is the latest of a blob's mark and of the locks on all its versions.
func (s *Store) Retained(ctx context.Context, key string) (time.Time, error) {
	name, err := object(key)
	if err != nil {
		return time.Time{}, err
	}
	versions, err := s.found(ctx, name)
	if err != nil {
		return time.Time{}, fmt.Errorf("blob %s: %w", key, err)
	}
	latest, err := s.marked(ctx, key)
	for _, v := range versions {
		if err != nil || v.IsDeleteMarker {
			continue
		}
		var end time.Time
		if end, err = s.lockedUntil(ctx, v); end.After(latest) {
			latest = end
		}
	}
	return latest, err
}

// lockedUntil asks for the lock of a version, unless what was found tells of it.
func (s *Store) lockedUntil(ctx context.Context, o minio.ObjectInfo) (time.Time, error) {
	if o.Metadata == nil { // of a list
		var err error
		if o, err = s.core.StatObject(ctx, s.bucket, o.Key, minio.StatObjectOptions{VersionID: o.VersionID}); err != nil {
			return time.Time{}, failure(ctx, err)
		}
	}
	return lockEnd(o)
}

// mark writes until when a blob is retained, unless a later time stands there. Two processes that mark one blob at once
// may leave the earlier of their times.
func (s *Store) mark(ctx context.Context, key string, until time.Time) error {
	end, err := s.marked(ctx, key)
	if err != nil || !until.After(end) {
		return err
	}
	_, err = s.write(ctx, retained+key, []byte(until.UTC().Format(time.RFC3339Nano)))
	return err
}

// marked reads a mark; the zero time if there is none. A mark that cannot be read retains: ErrCorrupt.
func (s *Store) marked(ctx context.Context, key string) (time.Time, error) {
	r, _, _, err := s.core.GetObject(ctx, s.bucket, retained+key, minio.GetObjectOptions{})
	if response(err).Code == minio.NoSuchKey {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, failure(ctx, err)
	}
	b, err := io.ReadAll(io.LimitReader(r, 1<<10))
	if err := errors.Join(err, r.Close()); err != nil {
		return time.Time{}, failure(ctx, err)
	}
	end, err := time.Parse(time.RFC3339Nano, string(b))
	if err != nil {
		return time.Time{}, fmt.Errorf("%w: retention of blob %s: %w", storage.ErrCorrupt, key, err)
	}
	return end, nil
}
