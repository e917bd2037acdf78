package checkpoints_test

import (
	"errors"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"

	"example.com/walkaround/domain/evidence"
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

func TestADamagedProofHoldsUpNoOther(t *testing.T) {
	h := start(t)
	at := time.Now().Add(-time.Hour)
	insert(t, h, "main", storage.MaxFind+1, at)
	for i := range storage.MaxFind { // a whole page, before the one that is sound
		spoil(t, h, "proofs", proofID("main", at, i))
	}
	err := h.Server.Checkpoint(t.Context())
	if !errors.Is(err, storage.ErrCorrupt) || !strings.Contains(err.Error(), proofID("main", at, 0)) {
		t.Errorf("the damaged are not told: %v", err)
	}
	if list := points(t, h); len(list) != 1 || list[0].Size != 1 {
		t.Errorf("%d checkpoints", len(list))
	}
	if err := h.Server.Checkpoint(t.Context()); !errors.Is(err, storage.ErrCorrupt) || len(points(t, h)) != 1 {
		t.Errorf("again: %v", err)
	}
}

func TestADamagedStoreHoldsUpNoOther(t *testing.T) {
	h := start(t)
	h.As("admin").Do(http.MethodPost, "/v1/stores", harness.Map{"id": "aaa", "name": "北區店"}).Want(http.StatusCreated)
	spoil(t, h, "stores", "aaa") // before main
	leaves := insert(t, h, "main", 1, time.Now().Add(-time.Hour))
	if err := h.Server.Checkpoint(t.Context()); !errors.Is(err, storage.ErrCorrupt) {
		t.Errorf("the damaged is not told: %v", err)
	}
	if list := points(t, h); len(list) != 1 || list[0].Leaves[0] != leaves[0] {
		t.Errorf("%d checkpoints", len(list))
	}
}

// proofID is the digest of a proof that insert files.
func proofID(storeID string, at time.Time, i int) string {
	return evidence.Digest([]byte(storeID + at.String() + strconv.Itoa(i)))
}
