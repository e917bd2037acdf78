package move

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"example.com/walkaround/test/harness"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// login signs the first account in.
func login(t *testing.T, h http.Handler) (token string) {
	t.Helper()
	body := `{"username":"admin","store":"main","password":"` + harness.AdminPassword + `"}`
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/auth/login", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	var answer struct {
		Token string `json:"access_token"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || answer.Token == "" {
		t.Fatalf("sign-in: %d %s", w.Code, w.Body)
	}
	return answer.Token
}

func get(t *testing.T, h http.Handler, path, token string) string {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody)
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Fatalf("%s: %d %s", path, w.Code, w.Body)
	}
	return readAll(t, w.Body)
}
