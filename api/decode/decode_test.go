package decode_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"example.com/walkaround/api/decode"
	"example.com/walkaround/domain"
	"example.com/walkaround/domain/evidence"
)

func post(body string, headers ...string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

func read(r *http.Request, limit int64) (thing, string, error) {
	return decode.JSON[thing](httptest.NewRecorder(), r, limit)
}

// told gives code and fields of a refusal, "" for nil.
func told(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	refusal, ok := errors.AsType[*domain.Error](err)
	if !ok {
		t.Fatalf("not a refusal: %v", err)
	}
	words := []string{string(refusal.Code)}
	for _, f := range refusal.Fields {
		words = append(words, f.Pointer+"="+string(f.Code))
	}
	return strings.Join(words, " ")
}

// thing has a member of each kind.
type thing struct {
	Name  string       `json:"name"`
	Count *int64       `json:"count"`
	At    *domain.Time `json:"at"`
	Parts []struct {
		ID string `json:"id"`
	} `json:"parts"`
	Free json.RawMessage `json:"free"`
}

func TestDecodeRefuses(t *testing.T) {
	for name, c := range map[string]struct{ body, mediaType, want string }{
		"an object":             {`{"name":"煞車","count":3,"at":"2026-11-23T09:00:00+08:00","parts":[{"id":"a"}]}`, "application/json; charset=utf-8", ""},
		"members may be absent": {`{}`, "application/json", ""},
		"null is absent":        {`{"count":null,"at":null,"parts":null}`, "application/json", ""},
		"no media type":         {`{}`, "", "unsupported_media_type"},
		"another encoding":      {`{}`, "application/json; charset=utf-16", "unsupported_media_type"},
		"a superset of ASCII":   {`{}`, "application/json; charset=iso-8859-1", "unsupported_media_type"},
		"no encoding":           {`{}`, "application/json; charset=", "unsupported_media_type"},
		"in quotation marks":    {`{}`, `application/json;charset="UTF-8"`, ""},
		"another parameter":     {`{}`, "application/json; v=1", ""},
		"UTF-16 as it is":       {"{\x00}\x00", "application/json", "malformed_json"},
		"a form":                {`name=a`, "application/x-www-form-urlencoded", "unsupported_media_type"},
		"another JSON type":     {`{}`, "application/merge-patch+json", "unsupported_media_type"},
		"empty":                 {``, "application/json", "malformed_json"},
		"half":                  {`{"name":`, "application/json", "malformed_json"},
		"trailing data":         {`{}{}`, "application/json", "malformed_json"},
		"trailing comma":        {`{"name":"a",}`, "application/json", "malformed_json"},
		"a comment":             {`{}//`, "application/json", "malformed_json"},
		"repeated name":         {`{"name":"a","name":"b"}`, "application/json", "malformed_json"},
		"repeated name, inside": {`{"parts":[{"id":"a","id":"b"}]}`, "application/json", "malformed_json"},
		"escaped repeated name": {`{"name":"a","n\u0061me":"b"}`, "application/json", "malformed_json"},
		"lone surrogate":        {`{"name":"\ud800"}`, "application/json", "malformed_json"},
		"not UTF-8":             {"{\"name\":\"\xff\"}", "application/json", "malformed_json"},
		"beyond 2^53":           {`{"count":9007199254740993}`, "application/json", "malformed_json"},
		"nested 100,000 deep":   {strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000), "application/json", "malformed_json"},
		"unknown field":         {`{"nam":"a"}`, "application/json", "unknown_field /nam=unknown_field"},
		"unknown field, inside": {`{"parts":[{"id":"a"},{"no":1}]}`, "application/json", "unknown_field /parts/1/no=unknown_field"},
		"another case":          {`{"NAME":"a"}`, "application/json", "unknown_field /NAME=unknown_field"},
		"number for text":       {`{"name":1}`, "application/json", "wrong_type /name=wrong_type"},
		"text for number":       {`{"count":"3"}`, "application/json", "wrong_type /count=wrong_type"},
		"fraction for integer":  {`{"count":1.5}`, "application/json", "wrong_type /count=wrong_type"},
		"no time":               {`{"at":"yesterday"}`, "application/json", "wrong_type /at=wrong_type"},
		"a list":                {`[]`, "application/json", "wrong_type =wrong_type"},
		"a text":                {`"name"`, "application/json", "wrong_type =wrong_type"},
		"too long":              {`{"name":"` + strings.Repeat("x", 1_000) + `"}`, "application/json", "body_too_large"},
	} {
		t.Run(name, func(t *testing.T) {
			limit := int64(1_000)
			if strings.HasPrefix(c.body, "[[") {
				limit = 1 << 20
			}
			_, _, err := read(post(c.body, "Content-Type", c.mediaType), limit)
			if got := told(t, err); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
	t.Run("compressed", func(t *testing.T) {
		_, _, err := read(post("{}", "Content-Type", "application/json", "Content-Encoding", "gzip"), 100)
		if got := told(t, err); got != "unsupported_media_type" {
			t.Error(got)
		}
	})
	t.Run("two media types", func(t *testing.T) {
		r := post("{}", "Content-Type", "application/json")
		r.Header.Add("Content-Type", "text/plain")
		_, _, err := read(r, 100)
		if got := told(t, err); got != "unsupported_media_type" {
			t.Error(got)
		}
	})
	t.Run("broken off", func(t *testing.T) {
		r := post("", "Content-Type", "application/json")
		r.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"na`), brokenReader{}))
		_, _, err := read(r, 100)
		if got := told(t, err); got != "body_unreadable" {
			t.Error(got)
		}
	})
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestBodiesThatSayTheSameHaveTheSameSum(t *testing.T) {
	sum := func(body string) string {
		_, sum, err := read(post(body, "Content-Type", "application/json"), 1_000)
		if err != nil {
			t.Fatal(err)
		}
		return sum
	}
	if sum(`{"name":"a","count":3}`) != sum(" {\n\"count\" : 3, \"name\":\"\\u0061\"}") {
		t.Error("order, space and escapes make another body")
	}
	if sum(`{"name":"a"}`) == sum(`{"name":"b"}`) {
		t.Error("two names are one body")
	}
}

// FuzzJSON holds that whatever comes is read or refused, that what is read says what any reader would read, and that what
// says the same has one sum.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{
		`{"name":"a"}`, `{"count":1e3}`, `{"count":-0}`, `{"parts":[{"id":""}]}`, `{"at":"2026-11-23T01:00:00Z"}`, `{"a":`, "\xff", `"\ud800"`,
		`{"free":{"a":[null,{},1.50,"\u00e9"]}}`, `{"Name":"a"}`, `{"name":"a","n\u0061me":"b"}`, `{"count":9007199254740993}`, `{"name":null}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		value, sum, err := read(post(body, "Content-Type", "application/json"), 1<<16)
		if refusal, refused := errors.AsType[*domain.Error](err); err != nil {
			if !refused || refusal.Code == "" {
				t.Fatalf("%q: %v", body, err)
			}
			return
		}
		var loose thing
		if err := json.Unmarshal([]byte(body), &loose); err != nil || loose.Name != value.Name || len(loose.Parts) != len(value.Parts) ||
			(loose.Count == nil) != (value.Count == nil) || loose.Count != nil && *loose.Count != *value.Count {
			t.Fatalf("%q: %+v, but another reader: %+v, %v", body, value, loose, err)
		}
		canonical, err := evidence.Canonical([]byte(body))
		if err != nil {
			t.Fatalf("%q: taken, but %v", body, err)
		}
		again, same, err := read(post(string(canonical), "Content-Type", "application/json"), 1<<20)
		if err != nil || same != sum || again.Name != value.Name {
			t.Fatalf("%q has the sum %s, its canonical form %s: %s, %v", body, sum, canonical, same, err)
		}
	})
}
