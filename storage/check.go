package storage

import (
	"bytes"
	"fmt"
	"slices"
)

// Check decodes a record as Engine.Walk hands it on, and holds what is stored beside the document (id, keys, summary) to
// what the document says. ErrCorrupt, with what differs.
func (c *Collection[T]) Check(r Record) (Saved[T], error) {
	fault := func(what string) error { return fmt.Errorf("%w: %s %s: %s", ErrCorrupt, c.shape.Name, r.ID, what) }
	s, err := c.saved(r)
	if err != nil {
		return s, fault("its document cannot be decoded")
	}
	fresh, err := c.record(&s.Value)
	switch {
	case err != nil:
		return s, fault("its document could not be stored so")
	case fresh.ID != r.ID:
		return s, fault("its document is that of " + fresh.ID)
	case !slices.Equal(fresh.Keys, SortKeys(slices.Clone(r.Keys))):
		return s, fault("its keys are not those of its document")
	case !bytes.Equal(fresh.Summary, r.Summary):
		return s, fault("its summary is not that of its document")
	}
	return s, nil
}
