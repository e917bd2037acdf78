package mongo

import (
	"context"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"

	"example.com/walkaround/storage"
)

// A walk reads in chunks and holds no cursor open while the caller works.
const (
	chunk      = 64
	chunkBytes = 8 << 20
	maxStrays  = 100
)

// Walk calls fn with every record, then with what stands in the collection and is none. A key's entries are part of their
// document, so none can be missing or stray: the index itself is what MongoDB's validate command checks.
func (e *Engine) Walk(ctx context.Context, name string, fn func(storage.Record, error) error) error {
	c, err := e.declared(name)
	if err != nil {
		if c, err = e.newCollection(storage.Declaration{Name: name}); err != nil {
			return err
		}
	}
	for last, more := "", true; more; {
		list, err := e.chunk(ctx, c, last)
		if err != nil {
			return err
		}
		for _, f := range list {
			if err := fn(f.record, c.sound(f)); err != nil {
				return err
			}
			last = f.record.ID
		}
		more = len(list) > 0
	}
	return e.strays(ctx, c, fn)
}

func (c *collection) sound(f fields) error {
	if !f.headOK() || !f.bodyOK() {
		return damaged(c.Name(), f.record.ID)
	}
	return nil
}

// chunk reads some records behind an id.
func (e *Engine) chunk(ctx context.Context, c *collection, last string) ([]fields, error) {
	limited, done, err := e.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	list, err := c.read(limited, bson.D{{Key: idField, Value: bson.D{{Key: "$gt", Value: last}}}},
		bounded(chunk).SetProjection(wholeFields).SetSort(bson.D{{Key: idField, Value: up}}).SetHint(idIndex), chunkBytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Name(), failure(ctx, err))
	}
	return list, nil
}

// foreign are the types of an id that is no text, by which the index of ids finds them.
var foreign = bson.A{"objectId", "number", "object", "binData", "bool", "date", "timestamp", "null", "regex", "minKey", "maxKey"}

// strays are documents whose id is no text: somebody else put them there. No call finds them but this one.
func (e *Engine) strays(ctx context.Context, c *collection, fn func(storage.Record, error) error) error {
	limited, done, err := e.begin(ctx)
	if err != nil {
		return err
	}
	list, err := c.read(limited, bson.D{{Key: idField, Value: bson.D{{Key: "$type", Value: foreign}}}},
		bounded(maxStrays).SetProjection(fieldsOf(versionField)).SetHint(idIndex), noLimit)
	done()
	if err != nil {
		return fmt.Errorf("%s: %w", c.Name(), failure(ctx, err))
	}
	for range list {
		if err := fn(storage.Record{}, damaged(c.Name(), "a document whose id is no text")); err != nil {
			return err
		}
	}
	return nil
}
