package minio

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/minio/minio-go/v7"

	"example.com/walkaround/storage"
)

// start waits for the server and makes sure that it keeps what Config promises.
func (s *Store) start(ctx context.Context, c Config) error {
	log := c.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return storage.Await(ctx, log, "MinIO", c.Endpoint, func(ctx context.Context) (again bool, err error) {
		watched, done := attentive(ctx)
		defer done()
		if s.readOnly {
			err = s.learnVersions(watched)
		} else {
			err = s.prepare(watched, c.Region)
		}
		if err == nil {
			return false, nil
		}
		return passing(err), s.refuse(ctx, err)
	})
}

// prepare makes the bucket and tries what it promises. Several processes may do so at once.
func (s *Store) prepare(ctx context.Context, region string) error {
	if err := s.makeBucket(ctx, region); err != nil {
		return err
	}
	if err := s.learnVersions(ctx); err != nil {
		return err
	}
	if err := s.learnLock(ctx); err != nil {
		return err
	}
	if err := s.Ping(ctx); err != nil {
		return fmt.Errorf("an object that was written for trial cannot be deleted, or not be written: %w", err)
	}
	if err := s.tryEncryption(ctx); err != nil {
		return err
	}
	return s.tryLock(ctx)
}

// makeBucket asks for the bucket by a request whose refusal says why, which a HEAD's does not.
func (s *Store) makeBucket(ctx context.Context, region string) error {
	_, err := s.core.GetBucketVersioning(ctx, s.bucket)
	if response(err).Code != minio.NoSuchBucket {
		return unlessUnknown(ctx, err)
	}
	err = s.core.MakeBucket(ctx, s.bucket, minio.MakeBucketOptions{Region: region, ObjectLocking: s.locks()})
	if code := response(err).Code; code == "BucketAlreadyOwnedByYou" || code == "BucketAlreadyExists" {
		return nil // another process was faster; whose bucket it is will show
	}
	return failure(ctx, err)
}

func (s *Store) locks() bool { return s.lock == LockGovernance || s.lock == LockCompliance }

// unlessUnknown takes what a server does not know for something that its buckets do not have.
func unlessUnknown(ctx context.Context, err error) error {
	if answer := response(err); answer.StatusCode == http.StatusNotImplemented || answer.Code == "VersioningNotConfigured" {
		return nil
	}
	return failure(ctx, err)
}

// learnVersions finds out whether the bucket keeps versions.
func (s *Store) learnVersions(ctx context.Context) error {
	v, err := s.core.GetBucketVersioning(ctx, s.bucket)
	s.versioned = v.Status != "" // a bucket whose versions are suspended may hold some
	return unlessUnknown(ctx, err)
}

// learnLock compares the bucket's object lock with the setting.
func (s *Store) learnLock(ctx context.Context) error {
	enabled, err := s.objectLock(ctx)
	if err != nil {
		return err
	}
	if s.locks() && !enabled {
		return fmt.Errorf("the bucket has no object lock, but the lock is set to %s: it is given to a bucket when it is made, so name one that is absent", s.lock)
	}
	s.versioned = s.versioned || enabled
	return nil
}

// A bucket may be seen while another process makes it, before it has its lock. It is asked about a few times.
const (
	questions = 5
	pause     = 200 * time.Millisecond
)

// objectLock says whether the bucket has an object lock. It waits for one that the setting wants.
func (s *Store) objectLock(ctx context.Context) (enabled bool, err error) {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for range questions {
		if enabled, err = s.askLock(ctx); enabled || err != nil || !s.locks() {
			return enabled, err
		}
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-tick.C:
		}
	}
	return false, nil
}

// askLock asks once.
func (s *Store) askLock(ctx context.Context) (enabled bool, err error) {
	answer, whole, _, _, err := s.core.GetObjectLockConfig(ctx, s.bucket)
	switch {
	case response(err).Code == "ObjectLockConfigurationNotFoundError":
		return false, nil
	case err != nil:
		return false, unlessUnknown(ctx, err)
	case whole != nil && *whole != "": // some servers answer with an empty rule
		return false, errors.New("the bucket locks every object by default, so that nothing could be deleted that the law wants deleted: take its default retention away")
	}
	return answer == "Enabled", nil
}

// tryEncryption writes an object and looks whether the server says that it is encrypted.
func (s *Store) tryEncryption(ctx context.Context) error {
	if s.sse == nil {
		return nil
	}
	name := probes + "encrypted-" + uuid.NewString()
	version, err := s.write(ctx, name, []byte("probe"))
	if err != nil {
		return fmt.Errorf("an object that shall be encrypted is refused: %w", err)
	}
	info, err := s.core.StatObject(ctx, s.bucket, name, minio.StatObjectOptions{VersionID: version})
	err = errors.Join(err, s.core.RemoveObject(ctx, s.bucket, name, minio.RemoveObjectOptions{VersionID: version}))
	if err != nil {
		return failure(ctx, err)
	}
	if info.Metadata.Get("X-Amz-Server-Side-Encryption") != "AES256" {
		return errors.New("the server does not encrypt an object that shall be encrypted")
	}
	return nil
}

// Trials of the lock are retained for an hour: long enough for a clock that is off by less than a request's allowance.
const trial = time.Hour

// tryLock writes an object, locks it and tries to delete it, as one would who has the keys.
func (s *Store) tryLock(ctx context.Context) error {
	if !s.locks() {
		return nil
	}
	if err := s.clean(ctx); err != nil {
		return err
	}
	until := s.now().Add(trial)
	name := lockProbe(until) + uuid.NewString()
	version, err := s.write(ctx, name, []byte("probe"))
	if err != nil {
		return err
	}
	if err := s.retain(ctx, name, version, until); err != nil {
		return fmt.Errorf("an object cannot be locked: %w", err)
	}
	refused := s.core.RemoveObject(ctx, s.bucket, name, minio.RemoveObjectOptions{
		VersionID: version, GovernanceBypass: s.lock == LockCompliance, // which nobody may pass by
	})
	if refused == nil {
		return fmt.Errorf("the server deletes an object that is locked, but the lock is set to %s", s.lock)
	}
	if held, err := s.held(ctx, name, version); err != nil || !held {
		return errors.Join(fmt.Errorf("the server does not say that a locked object is locked, and answers its deletion by: %w", refused), err)
	}
	return nil
}

// lockProbe begins the name of a trial, so that names are in order of the time at which they may go.
func lockProbe(until time.Time) string { return fmt.Sprintf("%slock-%012d-", probes, until.Unix()) }

// clean removes the trials of former starts whose retention is over.
func (s *Store) clean(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	for o := range s.core.ListObjectsIter(ctx, s.bucket, minio.ListObjectsOptions{Prefix: probes + "lock-", WithVersions: true, Recursive: true}) {
		if o.Err != nil {
			return failure(ctx, o.Err)
		}
		digits, _, _ := strings.Cut(strings.TrimPrefix(o.Key, probes+"lock-"), "-")
		end, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || !s.now().After(time.Unix(end, 0).Add(trial)) {
			return nil
		}
		if err := s.core.RemoveObject(ctx, s.bucket, o.Key, minio.RemoveObjectOptions{VersionID: o.VersionID}); err != nil {
			return failure(ctx, err)
		}
	}
	return ctx.Err()
}
