package e2e_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"example.com/walkaround/test/harness"
)

// TestCursorIsOfItsList sends the cursor of one list with every other: it would go on at a place that means nothing there.
func TestCursorIsOfItsList(t *testing.T) {
	h := harness.Start(t)
	mei, boss := h.As("advisor"), h.As("supervisor")
	var first harness.Visit
	for i := range 4 {
		v := mei.Arrive(harness.CarArrival(fmt.Sprintf("粵A·1234%d", i)))
		if i == 0 {
			first = v
		}
	}
	lists := []string{
		"/v1/visits", "/v1/visits?state=arrived", "/v1/visits?waiting=true", "/v1/visits?plate=" + url.QueryEscape("粵A"), "/v1/visits?number=2",
		"/v1/visits?customer_id=" + first.Arrival.Text("customer_id"), "/v1/vehicles", "/v1/vehicles?plate=" + url.QueryEscape("粵A"), "/v1/staff",
	}
	cursors := map[string]string{}
	for _, list := range lists {
		if cursors[list] = boss.Get(withQuery(list, "limit=1")).Want(http.StatusOK).Text("next_cursor"); cursors[list] == "" {
			t.Fatalf("%s has one page", list)
		}
	}
	for _, of := range lists {
		for _, list := range lists {
			got := boss.Get(withQuery(list, "limit=2&cursor="+cursors[of]))
			if of == list {
				got.Want(http.StatusOK)
				continue
			}
			got.WantProblem(http.StatusBadRequest, "bad_parameter")
			if got.Text("errors.0.pointer") != "/query/cursor" {
				t.Errorf("%s: %s", list, got.Body)
			}
		}
	}
}

func withQuery(path, more string) string {
	at, err := url.Parse(path)
	if err != nil {
		return path
	}
	if at.RawQuery != "" {
		more = at.RawQuery + "&" + more
	}
	return at.Path + "?" + more
}
