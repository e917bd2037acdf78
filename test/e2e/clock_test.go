package e2e_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"example.com/walkaround/domain/evidence"
	"example.com/walkaround/test/harness"
)

// TestNumbersBeginAnewAtTheStoresMidnight opens visits around midnight in Shanghai, which is afternoon in UTC.
func TestNumbersBeginAnewAtTheStoresMidnight(t *testing.T) {
	h := harness.Start(t)
	mei := h.As("advisor")
	for _, tc := range []struct{ at, number string }{
		{"2027-03-01T15:59:00Z", "20270301-0001"},
		{"2027-03-01T15:59:30Z", "20270301-0002"},
		{"2027-03-01T16:00:01Z", "20270302-0001"},
		{"2027-03-01T23:59:59Z", "20270302-0002"},
		{"2027-03-02T15:59:00Z", "20270302-0003"},
		{"2027-03-01T15:59:40Z", "20270301-0003"}, // the clock stepped back: still no repeat
	} {
		at, err := time.Parse(time.RFC3339, tc.at)
		if err != nil {
			t.Fatal(err)
		}
		h.Clock.Set(at)
		if got := mei.Arrive(object{"plate": "粵A·12345"}).Arrival.Text("number"); got != tc.number {
			t.Errorf("at %s: %s, wanted %s", tc.at, got, tc.number)
		}
	}
	admin := h.As("admin")
	seen := admin.Get("/v1/stores/main").ETag()
	admin.Do(http.MethodPatch, "/v1/stores/main", object{"time_zone": "America/New_York"}, "If-Match", seen).Want(http.StatusOK)
	if got := mei.Arrive(object{"plate": "粵A·12345"}).Arrival.Text("number"); got != "20270301-0004" {
		t.Errorf("in New York: %s", got)
	}
}

func TestWaitingQueue(t *testing.T) {
	h := harness.Start(t)
	mei := h.As("advisor")
	late := h.As("gate").Arrive(object{"plate": "粵A·1"})
	h.Clock.Move(11 * time.Minute)
	early := h.As("advisor").Arrive(object{"plate": "粵A·2"})
	queue := mei.Get("/v1/visits?waiting=true").Want(http.StatusOK)
	if queue.Text("items.0.id") != late.ID || queue.Text("items.1.id") != early.ID {
		t.Fatalf("longest waiting first: %s", queue.Body)
	}
	if waited := queue.Number("items.0.waiting_seconds"); waited < 660 || waited > 670 || queue.At("items.0.over_limit") != true || queue.At("items.1.over_limit") != false {
		t.Errorf("queue: %s", queue.Body)
	}
	seen := mei.Get("/v1/stores/main").ETag()
	h.As("supervisor").Do(http.MethodPatch, "/v1/stores/main", object{"waiting_limit_minutes": 20}, "If-Match", seen).Want(http.StatusOK)
	if queue = mei.Get("/v1/visits?waiting=true"); queue.At("items.0.over_limit") != false {
		t.Errorf("with a limit of 20 minutes: %s", queue.Body)
	}
	late.By(mei).Do(http.MethodPost, late.At("/take"), nil).Want(http.StatusOK)
	early.Do(http.MethodPost, early.At("/cancel"), object{"reason": "drove on"}).Want(http.StatusOK)
	if queue = mei.Get("/v1/visits?waiting=true"); len(queue.List("items")) != 0 {
		t.Errorf("queue: %s", queue.Body)
	}
	if taken := mei.Get("/v1/visits?advisor_id=" + mei.AccountID); len(taken.List("items")) != 1 {
		t.Errorf("taken: %s", taken.Body)
	}
}

// TestClockStepsBack sets the clock back an hour in the middle of a visit. Tokens of the future are refused (more than a
// minute: 401 token_expired), and whoever signs in again goes on as if nothing were.
func TestClockStepsBack(t *testing.T) {
	h := harness.Start(t)
	mei := h.As("advisor")
	v := mei.ReadyVisit("粵A·12345")
	token := "Bearer " + mei.Token()
	h.Clock.Move(-20 * time.Second)
	mei.Get("/v1/me", "Authorization", token).Want(http.StatusOK)
	h.Clock.Move(-time.Hour)
	mei.Get("/v1/me", "Authorization", token).WantProblem(http.StatusUnauthorized, "token_expired")
	mei.Get("/v1/me").Want(http.StatusOK) // signs in again

	v.PutIntake(object{"note": "saved an hour ago", "requests": harness.Intake()["requests"]}).Want(http.StatusOK)
	signed := v.Sign().Want(http.StatusCreated)
	again := mei.ReadyVisit("粵A·54321")
	again.Sign().Want(http.StatusCreated)
	mei.Arrive(harness.CarArrival("粵A·12345"))
	for _, checked := range []harness.Visit{v, again} {
		var list struct{ Items []evidence.Event }
		checked.Get(checked.At("/events")).JSON(&list)
		if err := evidence.VerifyChain(checked.ID, list.Items); err != nil {
			t.Error(err)
		}
	}
	proveSheet(t, v, signed.Text("digest"), signed.Text("pdf"))
	harness.Eventually(t, "what was signed after the step is sealed", func() bool { return owed(t, h, "visits") == 0 })
	h.Clock.Move(2 * time.Hour)
	if told := h.Anyone().Get("/v1/verify/" + signed.Text("digest")); told.At("genuine") != true {
		t.Errorf("after the clock is right again: %s", told.Body)
	}
	mei.Get("/v1/visits").Want(http.StatusOK)
	if strings.Contains(h.Log.String(), `"level":"ERROR"`) {
		t.Errorf("errors were logged: %s", h.Log.String())
	}
}
