// Package migrate brings the documents of a store to the format that this program knows, and keeps programs away from a
// store that they must not open: of a newer format, or restored in part.
//
// Call Prepare before anything else is done with an engine that is served; Refuse where it is only read. The format stands
// in the collection meta. The package imports domain and storage.
//
// A migration is a Step. It changes each document in one replace, compared with the version that was read, and leaves alone
// what is of its format already: so it can be killed at any moment and run again, and be run by two at once. Before the
// first document is changed the store says that it is on its way to the new format, and no older program opens it any more.
package migrate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"example.com/walkaround/storage"
)

// Why a store is not opened. Each is matched with errors.Is.
var (
	ErrNewer     = errors.New("the documents are of a newer version of walkaround")
	ErrRestoring = errors.New("a restore into this store has begun and is not finished: run the same restore again, or empty the store")
)

// Oldest is the format of a store that does not say its own: release 0.1.0 wrote none.
const Oldest = 1

// Step brings every document from the format before To to To.
type Step struct {
	To int

	// Run changes the documents. It may be ended anywhere, and is run again then; it may run twice at once.
	Run func(ctx context.Context, e storage.Engine) error
}

// Steps are the migrations of a program, in order: the first makes the format after Oldest.
type Steps []Step

// Known are the migrations of this program. No document has changed since release 0.1.0.
func Known() Steps { return nil }

// Newest is the format that a program knows.
func (s Steps) Newest() int { return Oldest + len(s) }

// Leases lets one process at a time do something.
type Leases interface {
	Hold(ctx context.Context, name string, ttl time.Duration) (bool, error)
	Release(ctx context.Context, name string) error
}

var errLost = fmt.Errorf("%w: the lease of the migration was lost", storage.ErrUnavailable)

const (
	leaseName = "migrate"
	leaseTime = 15 * time.Second
	askEvery  = time.Second // while another process migrates
)

// Refuse says why a store can't be opened with these steps: ErrNewer, ErrRestoring, or nil.
func (s Steps) Refuse(ctx context.Context, e storage.Engine) error {
	if err := Declare(ctx, e); err != nil {
		return err
	}
	_, err := s.stands(ctx, e)
	return err
}

// stands reads the format of a store that may be opened.
func (s Steps) stands(ctx context.Context, e storage.Engine) (Format, error) {
	if _, err := Restoring(ctx, e); !errors.Is(err, storage.ErrNotFound) {
		return Format{}, errors.Join(err, restoringIf(err == nil))
	}
	f, err := FormatOf(ctx, e)
	if err == nil && f.needs() > s.Newest() {
		err = fmt.Errorf("%w: they are of format %d, and this program knows formats up to %d", ErrNewer, f.needs(), s.Newest())
	}
	return f, err
}

func restoringIf(begun bool) error {
	if begun {
		return ErrRestoring
	}
	return nil
}

// Prepare brings a store to the newest format and returns when it is there, whoever did it. leases must be ready for use.
// An empty store is of the newest format from its beginning. ErrNewer, ErrRestoring.
func (s Steps) Prepare(ctx context.Context, e storage.Engine, leases Leases) error {
	if err := Declare(ctx, e); err != nil {
		return err
	}
	for {
		f, err := s.stands(ctx, e)
		if err != nil || f.said && f.Version == s.Newest() {
			return err
		}
		mine, err := leases.Hold(ctx, leaseName, leaseTime)
		if err != nil {
			return err
		}
		if mine {
			return errors.Join(s.migrate(ctx, e, leases), leases.Release(context.WithoutCancel(ctx), leaseName))
		}
		if err := wait(ctx, askEvery); err != nil {
			return err
		}
	}
}

// migrate runs the steps that are missing while it holds the lease. A lease that is lost ends it.
func (s Steps) migrate(ctx context.Context, e storage.Engine, leases Leases) error {
	ctx, lost := context.WithCancelCause(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		renew(ctx, lost, leases)
	}()
	err := s.steps(ctx, e)
	if lost(nil); err != nil {
		err = errors.Join(err, notCanceled(context.Cause(ctx)))
	}
	<-ended
	return err
}

func (s Steps) steps(ctx context.Context, e storage.Engine) error {
	f, err := s.stands(ctx, e) // another process may have come before
	if err == nil && !f.said {
		f, err = s.begin(ctx, e)
	}
	for _, step := range s[min(len(s), max(0, f.Version-Oldest)):] {
		if err != nil {
			return err
		}
		if err = SetFormat(ctx, e, Format{Version: f.Version, Target: step.To}); err != nil {
			return err
		}
		if err := step.Run(ctx, e); err != nil {
			return fmt.Errorf("bring the documents to format %d: %w", step.To, err)
		}
		f = Format{Version: step.To}
		err = SetFormat(ctx, e, f)
	}
	return err
}

// begin writes the format of a store that says none: an empty one is new, any other is of the oldest program.
func (s Steps) begin(ctx context.Context, e storage.Engine) (Format, error) {
	f := Format{Version: Oldest}
	empty, err := Empty(ctx, e)
	if empty {
		f.Version = s.Newest()
	}
	if err == nil {
		err = SetFormat(ctx, e, f)
	}
	return f, err
}

// renew holds on to the lease until ctx ends.
func renew(ctx context.Context, lost context.CancelCauseFunc, leases Leases) {
	for wait(ctx, leaseTime/3) == nil {
		if mine, err := leases.Hold(ctx, leaseName, leaseTime); err != nil || !mine {
			lost(errors.Join(errLost, err))
			return
		}
	}
}

// notCanceled is the cause of an end that was not asked for.
func notCanceled(cause error) error {
	if errors.Is(cause, context.Canceled) {
		return nil
	}
	return cause
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Each has change make of every record of a declared collection what it is to be: Doc, Summary and Keys. Where change
// returns storage.ErrUnchanged the record is of the new format already. What others change meanwhile is read and changed again;
// what is damaged can't be read in any format, and is left for check to name.
func Each(ctx context.Context, e storage.Engine, collection string, change func(storage.Record) (storage.Record, error)) error {
	return e.Walk(ctx, collection, func(r storage.Record, damage error) error {
		if errors.Is(damage, storage.ErrCorrupt) {
			return nil
		}
		err := errors.Join(damage, replace(ctx, e, collection, r, change))
		for damage == nil && errors.Is(err, storage.ErrStale) {
			if r, err = e.Get(ctx, collection, r.ID); err == nil {
				err = replace(ctx, e, collection, r, change)
			}
		}
		if errors.Is(err, storage.ErrNotFound) { // it was deleted meanwhile
			return nil
		}
		return err
	})
}

func replace(ctx context.Context, e storage.Engine, collection string, r storage.Record, change func(storage.Record) (storage.Record, error)) error {
	fresh, err := change(r)
	if errors.Is(err, storage.ErrUnchanged) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", collection, r.ID, err)
	}
	fresh.ID, fresh.Version = r.ID, r.Version
	return e.Replace(ctx, collection, fresh)
}
