// Package disk keeps blobs in a folder: the embedded default.
//
// Call Open. It imports storage, and package storage/open alone chooses it.
//
// The folder holds one folder a store, and in it 256 folders by the first two digits of a blob's SHA-256; the file is
// named by all 64. Beside them lie .retained, with a file a retained blob that says until when, and .incoming, where what
// is not yet whole waits; no store's name begins with a dot.
package disk

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"time"

	"example.com/walkaround/storage"
)

const (
	incoming = ".incoming"
	retained = ".retained"
	leftover = 24 * time.Hour // no upload takes longer
)

// Store keeps blobs in a folder. It implements storage.Blobs.
type Store struct {
	folder   string
	now      func() time.Time
	readOnly bool
	buffer   sync.Pool
	keys     locks
	made     sync.Map // folders known to be there durably
}

var _ storage.Blobs = (*Store)(nil)

// Open opens the store in folder, makes it if it is absent, and removes what uploads of more than a day ago left.
func Open(folder string, now func() time.Time) (*Store, error) {
	s := &Store{folder: folder, now: now}
	s.buffer.New = func() any { return new([bufferBytes]byte) }
	for _, sub := range []string{incoming, retained} {
		if err := s.makeFolder(filepath.Join(folder, sub)); err != nil {
			return nil, fmt.Errorf("open the blobs in %s: %w", folder, err)
		}
	}
	if err := s.clean(); err != nil {
		return nil, fmt.Errorf("clean up the blobs in %s: %w", folder, err)
	}
	return s, nil
}

// OpenReadOnly opens the store in folder for looking at it; it neither makes nor removes anything.
func OpenReadOnly(folder string, now func() time.Time) (*Store, error) {
	if _, err := os.Stat(folder); err != nil {
		return nil, fmt.Errorf("open the blobs: %w", err)
	}
	return &Store{folder: folder, now: now, readOnly: true}, nil
}

// clean removes temporary files that no running upload can own.
func (s *Store) clean() error {
	entries, err := os.ReadDir(filepath.Join(s.folder, incoming))
	if err != nil {
		return err
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || s.now().Sub(info.ModTime()) < leftover {
			continue
		}
		if err := os.Remove(filepath.Join(s.folder, incoming, entry.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Ping writes a file, makes it durable and removes it.
func (s *Store) Ping(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	f, err := s.temp()
	if err != nil {
		return writeFailure(err)
	}
	_, err = f.WriteString("ping")
	return writeFailure(errors.Join(err, f.Sync(), f.Close(), os.Remove(f.Name())))
}

// Close has nothing to release: what was put is durable already.
func (s *Store) Close() error { return nil }

var (
	storeName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)
	keyName   = regexp.MustCompile(`^([a-z0-9][a-z0-9_-]{0,62})/([0-9a-f]{64})$`)
)

// path is the file of a key. A key that no Put can have made names nothing.
func (s *Store) path(key string) (string, error) {
	parts := keyName.FindStringSubmatch(key)
	if parts == nil {
		return "", fmt.Errorf("blob %q: %w", key, storage.ErrNotFound)
	}
	return filepath.Join(s.folder, parts[1], parts[2][:2], parts[2]), nil
}

// makeFolder makes a folder and its parents, each durable in its own parent.
func (s *Store) makeFolder(folder string) error {
	if _, ok := s.made.Load(folder); ok {
		return nil
	}
	parent := filepath.Dir(folder)
	if _, err := os.Stat(parent); errors.Is(err, fs.ErrNotExist) {
		if err := s.makeFolder(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(folder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := syncFolder(parent); err != nil {
		return err
	}
	s.made.Store(folder, struct{}{})
	return nil
}

// syncFolder makes names in a folder durable.
func syncFolder(folder string) error {
	d, err := os.Open(folder) //nolint:gosec // made of checked names
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

var errReadOnly = errors.New("storage/disk: opened read-only")

// failure puts the port's error beside the system's, where a blob is looked for.
func failure(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %w", storage.ErrNotFound, err)
	}
	return writeFailure(err)
}

// writeFailure is failure where something is written.
func writeFailure(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EFBIG):
		return fmt.Errorf("%w: %w", storage.ErrFull, err)
	default:
		return fmt.Errorf("%w: %w", storage.ErrUnavailable, err)
	}
}

// locks lets one caller at a time work on a key.
type locks struct{ stripes [64]sync.Mutex }

// of is the lock of a key; a few share one.
func (l *locks) of(key string) *sync.Mutex {
	return &l.stripes[crc32.ChecksumIEEE([]byte(key))%uint32(len(l.stripes))]
}
