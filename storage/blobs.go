package storage

import (
	"context"
	"io"
	"time"
)

// BlobInfo describes a stored blob.
type BlobInfo struct {
	Key    string // "store_id/<64 hex digits of its SHA-256>"
	Bytes  int64
	Stored time.Time // when it was put last: a repeated Put renews it
}

// Blobs keeps bytes under their SHA-256, inside a store's prefix. Methods may be called from many goroutines.
type Blobs interface {
	// Put streams r to its end and stores it, hashing on the way; nothing is held whole in memory. At most limit bytes
	// are taken, ErrTooLarge beyond. check sees the SHA-256 (64 lower-case hex digits) and the size after the last byte
	// and before the blob can be seen: its error is returned untouched and nothing is stored. What was Put is durable
	// when Put returns; a repeat of stored bytes renews their age. An error of r is returned untouched. ErrFull.
	Put(ctx context.Context, store string, r io.Reader, limit int64, check func(sha256 string, size int64) error) (BlobInfo, error)

	// Open reads a blob; the reader can seek, so that ranges can be served. ErrNotFound. The caller closes it. Bytes are
	// not hashed again on the way: check does that.
	Open(ctx context.Context, key string) (io.ReadSeekCloser, BlobInfo, error)

	// Stat is Open without the bytes.
	Stat(ctx context.Context, key string) (BlobInfo, error)

	// Retain forbids deletion of the blob before until; a shorter time than one set before changes nothing. ErrNotFound.
	Retain(ctx context.Context, key string, until time.Time) error

	// Delete removes a blob. ErrRetained while Retain forbids it, ErrNotFound.
	Delete(ctx context.Context, key string) error

	// List walks the blobs of a store in order of key, behind after ("" for the first), at most limit (1 to 1,000).
	List(ctx context.Context, store, after string, limit int) ([]BlobInfo, error)

	// Ping says whether blobs can be written.
	Ping(ctx context.Context) error

	// Close releases everything.
	Close() error
}
