// Package minio keeps blobs in a bucket of MinIO, or of another server that speaks S3.
//
// Call Open; it makes the bucket if it is absent and refuses to start when the bucket does not keep what Config promises.
// It imports storage, and package storage/open alone chooses it.
//
// A blob is the object store/ab/abcd…, ab being the first two of its 64 digits: the order of objects is the order of
// keys, and no folder of a server that keeps objects in folders grows beyond a 256th of a store. What begins with a dot
// is no store's: .retained holds until when blobs are retained where the bucket has no object lock, .probe what tries
// the bucket out.
//
// Put sends a blob to its final name in one PUT whose signature covers the SHA-256: the server takes all the right bytes
// or none, and nothing has to be renamed or cleaned up. That needs the hash before the first byte. Where the sender
// declared it (Declared), bytes go to the server as they come, the last of them after they were checked. Otherwise they
// wait in a nameless local file until all are hashed, which also lets a cut connection be tried again. A HEAD follows, which
// says when the blob was stored: two round trips, and a buffer a put in memory. Bytes that are there already are sent
// again, for that renews their age and takes the place of damaged ones.
//
// In a bucket with versions (an object lock demands them) a repeat leaves the former version behind. Delete removes all
// versions, the oldest first, so that the blob is whole until the last is gone; a lock on any of them retains the blob.
// It removes exactly the versions that it saw, so bytes that are put meanwhile stay. A delete marker, which this
// package never makes, hides nothing: blobs are read from under it.
package minio

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/encrypt"

	"example.com/walkaround/storage"
)

const (
	bufferBytes = 64 << 10
	tries       = 3 // of a request that got no answer, or one that says "later"; they take up to two seconds
	retained    = ".retained/"
	probes      = ".probe/"
)

// Store keeps blobs in a bucket. It implements storage.Blobs.
type Store struct {
	core      minio.Core
	transport *http.Transport
	bucket    string
	lock      Lock
	sse       encrypt.ServerSide // nil: none
	spool     string
	now       func() time.Time
	versioned bool // the bucket keeps versions, or has kept them
	readOnly  bool
	buffer    sync.Pool
}

var _ storage.Blobs = (*Store)(nil)

// Open connects to the bucket, makes it if it is absent and tries what it promises: that what is written can be
// deleted, that what is locked cannot, that what shall be encrypted is. A server that is out of reach is waited for, with a
// line in the log at each try, until ctx ends; what only an operator can mend is refused at once. Its error is one line for
// him, with storage.ErrUnavailable where a later try may succeed.
func Open(ctx context.Context, c Config, now func() time.Time) (*Store, error) {
	return open(ctx, c, now, false)
}

// OpenReadOnly connects to a bucket for looking at it, and waits as Open does; it neither makes nor changes anything.
func OpenReadOnly(ctx context.Context, c Config, now func() time.Time) (*Store, error) {
	return open(ctx, c, now, true)
}

func open(ctx context.Context, c Config, now func() time.Time, readOnly bool) (*Store, error) {
	s, err := connect(c, now)
	if err != nil {
		return nil, err
	}
	s.readOnly = readOnly
	if err := s.start(ctx, c); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// connect makes the client. Nothing is sent yet.
func connect(c Config, now func() time.Time) (*Store, error) {
	u, err := c.check()
	if err != nil {
		return nil, err
	}
	transport, err := c.transport(u.Scheme == "https")
	if err != nil {
		return nil, err
	}
	core, err := minio.NewCore(u.Host, &minio.Options{
		Creds:        credentials.NewStaticV4(c.AccessKey, c.SecretKey, ""),
		Secure:       u.Scheme == "https",
		Transport:    attention{transport},
		Region:       c.region(),
		BucketLookup: minio.BucketLookupPath,
		MaxRetries:   tries,
	})
	if err != nil {
		return nil, fmt.Errorf("storage/minio: %w", err)
	}
	s := &Store{core: *core, transport: transport, bucket: c.Bucket, lock: c.Lock, spool: c.Spool, now: now}
	s.buffer.New = func() any { return new([bufferBytes]byte) }
	if c.SSE {
		s.sse = encrypt.NewSSE()
	}
	return s, nil
}

// Ping writes a small object and removes it. A store that is open for reading only asks for its bucket.
func (s *Store) Ping(ctx context.Context) error {
	if s.readOnly {
		return s.learnVersions(ctx)
	}
	name := probes + "ping-" + uuid.NewString()
	version, err := s.write(ctx, name, []byte("ping"))
	if err != nil {
		return err
	}
	return failure(ctx, s.core.RemoveObject(ctx, s.bucket, name, minio.RemoveObjectOptions{VersionID: version}))
}

// write stores a few bytes under a name that is no blob's, and returns their version.
func (s *Store) write(ctx context.Context, name string, b []byte) (string, error) {
	sum := sha256.Sum256(b)
	info, err := s.core.PutObject(ctx, s.bucket, name, bytes.NewReader(b), int64(len(b)), "", hex.EncodeToString(sum[:]), s.putOptions())
	return info.VersionID, failure(ctx, err)
}

// Close lets connections go. What was put is durable already.
func (s *Store) Close() error {
	s.transport.CloseIdleConnections()
	return nil
}

var (
	storeName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)
	sumName   = regexp.MustCompile(`^[0-9a-f]{64}$`)
	keyName   = regexp.MustCompile(`^([a-z0-9][a-z0-9_-]{0,62})/([0-9a-f]{64})$`)
	objName   = regexp.MustCompile(`^([a-z0-9][a-z0-9_-]{0,62})/[0-9a-f]{2}/([0-9a-f]{64})$`)
)

// object is the object of a key. A key that no Put can have made names nothing.
func object(key string) (string, error) {
	parts := keyName.FindStringSubmatch(key)
	if parts == nil {
		return "", fmt.Errorf("blob %q: %w", key, storage.ErrNotFound)
	}
	return parts[1] + "/" + parts[2][:2] + "/" + parts[2], nil
}

// blobKey is the key of an object, or nothing where it is no blob.
func blobKey(object string) (string, bool) {
	parts := objName.FindStringSubmatch(object)
	if parts == nil {
		return "", false
	}
	return parts[1] + "/" + parts[2], true
}

var errReadOnly = errors.New("storage/minio: opened read-only")
