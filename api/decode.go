package api

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/evidence"
)

// Limits of JSON bodies, in bytes.
const (
	maxBody      = 64 << 10
	maxSection   = 256 << 10
	maxSignature = 2 << 20
)

// Refusals of what does not even decode.
const (
	codeMalformedJSON    domain.Code = "malformed_json"
	codeUnknownField     domain.Code = "unknown_field"
	codeWrongType        domain.Code = "wrong_type"
	codeUnknownParameter domain.Code = "unknown_parameter"
	codeBadParameter     domain.Code = "bad_parameter"
	codeMediaType        domain.Code = "unsupported_media_type"
	codeTooLarge         domain.Code = "body_too_large"
	codeBodyUnread       domain.Code = "body_unreadable"
)

// body is a decoded request.
type body[T any] struct {
	value T
	sum   string // SHA-256 of the canonical form of what was sent: two bodies that say the same have the same
}

// decode reads a JSON body of at most limit bytes into T. It refuses what two readers could understand differently:
// repeated or unknown names, other cases of a name, lone surrogates, numbers beyond 2^53, anything after the end.
func decode[T any](c *gin.Context, limit int64) (body[T], error) {
	var b body[T]
	if err := isJSON(c.Request.Header); err != nil {
		return b, err
	}
	raw, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, limit))
	if err != nil {
		return b, unreadable(err)
	}
	if b.sum, err = checkForm(raw); err != nil {
		return b, err
	}
	if err := json.Unmarshal(raw, &b.value, json.RejectUnknownMembers(true)); err != nil {
		return b, undecodable(err)
	}
	return b, nil
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

func isJSON(h http.Header) error {
	mediaType, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil || mediaType != "application/json" {
		return domain.Refuse(codeMediaType, "the body must be application/json")
	}
	if e := h.Get("Content-Encoding"); e != "" && e != "identity" {
		return domain.Refuse(codeMediaType, "the body must not be compressed")
	}
	return nil
}

func checkForm(raw []byte) (sum string, err error) {
	canonical, err := evidence.Canonical(raw)
	if refusal, ok := errors.AsType[*domain.Error](err); ok {
		return "", &domain.Error{Code: codeMalformedJSON, Detail: refusal.Detail}
	} else if err != nil {
		return "", err
	}
	hash := sha256.Sum256(canonical)
	return hex.EncodeToString(hash[:]), nil
}

// unreadable tells a body that is too long from one that broke off.
func unreadable(err error) error {
	if tooLong, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return domain.Refuse(codeTooLarge, "the body is over %d bytes", tooLong.Limit)
	}
	return domain.Refuse(codeBodyUnread, "the body did not arrive whole")
}

func undecodable(err error) error {
	if semantic, ok := errors.AsType[*json.SemanticError](err); ok {
		field := domain.Field{Pointer: string(semantic.JSONPointer), Code: codeWrongType, Message: "not of the type that the document describes"}
		if errors.Is(semantic.Err, json.ErrUnknownName) {
			field.Code, field.Message = codeUnknownField, "this field is not known here"
		}
		return &domain.Error{Code: field.Code, Detail: field.Message, Fields: []domain.Field{field}}
	}
	if syntactic, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		return domain.Refuse(codeMalformedJSON, "at %s", strings.ToValidUTF8(string(syntactic.JSONPointer), "?"))
	}
	return domain.Refuse(codeMalformedJSON, "the body can't be decoded")
}

// badRequest lists fields under a code of its own.
func badRequest(code domain.Code, detail string, err error) error {
	refusal := &domain.Error{Code: code, Detail: detail}
	if listed, ok := errors.AsType[*domain.Error](err); ok {
		refusal.Fields = listed.Fields
	}
	return refusal
}
