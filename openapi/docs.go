package openapi

import (
	"cmp"
	"compress/gzip"
	"embed"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"

	"github.com/swaggest/swgui/v5/static"
)

// DocsPolicy is the Content-Security-Policy of the reference page: scripts, styles and requests to this server alone,
// nothing inline but the style attributes in which Swagger UI writes its drawings.
const DocsPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; " +
	"img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

//go:embed page
var page embed.FS

// assets are the files of Swagger UI that the page asks for; the big ones lie gzipped in its module.
var assets = map[string]bool{"swagger-ui.css": true, "swagger-ui-bundle.js": true, "favicon-32x32.png": true}

// Docs serves the reference page for /docs and everything under it. Nothing comes from outside; it reads /openapi.json.
func Docs() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
			return
		}
		serveDocs(w, r, docsName(r.URL.Path))
	})
}

// HasDocs says whether Docs has something at a path, so that who serves it can refuse what is not there in words of its own.
func HasDocs(urlPath string) bool {
	file, err := openDocs(docsName(urlPath))
	if err != nil {
		return false
	}
	defer file.Close() //nolint:errcheck // an embedded file.
	info, err := file.Stat()
	return err == nil && !info.IsDir()
}

func docsName(urlPath string) string {
	return cmp.Or(strings.Trim(strings.TrimPrefix(urlPath, "/docs"), "/"), "index.html")
}

func serveDocs(w http.ResponseWriter, r *http.Request, name string) {
	file, err := openDocs(name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer file.Close() //nolint:errcheck // an embedded file.
	header := w.Header()
	header.Set("Content-Security-Policy", DocsPolicy)
	header.Set("Content-Type", mime.TypeByExtension(path.Ext(name)))
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cache-Control", "no-cache")
	if assets[name] {
		header.Set("Cache-Control", "max-age=86400")
	}
	var body io.Reader = file
	if info, err := file.Stat(); err == nil && path.Ext(info.Name()) == ".gz" {
		header.Set("Vary", "Accept-Encoding")
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			header.Set("Content-Encoding", "gzip")
		} else if body, err = gzip.NewReader(file); err != nil {
			http.NotFound(w, r)
			return
		}
	}
	if r.Method == http.MethodGet {
		_, _ = io.Copy(w, body) //nolint:gosec // the source is embedded; a failed write is a client that left.
	}
}

func openDocs(name string) (fs.File, error) {
	if !assets[name] {
		return page.Open(path.Join("page", path.Clean("/"+name)))
	}
	if file, err := static.FS.Open(name); err == nil {
		return file, nil
	}
	return static.FS.Open(name + ".gz")
}
