package storage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// How long Await waits between tries; twice as long each time.
const (
	firstRetry = 500 * time.Millisecond
	lastRetry  = 5 * time.Second
)

// Await reaches a server at a start: it tries until that succeeds, until try says that to try again is of no use, or until
// ctx ends, and says so in log at each try. The server is what ("MongoDB") at where (its address, without a password). The
// error is that of the last try, with that of ctx if it ended.
func Await(ctx context.Context, log *slog.Logger, what, where string, try func(context.Context) (again bool, err error)) error {
	for n, wait := 1, firstRetry; ; n, wait = n+1, min(2*wait, lastRetry) {
		again, err := try(ctx)
		if err == nil || !again && ctx.Err() == nil {
			return err
		}
		if ctx.Err() == nil {
			log.WarnContext(ctx, what+" is out of reach: trying again", //nolint:sloglint // what is one of two names
				slog.String("where", where), slog.Int("try", n),
				slog.Duration("wait", wait), slog.Any("error", err))
		}
		if ended := rest(ctx, wait); ended != nil && !errors.Is(err, ended) {
			return fmt.Errorf("%w: %w", ended, err)
		} else if ended != nil {
			return err
		}
	}
}

// rest waits, or until ctx ends.
func rest(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
