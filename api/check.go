package api

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.com/walkaround/api/auth"
	"example.com/walkaround/api/background"
	"example.com/walkaround/domain"
	"example.com/walkaround/domain/evidence"
	"example.com/walkaround/domain/visit"
	"example.com/walkaround/storage"
)

// Finding is one thing that is not as it was written.
type Finding struct {
	Kind  string `json:"kind"`  // row, blob, event, section, seal, mark, key, proof, checkpoint or task
	Where string `json:"where"` // collection/id; of a blob blobs/store_id/SHA-256
	What  string `json:"what"`  // one English sentence without personal data
	Note  bool   `json:"note"`  // worth telling, but nothing is damaged
}

// String is the finding on one line.
func (f Finding) String() string {
	line := f.Kind + " " + f.Where + ": " + f.What
	if f.Note {
		return "note: " + line
	}
	return line
}

// CheckConfig is what Check reads. The engine may be opened read-only, beside a running server.
type CheckConfig struct {
	Engine         storage.Engine
	Blobs          storage.Blobs
	TimestampRoots *x509.CertPool // of the authority; nil: a token is verified, but not whose it is
	Now            time.Time      // against which tasks are held that are put off; zero: they are not
}

// Check reads every document, blob, chain, seal, key and checkpoint and reports each that is not as it was written. It
// streams: what it holds in memory grows with what it finds, and by a number a checkpoint. The error is that of a storage
// that can't be read; findings are none.
//
// It never believes a row's own checksum alone: what a forger could write with a right checksum is held against chains,
// seals and checkpoints, which he can't. What no seal holds is held against what follows from one: the damage ledgers against
// what was signed, states and names against the events, photos against their bytes.
func Check(ctx context.Context, c CheckConfig, report func(Finding)) error {
	k := &checker{
		CheckConfig: c, data: collections(c.Engine), report: report, told: map[string]bool{}, lost: map[string]int{},
		templates: map[string]sheetTemplate{}, foreign: map[string]bool{}, open: map[string]int64{}, last: map[string]evidence.Checkpoint{},
	}
	if err := c.Engine.Declare(ctx, declarations(c.Engine)); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{
		k.plainCollections, k.readKeys, k.templateRows, k.checkpointRows, k.visitRows, k.proofRows, k.fileRows, k.reservationRows, k.ledgerRows,
		k.allBlobs,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// checker is one run of Check.
type checker struct {
	CheckConfig
	data
	report  func(Finding)
	keys    evidence.PublicKeys
	told    map[string]bool                // rows that were reported as damaged or gone
	lost    map[string]int                 // how many of them, by collection
	foreign map[string]bool                // ids of keys that something is signed with, and that are not there
	open    map[string]int64               // by checkpoint: seals whose proofs were not met yet
	last    map[string]evidence.Checkpoint // the newest of each store
	recent  visit.Visit                    // read last by visitOf

	templates map[string]sheetTemplate // versions of checklists that were met, by id
}

func (k *checker) find(kind, where, format string, args ...any) {
	k.report(Finding{Kind: kind, Where: where, What: fmt.Sprintf(format, args...)})
}

func (k *checker) note(kind, where, format string, args ...any) {
	k.report(Finding{Kind: kind, Where: where, What: fmt.Sprintf(format, args...), Note: true})
}

// lose reports a row once, however many miss it.
func (k *checker) lose(collection, id, format string, args ...any) {
	where := collection + "/" + id
	if !k.told[where] {
		k.told[where] = true
		k.lost[collection]++
		k.find("row", where, format, args...)
	}
}

// rows walks a collection. Damaged rows are reported; each gives met its id, and whole ones go to fn.
func (k *checker) rows(ctx context.Context, collection string, met func(id string), fn func(storage.Record) error) error {
	return k.Engine.Walk(ctx, collection, func(r storage.Record, damage error) error {
		if damage != nil && r.Doc == nil && r.ID != "" {
			return k.stray(ctx, collection, r.ID, damage)
		}
		if met != nil {
			met(r.ID)
		}
		if damage == nil {
			damage = fn(r)
		}
		if errors.Is(damage, storage.ErrCorrupt) {
			k.lose(collection, r.ID, "%s", faultOf(damage, collection, r.ID))
			return nil
		}
		return damage
	})
}

// stray reports an entry of a key that no row has: once for a row that is gone with all its entries left.
func (k *checker) stray(ctx context.Context, collection, id string, damage error) error {
	_, err := k.Engine.Get(ctx, collection, id)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		k.lose(collection, id, "it is gone")
	case err == nil || errors.Is(err, storage.ErrCorrupt):
		k.lose(collection, id, "%s", faultOf(damage, collection, id))
	case errors.Is(err, storage.ErrUndeclared): // of another version of the program
		k.lose(collection, id, "%s", faultOf(damage, collection, id))
	default:
		return err
	}
	return nil
}

// faultOf cuts what is wrong out of an engine's error.
func faultOf(err error, collection, id string) string {
	_, what, ok := strings.Cut(err.Error(), collection+" "+id+": ")
	if !ok || id == "" {
		return "its stored bytes are damaged"
	}
	return what
}

// values is rows of one type.
func values[T any](ctx context.Context, k *checker, c *storage.Collection[T], fn func(context.Context, T) error) error {
	return k.rows(ctx, c.Declaration().Name, nil, func(r storage.Record) error {
		saved, err := c.Check(r)
		if err != nil || fn == nil {
			return err
		}
		return fn(ctx, saved.Value)
	})
}

// look reads a document that another one names. It is there, or it is not, or it can't be said because its row is damaged.
func look[T any](ctx context.Context, c *storage.Collection[T], id string) (v T, there, unknown bool, err error) {
	saved, err := c.Get(ctx, id)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return v, false, false, nil
	case errors.Is(err, storage.ErrCorrupt):
		return v, false, true, nil
	}
	return saved.Value, err == nil, err != nil, err
}

// demand reports a row that another one names and that is gone.
func demand[T any](ctx context.Context, k *checker, c *storage.Collection[T], id, by string) error {
	_, there, unknown, err := look(ctx, c, id)
	if err == nil && !there && !unknown {
		k.lose(c.Declaration().Name, id, "it is gone; %s names it", by)
	}
	return err
}

// visitOf reads a visit, of which neighbours are asked for one after the other; fresh reads it again.
func (k *checker) visitOf(ctx context.Context, storeID, id string, fresh bool) (v visit.Visit, there, unknown bool, err error) {
	if !fresh && k.recent.ID == id && k.recent.StoreID == storeID {
		return k.recent, true, false, nil
	}
	v, there, unknown, err = look(ctx, k.visits, storeID+"/"+id)
	if there {
		k.recent = v
	}
	return v, there, unknown, err
}

// plainCollections checks the rows of which nothing more is known than their type, or not even that.
func (k *checker) plainCollections(ctx context.Context) error {
	names, err := k.Engine.Collections(ctx)
	if err != nil {
		return err
	}
	plain, own := k.plain(), declarations(k.Engine)
	for _, name := range names {
		check, ok := plain[name]
		known := slices.ContainsFunc(own, func(d storage.Declaration) bool { return d.Name == name })
		if known && !ok {
			continue // it has a step of its own
		}
		if !known {
			check = func(storage.Record) error { return nil }
		}
		if err := k.rows(ctx, name, nil, check); err != nil {
			return err
		}
	}
	return nil
}

// plain says of these collections whether a record is whole.
func (k *checker) plain() map[string]func(storage.Record) error {
	checks := auth.Checks(k.Engine)
	addPlain(checks, k.vehicles)
	addPlain(checks, k.customers)
	addPlain(checks, k.stores)
	addPlain(checks, k.phrases)
	addPlain(checks, background.LeasesOf(k.Engine))
	return checks
}

func addPlain[T any](checks map[string]func(storage.Record) error, c *storage.Collection[T]) {
	checks[c.Declaration().Name] = func(r storage.Record) error {
		_, err := c.Check(r)
		return err
	}
}

// readKeys reads the stores' public keys.
func (k *checker) readKeys(ctx context.Context) (err error) {
	k.keys, err = auth.CheckKeys(ctx, k.Engine, func(id, what string) {
		if where := "signing_keys/" + id; !k.told[where] {
			k.find("key", where, "%s", what)
		}
	})
	return err
}

// signed judges a signature that was made with a key: by the store's own one, or, when that is gone (which is reported
// once), by the one that the signed thing brings itself, so that what was changed shows even then.
func (k *checker) signed(verify func(evidence.PublicKeys) error, own evidence.PublicKey, at string) error {
	err := verify(k.keys)
	if !errors.Is(err, evidence.ErrUnknownKey) {
		return err
	}
	if !k.foreign[own.ID] {
		k.foreign[own.ID] = true
		k.find("key", "signing_keys/"+own.ID, "store %s has no such key; %s is signed with it", own.StoreID, at)
	}
	return verify(evidence.PublicKeys{own.ID: own})
}

// putOff is longer than the relay puts off any task, by a clock that is not quite right.
const putOff = 24 * time.Hour

// tasks tells of what was set aside or put off: what is owed excuses what is not there yet, so that it must be owed in earnest.
func (k *checker) tasks(where string, o domain.Outbox) {
	for _, t := range o {
		switch {
		case t.FailedAt != nil:
			k.note("task", where, "%s of %s was set aside after %d attempts", t.Type, t.Ref, t.Attempts)
		case !k.Now.IsZero() && t.DueAt.After(k.Now.Add(putOff)):
			k.find("task", where, "%s of %s is put off until %s", t.Type, t.Ref, t.DueAt)
		}
	}
}
