package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"example.com/walkaround/api"
	"example.com/walkaround/cmd/walkaround/config"
)

func TestHealthAsksThisMachine(t *testing.T) {
	for addr, want := range map[string]string{
		":8080": "http://127.0.0.1:8080", "0.0.0.0:80": "http://127.0.0.1:80", "[::]:8080": "http://[::1]:8080",
		"192.168.1.5:8080": "http://192.168.1.5:8080", "lane.local:8080": "http://lane.local:8080",
	} {
		if got, err := near(config.Config{Addr: addr}); err != nil || got != want {
			t.Errorf("%s: %s, %v", addr, got, err)
		}
	}
	if got, err := near(config.Config{Addr: ":443", TLSCert: "c"}); err != nil || got != "https://127.0.0.1:443" {
		t.Errorf("with a certificate: %s, %v", got, err)
	}
}

func TestHealthTellsWhatIsMissing(t *testing.T) {
	s := httptest.NewServer(api.Opening("test", time.Now, nil))
	defer s.Close()
	if err := ask(t.Context(), s.URL+"/readyz"); err == nil || !strings.Contains(err.Error(), "503 Service Unavailable not ready: process") {
		t.Errorf("got %v", err)
	}
	if err := ask(t.Context(), s.URL+"/healthz"); err != nil {
		t.Error(err)
	}
	teapot := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	defer teapot.Close()
	if err := ask(t.Context(), teapot.URL); err == nil || !strings.Contains(err.Error(), "418") {
		t.Errorf("got %v", err)
	}
}
