package visit_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/evidence"
	"example.com/walkaround/domain/visit"
)

// sections reads both sections as a client sends them.
func sections(t *testing.T, in, walk string) (visit.Intake, visit.Inspection) {
	t.Helper()
	var a visit.Intake
	var b visit.Inspection
	if err := json.Unmarshal([]byte(in), &a); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(walk), &b); err != nil {
		t.Fatal(err)
	}
	return a, b
}

func TestCanonicalForm(t *testing.T) {
	const head, tail = `{"checklist":{"id":"` + listID + `","version":3},"consent":{"language":"zh-Hant","text":"本人確認"},`, `"visit_id":"` + visitID + `"}`
	for name, c := range map[string]struct{ intake, inspection, want string }{
		"nothing yet":          {`{}`, `{}`, ""},
		"absent, null, empty":  {`{"requests":[],"note":"","language":null}`, `{"items":null,"covers":null,"note":"","photo_ids":[],"attributes":null}`, ""},
		"objects left empty":   {`{}`, `{"covers":{},"engine":{"recording_ids":[]}}`, ""},
		"false and 0 kept":     {`{"fuel_percent":0}`, `{"customer_present":false,"damages":[{"id":"d","x":0,"y":1}]}`, `"inspection":{"customer_present":false,"damages":[{"id":"d","x":0,"y":1}]},"intake":{"fuel_percent":0},`},
		"times in UTC, cut":    {`{"wanted_at":"2026-11-23T09:00:00.123999+08:00"}`, `{}`, `"intake":{"wanted_at":"2026-11-23T01:00:00.123Z"},`},
		"strings untouched":    {`{"note":"  a\n<b>&\u2028é "}`, `{}`, `"intake":{"note":"  a\n<b>&` + "\u2028" + `é "},`},
		"numbers as RFC 8785":  {`{}`, `{"damages":[{"id":"d","x":0.10,"y":1.0e0}]}`, `"inspection":{"damages":[{"id":"d","x":0.1,"y":1}]},`},
		"attributes untouched": {`{"attributes":{"b":null,"a":["",{},[],0.50]}}`, `{}`, `"intake":{"attributes":{"a":["",{},[],0.5],"b":null}},`},
		"photo not stored":     {`{}`, `{"photo_ids":["` + soundID + `"]}`, `"inspection":{"photo_ids":["` + soundID + `"]},"photos":{"` + soundID + `":null},`},
		"photo stored": {
			`{}`, `{"belongings":[{"description":"x","photo_ids":["` + photoID + `"]}]}`,
			`"inspection":{"belongings":[{"description":"x","photo_ids":["` + photoID + `"]}]},"photos":{"` + photoID + `":"` + sum + `"},`,
		},
		"recordings": {
			`{"recording_ids":["` + soundID + `"]}`, `{"engine":{"recording_ids":["` + listID + `"]}}`,
			`"inspection":{"engine":{"recording_ids":["` + listID + `"]}},"intake":{"recording_ids":["` + soundID + `"]},"plate":" 粵a·1","recordings":{"` + soundID + `":"` + other + `","` + listID + `":null},`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			v := visit.Arrive(visit.Opening{ID: visitID, StoreID: "main", Number: "n", By: mei, At: at(0)}, visit.Arrival{Plate: " 粵a·1"}, visit.Found{
				VehicleID: "v1", Known: visit.Known{VIN: "known", Model: "Accord"},
			})
			in, walk := sections(t, c.intake, c.inspection)
			must(t, v.SaveIntake(in, "", tablet, at(1)))
			must(t, v.SaveInspection(walk, standard(), "", tablet, at(1)))
			_, err := v.AddPhoto(visit.StoredFile{ID: photoID, SHA256: sum}, mei, at(2))
			must(t, err)
			_, err = v.AddRecording(visit.StoredFile{ID: soundID, SHA256: other}, mei, at(2))
			must(t, err)
			got, err := v.Sheet().Canonical()
			must(t, err)
			wanted := c.want
			if !strings.Contains(wanted, "plate") {
				wanted += `"plate":" 粵a·1",`
			}
			if wanted = head + wanted + tail; string(got) != wanted {
				t.Errorf("\n got %s\nwant %s", got, wanted)
			}
			if v.Sections.Inspection.Digest != evidence.Digest(got) {
				t.Error("the section's digest is another")
			}
			again, err := visit.ParseSheet(got)
			must(t, err)
			if form, err := again.Canonical(); err != nil || !bytes.Equal(form, got) {
				t.Errorf("read back as %s, %v", form, err)
			}
		})
	}
}

func TestDigestsMoveWithWhatTheyName(t *testing.T) {
	v := complete(t, nil)
	intakeDigest, sheet := v.Sections.Intake.Digest, v.Sections.Inspection.Digest
	_, err := v.AddPhoto(visit.StoredFile{ID: soundID, SHA256: other}, mei, at(7))
	must(t, err)
	if v.Sections.Inspection.Digest != sheet {
		t.Error("a photo that the sheet does not name moved its digest")
	}
	in := intake()
	in.Note = "more"
	must(t, v.SaveIntake(in, "", tablet, at(8)))
	if v.Sections.Intake.Digest == intakeDigest || v.Sections.Inspection.Digest == sheet {
		t.Error("the intake belongs to both digests")
	}
}

func TestParseSheetTakesCanonicalFormsAlone(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":          ``,
		"no object":        `[]`,
		"null":             `null`,
		"unknown member":   `{"number":"1","visit_id":"x"}`,
		"other case":       `{"Visit_id":"x"}`,
		"spaces":           `{ "visit_id":"x"}`,
		"trailing data":    `{"visit_id":"x"}{}`,
		"repeated member":  `{"visit_id":"x","visit_id":"x"}`,
		"not in order":     `{"visit_id":"x","plate":"a"}`,
		"empty member":     `{"plate":"","visit_id":"x"}`,
		"null member":      `{"plate":null,"visit_id":"x"}`,
		"time with a zone": `{"intake":{"wanted_at":"2026-11-23T09:00:00.000+08:00"},"visit_id":"x"}`,
		"float as integer": `{"odometer_km":1.5,"visit_id":"x"}`,
		"escaped":          `{"plate":"\u0041","visit_id":"x"}`,
	} {
		if s, err := visit.ParseSheet([]byte(text)); err == nil {
			t.Errorf("%s was read as %+v", name, s)
		} else {
			want(t, err, "invalid /canonical=malformed")
		}
	}
}

// FuzzParseSheet holds that what is read back is the same sheet, whatever bytes come.
func FuzzParseSheet(f *testing.F) {
	v := arrived()
	in, walk := intake(), walkaround()
	in.Attributes = []byte(`{"a":[null,0.5]}`)
	for _, err := range []error{v.SaveIntake(in, "", tablet, at(1)), v.SaveInspection(walk, standard(), "", tablet, at(1))} {
		if err != nil {
			f.Fatal(err)
		}
	}
	seed, err := v.Sheet().Canonical()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add([]byte(`{"odometer_km":9007199254740991,"visit_id":"x"}`))
	f.Add([]byte(`{"photos":{"a":null},"visit_id":""}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := visit.ParseSheet(data)
		if err != nil {
			return
		}
		form, err := s.Canonical()
		if err != nil || !bytes.Equal(form, data) {
			t.Fatalf("%s became %s, %v", data, form, err)
		}
		v := visit.Visit{ID: s.VisitID, State: visit.Arrived}
		_, _ = v.Sign(visit.Signing{Digest: evidence.Digest(data), Canonical: data, Signer: evidence.Signer{Name: "x"}}, storing, domain.Time{})
	})
}
