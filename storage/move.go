package storage

import "context"

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
