package vehicle_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/vehicle"
)

const carID = "01900000-0000-7000-8000-000000000001"

// day gives a moment, n days after the first.
func day(n int) domain.Time {
	return domain.At(time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC).AddDate(0, 0, n))
}

func car() vehicle.Vehicle { return vehicle.New(carID, "main", "粵A·12345", "", day(0)) }

func code(err error) domain.Code {
	if refused, ok := errors.AsType[*domain.Error](err); ok {
		return refused.Code
	}
	return ""
}

// faults lists the pointers and codes of a refused value.
func faults(err error) string {
	var refused *domain.Error
	if !errors.As(err, &refused) {
		return ""
	}
	var all []string
	for _, f := range refused.Fields {
		all = append(all, f.Pointer+" "+string(f.Code))
	}
	return strings.Join(all, ", ")
}

func TestNewCarIsFiledByItsNormalisedPlateAndVIN(t *testing.T) {
	v := vehicle.New(carID, "main", "粵A·12345", "lhgcm82633a004352", day(0))
	if v.Plate != "粵A·12345" || v.PlateKey != "粤A12345" || v.VIN != "LHGCM82633A004352" || v.Revision != 1 {
		t.Errorf("%+v", v)
	}
	if len(v.Plates) != 1 || v.Plates[0].To != nil || v.Plates[0].From != day(0) {
		t.Errorf("plates: %+v", v.Plates)
	}
	if err := v.Check(); err != nil {
		t.Error(err)
	}
}

func TestCarWithoutPlateHasNoPlateHistory(t *testing.T) {
	v := vehicle.New(carID, "main", " · ", "LHGCM82633A004352", day(0))
	if v.Plate != "" || v.PlateKey != "" || len(v.Plates) != 0 || v.PlateKeys() != nil {
		t.Errorf("%+v", v)
	}
	if err := v.Check(); err != nil {
		t.Error(err)
	}
}

func TestCheckNamesWhatIsWrong(t *testing.T) {
	for want, spoil := range map[string]func(*vehicle.Vehicle){
		"":                   func(*vehicle.Vehicle) {},
		"/id malformed":      func(v *vehicle.Vehicle) { v.ID = "x" },
		"/plate too_long":    func(v *vehicle.Vehicle) { v.Plate = strings.Repeat("粵", 21) },
		"/vin too_long":      func(v *vehicle.Vehicle) { v.VIN = strings.Repeat("1", 33) },
		"/make too_long":     func(v *vehicle.Vehicle) { v.Make = strings.Repeat("m", 61) },
		"/model too_long":    func(v *vehicle.Vehicle) { v.Model = strings.Repeat("m", 121) },
		"/year out_of_range": func(v *vehicle.Vehicle) { v.Year = new(int64(1884)) },
		"/colour malformed":  func(v *vehicle.Vehicle) { v.Colour = "red\x00" },
		"/note too_long":     func(v *vehicle.Vehicle) { v.Note = strings.Repeat("n", 2001) },
		"/plate required":    func(v *vehicle.Vehicle) { v.PlateKey, v.Plates = "", nil },
	} {
		v := car()
		spoil(&v)
		if got := faults(v.Check()); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestAttachVIN(t *testing.T) {
	v := car()
	for _, step := range []struct {
		vin      string
		want     domain.Code
		revision int64
	}{
		{"", "", 1},
		{"lhgcm82633a004352", "", 2},
		{"LHG CM82633A004352", "", 2},
		{"1HGCM82633A004352", vehicle.CodeVINDiffers, 2},
		{"", "", 2},
	} {
		if got := code(v.AttachVIN(step.vin)); got != step.want || v.Revision != step.revision {
			t.Errorf("%q: %q at revision %d, want %q at %d", step.vin, got, v.Revision, step.want, step.revision)
		}
	}
	if v.VIN != "LHGCM82633A004352" {
		t.Errorf("VIN %q", v.VIN)
	}
}

func TestPlateMovesAndKeepsItsHistory(t *testing.T) {
	v := car()
	v.MovePlate("粵A·12345", day(1)) // the same
	v.MovePlate(" · ", day(1))      // unreadable
	if v.Revision != 1 {
		t.Fatalf("revision %d after no change", v.Revision)
	}
	v.MovePlate("粤A12345", day(2)) // typed in another way
	if v.Plate != "粤A12345" || len(v.Plates) != 1 || v.Revision != 2 {
		t.Fatalf("%+v", v)
	}
	v.MovePlate("粤B·D6789", day(3))
	if v.PlateKey != "粤BD6789" || len(v.Plates) != 2 || v.Revision != 3 {
		t.Fatalf("%+v", v)
	}
	if old := v.Plates[0]; old.To == nil || *old.To != day(3) || v.Plates[1].From != day(3) || v.Plates[1].To != nil {
		t.Errorf("history: %+v", v.Plates)
	}
}

func TestPlateLostToAnotherCarStaysInItsHistory(t *testing.T) {
	v := car()
	v.LosePlate("粤B00000", day(1))
	if v.PlateKey == "" || v.Revision != 1 {
		t.Fatalf("lost a plate that it does not bear: %+v", v)
	}
	v.LosePlate("粤A12345", day(2))
	if v.Plate != "" || v.PlateKey != "" || len(v.Plates) != 1 || *v.Plates[0].To != day(2) || v.Revision != 2 {
		t.Fatalf("%+v", v)
	}
	if err := v.Check(); err != nil {
		t.Errorf("a car without its plate must still be stored: %v", err)
	}
	v.LosePlate("粤A12345", day(3))
	v.MovePlate("粤A12345", day(4))
	if len(v.Plates) != 2 || *v.Plates[0].To != day(2) || v.Plates[1].From != day(4) {
		t.Errorf("%+v", v.Plates)
	}
}

func TestPlateHistoryIsLimited(t *testing.T) {
	v := car()
	for i := range 60 {
		v.MovePlate("粤A"+strconv.Itoa(10_000+i), day(i+1))
	}
	if len(v.Plates) != 50 || v.Plates[49].Key != v.PlateKey {
		t.Errorf("%d plates", len(v.Plates))
	}
}

func TestOdometerFollowsTime(t *testing.T) {
	for _, c := range []struct {
		name    string
		km      *int64
		at      domain.Time
		want    int64
		changed bool
	}{
		{"later and higher", new(int64(60_000)), day(11), 60_000, true},
		{"later and lower: it was replaced", new(int64(10)), day(11), 10, true},
		{"not read", nil, day(11), 50_000, true},
		{"earlier, told late", new(int64(70_000)), day(9), 50_000, false},
		{"told again", new(int64(50_000)), day(10), 50_000, false},
		{"the same visit, corrected", new(int64(51_000)), day(10), 51_000, true},
	} {
		v := car()
		v.SeenAt(new(int64(50_000)), "c1", "v10", day(10))
		visit := "v" + c.at.Format("02")
		if c.at == day(10) {
			visit = "v10"
		}
		if changed := v.SeenAt(c.km, "c1", visit, c.at); changed != c.changed || *v.OdometerKM != c.want {
			t.Errorf("%s: %d km, changed %v", c.name, *v.OdometerKM, changed)
		}
	}
}

func TestLastOdometerIsWhatWasReadBeforeTheVisit(t *testing.T) {
	v := car()
	if v.LastOdometer("v1", day(1)) != nil {
		t.Error("nothing was read before")
	}
	v.SeenAt(new(int64(50_000)), "c1", "v1", day(1))
	for _, c := range []struct {
		visit string
		at    domain.Time
		known bool
	}{{"v2", day(2), true}, {"v2", day(1), true}, {"v0", day(0), false}, {"v1", day(1), false}} {
		if got := v.LastOdometer(c.visit, c.at); (got != nil && *got == 50_000) != c.known {
			t.Errorf("%s on %v: %v", c.visit, c.at, got)
		}
	}
}

func TestSeenAtIsRepeatableAndKeepsWhatALaterVisitSaid(t *testing.T) {
	v := car()
	if !v.SeenAt(new(int64(100)), "c1", "v2", day(2)) || v.Revision != 2 {
		t.Fatalf("%+v", v)
	}
	if v.SeenAt(new(int64(100)), "c1", "v2", day(2)) || v.Revision != 2 {
		t.Error("the same visit twice changed the car")
	}
	if !v.SeenAt(new(int64(50)), "c0", "v1", day(-3)) {
		t.Error("an earlier visit was not noted")
	}
	if v.CustomerID != "c1" || *v.OdometerKM != 100 || v.LastVisitID != "v2" || v.LastVisitAt != day(2) || v.FirstSeenAt != day(-3) {
		t.Errorf("the earlier visit replaced what the later one said: %+v", v)
	}
	if !reflect.DeepEqual(v.CustomerIDs, []string{"c1", "c0"}) {
		t.Errorf("customers %v", v.CustomerIDs)
	}
	v.SeenAt(nil, "", "v3", day(3))
	if v.CustomerID != "c1" || v.LastVisitID != "v3" {
		t.Errorf("a visit without a customer: %+v", v)
	}
}

func TestCustomersOfACarAreLimited(t *testing.T) {
	v := car()
	for i := range 210 {
		v.SeenAt(nil, "c"+strconv.Itoa(i), "v"+strconv.Itoa(i), day(i))
	}
	if len(v.CustomerIDs) != 200 || v.CustomerIDs[199] != "c209" || v.CustomerID != "c209" {
		t.Errorf("%d customers", len(v.CustomerIDs))
	}
}

func TestSignedNeverGoesDown(t *testing.T) {
	v := car()
	if !v.Signed(2) || v.Signed(2) || v.Signed(1) || v.SignedWalkarounds != 2 || v.Revision != 2 {
		t.Errorf("%+v", v)
	}
}

func TestPatch(t *testing.T) {
	v := car()
	text := " Accord "
	if err := v.Apply(vehicle.Patch{Model: &text, Year: new(int64(2003))}); err != nil {
		t.Fatal(err)
	}
	if v.Model != "Accord" || *v.Year != 2003 || v.Plate != "粵A·12345" || v.Revision != 2 {
		t.Errorf("%+v", v)
	}
	before := v
	if got := faults(v.Apply(vehicle.Patch{Model: new(string), Year: new(int64(1))})); got != "/year out_of_range" {
		t.Errorf("%q", got)
	}
	if !reflect.DeepEqual(v, before) {
		t.Error("a refused patch changed the car")
	}
	if err := v.Apply(vehicle.Patch{Make: &text, Colour: &text, Note: &text, Model: new(string)}); err != nil {
		t.Fatal(err)
	}
	if v.Make != "Accord" || v.Colour != "Accord" || v.Note != "Accord" || v.Model != "" {
		t.Errorf("%+v", v)
	}
}

func TestDocumentsSurviveStorageAndShowListsNotNull(t *testing.T) {
	v := car()
	v.SeenAt(new(int64(5)), "c1", "v1", day(1))
	ledger := vehicle.NewLedger("main", carID)
	ledger.Apply(walk("v1", 1, mark("d1")))
	for _, doc := range []any{v, ledger} {
		raw, err := bson.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		back := reflect.New(reflect.TypeOf(doc))
		if err := bson.Unmarshal(raw, back.Interface()); err != nil {
			t.Fatal(err)
		}
		was, is := shown(t, doc), shown(t, back.Interface())
		if was != is || strings.Contains(is, "null") {
			t.Errorf("%s\n%s", was, is)
		}
	}
	fresh := vehicle.New(carID, "main", "", "", day(0))
	if is := shown(t, fresh); strings.Contains(is, "null") {
		t.Error(is)
	}
}

func shown(t *testing.T, doc any) string {
	t.Helper()
	raw, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestWithdrawnVisitLeavesNoTrace(t *testing.T) {
	v := car()
	v.SeenAt(new(int64(100)), "c1", "v1", day(1))
	v.SeenAt(new(int64(900)), "c2", "v2", day(2))
	v.Signed(2)
	if !v.Withdraw("v2", "c2", 1) {
		t.Error("nothing was taken back")
	}
	v.SeenAt(new(int64(100)), "c1", "v1", day(1))
	if *v.OdometerKM != 100 || v.LastVisitID != "v1" || v.CustomerID != "c1" || v.SignedWalkarounds != 1 || !reflect.DeepEqual(v.CustomerIDs, []string{"c1"}) {
		t.Errorf("%+v", v)
	}
	if v.Withdraw("v2", "c2", 1) || *v.OdometerKM != 100 || v.LastVisitID != "v1" {
		t.Errorf("another visit's words were taken back: %+v", v)
	}
}
