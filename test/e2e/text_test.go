package e2e_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"example.com/walkaround/domain/evidence"
	"example.com/walkaround/test/harness"
)

// TestAttributesAreKeptExactly sends what re-encoding would spoil.
func TestAttributesAreKeptExactly(t *testing.T) {
	h := harness.Start(t)
	v := h.As("advisor").Arrive(object{"plate": "粵A·12345"})
	const sent = `{"z":1.0,"a":[1e2,-0.0,0,"",null,{},[]],"empty":"","null":null,"文":"é\u00e9\ud83d\ude97","html":"<b>&","$set":{"a.b":1},"_id":"x","deep":{"b":false,"a":[[],{}]}}`
	for _, section := range []string{"intake", "inspection"} {
		v.Put(section, `{"attributes":`+sent+`}`).Want(http.StatusOK)
		got := v.Get(v.At("/" + section)).Want(http.StatusOK)
		if !bytes.Contains(got.Body, []byte(`"attributes":`+sent)) {
			t.Errorf("%s: %s", section, got.Body)
		}
	}
	v.Put("intake", `{"attributes":null,"note":null,"requests":null,"fuel_percent":null}`).Want(http.StatusOK)
	if got := v.Get(v.At("/intake")); got.At("attributes") != nil || got.At("fuel_percent") != nil {
		t.Errorf("null is not yet: %s", got.Body)
	}
}

// odd are strings that software likes to change.
func odd() map[string]string {
	return map[string]string{
		"emoji":             "陳👩‍🔧大文🚗",
		"right to left":     "\u202eمحمد\u202c 陳",
		"mark of direction": "\u200fשלום\u200e",
		"composed":          "é",
		"decomposed":        "e\u0301",
		"spaces around":     "  陳 大文  ",
		"full width":        "ＡＢＣ　１２３",
		"HTML":              `<script>alert("1")</script>&amp;`,
		"line separators":   "a\u2028b\u2029c",
		"zero width":        "a\u200bb\ufeffc",
		"beyond the BMP":    "𠮷野家𝒳",
		"80 emoji":          strings.Repeat("🚗", 80),
		"quotes":            `"\/` + "\t" + `'`,
		"null as a word":    "null",
		"noncharacter":      "a\uffffb",
	}
}

// oneLine is a string without what a name may not hold.
func oneLine(s string) string {
	return strings.NewReplacer("\t", "", "\u2028", "", "\u2029", "").Replace(s)
}

func TestStringsAreUntouched(t *testing.T) {
	h := harness.Start(t)
	mei := h.As("advisor")
	for name, s := range odd() {
		t.Run(name, func(t *testing.T) {
			v := mei.In(t).Arrive(object{"plate": "粵A·12345", "customer": object{"name": oneLine(s)}})
			if got := v.Read().Text("customer.name"); got != oneLine(s) {
				t.Errorf("name %q", got)
			}
			intake := harness.Intake()
			list(intake, "requests")[0]["words"], intake["note"] = s, s
			v.PutIntake(intake).Want(http.StatusOK)
			back := v.Get(v.At("/intake"))
			if back.Text("note") != s || back.Text("requests.0.words") != s {
				t.Errorf("intake %s", back.Body)
			}
			canonical := v.Get(v.At("/documents/inspection.json")).Want(http.StatusOK)
			if canonical.Text("customer.name") != oneLine(s) || canonical.Text("intake.note") != s {
				t.Errorf("canonical form %s", canonical.Body)
			}
			if evidence.Digest(canonical.Body) != v.Digest() {
				t.Error("the digest is of other bytes")
			}
		})
	}
}

// TestOddNamesAreSealed prints names that no font has whole: the sheet is what is attached, and proves itself.
func TestOddNamesAreSealed(t *testing.T) {
	h := harness.Start(t)
	v := h.As("advisor").ReadyVisit("粵A·12345")
	name := strings.Join([]string{odd()["emoji"], odd()["right to left"], odd()["decomposed"], odd()["beyond the BMP"]}, " ")
	v.Do(http.MethodPatch, v.At(""), object{"customer": object{"name": name}}, "If-Match", v.Read().ETag()).Want(http.StatusOK)
	body := v.Signature(v.Digest())
	body["signer"] = object{"name": name, "relation": "owner"}
	signed := v.SignAs(body).Want(http.StatusCreated)
	if signed.Text("signer.name") != name {
		t.Errorf("signer %q", signed.Text("signer.name"))
	}
	proveSheet(t, v, signed.Text("digest"), signed.Text("pdf"))
}

// TestWhatIsLeftOut holds the canonical form to its rule for null, empty, false and 0.
func TestWhatIsLeftOut(t *testing.T) {
	h := harness.Start(t)
	v := h.As("advisor").Arrive(object{"plate": "粵A·12345", "odometer_km": 0})
	v.PutIntake(`{"note":"","fuel_percent":0,"requests":[{"id":"r1","restated":false,"words":null}],"attributes":{"x":null,"y":"","z":[]}}`).Want(http.StatusOK)
	var form struct {
		OdometerKM *int            `json:"odometer_km"`
		Intake     json.RawMessage `json:"intake"`
	}
	v.Get(v.At("/documents/inspection.json")).JSON(&form)
	const want = `{"attributes":{"x":null,"y":"","z":[]},"fuel_percent":0,"requests":[{"id":"r1","restated":false}]}`
	if string(form.Intake) != want || form.OdometerKM == nil {
		t.Errorf("%s, odometer %v", form.Intake, form.OdometerKM)
	}
}
