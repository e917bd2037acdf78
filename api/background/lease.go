// Package background does what follows an answer: the relay of owed tasks, checkpoints, derived sizes. Any number of
// replicas may run it: work is claimed by lease documents, and every task may run more than once.
//
// Call NewRelay, Serve for each collection that owes tasks, Every for what recurs, then Start. The package may import
// domain and storage; what a task does is given to it by package api.
package background

import (
	"context"
	"errors"
	"time"

	"example.com/walkaround/domain"
	"example.com/walkaround/storage"
)

// Lease is a claim that lapses by itself.
type Lease struct {
	Name   string      `bson:"name"`
	Holder string      `bson:"holder"`
	Until  domain.Time `bson:"until"`
}

// Leases keeps the claims of one process.
type Leases struct {
	collection *storage.Collection[Lease]
	holder     string
	now        func() time.Time
}

// LeasesOf gives the collection of leases.
func LeasesOf(e storage.Engine) *storage.Collection[Lease] {
	return storage.NewCollection(e, storage.Shape[Lease]{Name: "leases", ID: func(l *Lease) string { return l.Name }})
}

// NewLeases makes the claims of this process.
func NewLeases(e storage.Engine, now func() time.Time) *Leases {
	return &Leases{collection: LeasesOf(e), holder: domain.NewID(), now: now}
}

var errHeld = errors.New("background: another process holds the lease")

// Hold claims name for this process until ttl from now, or renews its claim; false while another holds it. A claim
// further ahead than ttl was written by a clock that ran wrong: it counts as lapsed.
func (l *Leases) Hold(ctx context.Context, name string, ttl time.Duration) (bool, error) {
	now := l.now()
	mine := Lease{Name: name, Holder: l.holder, Until: domain.At(now.Add(ttl))}
	_, err := l.collection.Update(ctx, name, func(held *Lease) error {
		if left := held.Until.Sub(now); held.Holder != l.holder && left > 0 && left <= ttl {
			return errHeld
		}
		*held = mine
		return nil
	})
	if errors.Is(err, storage.ErrNotFound) {
		_, err = l.collection.Insert(ctx, mine)
	}
	if errors.Is(err, errHeld) || errors.Is(err, storage.ErrExists) {
		return false, nil
	}
	return err == nil, err
}

// Release gives name back, so that another process need not wait for it to lapse.
func (l *Leases) Release(ctx context.Context, name string) error {
	_, err := l.collection.Update(ctx, name, func(held *Lease) error {
		if held.Holder != l.holder {
			return storage.ErrUnchanged
		}
		held.Until = domain.At(l.now())
		return nil
	})
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	return err
}
