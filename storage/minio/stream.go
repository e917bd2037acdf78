package minio

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"
	"sync"

	"example.com/walkaround/storage"
)

// Declared is what a reader given to Put may be besides: one whose sender said beforehand what it holds. Its bytes go
// straight to the server, which gives up a sender that stalls (MinIO after 30 seconds).
type Declared interface {
	// Declared is the SHA-256 in 64 lower-case hex digits and the size; an empty SHA-256 where nothing was said.
	Declared() (sha256 string, bytes int64)
}

// declared is what r says of itself; ok is false where that does not help.
func declared(r io.Reader) (sum string, size int64, ok bool) {
	d, is := r.(Declared)
	if !is {
		return "", 0, false
	}
	sum, size = d.Declared()
	return sum, size, sumName.MatchString(sum) && size > 0
}

// errUndeclared ends a stream whose bytes are not the declared ones, though check let them pass.
var errUndeclared = errors.New("storage/minio: the bytes are not those that were declared")

// stream sends r to the server while it is read. The last bytes are held back until all are hashed and checked, and a
// body that ends before its length is none to the server: so nothing is stored that is not wanted. What is cut off
// cannot be sent again from here.
func (s *Store) stream(ctx context.Context, key string, size int64, r *source, check func(string, int64) error) (storage.BlobInfo, error) {
	if err := ctx.Err(); err != nil {
		return storage.BlobInfo{}, err
	}
	if size > r.left {
		return storage.BlobInfo{}, fmt.Errorf("%d bytes: %w", size, storage.ErrTooLarge)
	}
	name, err := object(key)
	if err != nil {
		return storage.BlobInfo{}, err
	}
	_, sum, _ := strings.Cut(key, "/")
	out := &outgoing{from: r, hash: sha256.New(), size: size, sum: sum, check: check}
	_, err = s.core.PutObject(ctx, s.bucket, name, out, size, "", sum, s.putOptions())
	if own := out.end(); own != nil {
		return storage.BlobInfo{}, own
	}
	if err != nil {
		return storage.BlobInfo{}, fmt.Errorf("put blob %s: %w", key, failure(ctx, err))
	}
	return s.Stat(ctx, key)
}

// outgoing is the body of a streamed PUT. The connection may still read it when the PUT has ended, until end is called.
type outgoing struct {
	mu    sync.Mutex
	from  *source
	hash  hash.Hash
	size  int64
	sum   string // as declared
	check func(sha256 string, size int64) error
	sent  int64
	err   error // of the reader or of check, to be returned untouched
}

// end says why the body was not whole, if it was for its own sake, and lets nothing be read any more.
func (o *outgoing) end() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	err := o.err
	if err == nil {
		o.err = io.ErrClosedPipe
	}
	return err
}

// Read gives the bytes, and the last of them only after check.
func (o *outgoing) Read(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return 0, o.err
	}
	if o.sent == o.size {
		return 0, io.EOF
	}
	n, err := o.from.Read(p[:min(int64(len(p)), o.size-o.sent)])
	o.hash.Write(p[:n])
	o.sent += int64(n)
	switch {
	case err == nil && o.sent < o.size:
		return n, nil
	case err != nil && err != io.EOF: //nolint:errorlint // a reader's end is this very value; a wrapped one is a failure
		o.err = err
	default:
		o.err = o.verdict(err == nil)
	}
	if o.err != nil {
		return 0, o.err
	}
	return n, nil
}

// verdict says whether what was read may be stored.
func (o *outgoing) verdict(more bool) error {
	if more {
		if err := o.readOn(); err != nil {
			return err
		}
	}
	sum := hex.EncodeToString(o.hash.Sum(nil))
	if o.check != nil {
		if err := o.check(sum, o.sent); err != nil {
			return err
		}
	}
	if sum != o.sum || o.sent != o.size {
		return errUndeclared
	}
	return nil
}

// readOn looks for the end behind the last byte that was declared, and hashes what is there instead: check shall see it.
func (o *outgoing) readOn() error {
	n, err := io.Copy(o.hash, o.from)
	o.sent += n
	return err
}
