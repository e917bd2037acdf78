// Package openapi holds the OpenAPI 3.1 document of the API and its reference page.
//
// The document is generated from the annotations above the handlers: Generate reads them with swag, lets kin-openapi
// turn Swagger 2.0 into OpenAPI 3, and lays the house's rules over it (rules.go, schemas.go, shared.json). What comes
// out is committed as openapi.json, embedded here, and served as JSON, as YAML and as Docs. The package imports nothing
// of this module: api and cmd import it.
package openapi

import (
	_ "embed" // openapi.json and shared.json.

	"github.com/goccy/go-yaml"
)

// JSON is the committed document, served at /openapi.json. Nobody may change its bytes.
//
//go:embed openapi.json
var JSON []byte

// YAML is the committed document as YAML, for /openapi.yaml.
func YAML() []byte {
	text, err := yaml.JSONToYAML(JSON)
	if err != nil {
		return JSON // JSON is YAML too; a test sees that this does not happen.
	}
	return text
}
