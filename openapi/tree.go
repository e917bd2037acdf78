package openapi

import (
	"maps"
	"slices"
	"strings"
)

// object is a JSON object of the document.
type object = map[string]any

const schemaRef = "#/components/schemas/"

// child gives the object under the key, made if it is not there.
func child(parent object, key string) object {
	if found, ok := parent[key].(object); ok {
		return found
	}
	made := object{}
	parent[key] = made
	return made
}

// look gives the object at the end of the keys, or nil; it makes nothing.
func look(parent object, keys ...string) object {
	for _, key := range keys {
		parent, _ = parent[key].(object)
	}
	return parent
}

func list(parent object, key string) []any {
	found, _ := parent[key].([]any)
	return found
}

func text(parent object, key string) string {
	found, _ := parent[key].(string)
	return found
}

func ref(kind, name string) object { return object{"$ref": "#/components/" + kind + "/" + name} }

// refName gives the name of the schema that o refers to, or "".
func refName(o object) string {
	name, ok := strings.CutPrefix(text(o, "$ref"), schemaRef)
	if !ok {
		return ""
	}
	return name
}

// walk visits every object, parents after their members; examples are data and left alone.
func walk(node any, visit func(object)) {
	switch node := node.(type) {
	case object:
		for key, value := range node {
			if key != "example" && key != "examples" {
				walk(value, visit)
			}
		}
		visit(node)
	case []any:
		for _, value := range node {
			walk(value, visit)
		}
	}
}

// reach adds every schema that node refers to, also by way of other schemas.
func reach(node any, schemas object, found map[string]bool) {
	walk(node, func(o object) {
		name := refName(o)
		if name != "" && !found[name] {
			found[name] = true
			reach(schemas[name], schemas, found)
		}
	})
}

// clone copies a tree.
func clone(node any) any {
	switch node := node.(type) {
	case object:
		made := make(object, len(node))
		for key, value := range node {
			made[key] = clone(value)
		}
		return made
	case []any:
		made := make([]any, len(node))
		for i, value := range node {
			made[i] = clone(value)
		}
		return made
	}
	return node
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
