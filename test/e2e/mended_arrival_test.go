package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"example.com/walkaround/domain"
	"example.com/walkaround/test/harness"
)

// stranger arrives with a plate alone.
func stranger(h *harness.House, plate string) harness.Visit {
	return h.As("technician").Arrive(harness.Map{"plate": plate})
}

// knowsNobody ends the test when the files say anything of an arrival.
func knowsNobody(t *testing.T, v harness.Visit, other ...string) {
	t.Helper()
	if v.Arrival.Number("known.visits") != 0 || v.Arrival.Text("known.customer.name") != "" || v.Arrival.Text("customer_id") != "" {
		t.Errorf("a stranger is shown another's data: %s", v.Arrival.Body)
	}
	for _, id := range other {
		if v.VehicleID == id {
			t.Errorf("a stranger's car is vehicle %s of another visit", id)
		}
	}
}

// correct sends a correction over whatever the visit is now.
func correct(v harness.Visit, body harness.Map) harness.Answer {
	return v.Do(http.MethodPatch, v.At(""), body, "If-Match", v.Read().ETag())
}

func TestRefusedArrivalTakesNoPlate(t *testing.T) {
	h := harness.Start(t)
	v := h.As("advisor").Arrive(harness.Map{"id": domain.NewID(), "plate": "粵A·30001"})
	again := harness.Map{"id": v.ID, "plate": "粵A·30002"}
	v.Do(http.MethodPost, "/v1/visits", again).WantProblem(http.StatusConflict, "id_taken")
	v.Do(http.MethodPost, "/v1/visits", again, "Idempotency-Key", "new").WantProblem(http.StatusConflict, "id_taken")
	knowsNobody(t, stranger(h, "粵A·30002"), v.VehicleID)
}

func TestRefusedCorrectionTakesNoPlate(t *testing.T) {
	h := harness.Start(t)
	v := h.As("advisor").ReadyVisit("粵A·30003")
	v.Sign().Want(http.StatusCreated)
	correct(v, harness.Map{"plate": "粵A·30004"}).WantProblem(http.StatusConflict, "section_frozen")
	knowsNobody(t, stranger(h, "粵A·30004"), v.VehicleID)
}

func TestTypoOfAPlateIsNotRememberedAsThisCar(t *testing.T) {
	h := harness.Start(t)
	for name, arrival := range map[string]harness.Map{
		"by plate": {"plate": "粵A·40001", "customer": harness.Map{"name": "甲某某", "phone": "+8613800138001"}},
		"by VIN":   {"plate": "粵A·50001", "vin": "LHGCM82633A004352", "customer": harness.Map{"name": "乙某某", "phone": "+8613800138002"}},
	} {
		t.Run(name, func(t *testing.T) {
			wrong, _ := arrival["plate"].(string)
			right := wrong[:len(wrong)-1] + "2"
			v := h.As("advisor").In(t).Arrive(arrival)
			fixed := correct(v, harness.Map{"plate": right}).Want(http.StatusOK)
			car := fixed.Text("vehicle_id")
			if got := v.Get("/v1/vehicles/" + car).Want(http.StatusOK); got.Text("plate") != right {
				t.Errorf("the car bears %s, typed at last was %s", got.Text("plate"), right)
			}
			if same := stranger(h, right); same.VehicleID != car {
				t.Errorf("%s is vehicle %s, then %s", right, car, same.VehicleID)
			}
			knowsNobody(t, stranger(h, wrong), v.VehicleID, car)
			back := correct(v, harness.Map{"plate": right + "7"}).Want(http.StatusOK)
			if back.Text("plate") != right+"7" {
				t.Errorf("a second correction: %s", back.Body)
			}
			if same := stranger(h, right); same.VehicleID != car {
				t.Error("a plate that another visit came with was taken from its car")
			}
		})
	}
}

func TestTypoOfANameIsNotRememberedAsThisCustomer(t *testing.T) {
	h := harness.Start(t)
	v := h.As("advisor").Arrive(harness.Map{"plate": "粵A·60001", "customer": harness.Map{"name": "陳小文", "phone": "+8613800138003"}})
	first := v.Arrival.Text("customer_id")
	fixed := correct(v, harness.Map{"customer": harness.Map{"name": "程小文", "phone": "+8613800138003"}}).Want(http.StatusOK)
	if id := fixed.Text("customer_id"); id == first {
		t.Errorf("two names are one customer %s", id)
	}
}

// marksOf counts the damage that the files know of a vehicle.
func marksOf(v harness.Visit, vehicle string) int {
	return len(v.Get("/v1/vehicles/" + vehicle + "/damage").Want(http.StatusOK).List("items"))
}

func TestCarThatWasMistakenKeepsNothingOfTheVisit(t *testing.T) {
	for name, options := range map[string][]harness.Option{"at once": {harness.Idle()}, "with the relay": nil} {
		t.Run(name, func(t *testing.T) {
			h := harness.Start(t, options...)
			earlier := h.As("advisor").In(t).ReadyVisit("粵A·70001")
			earlier.Sign().Want(http.StatusCreated)
			wrong := earlier.VehicleID
			v := h.As("advisor").In(t).ReadyVisit("粵A·70001")
			v.Sign().Want(http.StatusCreated)
			if n := marksOf(v, wrong); v.VehicleID != wrong || n != 2 {
				t.Fatalf("vehicle %s with %d marks", v.VehicleID, n)
			}
			v.Do(http.MethodPost, v.At("/inspection/revisions"), harness.Map{"reason": "it is another car"}).Want(http.StatusCreated)
			right := correct(v, harness.Map{"plate": "粵A·70002", "odometer_km": 99_000}).Want(http.StatusOK).Text("vehicle_id")
			if n := marksOf(v, wrong); n != 2 {
				t.Errorf("%d marks: the old seal counts until the new one", n)
			}
			v.Sign().Want(http.StatusCreated)
			if was, is := marksOf(v, wrong), marksOf(v, right); was != 1 || is != 1 {
				t.Errorf("%d marks on the car that was mistaken, %d on the right one", was, is)
			}
			car := v.Get("/v1/vehicles/" + wrong).Want(http.StatusOK)
			if car.Number("signed_walkarounds") != 1 || car.Text("last_visit_id") != earlier.ID || car.Number("odometer_km") != 45_210 {
				t.Errorf("the car that was mistaken: %s", car.Body)
			}
			if right == wrong || v.Get("/v1/vehicles/"+right).Number("odometer_km") != 99_000 {
				t.Errorf("vehicle %s", right)
			}
		})
	}
}

func TestAdoptedSheetBringsItsCarAndCustomer(t *testing.T) {
	h := harness.Start(t)
	v := h.As("advisor").ReadyVisit("粵A·80001")
	digest := v.Digest()
	shown := v.Get(v.At("/documents/inspection.json")).Want(http.StatusOK).Body
	moved := correct(v, harness.Map{"plate": "粵A·80002", "customer": harness.Map{"name": "林小姐", "phone": "+8613800138009"}}).Want(http.StatusOK)
	if moved.Text("vehicle_id") == v.VehicleID {
		t.Fatal("the correction did not move the visit to another car")
	}
	body := v.Signature(digest)
	body["canonical"] = string(shown)
	sig := v.SignAs(body).Want(http.StatusCreated)
	if conflict, _ := sig.At("conflict").(bool); !conflict {
		t.Fatalf("no conflict: %s", sig.Body)
	}
	adopted := v.Do(http.MethodPost, v.At("/inspection/revisions"), harness.Map{"adopt": sig.Text("id")}).Want(http.StatusCreated)
	car := v.Get("/v1/vehicles/" + adopted.Text("vehicle_id")).Want(http.StatusOK)
	if car.Text("plate") != "粵A·80001" || adopted.Text("customer_id") != v.Arrival.Text("customer_id") {
		t.Errorf("the visit of %s is told to the car %s and to customer %s", adopted.Text("plate"), car.Body, adopted.Text("customer_id"))
	}
	if marksOf(v, adopted.Text("vehicle_id")) != 1 || marksOf(v, moved.Text("vehicle_id")) != 0 {
		t.Error("the damage stands on the wrong car")
	}
}

func TestGateLearnsNothingFromTheFiles(t *testing.T) {
	h := harness.Start(t)
	v := h.As("advisor").ReadyVisit("粵A·90001")
	v.Sign().Want(http.StatusCreated)
	h.As("advisor").Arrive(harness.Map{"plate": "粵A·90002", "vin": "LHGCM82633A004352"})
	for code, arrival := range map[string]harness.Map{
		"odometer_lower":         {"plate": "粵A·90001", "odometer_km": 10},
		"plate_of_other_vehicle": {"plate": "粵A·90001", "vin": "LHGCM82633A004352"},
	} {
		if got := h.As("advisor").Arrive(arrival).Arrival; !strings.Contains(string(got.Body), code) {
			t.Errorf("an advisor is not told %s: %s", code, got.Body)
		}
		for _, told := range []string{code, "reason_missing", "customer_id"} {
			if got := h.As("gate").Arrive(arrival).Arrival; strings.Contains(string(got.Body), told) {
				t.Errorf("the gate is told %s: %s", told, got.Body)
			}
		}
	}
	typed := harness.Map{"plate": "粵A·90003", "customer": harness.Map{"name": "x", "phone": "12"}}
	if got := h.As("gate").Arrive(typed).Arrival; got.Text("warnings.0.code") != "phone_unreadable" {
		t.Errorf("the gate is not told what is wrong with its own words: %s", got.Body)
	}
}

func TestCorrectionsAtOnceLookUpWhatTheySay(t *testing.T) {
	h := harness.Start(t)
	c := h.As("advisor")
	for range 8 {
		v := c.Arrive(harness.Map{"plate": "粵A·91000"})
		answers := atOnce(8, func(i int) harness.Answer {
			body := harness.Map{"plate": "粵A·9110" + string(rune('0'+i))}
			if i%2 == 0 {
				body = harness.Map{"odometer_km": 1_000 + i}
			}
			return v.Do(http.MethodPatch, v.At(""), body, "If-Match", "*")
		})
		for _, a := range answers {
			if a.Status != http.StatusOK {
				a.WantProblem(http.StatusPreconditionFailed, "precondition_failed")
			}
		}
		now := v.Read()
		if car := v.Get("/v1/vehicles/" + now.Text("vehicle_id")); car.Text("plate") != now.Text("plate") {
			t.Errorf("the visit of %s has the car %s", now.Text("plate"), car.Text("plate"))
		}
	}
}
