package disk

import (
	"context"
	"fmt"
	"slices"
	"time"

	"example.com/walkaround/storage"
)

var _ storage.Blobs = (*Store)(nil)

// Stores names the folders of stores.
func (s *Store) Stores(ctx context.Context) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	list, err := names(s.folder)
	return slices.DeleteFunc(list, func(name string) bool { return !storeName.MatchString(name) }), err
}

// Retained reads until when a blob is retained.
func (s *Store) Retained(ctx context.Context, key string) (time.Time, error) {
	if _, err := s.Stat(ctx, key); err != nil {
		return time.Time{}, err
	}
	return retention(s.mark(key))
}

// DeleteUnrenewed removes a blob that was not put again since stored: nothing is put under a key while its lock is held.
func (s *Store) DeleteUnrenewed(ctx context.Context, key string, stored time.Time) error {
	lock := s.keys.of(key)
	lock.Lock()
	defer lock.Unlock()
	info, err := s.Stat(ctx, key)
	if err != nil {
		return err
	}
	if !info.Stored.Equal(stored) {
		return fmt.Errorf("blob %s was put again: %w", key, storage.ErrStale)
	}
	return s.deleteLocked(key)
}
