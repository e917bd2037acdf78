package e2e_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/walkaround/api"
	"example.com/walkaround/domain"
	"example.com/walkaround/test/harness"
)

// refusal is a request, and what it is answered.
type refusal struct {
	name    string
	method  string
	path    string // below the visit, or whole when it begins with /v1 or /healthz
	body    any
	headers []string
	status  int
	code    string
}

const jsonType = "application/json"

func refusals(v harness.Visit) []refusal {
	put, post, get := http.MethodPut, http.MethodPost, http.MethodGet
	first := []string{"If-Match", "*"}
	deep := `{"attributes":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `}`
	return slices.Concat([]refusal{
		{"not JSON", put, "/intake", `{"note":`, first, 400, "malformed_json"},
		{"an empty body", put, "/intake", ``, first, 400, "malformed_json"},
		{"data after the end", put, "/intake", `{} {}`, first, 400, "malformed_json"},
		{"a byte order mark", put, "/intake", "\ufeff{}", first, 400, "malformed_json"},
		{"not UTF-8", put, "/intake", "{\"note\":\"\xff\"}", first, 400, "malformed_json"},
		{"a lone surrogate", put, "/intake", `{"note":"\ud83d"}`, first, 400, "malformed_json"},
		{"a repeated name", put, "/intake", `{"note":"a","note":"b"}`, first, 400, "malformed_json"},
		{"a repeated name in attributes", put, "/intake", `{"attributes":{"a":{"b":1,"b":2}}}`, first, 400, "malformed_json"},
		{"nested 100,000 deep", put, "/intake", deep, first, 400, "malformed_json"},
		{"2^53+1", put, "/intake", `{"fuel_percent":9007199254740993}`, first, 400, "malformed_json"},
		{"2^53+1 in attributes", put, "/intake", `{"attributes":{"n":9007199254740993}}`, first, 400, "malformed_json"},
		{"an unknown field", put, "/intake", `{"nots":"x"}`, first, 400, "unknown_field"},
		{"an unknown field deep inside", put, "/intake", `{"requests":[{"id":"r1","wrds":"x"}]}`, first, 400, "unknown_field"},
		{"another case of a name", post, "/v1/visits", `{"plate":"A1","customer":{"NAME":"x"}}`, nil, 400, "unknown_field"},
		{"a string for a number", put, "/intake", `{"fuel_percent":"40"}`, first, 400, "wrong_type"},
		{"a fraction for an integer", put, "/intake", `{"fuel_percent":40.5}`, first, 400, "wrong_type"},
		{"an array for an object", put, "/intake", `[]`, first, 400, "wrong_type"},
		{"a time that is none", put, "/intake", `{"wanted_at":"tomorrow"}`, first, 400, "wrong_type"},
		{"an unknown parameter", get, "/v1/visits?sort=plate", nil, nil, 400, "unknown_parameter"},
		{"a parameter twice", get, "/v1/visits?limit=1&limit=2", nil, nil, 400, "unknown_parameter"},
		{"a parameter where none is known", get, "?verbose=1", nil, nil, 400, "unknown_parameter"},
		{"a limit beyond 200", get, "/v1/visits?limit=201", nil, nil, 400, "bad_parameter"},
		{"a limit of 0", get, "/v1/visits?limit=0", nil, nil, 400, "bad_parameter"},
		{"a cursor that is none", get, "/v1/visits?cursor=abc", nil, nil, 400, "bad_parameter"},
		{"two filters", get, "/v1/visits?plate=A&number=1", nil, nil, 400, "bad_parameter"},
		{"a state that is none", get, "/v1/visits?state=lost", nil, nil, 400, "bad_parameter"},
		{"a size that is none", get, "/photos/" + photoOf(v) + "?size=huge", nil, nil, 400, "bad_parameter"},
		{"an ETag without quotation marks", put, "/intake", `{"note":"x"}`, []string{"If-Match", "1-abc"}, 400, "bad_header"},
		{"an ETag that names nothing", put, "/intake", `{"note":"x"}`, []string{"If-Match", ""}, 400, "bad_header"},
		{"a store without a name", get, "", nil, []string{"Walkaround-Store", ""}, 400, "bad_header"},
		{"a digest in hex", put, "/photos/" + domain.NewID(), harness.SmallPhoto(9), []string{"Content-Type", "image/png", "Content-Digest", "sha-256=00"}, 400, "bad_header"},
		{"a digest that nobody checks", put, "/photos/" + domain.NewID(), harness.SmallPhoto(9), []string{"Content-Type", "image/png", "Content-Digest", "md5=:AAAA:"}, 400, "bad_header"},
		{"a key of 256 characters", post, "/take", nil, []string{"Idempotency-Key", strings.Repeat("k", 256)}, 400, "bad_header"},
	}, refusalsBeyond400(v))
}

func refusalsBeyond400(v harness.Visit) []refusal {
	put, post, get := http.MethodPut, http.MethodPost, http.MethodGet
	first, stale, absent := []string{"If-Match", "*"}, []string{"If-Match", `"99-abc"`}, "/v1/visits/"+domain.NewID()
	png := []string{"Content-Type", "image/png"}
	photo := "/photos/" + domain.NewID()
	return []refusal{
		{"no such visit", get, absent, nil, nil, 404, "not_found"},
		{"an id that is none", get, "/v1/visits/1", nil, nil, 404, "not_found"},
		{"an id in upper case", get, "/v1/visits/" + strings.ToUpper(v.ID), nil, nil, 404, "not_found"},
		{"a section of no visit", put, absent + "/intake", `{}`, first, 404, "not_found"},
		{"no such photo", get, photo, nil, nil, 404, "not_found"},
		{"an encoded slash in a segment", get, "/v1/visits/" + v.ID + "%2Fintake", nil, nil, 404, "not_found"},
		{"a method that is not known", http.MethodDelete, "", nil, nil, 405, "method_not_allowed"},
		{"a photo can't be deleted", http.MethodDelete, photo, nil, nil, 405, "method_not_allowed"},
		{"a stale ETag", put, "/intake", `{"note":"x"}`, stale, 412, "precondition_failed"},
		{"a first PUT of what is there", put, "/inspection", `{"note":"x"}`, []string{"If-None-Match", "*"}, 412, "precondition_failed"},
		{"a stale ETag of the visit", http.MethodPatch, "", `{"plate":"粵Z·1"}`, stale, 412, "precondition_failed"},
		{"a weak ETag", put, "/intake", `{"note":"x"}`, []string{"If-Match", "W/" + v.Get(v.At("/intake")).ETag()}, 412, "precondition_failed"},
		{"no precondition", put, "/intake", `{"note":"x"}`, nil, 428, "precondition_required"},
		{"no precondition of the visit", http.MethodPatch, "", `{"plate":"粵Z·1"}`, nil, 428, "precondition_required"},
		{"a section of 10 MB", put, "/inspection", `{"note":"` + strings.Repeat("x", 10<<20) + `"}`, first, 413, "body_too_large"},
		{"a photo of 20 MiB and a byte", put, photo, make([]byte, 20<<20+1), png, 413, "body_too_large"},
		{"the same, its length untold", put, photo, io.MultiReader(bytes.NewReader(append(harness.SmallPhoto(9), make([]byte, 20<<20)...))), png, 413, "body_too_large"},
		{"UTF-16", put, "/intake", []byte(`{}`), []string{"If-Match", "*", "Content-Type", "application/json; charset=utf-16"}, 415, "unsupported_media_type"},
		{"text for JSON", put, "/intake", []byte(`{}`), []string{"If-Match", "*", "Content-Type", "text/plain"}, 415, "unsupported_media_type"},
		{"no type", put, "/intake", []byte(`{}`), first, 415, "unsupported_media_type"},
		{"a compressed body", put, "/intake", `{}`, []string{"If-Match", "*", "Content-Encoding", "gzip"}, 415, "unsupported_media_type"},
		{"a photo of another SHA-512", put, photo, harness.SmallPhoto(9), append([]string{"Content-Digest", "sha-512=:" + strings.Repeat("A", 86) + "==:"}, png...), 422, "digest_mismatch"},
		{"a photo sent as text", put, photo, harness.SmallPhoto(9), []string{"Content-Type", "text/plain"}, 415, "unsupported_media_type"},
		{"text sent as a photo", put, photo, []byte("<html><body>no picture at all</body></html>"), []string{"Content-Type", "image/jpeg"}, 415, "unsupported_media_type"},
		{"an empty photo", put, photo, []byte{}, png, 422, "file_damaged"},
		{"no plate and no VIN", post, "/v1/visits", `{"odometer_km":1}`, nil, 422, "invalid"},
		{"a null plate", post, "/v1/visits", `{"plate":null}`, nil, 422, "invalid"},
		{"an id that is no UUID", post, "/v1/visits", `{"id":"1","plate":"A1"}`, nil, 422, "invalid"},
		{"a name of 400 characters", post, "/v1/visits", object{"plate": "A1", "customer": object{"name": strings.Repeat("陳", 400)}}, nil, 422, "invalid"},
		{"a control character", put, "/intake", `{"note":"a\u0000b"}`, first, 422, "invalid"},
		{"a checklist that is none", put, "/inspection", object{"checklist": object{"id": domain.NewID(), "version": 1}}, first, 422, "invalid"},
		{"a signature of nothing", post, "/signatures", object{}, nil, 422, "invalid"},
	}
}

func photoOf(v harness.Visit) string { return v.Get(v.At("/photos")).Text("items.0.id") }

// snapshot is everything of a visit that a refused request might have changed, its members in order.
func snapshot(v harness.Visit) string {
	var all strings.Builder
	below := func(path string) string { return v.At(path) }
	for _, path := range []string{
		below(""), below("/intake"), below("/inspection"), below("/events"), below("/photos"), below("/signatures"), "/v1/vehicles", "/v1/customers",
	} {
		var read any
		reader := v.Client
		if path == "/v1/customers" { // not every advisor's
			reader = v.House.As("supervisor")
		}
		reader.Get(path).Want(http.StatusOK).JSON(&read)
		fmt.Fprintf(&all, "%s: %v\n", path, read) // maps are printed in order
	}
	return all.String()
}

func TestRefusalsChangeNothing(t *testing.T) {
	h := harness.Start(t)
	v := h.As("advisor").ReadyVisit("粵A·12345")
	before := snapshot(v)
	for _, r := range refusals(v) {
		t.Run(r.name, func(t *testing.T) {
			path := r.path
			if !strings.HasPrefix(path, "/v1") {
				path = v.At(path)
			}
			got := v.In(t).Do(r.method, path, r.body, r.headers...).WantProblem(r.status, r.code)
			if got.Text("request_id") != got.Header.Get("X-Request-ID") || got.Text("type") != "/problems#"+r.code {
				t.Errorf("problem: %s", got.Body)
			}
			if r.status == http.StatusPreconditionFailed && got.ETag() != v.Get(path).ETag() {
				t.Errorf("current ETag: %q", got.ETag())
			}
			if r.status == http.StatusMethodNotAllowed && got.Header.Get("Allow") == "" {
				t.Error("no Allow")
			}
		})
	}
	if after := snapshot(v); after != before {
		t.Errorf("something changed:\n%s\n%s", before, after)
	}
}

func TestAllFaultsAreListed(t *testing.T) {
	h := harness.Start(t)
	v := h.As("advisor").ReadyVisit("粵A·12345")
	got := v.PutInspection(object{
		"items":      []object{{"code": "a", "result": "good"}, {"code": "a"}, {"code": ""}},
		"damages":    []object{{"id": "d", "view": "below", "x": 1.5, "y": -0.1, "kind": "hole", "severity": "bad", "length_mm": -1, "photo_ids": []string{"p"}}},
		"belongings": []object{{"description": "", "quantity": 10_000, "kept": "lost"}},
		"consent":    object{"language": "fr", "text": ""}, "attributes": []int{1},
	}).WantProblem(http.StatusUnprocessableEntity, "invalid")
	var problem struct {
		Errors []struct{ Pointer, Code string }
	}
	got.JSON(&problem)
	told := map[string]string{}
	for _, e := range problem.Errors {
		told[e.Pointer] = e.Code
	}
	for pointer, code := range map[string]string{
		"/items/0/result": "unknown", "/items/1": "duplicate", "/items/2/code": "required", "/damages/0/view": "unknown",
		"/damages/0/x": "out_of_range", "/damages/0/y": "out_of_range", "/damages/0/kind": "unknown", "/damages/0/severity": "unknown",
		"/damages/0/length_mm": "out_of_range", "/damages/0/photo_ids/0": "malformed", "/belongings/0/description": "required",
		"/belongings/0/quantity": "out_of_range", "/belongings/0/kept": "unknown", "/consent/language": "unknown", "/consent/text": "required",
		"/attributes": "malformed",
	} {
		if told[pointer] != code {
			t.Errorf("%s: %q, wanted %s", pointer, told[pointer], code)
		}
	}
}

func TestTitlesFollowTheLanguage(t *testing.T) {
	h := harness.Start(t)
	for accept, title := range map[string]string{
		"": "Sign in first", "en-GB": "Sign in first", "zh-TW": "請先登入", "zh-Hant": "請先登入", "zh-CN,zh;q=0.9": "请先登录", "zh-HK": "請先登入",
		"de, zh-Hans;q=0.5": "请先登录", "xx-!!": "Sign in first",
	} {
		if got := h.Anyone().Get("/v1/me", "Accept-Language", accept); got.Text("title") != title {
			t.Errorf("%q: %s", accept, got.Text("title"))
		}
	}
}

func TestUnknownPaths(t *testing.T) {
	h := harness.Start(t)
	for _, path := range []string{
		"/v1", "/v1/nothing", "/v1/visits/", "/V1/visits", "/v1//visits", "/v1/visits/%2e%2e/stores", "/v1%2Fvisits", "/v1/visits%2f",
		"/docs/nothing", "/docs/page.js/more", "/docs/%2e", "/docs%2fpage.js", "/problems/more", "/healthz/", "/openapi.json/",
	} {
		h.As("advisor").Raw(http.MethodGet, path, nil).WantProblem(http.StatusNotFound, "not_found")
		if head := h.Anyone().Raw(http.MethodHead, path, nil); head.Status != http.StatusNotFound || head.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("HEAD %s: %d %s", path, head.Status, head.Header.Get("Content-Type"))
		}
	}
	if got := h.As("advisor").Raw(http.MethodDelete, "/v1/visits%2F"+domain.NewID(), nil).WantProblem(404, "not_found"); got.Header.Get("Allow") != "" {
		t.Error("Allow of another resource")
	}
	for _, path := range []string{"/", "/docs", "/docs/", "/docs/page.js", "/problems", "/healthz", "/openapi.json"} {
		for _, method := range []string{http.MethodPost, http.MethodDelete, http.MethodOptions, http.MethodTrace, "BREW"} {
			if got := h.Anyone().Raw(method, path, nil).WantProblem(http.StatusMethodNotAllowed, "method_not_allowed"); got.Header.Get("Allow") == "" {
				t.Errorf("%s %s: no Allow", method, path)
			}
		}
	}
}

func TestBareAddressLeadsToTheDocumentation(t *testing.T) {
	h := harness.Start(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.URL+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	home, err := http.DefaultTransport.RoundTrip(req) // a client would follow
	if err != nil {
		t.Fatal(err)
	}
	if err := home.Body.Close(); err != nil || home.StatusCode != http.StatusFound || home.Header.Get("Location") != "/docs/" {
		t.Errorf("%d, leads to %q: %v", home.StatusCode, home.Header.Get("Location"), err)
	}
}

func TestRateOfAnAccount(t *testing.T) {
	h := harness.Start(t, harness.Config(func(c *api.Config) { c.RatePerAccount = 5 }))
	h.As("cashier")
	h.Clock.Move(5 * time.Second)
	var last harness.Answer
	for range 50 {
		if last = h.As("advisor").Get("/v1/me"); last.Status != http.StatusOK {
			break
		}
	}
	last.WantProblem(http.StatusTooManyRequests, "rate_limited")
	if last.Header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After %q", last.Header.Get("Retry-After"))
	}
	h.As("cashier").Get("/v1/me").Want(http.StatusOK)
	h.Clock.Move(time.Second)
	h.As("advisor").Get("/v1/me").Want(http.StatusOK)
}

func TestRateOfStrangers(t *testing.T) {
	h := harness.Start(t)
	for n := 0; ; n++ {
		got := h.Anyone().Get("/v1/verify/sha256:" + strings.Repeat("0", 64))
		if got.Status == http.StatusTooManyRequests {
			if got.Text("code") != "rate_limited" || got.Header.Get("Retry-After") == "" || n < 5 {
				t.Errorf("after %d: %s", n, got.Body)
			}
			return
		}
		if got.WantProblem(http.StatusNotFound, "not_found"); n > 100 {
			t.Fatal("digests may be guessed without end")
		}
	}
}

func TestHEADIsGETWithoutTheBody(t *testing.T) {
	h := harness.Start(t)
	v := h.As("advisor").ReadyVisit("粵A·12345")
	for _, path := range []string{"/healthz", "/v1/visits", v.At(""), v.At("/intake"), v.At("/photos/" + photoOf(v)), v.At("/documents/inspection.json"), "/v1/visits/" + domain.NewID()} {
		get, head := v.Get(path), v.Do(http.MethodHead, path, nil)
		if head.Status != get.Status || len(head.Body) != 0 || head.ETag() != get.ETag() || head.Header.Get("Content-Type") != get.Header.Get("Content-Type") {
			t.Errorf("%s: GET %d %v, HEAD %d %v", path, get.Status, get.Header, head.Status, head.Header)
		}
	}
	v.Get(v.At("/intake"), "If-None-Match", v.Get(v.At("/intake")).ETag()).Want(http.StatusNotModified)
}

func TestBodiesThatBreakOff(t *testing.T) {
	h := harness.Start(t)
	v := h.As("advisor").ReadyVisit("粵A·12345")
	before := snapshot(v)
	for _, path := range []string{v.At("/intake"), v.At("/photos/" + domain.NewID())} {
		breakOff(t, h, v.Token(), path)
	}
	if snapshot(v) != before {
		t.Error("something changed")
	}
}

// breakOff announces more than it sends.
func breakOff(t *testing.T, h *harness.House, token, path string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, h.URL+path, io.MultiReader(strings.NewReader(`{"note":`), broken{}))
	if err != nil {
		t.Fatal(err)
	}
	req.ContentLength = 5_000
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", jsonType)
	if resp, err := http.DefaultClient.Do(req); err == nil {
		t.Errorf("%s: %d for half a body", path, resp.StatusCode)
		_ = resp.Body.Close()
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrClosedPipe }
