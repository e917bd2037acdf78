package archive

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"slices"

	"golang.org/x/sync/errgroup"

	"example.com/walkaround/storage"
	"example.com/walkaround/storage/migrate"
)

// atOnce is how many records are stored at once, so that an engine can commit them together.
const atOnce = 64

// Restore fills an empty store with a backup. Before the first byte is stored the store is marked, so that no program
// opens it, and the mark is taken away once the backup was read to its end, every byte was right, and what is stored was
// counted. A restore that broke off is repeated with the same backup: what is there already is compared.
//
// ErrNotEmpty, and what Verify says; migrate.ErrNewer when the documents are of a format that steps do not know;
// storage.ErrCorrupt when what is stored is not what was read.
func Restore(ctx context.Context, r io.Reader, into Storage, steps migrate.Steps, watch Watch) (Manifest, error) {
	engine, ok := into.Engine.(storage.Restorer)
	if !ok {
		return Manifest{}, fmt.Errorf("nothing can be restored into %T", into.Engine)
	}
	to := &restorer{engine: engine, blobs: into.Blobs, steps: steps, keys: map[string][]string{}, read: map[string]*sameness{}, stored: map[string]int64{}}
	m, err := scan(ctx, r, to, watch)
	if err == nil {
		err = to.count(ctx)
	}
	if err == nil {
		err = migrate.EndRestore(ctx, engine)
	}
	return m, err
}

// restorer is a sink that stores.
type restorer struct {
	engine storage.Restorer
	blobs  storage.Blobs
	steps  migrate.Steps
	keys   map[string][]string  // by collection: its keys as far as they were met
	read   map[string]*sameness // by collection: its records as they were backed up
	stored map[string]int64     // by store: its blobs
}

// begin marks an empty store, or finds the mark of a restore of the same backup.
func (t *restorer) begin(ctx context.Context, h Header) error {
	if h.Format > t.steps.Newest() {
		return fmt.Errorf("%w: its documents are of format %d, and this program knows formats up to %d", ErrNewer, h.Format, t.steps.Newest())
	}
	if err := migrate.Declare(ctx, t.engine); err != nil {
		return err
	}
	begun, err := migrate.Restoring(ctx, t.engine)
	switch {
	case err == nil && begun == h.ID:
		return nil
	case err == nil:
		return fmt.Errorf("%w: a restore of another backup (%s) has begun and is not finished", ErrNotEmpty, begun)
	case !errors.Is(err, storage.ErrNotFound):
		return err
	}
	if err := t.empty(ctx); err != nil {
		return err
	}
	return migrate.BeginRestore(ctx, t.engine, h.ID)
}

func (t *restorer) empty(ctx context.Context) error {
	names, err := t.engine.Collections(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		if there, err := holds(ctx, t.engine, name); err != nil || there {
			return errors.Join(err, fmt.Errorf("%w: there are %s", ErrNotEmpty, name))
		}
	}
	stores, err := t.blobs.Stores(ctx)
	if err != nil {
		return err
	}
	for _, store := range stores {
		if list, err := t.blobs.List(ctx, store, "", 1); err != nil || len(list) > 0 {
			return errors.Join(err, fmt.Errorf("%w: there are blobs of %s", ErrNotEmpty, store))
		}
	}
	return nil
}

var errThere = errors.New("storage/archive: a record is there")

// holds says whether a collection has records.
func holds(ctx context.Context, e storage.Engine, collection string) (bool, error) {
	err := e.Walk(ctx, collection, func(storage.Record, error) error { return errThere })
	if errors.Is(err, errThere) {
		return true, nil
	}
	return false, err
}

func (t *restorer) records(ctx context.Context, collection string, list []storage.Record) error {
	if err := t.declare(ctx, collection, list); err != nil {
		return err
	}
	if t.read[collection] == nil {
		t.read[collection] = &sameness{}
	}
	for _, r := range list {
		t.read[collection].add(r)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for _, r := range list {
		group.Go(func() error {
			if err := t.record(ctx, collection, r); err != nil {
				return fmt.Errorf("restore %s %s: %w", collection, r.ID, err)
			}
			return nil
		})
	}
	return group.Wait()
}

// declare makes ready a collection with the keys that its records have; those that none has yet are declared by the
// program that will use them.
func (t *restorer) declare(ctx context.Context, collection string, list []storage.Record) error {
	known, met := t.keys[collection]
	keys := slices.Clone(known)
	for _, r := range list {
		for _, k := range r.Keys {
			if !slices.Contains(keys, k.Name) {
				keys = append(keys, k.Name)
			}
		}
	}
	if met && len(keys) == len(known) {
		return nil
	}
	t.keys[collection] = keys
	return t.engine.Declare(ctx, []storage.Declaration{{Name: collection, Keys: keys}})
}

// record stores one record. One that is there already must be the same: it was stored by a restore that broke off. Its
// summary and keys, which Get need not tell, are compared by count.
func (t *restorer) record(ctx context.Context, collection string, r storage.Record) error {
	err := t.engine.Restore(ctx, collection, r)
	if !errors.Is(err, storage.ErrExists) {
		return err
	}
	there, err := t.engine.Get(ctx, collection, r.ID)
	if err == nil && (there.Version != r.Version || !bytes.Equal(there.Doc, r.Doc)) {
		err = fmt.Errorf("%w: another one is there", ErrNotEmpty)
	}
	return err
}

func (t *restorer) blob(ctx context.Context, b blob, r io.Reader) error {
	info, err := t.blobs.Put(ctx, b.store, r, b.size, func(sum string, _ int64) error {
		if sum != b.sum {
			return errMisnamed
		}
		return nil
	})
	if err == nil && !b.until.IsZero() {
		err = t.blobs.Retain(ctx, info.Key, b.until)
	}
	if err != nil {
		return fmt.Errorf("restore blob %s/%s: %w", b.store, b.sum, err)
	}
	t.stored[b.store]++
	return nil
}

// sameness is a digest of records in any order: all of a record counts, its summary and keys too.
type sameness struct {
	records int64
	sum     [sha256.Size]byte
}

func (s *sameness) add(r storage.Record) {
	r.Keys = slices.Clone(r.Keys)
	slices.SortFunc(r.Keys, func(a, b storage.KeyValue) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Value, b.Value))
	})
	sum := sha256.Sum256(appendRecord(nil, r))
	subtle.XORBytes(s.sum[:], s.sum[:], sum[:])
	s.records++
}

// same compares what is stored of a collection now with what was read.
func (t *restorer) same(ctx context.Context, collection string) error {
	var is sameness
	err := t.engine.Walk(ctx, collection, func(r storage.Record, damage error) error {
		if damage == nil && !migrate.IsMark(collection, r.ID) {
			is.add(r)
		}
		return damage
	})
	want := t.read[collection]
	switch {
	case err != nil:
		return err
	case is.records != want.records:
		return fmt.Errorf("%w: %d %s are stored, and the backup has %d", storage.ErrCorrupt, is.records, collection, want.records)
	case is != *want:
		return fmt.Errorf("%w: the %s that are stored are not those of the backup", storage.ErrCorrupt, collection)
	}
	return nil
}

// count holds what is stored now to what was read.
func (t *restorer) count(ctx context.Context) error {
	for collection := range t.read {
		if err := t.same(ctx, collection); err != nil {
			return err
		}
	}
	for store, want := range t.stored {
		n := int64(0)
		err := storage.EachBlobOf(ctx, t.blobs, store, func(storage.BlobInfo) error { n++; return nil })
		if err != nil || n != want {
			return errors.Join(err, fmt.Errorf("%w: %d blobs of %s are stored, and the backup has %d", storage.ErrCorrupt, n, store, want))
		}
	}
	return nil
}
