package evidence

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gowebpki/jcs"
)

// Below attributes nothing is left out, so there the canonical form is RFC 8785 and no more: another implementation of
// that must say the same.
func TestOrderIsThatOfAnotherImplementation(t *testing.T) {
	r := rand.New(rand.NewPCG(8785, 1))
	for range 5_000 {
		text := fmt.Sprintf(`{ "attributes" : {"x":%s} }`, anyJSON(r, 0))
		want, err := jcs.Transform([]byte(text))
		got, refused := Canonical([]byte(text))
		if (err == nil) != (refused == nil) || err == nil && !bytes.Equal(got, want) {
			t.Fatalf("%s\ngot  %s, %v\nwant %s, %v", text, got, refused, want, err)
		}
	}
}

// anyJSON makes a text with spaces, odd numbers and names that sort oddly, and sometimes one name twice.
func anyJSON(r *rand.Rand, depth int) string {
	kind := r.IntN(7)
	if depth > 4 {
		kind = r.IntN(5)
	}
	switch kind {
	case 0:
		return []string{"true", "false", "null", `""`, "{}", "[]", " [ ] ", "\t{\n}\r"}[r.IntN(8)]
	case 1, 2:
		return []string{
			"0", "-0", "7", "-12", "123456789012345", "1234567890123456", "9007199254740992", "0.1", "-1.50", "1e3", "1E-7", "2e+2",
			"1e-400", "0.000001", "0.0000001", "1.7976931348623157e-308", "333333333.33333329", "4.5", "2e-3", "-0.0", "1e15",
		}[r.IntN(21)]
	case 3, 4:
		return anyString(r)
	default:
	}
	var parts []string
	for range r.IntN(20) {
		value := " " + anyJSON(r, depth+1) + " "
		if kind == 5 {
			value = anyString(r) + " :" + value
		}
		parts = append(parts, value)
	}
	if kind == 5 {
		return "{ " + strings.Join(parts, " , ") + "}"
	}
	return "[" + strings.Join(parts, ", ") + " ]"
}

func anyString(r *rand.Rand) string {
	units := []string{
		"a", "b", "Z", "é", "漆", "\u007f", "\u2028", "\ue000", "\uffff", "\U00010000", "😂", "<", "&", "/", `\/`, `\n`, `\u000a`, `\u0001`, `\"`,
		`\\`, `\u00e9`, `\ud83d\ude02`, `\u20AC`, `\b`, `\f`, `\r`, `\t`, `\u0022`, `\u005C`, `\uffff`,
	}
	var b strings.Builder
	for range r.IntN(6) {
		b.WriteString(units[r.IntN(len(units))])
	}
	return `"` + b.String() + `"`
}

func TestOrderIsByUTF16CodeUnits(t *testing.T) {
	names := []string{"", "a", "ab", "b", "é", "漆", "\ud7ff", "\U00010000", "\U0010ffff", "\ue000", "\uffff"}
	for i, a := range names {
		for j, b := range names {
			if got := compareUTF16([]byte(a), []byte(b)); (got < 0) != (i < j) || (got == 0) != (i == j) {
				t.Errorf("compareUTF16(%q, %q) = %d", a, b, got)
			}
		}
	}
}

func TestANameTwiceIsSeenWhereItSaysNothing(t *testing.T) {
	for _, text := range []string{`{"a":null,"a":1}`, `{"a":null,"b":1,"\u0061":null}`, `[{"a":{"b":"","b":""}}]`} {
		if _, err := Canonical([]byte(text)); err == nil {
			t.Errorf("%s was taken", text)
		}
	}
}

func BenchmarkCanonical(b *testing.B) {
	var items []map[string]any
	for i := range 30 {
		items = append(items, map[string]any{"code": fmt.Sprintf("glass.%d", i), "result": "ok", "note": "", "photo_ids": []string{}})
	}
	text, err := json.Marshal(map[string]any{"customer_present": true, "items": items, "plate": "粤A·12345", "odometer_km": 45210})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Canonical(text); err != nil {
			b.Fatal(err)
		}
	}
}
