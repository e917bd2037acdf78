package measured

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"example.com/walkaround/storage"
)

// engine is a storage.Engine that is measured.
type engine struct {
	storage.Engine
	*meter
}

// Engine measures e in the histogram walkaround_storage_seconds by engine, collection, operation and outcome. It panics when
// the registerer has an engine of this kind already, which is a fault of the program. What e can do beyond storage.Engine is not
// passed on: backup and restore take an engine as it was opened.
func Engine(e storage.Engine, to prometheus.Registerer) storage.Engine {
	return &engine{Engine: e, meter: newMeter(e, to)}
}

// Get is measured.
func (e *engine) Get(ctx context.Context, collection, id string) (storage.Record, error) {
	ctx, o := e.begin(ctx, collection, "get")
	r, err := e.Engine.Get(ctx, collection, id)
	o.end(err)
	return r, err
}

// Find is measured.
func (e *engine) Find(ctx context.Context, collection string, q storage.Query) ([]storage.Record, error) {
	ctx, o := e.begin(ctx, collection, "find")
	records, err := e.Engine.Find(ctx, collection, q)
	o.end(err)
	return records, err
}

// Insert is measured.
func (e *engine) Insert(ctx context.Context, collection string, r storage.Record) error {
	ctx, o := e.begin(ctx, collection, "insert")
	err := e.Engine.Insert(ctx, collection, r)
	o.end(err)
	return err
}

// Replace is measured.
func (e *engine) Replace(ctx context.Context, collection string, r storage.Record) error {
	ctx, o := e.begin(ctx, collection, "replace")
	err := e.Engine.Replace(ctx, collection, r)
	o.end(err)
	return err
}

// Delete is measured.
func (e *engine) Delete(ctx context.Context, collection, id string, version int64) error {
	ctx, o := e.begin(ctx, collection, "delete")
	err := e.Engine.Delete(ctx, collection, id, version)
	o.end(err)
	return err
}

// Walk is measured, with what is done about each record.
func (e *engine) Walk(ctx context.Context, collection string, fn func(storage.Record, error) error) error {
	ctx, o := e.begin(ctx, collection, "walk")
	err := e.Engine.Walk(ctx, collection, fn)
	o.end(err)
	return err
}

// Ping is measured.
func (e *engine) Ping(ctx context.Context) error {
	ctx, o := e.begin(ctx, "", "ping")
	err := e.Engine.Ping(ctx)
	o.end(err)
	return err
}
