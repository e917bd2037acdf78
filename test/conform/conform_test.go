package conform_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"example.com/walkaround/test/conform"
)

const (
	visitPath = "/v1/visits/01900000-0000-7000-8000-000000000001"
	good      = `{"customer_present":true,"reminder_at":"2026-01-02T03:04:05.000Z","damages":[{"x":0.5,"kind":"dent",
		"photo_ids":[]}],"photos":{"a":"b"},"owner":{"name":"陳大文"},"attributes":{"a":{"b":[{"c.d":1}]},"e.f":2}}`
	trouble = `{"type":"/p","title":"no","status":405,"code":"x","request_id":"r"}`
)

// answer is one answer of a server, and what the checker must say of it ("" for nothing).
type answer struct {
	name, method, path string
	status             int
	headers            map[string]string
	body               string
	says               string
}

func answers() []answer {
	inspection := visitPath + "/inspection"
	return []answer{
		{name: "as documented", body: good},
		{name: "null where it may be", body: strings.Replace(good, `"2026-01-02T03:04:05.000Z"`, "null", 1)},
		{name: "null where it may not be", body: strings.Replace(good, `true`, "null", 1), says: "customer_present"},
		{name: "a member missing", body: strings.Replace(good, `"photos"`, `"attributes"`, 1), says: "photos"},
		{name: "an undeclared member", body: strings.Replace(good, `{`, `{"extra":1,`, 1), says: "extra"},
		{name: "an undeclared member deep inside", body: strings.Replace(good, `{"x"`, `{"extra":1,"x"`, 1), says: "extra"},
		{name: "an undeclared member behind a pointer", body: strings.Replace(good, `{"name"`, `{"extra":1,"name"`, 1), says: "extra"},
		{name: "a time of another format", body: strings.Replace(good, `T03:04`, ` 3:04`, 1), says: "reminder_at"},
		{name: "a value out of its enumeration", body: strings.Replace(good, `dent`, "hole", 1), says: "damages[0].kind"},
		{name: "a number out of range", body: strings.Replace(good, `0.5`, "1.5", 1), says: "damages[0].x"},
		{name: "no JSON", body: "{", says: "decoded"},
		{name: "an empty body", body: "", says: "empty body"},
		{name: "another media type", body: good, headers: map[string]string{"Content-Type": "text/html"}, says: "text/html"},
		{name: "an undocumented status", status: 418, body: good, says: "418"},
		{name: "an unknown route", path: "/v1/nothing", body: good, says: "/v1/nothing"},
		{name: "an undeclared header", body: good, headers: map[string]string{"X-Extra": "1"}, says: "X-Extra"},
		{name: "headers that any answer may have", body: good, headers: map[string]string{"X-Content-Type-Options": "nosniff"}},
		{
			name: "a problem", status: 404, headers: map[string]string{"Content-Type": "application/problem+json"},
			body: strings.Replace(trouble, "405", "404", 1),
		},
		{
			name: "a problem without its code", status: 404, headers: map[string]string{"Content-Type": "application/problem+json"},
			body: strings.Replace(trouble, "code", "cod", 1), says: "code",
		},
		{name: "a problem as plain JSON", status: 404, body: trouble, says: "application/json"},
		{
			name: "405", method: "PATCH", status: 405, body: trouble,
			headers: map[string]string{"Content-Type": "application/problem+json", "Allow": "PUT"},
		},
		{
			name: "405 without Allow", method: "PATCH", status: 405, body: trouble,
			headers: map[string]string{"Content-Type": "application/problem+json"}, says: "Allow",
		},
		{
			name: "405 without a problem", method: "PATCH", status: 405, body: "{}",
			headers: map[string]string{"Content-Type": "application/problem+json", "Allow": "PUT"}, says: "title",
		},
		{name: "an undocumented method", method: "PATCH", body: good, says: "PATCH"},
		{name: "a HEAD", method: "HEAD", path: "/v1/visits"},
		{name: "a HEAD with a body", method: "HEAD", path: "/v1/visits", body: "{}", says: "2 bytes"},
		{name: "a page", method: "GET", path: "/v1/visits", body: `{"items":[],"next_cursor":null}`},
		{name: "a page whose items are null", method: "GET", path: "/v1/visits", body: `{"items":null,"next_cursor":null}`, says: "items"},
		{
			name: "an image", method: "GET", path: visitPath + "/photos/01900000-0000-7000-8000-000000000002",
			headers: map[string]string{"Content-Type": "image/jpeg"}, body: "\xff\xd8",
		},
		{
			name: "an image of another type", method: "GET", path: visitPath + "/photos/01900000-0000-7000-8000-000000000002",
			headers: map[string]string{"Content-Type": "image/gif"}, body: "GIF", says: "image/gif",
		},
		{name: "nothing, as documented", method: "DELETE", path: visitPath, status: 204},
		{
			name: "an unauthorized one", status: 401, body: strings.Replace(trouble, "405", "401", 1), path: inspection,
			headers: map[string]string{"Content-Type": "application/problem+json", "WWW-Authenticate": "Bearer"},
		},
	}
}

func orElse(value, other string) string {
	if value == "" {
		return other
	}
	return value
}

func (a answer) request() *http.Request {
	return httptest.NewRequest(orElse(a.method, "PUT"), orElse(a.path, visitPath+"/inspection"), nil)
}

func (a answer) response() http.Response {
	header := http.Header{"Content-Type": {"application/json; charset=utf-8"}}
	if a.body == "" && a.says == "" {
		header.Del("Content-Type")
	}
	for name, value := range a.headers {
		header.Set(name, value)
	}
	return http.Response{StatusCode: max(a.status, 200), Header: header, Body: io.NopCloser(strings.NewReader(a.body))}
}

// told is what the checker says of the answer.
func (a answer) told(tb testing.TB, checker *conform.Checker) string {
	tb.Helper()
	heard := &listener{TB: tb}
	resp := a.response()
	checker.Response(heard, a.request(), &resp, []byte(a.body))
	return heard.said
}

// listener takes the place of a test whose errors are looked at.
type listener struct {
	testing.TB
	mu      sync.Mutex
	said    string
	cleanup []func()
}

func (l *listener) Helper()          {}
func (l *listener) Cleanup(f func()) { l.cleanup = append(l.cleanup, f) }
func (l *listener) Error(args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, arg := range args {
		if text, ok := arg.(string); ok {
			l.said += text
		}
	}
}

func document(tb testing.TB) []byte {
	tb.Helper()
	text, err := os.ReadFile("../../openapi/testdata/house/openapi/openapi.json")
	if err != nil {
		tb.Fatal(err)
	}
	return text
}

func TestResponse(t *testing.T) {
	checker := conform.New(t, document(t))
	for _, a := range answers() {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			expect(t, a.told(t, checker), a.says)
		})
	}
}

func expect(t *testing.T, said, want string) {
	t.Helper()
	switch {
	case want == "" && said != "":
		t.Errorf("the checker says %s", said)
	case want != "" && !strings.Contains(strings.Split(said, "\n  body:")[0], want):
		t.Errorf("the checker says %q and not %q", said, want)
	}
}

func TestResponseReadsGzip(t *testing.T) {
	checker := conform.New(t, document(t))
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write([]byte(good)); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	for body, want := range map[string]string{packed.String(): "", good: "not gzip"} {
		a := answer{headers: map[string]string{"Content-Encoding": "gzip"}, body: body}
		expect(t, a.told(t, checker), want)
	}
}

type fixed struct{ answer answer }

func (f fixed) RoundTrip(*http.Request) (*http.Response, error) {
	resp := f.answer.response()
	return &resp, nil
}

func TestTransport(t *testing.T) {
	for _, a := range answers() {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			heard := &listener{TB: t}
			checker := conform.New(heard, document(t))
			resp, err := checker.Transport(fixed{a}).RoundTrip(a.request())
			if err != nil {
				t.Fatal(err)
			}
			if body, err := io.ReadAll(resp.Body); err != nil || string(body) != a.body || resp.Body.Close() != nil {
				t.Errorf("the body came through as %q, %v", body, err)
			}
			expect(t, strings.Join(checker.Failures(), ""), a.says)
			for _, f := range heard.cleanup {
				f()
			}
			expect(t, heard.said, a.says)
		})
	}
}

func BenchmarkResponse(b *testing.B) {
	checker := conform.New(b, document(b))
	for _, a := range answers()[:2] {
		b.Run(a.name, func(b *testing.B) {
			for b.Loop() {
				if said := a.told(b, checker); said != "" {
					b.Fatal(said)
				}
			}
		})
	}
}
