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
