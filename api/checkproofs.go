package api

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"example.com/walkaround/api/background/timestamp"
	"example.com/walkaround/domain/evidence"
	"example.com/walkaround/storage"
)

// checkpointRows walks the checkpoints of each store in their order.
func (k *checker) checkpointRows(ctx context.Context) error {
	w := checkpointWalk{checker: k}
	name := k.checkpoints.Declaration().Name
	return k.rows(ctx, name, w.met, func(r storage.Record) error {
		saved, err := k.checkpoints.Check(r)
		if err == nil {
			w.take(name+"/"+r.ID, saved.Value)
		}
		return err
	})
}

// checkpointWalk remembers where in which store's checkpoints it is.
type checkpointWalk struct {
	*checker
	store    string
	sequence int64
	previous *evidence.Checkpoint // nil behind one that is gone or damaged
}

// met counts the rows, damaged ones too, and names those that are not there.
func (w *checkpointWalk) met(id string) {
	store, number, _ := strings.Cut(id, "/")
	sequence, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return
	}
	if store != w.store {
		w.store, w.sequence, w.previous = store, 0, nil
	}
	for w.sequence++; w.sequence < sequence; w.sequence++ {
		w.lose("checkpoints", checkpointID(store, w.sequence), "it is gone")
		w.previous = nil
	}
}

func (w *checkpointWalk) take(where string, c evidence.Checkpoint) {
	previous := w.previous
	w.previous = nil
	own := evidence.PublicKey{ID: c.KeyID, StoreID: c.StoreID, Algorithm: evidence.AlgorithmEd25519, Public: c.Public, NotBefore: c.CreatedAt}
	err := w.signed(func(keys evidence.PublicKeys) error { return c.Verify(keys, previous) }, own, where)
	switch {
	case err != nil:
		w.find("checkpoint", where, "%s", plainly(err))
		return
	case int64(len(c.Leaves)) != c.Size:
		w.find("checkpoint", where, "its leaves are gone")
		return
	}
	w.stamped(where, c)
	w.previous, w.last[c.StoreID] = &c, c
	w.open[checkpointID(c.StoreID, c.Sequence)] = c.Size
}

// stamped verifies the token of a timestamp; whose it is, if the roots are known.
func (w *checkpointWalk) stamped(where string, c evidence.Checkpoint) {
	switch {
	case (c.TimestampState == evidence.TimestampVerified) != (c.Timestamp != nil):
		w.find("checkpoint", where, "its timestamp is gone, or was never verified")
	case c.Timestamp != nil && timestamp.VerifyToken(*c.Timestamp, c.Imprint(), w.TimestampRoots) != nil:
		w.find("checkpoint", where, "its timestamp does not verify")
	}
}

// proofRows walks the proofs and then looks whether each checkpoint met all of its own.
func (k *checker) proofRows(ctx context.Context) error {
	if err := values(ctx, k, k.proofs, k.proof); err != nil {
		return err
	}
	absent := int64(0)
	for _, n := range k.open {
		absent += n
	}
	if absent <= int64(k.lost["proofs"]) { // they are named already
		return nil
	}
	for id, n := range k.open {
		if n > 0 {
			k.find("checkpoint", "checkpoints/"+id, "%d of its seals are filed nowhere any more", n)
		}
	}
	return nil
}

// proof holds a proof against the signature that it is of and the checkpoint that it is in.
func (k *checker) proof(ctx context.Context, p proof) error {
	where := "proofs/" + p.Digest
	v, there, unknown, err := k.visitOf(ctx, p.StoreID, p.VisitID, true)
	if err != nil {
		return err
	}
	leaves := []string{p.Leaf}
	switch sig := v.Signature(p.SignatureID); {
	case unknown:
	case !there:
		k.find("proof", where, "visit %s, which it is of, is gone", p.VisitID)
	case sig == nil || sig.Digest != p.Digest:
		k.find("proof", where, "visit %s has no signature %s with this digest", p.VisitID, p.SignatureID)
	case !k.genuine(sig): // reported with its visit
	case sig.Seal.Leaf() != p.Leaf:
		leaves = append(leaves, sig.Seal.Leaf())
		return k.parted(ctx, where, p, leaves)
	case sig.SealedAt != p.SealedAt:
		k.find("proof", where, "its time is not that of signature %s", p.SignatureID)
	}
	_, err = k.included(ctx, where, p, leaves)
	return err
}

// parted reports a seal and a proof that are not of one another. The checkpoint knows which of them is the one that it took.
func (k *checker) parted(ctx context.Context, where string, p proof, leaves []string) error {
	filed, err := k.included(ctx, where, p, leaves)
	if filed == p.Leaf {
		k.find("seal", "visits/"+p.StoreID+"/"+p.VisitID, "the seal of signature %s is not the one that was filed", p.SignatureID)
		return err
	}
	k.find("proof", where, "it is not what the seal of signature %s makes", p.SignatureID)
	return err
}

// included looks which of the leaves is in the checkpoint that the proof names. A proof that names none may be in the
// newest: marks follow a checkpoint.
func (k *checker) included(ctx context.Context, where string, p proof, leaves []string) (leaf string, err error) {
	if p.Checkpoint == 0 {
		newest := k.last[p.StoreID]
		leaf, _ = k.count(newest, leaves)
		return leaf, nil
	}
	id := checkpointID(p.StoreID, p.Checkpoint)
	c, there, unknown, err := look(ctx, k.checkpoints, id)
	switch {
	case err != nil || unknown:
		return "", err
	case !there:
		k.lose("checkpoints", id, "it is gone; %s names it", where)
		return "", nil
	}
	leaf, sound := k.count(c, leaves)
	if leaf == "" && sound {
		k.find("proof", where, "checkpoint %d does not hold it", p.Checkpoint)
	}
	return leaf, nil
}

// count finds a leaf in a checkpoint and notes that its proof was met. One that was reported is not sound.
func (k *checker) count(c evidence.Checkpoint, leaves []string) (leaf string, sound bool) {
	id := checkpointID(c.StoreID, c.Sequence)
	_, walked := k.open[id]
	sound = walked || c.Sequence > k.last[c.StoreID].Sequence
	if i := slices.IndexFunc(leaves, func(l string) bool { return slices.Contains(c.Leaves, l) }); i >= 0 {
		leaf = leaves[i]
		if walked {
			k.open[id]--
		}
	}
	return leaf, sound
}

// reservationRows walks what must be unique. A reservation whose owner was never made is what a crash leaves.
func (k *checker) reservationRows(ctx context.Context) error {
	return values(ctx, k, k.reservations, func(ctx context.Context, r reservation) error {
		parts := strings.SplitN(r.ID, "/", 3)
		if len(parts) != 3 {
			return nil
		}
		there, unknown, err := k.owner(ctx, parts[1], parts[0]+"/"+r.Owner)
		if err == nil && !there && !unknown {
			k.note("row", "reservations/"+r.ID, "its owner %s is not there: what it was made for was never finished", r.Owner)
		}
		return err
	})
}

// owner looks for the row that a kind of reservation is made for. Of idempotency keys it can't be said which that is.
func (k *checker) owner(ctx context.Context, kind, id string) (there, unknown bool, err error) {
	switch kind {
	case "number":
		_, there, unknown, err = look(ctx, k.visits, id)
	case "plate", "vin":
		_, there, unknown, err = look(ctx, k.vehicles, id)
	case "customer":
		_, there, unknown, err = look(ctx, k.customers, id)
	default:
		unknown = true
	}
	return there, unknown, err
}

// allBlobs reads every blob of every store, also those that nothing names.
func (k *checker) allBlobs(ctx context.Context) error {
	return storage.EachBlob(ctx, k.Blobs, func(b storage.BlobInfo) error { return k.blob(ctx, b.Key) })
}

func (k *checker) blob(ctx context.Context, key string) error {
	err := storage.Verify(ctx, k.Blobs, key)
	switch {
	case errors.Is(err, storage.ErrCorrupt):
		k.find("blob", "blobs/"+key, "its bytes are not those that it is named by")
		return nil
	case errors.Is(err, storage.ErrNotFound): // deleted meanwhile; who names it was asked before
		return nil
	}
	return err
}
