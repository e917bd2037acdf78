package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"example.com/walkaround/api/background"
	"example.com/walkaround/storage"
	"example.com/walkaround/storage/migrate"
)

// errStranded keeps a new store out of another's files: the sweeper would take all of them for files that nothing names.
var errStranded = errors.New("there are files of a store, but no documents; restore its backup into an empty database and another " +
	"bucket or folder, or name the database that they belong to")

// stranded says whether files lie there without any document.
func stranded(ctx context.Context, engine storage.Engine, blobs storage.Blobs) error {
	collections, err := engine.Collections(ctx)
	if err != nil || len(collections) > 0 {
		return err
	}
	stores, err := blobs.Stores(ctx)
	if err == nil && len(stores) > 0 {
		err = fmt.Errorf("%w (files of %s)", errStranded, strings.Join(stores, ", "))
	}
	return err
}

// prepare brings the documents to the format of this program before anything else reads them. It refuses what a newer one
// wrote, and what a restore left half-way.
func prepare(ctx context.Context, engine storage.Engine) error {
	if err := engine.Declare(ctx, []storage.Declaration{background.LeasesOf(engine).Declaration()}); err != nil {
		return err
	}
	return migrate.Known().Prepare(ctx, engine, background.NewLeases(engine, time.Now))
}
