package storage_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/walkaround/storage"
)

func TestAwait(t *testing.T) {
	var (
		away  = errors.New("away")
		never = errors.New("wrong key")
	)
	for name, c := range map[string]struct {
		answers []error // of the tries; then it serves
		within  time.Duration
		want    []error
		took    time.Duration
		lines   int
	}{
		"at once":             {nil, time.Hour, nil, 0, 0},
		"at the third try":    {[]error{away, away}, time.Hour, nil, 1500 * time.Millisecond, 2},
		"after some time":     {[]error{away, away, away, away, away, away}, time.Hour, nil, 17500 * time.Millisecond, 6},
		"of no use":           {[]error{never}, time.Hour, []error{never}, 0, 0},
		"of no use after all": {[]error{away, never}, time.Hour, []error{never}, 500 * time.Millisecond, 1},
		"not in time":         {[]error{away, away}, time.Second, []error{away, context.DeadlineExceeded}, time.Second, 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, stop := context.WithTimeout(t.Context(), c.within)
				defer stop()
				var log strings.Builder
				start, tries := time.Now(), 0
				err := storage.Await(ctx, slog.New(slog.NewTextHandler(&log, nil)), "The shelf", "shelf:1", func(context.Context) (bool, error) {
					tries++
					if tries > len(c.answers) {
						return false, nil
					}
					return errors.Is(c.answers[tries-1], away), fmt.Errorf("try %d: %w", tries, c.answers[tries-1])
				})
				for _, want := range c.want {
					if !errors.Is(err, want) {
						t.Errorf("got %v, want %v", err, want)
					}
				}
				if c.want == nil && err != nil || time.Since(start) != c.took {
					t.Errorf("got %v after %s, want %s", err, time.Since(start), c.took)
				}
				if n := strings.Count(log.String(), `msg="The shelf is out of reach: trying again" where=shelf:1`); n != c.lines {
					t.Errorf("%d lines, want %d: %s", n, c.lines, log.String())
				}
			})
		})
	}
}
