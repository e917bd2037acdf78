package minio

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/minio/minio-go/v7"

	"example.com/walkaround/storage"
)

// List walks the blobs of a store in order of key.
func (s *Store) List(ctx context.Context, store, after string, limit int) ([]storage.BlobInfo, error) {
	if limit < 1 || limit > storage.MaxList {
		return nil, fmt.Errorf("storage/minio: limit %d is not within 1 to %d", limit, storage.MaxList)
	}
	if !storeName.MatchString(store) {
		return nil, fmt.Errorf("store %q: %w", store, storage.ErrValue)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var list []storage.BlobInfo
	for o := range s.core.ListObjectsIter(ctx, s.bucket, minio.ListObjectsOptions{
		Prefix: store + "/", StartAfter: startAfter(store, after), MaxKeys: limit, Recursive: true, WithVersions: s.versioned,
	}) {
		if o.Err != nil {
			return nil, failure(ctx, o.Err)
		}
		key, ok := blobKey(o.Key)
		if !ok || o.IsDeleteMarker || key <= after { // the newest version comes first, and some servers go on with after itself
			continue
		}
		after = key
		if list = append(list, describe(key, o)); len(list) == limit {
			break
		}
	}
	return list, ctx.Err()
}

// startAfter is the object behind which a page begins.
func startAfter(store, after string) string {
	digits := strings.TrimPrefix(after, store+"/")
	if len(digits) < 2 {
		return ""
	}
	return store + "/" + digits[:2] + "/" + digits
}

// Stores names what stands before the first slash of objects.
func (s *Store) Stores(ctx context.Context) ([]string, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var names []string
	for o := range s.core.ListObjectsIter(ctx, s.bucket, minio.ListObjectsOptions{WithVersions: s.versioned}) {
		if o.Err != nil {
			return nil, failure(ctx, o.Err)
		}
		if name, ok := strings.CutSuffix(o.Key, "/"); ok && storeName.MatchString(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names) // they came in order of what includes the slash
	return names, ctx.Err()
}
