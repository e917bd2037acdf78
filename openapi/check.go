package openapi

import (
	"regexp"
	"slices"
	"strings"
)

var templated = regexp.MustCompile(`\{([^}]+)\}`)

// check finds what a reader of the document would miss.
func (d *document) check() {
	info := look(d.tree, "info")
	if text(info, "title") == "" || text(info, "version") == "" || text(info, "description") == "" {
		d.faults.add("api/openapi.go: @title, @version and @description must be there")
	}
	tags := map[string]bool{}
	for _, tag := range list(d.tree, "tags") {
		if tag, ok := tag.(object); ok {
			tags[text(tag, "name")] = true
		}
	}
	seen := map[string]string{}
	d.operations(func(route string, op object) {
		if id := text(op, "operationId"); id != "" && seen[id] != "" {
			d.faults.add("%s: @ID %s is that of %s", route, id, seen[id])
		}
		seen[text(op, "operationId")] = route
		d.checkWords(route, op, tags)
		d.checkPath(route, op)
		d.checkSecurity(route, op)
	})
}

func (d *document) checkWords(route string, op object, tags map[string]bool) {
	for _, need := range [][2]string{{"operationId", "@ID"}, {"summary", "@Summary"}, {"description", "@Description"}} {
		if text(op, need[0]) == "" {
			d.faults.add("%s: no %s", route, need[1])
		}
	}
	if len(list(op, "tags")) == 0 {
		d.faults.add("%s: no @Tags", route)
	}
	for _, tag := range list(op, "tags") {
		if name, _ := tag.(string); !tags[name] {
			d.faults.add("%s: tag %s has no @tag.name in api/openapi.go", route, name)
		}
	}
	for status := range look(op, "responses") {
		if status < "400" {
			return
		}
	}
	d.faults.add("%s: no @Success", route)
}

func (d *document) checkPath(route string, op object) {
	var named []string
	for _, p := range list(op, "parameters") {
		if parameter, ok := p.(object); ok && text(parameter, "in") == "path" {
			named = append(named, text(parameter, "name"))
		}
	}
	for _, match := range templated.FindAllStringSubmatch(route, -1) {
		if !slices.Contains(named, match[1]) {
			d.faults.add("%s: no @Param for {%s}", route, match[1])
		}
	}
	for _, name := range named {
		if !strings.Contains(route, "{"+name+"}") {
			d.faults.add("%s: @Param %s is not in the path", route, name)
		}
	}
	if strings.HasPrefix(route, "GET ") && op["requestBody"] != nil {
		d.faults.add("%s: a GET has no body", route)
	}
}

func (d *document) checkSecurity(route string, op object) {
	schemes := look(d.tree, "components", "securitySchemes")
	for _, requirement := range list(op, "security") {
		needed, _ := requirement.(object)
		for name := range needed {
			scheme, ok := schemes[name].(object)
			if !ok {
				d.faults.add("%s: @Security %s is unknown", route, name)
				continue
			}
			known := look(scheme, "flows", "clientCredentials", "scopes")
			for _, scope := range list(needed, name) {
				if word, _ := scope.(string); known[word] == nil {
					d.faults.add("%s: scope %s has no @scope in api/openapi.go", route, word)
				}
			}
		}
	}
}
