package visit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/evidence"
)

// Sheet is what the customer signs at the walk-around: intake and inspection together, from what the client sent and
// nothing else. Its canonical form is made alike on a tablet without network (DESIGN section 3).
type Sheet struct {
	VisitID    string             `json:"visit_id" format:"uuid"`
	Plate      string             `json:"plate,omitempty"`
	VIN        string             `json:"vin,omitempty"`
	OdometerKM *int64             `json:"odometer_km,omitempty"`
	Reason     string             `json:"odometer_reason,omitempty"`
	Customer   *Customer          `json:"customer,omitempty"`
	Intake     *Intake            `json:"intake,omitempty"`
	Inspection *Inspection        `json:"inspection,omitempty"`
	Checklist  *ChecklistRef      `json:"checklist,omitempty"`
	Consent    *Consent           `json:"consent,omitempty"`
	Photos     map[string]*string `json:"photos,omitempty"`     // photo id → SHA-256, null while it is not stored
	Recordings map[string]*string `json:"recordings,omitempty"` // likewise
}

// Sheet gives the sheet as the visit stands.
func (v *Visit) Sheet() Sheet {
	s := Sheet{
		VisitID: v.ID, Plate: v.Plate, VIN: v.VIN, OdometerKM: v.OdometerKM, Reason: v.OdometerReason, Customer: v.Customer,
		Intake: v.Intake,
	}
	if v.Inspection != nil {
		body := *v.Inspection
		s.Checklist, s.Consent = body.Checklist, body.Consent
		body.Checklist, body.Consent = nil, nil
		s.Inspection = &body
	}
	s.Photos = stored(s.photoIDs(), v.Photos)
	s.Recordings = stored(s.recordingIDs(), v.Recordings)
	return s
}

// Arrival gives what was typed at the arrival, as it stands on the sheet.
func (s Sheet) Arrival() Arrival {
	return Arrival{ID: s.VisitID, Plate: s.Plate, VIN: s.VIN, OdometerKM: s.OdometerKM, OdometerReason: s.Reason, Customer: s.Customer}
}

func stored(ids []string, known map[string]string) map[string]*string {
	m := make(map[string]*string, len(ids))
	for _, id := range ids {
		m[id] = nil
		if sum, ok := known[id]; ok {
			m[id] = &sum
		}
	}
	return m
}

// Canonical gives the bytes that are signed (RFC 8785).
func (s Sheet) Canonical() ([]byte, error) { return canonical(s) }

func canonical(value any) ([]byte, error) {
	raw, err := json.Marshal(value) // escapes more than it must; the canonical form undoes it
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	return evidence.Canonical(raw)
}

// ParseSheet reads a canonical form back. It must be the canonical form of a sheet: CodeMalformed otherwise.
func ParseSheet(canonical []byte) (Sheet, error) {
	var s Sheet
	dec := json.NewDecoder(bytes.NewReader(canonical))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&s); err != nil {
		return Sheet{}, notASheet()
	}
	again, err := s.Canonical()
	if err != nil || !bytes.Equal(again, canonical) {
		return Sheet{}, notASheet()
	}
	return s, nil
}

func notASheet() error {
	return domain.Invalid([]domain.Field{{Pointer: "/canonical", Code: domain.CodeMalformed, Message: "not the canonical form of a walk-around"}})
}

// check lists wrong values of a sheet that came as a canonical form.
func (s Sheet) check() error {
	var f domain.Faults
	checkTyped(&f, s.Plate, s.VIN, s.Reason, s.OdometerKM, s.Customer)
	checkNamed(&f, s.Photos, s.photoIDs())
	checkNamed(&f, s.Recordings, s.recordingIDs())
	if err := f.Err(); err != nil {
		return err
	}
	if s.Intake != nil {
		if err := s.Intake.Check(); err != nil {
			return err
		}
	}
	if in := s.inspection(); in != nil {
		return in.Check()
	}
	return nil
}

// checkNamed refuses files that the content does not name: the maps say what is named and nothing else, so that the sheet
// made again from its content is the one that was signed.
func checkNamed(f *domain.Faults, files map[string]*string, named []string) {
	for id := range files {
		if !slices.Contains(named, id) {
			f.Add("/canonical", domain.CodeMalformed, "lists a file that its content does not name")
			return
		}
	}
}

// inspection gives the section back with checklist and consent inside.
func (s Sheet) inspection() *Inspection {
	if s.Inspection == nil && s.Checklist == nil && s.Consent == nil {
		return nil
	}
	var in Inspection
	if s.Inspection != nil {
		in = *s.Inspection
	}
	in.Checklist, in.Consent = s.Checklist, s.Consent
	return &in
}

func (s Sheet) photoIDs() []string {
	in := s.Inspection
	if in == nil {
		return nil
	}
	ids := slices.Clone(in.PhotoIDs)
	for _, i := range in.Items {
		ids = append(ids, i.PhotoIDs...)
	}
	for _, d := range in.Damages {
		ids = append(ids, d.PhotoIDs...)
	}
	for _, b := range in.Belongings {
		ids = append(ids, b.PhotoIDs...)
	}
	return ids
}

func (s Sheet) recordingIDs() []string {
	var ids []string
	if s.Intake != nil {
		ids = append(ids, s.Intake.RecordingIDs...)
		for _, r := range s.Intake.Requests {
			ids = append(ids, r.RecordingIDs...)
		}
	}
	if s.Inspection != nil && s.Inspection.Engine != nil {
		ids = append(ids, s.Inspection.Engine.RecordingIDs...)
	}
	return ids
}

// absentFiles names photos and recordings of the sheet that are not stored yet, in order.
func (s Sheet) absentFiles() []Missing {
	var m []Missing
	for id, sum := range s.Photos {
		if sum == nil {
			m = append(m, Missing{CodePhotoMissing, "/photos/" + id})
		}
	}
	for id, sum := range s.Recordings {
		if sum == nil {
			m = append(m, Missing{CodeRecordingMissing, "/recordings/" + id})
		}
	}
	return inOrder(m)
}

func inOrder(m []Missing) []Missing {
	slices.SortFunc(m, func(a, b Missing) int { return strings.Compare(a.Pointer, b.Pointer) })
	return m
}

// missing is all that stands between the sheet and its signature, files first.
func (s Sheet) missing(required []string, lastOdometer *int64) []Missing {
	m := append(s.absentFiles(), s.Intake.missing()...)
	m = append(m, s.Inspection.missing(required)...)
	if OdometerLower(s.OdometerKM, lastOdometer) && s.Reason == "" {
		m = append(m, Missing{CodeReasonMissing, "/odometer_reason"})
	}
	return m
}

// recompute brings digests and what is missing up to date after any change, so that reading them costs nothing.
func (v *Visit) recompute() {
	v.Sections.Intake.Missing = v.Intake.missing()
	v.Sections.Intake.Digest = v.IntakeDigest()
	v.recomputeSheet()
}

// IntakeDigest is the digest of the intake alone, as it stands.
func (v *Visit) IntakeDigest() string {
	return digestOf(struct {
		VisitID string  `json:"visit_id"`
		Intake  *Intake `json:"intake,omitempty"`
	}{v.ID, v.Intake})
}

// recomputeSheet is recompute after a change that left the intake as it was.
func (v *Visit) recomputeSheet() {
	sheet := v.Sheet()
	v.Sections.Inspection.Missing = sheet.missing(v.Required, v.Known.OdometerKM)
	v.Sections.Inspection.Digest = digestOf(sheet)
}

// digestOf is empty for what has no canonical form; Check lets no such section in, and nothing without a digest can be
// signed.
func digestOf(value any) string {
	form, err := canonical(value)
	if err != nil {
		return ""
	}
	return evidence.Digest(form)
}
