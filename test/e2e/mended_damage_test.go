package e2e_test

import (
	"errors"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/visit"
	"example.com/walkaround/storage"
	"example.com/walkaround/test/harness"
)

// spoil changes a stored document behind the engine's back: no checksum follows.
func spoil(t *testing.T, h *harness.House, collection, id string) {
	t.Helper()
	harness.OnFiles(t)
	c, err := sqlite3.Open("file:" + filepath.Join(h.Folder, "walkaround.db"))
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(c.BusyTimeout(10*time.Second), c.Exec("UPDATE c_"+collection+" SET doc = CAST(doc || 'x' AS BLOB) WHERE id = '"+id+"'"))
	if c.Changes() != 1 {
		t.Errorf("%d rows damaged", c.Changes())
	}
	if err = errors.Join(err, c.Close()); err != nil {
		t.Fatal(err)
	}
}

// visitsOf reads visits as they are stored.
func visitsOf(h *harness.House) *storage.Collection[visit.Visit] {
	return storage.NewCollection(h.Engine, storage.Shape[visit.Visit]{
		Name: "visits", ID: func(v *visit.Visit) string { return v.StoreID + "/" + v.ID },
		Keys: []storage.Key[visit.Visit]{{Name: "failed", Values: func(v *visit.Visit) []string { return v.Outbox.FailedKey() }}},
	})
}

func TestADamagedVisitHoldsUpNoSeal(t *testing.T) {
	harness.OnFiles(t)
	folder, sound := t.TempDir(), ""
	t.Run("signed", func(t *testing.T) {
		h := harness.Start(t, harness.Folder(folder), harness.Idle())
		for _, plate := range []string{"粵A·10001", "粵A·10002"} {
			v := h.As("advisor").ReadyVisit(plate)
			v.Sign().Want(http.StatusCreated)
			if sound == "" {
				spoil(t, h, "visits", "main/"+v.ID)
			}
			sound = v.ID
		}
	})
	h := harness.Start(t, harness.Folder(folder))
	harness.Eventually(t, "the sound one's seal is finished", func() bool {
		saved, err := visitsOf(h).Get(t.Context(), "main/"+sound)
		if err != nil {
			t.Fatal(err)
		}
		return len(saved.Value.Outbox) == 0 && saved.Value.Signatures[0].Files.PDF != ""
	})
}

func TestADamagedRowNeverMakesTheProcessUnready(t *testing.T) {
	h := harness.Start(t, harness.Idle())
	v := h.As("advisor").ReadyVisit("粵A·10001")
	visits := visitsOf(h)
	_, err := visits.Update(t.Context(), "main/"+v.ID, func(v *visit.Visit) error {
		v.Outbox = domain.Outbox{{Type: "seal", Ref: "a", Attempts: domain.MaxAttempts, FailedAt: &v.ArrivedAt}}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if got := h.Anyone().In(t).Get("/readyz").Want(http.StatusOK); got.Number("failed") != 1 {
			t.Errorf("%s", got.Body)
		}
		if _, err := visits.Get(t.Context(), "main/"+v.ID); err == nil {
			spoil(t, h, "visits", "main/"+v.ID)
		}
		h.Clock.Move(6 * time.Second) // what was read is remembered for 5 s
	}
}
