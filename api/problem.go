package api

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"example.com/walkaround/api/auth"
	"example.com/walkaround/domain"
	"example.com/walkaround/storage"
)

// Problem is every refusal: RFC 9457. Branch on code; titles follow Accept-Language.
type Problem struct {
	Type      string         `json:"type" example:"/problems#section_frozen"`
	Title     string         `json:"title" example:"The sheet is signed"`
	Status    int            `json:"status" example:"409"`
	Detail    string         `json:"detail,omitempty"`
	Code      domain.Code    `json:"code" example:"section_frozen"`
	Errors    []domain.Field `json:"errors,omitempty"`
	RequestID string         `json:"request_id" example:"0190f3a4-7c5e-7b1a-9d63-2f1a0c4e8b77"`
}

// retry is a refusal that lapses by itself.
type retry struct {
	error
	after time.Duration
}

func (r retry) Unwrap() error { return r.error }

// problem writes err as problem+json, unless an answer was begun. Unknown errors are logged whole and told as nothing.
func (s *Server) problem(c *gin.Context, err error) {
	refusal, after := s.refusal(c, err)
	if c.Writer.Written() {
		s.Log.ErrorContext(c.Request.Context(), "answer broke off", slog.String("request_id", requestID(c)), slog.Any("error", err))
		c.Abort()
		return
	}
	entry := catalogue[refusal.Code]
	p := Problem{
		Type: "/problems#" + string(refusal.Code), Title: entry.title(acceptedLanguage(c.Request)), Status: entry.status,
		Detail: refusal.Detail, Code: refusal.Code, Errors: refusal.Fields, RequestID: requestID(c),
	}
	if after > 0 {
		c.Header("Retry-After", strconv.Itoa(int(math.Ceil(after.Seconds()))))
	}
	if entry.status == http.StatusUnauthorized {
		c.Header("WWW-Authenticate", `Bearer realm="walkaround"`)
	}
	encoded, err := json.Marshal(p)
	if err != nil { // strings and numbers alone: can't be
		encoded = []byte(`{}`)
	}
	c.Header("Cache-Control", "no-store")
	c.Data(entry.status, "application/problem+json", encoded)
	c.Abort()
}

// refusal finds what of the catalogue an error is, and after how long it is worth trying again.
func (s *Server) refusal(c *gin.Context, err error) (refusal *domain.Error, after time.Duration) {
	if r, ok := errors.AsType[retry](err); ok {
		after = r.after
	}
	if t, ok := errors.AsType[*auth.RetryError](err); ok {
		after = t.After
	}
	if refusal, ok := errors.AsType[*domain.Error](err); ok {
		if _, known := catalogue[refusal.Code]; known {
			return refusal, after
		}
	}
	code := storageCode(err)
	ctx, id, route := c.Request.Context(), slog.String("request_id", requestID(c)), slog.String("route", c.FullPath())
	switch {
	case code == codeInternal:
		s.Log.ErrorContext(ctx, "request failed", id, route, slog.Any("error", err))
	case (code == codeUnavailable || code == codeStorageFull) && !errors.Is(err, context.Canceled): // who left waits for nothing
		s.Log.WarnContext(ctx, "storage failed", id, route, slog.String("error", strings.Join(causes(err), "; ")))
	}
	if code == codeUnavailable && after == 0 {
		after = 2 * time.Second
	}
	refusal = &domain.Error{Code: code}
	if errors.Is(err, storage.ErrCursor) {
		refusal.Detail = "a query parameter is wrong"
		refusal.Fields = []domain.Field{{
			Pointer: "/query/cursor", Code: codeBadParameter, Message: "not a next_cursor of this list with these filters; begin again without it",
		}}
	}
	return refusal, after
}

// causes are the innermost errors of err. What is wrapped around them names ids, and with them plates and VINs.
func causes(err error) []string {
	switch wrapped := err.(type) { //nolint:errorlint // this is what takes errors apart
	case interface{ Unwrap() error }:
		if inner := wrapped.Unwrap(); inner != nil {
			return causes(inner)
		}
	case interface{ Unwrap() []error }:
		var list []string
		for _, inner := range wrapped.Unwrap() {
			list = append(list, causes(inner)...)
		}
		return list
	}
	return []string{err.Error()}
}

func storageCode(err error) domain.Code {
	switch {
	case errors.Is(err, storage.ErrCorrupt):
		return codeInternal
	case errors.Is(err, storage.ErrNotFound):
		return domain.CodeNotFound
	case errors.Is(err, storage.ErrFull):
		return codeStorageFull
	case errors.Is(err, storage.ErrTooLarge):
		return codeTooLarge
	case errors.Is(err, storage.ErrCursor), errors.Is(err, storage.ErrValue):
		return codeBadParameter
	case errors.Is(err, storage.ErrUnavailable), errors.Is(err, storage.ErrStale),
		errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return codeUnavailable
	default:
		return codeInternal
	}
}
