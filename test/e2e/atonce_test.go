package e2e_test

import (
	"maps"
	"net/http"
	"strings"
	"testing"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/evidence"
	"example.com/walkaround/test/harness"
)

// TestOnePDFHoweverManyAsk reads the sheet sixteen times before a worker came to it, and has it proven.
func TestOnePDFHoweverManyAsk(t *testing.T) {
	h := harness.Start(t, harness.Idle())
	v := h.As("advisor").ReadyVisit("粵A·12345")
	signed := v.Sign().Want(http.StatusCreated)
	tags := map[string]bool{}
	for _, a := range atOnce(16, func(int) harness.Answer { return v.Get(signed.Text("pdf")) }) {
		tags[a.Want(http.StatusOK).ETag()] = true
	}
	if len(tags) != 1 {
		t.Errorf("%d PDFs of one signature: %v", len(tags), tags)
	}
	proveSheet(t, v, signed.Text("digest"), signed.Text("pdf"))
}

func TestEqualRotationsAtOnceAreOne(t *testing.T) {
	h := harness.Start(t)
	admin := h.As("admin")
	h.As("advisor").ReadyVisit("粵A·12345").Sign().Want(http.StatusCreated)
	keys := func() int { return len(h.Anyone().Get("/.well-known/walkaround-keys.json").List("keys")) }
	was := keys()
	n := count(atOnce(16, func(int) harness.Answer {
		return admin.Do(http.MethodPost, "/v1/store-keys", nil, "Idempotency-Key", "one")
	}))
	if n["204"] == 0 || n["204"]+n["409 request_running"] != 16 || keys() != was+1 {
		t.Errorf("%v, %d keys after %d", n, keys(), was)
	}
}

// TestEqualAdoptionsAtOnceAreOne adopts one conflict from sixteen screens.
func TestEqualAdoptionsAtOnceAreOne(t *testing.T) {
	h := harness.Start(t)
	v, digest, conflict := conflicting(t, h)
	adopt := object{"adopt": conflict}
	for _, a := range atOnce(16, func(int) harness.Answer { return v.Do(http.MethodPost, v.At("/inspection/revisions"), adopt) }) {
		a.Want(http.StatusCreated)
	}
	adopted := 0
	for _, e := range v.Get(v.At("/events")).List("items") {
		if event, _ := e.(object); event["type"] == "adopted" {
			adopted++
		}
	}
	if adopted != 1 || v.Digest() != digest {
		t.Errorf("adopted %d times, digest %s", adopted, v.Digest())
	}
}

// conflicting gives a visit that was signed offline while its sheet moved on: the digest that was shown, the signature.
func conflicting(t *testing.T, h *harness.House) (v harness.Visit, digest, signature string) {
	t.Helper()
	v = h.As("advisor").ReadyVisit("粵C·33333")
	shown := v.Get(v.At("/documents/inspection.json")).Want(http.StatusOK).Body
	body := content(t, v.Get(v.At("/inspection")))
	body["note"] = "written meanwhile"
	v.PutInspection(body).Want(http.StatusOK)
	offline := v.Signature(evidence.Digest(shown))
	offline["canonical"] = string(shown)
	signed := v.SignAs(offline).Want(http.StatusCreated)
	if signed.At("conflict") != true {
		t.Fatalf("no conflict: %s", signed.Body)
	}
	return v, evidence.Digest(shown), signed.Text("id")
}

// TestConflictBesideASignature signs the sheet that moved on too, and then adopts the one from offline: it takes the
// other's place, and both stay provable.
func TestConflictBesideASignature(t *testing.T) {
	h := harness.Start(t)
	v, offline, conflict := conflicting(t, h)
	current := v.Sign().Want(http.StatusCreated).Text("digest")
	told := func(digest string) (superseded, genuine any) {
		a := h.Anyone().Get("/v1/verify/" + digest).Want(http.StatusOK)
		return a.At("superseded"), a.At("genuine")
	}
	if superseded, _ := told(current); superseded != false {
		t.Error("a conflict supersedes nothing")
	}
	v.Do(http.MethodPost, v.At("/inspection/revisions"), object{"adopt": conflict}).Want(http.StatusCreated)
	for digest, wanted := range map[string]bool{current: true, offline: false} {
		if superseded, genuine := told(digest); superseded != wanted || genuine != true {
			t.Errorf("%s: superseded %v, genuine %v", digest, superseded, genuine)
		}
	}
	if marks := v.Get("/v1/vehicles/" + v.VehicleID + "/damage"); len(marks.List("items")) != 1 {
		t.Errorf("ledger: %s", marks.Body)
	}
	revisions := map[float64]bool{}
	for _, s := range v.Get(v.At("/signatures")).List("items") {
		signature, _ := s.(object)
		n, _ := signature["revision"].(float64)
		revisions[n] = true
	}
	if len(revisions) != 2 {
		t.Errorf("revisions %v: each seal has its own", revisions)
	}
}

// TestOfflineSheetIsHeldToTheSameGuards sends canonical forms that a tablet should not have let be signed.
func TestOfflineSheetIsHeldToTheSameGuards(t *testing.T) {
	h := harness.Start(t)
	v := h.As("advisor").ReadyVisit("粵A·12345")
	good := string(v.Get(v.At("/documents/inspection.json")).Want(http.StatusOK).Body)
	photo := photoOf(v)
	standing := snapshot(v)
	for name, tc := range map[string]struct {
		old, fresh string
		status     int
		code       string
	}{
		"the customer absent":         {`"customer_present":true`, `"customer_present":false`, 409, "customer_absent"},
		"not restated":                {`"restated":true`, `"restated":false`, 409, "request_not_restated"},
		"another photo":               {photo, domain.NewID(), 409, "photo_missing"},
		"a checklist that is none":    {`"version":1`, `"version":77`, 422, "invalid"},
		"a value out of its range":    {`"fuel_percent":40`, `"fuel_percent":400`, 422, "invalid"},
		"a member that is not known":  {`"fuel_percent":40`, `"fuel_percenx":40`, 422, "invalid"},
		"JSON that is not canonical":  {`"fuel_percent":40`, `"fuel_percent": 40`, 422, "invalid"},
		"the plate of another's desk": {v.ID, domain.NewID(), 422, "invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			form := strings.ReplaceAll(good, tc.old, tc.fresh)
			if form == good {
				t.Fatalf("%q is not in %s", tc.old, good)
			}
			body := v.Signature(evidence.Digest([]byte(form)))
			body["canonical"] = form
			v.By(v.In(t)).SignAs(body).WantProblem(tc.status, tc.code)
		})
	}
	if now := snapshot(v); now != standing {
		t.Errorf("something changed:\n%s\n%s", standing, now)
	}
	same := maps.Clone(v.Signature(evidence.Digest([]byte(good))))
	same["canonical"] = good
	if signed := v.SignAs(same).Want(http.StatusCreated); signed.At("conflict") != false {
		t.Errorf("the current sheet is no conflict: %s", signed.Body)
	}
}
