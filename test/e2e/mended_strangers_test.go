package e2e_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"example.com/walkaround/test/harness"
)

func TestFiltersThatNothingCanMatchAreRefused(t *testing.T) {
	h := harness.Start(t)
	mei := h.As("advisor")
	for path, names := range map[string][]string{
		"/v1/visits": {"number", "plate", "cursor"}, "/v1/vehicles": {"plate", "vin", "cursor"}, "/v1/customers": {"name", "phone", "cursor"},
	} {
		for _, name := range names {
			for _, value := range []string{"1\x00", "1\xff", strings.Repeat("1", 2_000)} {
				mei.Do(http.MethodGet, path+"?"+name+"="+url.QueryEscape(value), nil).WantProblem(400, "bad_parameter")
			}
		}
	}
}

func TestWhoIsNotKnownIsHeldToARate(t *testing.T) {
	h := harness.Start(t)
	mei := h.As("advisor")
	for name, c := range map[string]struct{ method, path, token string }{
		"paths that are none":   {http.MethodGet, "/v1/nothing", ""},
		"methods that are none": {"BREW", "/v1/visits", ""},
		"tokens that are none":  {http.MethodGet, "/v1/me", "Bearer none"},
		"no token":              {http.MethodGet, "/v1/me", "Basic none"},
	} {
		limited := false
		for i := 0; i < 600 && !limited; i++ {
			limited = h.Anyone().In(t).Raw(c.method, c.path, nil, "Authorization", c.token).Status == http.StatusTooManyRequests
		}
		if !limited {
			t.Errorf("%s: no limit", name)
		}
	}
	mei.Get("/v1/me").Want(http.StatusOK)
}
