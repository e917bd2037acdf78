package api

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"example.com/walkaround/domain"
)

// asked makes the context of a request.
func asked(method, target, body string, headers ...string) *gin.Context {
	c, _ := recorded(method, target, body, headers...)
	return c
}

// recorded is asked with what is answered.
func recorded(method, target, body string, headers ...string) (*gin.Context, *httptest.ResponseRecorder) {
	gin.SetMode(gin.ReleaseMode)
	w := httptest.NewRecorder()
	c, _ := gin.CreateTestContext(w)
	c.Request = httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		c.Request.Header.Set(headers[i], headers[i+1])
	}
	return c, w
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

type thing struct {
	Name  string       `json:"name"`
	Count *int64       `json:"count"`
	At    *domain.Time `json:"at"`
	Parts []struct {
		ID string `json:"id"`
	} `json:"parts"`
}

func TestDecodeRefuses(t *testing.T) {
	for name, c := range map[string]struct{ body, mediaType, want string }{
		"an object":             {`{"name":"煞車","count":3,"at":"2026-11-23T09:00:00+08:00","parts":[{"id":"a"}]}`, "application/json; charset=utf-8", ""},
		"members may be absent": {`{}`, "application/json", ""},
		"null is absent":        {`{"count":null,"at":null,"parts":null}`, "application/json", ""},
		"no media type":         {`{}`, "", "unsupported_media_type"},
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
			c2 := asked(http.MethodPost, "/", c.body, "Content-Type", c.mediaType)
			_, err := decode[thing](c2, limit)
			if got := told(t, err); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
	t.Run("compressed", func(t *testing.T) {
		_, err := decode[thing](asked(http.MethodPost, "/", "{}", "Content-Type", "application/json", "Content-Encoding", "gzip"), 100)
		if got := told(t, err); got != "unsupported_media_type" {
			t.Error(got)
		}
	})
	t.Run("broken off", func(t *testing.T) {
		c := asked(http.MethodPost, "/", "", "Content-Type", "application/json")
		c.Request.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"na`), brokenReader{}))
		_, err := decode[thing](c, 100)
		if got := told(t, err); got != "body_unreadable" {
			t.Error(got)
		}
	})
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestBodiesThatSayTheSameHaveTheSameSum(t *testing.T) {
	sum := func(body string) string {
		b, err := decode[thing](asked(http.MethodPost, "/", body, "Content-Type", "application/json"), 1_000)
		if err != nil {
			t.Fatal(err)
		}
		return b.sum
	}
	if sum(`{"name":"a","count":3}`) != sum(" {\n\"count\" : 3, \"name\":\"\\u0061\"}") {
		t.Error("order, space and escapes make another body")
	}
	if sum(`{"name":"a"}`) == sum(`{"name":"b"}`) {
		t.Error("two names are one body")
	}
}

func TestNoBody(t *testing.T) {
	for body, code := range map[string]string{"": "", "{}": "", `{"a":1}`: "unknown_field /a=unknown_field", "x": "malformed_json"} {
		for _, mediaType := range []string{"", "application/json"} {
			if got := told(t, noBody(asked(http.MethodPost, "/", body, "Content-Type", mediaType))); got != code {
				t.Errorf("%q as %q: %q, want %q", body, mediaType, got, code)
			}
		}
	}
	if got := told(t, noBody(asked(http.MethodPost, "/", "a=1", "Content-Type", "text/plain"))); got != "unsupported_media_type" {
		t.Error(got)
	}
}

// FuzzDecode holds that whatever comes is read or refused, and that what is read has one sum.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{`{"name":"a"}`, `{"count":1e3}`, `{"parts":[{"id":""}]}`, `{"at":"2026-11-23T01:00:00Z"}`, `{"a":`, "\xff", `"\ud800"`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		b, err := decode[thing](asked(http.MethodPost, "/", body, "Content-Type", "application/json"), 1<<16)
		if _, refused := errors.AsType[*domain.Error](err); err != nil && !refused {
			t.Fatalf("%q: %v", body, err)
		}
		if err == nil && len(b.sum) != 64 {
			t.Fatalf("%q has the sum %q", body, b.sum)
		}
	})
}
