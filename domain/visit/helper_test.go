package visit_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/evidence"
	"example.com/walkaround/domain/visit"
)

const (
	visitID = "01900000-0000-7000-8000-000000000001"
	photoID = "01900000-0000-7000-8000-000000000002"
	soundID = "01900000-0000-7000-8000-000000000003"
	listID  = "01900000-0000-7000-8000-000000000004"
)

var (
	mei     = visit.Person{ID: "01900000-0000-7000-8000-00000000000a", Name: "林美"}
	wang    = visit.Person{ID: "01900000-0000-7000-8000-00000000000b", Name: "王強"}
	tablet  = visit.Saver{Person: mei, Device: "tablet-1"}
	sum     = strings.Repeat("ab", 32)
	other   = strings.Repeat("cd", 32)
	storing = evidence.NewSigningKey("main", [32]byte{1})
)

func at(minutes int) domain.Time {
	return domain.At(time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC).Add(time.Duration(minutes) * time.Minute))
}

// said gives code and fields of a refusal, "" for nil.
func said(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	refusal, ok := errors.AsType[*domain.Error](err)
	if !ok {
		t.Fatalf("not a refusal: %v", err)
	}
	words := []string{string(refusal.Code)}
	for _, f := range refusal.Fields {
		words = append(words, f.Pointer+"="+string(f.Code))
	}
	return strings.Join(words, " ")
}

func want(t *testing.T, err error, code string) {
	t.Helper()
	if got := said(t, err); got != code {
		t.Fatalf("refused with %q, want %q", got, code)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func arrived() visit.Visit {
	return visit.Arrive(
		visit.Opening{ID: visitID, StoreID: "main", Number: "20261123-0001", By: mei, At: at(0)},
		visit.Arrival{Plate: "粵A·12345", OdometerKM: new(int64(45_210)), Customer: &visit.Customer{Name: "陳大文"}},
		visit.Found{VehicleID: "v1", CustomerID: "c1"},
	)
}

func intake() visit.Intake {
	return visit.Intake{
		Requests: []visit.Request{{ID: "r1", Words: "煞車有異響", Restated: new(true), RestatedAt: new(at(2))}},
		Language: domain.ZhHant,
	}
}

func walkaround() visit.Inspection {
	return visit.Inspection{
		CustomerPresent:     new(true),
		ValuablesReminderAt: new(at(3)),
		Covers:              &visit.Covers{Seat: new(true), SteeringWheel: new(true), Floor: new(true), FittedAt: new(at(4))},
		Items:               []visit.Item{{Code: "glass.windshield", Result: visit.OK}},
		Damages:             []visit.Damage{{ID: "d1", View: visit.Left, X: new(0.42), Y: new(0.55), Kind: visit.Scratch, PhotoIDs: []string{photoID}}},
	}
}

func standard() visit.Defaults {
	return visit.Defaults{
		Checklist: visit.ChecklistRef{ID: listID, Version: 3}, Required: []string{"glass.windshield"},
		Consent: visit.Consent{Language: domain.ZhHant, Text: "本人確認"},
	}
}

// complete is a visit that can be signed, after change had its way with both sections.
func complete(t *testing.T, change func(*visit.Intake, *visit.Inspection)) visit.Visit {
	t.Helper()
	v, in, walk := arrived(), intake(), walkaround()
	if change != nil {
		change(&in, &walk)
	}
	must(t, v.SaveIntake(in, "sent-1", tablet, at(2)))
	must(t, v.SaveInspection(walk, standard(), "sent-2", tablet, at(5)))
	_, err := v.AddPhoto(visit.StoredFile{ID: photoID, SHA256: sum}, mei, at(6))
	must(t, err)
	return v
}

func signing(id string, v *visit.Visit) visit.Signing {
	return visit.Signing{
		ID: id, Digest: v.Sections.Inspection.Digest, Signer: evidence.Signer{Name: "陳大文", Relation: "owner"}, SignedAt: at(7), Witness: mei,
		Files: visit.Files{Image: sum},
	}
}

func signed(t *testing.T) visit.Visit {
	t.Helper()
	v := complete(t, nil)
	_, err := v.Sign(signing("s1", &v), storing, at(8))
	must(t, err)
	return v
}

func kinds(v *visit.Visit) string {
	var list []string
	for _, e := range v.Events {
		list = append(list, e.Type)
	}
	return strings.Join(list, " ")
}
