// Package e2e_test holds the server to its promises over HTTP alone: the main job from arrival to a sheet that anyone can
// verify, who may do what, what is refused and how, and what happens when requests come twice, at once, or out of time.
package e2e_test

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/evidence"
	"example.com/walkaround/test/harness"
	"example.com/walkaround/test/samples"
)

type object = map[string]any

// TestMainJob is the walk-around as an advisor does it, told once from the arrival to the proof.
func TestMainJob(t *testing.T) {
	h := harness.Start(t)
	mei := h.As("advisor")
	v := arriveByPlate(t, mei)
	captureSheet(t, v)
	signed := v.Sign().Want(http.StatusCreated)
	if v.Read().Text("state") != "inspected" || signed.Header.Get("Location") != signed.Text("pdf") {
		t.Errorf("state %s, location %q", v.Read().Text("state"), signed.Header.Get("Location"))
	}
	v.PutInspection(v.Inspection(domain.NewID())).WantProblem(http.StatusConflict, "section_frozen")
	v.PutIntake(object{"note": "too late"}).WantProblem(http.StatusConflict, "section_frozen")
	proveSheet(t, v, signed.Text("digest"), signed.Text("pdf"))
	v.Do(http.MethodPost, v.At("/copies"), object{"digest": signed.Text("digest"), "kind": "paper"}).Want(http.StatusOK)
	marks := mei.Get("/v1/vehicles/" + v.VehicleID + "/damage").Want(http.StatusOK)
	if len(marks.List("items")) != 1 || marks.Text("items.0.visit_id") != v.ID || len(marks.List("items.0.photo_ids")) != 1 {
		t.Fatalf("ledger: %s", marks.Body)
	}
	nextVisit(t, mei, marks.Text("items.0.id"))
}

func arriveByPlate(t *testing.T, mei *harness.Client) harness.Visit {
	t.Helper()
	v := mei.Arrive(harness.CarArrival("粵A·12345"))
	if v.Arrival.Text("state") != "arrived" || v.Arrival.Header.Get("Location") != v.At("") || v.Arrival.ETag() == "" {
		t.Fatalf("arrival: %s %v", v.Arrival.Body, v.Arrival.Header)
	}
	if v.Arrival.Text("greeted_by.id") != mei.AccountID || v.Arrival.Text("taken_at") != "" {
		t.Errorf("greeted by %s, taken at %s", v.Arrival.Text("greeted_by.id"), v.Arrival.Text("taken_at"))
	}
	queue := mei.Get("/v1/visits?waiting=true")
	if len(queue.List("items")) != 1 || queue.Text("items.0.id") != v.ID {
		t.Errorf("queue: %s", queue.Body)
	}
	taken := v.Do(http.MethodPost, v.At("/take"), nil).Want(http.StatusOK)
	if taken.Text("advisor_id") != mei.AccountID || len(mei.Get("/v1/visits?waiting=true").List("items")) != 0 {
		t.Errorf("taken: %s", taken.Body)
	}
	return v
}

// captureSheet fills the sheet as a tablet does: sections before photos.
func captureSheet(t *testing.T, v harness.Visit) {
	t.Helper()
	empty := v.Get(v.At("/intake")).Want(http.StatusOK)
	if empty.Number("revision") != 0 || empty.Text("missing.0.code") != "intake_empty" {
		t.Errorf("untouched intake: %s", empty.Body)
	}
	v.Do(http.MethodPut, v.At("/intake"), harness.Intake(), "If-None-Match", "*").Want(http.StatusOK)
	photo := domain.NewID()
	saved := v.Do(http.MethodPut, v.At("/inspection"), v.Inspection(photo), "If-None-Match", "*").Want(http.StatusOK)
	if got := missing(saved); !slices.Equal(got, []string{"photo_missing /photos/" + photo}) {
		t.Errorf("before the photo: %v", got)
	}
	v.Sign().WantProblem(http.StatusConflict, "photo_missing")
	v.UploadPhoto(samples.CarJPEG(3, "left", "粵A12345", samples.Defect{Kind: "scratch", X: 0.42, Y: 0.55, Size: 1}), "image/jpeg", photo).Want(http.StatusCreated)
	complete := v.Get(v.At("/inspection"))
	if len(missing(complete)) != 0 || complete.Number("revision") != saved.Number("revision") || complete.Text("digest") == saved.Text("digest") {
		t.Errorf("after the photo: %s", complete.Body)
	}
	if complete.Text("consent.text") == "" || complete.Number("checklist.version") != 1 {
		t.Errorf("defaults: %s", complete.Body)
	}
}

func missing(a harness.Answer) []string {
	list := []string{}
	for _, m := range a.List("missing") {
		entry, _ := m.(object)
		code, _ := entry["code"].(string)
		pointer, _ := entry["pointer"].(string)
		list = append(list, code+" "+pointer)
	}
	return list
}

// proveSheet is what a stranger does with what the customer took home.
func proveSheet(t *testing.T, v harness.Visit, digest, pdf string) {
	t.Helper()
	published := v.House.Anyone().Get("/.well-known/walkaround-keys.json").Want(http.StatusOK)
	keys, err := evidence.ParseKeys(published.Body)
	if err != nil {
		t.Fatal(err)
	}
	paper := v.Get(pdf).Want(http.StatusOK)
	if verdict := evidence.VerifyPDF(keys, paper.Body); !bytes.HasPrefix(paper.Body, []byte("%PDF")) || verdict.Result != evidence.Genuine || verdict.Digest != digest {
		t.Errorf("PDF: %+v", verdict)
	}
	forged := bytes.Replace(paper.Body, []byte("%PDF-1.7"), []byte("%PDF-1.6"), 1)
	if bytes.Equal(forged, paper.Body) {
		forged = append([]byte("%PDF-1.3"), paper.Body[8:]...)
	}
	if verdict := evidence.VerifyPDF(keys, forged); verdict.Result != evidence.NotGenuine {
		t.Errorf("a changed PDF: %+v", verdict)
	}
	if got := evidence.Digest(v.Get(v.At("/documents/inspection.json")).Want(http.StatusOK).Body); got != digest {
		t.Errorf("inspection.json hashes to %s, the digest is %s", got, digest)
	}
	bundle := v.Get(v.At("/documents/bundle.zip")).Want(http.StatusOK).Body
	verdict, err := evidence.VerifyBundle(keys, bytes.NewReader(bundle), int64(len(bundle)))
	if err != nil || verdict.Result != evidence.Genuine || verdict.Photos != 1 {
		t.Errorf("bundle: %v %+v", err, verdict)
	}
	told := v.House.Anyone().Get("/v1/verify/" + digest).Want(http.StatusOK)
	if told.At("genuine") != true || told.At("superseded") != false || told.Text("number") != v.Arrival.Text("number") {
		t.Errorf("verify: %s", told.Body)
	}
	for _, private := range []string{"陳大文", "13800138000", "12345", "scratch"} {
		if strings.Contains(string(told.Body), private) {
			t.Errorf("verify tells %s: %s", private, told.Body)
		}
	}
}

// nextVisit brings the car again: what is known of it, and how its marks fare.
func nextVisit(t *testing.T, mei *harness.Client, mark string) {
	t.Helper()
	next := mei.Arrive(object{"plate": "粵a12345", "odometer_km": 40_000})
	if next.Arrival.Number("known.odometer_km") != 45_210 || next.Arrival.Number("known.visits") != 1 ||
		next.Arrival.Text("known.customer.name") != "陳大文先生的車" || next.Arrival.Text("warnings.0.code") != "odometer_lower" {
		t.Fatalf("next arrival: %s", next.Arrival.Body)
	}
	next.PutIntake(harness.Intake()).Want(http.StatusOK)
	photo := next.UploadPhoto(harness.SmallPhoto(2), "image/png").Want(http.StatusCreated).Text("id")
	sheet := mei.Inspection(photo)
	damages, _ := sheet["damages"].([]object)
	damages[0]["known_id"], damages[0]["change"], damages[0]["severity"] = mark, "worse", "moderate"
	next.PutInspection(sheet).Want(http.StatusOK)
	refused := next.Sign().WantProblem(http.StatusConflict, "reason_missing")
	if refused.Text("errors.0.pointer") != "/odometer_reason" {
		t.Errorf("refusal: %s", refused.Body)
	}
	next.Do(http.MethodPatch, next.At(""), object{"odometer_reason": "儀表更換"}, "If-Match", next.Read().ETag()).Want(http.StatusOK)
	next.Sign().Want(http.StatusCreated)
	marks := mei.Get("/v1/vehicles/" + next.VehicleID + "/damage")
	if len(marks.List("items")) != 1 || marks.Text("items.0.change") != "worse" || len(marks.List("items.0.history")) != 2 {
		t.Errorf("ledger after the second visit: %s", marks.Body)
	}
}

func TestNewRevisionSupersedesTheOldSeal(t *testing.T) {
	h := harness.Start(t)
	v := h.As("advisor").ReadyVisit("粵B·22222")
	old := v.Sign().Want(http.StatusCreated).Text("digest")
	oldPDF := v.Get(v.At("/documents/inspection.pdf")).Want(http.StatusOK).Body
	v.Do(http.MethodPost, v.At("/inspection/revisions"), object{}).WantProblem(http.StatusConflict, "reason_missing")
	v.Do(http.MethodPost, v.At("/inspection/revisions"), object{"reason": "另有一個包"}).Want(http.StatusCreated)
	if now := v.Read(); now.Text("state") != "inspected" || now.At("sections.inspection.frozen") != false {
		t.Errorf("reopened: %s", now.Body)
	}
	if h.Anyone().Get("/v1/verify/"+old).At("superseded") != false {
		t.Error("the old seal is current until the new one")
	}
	changed := v.Get(v.At("/inspection"))
	body := content(t, changed)
	body["note"] = "另有一個包"
	v.PutInspection(body).Want(http.StatusOK)
	again := v.Sign().Want(http.StatusCreated)
	if again.Number("revision") <= 1 || again.Text("digest") == old {
		t.Errorf("second signature: %s", again.Body)
	}
	if told := h.Anyone().Get("/v1/verify/" + old); told.At("superseded") != true || told.At("genuine") != true {
		t.Errorf("old seal: %s", told.Body)
	}
	if kept := v.Get(v.At("/documents/inspection.pdf?digest=" + old)).Want(http.StatusOK); !bytes.Equal(kept.Body, oldPDF) {
		t.Error("the old PDF changed")
	}
	proveSheet(t, v, again.Text("digest"), again.Text("pdf"))
	list := v.Get(v.At("/signatures")).List("items")
	if len(list) != 2 {
		t.Errorf("%d signatures", len(list))
	}
}

// content is a section as a client would send it back: without how it stands.
func content(t *testing.T, section harness.Answer) object {
	t.Helper()
	body := object{}
	section.JSON(&body)
	for _, name := range []string{"revision", "digest", "frozen", "saved_at", "reason", "missing"} {
		delete(body, name)
	}
	return body
}

// TestConflict is the tablet that was offline while another one went on.
func TestConflict(t *testing.T) {
	h := harness.Start(t)
	v := h.As("advisor").ReadyVisit("粵C·33333")
	shown := v.Get(v.At("/documents/inspection.json")).Want(http.StatusOK).Body
	digest := evidence.Digest(shown)
	body := content(t, v.Get(v.At("/inspection")))
	body["note"] = "written meanwhile"
	v.PutInspection(body).Want(http.StatusOK)

	signature := v.Signature(digest)
	v.SignAs(signature).WantProblem(http.StatusConflict, "document_changed")
	signature["canonical"] = strings.Replace(string(shown), "r1", "r2", 1)
	v.SignAs(signature).WantProblem(http.StatusUnprocessableEntity, "invalid")
	other := h.As("advisor").ReadyVisit("粵C·33334")
	foreign := other.Get(other.At("/documents/inspection.json")).Body
	stolen := v.Signature(evidence.Digest(foreign))
	stolen["canonical"] = string(foreign)
	v.SignAs(stolen).WantProblem(http.StatusUnprocessableEntity, "invalid")

	signature["canonical"] = string(shown)
	conflict := v.SignAs(signature).Want(http.StatusCreated)
	if conflict.At("conflict") != true || v.Read().Text("state") != "arrived" {
		t.Fatalf("conflict: %s, state %s", conflict.Body, v.Read().Text("state"))
	}
	if told := h.Anyone().Get("/v1/verify/" + digest); told.At("conflict") != true || told.At("genuine") != true {
		t.Errorf("verify: %s", told.Body)
	}
	v.Get(v.At("/documents/inspection.pdf")).WantProblem(http.StatusConflict, "not_signed")
	v.Do(http.MethodPost, v.At("/inspection/revisions"), object{"adopt": domain.NewID()}).WantProblem(http.StatusNotFound, "not_found")
	adopted := v.Do(http.MethodPost, v.At("/inspection/revisions"), object{"adopt": conflict.Text("id")}).Want(http.StatusCreated)
	if adopted.Text("state") != "inspected" || adopted.Text("sections.inspection.digest") != digest {
		t.Errorf("adopted: %s", adopted.Body)
	}
	if told := h.Anyone().Get("/v1/verify/" + digest); told.At("conflict") != true || told.At("adopted") != true {
		t.Errorf("verify: %s", told.Body)
	}
	proveSheet(t, v, digest, conflict.Text("pdf"))
	if marks := v.Get("/v1/vehicles/" + v.VehicleID + "/damage"); len(marks.List("items")) != 1 {
		t.Errorf("ledger: %s", marks.Body)
	}
}

// TestEventsProveThemselves recomputes the chain from the answer alone.
func TestEventsProveThemselves(t *testing.T) {
	v := harness.Start(t).As("advisor").ReadyVisit("粵D·44444")
	v.Sign().Want(http.StatusCreated)
	var list struct{ Items []evidence.Event }
	v.Get(v.At("/events")).Want(http.StatusOK).JSON(&list)
	if err := evidence.VerifyChain(v.ID, list.Items); err != nil || len(list.Items) < 5 {
		t.Errorf("%d events: %v", len(list.Items), err)
	}
	list.Items[1].By = domain.NewID()
	if evidence.VerifyChain(v.ID, list.Items) == nil {
		t.Error("a changed event went unseen")
	}
}

// TestCheckpointAfterRestart closes the house and opens it again: what was signed is proven, now also by its checkpoint.
func TestCheckpointAfterRestart(t *testing.T) {
	folder := t.TempDir()
	var digest, visit string
	t.Run("signed", func(t *testing.T) {
		v := harness.Start(t, harness.Folder(folder)).As("advisor").ReadyVisit("粵E·55555")
		digest, visit = v.Sign().Want(http.StatusCreated).Text("digest"), v.ID
	})
	h := harness.Start(t, harness.Folder(folder))
	harness.Eventually(t, "the seal is in a checkpoint", func() bool {
		h.Clock.Move(2_000_000_000) // the limit of strangers fills up by the clock
		return h.Anyone().Get("/v1/verify/"+digest).Number("checkpoint.sequence") == 1
	})
	keys, err := evidence.ParseKeys(h.Anyone().Get("/.well-known/walkaround-keys.json").Body)
	if err != nil {
		t.Fatal(err)
	}
	bundle := h.As("admin").Get("/v1/visits/" + visit + "/documents/bundle.zip").Want(http.StatusOK).Body
	verdict, err := evidence.VerifyBundle(keys, bytes.NewReader(bundle), int64(len(bundle)))
	if err != nil || verdict.Result != evidence.Genuine || verdict.Checkpoint == nil {
		t.Errorf("%v %+v", err, verdict)
	}
	var list struct{ Items []evidence.Checkpoint }
	h.As("admin").Get("/v1/checkpoints").Want(http.StatusOK).JSON(&list)
	if len(list.Items) != 1 || list.Items[0].Verify(keys, nil) != nil {
		t.Errorf("checkpoints: %+v", list.Items)
	}
}
