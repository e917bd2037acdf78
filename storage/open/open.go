// Package open chooses the engines from the configuration.
//
// Call Open for a running server, OpenReadOnly to look beside one. Alone this package knows which engines there are, so
// that everything else knows storage only.
package open

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"example.com/walkaround/storage"
	"example.com/walkaround/storage/disk"
	"example.com/walkaround/storage/sqlite"
)

// Config says where documents and blobs lie. Each engine has its own settings here; those that are empty are not used.
type Config struct {
	Folder string           // of the embedded engines: SQLite and the disk
	Now    func() time.Time // the clock, by which the disk dates a blob
}

var errClock = errors.New("storage/open: Config.Now is missing")

const blobsFolder = "blobs"

// Open opens documents and blobs for a server. Both are closed by the caller, the blobs last.
func Open(ctx context.Context, c Config) (storage.Engine, storage.Blobs, error) {
	if c.Now == nil {
		return nil, nil, errClock
	}
	engine, err := sqlite.Open(ctx, c.Folder)
	if err != nil {
		return nil, nil, err
	}
	blobs, err := disk.Open(filepath.Join(c.Folder, blobsFolder), c.Now)
	if err != nil {
		return nil, nil, errors.Join(err, engine.Close())
	}
	return engine, blobs, nil
}

// OpenReadOnly opens documents and blobs to look at them, also beside a running server. Writes are refused.
func OpenReadOnly(ctx context.Context, c Config) (storage.Engine, storage.Blobs, error) { //nolint:revive // named as in the engines
	if c.Now == nil {
		return nil, nil, errClock
	}
	engine, err := sqlite.OpenReadOnly(ctx, c.Folder)
	if err != nil {
		return nil, nil, err
	}
	blobs, err := disk.OpenReadOnly(filepath.Join(c.Folder, blobsFolder), c.Now)
	if err != nil {
		return nil, nil, errors.Join(err, engine.Close())
	}
	return engine, blobs, nil
}
