package api

import (
	"errors"

	"github.com/gin-gonic/gin"

	strict "example.com/walkaround/api/decode"
	"example.com/walkaround/domain"
)

// Limits of JSON bodies, in bytes.
const (
	maxBody      = 64 << 10
	maxSection   = 256 << 10
	maxSignature = 2 << 20
)

// Refusals of what is not understood; see package decode for those of a body.
const (
	codeMalformedJSON                = strict.CodeMalformedJSON
	codeUnknownField                 = strict.CodeUnknownField
	codeWrongType                    = strict.CodeWrongType
	codeMediaType                    = strict.CodeMediaType
	codeTooLarge                     = strict.CodeTooLarge
	codeBodyUnread                   = strict.CodeUnread
	codeUnknownParameter domain.Code = "unknown_parameter"
	codeBadParameter     domain.Code = "bad_parameter"
)

// body is a decoded request.
type body[T any] struct {
	value T
	sum   string // SHA-256 of the canonical form of what was sent: two bodies that say the same have the same
}

// decode reads a JSON body of at most limit bytes into T, strictly.
func decode[T any](c *gin.Context, limit int64) (body[T], error) {
	value, sum, err := strict.JSON[T](c.Writer, c.Request, limit)
	return body[T]{value, sum}, err
}

// noBody takes a POST that says nothing: an empty body, or {}.
func noBody(c *gin.Context) error {
	if c.Request.ContentLength == 0 {
		return nil
	}
	if c.GetHeader("Content-Type") == "" {
		c.Request.Header.Set("Content-Type", contentJSON)
	}
	_, err := decode[struct{}](c, maxBody)
	return err
}

// badRequest lists fields under a code of its own.
func badRequest(code domain.Code, detail string, err error) error {
	refusal := &domain.Error{Code: code, Detail: detail}
	if listed, ok := errors.AsType[*domain.Error](err); ok {
		refusal.Fields = listed.Fields
	}
	return refusal
}
