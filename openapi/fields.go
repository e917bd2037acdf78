package openapi

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"reflect"
	"strconv"
	"strings"

	"github.com/go-openapi/spec"
	"github.com/swaggo/swag"
)

// Marks that a field leaves for schemas.go; none of them reaches the document.
const (
	markNull     = "x-nullable" // kin-openapi turns it into nullable
	markDemanded = "x-demanded" // a request must have it
)

// field reads one field of a Go struct. swag's own reader knows neither omitzero nor pointers, and drops formats.
type field struct {
	parser *swag.Parser
	node   *ast.Field
	tag    reflect.StructTag
}

func readField(parser *swag.Parser, node *ast.Field) swag.FieldParser {
	f := field{parser: parser, node: node}
	if node.Tag != nil {
		text, _ := strconv.Unquote(node.Tag.Value)
		f.tag = reflect.StructTag(text)
	}
	return f
}

// ShouldSkip says whether encoding/json leaves the field out.
func (f field) ShouldSkip() bool {
	hidden := len(f.node.Names) > 0 && !f.node.Names[0].IsExported()
	return hidden || f.tag.Get("json") == "-"
}

// FieldNames gives the member's name, or none for an embedded struct.
func (f field) FieldNames() ([]string, error) {
	name, _, _ := strings.Cut(f.tag.Get("json"), ",")
	if name == "" && len(f.node.Names) > 0 {
		return nil, fmt.Errorf("field %s has no json tag", f.node.Names[0].Name)
	}
	if name == "" {
		return nil, nil
	}
	return []string{name}, nil
}

// FirstTagValue, FormName, HeaderName and PathName are of no use to JSON bodies.
func (f field) FirstTagValue(string) string { return "" }

// FormName is empty.
func (f field) FormName() string { return "" }

// HeaderName is empty.
func (f field) HeaderName() string { return "" }

// PathName is empty.
func (f field) PathName() string { return "" }

// CustomSchema is the schema of the types that mean something else in JSON than their Go form says.
func (f field) CustomSchema() (*spec.Schema, error) {
	if words := f.tag.Get("swaggertype"); words != "" {
		return swag.BuildCustomSchema(strings.Split(words, ","))
	}
	return special(f.node.Type, strings.HasPrefix(f.tag.Get("json"), "attributes,")), nil
}

// special gives the schema of times, ids, problem codes, bytes and raw JSON, also inside slices and maps; nil for all others.
func special(expr ast.Expr, free bool) *spec.Schema {
	switch t := expr.(type) {
	case *ast.StarExpr:
		return special(t.X, free)
	case *ast.ArrayType:
		if elem, ok := t.Elt.(*ast.Ident); ok && elem.Name == "byte" {
			return spec.StrFmtProperty("byte")
		}
		if elem := special(t.Elt, free); elem != nil {
			return spec.ArrayProperty(elem)
		}
	case *ast.MapType:
		return specialMap(t, free)
	case *ast.SelectorExpr:
		return special(t.Sel, free)
	case *ast.Ident:
		return named(t.Name, free)
	}
	return nil
}

// specialMap also knows maps whose values may be null.
func specialMap(t *ast.MapType, free bool) *spec.Schema {
	if elem := special(t.Value, free); elem != nil {
		return spec.MapProperty(elem)
	}
	pointer, ok := t.Value.(*ast.StarExpr)
	if !ok {
		return nil
	}
	if elem, ok := pointer.X.(*ast.Ident); ok && elem.Name == "string" {
		elem := spec.StringProperty()
		elem.AddExtension(markNull, true)
		return spec.MapProperty(elem)
	}
	return nil
}

func named(name string, free bool) *spec.Schema {
	switch {
	case name == "Time":
		return spec.DateTimeProperty()
	case name == "Code", name == "Base64URL": // new codes may be added, so no enumeration
		return spec.StringProperty()
	case name == "UUID":
		return spec.StrFmtProperty("uuid")
	case name == "RawMessage" && free:
		return spec.MapProperty(nil)
	case name == "RawMessage":
		return &spec.Schema{}
	}
	return nil
}

// IsRequired says whether an answer always has the member: it has when the tag has neither omitempty nor omitzero.
func (f field) IsRequired() (bool, error) {
	_, options, _ := strings.Cut(f.tag.Get("json"), ",")
	for option := range strings.SplitSeq(options, ",") {
		if strings.HasPrefix(option, "omit") {
			return false, nil
		}
	}
	return true, nil
}

// ComplementSchema adds the comment and the tags. What stands beside a reference goes around it.
func (f field) ComplementSchema(schema *spec.Schema) error {
	notes := &spec.Schema{}
	f.annotate(notes)
	inner := schema
	if schema.Ref.String() != "" {
		inner = notes
	}
	if err := f.constrain(inner); err != nil {
		return fmt.Errorf("field %s: %w", f.node.Names[0].Name, err)
	}
	if inner == schema {
		schema.Description, schema.Extensions = notes.Description, notes.Extensions
	} else if !reflect.DeepEqual(*notes, spec.Schema{}) {
		*schema = *notes.WithAllOf(*schema)
	}
	return nil
}

func (f field) annotate(notes *spec.Schema) {
	notes.Description = strings.TrimSpace(f.node.Doc.Text())
	if notes.Description == "" {
		notes.Description = strings.TrimSpace(f.node.Comment.Text())
	}
	if _, pointer := f.node.Type.(*ast.StarExpr); pointer {
		notes.AddExtension(markNull, true)
	}
	if strings.Contains(f.tag.Get("validate"), "required") {
		notes.AddExtension(markDemanded, true)
	}
}

// constrain takes over limits, format, enumeration and example; those of an array's tag are of its items, save
// minItems, maxItems and example.
func (f field) constrain(schema *spec.Schema) error {
	item := schema
	if schema.Items != nil && schema.Items.Schema != nil {
		item = schema.Items.Schema
	}
	if format := f.tag.Get("format"); format != "" {
		item.Format = format
	}
	item.Pattern = f.tag.Get("pattern")
	for word := range strings.SplitSeq(f.tag.Get("enums"), ",") {
		if word != "" {
			item.Enum = append(item.Enum, word)
		}
	}
	var faults faults
	item.Minimum, item.Maximum = number[float64](f.tag, "minimum", &faults), number[float64](f.tag, "maximum", &faults)
	item.MinLength, item.MaxLength = number[int64](f.tag, "minLength", &faults), number[int64](f.tag, "maxLength", &faults)
	schema.MinItems, schema.MaxItems = number[int64](f.tag, "minItems", &faults), number[int64](f.tag, "maxItems", &faults)
	if text, ok := f.tag.Lookup("example"); ok {
		schema.Example = example(schema, text)
	}
	return faults.err()
}

// example is the tag's text itself for a string, JSON for everything else.
func example(schema *spec.Schema, text string) any {
	var value any
	if schema.Type.Contains("string") || json.Unmarshal([]byte(text), &value) != nil {
		return text
	}
	return value
}

func number[T int64 | float64](tag reflect.StructTag, name string, f *faults) *T {
	text, ok := tag.Lookup(name)
	if !ok {
		return nil
	}
	value := new(T)
	if err := json.Unmarshal([]byte(text), value); err != nil {
		f.add("tag %s: %w", name, err)
	}
	return value
}
