// Package decode reads JSON bodies strictly: whatever two readers could understand differently is refused before anything is
// done with it.
//
// Call JSON. The package may import domain, domain/evidence and the codec; it knows neither the router nor storage, so that
// it can be fuzzed alone.
package decode

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/evidence"
)

// Refusals of what does not even decode.
const (
	CodeMalformedJSON domain.Code = "malformed_json"
	CodeUnknownField  domain.Code = "unknown_field"
	CodeWrongType     domain.Code = "wrong_type"
	CodeMediaType     domain.Code = "unsupported_media_type"
	CodeTooLarge      domain.Code = "body_too_large"
	CodeUnread        domain.Code = "body_unreadable"
)

// JSON reads a JSON body of at most limit bytes into T, and makes the SHA-256 of its canonical form in hex: two bodies that
// say the same have the same. Refused are repeated or unknown names, other cases of a name, lone surrogates, numbers beyond
// 2^53, anything after the end: a *domain.Error of one of the codes above.
func JSON[T any](w http.ResponseWriter, r *http.Request, limit int64) (value T, sum string, err error) {
	if err := isJSON(r.Header); err != nil {
		return value, "", err
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err != nil {
		return value, "", Unreadable(err)
	}
	if sum, err = checkForm(raw); err != nil {
		return value, "", err
	}
	if err := json.Unmarshal(raw, &value, json.RejectUnknownMembers(true)); err != nil {
		return value, "", undecodable(err)
	}
	return value, sum, nil
}

// isJSON holds the headers to one JSON body in UTF-8, the only encoding that JSON has on the wire (RFC 8259 section 8.1):
// who says another means other characters than we would read.
func isJSON(h http.Header) error {
	mediaType, parameters, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil || mediaType != "application/json" || len(h.Values("Content-Type")) > 1 {
		return domain.Refuse(CodeMediaType, "the body must be application/json")
	}
	if charset, named := parameters["charset"]; named && !strings.EqualFold(charset, "utf-8") {
		return domain.Refuse(CodeMediaType, "the body must be UTF-8; leave charset out, or say utf-8")
	}
	if e := h.Get("Content-Encoding"); e != "" && e != "identity" {
		return domain.Refuse(CodeMediaType, "the body must not be compressed")
	}
	return nil
}

func checkForm(raw []byte) (sum string, err error) {
	canonical, err := evidence.Canonical(raw)
	if refusal, ok := errors.AsType[*domain.Error](err); ok {
		return "", &domain.Error{Code: CodeMalformedJSON, Detail: refusal.Detail}
	} else if err != nil {
		return "", err
	}
	hash := sha256.Sum256(canonical)
	return hex.EncodeToString(hash[:]), nil
}

// Unreadable is the refusal of a body that could not be read: it tells one that is too long from one that broke off.
func Unreadable(err error) error {
	if tooLong, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return domain.Refuse(CodeTooLarge, "the body is over %d bytes", tooLong.Limit)
	}
	return domain.Refuse(CodeUnread, "the body did not arrive whole")
}

func undecodable(err error) error {
	if semantic, ok := errors.AsType[*json.SemanticError](err); ok {
		field := domain.Field{Pointer: string(semantic.JSONPointer), Code: CodeWrongType, Message: "not of the type that the document describes"}
		if errors.Is(semantic.Err, json.ErrUnknownName) {
			field.Code, field.Message = CodeUnknownField, "this field is not known here"
		}
		return &domain.Error{Code: field.Code, Detail: field.Message, Fields: []domain.Field{field}}
	}
	if syntactic, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		return domain.Refuse(CodeMalformedJSON, "at %s", strings.ToValidUTF8(string(syntactic.JSONPointer), "?"))
	}
	return domain.Refuse(CodeMalformedJSON, "the body can't be decoded")
}
