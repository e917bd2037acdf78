// Package contract holds the OpenAPI document to its sources and to itself: it is what they generate, and every example
// in it is one that its own schemas take. What the server answers is held to it by the other suites.
package contract

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"

	"example.com/walkaround/api"
	"example.com/walkaround/openapi"
	"example.com/walkaround/test/conform"
)

func TestTheCommittedDocumentIsTheGeneratedOne(t *testing.T) {
	var codes []openapi.Code
	for _, c := range api.Codes() {
		codes = append(codes, openapi.Code{Name: string(c.Code), Status: c.Status, Meaning: c.Title})
	}
	generated, err := openapi.Generate("../..", codes...)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(generated, openapi.JSON) {
		t.Error("openapi/openapi.json is not what the source says: go run ./cmd/walkaround openapi --write")
	}
}

func TestEveryBodyHasAnExample(t *testing.T) {
	for _, op := range operations(t) {
		if media, ok := op.RequestBody.Content["application/json"]; ok && media.Example == nil {
			t.Errorf("%s: openapi/examples/%s.request.json is missing", op, op.OperationID)
		}
		for status, response := range op.Responses {
			if media, ok := response.Content["application/json"]; ok && status < "300" && media.Example == nil {
				t.Errorf("%s: openapi/examples/%s.%s.json is missing", op, op.OperationID, status)
			}
		}
	}
}

func TestEveryRefusalNamesItsCodes(t *testing.T) {
	for _, op := range operations(t) {
		for status, response := range op.Responses {
			if status >= "400" && response.Ref == "" && len(response.Content["application/problem+json"].Examples) == 0 {
				t.Errorf("%s: %s names no code", op, status)
			}
		}
	}
}

func TestExamplesOfAnswersFitTheirSchemas(t *testing.T) {
	checker := conform.New(t, openapi.JSON)
	for _, op := range operations(t) {
		for status, response := range op.Responses {
			example := response.Content["application/json"].Example
			if example == nil {
				continue
			}
			code, err := strconv.Atoi(status)
			if err != nil {
				t.Fatal(err)
			}
			answer := &http.Response{StatusCode: code, Header: http.Header{"Content-Type": {"application/json"}}}
			checker.Response(t, op.request(nil), answer, example)
		}
	}
}

func TestExamplesOfRequestsFitTheirSchemas(t *testing.T) {
	document, err := libopenapi.NewDocument(openapi.JSON)
	if err != nil {
		t.Fatal(err)
	}
	v, faults := validator.NewValidator(document, config.WithFormatAssertions())
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	for _, op := range operations(t) {
		example := op.RequestBody.Content["application/json"].Example
		if example == nil {
			continue
		}
		if fit, faults := v.ValidateHttpRequestSync(op.request(example)); !fit {
			for _, fault := range faults {
				t.Errorf("%s: %s: %s %v", op, fault.Message, fault.Reason, fault.SchemaValidationErrors)
			}
		}
		unknown := bytes.Replace(example, []byte("{"), []byte(`{"no_such_member":1,`), 1)
		if fit, _ := v.ValidateHttpRequestSync(op.request(unknown)); fit {
			t.Errorf("%s: an unknown member is taken", op)
		}
	}
}

// operation is what these tests read of one.
type operation struct {
	method, path string
	OperationID  string `json:"operationId"`
	RequestBody  struct {
		Content map[string]media `json:"content"`
	} `json:"requestBody"`
	Responses map[string]struct {
		Ref     string           `json:"$ref"`
		Content map[string]media `json:"content"`
	} `json:"responses"`
}

type media struct {
	Example  json.RawMessage            `json:"example"`
	Examples map[string]json.RawMessage `json:"examples"`
}

func (o operation) String() string { return o.method + " " + o.path }

// request is a call of the operation with everything that it demands beside the body.
func (o operation) request(body []byte) *http.Request {
	path := o.path
	for _, name := range []string{"{id}", "{photo_id}", "{recording_id}"} {
		path = strings.ReplaceAll(path, name, "0190f3a4-7c5e-7b1a-9d63-2f1a0c4e8b77")
	}
	path = strings.NewReplacer("{language}", "zh-Hant", "{step}", "greeting", "{view}", "left.svg", "{digest}", "sha256:00").Replace(path)
	req := httptest.NewRequest(o.method, path, bytes.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer token")
	req.Header.Set("If-Match", `"1-"`)
	return req
}

func operations(t *testing.T) []operation {
	t.Helper()
	var document struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	if err := json.Unmarshal(openapi.JSON, &document); err != nil {
		t.Fatal(err)
	}
	var list []operation
	for path, item := range document.Paths {
		for method, raw := range item {
			op := operation{method: strings.ToUpper(method), path: path}
			if err := json.Unmarshal(raw, &op); err != nil {
				t.Fatalf("%s: %v", op, err)
			}
			list = append(list, op)
		}
	}
	if len(list) < 50 {
		t.Fatalf("the document has only %d operations", len(list))
	}
	return list
}
