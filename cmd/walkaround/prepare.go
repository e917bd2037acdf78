package main

import (
	"context"
	"time"

	"example.com/walkaround/api/background"
	"example.com/walkaround/storage"
	"example.com/walkaround/storage/migrate"
)

// prepare brings the documents to the format of this program before anything else reads them. It refuses what a newer one
// wrote, and what a restore left half-way.
func prepare(ctx context.Context, engine storage.Engine) error {
	if err := engine.Declare(ctx, []storage.Declaration{background.LeasesOf(engine).Declaration()}); err != nil {
		return err
	}
	return migrate.Known().Prepare(ctx, engine, background.NewLeases(engine, time.Now))
}
