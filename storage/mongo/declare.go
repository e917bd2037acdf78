package mongo

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"golang.org/x/sync/errgroup"

	"example.com/walkaround/storage"
)

// collection is one that was declared, or one that an older program declared.
type collection struct {
	*mongo.Collection
	keys map[string]bool
	made made
}

var word = regexp.MustCompile(`^[a-z_]{1,40}$`)

func (e *Engine) newCollection(d storage.Declaration) (*collection, error) {
	c := &collection{Collection: e.db.Collection(d.Name), keys: map[string]bool{}}
	for _, k := range d.Keys {
		if !word.MatchString(k) {
			return nil, fmt.Errorf("storage/mongo: %q cannot name a key", k)
		}
		c.keys[k] = true
	}
	if !word.MatchString(d.Name) {
		return nil, fmt.Errorf("storage/mongo: %q cannot name a collection", d.Name)
	}
	return c, nil
}

// declared returns what was declared of a collection.
func (e *Engine) declared(name string) (*collection, error) {
	c, ok := (*e.collections.Load())[name]
	if !ok {
		return nil, fmt.Errorf("collection %s: %w", name, storage.ErrUndeclared)
	}
	return c, nil
}

// How many collections are made ready at once, and how long an index over many documents may take where ctx says nothing.
const (
	declareTogether = 8
	longestBuild    = 24 * time.Hour
)

// Declare makes the collections and indexes that are absent; read-only, it remembers the declarations. An index that
// can't be built is an error that names it.
func (e *Engine) Declare(ctx context.Context, declarations []storage.Declaration) error {
	_, done, err := e.begin(ctx)
	if err != nil {
		return err
	}
	defer done()
	e.declaring.Lock()
	defer e.declaring.Unlock()
	ctx, stop := context.WithTimeout(ctx, longestBuild)
	defer stop()
	collections := maps.Clone(*e.collections.Load())
	together, inner := errgroup.WithContext(ctx)
	together.SetLimit(declareTogether)
	for _, d := range declarations {
		c, err := e.newCollection(d)
		if err != nil {
			return err
		}
		collections[d.Name] = c
		together.Go(func() error { return e.prepare(inner, c) })
	}
	if err := together.Wait(); err != nil {
		return fmt.Errorf("declare collections: %w", err)
	}
	e.collections.Store(&collections)
	return nil
}

// conflicts is how often making a collection is tried while other replicas make it as well.
const conflicts = 5

// prepare makes a collection and its indexes, if they are absent. Several replicas may do so at once.
func (e *Engine) prepare(ctx context.Context, c *collection) error {
	if e.readOnly {
		return nil
	}
	for try := 1; ; try++ {
		err := e.create(ctx, c)
		if err == nil || try == conflicts || !passing(err) {
			return failure(ctx, err)
		}
		if err := pause(ctx, time.Duration(try)*firstPause); err != nil {
			return err
		}
	}
}

// namespaceExists is the server's code for a collection that is there.
const namespaceExists = 48

func (e *Engine) create(ctx context.Context, c *collection) error {
	err := e.db.CreateCollection(ctx, c.Name())
	if err != nil && !hasCode(err, []int{namespaceExists}) {
		return fmt.Errorf("collection %s: %w", c.Name(), err)
	}
	if len(c.keys) == 0 {
		return nil
	}
	if _, err := c.Indexes().CreateMany(ctx, c.indexes()); err != nil {
		return fmt.Errorf("indexes of collection %s: %w", c.Name(), err)
	}
	return nil
}

// The indexes of many, which serve all keys: MongoDB walks an index backwards only for a sort, and an index of an array
// gives no sort within bounds (see many.go).
const (
	manyUp   = "many"
	manyDown = "many_down"
)

// keyIndex names the index of a key's single values.
func keyIndex(key string) string { return keysField + "." + key }

// indexes are partial: a document without a key costs nothing in it, so that few pending among many are found in a small one.
func (c *collection) indexes() []mongo.IndexModel {
	index := func(name, field string, way int32) mongo.IndexModel {
		return mongo.IndexModel{
			Keys: bson.D{{Key: field, Value: way}, {Key: idField, Value: way}},
			Options: options.Index().SetName(name).
				SetPartialFilterExpression(bson.D{{Key: field, Value: bson.D{{Key: "$exists", Value: true}}}}),
		}
	}
	models := []mongo.IndexModel{index(manyUp, manyField, up), index(manyDown, manyField, down)}
	for _, key := range slices.Sorted(maps.Keys(c.keys)) {
		models = append(models, index(keyIndex(key), keyIndex(key), up))
	}
	return models
}

// Directions of an index and of a sort.
const (
	up   int32 = 1
	down int32 = -1
)

// Collections names the stored collections.
func (e *Engine) Collections(ctx context.Context) ([]string, error) {
	limited, done, err := e.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	names, err := e.db.ListCollectionNames(limited, bson.D{})
	if err != nil {
		return nil, failure(ctx, err)
	}
	names = slices.DeleteFunc(names, func(name string) bool { return !word.MatchString(name) })
	slices.Sort(names)
	return names, nil
}
