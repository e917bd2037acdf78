package e2e_test

import (
	"net/http"
	"testing"
	"time"

	"example.com/walkaround/domain"
	"example.com/walkaround/test/harness"
)

// TestRoundTripsToMongoDB holds what docs/scaling.md counts. What is remembered for five seconds is read again each
// time: session and account, which are asked for at once, and the store.
func TestRoundTripsToMongoDB(t *testing.T) {
	h := harness.Start(t, harness.Idle())
	mei := h.As("advisor")
	known := mei.Arrive(harness.CarArrival("粵A·12345"))
	known.PutIntake(object{"note": "first"}).Want(http.StatusOK)
	id, photo := domain.NewID(), domain.NewID()
	body := harness.CarArrival("粵A·12345")
	body["id"] = id
	for _, c := range []struct {
		name string
		most int
		do   func()
	}{
		{"arrival of a known car", 8, func() {
			mei.Do(http.MethodPost, "/v1/visits", body, "Idempotency-Key", id).Want(http.StatusCreated)
		}},
		{"section PUT", 3, func() {
			known.Do(http.MethodPut, known.At("/intake"), object{"note": "second"}, "If-Match", "*").Want(http.StatusOK)
		}},
		{"photo", 4, func() { known.UploadPhoto(harness.SmallPhoto(1), "image/png", photo).Want(http.StatusCreated) }},
	} {
		h.Clock.Move(10 * time.Second)
		waits, commands := h.Trips(c.do)
		t.Logf("%s: %d round trips, %d commands: %q", c.name, waits, len(commands), commands)
		if waits > c.most || waits == 0 {
			t.Errorf("%s: %d round trips, at most %d: %q", c.name, waits, c.most, commands)
		}
	}
}
