package api

import (
	_ "embed"
	"fmt"
	"html/template"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"example.com/walkaround/domain"
	"example.com/walkaround/openapi"
	"example.com/walkaround/storage"
)

func (s *Server) systemRoutes() []route {
	return []route{
		{http.MethodGet, "/", "", "", s.home},
		{http.MethodGet, "/healthz", "", "", s.healthz},
		{http.MethodGet, "/readyz", "", "", s.readyz},
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

// Readiness says whether requests can be answered.
type Readiness struct {
	Status string `json:"status" example:"ok"`
	Failed int    `json:"failed"` // tasks that were set aside after many attempts, at most 200 counted a queue
}

// readyz says whether storage can be reached.
//
//	@Summary		Can requests be answered
//	@Description	Reads documents and tries to write blobs. `failed` counts background tasks that were set aside: look at the log.
//	@ID				readyz
//	@Tags			system
//	@Produce		json
//	@Success		200	{object}	Readiness
//	@Router			/readyz [get]
func (s *Server) readyz(c *gin.Context) error {
	ctx := c.Request.Context()
	if err := s.Engine.Ping(ctx); err != nil {
		return fmt.Errorf("%w: %w", storage.ErrUnavailable, err)
	}
	if err := s.Blobs.Ping(ctx); err != nil {
		return fmt.Errorf("blobs: %w", err)
	}
	setAside := storage.Query{Key: "failed", Limit: storage.MaxFind, SkipDamaged: true} // a damaged row is one of them
	visits, err := s.visits.Find(ctx, setAside)
	if err != nil {
		return err
	}
	photos, err := s.photos.Find(ctx, setAside)
	if err != nil {
		return err
	}
	failed := len(visits.Items) + len(visits.Damaged) + len(photos.Items) + len(photos.Damaged)
	return sendValue(c, Readiness{Status: "ok", Failed: failed})
}

// metrics are what Prometheus reads.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
	known    sync.Map // of observed to the prometheus.Observer: the vector finds it by hashing the names each time
}

// observed is what a histogram is about: as many as there are routes and statuses.
type observed struct {
	method string
	route  string
	status int
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "walkaround_request_seconds", Help: "Time to answer a request.", Buckets: prometheus.ExponentialBuckets(0.0005, 4, 8),
		}, []string{"method", "route", "status"}),
	}
	m.registry.MustRegister(m.requests)
	return m
}

// knownMethods are those that the histogram tells apart: a stranger may send any word as a method.
//
//nolint:gochecknoglobals // a list that nothing changes
var knownMethods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
}

func (m *metrics) observe(method, route string, status int, took time.Duration) {
	if !slices.Contains(knownMethods, method) {
		method = "other"
	}
	if route == "" {
		route = "none"
	}
	a := observed{method, route, status}
	known, ok := m.known.Load(a)
	if !ok {
		known, _ = m.known.LoadOrStore(a, m.requests.WithLabelValues(method, route, strconv.Itoa(status)))
	}
	if o, ok := known.(prometheus.Observer); ok {
		o.Observe(took.Seconds())
	}
}

// serveMetrics is for who runs the server: on loopback only, so that nothing of the business is told to strangers.
//
//	@Summary		Read metrics
//	@Description	Prometheus text format; answered on the loopback interface only.
//	@ID				getMetrics
//	@Tags			system
//	@Produce		plain
//	@Success		200	{string}	string
//	@Router			/metrics [get]
func (s *Server) serveMetrics(c *gin.Context) error {
	from, err := netip.ParseAddrPort(c.Request.RemoteAddr)
	if err != nil || !from.Addr().Unmap().IsLoopback() {
		return domain.Refuse(domain.CodeNotFound, "no such resource")
	}
	promhttp.HandlerFor(s.metrics.registry, promhttp.HandlerOpts{}).ServeHTTP(c.Writer, c.Request)
	return nil
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
