package vehicle_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"example.com/walkaround/domain/vehicle"
)

// walk is a signed walk-around that arrived on the n-th day.
func walk(visit string, n int, marks ...vehicle.Sighting) vehicle.Contribution {
	return vehicle.Contribution{VisitID: visit, SignatureID: visit + "-s1", ArrivedAt: day(n), SignedAt: day(n), Marks: marks}
}

func mark(id string) vehicle.Sighting {
	x, y := 0.42, 0.55
	return vehicle.Sighting{
		DamageID: id, View: "left", X: &x, Y: &y, Kind: "scratch", Severity: "minor", LengthMM: new(int64(80)),
		PhotoIDs: []string{"photo-" + id}, Note: "behind the handle",
	}
}

func known(id, markID string, change vehicle.Change) vehicle.Sighting {
	return vehicle.Sighting{DamageID: id, KnownID: markID, Change: change, PhotoIDs: []string{"photo-" + markID + "-" + id}}
}

func ledger(t *testing.T, walks ...vehicle.Contribution) *vehicle.Ledger {
	t.Helper()
	l := vehicle.NewLedger("main", carID)
	for _, c := range walks {
		if !l.Apply(c) {
			t.Fatalf("%s was not applied", c.VisitID)
		}
	}
	return &l
}

func TestNewMarkCarriesItsDateAndPhotos(t *testing.T) {
	marks := ledger(t, walk("v1", 1, mark("d1"))).Marks()
	if len(marks) != 1 {
		t.Fatalf("%+v", marks)
	}
	m := marks[0]
	if m.ID != "v1.d1" || m.View != "left" || *m.X != 0.42 || m.Kind != "scratch" || *m.LengthMM != 80 ||
		m.Status != vehicle.StatusPresent || m.Change != vehicle.ChangeNew || m.FirstSeenAt != day(1) || m.LastSeenAt != day(1) ||
		m.VisitID != "v1" || m.LastVisitID != "v1" || !slices.Equal(m.PhotoIDs, []string{"photo-d1"}) || len(m.History) != 1 {
		t.Errorf("%+v", m)
	}
}

func TestKnownMarkChanges(t *testing.T) {
	worse := known("d7", "v1.d1", vehicle.ChangeWorse)
	worse.Severity, worse.LengthMM = "severe", new(int64(200))
	for _, c := range []struct {
		name     string
		then     []vehicle.Sighting // one later walk-around each
		status   vehicle.Status
		change   vehicle.Change
		severity string
	}{
		{"said to be the same", []vehicle.Sighting{known("d7", "v1.d1", vehicle.ChangeSame)}, "present", "same", "minor"},
		{"nothing said of it", []vehicle.Sighting{known("d7", "v1.d1", "")}, "present", "same", "minor"},
		{"worse", []vehicle.Sighting{worse}, "present", "worse", "severe"},
		{"repaired", []vehicle.Sighting{known("d7", "v1.d1", vehicle.ChangeRepaired)}, "repaired", "repaired", "minor"},
		{"repaired and back", []vehicle.Sighting{known("a", "v1.d1", "repaired"), known("b", "v1.d1", "worse")}, "present", "worse", "minor"},
		{"not looked at again", []vehicle.Sighting{mark("other")}, "present", "new", "minor"},
	} {
		l := ledger(t, walk("v1", 1, mark("d1")))
		for i, s := range c.then {
			l.Apply(walk(fmt.Sprintf("v%d", i+2), i+2, s))
		}
		m := l.Marks()[0]
		if m.ID != "v1.d1" || m.Status != c.status || m.Change != c.change || m.Severity != c.severity || m.View != "left" {
			t.Errorf("%s: %+v", c.name, m)
		}
		if m.FirstSeenAt != day(1) || m.VisitID != "v1" || m.Note != "behind the handle" {
			t.Errorf("%s: the first sighting was forgotten: %+v", c.name, m)
		}
	}
}

func TestHistoryTellsEachSightingAndPhotosComeNewestFirst(t *testing.T) {
	l := ledger(t, walk("v1", 1, mark("d1")), walk("v2", 5, known("d9", "v1.d1", vehicle.ChangeWorse)))
	m := l.Marks()[0]
	if !slices.Equal(m.PhotoIDs, []string{"photo-v1.d1-d9", "photo-d1"}) || m.LastSeenAt != day(5) || m.LastVisitID != "v2" {
		t.Errorf("%+v", m)
	}
	want := []vehicle.MarkChange{
		{VisitID: "v1", At: day(1), Change: vehicle.ChangeNew, Severity: "minor", PhotoIDs: []string{"photo-d1"}},
		{VisitID: "v2", At: day(5), Change: vehicle.ChangeWorse, Severity: "minor", PhotoIDs: []string{"photo-v1.d1-d9"}},
	}
	if !reflect.DeepEqual(m.History, want) {
		t.Errorf("%+v", m.History)
	}
}

func TestUnknownMarkBecomesANewOne(t *testing.T) {
	marks := ledger(t, walk("v2", 2, known("d1", "v1.gone", vehicle.ChangeWorse), known("d2", "v1.gone2", vehicle.ChangeRepaired))).Marks()
	if len(marks) != 2 || marks[0].ID != "v2.d1" || marks[0].Change != vehicle.ChangeNew || marks[0].FirstSeenAt != day(2) {
		t.Fatalf("%+v", marks)
	}
	if marks[1].Status != vehicle.StatusRepaired {
		t.Errorf("%+v", marks[1])
	}
}

func TestApplyIsRepeatable(t *testing.T) {
	l := ledger(t, walk("v1", 1, mark("d1")))
	if l.Apply(walk("v1", 1, mark("d1"), mark("d2"))) {
		t.Error("the same signature was applied twice")
	}
	if len(l.Marks()) != 1 || l.Signed() != 1 {
		t.Errorf("%+v", l.Marks())
	}
}

func TestLaterSignatureOfAVisitReplacesTheEarlier(t *testing.T) {
	l := ledger(t, walk("v1", 1, mark("d1"), mark("d2")), walk("v2", 2, known("k", "v1.d1", vehicle.ChangeSame)))
	again := walk("v1", 1, mark("d2"))
	again.SignatureID, again.SignedAt = "v1-s2", day(3)
	if !l.Apply(again) {
		t.Fatal("not applied")
	}
	var ids []string
	for _, m := range l.Marks() {
		ids = append(ids, m.ID)
	}
	if !slices.Equal(ids, []string{"v1.d2", "v2.k"}) {
		t.Errorf("%v: what v2 saw must not be lost with the mark it referred to", ids)
	}
	earlier := walk("v1", 1, mark("d1"))
	earlier.SignatureID, earlier.SignedAt = "v1-s0", day(0)
	if l.Apply(earlier) {
		t.Error("an earlier signature replaced a later one")
	}
}

func TestOrderOfApplyingDoesNotMatter(t *testing.T) {
	walks := []vehicle.Contribution{
		walk("v1", 1, mark("d1")), walk("v2", 2, known("a", "v1.d1", vehicle.ChangeWorse), mark("d2")),
		walk("v3", 3, known("a", "v2.d2", vehicle.ChangeRepaired)), walk("v4", 3, mark("d4")),
	}
	want := ledger(t, walks...).Marks()
	random := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		random.Shuffle(len(walks), func(i, j int) { walks[i], walks[j] = walks[j], walks[i] })
		if got := ledger(t, walks...).Marks(); !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v\n%+v", got, want)
		}
	}
}

func TestMarksOfAnEmptyLedger(t *testing.T) {
	var l vehicle.Ledger
	if marks := l.Marks(); marks == nil || len(marks) != 0 {
		t.Errorf("%#v", marks)
	}
}

func TestMarksDoNotShareMemoryWithTheLedger(t *testing.T) {
	l := ledger(t, walk("v1", 1, mark("d1")), walk("v2", 2, known("a", "v1.d1", vehicle.ChangeSame)))
	first := l.Marks()
	first[0].PhotoIDs[0], first[0].History[0].PhotoIDs[0] = "spoilt", "spoilt"
	if again := l.Marks()[0]; again.PhotoIDs[0] == "spoilt" || again.History[0].PhotoIDs[0] == "spoilt" {
		t.Error("the ledger was changed through its marks")
	}
}

func TestPhotosAndHistoryOfAMarkAreLimited(t *testing.T) {
	l := ledger(t, walk("v0", 0, mark("d1")))
	for i := 1; i <= 80; i++ {
		l.Apply(walk(fmt.Sprintf("v%d", i), i, known(fmt.Sprintf("d%d", i), "v0.d1", vehicle.ChangeSame)))
	}
	m := l.Marks()[0]
	if len(m.PhotoIDs) != 50 || m.PhotoIDs[0] != "photo-v0.d1-d80" {
		t.Errorf("%d photos, newest %s", len(m.PhotoIDs), m.PhotoIDs[0])
	}
	if len(m.History) != 50 || m.History[0].VisitID != "v0" || m.History[49].VisitID != "v80" {
		t.Errorf("%d entries from %s to %s", len(m.History), m.History[0].VisitID, m.History[len(m.History)-1].VisitID)
	}
}

func TestOldWalkaroundsAreFoldedAndTheirFirstDatesStay(t *testing.T) {
	l := ledger(t, walk("v0", 0, mark("d1")))
	for i := 1; i <= 520; i++ {
		l.Apply(walk(fmt.Sprintf("v%d", i), i, known("d", "v0.d1", vehicle.ChangeSame)))
	}
	if len(l.Visits) != 500 || l.Signed() != 521 || len(l.Base) != 1 {
		t.Fatalf("%d kept, %d signed, %d folded marks", len(l.Visits), l.Signed(), len(l.Base))
	}
	m := l.Marks()[0]
	if m.FirstSeenAt != day(0) || m.VisitID != "v0" || m.LastVisitID != "v520" || m.History[0].VisitID != "v0" {
		t.Errorf("%+v", m)
	}
	if l.Apply(walk("v0", 0, mark("d1"))) {
		t.Error("a folded walk-around was counted twice")
	}
}

func TestLedgerStaysFarBelowTheLargestDocument(t *testing.T) {
	l := vehicle.NewLedger("main", carID)
	photos := make([]string, 20)
	for i := range photos {
		photos[i] = fmt.Sprintf("01900000-0000-7000-8000-%012d", i)
	}
	for i := range 30 {
		marks := make([]vehicle.Sighting, 200)
		for j := range marks {
			marks[j] = mark(fmt.Sprintf("d%d", j))
			marks[j].PhotoIDs, marks[j].Note = photos, strings.Repeat("註", 1_000)
		}
		l.Apply(walk(fmt.Sprintf("v%02d", i), i, marks...))
	}
	raw, err := bson.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	if len(raw) > 3<<20 || len(l.Base) > 500 {
		t.Errorf("%d bytes, %d folded marks", len(raw), len(l.Base))
	}
	if last := l.Marks()[len(l.Marks())-1]; last.VisitID != "v29" {
		t.Errorf("the newest walk-around is missing: %s", last.VisitID)
	}
}

func TestRepairedMarksAreForgottenFirst(t *testing.T) {
	l := vehicle.NewLedger("main", carID)
	var repaired, present []vehicle.Sighting
	for i := range 200 {
		repaired = append(repaired, vehicle.Sighting{DamageID: fmt.Sprintf("r%d", i), Change: vehicle.ChangeRepaired})
		present = append(present, vehicle.Sighting{DamageID: fmt.Sprintf("p%d", i)})
	}
	l.Apply(walk("old", 0, present...))
	l.Apply(walk("mended", 1, repaired...))
	l.Apply(walk("more", 2, present...))
	for i := range 500 {
		l.Apply(walk(fmt.Sprintf("v%d", i), 3+i))
	}
	count := map[string]int{}
	for _, m := range l.Base {
		count[m.VisitID]++
	}
	if count["old"] != 200 || count["more"] != 200 || count["mended"] != 100 {
		t.Errorf("%v", count)
	}
}

func TestWithdrawnVisitSaysNothing(t *testing.T) {
	l := ledger(t, walk("v1", 1, mark("d1")), walk("v2", 2, known("k", "v1.d1", vehicle.ChangeSame)))
	if !l.Withdraw("v1") || l.Withdraw("v1") || l.Signed() != 1 {
		t.Errorf("%d signed", l.Signed())
	}
	if marks := l.Marks(); len(marks) != 1 || marks[0].ID != "v2.k" {
		t.Errorf("what v2 saw must not be lost: %+v", marks)
	}
}
