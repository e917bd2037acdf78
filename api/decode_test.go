package api

import (
	"errors"
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
