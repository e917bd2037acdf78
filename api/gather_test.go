package api

import (
	"errors"
	"fmt"
	"testing"

	"example.com/walkaround/storage"
)

func TestGatheredAgainWhileTheDocumentMoves(t *testing.T) {
	other := errors.New("another fault")
	for name, c := range map[string]struct {
		moves int
		last  error
		want  error
		tries int
	}{
		"it stays":          {0, nil, nil, 1},
		"it moved twice":    {2, nil, nil, 3},
		"it moves for ever": {gatherings, nil, storage.ErrUnavailable, gatherings},
		"another fault":     {1, other, other, 2},
	} {
		t.Run(name, func(t *testing.T) {
			tries := 0
			err := gathered(func() error {
				if tries++; tries <= c.moves {
					return fmt.Errorf("change: %w", errMoved)
				}
				return c.last
			})
			if !errors.Is(err, c.want) || tries != c.tries {
				t.Errorf("%v after %d tries", err, tries)
			}
		})
	}
}
