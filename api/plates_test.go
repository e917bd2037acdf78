package api

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"example.com/walkaround/api/auth"
	"example.com/walkaround/domain"
	"example.com/walkaround/domain/vehicle"
)

// move posts a plate for a vehicle and gives status or code, and whether it was a replay.
func move(t *testing.T, s *Server, id, body, idempotencyKey string) (said string, again bool) {
	t.Helper()
	c, w := recorded(http.MethodPost, "/v1/vehicles/"+id+"/plates", body, "Content-Type", "application/json", "Idempotency-Key", idempotencyKey)
	c.Params = gin.Params{{Key: "id", Value: id}}
	c.Set(keyStore, "main")
	c.Set(keyPrincipal, auth.Principal{AccountID: "mei", StoreID: "main"})
	if err := s.movePlate(c); err != nil {
		return told(t, err), false
	}
	return http.StatusText(w.Code), w.Header().Get("Idempotency-Replayed") == "true"
}

func TestPlateMovesOnceAndOnlyConfirmed(t *testing.T) {
	s := housed(t)
	one, two := domain.DerivedID(visitID, "one"), domain.DerivedID(visitID, "two")
	for _, id := range []string{one, two} {
		if _, err := s.vehicles.Insert(t.Context(), vehicle.New(id, "main", "", "", domain.At(time.Now()))); err != nil {
			t.Fatal(err)
		}
	}
	plateOf := func(id string) string {
		t.Helper()
		saved, err := s.vehicles.Get(t.Context(), "main/"+id)
		if err != nil {
			t.Fatal(err)
		}
		return saved.Value.PlateKey
	}
	for _, c := range []struct {
		id, body, key, want string
		again               bool
	}{
		{one, `{"plate":"· -"}`, "", "invalid /plate=required", false},
		{one, `{"plate":"` + strings.Repeat("A", 21) + `"}`, "", "invalid /plate=too_long /plate=too_long", false},
		{one, `{"plate":"粵A·1"}`, "k1", "OK", false},
		{two, `{"plate":"粤A1"}`, "k2", "plate_unconfirmed", false},
		{two, `{"plate":"粤A1","confirmed":true}`, "k2", "OK", false}, // a refusal is not kept
		{one, `{"plate":"粵A·1"}`, "k1", "OK", true},                  // it does not take the plate back
		{one, `{"plate":"粵A·2"}`, "k1", "idempotency_key_reused", false},
	} {
		if got, again := move(t, s, c.id, c.body, c.key); got != c.want || again != c.again {
			t.Errorf("%s: %s, replayed %v; want %s", c.body, got, again, c.want)
		}
	}
	if plateOf(one) != "" || plateOf(two) != "粤A1" {
		t.Errorf("one bears %q, two %q", plateOf(one), plateOf(two))
	}
	held, err := s.reservations.Get(t.Context(), reservationID("main", "plate", "粤A1"))
	if err != nil || held.Value.Owner != two {
		t.Errorf("%+v, %v", held.Value, err)
	}
}
