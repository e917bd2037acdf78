package storage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"
)

// BlobInfo describes a stored blob.
type BlobInfo struct {
	Key    string // "store_id/<64 hex digits of its SHA-256>"
	Bytes  int64
	Stored time.Time // when it was put last: a repeated Put renews it
}

// MaxList is the largest limit of Blobs.List.
const MaxList = 1000

// Blobs keeps bytes under their SHA-256, inside a store's prefix. Methods may be called from many goroutines.
type Blobs interface {
	// Put streams r to its end and stores it, hashing on the way; nothing is held whole in memory. At most limit bytes
	// are taken, ErrTooLarge beyond. check sees the SHA-256 (64 lower-case hex digits) and the size after the last byte
	// and before the blob can be seen (nil: none): its error is returned untouched and nothing is stored. What was Put is durable
	// when Put returns; a repeat of stored bytes renews their age. An error of r is returned untouched. ErrFull; ErrValue
	// for a store that is not named by [a-z0-9_-].
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

	// List walks the blobs of a store in order of key, behind the key after ("" for the first), at most limit (1 to
	// MaxList).
	List(ctx context.Context, store, after string, limit int) ([]BlobInfo, error)

	// Stores names the stores that have blobs, in order. One whose blobs were all deleted may be among them.
	Stores(ctx context.Context) ([]string, error)

	// Retained says until when Delete is forbidden; the zero time when Retain never was called. ErrNotFound.
	Retained(ctx context.Context, key string) (time.Time, error)

	// DeleteUnrenewed is Delete of the blob only as it was put at stored, the BlobInfo.Stored that was seen: ErrStale when it
	// was put again since, and then nothing is deleted, however the two coincide. Where the store behind can't compare and
	// delete in one step, it is compared right before.
	DeleteUnrenewed(ctx context.Context, key string, stored time.Time) error

	// Ping says whether blobs can be written.
	Ping(ctx context.Context) error

	// Close releases everything.
	Close() error
}

// EachBlob calls fn with every blob of every store. An error of fn ends it and is returned untouched.
func EachBlob(ctx context.Context, blobs Blobs, fn func(BlobInfo) error) error {
	stores, err := blobs.Stores(ctx)
	if err != nil {
		return err
	}
	for _, store := range stores {
		if err := EachBlobOf(ctx, blobs, store, fn); err != nil {
			return err
		}
	}
	return nil
}

// EachBlobOf is EachBlob of one store.
func EachBlobOf(ctx context.Context, blobs Blobs, store string, fn func(BlobInfo) error) error {
	for after := ""; ; {
		list, err := blobs.List(ctx, store, after, MaxList)
		if err != nil {
			return err
		}
		for _, info := range list {
			if err := fn(info); err != nil {
				return err
			}
			after = info.Key
		}
		if len(list) < MaxList {
			return nil
		}
	}
}

// Verify reads a blob and compares its bytes with its name. ErrCorrupt when they differ, ErrNotFound.
func Verify(ctx context.Context, blobs Blobs, key string) (err error) {
	r, info, err := blobs.Open(ctx, key)
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := r.Close(); err == nil {
			err = closeErr
		}
	}()
	hash := sha256.New()
	n, err := io.Copy(hash, WhileLive(ctx, r))
	if err != nil {
		return fmt.Errorf("read blob %s: %w", key, err)
	}
	_, named, _ := strings.Cut(key, "/")
	if sum := hex.EncodeToString(hash.Sum(nil)); sum != named || n != info.Bytes {
		return fmt.Errorf("%w: blob %s has the SHA-256 %s", ErrCorrupt, key, sum)
	}
	return nil
}

// WhileLive reads from r until ctx ends.
func WhileLive(ctx context.Context, r io.Reader) io.Reader { return whileLive{ctx, r} }

type whileLive struct {
	ctx context.Context //nolint:containedctx // it lives for one reading
	r   io.Reader
}

func (w whileLive) Read(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.r.Read(p)
}
