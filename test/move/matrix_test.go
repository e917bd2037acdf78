package move

import (
	"bytes"
	"errors"
	"net/http"
	"testing"
	"time"

	"example.com/walkaround/api"
	"example.com/walkaround/domain"
	"example.com/walkaround/storage/archive"
	"example.com/walkaround/storage/migrate"
	"example.com/walkaround/test/harness"
)

// A store moves from each engine into each, and what comes back is the same to the byte, is whole, and serves.
func TestAStoreMovesFromEachEngineIntoEach(t *testing.T) {
	folder, visit := lived(t)
	home := beside(t, folder)
	first, want := write(t, home), dump(t, home)
	for _, from := range engines() {
		for _, into := range engines() {
			t.Run(from.name+" into "+into.name, func(t *testing.T) {
				a, b := from.open(t), into.open(t)
				restore(t, first, a)
				same(t, dump(t, a), want)
				restore(t, write(t, a), b)
				same(t, dump(t, b), want)
				whole(t, b)
				serves(t, b, visit)
			})
		}
	}
}

func TestNothingMovesIntoAStoreThatLives(t *testing.T) {
	folder, _ := lived(t)
	backup := write(t, beside(t, folder))
	for _, e := range engines() {
		t.Run(e.name, func(t *testing.T) {
			into := e.open(t)
			server, err := api.New(t.Context(), api.Config{Engine: into.Engine, Blobs: into.Blobs, Secret: secret, Now: time.Now, Log: quiet()})
			ok(t, err)
			_, _, err = server.EnsureFirst(t.Context(), harness.AdminPassword)
			ok(t, errors.Join(err, server.Close(t.Context())))
			before := dump(t, into)
			_, err = archive.Restore(t.Context(), bytes.NewReader(backup), into, migrate.Known(), archive.Watch{})
			if !errors.Is(err, archive.ErrNotEmpty) {
				t.Errorf("got %v", err)
			}
			same(t, dump(t, into), before)
		})
	}
}

// What a document owed when it was backed up is done by the store that it is restored into.
func TestWhatWasOwedIsDoneByTheNextStore(t *testing.T) {
	folder, visit := t.TempDir(), ""
	t.Run("a store without anyone at work in the background", func(t *testing.T) {
		h := harness.Start(t, harness.Folder(folder), withSecret(), harness.Idle())
		v := h.As("advisor").ReadyVisit("粵A·12345")
		v.Sign().Want(http.StatusCreated)
		visit = v.ID
	})
	from, into := beside(t, folder), t.TempDir()
	t.Run("restore", func(t *testing.T) { restore(t, write(t, from), embedded(t, into)) })
	t.Run("the next store", func(t *testing.T) {
		h := harness.Start(t, harness.Folder(into), withSecret())
		settled(t, h)
	})
	next := beside(t, into)
	whole(t, next)
	retained := 0
	for _, line := range dump(t, next) {
		if len(line) > 5 && line[:5] == "main/" && !bytes.Contains([]byte(line), []byte("0001-01-01")) {
			retained++
		}
	}
	if retained < 4 {
		t.Errorf("%d blobs are retained: the seal of visit %s is not finished", retained, visit)
	}
}

// Backups are made while advisors write: a whole visit comes between two collections. Each is of one moment: nothing in it
// names what is not in it.
func TestBackupsBesideWritersAreWhole(t *testing.T) {
	h := harness.Start(t, withSecret())
	advisor := h.As("advisor")
	for round := range int64(3) {
		from, visits, backup := beside(t, h.Folder), int64(0), bytes.Buffer{}
		at := archive.Header{ID: domain.NewID(), CreatedAt: domain.At(time.Now())}
		m, err := archive.Write(t.Context(), &backup, from, at, archive.Watch{Progress: func(p archive.Progress) {
			if visits == 0 && p.Documents > 0 {
				visits++
				advisor.ReadyVisit("粵A·12345").Sign().Want(http.StatusCreated)
			}
		}})
		ok(t, err)
		if visits != 1 || m.Documents["visits"] != round {
			t.Errorf("of %d visits %d are in the backup", round+visits, m.Documents["visits"])
		}
		t.Run("restored", func(t *testing.T) {
			into := embedded(t, t.TempDir())
			restore(t, backup.Bytes(), into)
			whole(t, into)
		})
	}
}
