package faults

import (
	"net/http"
	"testing"

	"example.com/walkaround/test/harness"
)

// TestCheckFindsNothingAfterEveryStep takes visits through every step that flags, events and ledger must agree on.
func TestCheckFindsNothingAfterEveryStep(t *testing.T) {
	folder := t.TempDir()
	t.Run("steps", func(t *testing.T) {
		h := harness.Start(t, harness.Folder(folder))
		mei := h.As("advisor")
		adoptedLate(t, mei)
		signedTwice(mei, "粵A·20002")
		ofAnotherCar(mei)
		left := h.As("gate").Arrive(harness.Map{"plate": "粵A·20004"}).By(mei)
		left.Do(http.MethodPost, left.At("/take"), nil).Want(http.StatusOK)
		left.By(h.As("supervisor")).Do(http.MethodPost, left.At("/take"), nil).Want(http.StatusOK)
		left.Do(http.MethodPost, left.At("/cancel"), harness.Map{"reason": "drove on"}).Want(http.StatusOK)
		settled(t, h)
	})
	faults, notes := checked(t, folder)
	expect(t, faults, nil)
	expect(t, notes, nil)
}

// revise opens a revision, or adopts a signature.
func revise(v harness.Visit, body harness.Map) {
	v.Do(http.MethodPost, v.At("/inspection/revisions"), body).Want(http.StatusCreated)
}

// adoptedLate signs a sheet that moved on, then the one from offline without its damage, adopts the earlier seal, and goes back
// to it after a revision that was opened in vain.
func adoptedLate(t *testing.T, c *harness.Client) {
	t.Helper()
	v := c.ReadyVisit("粵A·20001")
	shown := string(v.Get(v.At("/documents/inspection.json")).Want(http.StatusOK).Body)
	offline := v.Signature(v.Digest())
	offline["canonical"] = shown
	photo := v.Get(v.At("/photos")).Want(http.StatusOK).Text("items.0.id")
	walk := v.Inspection(photo)
	walk["damages"] = []harness.Map{}
	v.PutInspection(walk).Want(http.StatusOK)
	conflict := v.SignAs(offline).Want(http.StatusCreated).Text("id")
	v.Sign().Want(http.StatusCreated)
	revise(v, harness.Map{"adopt": conflict})
	if marks := v.Get("/v1/vehicles/" + v.VehicleID + "/damage").Want(http.StatusOK).List("items"); len(marks) != 1 {
		t.Errorf("the ledger tells %d marks of the sheet that was adopted", len(marks))
	}
	seen := v.Get(v.At("/inspection")).Want(http.StatusOK)
	revise(v, harness.Map{"reason": "in vain"})
	v.PutInspection(walk).Want(http.StatusOK)
	revise(v, harness.Map{"adopt": conflict})
	back := v.Get(v.At("/inspection")).Want(http.StatusOK)
	if back.ETag() == seen.ETag() && string(back.Body) != string(seen.Body) {
		t.Errorf("under one tag: %s and then %s", seen.Body, back.Body)
	}
}

// ofAnotherCar signs a sheet, finds that it was another car, and signs anew.
func ofAnotherCar(c *harness.Client) {
	v := c.ReadyVisit("粵A·20003")
	v.Sign().Want(http.StatusCreated)
	revise(v, harness.Map{"reason": "another plate"})
	v.Do(http.MethodPatch, v.At(""), harness.Map{"plate": "粵A·30003"}, "If-Match", v.Read().ETag()).Want(http.StatusOK)
	v.Sign().Want(http.StatusCreated)
}
