package openapi

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
)

// comments holds what stands above the types of the house, by "package.Type".
type comments struct {
	texts map[string]string
	enums map[string]string // the file in which the constants of a type stand
	split map[string]bool   // types whose constants stand in several files: swag would give them in any order
}

// readComments walks the Go files of dirs. swag itself takes only lines that begin with @description.
func readComments(dirs []string) (*comments, error) {
	c := &comments{texts: map[string]string{}, enums: map[string]string{}, split: map[string]bool{}}
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			return c.read(path)
		})
		if err != nil {
			return nil, fmt.Errorf("comments: %w", err)
		}
	}
	return c, nil
}

func (c *comments) read(path string) error {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	for _, declaration := range file.Decls {
		group, ok := declaration.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, s := range group.Specs {
			c.note(file.Name.Name, path, group, s)
		}
	}
	return nil
}

func (c *comments) note(pkg, path string, group *ast.GenDecl, s ast.Spec) {
	switch s := s.(type) {
	case *ast.TypeSpec:
		text := s.Doc.Text()
		if text == "" {
			text = group.Doc.Text()
		}
		c.texts[pkg+"."+s.Name.Name] = strings.TrimSpace(text)
		if _, name, ok := strings.Cut(raw(s.Comment), "@name "); ok { // swag's own way to name a schema
			c.texts[strings.TrimSpace(name)] = strings.TrimSpace(text)
		}
	case *ast.ValueSpec:
		typ, ok := s.Type.(*ast.Ident)
		if !ok || group.Tok != token.CONST {
			return
		}
		name := pkg + "." + typ.Name
		if known, ok := c.enums[name]; ok && known != path {
			c.split[name] = true
		}
		c.enums[name] = path
	}
}

// raw gives a comment with the lines that ast.CommentGroup.Text takes for directives.
func raw(group *ast.CommentGroup) string {
	if group == nil {
		return ""
	}
	var lines strings.Builder
	for _, comment := range group.List {
		lines.WriteString(comment.Text)
	}
	return lines.String()
}
