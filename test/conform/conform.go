// Package conform holds the answers of the server to its OpenAPI document: status, media type, headers and every member
// of the body, none undeclared.
//
// Call New once a suite, then Response for each answer, or wrap the client's transport with Transport. It imports
// nothing of this module, so that every test may use it.
package conform

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"
	"github.com/pb33f/libopenapi-validator/errors"
)

// plain are the headers that any answer may carry without the document naming them.
var plain = []string{
	"accept-ranges", "allow", "content-disposition", "content-encoding", "content-language", "content-range",
	"content-security-policy", "cross-origin-opener-policy", "cross-origin-resource-policy", "idempotency-replayed",
	"permissions-policy", "referrer-policy", "retry-after", "strict-transport-security", "www-authenticate",
	"x-content-type-options", "x-frame-options",
}

// Checker compares answers with one document. Its methods may be called from many goroutines.
type Checker struct {
	document validator.Validator

	mu       sync.Mutex
	failures []string
}

// New reads the document. What Transport finds is reported as an error of tb when tb ends.
func New(tb testing.TB, document []byte) *Checker {
	tb.Helper()
	closed, err := closeSchemas(document)
	if err != nil {
		tb.Fatalf("conform: %v", err)
	}
	parsed, err := libopenapi.NewDocument(closed)
	if err != nil {
		tb.Fatalf("conform: %v", err)
	}
	v, faults := validator.NewValidator(parsed,
		config.WithFormatAssertions(),
		config.WithContentAssertions(),
		config.WithStrictMode(),
		config.WithStrictIgnorePaths("$.body**"), // bodies are held by closeSchemas: strict mode refuses typed maps
		config.WithStrictIgnoredHeadersExtra(plain...),
	)
	if len(faults) > 0 {
		tb.Fatalf("conform: %v", faults)
	}
	c := &Checker{document: v}
	tb.Cleanup(func() {
		for _, failure := range c.Failures() {
			tb.Error(failure)
		}
	})
	return c
}

// closeSchemas lets no object of the document hold a member that it does not declare. Answers are left open in the
// document itself, so that members may be added to them; this server, though, sends only what it declares. An object
// without properties is free (attributes, maps).
func closeSchemas(document []byte) ([]byte, error) {
	var tree any
	if err := json.Unmarshal(document, &tree); err != nil {
		return nil, err
	}
	closeObjects(tree)
	return json.Marshal(tree)
}

func closeObjects(node any) {
	switch node := node.(type) {
	case []any:
		for _, value := range node {
			closeObjects(value)
		}
	case map[string]any:
		for _, value := range node {
			closeObjects(value)
		}
		if _, ok := node["properties"].(map[string]any); ok && node["additionalProperties"] == nil {
			node["additionalProperties"] = false
		}
	}
}

// Response reports to tb where the answer to req is not what the document says. body is the whole body of resp. A route
// that the document does not have is an error; so is a method that it does not have, unless the answer says 405.
func (c *Checker) Response(tb testing.TB, req *http.Request, resp *http.Response, body []byte) {
	tb.Helper()
	if failure := c.check(req, resp, body); failure != "" {
		tb.Error(failure)
	}
}

// Failures returns what Transport has found so far.
func (c *Checker) Failures() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.failures...)
}

// Transport checks every answer that passes through base and records what it finds. Bodies that are not JSON are
// neither read nor held.
func (c *Checker) Transport(base http.RoundTripper) http.RoundTripper { return transport{c, base} }

type transport struct {
	checker *Checker
	base    http.RoundTripper
}

// RoundTrip passes the request on and checks the answer.
func (t transport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	var body []byte
	if isJSON(resp) {
		body, err = io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		resp.Body = io.NopCloser(bytes.NewReader(body))
		if err != nil {
			return nil, fmt.Errorf("conform: body of %s %s: %w", req.Method, req.URL.Path, err)
		}
	}
	if failure := t.checker.check(req, resp, body); failure != "" {
		t.checker.mu.Lock()
		t.checker.failures = append(t.checker.failures, failure)
		t.checker.mu.Unlock()
	}
	return resp, nil
}

func isJSON(resp *http.Response) bool {
	media, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	return strings.HasSuffix(strings.TrimSpace(media), "json")
}

// check returns what is wrong, or "".
func (c *Checker) check(req *http.Request, resp *http.Response, body []byte) string {
	if req.Method == http.MethodHead {
		return describeHead(req, body)
	}
	seen := *resp
	if resp.Header.Get("Content-Encoding") == "gzip" && isJSON(resp) {
		plainBody, err := gunzip(body)
		if err != nil {
			return fmt.Sprintf("%s %s: body is not gzip: %v", req.Method, req.URL.Path, err)
		}
		body = plainBody
	}
	if len(body) == 0 && isJSON(resp) {
		return fmt.Sprintf("%s %s answered %d with an empty body as JSON", req.Method, req.URL.Path, resp.StatusCode)
	}
	seen.Body = io.NopCloser(bytes.NewReader(body))
	_, faults := c.document.ValidateHttpResponse(req, &seen)
	if len(faults) > 0 && faults[0].IsOperationMissingError() && resp.StatusCode == http.StatusMethodNotAllowed {
		faults = c.notAllowed(req, seen, body)
	}
	if len(faults) == 0 {
		return ""
	}
	return describe(req, resp, body, faults)
}

// describeHead looks at the answer to a HEAD: the router gives every GET one, and the document leaves it unsaid.
func describeHead(req *http.Request, body []byte) string {
	if len(body) == 0 {
		return ""
	}
	return fmt.Sprintf("HEAD %s: a body of %d bytes", req.URL.Path, len(body))
}

// notAllowed checks a 405, which belongs to no operation, as one of the other problems of the same path.
func (c *Checker) notAllowed(req *http.Request, seen http.Response, body []byte) []*errors.ValidationError {
	if seen.Header.Get("Allow") == "" {
		return []*errors.ValidationError{{Message: "405 without an Allow header"}}
	}
	seen.StatusCode = http.StatusBadRequest
	var faults []*errors.ValidationError
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		other := req.Clone(req.Context())
		other.Method = method
		seen.Body = io.NopCloser(bytes.NewReader(body))
		_, faults = c.document.ValidateHttpResponse(other, &seen)
		if len(faults) == 0 || !faults[0].IsOperationMissingError() {
			break
		}
	}
	return faults
}

func gunzip(body []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

const shown = 2000 // bytes of a body in a message.

func describe(req *http.Request, resp *http.Response, body []byte, faults []*errors.ValidationError) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s %s answered %d, not as the document says:", req.Method, req.URL.Path, resp.StatusCode)
	for _, fault := range faults {
		if len(fault.SchemaValidationErrors) == 0 {
			fmt.Fprintf(&out, "\n  %s: %s", fault.Message, fault.Reason)
		}
		for _, violation := range fault.SchemaValidationErrors {
			fmt.Fprintf(&out, "\n  %s: %s", violation.FieldPath, violation.Reason)
		}
	}
	fmt.Fprintf(&out, "\n  body: %s", body[:min(len(body), shown)])
	return out.String()
}
