package disk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"example.com/walkaround/storage"
)

// Open reads a blob.
func (s *Store) Open(ctx context.Context, key string) (io.ReadSeekCloser, storage.BlobInfo, error) {
	if err := ctx.Err(); err != nil {
		return nil, storage.BlobInfo{}, err
	}
	path, err := s.path(key)
	if err != nil {
		return nil, storage.BlobInfo{}, err
	}
	f, err := os.Open(path) //nolint:gosec // made of a checked key
	if err != nil {
		return nil, storage.BlobInfo{}, failure(err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, storage.BlobInfo{}, errors.Join(failure(err), f.Close())
	}
	return f, describe(key, info), nil
}

// Stat describes a blob.
func (s *Store) Stat(ctx context.Context, key string) (storage.BlobInfo, error) {
	if err := ctx.Err(); err != nil {
		return storage.BlobInfo{}, err
	}
	path, err := s.path(key)
	if err != nil {
		return storage.BlobInfo{}, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return storage.BlobInfo{}, failure(err)
	}
	return describe(key, info), nil
}

func describe(key string, info fs.FileInfo) storage.BlobInfo {
	return storage.BlobInfo{Key: key, Bytes: info.Size(), Stored: info.ModTime().UTC()}
}

// Retain forbids deletion before until. The end stands in a file of its own, replaced in one step.
func (s *Store) Retain(ctx context.Context, key string, until time.Time) error {
	lock := s.keys.of(key)
	lock.Lock()
	defer lock.Unlock()
	if _, err := s.Stat(ctx, key); err != nil {
		return err
	}
	mark := s.mark(key)
	if end, err := retention(mark); err != nil || !until.After(end) {
		return err
	}
	return writeFailure(s.writeMark(mark, until))
}

// writeMark replaces a mark in one step, so that no crash leaves one with a shorter time.
func (s *Store) writeMark(mark string, until time.Time) error {
	f, err := s.temp()
	if err != nil {
		return err
	}
	_, err = f.WriteString(until.UTC().Format(time.RFC3339Nano))
	if err := errors.Join(err, f.Sync(), f.Close(), s.makeFolder(filepath.Dir(mark)), os.Rename(f.Name(), mark)); err != nil {
		discard(f)
		return err
	}
	return syncFolder(filepath.Dir(mark))
}

func (s *Store) mark(key string) string {
	return filepath.Join(s.folder, retained, filepath.FromSlash(key))
}

// retention reads a mark; the zero time if there is none. A mark that cannot be read retains: ErrCorrupt.
func retention(mark string) (time.Time, error) {
	b, err := os.ReadFile(mark) //nolint:gosec // made of a checked key
	if errors.Is(err, fs.ErrNotExist) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, failure(err)
	}
	end, err := time.Parse(time.RFC3339Nano, string(b))
	if err != nil {
		return time.Time{}, fmt.Errorf("%w: retention %s: %w", storage.ErrCorrupt, filepath.Base(mark), err)
	}
	return end, nil
}

// Delete removes a blob that is not retained.
func (s *Store) Delete(ctx context.Context, key string) error {
	lock := s.keys.of(key)
	lock.Lock()
	defer lock.Unlock()
	if _, err := s.Stat(ctx, key); err != nil {
		return err
	}
	return s.deleteLocked(key)
}

// deleteLocked removes a blob whose lock is held.
func (s *Store) deleteLocked(key string) error {
	mark := s.mark(key)
	end, err := retention(mark)
	if err != nil {
		return err
	}
	if s.readOnly {
		return errReadOnly
	}
	if s.now().Before(end) {
		return fmt.Errorf("blob %s until %s: %w", key, end.Format(time.RFC3339), storage.ErrRetained)
	}
	return failure(s.remove(key, mark))
}

func (s *Store) remove(key, mark string) error {
	path, err := s.path(key)
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil {
		return err
	}
	if err := os.Remove(mark); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// List walks the blobs of a store in order of key.
func (s *Store) List(ctx context.Context, store, after string, limit int) ([]storage.BlobInfo, error) {
	if limit < 1 || limit > storage.MaxList {
		return nil, fmt.Errorf("storage/disk: limit %d is not within 1 to %d", limit, storage.MaxList)
	}
	if !storeName.MatchString(store) {
		return nil, fmt.Errorf("store %q: %w", store, storage.ErrValue)
	}
	p := page{store: s, name: store, last: strings.TrimPrefix(after, store+"/"), limit: limit}
	folders, err := names(filepath.Join(s.folder, store))
	if err != nil {
		return nil, err
	}
	for _, folder := range folders {
		if len(p.last) >= 2 && folder < p.last[:2] {
			continue
		}
		if err := p.add(ctx, folder); err != nil || len(p.list) == limit {
			return p.list, err
		}
	}
	return p.list, nil
}

// page is one page of a List.
type page struct {
	store *Store
	name  string // of the store
	last  string // the page begins behind it
	limit int
	list  []storage.BlobInfo
}

// add takes the blobs of one folder until the page is full.
func (p *page) add(ctx context.Context, folder string) error {
	files, err := names(filepath.Join(p.store.folder, p.name, folder))
	if err != nil {
		return err
	}
	for _, name := range files {
		if name <= p.last {
			continue
		}
		info, err := p.store.Stat(ctx, p.name+"/"+name)
		if errors.Is(err, storage.ErrNotFound) { // deleted meanwhile, or no blob
			continue
		}
		if err != nil {
			return err
		}
		if p.list = append(p.list, info); len(p.list) == p.limit {
			return nil
		}
	}
	return nil
}

// names returns what is in a folder, in order; nothing if it is not there.
func names(folder string) ([]string, error) {
	d, err := os.Open(folder) //nolint:gosec // made of checked names
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, failure(err)
	}
	list, err := d.Readdirnames(-1)
	slices.Sort(list)
	return list, failure(errors.Join(err, d.Close()))
}
