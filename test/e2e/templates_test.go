package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"example.com/walkaround/test/harness"
)

// TestSignedSheetKeepsItsChecklist edits the template after a signature.
func TestSignedSheetKeepsItsChecklist(t *testing.T) {
	h := harness.Start(t)
	mei, boss := h.As("advisor"), h.As("supervisor")
	signed := mei.ReadyVisit("粵A·12345")
	signed.Sign().Want(http.StatusCreated)
	standing := mei.ReadyVisit("粵A·54321")
	head := mei.Get("/v1/checklists").Want(http.StatusOK)
	at := "/v1/checklists/" + head.Text("items.0.id")
	draft := object{"name": "冬季環車檢查", "items": []object{{"code": "tyre.winter", "section": "輪胎", "label": "冬季胎", "required": true}}}
	boss.Do(http.MethodPut, at, draft).WantProblem(http.StatusPreconditionRequired, "precondition_required")
	boss.Do(http.MethodPut, at, draft, "If-Match", `"9-"`).WantProblem(http.StatusPreconditionFailed, "precondition_failed")
	edited := boss.Do(http.MethodPut, at, draft, "If-Match", boss.Get(at).ETag()).Want(http.StatusOK)
	if edited.Number("version") != 2 {
		t.Errorf("edited: %s", edited.Body)
	}
	if again := boss.Do(http.MethodPut, at, draft).Want(http.StatusOK); again.Number("version") != 2 {
		t.Errorf("the same again: %s", again.Body)
	}
	if old := mei.Get(at + "?version=1").Want(http.StatusOK); old.Number("version") != 1 || len(old.List("items")) < 10 {
		t.Errorf("version 1: %s", old.Body)
	}
	mei.Get(at+"?version=3").WantProblem(http.StatusNotFound, "not_found")
	mei.Get(at+"?version=x").WantProblem(http.StatusBadRequest, "bad_parameter")
	if kept := signed.Get(signed.At("/inspection")); kept.Number("checklist.version") != 1 {
		t.Errorf("signed: %s", kept.Body)
	}
	// A sheet that was begun with version 1 may be signed with it; one that asks for the current one gets version 2.
	standing.Sign().Want(http.StatusCreated)
	fresh := mei.ReadyVisit("粵A·77777")
	if now := fresh.Get(fresh.At("/inspection")); now.Number("checklist.version") != 2 {
		t.Errorf("fresh: %s", now.Body)
	}
	body := content(t, fresh.Get(fresh.At("/inspection")))
	body["items"] = []object{}
	fresh.PutInspection(body).Want(http.StatusOK)
	if refused := fresh.Sign().WantProblem(http.StatusConflict, "checklist_incomplete"); refused.Text("errors.0.pointer") != "/items/tyre.winter" {
		t.Errorf("refused: %s", refused.Body)
	}
	for name, bad := range map[string]object{
		"a code twice": {"name": "x", "items": []object{{"code": "a", "section": "s", "label": "l"}, {"code": "a", "section": "s", "label": "l"}}},
		"no name":      {"name": "", "items": []object{{"code": "a", "section": "s", "label": "l"}}},
	} {
		if got := boss.Do(http.MethodPut, at, bad, "If-Match", boss.Get(at).ETag()); got.Status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", name, got.Status)
		}
	}
}

func TestChecklistsFollowTheLanguage(t *testing.T) {
	h := harness.Start(t)
	for lang, label := range map[string]string{"zh-TW": "前擋風玻璃", "zh-CN": "前挡风玻璃", "en": "Windshield"} {
		list := h.As("advisor").Get("/v1/checklists", "Accept-Language", lang).Want(http.StatusOK)
		if !strings.Contains(string(list.Body), label) {
			t.Errorf("%s: %s", lang, list.Body)
		}
	}
}

func TestPhrasesCarryTheNames(t *testing.T) {
	h := harness.Start(t)
	mei, boss := h.As("advisor"), h.As("supervisor")
	v := mei.Arrive(object{"plate": "粵A·12345", "customer": object{"name": "王小明", "salutation": "先生"}})
	v.Do(http.MethodPost, v.At("/take"), nil).Want(http.StatusOK)
	said := func(query string) harness.Answer { return mei.Get("/v1/phrases" + query).Want(http.StatusOK) }
	if filled := said("?step=greeting&language=zh-Hant&visit_id=" + v.ID).Text("items.0.filled"); !strings.Contains(filled, "the advisor") || strings.Contains(filled, "{") {
		t.Errorf("greeting: %s", filled)
	}
	if all := said("").List("items"); len(all) != 13*3 {
		t.Errorf("%d phrases", len(all))
	}
	at := "/v1/phrases/greeting/zh-Hant"
	own := object{"text": "{customer}{salutation},我是{store}的{advisor}。"}
	boss.Do(http.MethodPut, at, own).WantProblem(http.StatusPreconditionRequired, "precondition_required")
	boss.Do(http.MethodPut, at, own, "If-Match", said("").ETag()).Want(http.StatusOK)
	boss.Do(http.MethodPut, at, own).Want(http.StatusOK) // its answer was lost
	if filled := said("?step=greeting&language=zh-Hant&visit_id=" + v.ID).Text("items.0.filled"); filled != "王小明先生,我是Walkaround的the advisor。" {
		t.Errorf("own greeting: %s", filled)
	}
	for path, text := range map[string]string{at: "hello {friend}", "/v1/phrases/dance/zh-Hant": "hello", "/v1/phrases/greeting/fr": "bonjour", "/v1/phrases/farewell/en": ""} {
		boss.Do(http.MethodPut, path, object{"text": text}, "If-Match", said("").ETag()).WantProblem(http.StatusUnprocessableEntity, "invalid")
	}
	boss.Do(http.MethodDelete, at, nil).WantProblem(http.StatusPreconditionRequired, "precondition_required")
	boss.Do(http.MethodDelete, at, nil, "If-Match", said("").ETag()).Want(http.StatusOK)
	if text := said("?step=greeting&language=zh-Hant").Text("items.0.text"); text == own["text"] {
		t.Errorf("after the reset: %s", text)
	}
	mei.Get("/v1/phrases?visit_id=1").WantProblem(http.StatusBadRequest, "bad_parameter")
}

// TestConsentIsInTheCustomersLanguage follows the intake's language until the client sends its own sentence.
func TestConsentIsInTheCustomersLanguage(t *testing.T) {
	h := harness.Start(t)
	v := h.As("advisor").Arrive(object{"plate": "粵A·12345"})
	texts := map[string]bool{}
	for _, lang := range []string{"zh-Hant", "zh-Hans", "en"} {
		v.PutIntake(object{"language": lang}).Want(http.StatusOK)
		saved := v.PutInspection(object{"note": lang}).Want(http.StatusOK)
		if saved.Text("consent.language") != lang || saved.Text("consent.text") == "" {
			t.Errorf("%s: %s", lang, saved.Body)
		}
		texts[saved.Text("consent.text")] = true
	}
	if len(texts) != 3 {
		t.Errorf("%d sentences", len(texts))
	}
	own := object{"language": "en", "text": "I saw it."}
	if saved := v.PutInspection(object{"consent": own}).Want(http.StatusOK); saved.Text("consent.text") != "I saw it." {
		t.Errorf("own: %s", saved.Body)
	}
}

func TestStoreSettings(t *testing.T) {
	h := harness.Start(t)
	boss := h.As("supervisor")
	const at = "/v1/stores/main"
	patch := func(body object) harness.Answer {
		return boss.Do(http.MethodPatch, at, body, "If-Match", boss.Get(at).ETag())
	}
	saved := patch(object{"name": "得佳店", "market": "TW", "currency": "TWD", "time_zone": "Asia/Taipei", "waiting_limit_minutes": 15}).Want(http.StatusOK)
	if saved.Text("name") != "得佳店" || saved.Number("revision") != 2 {
		t.Errorf("%s", saved.Body)
	}
	refused := patch(object{"market": "tw", "currency": "$", "time_zone": "Mars/Base", "waiting_limit_minutes": 0, "language": "fr", "name": ""})
	if refused.WantProblem(http.StatusUnprocessableEntity, "invalid"); len(refused.List("errors")) < 6 {
		t.Errorf("%s", refused.Body)
	}
	boss.Do(http.MethodPatch, at, object{"name": "x"}).WantProblem(http.StatusPreconditionRequired, "precondition_required")
	boss.Do(http.MethodPatch, at, object{"name": "x"}, "If-Match", `"1-"`).WantProblem(http.StatusPreconditionFailed, "precondition_failed")
	boss.Get("/v1/stores/north").WantProblem(http.StatusNotFound, "not_found")
	v := boss.Arrive(object{"plate": "ABC-1234", "customer": object{"name": "x", "phone": "0912-345-678"}})
	customer := boss.Get("/v1/customers/" + v.Arrival.Text("customer_id")).Want(http.StatusOK)
	if !strings.Contains(string(customer.Body), "+886912345678") || !strings.Contains(string(customer.Body), "0912-345-678") {
		t.Errorf("a number of the store's market: %s", customer.Body)
	}
}

// TestFilesOfCarsAndCustomers looks cars and customers up by what people remember.
func TestFilesOfCarsAndCustomers(t *testing.T) {
	h := harness.Start(t)
	mei := h.As("advisor")
	v := mei.Arrive(object{"plate": "粵A·12345", "vin": "LHGCM82633A004352", "customer": object{"name": "王小明", "phone": "138 0013 8000"}})
	for _, query := range []string{"plate=粵A", "plate=粤a123", "plate=345", "vin=LHGCM"} {
		if got := mei.Get("/v1/vehicles?" + query).Want(http.StatusOK); got.Text("items.0.id") != v.VehicleID {
			t.Errorf("%s: %s", query, got.Body)
		}
	}
	for _, query := range []string{"name=王", "phone=13800138000", "phone=%2B8613800138000", "phone=8000"} {
		if got := mei.Get("/v1/customers?" + query).Want(http.StatusOK); got.Text("items.0.id") != v.Arrival.Text("customer_id") {
			t.Errorf("%s: %s", query, got.Body)
		}
	}
	// The VIN is the car: with another plate it is the same one, and its plate moves when the advisor confirms.
	moved := mei.Arrive(object{"plate": "粵B·99999", "vin": "lhgcm82633a004352"})
	if moved.VehicleID != v.VehicleID {
		t.Fatalf("another car: %s", moved.Arrival.Body)
	}
	other := mei.Arrive(object{"plate": "粵C·11111"})
	at := "/v1/vehicles/" + other.VehicleID + "/plates"
	mei.Do(http.MethodPost, at, object{"plate": "粵A·12345"}).WantProblem(http.StatusConflict, "plate_unconfirmed")
	mei.Do(http.MethodPost, at, object{"plate": "粵A·12345", "confirmed": true}).Want(http.StatusOK)
	if now := mei.Arrive(object{"plate": "粵A12345"}); now.VehicleID != other.VehicleID {
		t.Errorf("after the move: %s", now.Arrival.Body)
	}
	if was := mei.Get("/v1/vehicles/" + v.VehicleID); !strings.Contains(string(was.Body), "粵A·12345") {
		t.Errorf("its history lost the plate: %s", was.Body)
	}
	car := "/v1/vehicles/" + v.VehicleID
	mei.Do(http.MethodPatch, car, object{"model": "Accord"}).WantProblem(http.StatusPreconditionRequired, "precondition_required")
	mei.Do(http.MethodPatch, car, object{"model": "Accord"}, "If-Match", mei.Get(car).ETag()).Want(http.StatusOK)
	if known := mei.Arrive(object{"vin": "LHGCM82633A004352"}); known.Arrival.Text("known.model") != "Accord" {
		t.Errorf("known: %s", known.Arrival.Body)
	}
	odd := mei.Arrive(object{"plate": "粵D·1", "vin": "1M8GDM9A1KP042788", "customer": object{"name": "x", "phone": "12"}})
	if warned := string(odd.Arrival.Body); !strings.Contains(warned, "vin_check_digit") || !strings.Contains(warned, "phone_unreadable") {
		t.Errorf("warnings: %s", warned)
	}
}
