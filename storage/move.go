package storage

import (
	"context"
	"time"
)

// Restorer is an engine into which a backup can be restored.
type Restorer interface {
	Engine

	// Restore stores a record as it was backed up: with its ID, Version (1 or more), Doc, Summary (nil or not) and Keys,
	// all byte for byte. ErrExists when its id is there: then nothing changed. Otherwise as Insert.
	Restore(ctx context.Context, collection string, r Record) error
}

// Snapshotter is an engine that can be read as it stood at one moment. One that can't is backed up document by document,
// each whole.
type Snapshotter interface {
	// Snapshot gives an engine whose every read sees the same moment, whatever is written meanwhile. It is read from by one
	// goroutine, refuses writes, and is closed by the caller before the engine is. Held long, it holds up what cleans up
	// behind writers.
	Snapshot(ctx context.Context) (Engine, error)
}

// Movable is blobs that can be backed up, restored and swept.
type Movable interface {
	Blobs

	// Stores names the stores that have blobs, in order. One whose blobs were all deleted may be among them.
	Stores(ctx context.Context) ([]string, error)

	// Retained says until when Delete is forbidden; the zero time when Retain never was called. ErrNotFound.
	Retained(ctx context.Context, key string) (time.Time, error)

	// DeleteUnrenewed is Delete of the blob only as it was put at stored, the BlobInfo.Stored that was seen: ErrStale when it
	// was put again since, and then nothing is deleted, however the two coincide. Where the store behind can't compare and
	// delete in one step, it is compared right before.
	DeleteUnrenewed(ctx context.Context, key string, stored time.Time) error
}
