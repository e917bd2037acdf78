package api

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/staff"
)

// route is one entry of the router: who may, and what is done. A handler returns its refusal; it never writes one.
type route struct {
	method string
	path   string
	area   staff.Area // empty: anyone, without an account
	query  string     // the query parameters that are known, separated by spaces
	handle func(*gin.Context) error
}

// Route names one route and who may call it, for the tables that hold them.
type Route struct {
	Method string
	Path   string // as the OpenAPI document writes it: /v1/visits/{id}
	Area   staff.Area
}

// Routes lists every route of the server.
func (s *Server) Routes() []Route {
	list := make([]Route, len(s.routes))
	for i, r := range s.routes {
		list[i] = Route{Method: r.method, Path: openAPIPath(r.path), Area: r.area}
	}
	return list
}

func openAPIPath(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if strings.HasPrefix(p, ":") {
			parts[i] = "{" + p[1:] + "}"
		}
	}
	return strings.Join(parts, "/")
}

// mount builds the Gin engine from the routes.
func (s *Server) mount() (http.Handler, error) {
	gin.SetMode(gin.ReleaseMode)
	g := gin.New()
	g.HandleMethodNotAllowed = true
	g.RedirectTrailingSlash = false
	g.ForwardedByClientIP = len(s.TrustedProxies) > 0
	if err := g.SetTrustedProxies(s.proxies()); err != nil {
		return nil, err
	}
	g.Use(s.observe, s.guard, s.whole)
	g.NoRoute(s.adapt(s.lost(domain.Refuse(domain.CodeNotFound, "no such resource"))))
	g.NoMethod(s.adapt(s.lost(domain.Refuse(codeMethod, "the resource does not know this method; see Allow"))))
	s.routes = s.table()
	for _, r := range s.routes {
		g.Handle(r.method, r.path, s.adapt(s.admit(r)))
		if r.method == http.MethodGet {
			g.HEAD(r.path, s.adapt(s.admit(r)))
		}
	}
	return g, nil
}

func (s *Server) table() []route {
	return slices.Concat(
		s.systemRoutes(), s.authRoutes(), s.staffRoutes(), s.storeRoutes(), s.templateRoutes(),
		s.vehicleRoutes(), s.customerRoutes(),
		s.visitRoutes(), s.sectionRoutes(), s.fileRoutes(), s.signatureRoutes(), s.documentRoutes(), s.verifyRoutes(),
	)
}

func (s *Server) proxies() []string {
	list := make([]string, len(s.TrustedProxies))
	for i, p := range s.TrustedProxies {
		list[i] = p.String()
	}
	return list
}

// adapt turns a returned error into the problem.
func (s *Server) adapt(handle func(*gin.Context) error) gin.HandlerFunc {
	return func(c *gin.Context) {
		if err := handle(c); err != nil {
			s.problem(c, err)
		}
	}
}

// lost answers a request that no route takes, within the rate of its address.
func (s *Server) lost(refusal error) func(*gin.Context) error {
	return func(c *gin.Context) error {
		if err := s.limits.stranger(c.ClientIP()+" none", s.Now()); err != nil {
			return err
		}
		return refusal
	}
}

// unknown charges who is not known for asking: a refused token costs a verification.
func (s *Server) unknown(c *gin.Context, refusal error) error {
	if told, ok := errors.AsType[*domain.Error](refusal); !ok || catalogue[told.Code].status != http.StatusUnauthorized {
		return refusal
	}
	if err := s.limits.stranger(c.ClientIP()+" unknown", s.Now()); err != nil {
		return err
	}
	return refusal
}

// admit lets a request through to its handler: known parameters, an account that may, within its rate.
func (s *Server) admit(r route) func(*gin.Context) error {
	known := strings.Fields(r.query)
	return func(c *gin.Context) error {
		if err := knownParameters(c.Request.URL.RawQuery, known); err != nil {
			return err
		}
		if r.area == "" {
			// A bucket a route: a flood of one shuts the address, which may be a whole yard, out of none of the others.
			if err := s.limits.stranger(c.ClientIP()+" "+r.path, s.Now()); err != nil && !slices.Contains(unlimited, r.path) {
				return err
			}
			return r.handle(c)
		}
		if err := s.authenticate(c, r.area); err != nil {
			return s.unknown(c, err)
		}
		return r.handle(c)
	}
}

// unlimited are the routes that no flood may close: the probes, and signing in, which has a measure of its own that knows
// the devices of an owner.
//
//nolint:gochecknoglobals // a list that nothing changes
var unlimited = []string{"/healthz", "/readyz", "/v1/auth/login"}

func knownParameters(raw string, known []string) error {
	if raw == "" {
		return nil
	}
	query, err := url.ParseQuery(raw)
	if err != nil {
		return domain.Refuse(codeBadParameter, "the query can't be read")
	}
	var f domain.Faults
	for name, values := range query {
		switch {
		case !slices.Contains(known, name):
			f.Add("/query/"+name, codeUnknownParameter, "this parameter is not known here")
		case len(values) > 1:
			f.Add("/query/"+name, domain.CodeDuplicate, "this parameter is taken once")
		}
	}
	if f.Err() != nil {
		return badRequest(codeUnknownParameter, "a query parameter is not known or stands twice", f.Err())
	}
	return nil
}
