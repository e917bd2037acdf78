package api

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"example.com/walkaround/api/background/timestamp"
	"example.com/walkaround/domain"
	"example.com/walkaround/domain/evidence"
	"example.com/walkaround/domain/store"
	"example.com/walkaround/storage"
)

const (
	checkpointEvery = 10 * time.Minute
	checkpointTries = 16 // how often others may be first
)

// proof is what anyone may look up by a digest: no personal data, filed by the digest alone.
type proof struct {
	Digest      string      `bson:"digest"`
	StoreID     string      `bson:"store_id"`
	VisitID     string      `bson:"visit_id"`
	SignatureID string      `bson:"signature_id"`
	SealedAt    domain.Time `bson:"sealed_at"`
	Leaf        string      `bson:"leaf"`
	Checkpoint  int64       `bson:"checkpoint"` // its sequence; 0: in none yet
}

func proofsOf(e storage.Engine) *storage.Collection[proof] {
	return storage.NewCollection(e, storage.Shape[proof]{
		Name: "proofs",
		ID:   func(p *proof) string { return p.Digest },
		Keys: []storage.Key[proof]{{Name: "unchecked", Values: func(p *proof) []string {
			if p.Checkpoint > 0 {
				return nil
			}
			return []string{p.StoreID + "/" + p.SealedAt.String()}
		}}},
	})
}

func checkpointsOf(e storage.Engine) *storage.Collection[evidence.Checkpoint] {
	return storage.NewCollection(e, storage.Shape[evidence.Checkpoint]{
		Name: "checkpoints",
		ID:   func(c *evidence.Checkpoint) string { return checkpointID(c.StoreID, c.Sequence) },
		Keys: []storage.Key[evidence.Checkpoint]{
			{Name: "sequence", Values: func(c *evidence.Checkpoint) []string { return []string{checkpointID(c.StoreID, c.Sequence)} }},
			{Name: "unstamped", Values: func(c *evidence.Checkpoint) []string {
				if c.TimestampState != evidence.TimestampPending {
					return nil
				}
				return []string{checkpointID(c.StoreID, c.Sequence)}
			}},
		},
	})
}

func checkpointID(storeID string, sequence int64) string {
	return fmt.Sprintf("%s/%012d", storeID, sequence)
}

// Checkpoint takes every seal that has none yet into a checkpoint of its store, and asks for the timestamps that are not
// there yet. The relay does so each hour; it may be run at any time, also twice at once and on several replicas. What
// fails in one store stops no other; the error tells of all that failed, and the next run goes on.
func (s *Server) Checkpoint(ctx context.Context) error {
	var failed []error
	damaged, err := each(ctx, s.stores, storage.Query{Key: "id"}, func(st storage.Saved[store.Store]) error {
		if err := s.checkpoint(ctx, st.Value.ID); err != nil {
			failed = append(failed, fmt.Errorf("checkpoint of %s: %w", st.Value.ID, err))
		}
		return ctx.Err()
	})
	return errors.Join(append(append(failed, damaged...), err, s.stampPending(ctx))...)
}

// each visits all documents of a query, page by page, until visit returns an error. What is damaged is passed over and
// told: it must not hold up the others.
func each[T any](ctx context.Context, c *storage.Collection[T], q storage.Query, visit func(storage.Saved[T]) error) (damaged []error, err error) {
	q.Limit, q.SkipDamaged = storage.MaxFind, true
	for {
		page, err := c.FindValues(ctx, q)
		if err != nil {
			return damaged, err
		}
		damaged = append(damaged, page.Damaged...)
		for _, saved := range page.Items {
			if err := visit(saved); err != nil {
				return damaged, err
			}
		}
		if q.After = page.Next; q.After == "" {
			return damaged, nil
		}
	}
}

// checkpoint begins again whenever another replica was first, and goes on from its checkpoint.
func (s *Server) checkpoint(ctx context.Context, storeID string) error {
	for range checkpointTries {
		if err := s.checkpointWaiting(ctx, storeID); !errors.Is(err, storage.ErrExists) {
			return err
		}
	}
	return fmt.Errorf("%w: others are always first", storage.ErrUnavailable)
}

// checkpointWaiting takes the seals of a store that have none yet into trees, insert-only by (store, sequence). The seals
// that the last one holds are marked first, since a crash may have come in between: so none is taken twice.
// storage.ErrExists when another replica inserted the next one; a damaged proof is told, and the others are taken.
func (s *Server) checkpointWaiting(ctx context.Context, storeID string) error {
	last, err := s.lastCheckpoint(ctx, storeID)
	if err == nil && last != nil {
		err = s.mark(ctx, *last)
	}
	var damaged []error
	q := waiting(storeID)
	for err == nil {
		var page storage.PageOf[proof]
		page, err = s.proofs.FindValues(ctx, q)
		damaged = append(damaged, page.Damaged...)
		if err == nil && len(page.Items) > 0 {
			last, err = s.insertCheckpoint(ctx, storeID, last, page.Items)
			if err == nil {
				err = s.mark(ctx, *last)
			}
		}
		if q.After = page.Next; q.After == "" {
			break
		}
	}
	return errors.Join(append(damaged, err)...)
}

// waiting asks for the seals of a store that are in no checkpoint, in the order in which they were sealed.
func waiting(storeID string) storage.Query {
	return storage.Query{Key: "unchecked", Prefix: storeID + "/", Limit: storage.MaxFind, Whole: true, SkipDamaged: true}
}

func (s *Server) insertCheckpoint(ctx context.Context, storeID string, last *evidence.Checkpoint, proofs []storage.Saved[proof]) (*evidence.Checkpoint, error) {
	storeKey, err := s.auth.StoreKey(ctx, storeID)
	if err != nil {
		return nil, err
	}
	leaves := make([]string, len(proofs))
	for i, p := range proofs {
		leaves[i] = p.Value.Leaf
	}
	next, err := evidence.NewCheckpoint(storeKey, last, leaves, notBefore(domain.At(s.Now()), last, proofs))
	if err != nil {
		return nil, err
	}
	if s.Timestamps != nil {
		next.TimestampState = evidence.TimestampPending
	}
	_, err = s.checkpoints.Insert(ctx, next)
	return &next, err
}

// notBefore is now, but not before the checkpoint that is followed, nor before a seal that is held: where the clock stepped
// back, what is honest must not look forged.
func notBefore(now domain.Time, last *evidence.Checkpoint, proofs []storage.Saved[proof]) domain.Time {
	if last != nil && last.CreatedAt.After(now.Time) {
		now = last.CreatedAt
	}
	for _, p := range proofs {
		if p.Value.SealedAt.After(now.Time) {
			now = p.Value.SealedAt
		}
	}
	return now
}

func (s *Server) lastCheckpoint(ctx context.Context, storeID string) (*evidence.Checkpoint, error) {
	page, err := s.checkpoints.FindValues(ctx, storage.Query{Key: "sequence", Prefix: storeID + "/", Desc: true, Limit: 1, Whole: true})
	if err != nil || len(page.Items) == 0 {
		return nil, err
	}
	return &page.Items[0].Value, nil
}

// mark tells the proofs which checkpoint holds them. It looks at all that wait: seals of a clock that stepped back, or of
// a replica whose clock is behind, stand before those that the checkpoint holds.
func (s *Server) mark(ctx context.Context, c evidence.Checkpoint) error {
	_, err := each(ctx, s.proofs, waiting(c.StoreID), func(p storage.Saved[proof]) error {
		if !slices.Contains(c.Leaves, p.Value.Leaf) {
			return nil
		}
		_, err := s.proofs.Update(ctx, p.Value.Digest, func(p *proof) error {
			if p.Checkpoint != 0 {
				return storage.ErrUnchanged
			}
			p.Checkpoint = c.Sequence
			return nil
		})
		return err
	})
	return err // what is damaged is told by who looks for what waits
}

// stampPending asks the authority for the timestamps that are not there yet, of all stores. Never a local time in its
// place: what the authority refuses, or what doesn't verify, stays pending. One that can't be reached is left alone until
// the next round.
func (s *Server) stampPending(ctx context.Context) error {
	if s.Timestamps == nil {
		return nil
	}
	refused, first := 0, error(nil)
	damaged, err := each(ctx, s.checkpoints, storage.Query{Key: "unstamped"}, func(c storage.Saved[evidence.Checkpoint]) error {
		err := s.stamp(ctx, c.Value)
		if !errors.Is(err, timestamp.ErrRefused) && !errors.Is(err, timestamp.ErrUntrusted) {
			return err
		}
		if refused++; first == nil {
			first = err
		}
		return nil
	})
	if first != nil {
		first = fmt.Errorf("%d timestamps stay pending, the first: %w", refused, first)
	}
	return errors.Join(append(damaged, first, err)...)
}

// stamp gets the timestamp of one checkpoint; the token that was there first stays.
func (s *Server) stamp(ctx context.Context, c evidence.Checkpoint) error {
	id := checkpointID(c.StoreID, c.Sequence)
	token, err := s.Timestamps.Stamp(ctx, c.Imprint())
	if err != nil {
		return fmt.Errorf("timestamp of checkpoint %s: %w", id, err)
	}
	_, err = s.checkpoints.Update(ctx, id, func(c *evidence.Checkpoint) error {
		if c.TimestampState != evidence.TimestampPending {
			return storage.ErrUnchanged
		}
		c.TimestampState, c.Timestamp = evidence.TimestampVerified, &token
		return nil
	})
	return err
}
