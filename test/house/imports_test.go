// Package house_test holds the imports of the house to one direction: cmd → api → storage → domain. It reads the files
// itself: what `go list` says would be cached by `go test`, and stay green after a violation.
package house_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	root   = "../.."
	module = "example.com/walkaround/"
)

// drivers are of the outside what a part of the house must not know, by the prefix of their paths.
func drivers() map[string][]string {
	engines := []string{"database/sql", "github.com/ncruces/go-sqlite3", "go.mongodb.org/mongo-driver", "github.com/minio/minio-go"}
	return map[string][]string{
		"domain": append([]string{"net/http", "log/slog", "github.com/gin-gonic"}, engines...),
		"api":    engines,
		// storage itself keeps BSON, made by the codec of a driver.
		"storage": {"github.com/gin-gonic", "net/http", "github.com/ncruces/go-sqlite3", "github.com/minio/minio-go", "database/sql"},
	}
}

// ours says which packages of the house a package may import.
func ours(from, to string) bool {
	part, _, _ := strings.Cut(from, "/")
	below := func(folders ...string) bool {
		return slices.ContainsFunc(folders, func(f string) bool { return to == f || strings.HasPrefix(to, f+"/") })
	}
	switch {
	case part == "domain": // a room knows no other room but evidence, and the house's common words
		return to == "domain" || from != "domain" && to == "domain/evidence"
	case from == "storage":
		return below("domain")
	case from == "storage/open": // it alone chooses
		return below("domain", "storage")
	case from == "storage/archive": // a backup says which format its documents have
		return to == "storage" || to == "storage/migrate" || below("domain")
	case part == "storage": // an engine, or the suite that all engines pass
		return to == "storage" || below("domain")
	case part == "openapi":
		return false
	case part == "api":
		return to == "storage" || to == "openapi" || below("domain", "api")
	case part == "cmd":
		return !below("test") || to == "test/samples" // the cars of the demo
	default: // test, and what runs by hand: everything
		return true
	}
}

// allowed says whether a package may import another.
func allowed(from, path string) bool {
	if to, own := strings.CutPrefix(path, module); own {
		return ours(from, to)
	}
	part, _, _ := strings.Cut(from, "/")
	if part == "storage" && from != "storage" {
		part = "engine"
	}
	return !slices.ContainsFunc(drivers()[part], func(d string) bool { return path == d || strings.HasPrefix(path, d+"/") })
}

func TestImportsRunOneWay(t *testing.T) {
	files := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || len(d.Name()) > 2 && d.Name()[0] == '.'):
			return fs.SkipDir
		case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		files++
		return imports(t, path)
	})
	if err != nil || files < 100 {
		t.Errorf("%d files read: %v", files, err)
	}
}

// imports holds one file to what its package may import.
func imports(t *testing.T, path string) error {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
	if err != nil {
		return err
	}
	name, err := filepath.Rel(root, filepath.Dir(path))
	if err != nil {
		return err
	}
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return err
		}
		if !allowed(filepath.ToSlash(name), imported) {
			t.Errorf("%s imports %s", path, imported)
		}
	}
	return nil
}

func TestTheRuleItself(t *testing.T) {
	for edge, want := range map[[2]string]bool{
		{"cmd/walkaround", module + "api"}:                  true,
		{"cmd/walkaround", module + "storage/open"}:         true,
		{"api", module + "cmd/walkaround/config"}:           false,
		{"api", module + "storage"}:                         true,
		{"api", module + "storage/sqlite"}:                  false,
		{"api/auth", "go.mongodb.org/mongo-driver/v2/bson"}: false,
		{"storage", module + "storage/sqlite"}:              false,
		{"storage", module + "api"}:                         false,
		{"storage", "go.mongodb.org/mongo-driver/v2/bson"}:  true,
		{"storage/sqlite", module + "storage"}:              true,
		{"storage/sqlite", module + "storage/disk"}:         false,
		{"storage/sqlite", "github.com/ncruces/go-sqlite3"}: true,
		{"domain/visit", module + "domain"}:                 true,
		{"domain/visit", module + "domain/evidence"}:        true,
		{"domain/visit", module + "domain/vehicle"}:         false,
		{"domain/evidence", module + "domain"}:              true,
		{"domain", module + "domain/visit"}:                 false,
		{"domain", module + "storage"}:                      false,
		{"domain/visit", "net/http"}:                        false,
		{"openapi", module + "domain"}:                      false,
	} {
		if allowed(edge[0], edge[1]) != want {
			t.Errorf("%s → %s: want %v", edge[0], edge[1], want)
		}
	}
}
