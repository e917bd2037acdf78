package disk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"

	"example.com/walkaround/storage"
)

const bufferBytes = 128 << 10

// Put stores what r holds.
func (s *Store) Put(
	ctx context.Context, store string, r io.Reader, limit int64, check func(sha256 string, size int64) error,
) (storage.BlobInfo, error) {
	if !storeName.MatchString(store) {
		return storage.BlobInfo{}, fmt.Errorf("store %q: %w", store, storage.ErrValue)
	}
	f, err := s.temp()
	if err != nil {
		return storage.BlobInfo{}, writeFailure(err)
	}
	info, err := s.receive(ctx, f, store, r, limit, check)
	if err != nil {
		discard(f)
		return storage.BlobInfo{}, err
	}
	return info, nil
}

func (s *Store) temp() (*os.File, error) {
	if s.readOnly {
		return nil, errReadOnly
	}
	return os.CreateTemp(filepath.Join(s.folder, incoming), "*")
}

// discard removes a temporary file. It may be gone, or closed, already.
func discard(f *os.File) {
	_ = f.Close()           // its bytes are not wanted
	_ = os.Remove(f.Name()) // what is left is cleaned up at a later start
}

// receive fills f, then makes it the blob.
func (s *Store) receive(
	ctx context.Context, f *os.File, store string, r io.Reader, limit int64, check func(string, int64) error,
) (storage.BlobInfo, error) {
	c := &copier{ctx: ctx, from: r, to: f, hash: sha256.New(), limit: limit}
	buffer, _ := s.buffer.Get().(*[bufferBytes]byte)
	err := c.copy(buffer[:])
	s.buffer.Put(buffer)
	if err != nil {
		return storage.BlobInfo{}, err
	}
	sum := hex.EncodeToString(c.hash.Sum(nil))
	if check != nil {
		if err := check(sum, c.size); err != nil {
			return storage.BlobInfo{}, err
		}
	}
	key := store + "/" + sum
	if err := s.place(f, key); err != nil {
		return storage.BlobInfo{}, writeFailure(err)
	}
	return s.Stat(ctx, key)
}

// copier moves bytes from a reader to a file and hashes them.
type copier struct {
	ctx   context.Context //nolint:containedctx // it lives for one call
	from  io.Reader
	to    io.Writer
	hash  hash.Hash
	size  int64
	limit int64
}

// copy returns the reader's own error untouched, and the file's as the port's.
func (c *copier) copy(buffer []byte) error {
	for {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		n, readErr := c.from.Read(buffer)
		if c.size += int64(n); c.size > c.limit {
			return fmt.Errorf("more than %d bytes: %w", c.limit, storage.ErrTooLarge)
		}
		c.hash.Write(buffer[:n])
		if _, err := c.to.Write(buffer[:n]); err != nil {
			return writeFailure(err)
		}
		if readErr == io.EOF { // a reader's end is this very value; a wrapped one is a failure
			return nil
		}
		if readErr != nil {
			return readErr
		}
	}
}

// place gives a whole file its name, durably: bytes first, then the name. It takes the place of a blob that is there
// already, whose bytes may be damaged.
func (s *Store) place(f *os.File, key string) error {
	path, err := s.path(key)
	if err != nil {
		return err
	}
	lock := s.keys.of(key)
	lock.Lock()
	defer lock.Unlock()
	now := s.now()
	if err := errors.Join(os.Chtimes(f.Name(), now, now), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := s.makeFolder(filepath.Dir(path)); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}
