package api

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"example.com/walkaround/api/auth"
	"example.com/walkaround/domain"
	"example.com/walkaround/domain/staff"
	"example.com/walkaround/domain/store"
	"example.com/walkaround/domain/visit"
)

// Refusals at the door.
const (
	codeMethod          domain.Code = "method_not_allowed"
	codeUnauthenticated domain.Code = "unauthenticated"
	codeForbidden       domain.Code = "forbidden"
	codeRateLimited     domain.Code = "rate_limited"
	codeInternal        domain.Code = "internal"
	codeUnavailable     domain.Code = "unavailable"
	codeStorageFull     domain.Code = "storage_full"
)

// Deadlines of a request: the first for JSON, the second for photos, recordings and documents over a yard's Wi-Fi.
const (
	requestTime = 30 * time.Second
	uploadTime  = 5 * time.Minute
)

const (
	keyRequest   = "request"
	keyPrincipal = "principal"
	keyStore     = "store"
)

// observe gives each request an id, a deadline and a line in the log, and turns a panic into a problem.
func (s *Server) observe(c *gin.Context) {
	start := s.Now()
	id := domain.NewID()
	c.Set(keyRequest, id)
	c.Header("X-Request-Id", id)
	limit := requestTime
	if streams(c.Request) {
		limit = uploadTime
	}
	ctx, cancel := context.WithTimeout(s.traced(c, id), limit)
	defer cancel()
	c.Request = c.Request.WithContext(ctx)
	control := http.NewResponseController(c.Writer)
	deadline := time.Now().Add(limit)
	_ = control.SetReadDeadline(deadline)                   // a recorder in a test has none
	_ = control.SetWriteDeadline(deadline.Add(time.Minute)) // likewise
	s.metrics.enter(c.Request)
	defer s.finish(c, start)
	c.Next()
}

// streams says whether a request carries or fetches a file.
func streams(r *http.Request) bool {
	return strings.Contains(r.URL.Path, "/photos/") || strings.Contains(r.URL.Path, "/recordings/") || strings.Contains(r.URL.Path, "/documents/")
}

func (s *Server) finish(c *gin.Context, start time.Time) {
	if p := recover(); p != nil {
		s.problem(c, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
	}
	took := s.Now().Sub(start)
	s.endTrace(c)
	s.metrics.leave(c.Request)
	s.metrics.observe(c.Request.Method, c.FullPath(), c.Writer.Status(), took)
	if !s.Log.Enabled(c.Request.Context(), slog.LevelDebug) {
		return
	}
	s.Log.DebugContext(c.Request.Context(), "request", slog.String("request_id", requestID(c)), slog.String("method", c.Request.Method),
		slog.String("route", c.FullPath()), slog.Int("status", c.Writer.Status()), slog.Int64("took_us", took.Microseconds()),
		slog.String("account_id", principal(c).AccountID))
}

// whole refuses a path with an encoded slash. It is part of a segment, no name here has one, and the router, which reads
// the path decoded, would cut the segment in two.
func (s *Server) whole(c *gin.Context) {
	if strings.Contains(strings.ToLower(c.Request.URL.RawPath), "%2f") {
		c.Writer.Header().Del("Allow") // of the resource that it would have been cut into
		s.adapt(s.lost(domain.Refuse(domain.CodeNotFound, "no such resource")))(c)
	}
}

// guard sets the headers that keep a browser from guessing.
func (s *Server) guard(c *gin.Context) {
	h := c.Writer.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	if c.Request.TLS != nil {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
	h.Set("Date", s.Now().UTC().Format(http.TimeFormat))
	c.Next()
}

func requestID(c *gin.Context) string { return c.GetString(keyRequest) }

// principal is who asks; the zero principal for anyone.
func principal(c *gin.Context) auth.Principal {
	p, _ := c.Get(keyPrincipal)
	known, ok := p.(auth.Principal)
	if !ok {
		return auth.Principal{}
	}
	return known
}

// person is who asks, as records keep him.
func person(c *gin.Context) visit.Person {
	p := principal(c)
	return visit.Person{ID: p.AccountID, Name: p.Name}
}

// storeID is the store a request reaches: the token's own, or the one that a chain-wide account names.
func storeID(c *gin.Context) string { return c.GetString(keyStore) }

// key is the id of a document of this store.
func key(c *gin.Context, id string) string { return storeID(c) + "/" + id }

// pathID reads an id from the path. What is no id names nothing.
func pathID(c *gin.Context, name string) (string, error) {
	id := c.Param(name)
	if !domain.ValidID(id) {
		return "", domain.Refuse(domain.CodeNotFound, "no such resource")
	}
	return id, nil
}

// authenticate finds who asks and whether one of his roles opens the area.
func (s *Server) authenticate(c *gin.Context, area staff.Area) error {
	scheme, token, _ := strings.Cut(c.GetHeader("Authorization"), " ")
	if !strings.EqualFold(scheme, "bearer") || token == "" {
		return domain.Refuse(codeUnauthenticated, "send Authorization: Bearer with an access token")
	}
	p, err := s.auth.Verify(c.Request.Context(), token)
	if err != nil {
		return err
	}
	reached, err := s.reached(c, p)
	if err != nil {
		return err
	}
	if err := s.limits.account(p.AccountID, s.Now()); err != nil {
		return err
	}
	if !staff.Allows(p.Roles, area) {
		return domain.Refuse(codeForbidden, "your roles do not open this")
	}
	c.Set(keyPrincipal, p)
	c.Set(keyStore, reached)
	return nil
}

// reached is the store that a request is about: one's own, or the one that a chain-wide account names.
func (s *Server) reached(c *gin.Context, p auth.Principal) (string, error) {
	sent := c.Request.Header.Values("Walkaround-Store")
	if len(sent) == 0 {
		return p.StoreID, nil
	}
	named := sent[0]
	if named == "" || len(sent) > 1 { // whoever sends it wants one store and would be given another
		return "", domain.Refuse(codeBadHeader, "Walkaround-Store names one store; leave it out for your own")
	}
	if named == p.StoreID {
		return p.StoreID, nil
	}
	if !p.ChainWide || !store.ValidID(named) {
		return "", domain.Refuse(domain.CodeNotFound, "no such store")
	}
	_, err := s.store(c.Request.Context(), named)
	return named, err
}

// device is how the client names itself; it only tells autosaves of two tablets apart.
func device(c *gin.Context) string {
	name := c.GetHeader("Walkaround-Device")
	if len(name) > 64 || strings.ContainsFunc(name, func(r rune) bool { return r < '-' || r > 'z' }) {
		return ""
	}
	return name
}
