package openapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"

	"github.com/getkin/kin-openapi/openapi2"
	"github.com/getkin/kin-openapi/openapi2conv"
	"github.com/swaggo/swag"
)

// Code is one entry of the API's catalogue of problems.
type Code struct {
	Name    string // stable, as in the problem's member code
	Status  int
	Meaning string // one English sentence
}

// Generate makes the document of the module at root: from the annotations in api (its general part stands in
// api/openapi.go), the types in api and domain, the text of openapi/guide and the examples of openapi/examples. codes is
// the catalogue of problems; each code that an annotation or shared.json names must stand in it with its status, unless
// it is empty. The error lists everything that is wrong at once. The same sources give the same bytes.
func Generate(root string, codes ...Code) ([]byte, error) {
	dirs := []string{filepath.Join(root, "api"), filepath.Join(root, "domain")}
	comments, err := readComments(dirs)
	if err != nil {
		return nil, err
	}
	tree, err := parse(root, dirs)
	if err != nil {
		return nil, err
	}
	d := &document{tree: tree, comments: comments, codes: codes}
	d.shape(filepath.Join(root, "openapi", "examples"))
	if err := d.faults.err(); err != nil {
		return nil, err
	}
	return encode(d.tree)
}

// parse reads the annotations and gives the converted document as a tree.
func parse(root string, dirs []string) (object, error) {
	parser := swag.New(
		swag.SetStrict(true),
		swag.SetDebugger(log.New(io.Discard, "", 0)),
		swag.SetFieldParserFactory(readField),
		swag.SetMarkdownFileDirectory(filepath.Join(root, "openapi", "guide")),
	)
	if err := parser.ParseAPIMultiSearchDir(dirs, "openapi.go", 0); err != nil {
		return nil, fmt.Errorf("annotations: %w", err)
	}
	var v2 openapi2.T
	if err := recode(parser.GetSwagger(), &v2); err != nil {
		return nil, fmt.Errorf("swagger 2: %w", err)
	}
	v3, err := openapi2conv.ToV3(&v2)
	if err != nil {
		return nil, fmt.Errorf("conversion to OpenAPI 3: %w", err)
	}
	tree := object{}
	return tree, recode(v3, &tree)
}

// recode carries a value over to another type by way of JSON.
func recode(from, to any) error {
	text, err := json.Marshal(from)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, to)
}

// encode writes the tree with sorted members, indented, with a newline at its end.
func encode(tree object) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(tree)
	return out.Bytes(), err
}

// readJSON reads one JSON file.
func readJSON(path string) (any, error) {
	text, err := os.ReadFile(path) //nolint:gosec // a file of the source tree, found by listing it.
	if err != nil {
		return nil, err
	}
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return value, nil
}
