package api

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"example.com/walkaround/domain"
	"example.com/walkaround/storage"
)

// reservation is an insert-only claim: of a plate, a VIN, a customer, a visit number or an idempotency key. Who comes
// second finds the first one's id and goes on with it.
type reservation struct {
	ID    string      `bson:"id"` // store_id/kind/what
	Owner string      `bson:"owner"`
	Visit string      `bson:"visit,omitempty"` // that made it by its arrival, and may take it back when that was a slip
	Body  string      `bson:"body,omitempty"`
	At    domain.Time `bson:"at"`
}

// claimTries is how often a claim may be given back between being met and being read.
const claimTries = 8

// claim inserts a reservation, or returns the one that stands.
func (s *Server) claim(ctx context.Context, r reservation) (standing reservation, won bool, err error) {
	for range claimTries {
		_, err = s.reservations.Insert(ctx, r)
		switch {
		case err == nil:
			return r, true, nil
		case !errors.Is(err, storage.ErrExists):
			return r, false, err
		}
		saved, err := s.reservations.Get(ctx, r.ID)
		if !errors.Is(err, storage.ErrNotFound) {
			return saved.Value, false, err
		}
	}
	return r, false, fmt.Errorf("%w: a claim comes and goes", storage.ErrUnavailable)
}

// reservationID is the id of the claim of what is unique in its store among those of a kind.
func reservationID(storeID, kind, what string) string { return storeID + "/" + kind + "/" + what }

func reservationsOf(e storage.Engine) *storage.Collection[reservation] {
	return storage.NewCollection(e, storage.Shape[reservation]{
		Name: "reservations", ID: func(r *reservation) string { return r.ID },
		Keys: []storage.Key[reservation]{
			{Name: "number", Values: func(r *reservation) []string {
				if !strings.Contains(r.ID, "/number/") {
					return nil
				}
				return []string{r.ID}
			}},
			{Name: "expires", Values: func(r *reservation) []string {
				if _, of, _ := strings.Cut(r.ID, "/"); !strings.HasPrefix(of, "key/") {
					return nil
				}
				return []string{domain.At(r.At.Add(domain.AnswersKept)).String()}
			}},
		},
	})
}

// prune deletes the claims of idempotency keys that lapsed. One that is taken anew meanwhile stays.
func (s *Server) prune(ctx context.Context) error {
	lapsed := storage.Query{Key: "expires", To: domain.At(s.Now()).String()}
	damaged, err := each(ctx, s.reservations, lapsed, func(r storage.Saved[reservation]) error {
		err := s.reservations.Delete(ctx, r.Value.ID, r.Version)
		if errors.Is(err, storage.ErrStale) || errors.Is(err, storage.ErrNotFound) {
			return nil
		}
		return err
	})
	return errors.Join(append(damaged, err)...)
}
