package mongo

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/topology"

	"example.com/walkaround/storage"
)

// Codes of errors, as the server numbers them.
var (
	tooLarge = []int{10334, 17419, 17420, 16493}
	noSpace  = []int{14031}
	denied   = []int{13, 18, 8000}
	// The primary steps down, shuts down or is chosen; a majority does not answer in time; the server ran out of time.
	passingCodes = []int{6, 7, 50, 64, 89, 91, 112, 134, 189, 202, 262, 9001, 10107, 11600, 11602, 13388, 13435, 13436}
)

// failure puts the port's error beside the driver's. Errors of the port itself pass untouched.
func failure(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case isOurs(err):
		return err
	case hasCode(err, noSpace):
		return fmt.Errorf("%w: %w", storage.ErrFull, err)
	case hasCode(err, tooLarge):
		return fmt.Errorf("%w: %w", storage.ErrTooLarge, err)
	case passing(err):
		return fmt.Errorf("%w: %w", storage.ErrUnavailable, err)
	default:
		return fmt.Errorf("storage/mongo: %w", err)
	}
}

func isOurs(err error) bool {
	return slices.ContainsFunc([]error{
		storage.ErrNotFound, storage.ErrExists, storage.ErrStale, storage.ErrCorrupt, storage.ErrUnavailable,
	}, func(ours error) bool { return errors.Is(err, ours) })
}

func hasCode(err error, codes []int) bool {
	return slices.ContainsFunc(mongo.ErrorCodes(err), func(code int) bool { return slices.Contains(codes, code) })
}

// passing says whether trying again later may help. After such an error of a write nobody knows whether it happened.
func passing(err error) bool {
	if err == nil || hasCode(err, denied) {
		return false
	}
	var connection topology.ConnectionError
	var pool interface{ Retryable() bool } // of a pool that was just cleared
	var labeled mongo.LabeledError
	var write mongo.WriteException
	switch {
	case errors.Is(err, errAgain), selecting(err):
		return true
	case errors.As(err, &labeled) && (labeled.HasErrorLabel("RetryableWriteError") || labeled.HasErrorLabel("TransientTransactionError")):
		return true
	case errors.As(err, &write) && write.WriteConcernError != nil: // a majority may not have it
		return true
	case errors.As(err, &connection), errors.As(err, &pool) && pool.Retryable():
		return true
	default:
		return mongo.IsNetworkError(err) || mongo.IsTimeout(err) || hasCode(err, passingCodes)
	}
}

// selecting says whether no server was found to ask. The driver has waited for one.
func selecting(err error) bool {
	var selection topology.ServerSelectionError
	return errors.As(err, &selection)
}

// attempts counts how often the command of one write was sent. The driver sends it again by itself, and does not say so.
type attempts struct{ sent int }

type attemptsKey struct{}

// counting is ctx with a counter of the writes that are sent under it.
func counting(ctx context.Context) (context.Context, *attempts) {
	a := &attempts{}
	return context.WithValue(ctx, attemptsKey{}, a), a
}

// countAttempts is a monitor that counts, and tells next.
func countAttempts(next *event.CommandMonitor) *event.CommandMonitor {
	if next == nil {
		next = &event.CommandMonitor{}
	}
	return &event.CommandMonitor{
		Started: func(ctx context.Context, started *event.CommandStartedEvent) {
			if a, ok := ctx.Value(attemptsKey{}).(*attempts); ok {
				switch started.CommandName {
				case "insert", "update", "delete":
					a.sent++
				}
			}
			if next.Started != nil {
				next.Started(ctx, started)
			}
		},
		Succeeded: next.Succeeded,
		Failed:    next.Failed,
	}
}
