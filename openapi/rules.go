package openapi

import (
	"cmp"
	_ "embed" // shared.json.
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// sharedJSON holds what the house's rules add: headers, parameters, problems, security schemes.
//
//go:embed shared.json
var sharedJSON []byte

// problem is one entry of the problems in shared.json.
type problem struct {
	Description string              `json:"description"`
	Codes       []string            `json:"codes"`
	With        map[string][]string `json:"with"` // codes that come only where the operation has this: body, query, a header
	Headers     []string            `json:"headers"`
}

type shared struct {
	Parameters      object             `json:"parameters"`
	Headers         object             `json:"headers"`
	Problems        map[string]problem `json:"problems"`
	Schemas         object             `json:"schemas"`
	SecuritySchemes object             `json:"securitySchemes"`
}

// document is the tree on its way from the conversion to openapi.json.
type document struct {
	tree     object
	comments *comments
	codes    []Code
	shared   shared
	faults   faults
}

// shape lays the rules over the whole document.
func (d *document) shape(examples string) {
	if err := json.Unmarshal(sharedJSON, &d.shared); err != nil {
		d.faults.add("shared.json: %w", err)
		return
	}
	d.tree["openapi"] = "3.1.0"
	d.tree["servers"] = []any{object{"url": "/", "description": "Where this document was read"}}
	d.shapeSchemas()
	if contact := look(d.tree, "info", "contact"); len(contact) == 0 {
		delete(look(d.tree, "info"), "contact")
	}
	d.addShared(child(d.tree, "components"))
	d.operations(d.shapeOperation)
	d.prune(child(d.tree, "components"))
	walk(d.tree, dropRows)
	d.addExamples(examples)
	d.check()
}

func (d *document) addShared(components object) {
	for kind, added := range map[string]object{
		"parameters": d.shared.Parameters, "headers": d.shared.Headers, "schemas": d.shared.Schemas,
		"securitySchemes": d.shared.SecuritySchemes,
	} {
		for name, value := range added {
			if kind != "schemas" || look(components, kind)[name] == nil { // a Problem made of a Go type is the truer one
				child(components, kind)[name] = value
			}
		}
	}
}

// prune drops the parts that no operation refers to.
func (d *document) prune(components object) {
	used := map[string]bool{}
	note := func(o object) { used[strings.TrimPrefix(text(o, "$ref"), "#/components/")] = true }
	walk(d.tree["paths"], note)
	for _, kind := range []string{"responses", "parameters", "headers", "schemas"} { // each before what it refers to
		parts := look(components, kind)
		if kind == "schemas" {
			found := map[string]bool{}
			reach(d.tree["paths"], parts, found)
			reach(components["responses"], parts, found)
			for name := range found {
				used[kind+"/"+name] = true
			}
		}
		for _, name := range sorted(parts) {
			if !used[kind+"/"+name] {
				delete(parts, name)
			}
		}
		walk(parts, note)
	}
}

// operations visits each operation with its method and path, in order of the path.
func (d *document) operations(visit func(route string, op object)) {
	paths := child(d.tree, "paths")
	for _, path := range sorted(paths) {
		item := child(paths, path)
		for _, method := range sorted(item) {
			if op, ok := item[method].(object); ok {
				visit(strings.ToUpper(method)+" "+path, op)
			}
		}
	}
}

func (d *document) shapeOperation(route string, op object) {
	if op["security"] == nil {
		op["security"] = []any{}
	}
	has := d.shapeParameters(route, op)
	has["body"] = d.shapeBody(op)
	has["secured"] = len(list(op, "security")) > 0
	responses, statuses := child(op, "responses"), due(route, has)
	for _, status := range sorted(responses) {
		switch {
		case status < "400":
			d.shapeSuccess(child(responses, status), has)
		case d.shared.Problems[status].Description == "":
			d.faults.add("%s: status %s is none of shared.json", route, status)
		default:
			var codes []string
			if slices.Contains(statuses, status) {
				codes, _ = d.dueCodes(status, has)
			}
			responses[status] = d.ownProblem(status, child(responses, status), codes)
		}
	}
	for _, status := range statuses {
		if responses[status] == nil {
			responses[status] = d.sharedProblem(status, has)
		}
	}
}

// shapeParameters adds the headers that hold everywhere, puts the shared ones in place of their namesakes, and says
// which parameters there are: "path", "query", and each header by its name.
func (d *document) shapeParameters(route string, op object) map[string]bool {
	has := map[string]bool{}
	var kept []any
	for _, p := range list(op, "parameters") {
		parameter, _ := p.(object)
		has[text(parameter, "in")] = true
		if text(parameter, "in") != "header" {
			kept = append(kept, p)
			continue
		}
		if has[text(parameter, "name")] = true; d.shared.Parameters[text(parameter, "name")] == nil {
			kept = append(kept, p)
		}
	}
	has["Accept-Language"] = true
	has["Walkaround-Store"] = len(list(op, "security")) > 0
	signIn := strings.Contains(route, " /v1/auth/") || strings.Contains(route, " /oauth/")
	has["Idempotency-Key"] = strings.HasPrefix(route, "POST ") && !signIn
	for _, name := range sorted(d.shared.Parameters) {
		if has[name] {
			kept = append(kept, ref("parameters", name))
		}
	}
	op["parameters"] = kept
	return has
}

// shapeBody gives a body that is not JSON its binary schema.
func (d *document) shapeBody(op object) bool {
	body, ok := op["requestBody"].(object)
	if ok {
		content := child(body, "content")
		if unnamed, ok := content["*/*"]; ok { // no @Accept
			content["application/json"] = unnamed
			delete(content, "*/*")
		}
		shapeContent(body)
	}
	return ok
}

// shapeContent gives each media type a schema that fits it.
func shapeContent(holder object) {
	for media, entry := range child(holder, "content") {
		content, _ := entry.(object)
		switch {
		case strings.HasSuffix(media, "json") && look(content, "schema")["format"] == "binary":
			content["schema"] = object{"type": "object"}
		case strings.HasPrefix(media, "text/"):
			content["schema"] = object{"type": "string"}
		case !strings.HasSuffix(media, "json") && media != "application/x-www-form-urlencoded":
			content["schema"] = object{"type": "string", "format": "binary"}
		}
	}
}

// dueCodes lists the shared codes of a status for an operation that has this, and what of it they hang on.
func (d *document) dueCodes(status string, has map[string]bool) (codes []string, variant string) {
	shared := d.shared.Problems[status]
	codes = slices.Clone(shared.Codes)
	for _, condition := range sorted(shared.With) {
		if has[condition] {
			codes = append(codes, shared.With[condition]...)
			variant += title(strings.ReplaceAll(condition, "-", ""))
		}
	}
	return codes, variant
}

// sharedProblem refers to the answer that all operations of the kind share, and makes it for the first of them.
func (d *document) sharedProblem(status string, has map[string]bool) object {
	codes, variant := d.dueCodes(status, has)
	name := problemName(status)
	if variant != "" {
		name += "With" + variant
	}
	responses := child(child(d.tree, "components"), "responses")
	if responses[name] == nil {
		responses[name] = d.problem(status, "", codes)
	}
	return ref("responses", name)
}

// codesAlone is a description that only lists codes.
var codesAlone = regexp.MustCompile(`^[a-z0-9_]+(, *[a-z0-9_]+)*$`)

// ownProblem makes the answer that an operation describes itself, with the shared codes where these may come too.
func (d *document) ownProblem(status string, response object, due []string) object {
	description, words, worded := strings.Cut(text(response, "description"), "codes:")
	if !worded && codesAlone.MatchString(description) {
		description, words = "", description
	}
	var codes []string
	for word := range strings.SplitSeq(words, ",") {
		if word = strings.TrimSpace(word); word != "" {
			codes = append(codes, word)
		}
	}
	codes = append(codes, due...)
	if len(codes) == 0 {
		d.faults.add("a %s names no code: %q", status, description)
	}
	made := d.problem(status, strings.TrimSpace(description), codes)
	if headers := look(response, "headers"); headers != nil {
		maps.Copy(child(made, "headers"), headers)
	}
	return made
}

// shapeSuccess sets the content and the headers of an answer below 400.
func (d *document) shapeSuccess(response object, has map[string]bool) {
	if _, ok := response["content"]; ok {
		shapeContent(response)
	}
	headers := child(response, "headers")
	if has["Idempotency-Key"] {
		headers["Idempotency-Replayed"] = ref("headers", "Idempotency-Replayed")
	}
	if d.paged(response) {
		headers["Link"] = ref("headers", "Link")
	}
	for name := range headers {
		if d.shared.Headers[name] != nil {
			headers[name] = ref("headers", name)
		}
	}
	if len(headers) == 0 {
		delete(response, "headers")
	}
}

// paged says whether the answer is a page of a list.
func (d *document) paged(response object) bool {
	name := refName(look(response, "content", "application/json", "schema"))
	return look(d.tree, "components", "schemas", name, "properties")["next_cursor"] != nil
}

// due lists the problems that every operation of this kind can answer with.
func due(route string, has map[string]bool) []string {
	statuses := []string{"400", "429", "500", "503"}
	for _, rule := range []struct {
		holds    bool
		statuses string
	}{
		{has["secured"], "401 403 404"},
		{has["path"], "404"},
		{has["body"] || has["Idempotency-Key"], "413 415 422"},
		{has["If-Match"], "412 428"},
		{!strings.HasPrefix(route, "GET ") && !strings.HasPrefix(route, "HEAD "), "507"},
	} {
		if rule.holds {
			statuses = append(statuses, strings.Fields(rule.statuses)...)
		}
	}
	return statuses
}

func problemName(status string) string {
	code, _ := strconv.Atoi(status)
	return strings.ReplaceAll(http.StatusText(code), " ", "")
}

// problem makes the answer of a status, with an example for each code.
func (d *document) problem(status, description string, codes []string) object {
	if description == "" {
		description = d.shared.Problems[status].Description
	}
	number, _ := strconv.Atoi(status)
	examples, lines := object{}, []string{description, "", "Codes:"}
	for i, name := range codes {
		if slices.Contains(codes[:i], name) {
			continue
		}
		meaning := d.meaning(name, number)
		lines = append(lines, strings.TrimSuffix("- `"+name+"`: "+meaning, ": "))
		examples[name] = object{"value": object{
			"type": "/problems#" + name, "title": cmp.Or(meaning, http.StatusText(number)), "status": number, "code": name,
			"request_id": "0190b7e4-5c1e-7c3a-9d7e-2f1a6b0c4d5e",
		}}
	}
	response := object{"description": strings.Join(lines, "\n"), "content": object{
		"application/problem+json": object{"schema": ref("schemas", "Problem"), "examples": examples},
	}}
	for _, name := range d.shared.Problems[status].Headers {
		child(response, "headers")[name] = ref("headers", name)
	}
	return response
}

// meaning looks a code up in the catalogue.
func (d *document) meaning(name string, status int) string {
	for _, code := range d.codes {
		if code.Name == name && code.Status == status {
			return code.Meaning
		}
	}
	if len(d.codes) > 0 {
		d.faults.add("code %s with status %d is not in the catalogue of problems", name, status)
	}
	return ""
}

// addExamples merges openapi/examples/<operationId>.<request|status>.json.
func (d *document) addExamples(dir string) {
	files, err := os.ReadDir(dir)
	if err != nil && !os.IsNotExist(err) {
		d.faults.add("examples: %w", err)
	}
	places := map[string]object{}
	d.operations(func(_ string, op object) {
		places[text(op, "operationId")+".request.json"], _ = op["requestBody"].(object)
		for status, response := range look(op, "responses") {
			places[text(op, "operationId")+"."+status+".json"], _ = response.(object)
		}
	})
	for _, file := range files {
		media := look(places[file.Name()], "content", "application/json")
		if media == nil {
			d.faults.add("example %s belongs to no JSON body", file.Name())
			continue
		}
		value, err := readJSON(filepath.Join(dir, file.Name()))
		if err != nil {
			d.faults.add("example: %w", err)
		}
		media["example"] = value
	}
}
