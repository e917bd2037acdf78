// Package storage keeps documents and blobs, and promises the same on every engine.
//
// Call Open of package storage/open for an engine, then NewCollection for each aggregate: Get, Find, Insert and Update
// are all that a handler needs. An engine implements Engine and Blobs and passes storagetest.
//
// What is promised can be kept by SQLite and by a sharded MongoDB without transactions: one document changes in one
// atomic replace, compared with the version that was read; uniqueness is an insert that fails when the id is there;
// every query walks one declared key.
package storage

import (
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// What an engine answers. Each is matched with errors.Is; an engine wraps its own error beside it.
var (
	ErrNotFound    = errors.New("storage: not found")
	ErrExists      = errors.New("storage: id exists")                        // Insert of an id that is there
	ErrStale       = errors.New("storage: version has changed")              // Replace or Delete of another version than the stored one
	ErrUndeclared  = errors.New("storage: key is not declared")              // a Query by a key that the collection did not declare
	ErrCursor      = errors.New("storage: malformed cursor")                 // Query.After was not made by Cursor
	ErrValue       = errors.New("storage: id or key value cannot be stored") // see CheckValue
	ErrCorrupt     = errors.New("storage: stored bytes are damaged")
	ErrFull        = errors.New("storage: no space left") // ENOSPC, EDQUOT and EFBIG alike
	ErrUnavailable = errors.New("storage: out of reach")  // worth trying again later
	ErrTooLarge    = errors.New("storage: document or blob over its limit")
	ErrRetained    = errors.New("storage: blob is retained")
)

// MaxDocumentBytes is the largest document that Insert and Replace take.
const MaxDocumentBytes = 4 << 20

// MaxFind is the largest Query.Limit.
const MaxFind = 200

// KeyValue is one entry of a declared key. Values compare as bytes: write times by domain.Layout and numbers with
// leading zeros. A key may have several values in one document (last digits, words) or none.
type KeyValue struct {
	Name  string
	Value string
}

// Record is one document as an engine keeps it.
type Record struct {
	ID      string     // "store_id/id"; what is looked up without a store has an id of its own kind
	Version int64      // 1 after Insert, one more after each Replace
	Doc     bson.Raw   // the document; not valid after the engine is closed, never shared with another caller
	Summary bson.Raw   // what lists return, or nil when the collection declares none
	Keys    []KeyValue // the entries of its declared keys; only written, an engine need not return them
	At      string     // set by Find: the key's value at which this record was found
	Damaged error      // set by Find for Query.SkipDamaged: an ErrCorrupt; of this record only ID and At can be read
}

// Declaration is what an engine must know of a collection before it is used.
type Declaration struct {
	Name string   // a lower-case word of [a-z_]
	Keys []string // names of the declared keys, each [a-z_]
}

// Query walks one declared key in order of (value, id). Exactly one of Equal, Prefix and From/To bounds it; with none
// of them it walks the whole key.
type Query struct {
	Key      string
	Equal    string
	Prefix   string
	From, To string // From ≤ value < To; an empty To has no upper end
	Desc     bool   // from the highest (value, id) down
	Limit    int    // 1 to MaxFind (an engine takes one more, by which Collection sees whether more follows)
	After    string // the walk goes on behind it: for an engine a Cursor, for a Collection the Page.Next of the same walk
	Whole    bool   // return Doc; otherwise a collection with summaries returns Summary alone

	// SkipDamaged takes a damaged record for one that only says so, instead of failing the whole page. For what is shown
	// and what is worked off; not for what decides whether something is there.
	SkipDamaged bool
}

// Engine keeps documents. All methods may be called from many goroutines. All respect the context's deadline: a write
// whose context ends may or may not have happened, one that returned nil is durable. The bytes of a Record that is
// written belong to the engine from the call on, even when it returns early: they are never changed by the caller.
type Engine interface {
	// Declare makes ready what the declared collections need. It is idempotent and may be run by several processes
	// at once.
	Declare(ctx context.Context, declarations []Declaration) error

	// Get returns the record with Doc. ErrNotFound when it is absent, ErrCorrupt when its bytes are damaged.
	Get(ctx context.Context, collection, id string) (Record, error)

	// Find returns at most Limit records, each document once even where several of its values match (at the first of
	// them in the order asked). An empty page is no error. ErrUndeclared, ErrCursor; a damaged record is
	// ErrCorrupt, or with SkipDamaged a record that says so.
	Find(ctx context.Context, collection string, q Query) ([]Record, error)

	// Insert stores a new record with version 1. ErrExists when its id is there: then nothing changed.
	Insert(ctx context.Context, collection string, r Record) error

	// Replace stores r in place of the record of the same id whose version is r.Version, as version r.Version+1.
	// ErrStale when the stored version is another, ErrNotFound when it is absent.
	Replace(ctx context.Context, collection string, r Record) error

	// Delete removes the record if its version is version. ErrStale, ErrNotFound.
	Delete(ctx context.Context, collection, id string, version int64) error

	// Walk calls fn with every record of a collection in order of id, with Doc, Summary and Keys as they are stored, for
	// check and backup. A damaged record comes with ErrCorrupt (its ID set, as far as it is known), and so does a key's
	// entry that no document has or the lack of one that a document has; the walk goes on. What changes during the walk
	// may be seen or not. An error of fn ends it and is returned untouched.
	Walk(ctx context.Context, collection string, fn func(Record, error) error) error

	// Collections names the collections that are stored, in order, whether declared in this process or not.
	Collections(ctx context.Context) ([]string, error)

	// Ping says whether the engine can be reached and read.
	Ping(ctx context.Context) error

	// Close waits for writes under way and releases everything.
	Close() error
}
