package background

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"strings"
	"time"

	"example.com/walkaround/domain"
	"example.com/walkaround/storage"
)

// sweepAfter is how old a blob must be, and how long nothing may have named it, before it is deleted: a day, and an hour for
// clocks that are apart. A backup counts on the day (package storage/archive).
const sweepAfter = 25 * time.Hour

// SweepEvery is how often to sweep, counted from the end of the last: then what one sweep marks the next one deletes.
const SweepEvery = sweepAfter

// ErrUnsure says that nothing was swept: what a damaged document names can't be known.
var ErrUnsure = errors.New("background: a document is damaged, so what it names can't be known; nothing is swept")

// Sweeper deletes blobs that nothing names: of an upload that was refused or broke off, of a sealed PDF that came second.
// It looks for names in every document of every collection, also in those of which this program knows nothing, and takes
// any 64 hex digits for one; so it errs on the side of keeping. What it finds it marks, and deletes when nothing names it a
// day later either. What is retained stays. Several may sweep at once.
type Sweeper struct {
	Engine storage.Engine
	Blobs  storage.Blobs
	Now    func() time.Time
}

// Mark is a blob that nothing names, since when as far as is known.
type Mark struct {
	Key    string      `bson:"key"`
	SeenAt domain.Time `bson:"seen_at"`
}

const marksName = "sweep_marks"

// MarksOf gives the collection of marks.
func MarksOf(e storage.Engine) *storage.Collection[Mark] {
	return storage.NewCollection(e, storage.Shape[Mark]{Name: marksName, ID: func(m *Mark) string { return m.Key }})
}

// Unnamed is a blob that nothing names.
type Unnamed struct {
	storage.BlobInfo
	Since    time.Time // when that was seen first; zero: now
	Retained time.Time // until when it may not be deleted; zero: it is not retained
	Due      bool      // seen long enough ago, and not retained: Sweep deletes it
}

// Swept is what a sweep did.
type Swept struct {
	Looked   int64 // blobs there are
	Marked   int64 // for the first time
	Waiting  int64 // marked before, but less than a day ago
	Retained int64 // kept by their retention
	Deleted  int64
	Bytes    int64 // of those
}

// Look reports what a sweep would find now, and changes nothing. It needs no more than a read-only engine. ErrUnsure.
func (s Sweeper) Look(ctx context.Context, report func(Unnamed) error) error {
	_, err := s.look(ctx, report)
	return err
}

// Sweep marks what nothing names and deletes what was marked a day ago. ErrUnsure, and then nothing was changed.
func (s Sweeper) Sweep(ctx context.Context) (Swept, error) {
	run := sweeping{Sweeper: s, marks: MarksOf(s.Engine)}
	names, err := s.look(ctx, func(u Unnamed) error { return run.meet(ctx, u) })
	if err != nil {
		return run.swept, err
	}
	run.swept.Looked = names.blobs
	return run.swept, run.forget(ctx, names)
}

// look finds what nothing names. The documents are read before the blobs are listed: what is named meanwhile was put
// meanwhile, and is young. Blobs are named by one who put them less than a day before.
func (s Sweeper) look(ctx context.Context, found func(Unnamed) error) (*nameSet, error) {
	if err := s.Engine.Declare(ctx, []storage.Declaration{MarksOf(s.Engine).Declaration()}); err != nil {
		return nil, err
	}
	names, err := s.names(ctx)
	if err != nil {
		return nil, err
	}
	now := s.Now()
	return names, storage.EachBlob(ctx, s.Blobs, func(info storage.BlobInfo) error {
		if names.has(info.Key) || now.Sub(info.Stored) < sweepAfter {
			return nil
		}
		u, err := s.describe(ctx, info, now)
		if errors.Is(err, storage.ErrNotFound) { // another one swept it
			return nil
		}
		if err != nil {
			return err
		}
		return found(u)
	})
}

// describe says since when nothing names a blob, as far as is known. A mark from before it was put last counts for nothing.
func (s Sweeper) describe(ctx context.Context, info storage.BlobInfo, now time.Time) (u Unnamed, err error) {
	u.BlobInfo = info
	if u.Retained, err = s.Blobs.Retained(ctx, info.Key); err != nil {
		return u, err
	}
	mark, err := MarksOf(s.Engine).Get(ctx, info.Key)
	if errors.Is(err, storage.ErrNotFound) || err == nil && !info.Stored.Before(mark.Value.SeenAt.Time) {
		return u, nil
	}
	u.Since = mark.Value.SeenAt.Time
	u.Due = now.Sub(u.Since) >= sweepAfter && !now.Before(u.Retained)
	return u, err
}

// names gathers what all documents name.
func (s Sweeper) names(ctx context.Context) (*nameSet, error) {
	blobs := int64(0)
	if err := storage.EachBlob(ctx, s.Blobs, func(storage.BlobInfo) error { blobs++; return nil }); err != nil {
		return nil, err
	}
	names := newNameSet(blobs)
	collections, err := s.Engine.Collections(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range collections {
		if c == marksName {
			continue
		}
		err := s.Engine.Walk(ctx, c, func(r storage.Record, damage error) error {
			if errors.Is(damage, storage.ErrCorrupt) {
				return fmt.Errorf("%w: %w", ErrUnsure, damage)
			}
			names.add(r.Doc)
			return damage
		})
		if err != nil {
			return nil, err
		}
	}
	return names, nil
}

// sweeping is one run of Sweep.
type sweeping struct {
	Sweeper
	marks *storage.Collection[Mark]
	swept Swept
}

// meet marks, waits or deletes.
func (s *sweeping) meet(ctx context.Context, u Unnamed) error {
	switch {
	case u.Since.IsZero():
		s.swept.Marked++
		return s.mark(ctx, u.Key)
	case s.Now().Before(u.Retained):
		s.swept.Retained++
		return nil
	case !u.Due:
		s.swept.Waiting++
		return nil
	default:
		return s.remove(ctx, u)
	}
}

func (s *sweeping) mark(ctx context.Context, key string) error {
	fresh := Mark{Key: key, SeenAt: domain.At(s.Now())}
	_, err := s.marks.Insert(ctx, fresh)
	if errors.Is(err, storage.ErrExists) {
		_, err = s.marks.Update(ctx, key, func(m *Mark) error { *m = fresh; return nil })
	}
	return err
}

// remove deletes the blob as it was listed: one that was put again in between is being named by somebody.
func (s *sweeping) remove(ctx context.Context, u Unnamed) error {
	err := s.Blobs.DeleteUnrenewed(ctx, u.Key, u.Stored)
	switch {
	case errors.Is(err, storage.ErrRetained):
		s.swept.Retained++
		return nil
	case errors.Is(err, storage.ErrStale), errors.Is(err, storage.ErrNotFound):
		return nil
	case err == nil:
		s.swept.Deleted++
		s.swept.Bytes += u.Bytes
	}
	return err
}

// forget deletes the marks of blobs that are gone, and of those that something names or that were put again.
func (s *sweeping) forget(ctx context.Context, names *nameSet) error {
	return s.Engine.Walk(ctx, marksName, func(r storage.Record, damage error) error {
		if errors.Is(damage, storage.ErrCorrupt) {
			return nil // its blob stays, and check names the mark
		}
		info, err := s.Blobs.Stat(ctx, r.ID)
		gone := errors.Is(err, storage.ErrNotFound)
		if err = errors.Join(damage, err); err != nil && !gone {
			return err
		}
		if !gone && !names.has(r.ID) && s.Now().Sub(info.Stored) >= sweepAfter {
			return nil
		}
		err = s.marks.Delete(ctx, r.ID, r.Version)
		if errors.Is(err, storage.ErrNotFound) || errors.Is(err, storage.ErrStale) { // another one sweeps too
			return nil
		}
		return err
	})
}

// nameSet holds the names of blobs in little room (a Bloom filter): what was added is always there, and of what was not a
// few seem to be. How many depends on how many digests documents hold for each blob: at three not one in ten thousand, at
// six about one in a thousand, at ten about one in a hundred. Which these are changes with each sweep, so that they only wait
// longer. It takes 12 MB for a million blobs, and never more than 256 MiB.
type nameSet struct {
	seed  maphash.Seed
	bits  []uint64
	blobs int64
}

const (
	bitsEach  = 96 // a blob: documents hold more digests than those of blobs
	mostBits  = 1 << 31
	leastBits = 1 << 16
	probes    = 8
	nameBytes = 64
)

func newNameSet(blobs int64) *nameSet {
	return &nameSet{seed: maphash.MakeSeed(), bits: make([]uint64, min(mostBits, leastBits+bitsEach*blobs)/64), blobs: blobs}
}

// add takes every 64 hex digits in a document, wherever they stand.
func (n *nameSet) add(doc []byte) {
	run := 0
	for i, c := range doc {
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'f' {
			run++
		} else {
			run = 0
		}
		if run >= nameBytes {
			n.each(doc[i+1-nameBytes:i+1], func(word *uint64, bit uint64) bool { *word |= bit; return true })
		}
	}
}

// has says whether a blob's SHA-256 may have been added.
func (n *nameSet) has(key string) bool {
	_, sum, _ := strings.Cut(key, "/")
	return n.each([]byte(sum), func(word *uint64, bit uint64) bool { return *word&bit != 0 })
}

// each calls fn with the bits of a name until it returns false.
func (n *nameSet) each(name []byte, fn func(word *uint64, bit uint64) bool) bool {
	h := maphash.Bytes(n.seed, name)
	at, step := h&0xffffffff, h>>32|1
	for range probes {
		i := at % (uint64(len(n.bits)) * 64)
		if !fn(&n.bits[i/64], 1<<(i%64)) {
			return false
		}
		at += step
	}
	return true
}
