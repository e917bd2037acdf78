package visit_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"example.com/walkaround/domain/evidence"
	"example.com/walkaround/domain/visit"
)

// lives are visits that went through every step there is.
func lives(t *testing.T) map[string]visit.Visit {
	t.Helper()
	announced := visit.Arrive(
		visit.Opening{ID: visitID, StoreID: "main", Number: "20261123-0001", By: wang, Gate: true, At: at(0)},
		visit.Arrival{Plate: "粵A·12345"}, visit.Found{VehicleID: "v1"},
	)
	taken := announced
	must(t, taken.Take(mei, at(1)))
	must(t, taken.Take(wang, at(2)))
	must(t, taken.Correct(visit.Arrival{Plate: "粵A·54321"}, visit.Found{VehicleID: "v2", CustomerID: "c2"}, mei, at(3)))
	cancelled := complete(t, nil)
	must(t, cancelled.Cancel("drove on", true, wang, at(9)))
	copied := signed(t)
	must(t, copied.GiveCopy(copied.Signatures[0].Digest, visit.CopyPaper, mei, at(9)))
	return map[string]visit.Visit{
		"announced": announced, "taken over and corrected": taken, "cancelled": cancelled, "signed, and a copy given": copied,
		"reopened and signed anew": signedAnew(t), "adopted": adopted(t),
	}
}

// signedAnew is a visit whose sheet was opened again, corrected to be of another car, and signed.
func signedAnew(t *testing.T) visit.Visit {
	t.Helper()
	v := signed(t)
	must(t, v.Reopen("another plate", mei, at(9)))
	must(t, v.Correct(visit.Arrival{Plate: "粵A·54321"}, visit.Found{VehicleID: "v2", CustomerID: "c1"}, mei, at(10)))
	_, err := v.Sign(signing("s2", &v), storing, at(11))
	must(t, err)
	return v
}

// adopted is a visit with a conflict that took the place of the current seal, after which a revision was opened in vain.
func adopted(t *testing.T) visit.Visit {
	t.Helper()
	v, s := conflicting(t)
	_, err := v.Sign(s, storing, at(8))
	must(t, err)
	_, err = v.Sign(signing("s2", &v), storing, at(9))
	must(t, err)
	sheet, err := visit.ParseSheet(s.Canonical)
	must(t, err)
	found := visit.Found{VehicleID: "v1", CustomerID: "c1"}
	must(t, v.Adopt("s1", sheet, found, s.Required, mei, at(10)))
	must(t, v.Reopen("in vain", mei, at(11)))
	must(t, v.Adopt("s1", sheet, found, s.Required, wang, at(12)))
	return v
}

// older are the events as they were written before they told names, reasons and digests.
func older(events []evidence.Event) []evidence.Event {
	var chain []evidence.Event
	for _, e := range events {
		e.Data = maps.Clone(e.Data)
		maps.DeleteFunc(e.Data, func(name, _ string) bool {
			return name == "name" || name == "gate" || strings.HasSuffix(name, "_digest") || strings.HasPrefix(name, "covers_") ||
				name == "customer_id" || name == "vehicle_id" && e.Type == "adopted"
		})
		chain = evidence.Append(visitID, chain, e)
	}
	return chain
}

func TestWhatAVisitSaysIsWhatItsEventsTell(t *testing.T) {
	for name, v := range lives(t) {
		t.Run(name, func(t *testing.T) {
			if found := v.Contradictions(visit.Retell(v.Events)); len(found) > 0 {
				t.Errorf("%+v", found)
			}
			if found := v.Contradictions(visit.Retell(older(v.Events))); len(found) > 0 {
				t.Errorf("with events of an older version: %+v", found)
			}
		})
	}
}

func TestContradictions(t *testing.T) {
	for name, c := range map[string]struct {
		of   string
		lie  func(*visit.Visit)
		want []string
	}{
		"who announced it": {"announced", func(v *visit.Visit) { v.AnnouncedBy = &mei }, []string{"who announced it is not the one"}},
		"who greeted":      {"announced", func(v *visit.Visit) { v.GreetedBy = &mei }, []string{"who greeted is not the one"}},
		"when":             {"taken over and corrected", func(v *visit.Visit) { v.GreetedAt = &v.ArrivedAt }, []string{"nobody greeted at the time"}},
		"an advisor's id":  {"taken over and corrected", func(v *visit.Visit) { v.AdvisorID = mei.ID }, []string{"its advisor is not the one"}},
		"the arrival":      {"announced", func(v *visit.Visit) { v.ArrivedAt = at(-1) }, []string{"its arrival is not at the time"}},
		"the customer":     {"taken over and corrected", func(v *visit.Visit) { v.CustomerID = "c9" }, []string{"its customer is not the one"}},
		"the vehicle":      {"taken over and corrected", func(v *visit.Visit) { v.VehicleID = "v9" }, []string{"its vehicle is not the one"}},
		"what was typed":   {"announced", func(v *visit.Visit) { v.OdometerKM = new(int64(1)) }, []string{"what was typed at its arrival"}},
		"a cancellation taken back": {"cancelled", func(v *visit.Visit) { v.State, v.Cancelled = visit.Arrived, nil }, []string{
			"its state is arrived", "it is cancelled or not",
		}},
		"another cancelled it": {"cancelled", func(v *visit.Visit) { v.Cancelled.By = mei }, []string{"who cancelled it, or when"}},
		"a copy by another":    {"signed, and a copy given", func(v *visit.Visit) { v.Copies[0].By = wang }, []string{"copy 1 "}},
		"a copy of another":    {"signed, and a copy given", func(v *visit.Visit) { v.Copies[0].Digest = "sha256:" + other }, []string{"copy 1 "}},
		"the intake thawed":    {"signed, and a copy given", func(v *visit.Visit) { v.Sections.Intake.Frozen = false }, []string{"the walk-around is frozen or open"}},
		"a photo":              {"signed, and a copy given", func(v *visit.Visit) { v.Photos = nil }, []string{"photo " + photoID + " is not what"}},
		"an old seal again":    {"reopened and signed anew", func(v *visit.Visit) { v.Signatures[0].Superseded = false }, []string{"signature s1 is not superseded"}},
		"for both vehicles":    {"reopened and signed anew", func(v *visit.Visit) { v.Signatures[0].VehicleID = "v1" }, []string{"signature s1 does not speak for"}},
		"adopted earlier":      {"adopted", func(v *visit.Visit) { v.Signatures[0].AdoptedAt = new(at(10)) }, []string{"signature s1 was not adopted when"}},
		"never adopted":        {"adopted", func(v *visit.Visit) { v.Signatures[0].AdoptedAt = nil }, []string{"signature s1 was not adopted when"}},
		"twice":                {"adopted", func(v *visit.Visit) { v.Signatures = append(v.Signatures, v.Signatures[0]) }, []string{"signature s1 stands twice"}},
	} {
		t.Run(name, func(t *testing.T) {
			v := lives(t)[c.of]
			story := visit.Retell(v.Events)
			c.lie(&v)
			var said []string
			for _, found := range v.Contradictions(story) {
				said = append(said, found.What)
			}
			if !slices.EqualFunc(said, c.want, strings.HasPrefix) {
				t.Errorf("said %q, want %q", said, c.want)
			}
		})
	}
}

func TestAStoryKnowsWhatWasPassedOver(t *testing.T) {
	v, s := conflicting(t)
	_, err := v.Sign(s, storing, at(8))
	must(t, err)
	if story := visit.Retell(v.Events); story.PassedOver("s1") || story.Current() != nil {
		t.Error("nothing was signed since")
	}
	_, err = v.Sign(signing("s2", &v), storing, at(9))
	must(t, err)
	if story := visit.Retell(v.Events); !story.PassedOver("s1") || story.PassedOver("s2") || story.PassedOver("nobody") || story.Current().ID != "s2" {
		t.Errorf("%+v", story.Signatures)
	}
	after := adopted(t)
	if story := visit.Retell(after.Events); story.PassedOver("s1") || story.Current().ID != "s1" || !story.Signature("s2").Superseded {
		t.Errorf("%+v", story.Signatures)
	}
}

// A seal to which a visit goes back stands under the tag that it had: so nothing that is shown under it may have moved.
func TestGoingBackToASealRestoresTheSection(t *testing.T) {
	v := adopted(t)
	before := v.Sections.Inspection
	sheet := v.Sheet()
	must(t, v.Reopen("again", mei, at(20)))
	walk := walkaround()
	walk.Note = "half a thought"
	must(t, v.SaveInspection(walk, standard(), "", tablet, at(21)))
	must(t, v.Adopt("s1", sheet, visit.Found{VehicleID: "v1", CustomerID: "c1"}, standard().Required, mei, at(22)))
	if after := v.Sections.Inspection; *after.SavedAt != *before.SavedAt || after.Reason != before.Reason || after.Revision != before.Revision || after.Digest != before.Digest {
		t.Errorf("%+v became %+v", before, after)
	}
	if before.Reason != "" || *before.SavedAt != at(10) {
		t.Errorf("%+v", before)
	}
}
