package storage

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"time"
)

// ErrUnchanged is returned by the function given to Update (matched with errors.Is) when there is nothing to write.
var ErrUnchanged = errors.New("storage: unchanged")

// Key is a declared key of a collection: its name and the values that a document has under it.
type Key[T any] struct {
	Name   string
	Values func(*T) []string // each passes CheckValue; a repeated value counts once
}

// Shape says how a Go type is kept. Struct fields carry bson and json tags of the same name; an embedded struct is exported and
// `bson:",inline"`. A type that marshals itself to JSON must marshal itself to BSON too, save json.RawMessage.
type Shape[T any] struct {
	Name    string          // the collection
	ID      func(*T) string // "store_id/id"; Update must not change it
	Keys    []Key[T]        // by which it can be found
	Summary func(*T) any    // what lists return, of one struct type, also for a zero T; nil: whole documents
}

// Saved is a document as it is stored.
type Saved[T any] struct {
	Value   T
	Doc     Document
	Version int64
}

// Page is a part of a list. Next is "" at the end, else what Query.After takes to go on.
type Page struct {
	Items   []Document
	Next    string
	Damaged []error // what Query.SkipDamaged left out, each with collection and id
}

// PageOf is a part of a list of decoded documents. Next is as in Page.
type PageOf[T any] struct {
	Items   []Saved[T]
	Next    string
	Damaged []error
}

// Collection keeps documents of one type on any engine. It may be used from many goroutines.
type Collection[T any] struct {
	engine  Engine
	shape   Shape[T]
	form    *form
	summary *form
}

// NewCollection binds a shape to an engine. Engine.Declare must have been given its Declaration before it is used.
func NewCollection[T any](e Engine, s Shape[T]) *Collection[T] {
	c := &Collection[T]{engine: e, shape: s, form: formOf(reflect.TypeFor[T]())}
	if s.Summary != nil {
		var zero T
		c.summary = formOf(reflect.TypeOf(s.Summary(&zero)))
	}
	return c
}

// Declaration is what Engine.Declare must be given.
func (c *Collection[T]) Declaration() Declaration {
	d := Declaration{Name: c.shape.Name}
	for _, k := range c.shape.Keys {
		d.Keys = append(d.Keys, k.Name)
	}
	return d
}

// Get returns a document. ErrNotFound, ErrCorrupt.
func (c *Collection[T]) Get(ctx context.Context, id string) (Saved[T], error) {
	r, err := c.engine.Get(ctx, c.shape.Name, id)
	if err != nil {
		return Saved[T]{}, err
	}
	return c.saved(r)
}

// Raw is Get without decoding: for an answer that is the document itself.
func (c *Collection[T]) Raw(ctx context.Context, id string) (Document, int64, error) {
	r, err := c.engine.Get(ctx, c.shape.Name, id)
	if err != nil {
		return Document{}, 0, err
	}
	return Document{raw: r.Doc, form: c.form}, r.Version, nil
}

// Find walks a declared key and returns summaries, or documents if q.Whole or none are declared. Errors as Engine.Find.
func (c *Collection[T]) Find(ctx context.Context, q Query) (Page, error) {
	q.Whole = q.Whole || c.shape.Summary == nil
	records, more, err := c.find(ctx, q)
	if err != nil {
		return Page{}, err
	}
	page := Page{Items: make([]Document, 0, len(records)), Next: more}
	for _, r := range records {
		if r.Damaged != nil {
			page.Damaged = append(page.Damaged, r.Damaged)
			continue
		}
		d := Document{raw: r.Summary, form: c.summary}
		if q.Whole {
			d = Document{raw: r.Doc, form: c.form}
		}
		page.Items = append(page.Items, d)
	}
	return page, nil
}

// FindValues walks a declared key and returns decoded documents. Errors as Engine.Find.
func (c *Collection[T]) FindValues(ctx context.Context, q Query) (PageOf[T], error) {
	q.Whole = true
	records, more, err := c.find(ctx, q)
	if err != nil {
		return PageOf[T]{}, err
	}
	page := PageOf[T]{Items: make([]Saved[T], 0, len(records)), Next: more}
	for _, r := range records {
		if r.Damaged != nil {
			page.Damaged = append(page.Damaged, r.Damaged)
			continue
		}
		s, err := c.saved(r)
		if err != nil && q.SkipDamaged {
			page.Damaged = append(page.Damaged, err)
			continue
		}
		if err != nil {
			return PageOf[T]{}, err
		}
		page.Items = append(page.Items, s)
	}
	return page, nil
}

// find asks for one record more than the caller, to know whether the page is the last.
func (c *Collection[T]) find(ctx context.Context, q Query) (records []Record, more string, err error) {
	limit := q.Limit
	if limit < 1 || limit > MaxFind {
		return nil, "", fmt.Errorf("storage: limit %d is not within 1 to %d", limit, MaxFind)
	}
	walked, err := q.engines(c.shape.Name)
	if err != nil {
		return nil, "", err
	}
	walked.Limit++
	records, err = c.engine.Find(ctx, c.shape.Name, walked)
	if err != nil || len(records) <= limit {
		return records, "", err
	}
	return records[:limit], q.cursor(c.shape.Name, records[limit-1]), nil
}

// Insert stores a new document as version 1. ErrExists when its id is there, ErrValue for an id or a key's value that
// cannot be stored, ErrTooLarge, ErrFull.
func (c *Collection[T]) Insert(ctx context.Context, v T) (Saved[T], error) {
	r, err := c.record(&v)
	if err != nil {
		return Saved[T]{}, err
	}
	if err := c.engine.Insert(ctx, c.shape.Name, r); err != nil {
		return Saved[T]{}, err
	}
	return Saved[T]{Value: v, Doc: Document{raw: r.Doc, form: c.form}, Version: 1}, nil
}

// Tries and pauses of Update. With 32 writers on one document each round has a winner, so 64 rounds serve them all.
const (
	updateTries = 64
	firstPause  = 500 * time.Microsecond
	longPause   = 20 * time.Millisecond
)

// Update loads a document, lets change alter it, and replaces it if nobody else did meanwhile; otherwise it begins
// again with a fresh value, so change may run several times and must do nothing else. An error of change is returned
// untouched and nothing is written; for ErrUnchanged the stored document and nil are returned. Members of the stored
// document that T does not know are kept. ErrNotFound, ErrUnavailable when others always came first, and as Insert.
func (c *Collection[T]) Update(ctx context.Context, id string, change func(*T) error) (Saved[T], error) {
	for try := range updateTries {
		s, stale, err := c.update(ctx, id, change)
		if !stale {
			return s, err
		}
		if err := pause(ctx, try); err != nil {
			return Saved[T]{}, err
		}
	}
	return Saved[T]{}, fmt.Errorf("%w: %s %s is changed by too many at once", ErrUnavailable, c.shape.Name, id)
}

// UpdateFrom is Update that begins with a document which was read before. What change refuses is judged again by the
// document as it is now.
func (c *Collection[T]) UpdateFrom(ctx context.Context, read Saved[T], change func(*T) error) (Saved[T], error) {
	id, refused := c.shape.ID(&read.Value), false
	s, err := c.saved(Record{ID: id, Doc: read.Doc.raw, Version: read.Version}) // its value may have been changed since
	if err != nil {
		return Saved[T]{}, err
	}
	s, stale, err := c.try(ctx, s, id, func(v *T) error {
		err := change(v)
		refused = err != nil
		return err
	})
	if stale || refused {
		return c.Update(ctx, id, change)
	}
	return s, err
}

// update tries once; stale says that somebody else came first.
func (c *Collection[T]) update(ctx context.Context, id string, change func(*T) error) (_ Saved[T], stale bool, _ error) {
	s, err := c.Get(ctx, id)
	if err != nil {
		return Saved[T]{}, false, err
	}
	return c.try(ctx, s, id, change)
}

// try changes a document that was read, and replaces it if it still is what was read.
func (c *Collection[T]) try(ctx context.Context, s Saved[T], id string, change func(*T) error) (_ Saved[T], stale bool, _ error) {
	if err := change(&s.Value); err != nil {
		s, err = c.refused(s, err)
		return s, false, err
	}
	r, err := c.replacement(s, id)
	if err != nil {
		return Saved[T]{}, false, err
	}
	if err := c.engine.Replace(ctx, c.shape.Name, r); err != nil {
		return Saved[T]{}, errors.Is(err, ErrStale), err
	}
	return Saved[T]{Value: s.Value, Doc: Document{raw: r.Doc, form: c.form}, Version: s.Version + 1}, false, nil
}

// replacement makes the record of a changed value.
func (c *Collection[T]) replacement(s Saved[T], id string) (Record, error) {
	r, err := c.record(&s.Value)
	if err != nil {
		return Record{}, err
	}
	if r.ID != id {
		return Record{}, fmt.Errorf("storage: %s: an update changed the id %s to %s", c.shape.Name, id, r.ID)
	}
	r.Version = s.Version
	r.Doc = keepUnknown(r.Doc, s.Doc.raw, c.form)
	return r, nil
}

// refused answers for a change that did not want to be written. The value is decoded again: change may have altered it.
func (c *Collection[T]) refused(s Saved[T], err error) (Saved[T], error) {
	if !errors.Is(err, ErrUnchanged) {
		return Saved[T]{}, err
	}
	return c.saved(Record{Doc: s.Doc.raw, Version: s.Version})
}

// Delete removes a document if its version is version. ErrStale, ErrNotFound.
func (c *Collection[T]) Delete(ctx context.Context, id string, version int64) error {
	return c.engine.Delete(ctx, c.shape.Name, id, version)
}

func (c *Collection[T]) saved(r Record) (Saved[T], error) {
	s := Saved[T]{Doc: Document{raw: r.Doc, form: c.form}, Version: r.Version}
	if err := unmarshal(r.Doc, &s.Value); err != nil {
		return Saved[T]{}, fmt.Errorf("%s %s: %w", c.shape.Name, r.ID, err)
	}
	return s, nil
}

// record makes what an engine stores of v.
func (c *Collection[T]) record(v *T) (r Record, err error) {
	r.ID = c.shape.ID(v)
	if err := CheckID(r.ID); err != nil {
		return Record{}, fmt.Errorf("%s: id: %w", c.shape.Name, err)
	}
	if r.Keys, err = c.keys(v); err != nil {
		return Record{}, err
	}
	if r.Doc, err = marshal(v); err != nil {
		return Record{}, err
	}
	if c.shape.Summary != nil {
		if r.Summary, err = marshal(c.shape.Summary(v)); err != nil {
			return Record{}, err
		}
	}
	if len(r.Doc)+len(r.Summary) > MaxDocumentBytes {
		return Record{}, fmt.Errorf("%s %s: %d bytes: %w", c.shape.Name, r.ID, len(r.Doc)+len(r.Summary), ErrTooLarge)
	}
	return r, nil
}

func (c *Collection[T]) keys(v *T) ([]KeyValue, error) {
	var keys []KeyValue
	for _, k := range c.shape.Keys {
		for _, value := range k.Values(v) {
			if err := CheckValue(value); err != nil {
				return nil, fmt.Errorf("%s: key %s: %w", c.shape.Name, k.Name, err)
			}
			keys = append(keys, KeyValue{k.Name, value})
		}
	}
	return SortKeys(keys), nil
}

// SortKeys orders entries by name and value, in place, and drops repeated ones: the form in which keys are compared.
func SortKeys(keys []KeyValue) []KeyValue {
	slices.SortFunc(keys, CompareKeys)
	return slices.Compact(keys)
}

// CompareKeys orders entries by name, then value.
func CompareKeys(a, b KeyValue) int {
	if c := strings.Compare(a.Name, b.Name); c != 0 {
		return c
	}
	return strings.Compare(a.Value, b.Value)
}

// pause waits a random while, longer with each try, or until ctx ends.
func pause(ctx context.Context, try int) error {
	longest := min(firstPause<<min(try, 10), longPause)
	timer := time.NewTimer(rand.N(longest)) //nolint:gosec // a pause need not be secret
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
