// Package open chooses the engines from the configuration.
//
// Call Open for a running server, OpenReadOnly to look beside one. Alone this package knows which engines there are, so
// that everything else knows storage only.
package open

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"example.com/walkaround/storage"
	"example.com/walkaround/storage/disk"
	"example.com/walkaround/storage/minio"
	"example.com/walkaround/storage/mongo"
	"example.com/walkaround/storage/sqlite"
)

// Config says where documents and blobs lie. Documents and blobs are chosen apart: each pair works.
type Config struct {
	Folder string           // of the embedded engines: SQLite, and the disk
	Mongo  mongo.Config     // documents lie on MongoDB if its URI is set
	MinIO  minio.Config     // blobs lie in a bucket if its Endpoint is set
	Now    func() time.Time // the clock, by which a blob is dated
}

var errClock = errors.New("storage/open: Config.Now is missing")

const blobsFolder = "blobs"

// Open opens documents and blobs for a server. Both are closed by the caller, the blobs last. Servers that are out of reach
// are waited for until ctx ends; an error begins with the setting that it is about.
func Open(ctx context.Context, c Config) (storage.Engine, storage.Blobs, error) {
	return c.open(
		func() (storage.Engine, error) {
			if c.Mongo.URI != "" {
				return mongo.Open(ctx, c.Mongo)
			}
			return sqlite.Open(ctx, c.Folder)
		},
		func() (storage.Blobs, error) {
			if c.MinIO.Endpoint != "" {
				return minio.Open(ctx, c.MinIO, c.Now)
			}
			return disk.Open(c.blobs(), c.Now)
		})
}

// OpenReadOnly opens documents and blobs to look at them, also beside a running server. Writes are refused.
func OpenReadOnly(ctx context.Context, c Config) (storage.Engine, storage.Blobs, error) { //nolint:revive // named as in the engines
	return c.open(
		func() (storage.Engine, error) {
			if c.Mongo.URI != "" {
				return mongo.OpenReadOnly(ctx, c.Mongo)
			}
			return sqlite.OpenReadOnly(ctx, c.Folder)
		},
		func() (storage.Blobs, error) {
			if c.MinIO.Endpoint != "" {
				return minio.OpenReadOnly(ctx, c.MinIO, c.Now)
			}
			return disk.OpenReadOnly(c.blobs(), c.Now)
		})
}

func (c Config) blobs() string { return filepath.Join(c.Folder, blobsFolder) }

// open opens both, or neither.
func (c Config) open(documents func() (storage.Engine, error), blobs func() (storage.Blobs, error)) (storage.Engine, storage.Blobs, error) {
	if c.Now == nil {
		return nil, nil, errClock
	}
	engine, err := documents()
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", setting(c.Mongo.URI, "WALKAROUND_MONGODB_URI"), err)
	}
	files, err := blobs()
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("%s: %w", setting(c.MinIO.Endpoint, "WALKAROUND_MINIO_URL"), err), engine.Close())
	}
	return engine, files, nil
}

// setting is what the operator looks at when an engine does not open.
func setting(given, name string) string {
	if given == "" {
		return "WALKAROUND_DATA"
	}
	return name
}
