package visit_test

import (
	"fmt"
	"testing"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/evidence"
	"example.com/walkaround/domain/visit"
)

func TestArriveAndTake(t *testing.T) {
	greeted := arrived()
	if greeted.State != visit.Arrived || greeted.GreetedBy.ID != mei.ID || *greeted.GreetedAt != at(0) || greeted.AnnouncedBy != nil || !greeted.Waiting() {
		t.Errorf("%+v", greeted)
	}
	v := visit.Arrive(visit.Opening{ID: visitID, StoreID: "main", By: wang, Gate: true, At: at(0)}, visit.Arrival{VIN: "x"}, visit.Found{})
	if v.AnnouncedBy.ID != wang.ID || v.GreetedBy != nil || v.GreetedAt != nil || !v.Waiting() || v.Revision != 1 {
		t.Errorf("%+v", v)
	}
	must(t, v.Take(mei, at(5)))
	if v.GreetedBy.ID != mei.ID || *v.GreetedAt != at(5) || *v.TakenAt != at(5) || v.AdvisorID != mei.ID || v.Waiting() || v.Revision != 2 {
		t.Errorf("%+v", v)
	}
	must(t, v.Take(mei, at(6)))
	if v.Revision != 2 || kinds(&v) != "arrived taken" {
		t.Errorf("taking what one has is nothing: %s", kinds(&v))
	}
	must(t, v.Take(wang, at(7)))
	if v.AdvisorID != wang.ID || *v.TakenAt != at(5) || v.GreetedBy.ID != mei.ID || v.Revision != 3 {
		t.Errorf("%+v", v)
	}
	for _, state := range []visit.State{visit.Cancelled, visit.Delivered} {
		v.State = state
		want(t, v.Take(mei, at(8)), "wrong_state")
		want(t, v.SaveIntake(intake(), "", tablet, at(8)), "wrong_state")
		want(t, v.SaveInspection(walkaround(), standard(), "", tablet, at(8)), "wrong_state")
		want(t, v.Correct(visit.Arrival{}, visit.Found{}, mei, at(8)), "wrong_state")
	}
	if err := evidence.VerifyChain(v.ID, v.Events); err != nil {
		t.Error(err)
	}
}

func TestCorrectionKeepsWhatIsLeftOut(t *testing.T) {
	v := arrived()
	v.VIN, v.OdometerReason = "VIN", "because"
	same := visit.Correction{}.Apply(v)
	if same.Plate != v.Plate || same.VIN != "VIN" || *same.OdometerKM != 45_210 || same.OdometerReason != "because" || same.Customer.Name != "陳大文" || same.ID != v.ID {
		t.Errorf("%+v", same)
	}
	all := visit.Correction{
		Plate: new("B"), VIN: new(""), OdometerKM: new(int64(1)), OdometerReason: new("new"), Customer: &visit.Customer{Name: "李"},
	}.Apply(v)
	if all.Plate != "B" || all.VIN != "" || *all.OdometerKM != 1 || all.OdometerReason != "new" || all.Customer.Name != "李" {
		t.Errorf("%+v", all)
	}
	digest := v.Sections.Inspection.Digest
	must(t, v.Correct(all, visit.Found{VehicleID: "v2", Warnings: []visit.Warning{{Code: "x"}}}, mei, at(1)))
	if v.Plate != "B" || v.VehicleID != "v2" || len(v.Warnings) != 1 || v.Revision != 2 || v.Sections.Inspection.Digest == digest || kinds(&v) != "arrived corrected" {
		t.Errorf("%+v", v)
	}
}

func TestCancel(t *testing.T) {
	for _, state := range visit.States() {
		v := arrived()
		v.State = state
		code := ""
		if state != visit.Arrived && state != visit.Inspected && state != visit.Approved {
			code = "wrong_state"
		}
		want(t, v.Cancel("went home", false, mei, at(1)), code)
	}
	for name, c := range map[string]struct {
		reason  string
		covers  *visit.Covers
		removed bool
		want    string
	}{
		"no reason":                {" ", nil, true, "reason_missing"},
		"no covers":                {"x", nil, false, ""},
		"covers never fitted":      {"x", &visit.Covers{Seat: new(false), FittedAt: new(at(1))}, false, ""},
		"one cover fitted":         {"x", &visit.Covers{Floor: new(true)}, false, "covers_not_removed"},
		"covers fitted, and gone":  {"x", &visit.Covers{Seat: new(true)}, true, ""},
		"reason before the covers": {"", &visit.Covers{SteeringWheel: new(true)}, false, "reason_missing"},
	} {
		t.Run(name, func(t *testing.T) {
			v := arrived()
			must(t, v.SaveInspection(visit.Inspection{Covers: c.covers}, standard(), "", tablet, at(1)))
			err := v.Cancel(c.reason, c.removed, mei, at(2))
			want(t, err, c.want)
			if done := v.State == visit.Cancelled && v.Cancelled != nil && v.Cancelled.Reason == "x" && v.Revision == 2; done != (err == nil) {
				t.Errorf("%+v", v)
			}
		})
	}
}

func TestAutosavesAreOneEvent(t *testing.T) {
	v := arrived()
	save := func(section string, by visit.Saver, now domain.Time) {
		t.Helper()
		if section == "intake" {
			must(t, v.SaveIntake(intake(), "", by, now))
			return
		}
		must(t, v.SaveInspection(walkaround(), standard(), "", by, now))
	}
	second := visit.Saver{Person: mei, Device: "tablet-2"}
	for i, c := range []struct {
		section string
		by      visit.Saver
		minute  int
		events  int
	}{
		{"intake", tablet, 0, 2},
		{"intake", tablet, 1, 2},
		{"intake", tablet, 4, 2},
		{"intake", second, 4, 3},     // another device
		{"inspection", tablet, 4, 4}, // another section
		{"intake", tablet, 5, 5},     // five minutes after the first
		{"intake", tablet, 9, 5},
		{"intake", tablet, 3, 6}, // the clock stepped back
		{"intake", visit.Saver{Person: wang, Device: "tablet-1"}, 3, 7}, // another hand
	} {
		save(c.section, c.by, at(c.minute))
		if len(v.Events) != c.events {
			t.Fatalf("step %d: %d events, want %d", i, len(v.Events), c.events)
		}
	}
	if s := v.Sections; s.Intake.Revision != 8 || s.Inspection.Revision != 1 || *s.Intake.SavedAt != at(3) {
		t.Errorf("each save is a revision: %+v", s)
	}
	for i := range 200 {
		save("intake", visit.Saver{Person: mei, Device: fmt.Sprint(i)}, at(60))
	}
	if len(v.Saved) > 50 {
		t.Errorf("%d devices are remembered", len(v.Saved))
	}
}

func TestDefaultsAreWrittenInWhereLeftOut(t *testing.T) {
	v := arrived()
	must(t, v.SaveInspection(visit.Inspection{}, standard(), "sent", tablet, at(1)))
	if *v.Inspection.Checklist != standard().Checklist || *v.Inspection.Consent != standard().Consent || v.Sections.Inspection.Sent != "sent" {
		t.Errorf("%+v", v.Inspection)
	}
	own := visit.Inspection{Checklist: &visit.ChecklistRef{ID: soundID, Version: 1}, Consent: &visit.Consent{Language: "en", Text: "I agree"}}
	must(t, v.SaveInspection(own, standard(), "", tablet, at(1)))
	if v.Inspection.Checklist.ID != soundID || v.Inspection.Consent.Text != "I agree" {
		t.Errorf("%+v", v.Inspection)
	}
}

func TestFilesOfAVisit(t *testing.T) {
	type add func(*visit.Visit, visit.StoredFile, visit.Person, domain.Time) (bool, error)
	for name, c := range map[string]struct {
		add   add
		limit int
		event string
		full  string
	}{
		"photos":     {(*visit.Visit).AddPhoto, visit.MaxPhotos, "photo_stored", "too_many_photos"},
		"recordings": {(*visit.Visit).AddRecording, visit.MaxRecordings, "recording_stored", "too_many_recordings"},
	} {
		t.Run(name, func(t *testing.T) {
			v := visit.Visit{ID: visitID, State: visit.Arrived}
			for i := range c.limit {
				added, err := c.add(&v, visit.StoredFile{ID: fmt.Sprint(i), SHA256: sum}, mei, at(i))
				if err != nil || !added {
					t.Fatalf("file %d: %v, %v", i, added, err)
				}
			}
			if v.Revision != 0 || len(v.Events) != c.limit || v.Events[0].Type != c.event || v.Events[0].Data["sha256"] != sum {
				t.Errorf("revision %d, %d events", v.Revision, len(v.Events))
			}
			_, err := c.add(&v, visit.StoredFile{ID: "more", SHA256: sum}, mei, at(0))
			want(t, err, c.full)
			v.State = visit.Cancelled
			_, err = c.add(&v, visit.StoredFile{ID: "late", SHA256: sum}, mei, at(0))
			want(t, err, "wrong_state")
			if added, err := c.add(&v, visit.StoredFile{ID: "0", SHA256: sum}, mei, at(0)); added || err != nil || len(v.Events) != c.limit {
				t.Errorf("a repeat: %v, %v", added, err)
			}
			v.State = visit.Delivered
			if name == "photos" {
				delete(v.Photos, "0")
			} else {
				delete(v.Recordings, "0")
			}
			if added, err := c.add(&v, visit.StoredFile{ID: "0", SHA256: sum}, mei, at(0)); !added || err != nil {
				t.Errorf("a tablet may bring it late: %v, %v", added, err)
			}
		})
	}
}
