package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"example.com/walkaround/test/harness"
)

// TestWhoOpensACustomersFile has a row for each way in which an advisor can stand to a customer.
func TestWhoOpensACustomersFile(t *testing.T) {
	h := harness.Start(t)
	mei, bei := h.As("advisor"), h.As("admin").Hire("bei", "北北", "advisor")
	again := func(v harness.Visit) harness.Visit {
		return mei.Arrive(object{"plate": v.Arrival.Text("plate"), "customer": v.Arrival.At("customer")})
	}
	take := func(c *harness.Client, v harness.Visit) {
		v.By(c).Do(http.MethodPost, v.At("/take"), nil).Want(http.StatusOK)
	}
	cancel := func(v harness.Visit) {
		v.Do(http.MethodPost, v.At("/cancel"), object{"reason": "left"}).Want(http.StatusOK)
	}
	type did = func(v harness.Visit)
	rows := []struct {
		name             string
		yesterday, today did // nil: nothing happened
		bei              bool
	}{
		{"a colleague took the visit", func(v harness.Visit) { take(mei, v) }, nil, false},
		{"nobody took the visit", func(harness.Visit) {}, nil, false},
		{"he took it", func(v harness.Visit) { take(bei, v) }, nil, true},
		{"he took it, it was cancelled", func(v harness.Visit) { take(bei, v); cancel(v) }, nil, true},
		{"a colleague took it over", func(v harness.Visit) { take(bei, v); take(mei, v) }, nil, false},
		{"a colleague took it over only today", func(v harness.Visit) { take(bei, v) }, func(v harness.Visit) { take(mei, v) }, false},
		{"he took it over only today", func(v harness.Visit) { take(mei, v) }, func(v harness.Visit) { take(bei, v) }, true},
		{"he received an earlier visit", func(v harness.Visit) { take(bei, v); take(mei, again(v)) }, nil, true},
		{"the customer came again today", func(v harness.Visit) { take(mei, v) }, func(v harness.Visit) { take(mei, again(v)) }, true},
		{"he came again and left", func(v harness.Visit) { take(mei, v) }, func(v harness.Visit) { cancel(again(v)) }, false},
	}
	visits := make([]harness.Visit, len(rows))
	for i, row := range rows {
		visits[i] = mei.Arrive(object{
			"plate": fmt.Sprintf("粵A·%05d", i), "customer": object{"name": fmt.Sprint("王", i), "phone": fmt.Sprintf("138001380%02d", i)},
		})
		row.yesterday(visits[i])
	}
	opens(t, bei, visits[0], true) // it still is the day of the visit
	h.Clock.Move(24 * time.Hour)
	for i, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if row.today != nil {
				row.today(visits[i])
			}
			opens(t, bei, visits[i], row.bei)
		})
	}
	for role, may := range map[string]bool{"follow_up": true, "supervisor": true, "technician": false, "cashier": false, "admin": false, "gate": false} {
		t.Run(role, func(t *testing.T) { opens(t, h.As(role), visits[0], may) })
	}
}

// opens holds reading and changing a customer's file to whether one may.
func opens(t *testing.T, who *harness.Client, v harness.Visit, may bool) {
	t.Helper()
	file := "/v1/customers/" + v.Arrival.Text("customer_id")
	read := who.In(t).Get(file)
	changed := who.In(t).Do(http.MethodPatch, file, object{"salutation": "女士"}, "If-Match", "*")
	if !may {
		read.WantProblem(http.StatusForbidden, "forbidden")
		changed.WantProblem(http.StatusForbidden, "forbidden")
		return
	}
	if read.Want(http.StatusOK).Text("phone") == "" || changed.Want(http.StatusOK).Text("salutation") != "女士" {
		t.Errorf("%s", read.Body)
	}
}

// TestAdvisorFindsNoFileThatIsNotThere keeps 404 before 403.
func TestAdvisorFindsNoFileThatIsNotThere(t *testing.T) {
	h := harness.Start(t)
	v := h.As("advisor").Arrive(harness.CarArrival("粵A·12345"))
	h.As("admin").Do(http.MethodPost, "/v1/stores", object{"id": "north", "name": "北區店"}).Want(http.StatusCreated)
	theirs := h.As("admin").Hire("bei", "北北", "advisor", "Walkaround-Store", "north")
	for _, id := range []string{v.Arrival.Text("customer_id"), v.ID, "1"} {
		theirs.Get("/v1/customers/"+id).WantProblem(http.StatusNotFound, "not_found")
		theirs.Do(http.MethodPatch, "/v1/customers/"+id, object{"name": "x"}, "If-Match", "*").WantProblem(http.StatusNotFound, "not_found")
	}
}

// TestLookUpAtAnArrival shows an advisor what a known customer is found again by, and nothing that could be carried away.
func TestLookUpAtAnArrival(t *testing.T) {
	h := harness.Start(t)
	mei := h.As("advisor")
	for i := range 21 {
		mei.Arrive(object{"plate": fmt.Sprintf("粵A·%05d", i), "customer": object{"name": fmt.Sprintf("王%02d", i), "phone": fmt.Sprintf("139001390%02d", i)}})
	}
	known := mei.Arrive(object{"plate": "粵B·00001", "customer": object{"name": "陳大文", "salutation": "先生", "phone": "138 0013 8000"}})
	mei.Arrive(object{"plate": "粵B·00002", "customer": object{"name": "陳大文", "phone": "13800138000"}})
	for _, query := range []string{"name=陳", "phone=8000", "phone=13800138000"} {
		got := mei.Get("/v1/customers?" + query).Want(http.StatusOK)
		if len(got.List("items")) != 1 || got.Text("items.0.id") != known.Arrival.Text("customer_id") || got.Text("items.0.name") != "陳大文" ||
			got.Text("items.0.salutation") != "先生" || got.Text("items.0.phone_ending") != "8000" || got.Text("items.0.plate") != "粵B·00002" {
			t.Errorf("%s: %s", query, got.Body)
		}
		if strings.Contains(string(got.Body), "13800138000") || strings.Contains(string(got.Body), "0013") || got.At("items.0.vehicle_ids") != nil {
			t.Errorf("%s tells more than is needed: %s", query, got.Body)
		}
	}
	for query, n := range map[string]int{"name=王": 20, "name=王&limit=200": 20, "name=王&limit=3": 3, "name=李": 0} {
		got := mei.Get("/v1/customers?" + query).Want(http.StatusOK)
		if len(got.List("items")) != n || got.At("next_cursor") != nil || got.Header.Get("Link") != "" {
			t.Errorf("%s: %d, %s", query, len(got.List("items")), got.Text("next_cursor"))
		}
	}
	boss := h.As("supervisor")
	cursor := boss.Get("/v1/customers?limit=5&name=王").Text("next_cursor")
	for query, pointer := range map[string]string{"": "/query/name", "?limit=5": "/query/name", "?name=": "/query/name", "?name=王&cursor=" + cursor: "/query/cursor"} {
		if got := mei.Get("/v1/customers"+query).WantProblem(http.StatusBadRequest, "bad_parameter"); got.Text("errors.0.pointer") != pointer {
			t.Errorf("%s: %s", query, got.Body)
		}
	}
	for _, role := range []string{"supervisor", "follow_up"} {
		whole := h.As(role).Get("/v1/customers?limit=200").Want(http.StatusOK)
		if len(whole.List("items")) != 22 || whole.Text("items.0.phone_e164") != "+8613800138000" || whole.At("items.0.vehicle_ids") == nil {
			t.Errorf("%s: %d, %s", role, len(whole.List("items")), whole.Body[:300])
		}
	}
	both := h.As("admin").In(t)
	made := both.Do(http.MethodPatch, "/v1/staff/"+mei.AccountID, object{"roles": []string{"advisor", "follow_up"}}, "If-Match", both.Get("/v1/staff/"+mei.AccountID).ETag())
	made.Want(http.StatusOK)
	mei.Login()
	if got := mei.Get("/v1/customers").Want(http.StatusOK); got.Text("items.0.phone") == "" {
		t.Errorf("an advisor who follows up: %s", got.Body[:300])
	}
}
