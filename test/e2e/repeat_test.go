package e2e_test

import (
	"bytes"
	"fmt"
	"net/http"
	"regexp"
	"sync"
	"testing"
	"time"

	"example.com/walkaround/domain"
	"example.com/walkaround/test/harness"
)

// atOnce sends n requests at the same moment.
func atOnce(n int, send func(i int) harness.Answer) []harness.Answer {
	answers := make([]harness.Answer, n)
	var ready, done sync.WaitGroup
	gate := make(chan struct{})
	for i := range n {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-gate
			answers[i] = send(i)
		})
	}
	ready.Wait()
	close(gate)
	done.Wait()
	return answers
}

// count sorts answers by status and code.
func count(answers []harness.Answer) map[string]int {
	n := map[string]int{}
	for _, a := range answers {
		name := fmt.Sprint(a.Status)
		if code := a.Text("code"); code != "" {
			name += " " + code
		}
		n[name]++
	}
	return n
}

func replayed(a harness.Answer) bool { return a.Header.Get("Idempotency-Replayed") == "true" }

func TestCreationWithAKeyIsOne(t *testing.T) {
	h := harness.Start(t)
	mei := h.As("advisor")
	key := []string{"Idempotency-Key", "tablet-3/0001"}
	first := mei.Arrive(harness.CarArrival("粵A·12345"), key...)
	again := mei.Do(http.MethodPost, "/v1/visits", harness.CarArrival("粵A·12345"), key...).Want(http.StatusCreated)
	if !replayed(again) || replayed(first.Arrival) || !bytes.Equal(again.Body, first.Arrival.Body) || again.ETag() != first.Arrival.ETag() ||
		again.Header.Get("Location") != first.Arrival.Header.Get("Location") {
		t.Errorf("first %s %v\nagain %s %v", first.Arrival.Body, first.Arrival.Header, again.Body, again.Header)
	}
	spaced := mei.Do(http.MethodPost, "/v1/visits", `{ "plate":"粵A·12345", "customer":{"phone":"+8613800138000","salutation":"先生","name":"陳大文先生的車"},"odometer_km":45210}`, key...)
	if spaced.Want(http.StatusCreated); !replayed(spaced) {
		t.Error("the same body in other words is another one")
	}
	mei.Do(http.MethodPost, "/v1/visits", object{"plate": "粵A·99999"}, key...).WantProblem(http.StatusUnprocessableEntity, "idempotency_key_reused")
	other := h.As("cashier").Arrive(harness.CarArrival("粵A·12345"), key...)
	if other.ID == first.ID || replayed(other.Arrival) {
		t.Error("the key of one account is another's")
	}
	if n := len(mei.Get("/v1/visits").List("items")); n != 2 {
		t.Errorf("%d visits", n)
	}
	h.Clock.Move(29 * 24 * time.Hour)
	if late := mei.Do(http.MethodPost, "/v1/visits", harness.CarArrival("粵A·12345"), key...); late.Text("id") != first.ID || !replayed(late) {
		t.Errorf("after 29 days: %d %s", late.Status, late.Body)
	}
	h.Clock.Move(2 * 24 * time.Hour)
	if late := mei.Do(http.MethodPost, "/v1/visits", object{"plate": "粵A·99999"}, key...); late.Status != http.StatusCreated || late.Text("id") == first.ID {
		t.Errorf("after 31 days: %d %s", late.Status, late.Body)
	}
}

func TestCreationWithAnIDIsOne(t *testing.T) {
	h := harness.Start(t)
	mei, id := h.As("advisor"), domain.NewID()
	body := object{"id": id, "plate": "粵A·12345"}
	first := mei.Arrive(body)
	again := mei.Do(http.MethodPost, "/v1/visits", body).Want(http.StatusCreated)
	if again.Text("id") != id || again.Text("number") != first.Arrival.Text("number") || !replayed(again) {
		t.Errorf("again: %s", again.Body)
	}
	body["plate"] = "粵A·99999"
	mei.Do(http.MethodPost, "/v1/visits", body).WantProblem(http.StatusConflict, "id_taken")
	mei.Do(http.MethodPost, "/v1/visits", body, "Idempotency-Key", "k").WantProblem(http.StatusConflict, "id_taken")
	body["plate"] = "粵A·12345"
	h.As("cashier").Do(http.MethodPost, "/v1/visits", body).WantProblem(http.StatusConflict, "id_taken")
	// What the visit became meanwhile does not matter to the one whose answer was lost.
	first.Do(http.MethodPost, first.At("/take"), nil).Want(http.StatusOK)
	if late := mei.Do(http.MethodPost, "/v1/visits", body).Want(http.StatusCreated); !bytes.Equal(late.Body, first.Arrival.Body) {
		t.Errorf("late: %s", late.Body)
	}
}

func TestEqualArrivalsAtOnceAreOne(t *testing.T) {
	h := harness.Start(t)
	mei := h.As("advisor")
	for name, tc := range map[string]struct {
		body    object
		headers []string
	}{
		"by key":           {object{"plate": "粵A·11111"}, []string{"Idempotency-Key", "one"}},
		"by id":            {object{"plate": "粵A·22222", "id": domain.NewID()}, nil},
		"by id and by key": {object{"plate": "粵A·33333", "id": domain.NewID()}, []string{"Idempotency-Key", "two"}},
	} {
		answers := atOnce(16, func(int) harness.Answer { return mei.Do(http.MethodPost, "/v1/visits", tc.body, tc.headers...) })
		n := count(answers)
		if n["201"] == 0 || n["201"]+n["409 request_running"] != 16 {
			t.Errorf("%s: %v", name, n)
		}
		plate, _ := tc.body["plate"].(string)
		list := mei.Get("/v1/visits?plate=" + plate).Want(http.StatusOK)
		if len(list.List("items")) != 1 {
			t.Errorf("%s: %d visits", name, len(list.List("items")))
		}
		for _, a := range answers {
			if a.Status == http.StatusCreated && a.Text("id") != list.Text("items.0.id") {
				t.Errorf("%s: another id %s", name, a.Text("id"))
			}
		}
	}
}

func TestEqualSignaturesAtOnceAreOne(t *testing.T) {
	h := harness.Start(t)
	for name, headers := range map[string][]string{"with a key": {"Idempotency-Key", "sign"}, "without": nil} {
		v := h.As("advisor").ReadyVisit("粵A·12345")
		body := v.Signature(v.Digest())
		answers := atOnce(16, func(int) harness.Answer { return v.SignAs(body, headers...) })
		n := count(answers)
		if headers != nil && n["201"] != 16 || headers == nil && (n["201"] != 1 || n["409 section_frozen"] != 15) {
			t.Errorf("%s: %v", name, n)
		}
		if list := v.Get(v.At("/signatures")).List("items"); len(list) != 1 {
			t.Errorf("%s: %d signatures", name, len(list))
		}
		fresh := 0
		for _, a := range answers {
			if a.Status == http.StatusCreated && !replayed(a) {
				fresh++
			}
		}
		if fresh != 1 {
			t.Errorf("%s: %d were not replayed", name, fresh)
		}
	}
}

func TestChangeWithAKeyIsOne(t *testing.T) {
	h := harness.Start(t)
	v := h.As("advisor").ReadyVisit("粵A·12345")
	v.Sign().Want(http.StatusCreated)
	key := []string{"Idempotency-Key", "reopen"}
	first := v.Do(http.MethodPost, v.At("/inspection/revisions"), object{"reason": "another bag"}, key...).Want(http.StatusCreated)
	again := v.Do(http.MethodPost, v.At("/inspection/revisions"), object{"reason": "another bag"}, key...).Want(http.StatusCreated)
	if !replayed(again) || !bytes.Equal(first.Body, again.Body) {
		t.Errorf("again: %s", again.Body)
	}
	v.Do(http.MethodPost, v.At("/inspection/revisions"), object{"reason": "two bags"}, key...).WantProblem(http.StatusUnprocessableEntity, "idempotency_key_reused")
	v.Do(http.MethodPost, v.At("/take"), nil, key...).WantProblem(http.StatusUnprocessableEntity, "idempotency_key_reused")
	// What was refused is not remembered: the same key may try again.
	refused := []string{"Idempotency-Key", "refused"}
	v.Do(http.MethodPost, v.At("/cancel"), object{"reason": "x"}, refused...).WantProblem(http.StatusConflict, "covers_not_removed")
	v.PutInspection(object{"note": "covers off"}).Want(http.StatusOK)
	v.Do(http.MethodPost, v.At("/cancel"), object{"reason": "x"}, refused...).Want(http.StatusOK)
}

func TestCreationsBesideVisitsAreOne(t *testing.T) {
	h := harness.Start(t)
	admin, key := h.As("admin"), []string{"Idempotency-Key", "same"}
	hire := object{"username": "mei", "password": harness.Password, "name": "林美", "roles": []string{"advisor"}}
	first := admin.Do(http.MethodPost, "/v1/staff", hire, key...).Want(http.StatusCreated)
	again := admin.Do(http.MethodPost, "/v1/staff", hire, key...).Want(http.StatusCreated)
	if first.Text("id") != again.Text("id") || !replayed(again) {
		t.Errorf("staff: %s", again.Body)
	}
	admin.Do(http.MethodPost, "/v1/staff", hire).WantProblem(http.StatusConflict, "username_taken")
	hire["name"] = "another"
	admin.Do(http.MethodPost, "/v1/staff", hire, key...).WantProblem(http.StatusUnprocessableEntity, "idempotency_key_reused")
	store, key := object{"id": "north", "name": "北區店"}, []string{"Idempotency-Key", "store"}
	admin.Do(http.MethodPost, "/v1/stores", store, key...).Want(http.StatusCreated)
	if again := admin.Do(http.MethodPost, "/v1/stores", store, key...).Want(http.StatusCreated); !replayed(again) {
		t.Errorf("store: %s", again.Body)
	}
	admin.Do(http.MethodPost, "/v1/stores", store).WantProblem(http.StatusConflict, "store_id_taken")
	v := admin.Arrive(object{"plate": "粵A·1"})
	key = []string{"Idempotency-Key", "plate"}
	for range 2 {
		moved := admin.Do(http.MethodPost, "/v1/vehicles/"+v.VehicleID+"/plates", object{"plate": "粵A·2"}, key...).Want(http.StatusOK)
		if moved.Text("id") != v.VehicleID {
			t.Errorf("plates: %s", moved.Body)
		}
	}
	admin.Do(http.MethodPost, "/v1/vehicles/"+v.VehicleID+"/plates", object{"plate": "粵A·3"}, key...).WantProblem(http.StatusUnprocessableEntity, "idempotency_key_reused")
}

// TestLostAnswerOfAPut repeats a PUT whose answer was lost: it already succeeded (RFC 9110 section 13.1.1).
func TestLostAnswerOfAPut(t *testing.T) {
	h := harness.Start(t)
	v := h.As("advisor").Arrive(object{"plate": "粵A·12345"})
	for section, body := range map[string]object{"intake": harness.Intake(), "inspection": v.Inspection(domain.NewID())} {
		first := v.Do(http.MethodPut, v.At("/"+section), body, "If-None-Match", "*").Want(http.StatusOK)
		for _, headers := range [][]string{{"If-None-Match", "*"}, {"If-Match", `"99-"`}, nil} {
			again := v.Do(http.MethodPut, v.At("/"+section), body, headers...).Want(http.StatusOK)
			if again.Number("revision") != 1 || again.ETag() != first.ETag() {
				t.Errorf("%s %v: %s", section, headers, again.Body)
			}
		}
		body["note"] = "another"
		stale := v.Do(http.MethodPut, v.At("/"+section), body, "If-None-Match", "*").WantProblem(http.StatusPreconditionFailed, "precondition_failed")
		if stale.ETag() != first.ETag() {
			t.Errorf("current ETag %s, told %s", first.ETag(), stale.ETag())
		}
	}
	saved := 0
	for _, e := range v.Get(v.At("/events")).List("items") {
		if event, _ := e.(object); event["type"] == "saved" {
			saved++
		}
	}
	if saved != 2 {
		t.Errorf("%d saved events", saved)
	}
}

// TestSixteenWriters lets sixteen tablets save one section on what they all saw: one wins each revision.
func TestSixteenWriters(t *testing.T) {
	h := harness.Start(t)
	v := h.As("advisor").Arrive(object{"plate": "粵A·12345"})
	seen := v.Do(http.MethodPut, v.At("/intake"), object{"note": "0"}, "If-None-Match", "*").Want(http.StatusOK).ETag()
	for round := range 5 {
		answers := atOnce(16, func(i int) harness.Answer {
			return v.Do(http.MethodPut, v.At("/intake"), object{"note": fmt.Sprint(round, " ", i)}, "If-Match", seen)
		})
		if n := count(answers); n["200"] != 1 || n["412 precondition_failed"] != 15 {
			t.Fatalf("round %d: %v", round, n)
		}
		for _, a := range answers {
			if a.Status == http.StatusOK {
				seen = a.ETag()
			}
		}
		now := v.Get(v.At("/intake"))
		if now.ETag() != seen || now.Number("revision") != float64(round+2) {
			t.Errorf("round %d: %s", round, now.Body)
		}
	}
}

func TestArrivalsOfOneNewCarAtOnceAreOneVehicle(t *testing.T) {
	h := harness.Start(t)
	mei := h.As("advisor")
	for name, body := range map[string]object{
		"by plate":         {"plate": "粵A·12345", "customer": object{"name": "陳大文先生的車", "phone": harness.Phone}},
		"by VIN":           {"vin": "LHGCM82633A004352"},
		"by plate and VIN": {"plate": "粵B·54321", "vin": "1M8GDM9AXKP042788"},
	} {
		vehicles, customers, numbers := map[string]bool{}, map[string]bool{}, map[string]bool{}
		for _, a := range atOnce(16, func(int) harness.Answer { return mei.Do(http.MethodPost, "/v1/visits", body) }) {
			a.Want(http.StatusCreated)
			vehicles[a.Text("vehicle_id")], customers[a.Text("customer_id")], numbers[a.Text("number")] = true, true, true
		}
		if len(vehicles) != 1 || len(customers) != 1 || len(numbers) != 16 {
			t.Errorf("%s: %d vehicles, %d customers, %d numbers", name, len(vehicles), len(customers), len(numbers))
		}
	}
	if n := len(mei.Get("/v1/vehicles").List("items")); n != 3 {
		t.Errorf("%d vehicles", n)
	}
}

func TestNumbersNeverRepeat(t *testing.T) {
	h := harness.Start(t)
	mei, numbers := h.As("advisor"), map[string]bool{}
	form := regexp.MustCompile(`^\d{8}-\d{4}$`)
	for _, a := range atOnce(200, func(i int) harness.Answer {
		return mei.Do(http.MethodPost, "/v1/visits", object{"plate": fmt.Sprint("粵C", i)})
	}) {
		number := a.Want(http.StatusCreated).Text("number")
		if numbers[number] || !form.MatchString(number) {
			t.Errorf("number %q, repeated: %v", number, numbers[number])
		}
		numbers[number] = true
	}
	seen, pages := map[string]bool{}, 0
	for next := "/v1/visits?limit=77"; next != ""; pages++ {
		page := mei.Get(next).Want(http.StatusOK)
		for i := range page.List("items") {
			seen[page.Text(fmt.Sprintf("items.%d.number", i))] = true
		}
		cursor := page.Text("next_cursor")
		if next = ""; cursor != "" {
			next = "/v1/visits?limit=77&cursor=" + cursor
			if link := page.Header.Get("Link"); link != fmt.Sprintf(`</v1/visits?cursor=%s&limit=77>; rel="next"`, cursor) {
				t.Errorf("Link %s", link)
			}
		}
	}
	if len(seen) != 200 || pages != 3 {
		t.Errorf("%d visits on %d pages", len(seen), pages)
	}
}
