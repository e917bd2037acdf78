package visit

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/evidence"
)

// Intake is the sheet of what the customer asks for, in his own words (R3). Absent means not yet.
type Intake struct {
	Requests     []Request       `bson:"requests" json:"requests,omitempty" maxItems:"100"`
	FuelPercent  *int64          `bson:"fuel_percent,omitempty" json:"fuel_percent,omitempty" minimum:"0" maximum:"100" example:"40"`
	WantedAt     *domain.Time    `bson:"wanted_at,omitempty" json:"wanted_at,omitempty"`
	Language     domain.Language `bson:"language,omitempty" json:"language,omitempty"` // of the sheet that the customer reads
	Note         string          `bson:"note,omitempty" json:"note,omitempty" maxLength:"4000"`
	RecordingIDs []string        `bson:"recording_ids" json:"recording_ids,omitempty" format:"uuid" maxItems:"10"`
	Attributes   json.RawMessage `bson:"attributes,omitempty" json:"attributes,omitempty" swaggertype:"object"`
}

// Request is one thing that the customer asks for, in his own words, restated to him and understood.
type Request struct {
	ID           string       `bson:"id" json:"id" example:"r1" validate:"required" minLength:"1" maxLength:"64"`
	Words        string       `bson:"words,omitempty" json:"words,omitempty" example:"煞車有異響,尤其早上" maxLength:"4000"`
	Restated     *bool        `bson:"restated,omitempty" json:"restated,omitempty"`
	RestatedAt   *domain.Time `bson:"restated_at,omitempty" json:"restated_at,omitempty"`
	RecordingIDs []string     `bson:"recording_ids" json:"recording_ids,omitempty" format:"uuid" maxItems:"10"`
}

// Check lists everything that is wrong with the values; what is missing is no fault before the signature.
func (in *Intake) Check() error {
	var f domain.Faults
	f.Count("/requests", len(in.Requests), 100)
	domain.Unique(&f, "/requests", in.Requests, func(r Request) string { return r.ID })
	for i, r := range in.Requests {
		at := fmt.Sprintf("/requests/%d", i)
		f.Required(at+"/id", r.ID, 64)
		f.Text(at+"/words", r.Words, 4_000)
		f.IDs(at+"/recording_ids", r.RecordingIDs, 10)
	}
	f.Range("/fuel_percent", in.FuelPercent, 0, 100)
	domain.OneOf(&f, "/language", in.Language, domain.Languages()...)
	f.Text("/note", in.Note, 4_000)
	f.IDs("/recording_ids", in.RecordingIDs, 10)
	checkAttributes(&f, in.Attributes)
	return f.Err()
}

// MaxAttributesBytes is the most that `attributes` of a section may hold.
const MaxAttributesBytes = 64 << 10

// present gives nil for null, which says not yet, as in every member.
func present(raw json.RawMessage) json.RawMessage {
	if string(raw) == "null" {
		return nil
	}
	return raw
}

func checkAttributes(f *domain.Faults, raw json.RawMessage) {
	if len(raw) > MaxAttributesBytes {
		f.Add("/attributes", domain.CodeTooLong, "%d bytes; at most %d are taken", len(raw), MaxAttributesBytes)
	}
	if len(raw) == 0 || string(raw) == "null" {
		return
	}
	if raw[0] != '{' {
		f.Add("/attributes", domain.CodeMalformed, "must be an object")
		return
	}
	inSheet := slices.Concat([]byte(`{"section":{"attributes":`), raw, []byte(`}}`)) // one level deeper than they came
	if _, err := evidence.Canonical(inSheet); err != nil {
		f.Add("/attributes", domain.CodeMalformed, "can't stand in a canonical form: %s", err)
	}
}

// missing is what stands between the intake and the signature.
func (in *Intake) missing() []Missing {
	if in == nil || len(in.Requests) == 0 {
		return []Missing{{CodeIntakeEmpty, "/requests"}}
	}
	var m []Missing
	for i, r := range in.Requests {
		at := fmt.Sprintf("/requests/%d", i)
		if r.Words == "" && len(r.RecordingIDs) == 0 {
			m = append(m, Missing{CodeIntakeEmpty, at + "/words"})
		}
		if !yes(r.Restated) {
			m = append(m, Missing{CodeNotRestated, at})
		}
	}
	return m
}

// SaveIntake replaces the intake, complete or not (R3). sent is the SHA-256 of the body as it came.
func (v *Visit) SaveIntake(in Intake, sent string, by Saver, now domain.Time) error {
	if err := v.mayChange(); err != nil {
		return err
	}
	in.Attributes = present(in.Attributes)
	v.Intake = &in
	v.saved("intake", &v.Sections.Intake, sent, by, now)
	v.recompute()
	return nil
}

// Saver is who saved a section, on which device.
type Saver struct {
	Person Person
	Device string // as the client names itself; empty when it does not
}

// savedEvery is how long autosaves of one section on one device are one event.
const savedEvery = 5 * time.Minute

// maxSavedMarks is how many devices are remembered for it.
const maxSavedMarks = 50

// saved gives a section its next revision and records it; autosaves coalesce before they are appended.
func (v *Visit) saved(name string, s *Section, sent string, by Saver, now domain.Time) {
	s.Revision = s.next()
	s.SavedAt, s.Sent = &now, sent
	mark := name + " " + by.Person.ID + " " + by.Device
	last, ok := v.Saved[mark]
	if since := now.Sub(last.At.Time); ok && since >= 0 && since < savedEvery {
		return
	}
	if v.Saved == nil || len(v.Saved) >= maxSavedMarks {
		v.Saved = map[string]SavedMark{}
	}
	v.Saved[mark] = SavedMark{At: now}
	v.record("saved", by.Person.ID, map[string]string{"section": name, "device": by.Device}, now)
}

// mayChange refuses a change of the sheet after its signature or the end of the visit.
func (v *Visit) mayChange() error {
	if err := v.closed(); err != nil {
		return err
	}
	if v.Sections.Inspection.Frozen {
		return domain.Refuse(CodeSectionFrozen, "the sheet is signed; open a new revision to change it")
	}
	return nil
}
