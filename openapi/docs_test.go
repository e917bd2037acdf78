package openapi_test

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"example.com/walkaround/openapi"
)

func TestYAMLSaysWhatJSONSays(t *testing.T) {
	var fromYAML, fromJSON map[string]any
	if err := yaml.Unmarshal(openapi.YAML(), &fromYAML); err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(string(openapi.YAML()), "{") {
		t.Error("the YAML is the JSON")
	}
	again, err := json.Marshal(fromYAML)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(again, &fromYAML); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(openapi.JSON, &fromJSON); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(fromYAML, fromJSON) {
		t.Error("the YAML differs from the JSON")
	}
}

func docs(method, path, encoding string) *httptest.ResponseRecorder {
	req := httptest.NewRequest(method, path, nil)
	req.Header.Set("Accept-Encoding", encoding)
	recorder := httptest.NewRecorder()
	openapi.Docs().ServeHTTP(recorder, req)
	return recorder
}

// TestDocsIsWhole asks for everything that the page names: all of it is served here, and none of it is inline.
func TestDocsIsWhole(t *testing.T) {
	index := docs("GET", "/docs", "").Body.String()
	links := regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(index, -1)
	if len(links) < 5 {
		t.Fatalf("the page names only %v", links)
	}
	for _, link := range links {
		if link[1] == "/openapi.json" {
			continue
		}
		if got := docs("GET", link[1], ""); got.Code != http.StatusOK || got.Body.Len() == 0 {
			t.Errorf("%s: %d, %d bytes", link[1], got.Code, got.Body.Len())
		}
	}
	if regexp.MustCompile(`<script>|<style|style=|onload=|https?:`).MatchString(index) {
		t.Error("the page has something inline or from outside")
	}
}

func TestDocsAnswers(t *testing.T) {
	for _, c := range []struct {
		method, path string
		status       int
		media        string
	}{
		{"GET", "/docs", 200, "text/html; charset=utf-8"},
		{"GET", "/docs/", 200, "text/html; charset=utf-8"},
		{"HEAD", "/docs/swagger-ui.css", 200, "text/css; charset=utf-8"},
		{"GET", "/docs/page.js", 200, "text/javascript; charset=utf-8"},
		{"GET", "/docs/favicon-32x32.png", 200, "image/png"},
		{"GET", "/docs/swagger-ui.js", 404, ""},
		{"GET", "/docs/../docs.go", 404, ""},
		{"GET", "/docs/embed.go", 404, ""},
		{"POST", "/docs", 405, ""},
	} {
		got := docs(c.method, c.path, "")
		if got.Code != c.status || c.media != "" && got.Header().Get("Content-Type") != c.media {
			t.Errorf("%s %s: %d %s", c.method, c.path, got.Code, got.Header().Get("Content-Type"))
		}
		if c.status == 200 && got.Header().Get("Content-Security-Policy") != openapi.DocsPolicy {
			t.Errorf("%s %s: no policy", c.method, c.path)
		}
		if c.method == "HEAD" && got.Body.Len() > 0 {
			t.Errorf("%s %s: a body", c.method, c.path)
		}
	}
}

func TestDocsIsCompressedOnlyWhenAsked(t *testing.T) {
	const bundle = "/docs/swagger-ui-bundle.js"
	plain, packed := docs("GET", bundle, "identity"), docs("GET", bundle, "gzip, br")
	if plain.Header().Get("Content-Encoding") != "" || packed.Header().Get("Content-Encoding") != "gzip" {
		t.Fatal("the encoding is not that asked for")
	}
	r, err := gzip.NewReader(packed.Body)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(r); err != nil || string(text) != plain.Body.String() {
		t.Errorf("the two differ, %v", err)
	}
}

func TestHasDocs(t *testing.T) {
	for path, has := range map[string]bool{
		"/docs": true, "/docs/": true, "/docs/page.js": true, "/docs/swagger-ui.css": true,
		"/docs/nothing": false, "/docs/.": false, "/docs/..": false, "/docs/swagger-ui.css.gz": false, "/docs/page": false,
	} {
		if openapi.HasDocs(path) != has {
			t.Errorf("%s: %v", path, !has)
		}
	}
}
