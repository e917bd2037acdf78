package migrate

import (
	"context"
	"errors"

	"example.com/walkaround/storage"
)

// Collection is where a store says what it is.
const Collection = "meta"

// The ids of its documents.
const (
	formatID  = "format"
	restoreID = "restore"
)

// Format is of which format the documents of a store are. While Target is set, they are on their way there.
type Format struct {
	Version int
	Target  int
	said    bool // the store says so itself
}

// saying is a document of the collection.
type saying struct {
	ID      string `bson:"id" json:"id"`
	Version int    `bson:"version,omitempty" json:"version,omitempty"`
	Target  int    `bson:"target,omitempty" json:"target,omitempty"`
	Backup  string `bson:"backup,omitempty" json:"backup,omitempty"`
}

func sayingsOf(e storage.Engine) *storage.Collection[saying] {
	return storage.NewCollection(e, storage.Shape[saying]{Name: Collection, ID: func(s *saying) string { return s.ID }})
}

// Declare makes the collection ready.
func Declare(ctx context.Context, e storage.Engine) error {
	return e.Declare(ctx, []storage.Declaration{sayingsOf(e).Declaration()})
}

// FormatOf reads the format of a store. The collection must be declared.
func FormatOf(ctx context.Context, e storage.Engine) (Format, error) {
	s, err := sayingsOf(e).Get(ctx, formatID)
	if errors.Is(err, storage.ErrNotFound) {
		return Format{Version: Oldest}, nil
	}
	return Format{Version: s.Value.Version, Target: s.Value.Target, said: true}, err
}

// needs is the format that a program must know to open the store.
func (f Format) needs() int { return max(f.Version, f.Target) }

// SetFormat writes it, unless the store is further already: a process that was held up takes nothing back.
func SetFormat(ctx context.Context, e storage.Engine, f Format) error {
	says := saying{ID: formatID, Version: f.Version, Target: f.Target}
	_, err := sayingsOf(e).Insert(ctx, says)
	if errors.Is(err, storage.ErrExists) {
		_, err = sayingsOf(e).Update(ctx, formatID, func(s *saying) error {
			if stored := (Format{Version: s.Version, Target: s.Target}); *s == says || stored.Version > f.Version || stored.needs() > f.needs() {
				return storage.ErrUnchanged
			}
			*s = says
			return nil
		})
	}
	return err
}

// BeginRestore marks a store into which the backup is being restored, so that nothing opens it.
func BeginRestore(ctx context.Context, e storage.Engine, backup string) error {
	_, err := sayingsOf(e).Insert(ctx, saying{ID: restoreID, Backup: backup})
	return err
}

// Restoring names the backup that is being restored. storage.ErrNotFound when none is.
func Restoring(ctx context.Context, e storage.Engine) (backup string, err error) {
	s, err := sayingsOf(e).Get(ctx, restoreID)
	return s.Value.Backup, err
}

// IsMark says whether a record is the mark that BeginRestore sets.
func IsMark(collection, id string) bool { return collection == Collection && id == restoreID }

// EndRestore takes the mark away.
func EndRestore(ctx context.Context, e storage.Engine) error {
	s, err := sayingsOf(e).Get(ctx, restoreID)
	if err == nil {
		err = sayingsOf(e).Delete(ctx, restoreID, s.Version)
	}
	return err
}

// errSeen ends a walk at its first record.
var errSeen = errors.New("storage/migrate: a record is there")

// Empty says whether a store has no documents but those of this package and leases, which lapse.
func Empty(ctx context.Context, e storage.Engine) (bool, error) {
	names, err := e.Collections(ctx)
	if err != nil {
		return false, err
	}
	for _, name := range names {
		if name == Collection || name == "leases" {
			continue
		}
		err := e.Walk(ctx, name, func(storage.Record, error) error { return errSeen })
		if errors.Is(err, errSeen) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
	}
	return true, nil
}
