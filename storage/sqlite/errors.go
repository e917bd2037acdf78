package sqlite

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/ncruces/go-sqlite3"

	"example.com/walkaround/storage"
)

// failure puts the port's error beside SQLite's. Errors of the port itself pass untouched.
func failure(ctx context.Context, err error) error {
	var code sqlite3.ErrorCode
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil && errors.Is(err, sqlite3.INTERRUPT):
		return ctx.Err()
	case full(err):
		return fmt.Errorf("%w: %w", storage.ErrFull, err)
	case !errors.As(err, &code):
		return err
	}
	switch code { // every other code is out of reach
	case sqlite3.CORRUPT, sqlite3.NOTADB:
		return fmt.Errorf("%w: %w", storage.ErrCorrupt, err)
	default:
		return fmt.Errorf("%w: %w", storage.ErrUnavailable, err)
	}
}

// full says whether only room heals err. The index of the WAL, which grows by the same disk, has a code of its own.
func full(err error) bool {
	return errors.Is(err, sqlite3.FULL) || errors.Is(err, sqlite3.IOERR_SHMSIZE) || noSpace(err)
}

// panicked is the error of a panic that was recovered from, with where it came from.
func panicked(doing string, p any) error {
	return fmt.Errorf("%w: %w", storage.ErrUnavailable, fmt.Errorf("%s: panic: %v\n%s", doing, p, debug.Stack()))
}

func damaged(collection, id string) error {
	return fmt.Errorf("%w: %s %s", storage.ErrCorrupt, collection, id)
}
