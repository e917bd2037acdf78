package e2e_test

import (
	"net/http"
	"testing"

	"example.com/walkaround/test/harness"
)

func TestNamesAreOneLineThatCanBeSeen(t *testing.T) {
	h := harness.Start(t)
	mei := h.As("advisor")
	for _, name := range []string{"a\r\nb", "a\u2028b", "\u200b\u200b"} {
		mei.Do(http.MethodPost, "/v1/visits", object{"plate": "粵A12345", "customer": object{"name": name}}).WantProblem(422, "invalid")
	}
}

func TestMalformedQueriesAreRefused(t *testing.T) {
	h := harness.Start(t)
	mei := h.As("advisor")
	for _, query := range []string{"?limit=%zz", "?a;b", "?state=;drop"} {
		mei.Do(http.MethodGet, "/v1/visits"+query, nil).WantProblem(400, "bad_parameter")
	}
}

func TestAFloodOfOneRouteClosesNoOther(t *testing.T) {
	h := harness.Start(t)
	anyone, flooded := h.Anyone(), false
	for i := 0; i < 400 && !flooded; i++ {
		flooded = anyone.Do(http.MethodPost, "/v1/auth/refresh", object{"refresh_token": "x"}).Status == http.StatusTooManyRequests
	}
	if !flooded {
		t.Fatal("the flood met no limit")
	}
	if got := anyone.Do(http.MethodGet, "/healthz", nil); got.Status != http.StatusOK {
		t.Errorf("probe: %d", got.Status)
	}
	h.As("advisor").Login()
}

func TestARangeBeyondTheFileIsAProblem(t *testing.T) {
	h := harness.Start(t)
	v := h.As("advisor").ReadyVisit("粵A·77777")
	at := "/v1/visits/" + v.ID + "/photos/" + v.Get(v.At("/photos")).Text("items.0.id")
	v.Do(http.MethodGet, at+"?size=original", nil, "Range", "bytes=99999999-").WantProblem(416, "range_not_satisfiable")
}

func TestAKeyIsOfOneRequestOfItsAccount(t *testing.T) {
	h := harness.Start(t)
	mei := h.As("advisor")
	one, other := mei.Arrive(object{"plate": "粵A11111"}), mei.Arrive(object{"plate": "粵A22222"})
	key := []string{"Idempotency-Key", "cross-1"}
	mei.Do(http.MethodPost, one.At("/take"), nil, key...).Want(200)
	mei.Do(http.MethodPost, other.At("/take"), nil, key...).WantProblem(422, "idempotency_key_reused")
	mei.Do(http.MethodPost, one.At("/cancel"), object{"reason": "x"}, key...).WantProblem(422, "idempotency_key_reused")

	refused := []string{"Idempotency-Key", "mended"}
	mei.Do(http.MethodPost, one.At("/cancel"), object{"reason": " "}, refused...).WantProblem(409, "reason_missing")
	mei.Do(http.MethodPost, one.At("/cancel"), object{"reason": "sold"}, refused...).Want(200)
}

func TestADamagedDrawingIsRefused(t *testing.T) {
	h := harness.Start(t)
	v := h.As("advisor").ReadyVisit("粵A·66666")
	body := v.Signature(v.Digest())
	image, ok := body["image"].(string)
	if !ok {
		t.Fatal("no image")
	}
	body["image"] = image[:len(image)-16]
	v.Do(http.MethodPost, v.At("/signatures"), body).WantProblem(422, "invalid")
}
