package minio

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"

	"example.com/walkaround/storage"
)

// Delete removes a blob that is not retained, with all its versions.
func (s *Store) Delete(ctx context.Context, key string) error {
	return s.remove(ctx, key, func(time.Time) bool { return true })
}

// DeleteUnrenewed is Delete of what was put at stored. In a bucket with versions what is put meanwhile stays, however the
// two coincide; in another there are some milliseconds between the comparison and the deletion.
func (s *Store) DeleteUnrenewed(ctx context.Context, key string, stored time.Time) error {
	return s.remove(ctx, key, stored.Equal)
}

// remove deletes a blob if it was stored when it should.
func (s *Store) remove(ctx context.Context, key string, asSeen func(stored time.Time) bool) error {
	name, err := object(key)
	if err != nil {
		return err
	}
	end, err := s.marked(ctx, key) // also with a lock: the bucket may have been used without
	if err != nil {
		return err
	}
	versions, err := s.found(ctx, name)
	switch {
	case err != nil:
		return fmt.Errorf("blob %s: %w", key, err)
	case s.readOnly:
		return errReadOnly
	case !asSeen(describe(key, newest(versions)).Stored):
		return fmt.Errorf("blob %s was put again: %w", key, storage.ErrStale)
	case s.now().Before(end):
		return fmt.Errorf("blob %s until %s: %w", key, end.Format(time.RFC3339), storage.ErrRetained)
	}
	if err := s.removeVersions(ctx, name, versions); err != nil {
		return fmt.Errorf("blob %s: %w", key, err)
	}
	if end.IsZero() {
		return nil
	}
	if versions, err = s.found(ctx, retained+key); err != nil {
		return err
	}
	return s.removeVersions(ctx, retained+key, versions)
}

// found are all versions of an object and its delete markers, the newest first; one without a name in a bucket that has no
// versions. ErrNotFound where there are none but markers.
func (s *Store) found(ctx context.Context, name string) ([]minio.ObjectInfo, error) {
	if !s.versioned {
		o, err := s.core.StatObject(ctx, s.bucket, name, minio.StatObjectOptions{})
		return []minio.ObjectInfo{o}, failure(ctx, err)
	}
	list, err := s.versions(ctx, name)
	if err == nil && newest(list).Key == "" {
		err = fmt.Errorf("object %s: %w", name, storage.ErrNotFound)
	}
	return list, err
}

// newest is the first version that is no delete marker; an empty one if there is none.
func newest(versions []minio.ObjectInfo) minio.ObjectInfo {
	i := slices.IndexFunc(versions, func(o minio.ObjectInfo) bool { return !o.IsDeleteMarker })
	if i < 0 {
		return minio.ObjectInfo{}
	}
	return versions[i]
}

// removeVersions removes these versions of an object, the oldest first: what is left of it is always its newest.
func (s *Store) removeVersions(ctx context.Context, name string, versions []minio.ObjectInfo) error {
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
