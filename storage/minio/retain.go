package minio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
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

// Delete removes a blob that is not retained, with all its versions.
func (s *Store) Delete(ctx context.Context, key string) error {
	o, err := s.stat(ctx, key)
	if err != nil {
		return err
	}
	if s.readOnly {
		return errReadOnly
	}
	end, err := s.marked(ctx, key) // also with a lock: the bucket may have been used without
	if err != nil {
		return err
	}
	if s.now().Before(end) {
		return fmt.Errorf("blob %s until %s: %w", key, end.Format(time.RFC3339), storage.ErrRetained)
	}
	if err := s.remove(ctx, o.Key); err != nil {
		return fmt.Errorf("blob %s: %w", key, err)
	}
	if end.IsZero() {
		return nil
	}
	return s.remove(ctx, retained+key)
}

// remove removes all versions of an object, the oldest first: what is left of it is always its newest.
func (s *Store) remove(ctx context.Context, name string) error {
	if !s.versioned {
		return failure(ctx, s.core.RemoveObject(ctx, s.bucket, name, minio.RemoveObjectOptions{}))
	}
	versions, err := s.versions(ctx, name)
	if err != nil {
		return err
	}
	for _, v := range slices.Backward(versions) {
		if err := s.removeVersion(ctx, name, v.VersionID); err != nil {
			return err
		}
	}
	return nil
}

// lockWords stand in S3's refusal, whose code is that of any refusal. MinIO uses others.
const lockWords = "protected by object lock"

// removeVersion removes a version of an object. Where its refusal does not tell a lock from a missing right, the version is
// looked at.
func (s *Store) removeVersion(ctx context.Context, name, version string) error {
	refused := s.core.RemoveObject(ctx, s.bucket, name, minio.RemoveObjectOptions{VersionID: version})
	answer := response(refused)
	if answer.StatusCode < 400 || answer.StatusCode >= 500 {
		return failure(ctx, refused)
	}
	if held, err := s.held(ctx, name, version); !strings.Contains(answer.Message, lockWords) && (err != nil || !held) {
		return failure(ctx, refused)
	}
	return fmt.Errorf("%w: %w", storage.ErrRetained, refused)
}

// versions are all versions of an object and its delete markers, the newest first.
func (s *Store) versions(ctx context.Context, name string) ([]minio.ObjectInfo, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var list []minio.ObjectInfo
	for o := range s.core.ListObjectsIter(ctx, s.bucket, minio.ListObjectsOptions{Prefix: name, WithVersions: true, Recursive: true}) {
		switch {
		case o.Err != nil:
			return nil, failure(ctx, o.Err)
		case o.Key == name:
			list = append(list, o)
		}
	}
	return list, ctx.Err() // a walk that is cut short does not say so itself
}

// List walks the blobs of a store in order of key.
func (s *Store) List(ctx context.Context, store, after string, limit int) ([]storage.BlobInfo, error) {
	if limit < 1 || limit > storage.MaxList {
		return nil, fmt.Errorf("storage/minio: limit %d is not within 1 to %d", limit, storage.MaxList)
	}
	if !storeName.MatchString(store) {
		return nil, fmt.Errorf("store %q: %w", store, storage.ErrValue)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var list []storage.BlobInfo
	for o := range s.core.ListObjectsIter(ctx, s.bucket, minio.ListObjectsOptions{
		Prefix: store + "/", StartAfter: startAfter(store, after), MaxKeys: limit, Recursive: true, WithVersions: s.versioned,
	}) {
		if o.Err != nil {
			return nil, failure(ctx, o.Err)
		}
		key, ok := blobKey(o.Key)
		if !ok || o.IsDeleteMarker || key <= after { // the newest version comes first, and some servers go on with after itself
			continue
		}
		after = key
		if list = append(list, describe(key, o)); len(list) == limit {
			break
		}
	}
	return list, ctx.Err()
}

// startAfter is the object behind which a page begins.
func startAfter(store, after string) string {
	digits := strings.TrimPrefix(after, store+"/")
	if len(digits) < 2 {
		return ""
	}
	return store + "/" + digits[:2] + "/" + digits
}
