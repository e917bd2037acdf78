package mongo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"example.com/walkaround/storage"
)

// A write whose answer was lost is sent again: first by the driver, which a replica set answers as it did the first time,
// then here. What tells it from another's is the id of the write, which the document carries. A change is sent again from
// here only where it is remembered by which write the record was made that it is to take the place of, and then it matches
// that very record: versions begin again at 1 when a record was deleted, so another's may stand there in the same one.
// Otherwise the record is read. Gone is what a delete wanted, and a replace is known by its id; where others may have written
// since, the answer is storage.ErrUnavailable. A change in doubt is answered storage.ErrStale only where that is so whether
// it happened or not: another's record has the very version that a replace was to make, or another than a delete was to
// remove, so if it did happen, that record was deleted and made anew since. An insert whose id is free is sent again: if it
// did happen and was deleted at once, it is there once more.

// How often a write is tried, and how long to wait before; twice as long each time.
const (
	writeTries = 5
	firstPause = 50 * time.Millisecond
)

var errUnknown = fmt.Errorf("%w: storage/mongo: the answer was lost, and others may have written since", storage.ErrUnavailable)

// write is one write on its way.
type write struct {
	*collection
	id      string
	version int64 // the stored one, which is compared with; of an insert, one less than the one to be stored
	write   bson.ObjectID
	prior   bson.ObjectID // the write that made what is to go; zero: unknown, or an insert
	doc     bson.Raw      // of an insert and a replace
	inserts bool          // it is of a record that is not there
	unsure  bool          // it was sent before, and may have happened
}

// Insert stores a new record.
func (e *Engine) Insert(ctx context.Context, collection string, r storage.Record) error {
	r.Version = 1
	return e.put(ctx, collection, r, true)
}

// Replace stores a record in place of the one that was read.
func (e *Engine) Replace(ctx context.Context, collection string, r storage.Record) error {
	r.Version++
	return e.put(ctx, collection, r, false)
}

// Restore stores a record as it was backed up.
func (e *Engine) Restore(ctx context.Context, collection string, r storage.Record) error {
	if r.Version < 1 {
		return fmt.Errorf("%s %s: version %d: %w", collection, r.ID, r.Version, storage.ErrValue)
	}
	return e.put(ctx, collection, r, true)
}

// put checks a record and has it written.
func (e *Engine) put(ctx context.Context, collection string, r storage.Record, inserts bool) error {
	c, err := e.writable(collection)
	if err != nil {
		return err
	}
	if err := c.check(r); err != nil {
		return err
	}
	w := &write{collection: c, id: r.ID, version: r.Version - 1, write: bson.NewObjectID(), inserts: inserts}
	w.doc = stored(r, w.write)
	try := (*write).insert
	if !inserts {
		w.prior, try = c.made.by(w.id, w.version), (*write).replace
	}
	if err := e.run(ctx, w, try); err != nil {
		return err
	}
	c.made.note(w.id, r.Version, w.write)
	return nil
}

func (e *Engine) writable(collection string) (*collection, error) {
	if e.readOnly {
		return nil, errReadOnly
	}
	return e.declared(collection)
}

func (c *collection) check(r storage.Record) error {
	if err := storage.CheckID(r.ID); err != nil {
		return fmt.Errorf("%s: id: %w", c.Name(), err)
	}
	if size := len(r.Doc) + len(r.Summary); size > storage.MaxDocumentBytes {
		return fmt.Errorf("%s %s: %d bytes: %w", c.Name(), r.ID, size, storage.ErrTooLarge)
	}
	for _, k := range r.Keys {
		if !c.keys[k.Name] {
			return fmt.Errorf("%s: key %q: %w", c.Name(), k.Name, storage.ErrUndeclared)
		}
		if err := storage.CheckValue(k.Value); err != nil {
			return fmt.Errorf("%s: key %s: %w", c.Name(), k.Name, err)
		}
	}
	return nil
}

// Delete removes a record. When the answer is lost and the record is gone, it was this call that removed it, as far as can be
// known.
func (e *Engine) Delete(ctx context.Context, collection, id string, version int64) error {
	c, err := e.writable(collection)
	if err != nil {
		return err
	}
	if storage.CheckID(id) != nil {
		return fmt.Errorf("%s %s: %w", collection, id, storage.ErrNotFound)
	}
	return e.run(ctx, &write{collection: c, id: id, version: version, prior: c.made.by(id, version)}, (*write).remove)
}

// run tries a write until its outcome is known, a few times at most.
func (e *Engine) run(ctx context.Context, w *write, try func(*write, context.Context) error) error {
	limited, done, err := e.begin(ctx)
	if err != nil {
		return err
	}
	defer done()
	for tries, wait := 1, firstPause; ; tries, wait = tries+1, 2*wait {
		counted, attempts := counting(limited)
		err := w.attempt(counted, attempts, try)
		last := !passing(err) || tries == writeTries || attempts.sent == 0 && selecting(err)
		if last || pause(limited, wait) != nil {
			return w.answer(ctx, err)
		}
	}
}

// attempt sends a write once, which the driver may do twice. What must not be sent again is judged as it stands.
func (w *write) attempt(ctx context.Context, a *attempts, try func(*write, context.Context) error) error {
	if w.unsure && w.blind() {
		return w.judge(ctx, storage.ErrStale)
	}
	err := try(w, ctx)
	if refusal := (refused{}); errors.As(err, &refusal) {
		w.unsure = w.unsure || a.sent > 1
		err = w.judge(ctx, refusal.error)
	}
	w.unsure = w.unsure || a.sent > 0 && passing(err)
	return err
}

func (w *write) answer(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s: %w", w.Name(), w.id, failure(ctx, err))
}

// refused is a write that the server did not make, for what it found.
type refused struct{ error }

func (w *write) insert(ctx context.Context) error {
	_, err := w.InsertOne(ctx, w.doc)
	if mongo.IsDuplicateKeyError(err) && !passing(err) {
		return refused{storage.ErrExists}
	}
	return err
}

func (w *write) replace(ctx context.Context) error {
	done, err := w.ReplaceOne(ctx, w.found(), w.doc)
	if err == nil && done.MatchedCount == 0 {
		return refused{storage.ErrStale}
	}
	return err
}

func (w *write) remove(ctx context.Context) error {
	done, err := w.DeleteOne(ctx, w.found())
	if err == nil && done.DeletedCount == 0 {
		return refused{storage.ErrStale}
	}
	return err
}

// blind says whether a change can't tell the record that it is about from another of the same id and version.
func (w *write) blind() bool { return w.prior.IsZero() && !w.inserts }

// found is the record as it must be stored for a change to be made.
func (w *write) found() bson.D {
	found := bson.D{{Key: idField, Value: w.id}, {Key: versionField, Value: w.version}}
	if w.unsure {
		found = append(found, bson.E{Key: writeField, Value: w.prior})
	}
	return found
}

// errAgain asks for another try: what was read is not yet what the primary compared with.
var errAgain = fmt.Errorf("%w: storage/mongo: a majority does not have it yet", storage.ErrUnavailable)

// judge finds out why a write was refused: nobody knows when an earlier try of it may have happened.
func (w *write) judge(ctx context.Context, refusal error) error {
	if !w.unsure && errors.Is(refusal, storage.ErrExists) {
		return refusal
	}
	f, err := w.one(ctx, w.id, headFields)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return w.gone(refusal)
	case errors.Is(err, storage.ErrCorrupt): // somebody else wrote it, by hand
		return refusal
	case err != nil:
		return err
	case w.doc != nil && f.write == w.write: // it did happen
		return nil
	case !w.unsure:
		return refusal
	default:
		return w.doubt(f, refusal)
	}
}

// gone answers for a record that is not there.
func (w *write) gone(refusal error) error {
	switch {
	case errors.Is(refusal, storage.ErrExists): // the insert is there, but a majority does not have it
		return errAgain
	case !w.unsure:
		return storage.ErrNotFound
	case w.doc == nil: // the delete that was sent before
		return nil
	default: // a replace that may have happened, before somebody deleted it
		return errUnknown
	}
}

// doubt answers for what others or nobody wrote, where this write may have happened before.
func (w *write) doubt(f fields, refusal error) error {
	made := w.version + 1 // by this write, if it happened
	switch {
	case errors.Is(refusal, storage.ErrStale) && !w.prior.IsZero() && f.write == w.prior: // a majority does not have what was compared with
		return errAgain
	case w.doc != nil && f.record.Version == made, w.doc == nil && f.record.Version != w.version:
		return refusal
	default:
		return errUnknown
	}
}
