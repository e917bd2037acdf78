package api

import (
	_ "embed"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"example.com/walkaround/domain"
	"example.com/walkaround/openapi"
)

func (s *Server) systemRoutes() []route {
	return []route{
		{http.MethodGet, "/", "", "", s.home},
		{http.MethodGet, "/healthz", "", "", s.healthz},
		{http.MethodGet, "/readyz", "", "only", s.readyz},
		{http.MethodGet, "/metrics", "", "", s.serveMetrics},
		{http.MethodGet, "/openapi.json", "", "", s.openAPIJSON},
		{http.MethodGet, "/openapi.yaml", "", "", s.openAPIYAML},
		{http.MethodGet, "/docs", "", "", s.docs},
		{http.MethodGet, "/docs/*page", "", "", s.docs},
		{http.MethodGet, "/problems", "", "", s.problems},
	}
}

// home leads who opens the bare address in a browser to what there is to read.
func (s *Server) home(c *gin.Context) error {
	c.Redirect(http.StatusFound, "/docs/")
	return nil
}

// Health says how the process stands.
type Health struct {
	Status  string `json:"status" example:"ok"`
	Version string `json:"version"`
}

// healthz says that the process runs.
//
//	@Summary		Is the process alive
//	@Description	Answers as long as the process runs.
//	@ID				healthz
//	@Tags			system
//	@Produce		json
//	@Success		200	{object}	Health
//	@Router			/healthz [get]
func (s *Server) healthz(c *gin.Context) error {
	return sendValue(c, Health{Status: "ok", Version: s.Version})
}

// openAPIJSON serves this document.
//
//	@Summary		Read this document
//	@Description	OpenAPI 3.1 as JSON.
//	@ID				getOpenAPIJSON
//	@Tags			system
//	@Produce		json
//	@Success		200	{object}	map[string]any
//	@Router			/openapi.json [get]
func (s *Server) openAPIJSON(c *gin.Context) error {
	c.Header("Cache-Control", "public, max-age=300")
	c.Data(http.StatusOK, contentJSON, openapi.JSON)
	return nil
}

// openAPIYAML serves this document.
//
//	@Summary		Read this document as YAML
//	@Description	OpenAPI 3.1 as YAML.
//	@ID				getOpenAPIYAML
//	@Tags			system
//	@Produce		application/yaml
//	@Success		200	{string}	string
//	@Router			/openapi.yaml [get]
func (s *Server) openAPIYAML(c *gin.Context) error {
	c.Header("Cache-Control", "public, max-age=300")
	c.Data(http.StatusOK, "application/yaml", openapi.YAML())
	return nil
}

func (s *Server) docs(c *gin.Context) error {
	if !openapi.HasDocs(c.Request.URL.Path) {
		return domain.Refuse(domain.CodeNotFound, "no such page")
	}
	s.reference.ServeHTTP(c.Writer, c.Request)
	return nil
}

//go:embed page/problems.html
var problemsPage string

var problemsTemplate = template.Must(template.New("problems").Parse(problemsPage))

// Code is one refusal as the documentation lists it.
type Code struct {
	Code   domain.Code
	Status int
	Hant   string
	Hans   string
	Title  string
}

// Codes lists the catalogue of refusals by status and code.
func Codes() []Code {
	list := make([]Code, 0, len(catalogue))
	for code, e := range catalogue {
		list = append(list, Code{Code: code, Status: e.status, Hant: e.hant, Hans: e.hans, Title: e.en})
	}
	slices.SortFunc(list, func(a, b Code) int {
		if a.Status != b.Status {
			return a.Status - b.Status
		}
		return strings.Compare(string(a.Code), string(b.Code))
	})
	return list
}

// problems is the page that a problem's type points to.
func (s *Server) problems(c *gin.Context) error {
	var page strings.Builder
	if err := problemsTemplate.Execute(&page, Codes()); err != nil {
		return fmt.Errorf("problems page: %w", err)
	}
	c.Header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	c.Data(http.StatusOK, "text/html; charset=utf-8", []byte(page.String()))
	return nil
}
