package openapi

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// shapeSchemas gives every schema its short name, its comment and the words of OpenAPI 3.1.
func (d *document) shapeSchemas() {
	schemas := child(child(d.tree, "components"), "schemas")
	for _, name := range sorted(schemas) {
		d.describe(name, child(schemas, name))
	}
	d.shorten(schemas)
	walk(d.tree, modernize)
	d.splitInputs(schemas)
	walk(d.tree, func(o object) { delete(o, markDemanded) })
}

// describe sets the description from the Go comment, with the meaning of each value of an enumeration.
func (d *document) describe(name string, schema object) {
	base, _, _ := strings.Cut(name, "-")
	if text(schema, "description") == "" && d.comments.texts[base] != "" {
		schema["description"] = title(d.comments.texts[base])
	}
	if d.comments.split[base] && schema["enum"] != nil {
		d.faults.add("schema %s: its constants stand in several files; keep them in one", name)
	}
	values, meanings := list(schema, "enum"), list(schema, "x-enum-descriptions")
	for i, meaning := range meanings {
		if meaning != "" && i < len(values) {
			schema["description"] = fmt.Sprintf("%s\n- `%v`: %v", text(schema, "description"), values[i], meaning)
		}
	}
}

// shorten takes the packages out of the names: visit.Visit is Visit, api.list-visit_Summary is SummaryList.
func (d *document) shorten(schemas object) {
	short, taken := map[string]string{}, map[string]string{}
	for _, name := range sorted(schemas) {
		s := shortName(name)
		if other, ok := taken[s]; ok {
			d.faults.add("schemas %s and %s would both be named %s; write //@name behind one of the types", other, name, s)
		}
		short[name], taken[s] = s, name
	}
	walk(d.tree, func(o object) {
		if name := refName(o); name != "" {
			o["$ref"] = schemaRef + short[name]
		}
	})
	for _, name := range sorted(short) {
		schema := schemas[name]
		delete(schemas, name)
		schemas[short[name]] = schema
	}
}

func shortName(name string) string {
	base, arguments, _ := strings.Cut(name, "-")
	base = base[strings.LastIndex(base, ".")+1:]
	var short strings.Builder
	for argument := range strings.SplitSeq(arguments, "-") {
		short.WriteString(title(argument[strings.LastIndexAny(argument, "._")+1:]))
	}
	return short.String() + title(base)
}

func title(word string) string {
	first, size := utf8.DecodeRuneInString(word)
	if size == 0 {
		return ""
	}
	return string(unicode.ToUpper(first)) + word[size:]
}

// rows are the references to the house's own papers, which a reader of the document does not have.
var rows = regexp.MustCompile(` \((?:REQUIREMENTS |DESIGN section )?R?\d+(?:[–, ]+R?\d+)*\)`)

// dropRows takes them out of a description.
func dropRows(o object) {
	if words, ok := o["description"].(string); ok {
		o["description"] = rows.ReplaceAllString(words, "")
	}
}

// modernize turns one schema from the words of OpenAPI 3.0 into those of 3.1.
func modernize(s object) {
	for _, extra := range []string{"x-enum-varnames", "x-enum-comments", "x-enum-descriptions", "x-originalParamName"} {
		delete(s, extra)
	}
	if required := list(s, "required"); required != nil {
		s["required"] = unique(required)
	}
	if s[markNull] == true { // inside a map, where the conversion does not look
		s["nullable"] = true
	}
	delete(s, markNull)
	kind, typed := s["type"].(string)
	if all := list(s, "allOf"); len(all) == 1 {
		unwrap(s, all[0])
		return
	}
	if !typed || s["in"] != nil {
		return
	}
	if value, ok := s["example"]; ok {
		s["examples"] = []any{value}
		delete(s, "example")
	}
	switch s["format"] {
	case "float64":
		s["format"] = "double"
	case "float32":
		s["format"] = "float"
	case nil:
		if kind == "integer" {
			s["format"] = "int64"
		}
	}
	if s["nullable"] == true {
		s["type"] = []any{kind, "null"}
		if enum := list(s, "enum"); enum != nil {
			s["enum"] = append(enum, nil)
		}
	}
	delete(s, "nullable")
}

// unwrap takes a reference out of the allOf that carried its description: in 3.1 they may stand side by side.
func unwrap(s object, inner any) {
	if value, ok := s["example"]; ok {
		s["examples"] = []any{value}
		delete(s, "example")
	}
	delete(s, "allOf")
	if s["nullable"] == true {
		s["anyOf"] = []any{inner, object{"type": "null"}}
	} else if target, ok := inner.(object); ok {
		s["$ref"] = target["$ref"]
	}
	delete(s, "nullable")
}

// splitInputs closes the schemas of requests: an unknown member is refused there, and only what validate:"required"
// marks must be sent. Where an answer promises more of the same schema it is split in two, the requests' one named …Input.
func (d *document) splitInputs(schemas object) {
	sent, shown := map[string]bool{}, map[string]bool{}
	d.operations(func(_ string, op object) {
		reach(op["requestBody"], schemas, sent)
		reach(op["responses"], schemas, shown)
	})
	split := divergent(schemas, sent, shown)
	for _, name := range sorted(sent) {
		input := child(schemas, name)
		if split[name] {
			input, _ = clone(input).(object)
			if schemas[name+"Input"] != nil {
				d.faults.add("schema %s is taken, but requests with %s need it", name+"Input", name)
			}
			schemas[name+"Input"] = input
		}
		retarget(input, split)
		walk(input, openInput)
	}
	d.operations(func(_ string, op object) { retarget(op["requestBody"], split) })
}

// divergent finds the schemas of requests and answers alike that must differ: those that promise members which need not
// be sent, and those that refer to one of them.
func divergent(schemas object, sent, shown map[string]bool) map[string]bool {
	split := map[string]bool{}
	for name := range sent {
		walk(schemas[name], func(o object) {
			if shown[name] && len(list(o, "required")) > len(demanded(o)) {
				split[name] = true
			}
		})
	}
	for before := -1; before < len(split); {
		before = len(split)
		for name := range sent {
			walk(schemas[name], func(o object) {
				if shown[name] && split[refName(o)] {
					split[name] = true
				}
			})
		}
	}
	return split
}

func retarget(node any, split map[string]bool) {
	walk(node, func(o object) {
		if name := refName(o); split[name] {
			o["$ref"] = schemaRef + name + "Input"
		}
	})
}

// openInput sets what a request must and may hold.
func openInput(s object) {
	if look(s, "properties") == nil {
		return
	}
	s["additionalProperties"] = false
	delete(s, "required")
	if names := demanded(s); names != nil {
		s["required"] = names
	}
}

// demanded lists the members that a request must have.
func demanded(s object) []any {
	var names []any
	properties := look(s, "properties")
	for _, name := range sorted(properties) {
		if look(properties, name)[markDemanded] == true {
			names = append(names, name)
		}
	}
	return names
}

// unique drops repeats, which an embedded struct may bring into a list of required members.
func unique(values []any) []any {
	kept := make([]any, 0, len(values))
	for _, value := range values {
		if !slices.Contains(kept, value) {
			kept = append(kept, value)
		}
	}
	return kept
}
