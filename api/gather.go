package api

import (
	"errors"
	"fmt"

	"example.com/walkaround/storage"
)

// errMoved says that a document is no longer what was gathered for its change.
var errMoved = errors.New("api: the document moved on meanwhile")

// gatherings is how often a change is prepared anew before its caller is told to come again.
const gatherings = 8

// gathered runs try until the document stays as it was while try gathered and stored what its change needs: the function that
// changes a document may run several times, and must do nothing else. storage.ErrUnavailable when it never does.
func gathered(try func() error) error {
	for range gatherings {
		if err := try(); !errors.Is(err, errMoved) {
			return err
		}
	}
	return fmt.Errorf("%w: %w", storage.ErrUnavailable, errMoved)
}
