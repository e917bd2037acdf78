package e2e_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"example.com/walkaround/domain"
	"example.com/walkaround/test/harness"
)

// sheet is what a guard judges: what is sent of each section, and the signature.
type sheet struct {
	intake, inspection, signature object
}

// guard spoils a complete sheet in one way.
type guard struct {
	name  string
	spoil func(*sheet)
	code  string
	all   []string // codes of errors
}

func before(minutes int, h *harness.House) string {
	return domain.At(h.Clock.Now().Add(-time.Duration(minutes) * time.Minute)).String()
}

func guards(h *harness.House) []guard {
	covers := func(c object) func(*sheet) { return func(s *sheet) { s.inspection["covers"] = c } }
	fitted := before(4, h)
	return []guard{
		{"no request", func(s *sheet) { s.intake["requests"] = nil }, "intake_empty", nil},
		{"a request without words", func(s *sheet) { requests(s)[0]["words"] = "" }, "intake_empty", nil},
		{"a request not restated", func(s *sheet) { requests(s)[0]["restated"] = nil }, "request_not_restated", nil},
		{"a request restated wrongly", func(s *sheet) { requests(s)[0]["restated"] = false }, "request_not_restated", nil},
		{"no reminder", func(s *sheet) { s.inspection["valuables_reminder_at"] = nil }, "valuables_reminder_missing", nil},
		{"a late reminder", func(s *sheet) { s.inspection["valuables_reminder_at"] = before(3, h) }, "valuables_reminder_late", nil},
		{"no covers", covers(nil), "covers_not_fitted", nil},
		{"no seat cover", covers(object{"steering_wheel": true, "floor": true, "fitted_at": fitted}), "covers_not_fitted", nil},
		{"no wheel cover", covers(object{"seat": true, "steering_wheel": false, "floor": true, "fitted_at": fitted}), "covers_not_fitted", nil},
		{"no floor cover", covers(object{"seat": true, "steering_wheel": true, "fitted_at": fitted}), "covers_not_fitted", nil},
		{"covers fitted at no time", covers(object{"seat": true, "steering_wheel": true, "floor": true}), "covers_not_fitted", nil},
		{"the customer absent", func(s *sheet) { s.inspection["customer_present"] = false }, "customer_absent", nil},
		{"the customer not told of", func(s *sheet) { delete(s.inspection, "customer_present") }, "customer_absent", nil},
		{"an item not answered", func(s *sheet) { items(s)[0]["result"] = "" }, "checklist_incomplete", nil},
		{"an item left out", func(s *sheet) { s.inspection["items"] = items(s)[1:] }, "checklist_incomplete", nil},
		{"a damage without a photo", func(s *sheet) { damages(s)[0]["photo_ids"] = []string{} }, "damage_without_photo", nil},
		{"a photo that never came", func(s *sheet) { damages(s)[0]["photo_ids"] = []string{domain.NewID()} }, "photo_missing", nil},
		{"a recording that never came", func(s *sheet) { requests(s)[0]["recording_ids"] = []string{domain.NewID()} }, "recording_missing", nil},
		{"a signer without a name", func(s *sheet) { s.signature["signer"] = object{"name": " ", "relation": "owner"} }, "signer_missing", nil},
		{"another digest", func(s *sheet) { s.signature["digest"] = "sha256:" + emptySum }, "document_changed", nil},
		{"a photo before the digest", func(s *sheet) {
			damages(s)[0]["photo_ids"] = []string{domain.NewID()}
			s.signature["digest"] = "sha256:" + emptySum
		}, "photo_missing", nil},
		{"everything at once", func(s *sheet) {
			requests(s)[0]["restated"] = false
			s.inspection["customer_present"], s.inspection["covers"], s.inspection["valuables_reminder_at"] = false, nil, nil
			s.inspection["items"] = items(s)[1:]
			damages(s)[0]["photo_ids"] = []string{domain.NewID()}
			s.inspection["damages"] = append(damages(s), object{"id": "d2"})
		}, "photo_missing", []string{
			"photo_missing", "request_not_restated", "valuables_reminder_missing", "covers_not_fitted", "customer_absent",
			"checklist_incomplete", "damage_without_photo",
		}},
	}
}

const emptySum = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

func requests(s *sheet) []object { return list(s.intake, "requests") }
func items(s *sheet) []object    { return list(s.inspection, "items") }
func damages(s *sheet) []object  { return list(s.inspection, "damages") }

func list(o object, name string) []object {
	l, ok := o[name].([]object)
	if !ok {
		panic(name + " is no list")
	}
	return l
}

// TestGuards spoils a sheet in each way, is refused, mends it, and signs.
func TestGuards(t *testing.T) {
	h := harness.Start(t)
	mei := h.As("advisor")
	v := mei.Arrive(harness.CarArrival("粵A·12345"))
	photo := v.UploadPhoto(harness.SmallPhoto(1), "image/png").Want(http.StatusCreated).Text("id")
	good := func() *sheet {
		return &sheet{intake: harness.Intake(), inspection: mei.Inspection(photo), signature: v.Signature("")}
	}
	for _, g := range guards(h) {
		t.Run(g.name, func(t *testing.T) {
			s := good()
			g.spoil(s)
			trySigning(t, v.By(mei.In(t)), s, g)
		})
	}
	s := good()
	v.PutIntake(s.intake).Want(http.StatusOK)
	v.PutInspection(s.inspection).Want(http.StatusOK)
	v.Sign().Want(http.StatusCreated)
	v.Sign().WantProblem(http.StatusConflict, "section_frozen")
	v.Do(http.MethodPost, v.At("/cancel"), object{"reason": "changed his mind"}).WantProblem(http.StatusConflict, "covers_not_removed")
	v.Do(http.MethodPost, v.At("/cancel"), object{"reason": "", "covers_removed": true}).WantProblem(http.StatusConflict, "reason_missing")
	v.Do(http.MethodPost, v.At("/cancel"), object{"reason": "changed his mind", "covers_removed": true}).Want(http.StatusOK)
	afterTheEnd(t, v)
}

func trySigning(t *testing.T, v harness.Visit, s *sheet, g guard) {
	t.Helper()
	v.PutIntake(s.intake).Want(http.StatusOK)
	v.PutInspection(s.inspection).Want(http.StatusOK)
	if s.signature["digest"] == "" {
		s.signature["digest"] = v.Digest()
	}
	standing := snapshot(v)
	refused := v.SignAs(s.signature).WantProblem(http.StatusConflict, g.code)
	if snapshot(v) != standing {
		t.Error("the refusal changed something")
	}
	if g.all == nil {
		return
	}
	if told := refused.Codes(); !slices.Equal(told, g.all) {
		t.Errorf("told %v, wanted %v", told, g.all)
	}
	var foretold []string
	for _, m := range v.Get(v.At("/inspection")).List("missing") {
		entry, _ := m.(object)
		code, _ := entry["code"].(string)
		foretold = append(foretold, code)
	}
	if !slices.Equal(foretold, g.all) {
		t.Errorf("missing says %v", foretold)
	}
}

// afterTheEnd tries to change a visit that is cancelled.
func afterTheEnd(t *testing.T, v harness.Visit) {
	t.Helper()
	standing := snapshot(v)
	seen := v.Get(v.At("/intake")).ETag()
	for name, try := range map[string]func() harness.Answer{
		"save": func() harness.Answer {
			return v.Do(http.MethodPut, v.At("/intake"), object{"note": "x"}, "If-Match", seen)
		},
		"take": func() harness.Answer { return v.Do(http.MethodPost, v.At("/take"), nil) },
		"cancel": func() harness.Answer {
			return v.Do(http.MethodPost, v.At("/cancel"), object{"reason": "again", "covers_removed": true})
		},
		"photo": func() harness.Answer { return v.UploadPhoto(harness.SmallPhoto(77), "image/png") },
		"revision": func() harness.Answer {
			return v.Do(http.MethodPost, v.At("/inspection/revisions"), object{"reason": "x"})
		},
		"correct": func() harness.Answer {
			return v.Do(http.MethodPatch, v.At(""), object{"plate": "粵A·1"}, "If-Match", v.Read().ETag())
		},
		"signature": func() harness.Answer { return v.SignAs(v.Signature("sha256:" + emptySum)) },
	} {
		if got := try(); got.Status != http.StatusConflict || got.Text("code") != "wrong_state" {
			t.Errorf("%s: %d %s", name, got.Status, got.Text("code"))
		}
	}
	if now := snapshot(v); now != standing {
		t.Errorf("something changed after the end:\n%s\n%s", standing, now)
	}
}

// TestSignaturesThatAreNone lists what is wrong with drawn signatures.
func TestSignaturesThatAreNone(t *testing.T) {
	h := harness.Start(t)
	v := h.As("advisor").ReadyVisit("粵A·12345")
	digest := v.Digest()
	point := func(points ...[]float64) [][][]float64 { return [][][]float64{points} }
	for name, tc := range map[string]struct {
		member  string
		value   any
		pointer string
	}{
		"another document":      {"document", "estimate", "/document"},
		"a digest that is none": {"digest", "sha256:abc", "/digest"},
		"a strange time":        {"signed_at", "0001-01-01T00:00:00Z", "/signed_at"},
		"no picture":            {"image", "", "/image"},
		"a JPEG":                {"image", "data:image/jpeg;base64,AAAA", "/image"},
		"not base64":            {"image", "data:image/png;base64,!!!!", "/image"},
		"half a picture":        {"image", harness.Drawn()[:800], "/image"},
		"outside the picture":   {"strokes", point([]float64{301, 1, 0}), "/strokes/0/0"},
		"time runs backwards":   {"strokes", point([]float64{1, 1, 10}, []float64{2, 2, 9}), "/strokes/0/1"},
		"pressure above 1":      {"strokes", point([]float64{1, 1, 10, 1.1}), "/strokes/0/0"},
		"a point of two":        {"strokes", point([]float64{1, 1}), "/strokes/0/0"},
		"too many strokes":      {"strokes", make([][][]float64, 501), "/strokes"},
		"a long name":           {"signer", object{"name": string(make([]rune, 81)), "relation": "owner"}, "/signer/name"},
	} {
		t.Run(name, func(t *testing.T) {
			body := v.Signature(digest)
			body[tc.member] = tc.value
			got := v.By(v.In(t)).SignAs(body).WantProblem(http.StatusUnprocessableEntity, "invalid")
			if got.Text("errors.0.pointer") != tc.pointer {
				t.Errorf("told %s", got.Body)
			}
		})
	}
	v.Sign().Want(http.StatusCreated)
}
