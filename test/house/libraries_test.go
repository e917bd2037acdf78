package house_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// dynamic are packages that open libraries of the system, or of whoever can write where those are looked for.
var dynamic = []string{"github.com/ebitengine/purego", "github.com/gen2brain/heic", "plugin"}

// TestNoLibraryOfTheSystemIsOpened holds for a build without any tag, as `go run` makes it.
func TestNoLibraryOfTheSystemIsOpened(t *testing.T) {
	readSources(t)
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "./cmd/walkaround")
	list.Dir, list.Stderr = root, os.Stderr
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := strings.Fields(string(out))
	if !slices.Contains(packages, module+"api/image") {
		t.Errorf("%d packages, and the photos are not among them", len(packages))
	}
	for _, p := range packages {
		if slices.ContainsFunc(dynamic, func(d string) bool { return p == d || strings.HasPrefix(p, d+"/") }) {
			t.Errorf("the binary holds %s", p)
		}
	}
}

// readSources reads what the list depends on, so that the outcome is not remembered once something of it changes.
func readSources(t *testing.T) {
	t.Helper()
	if _, err := os.ReadFile(filepath.Join(root, "go.mod")); err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{"api", "cmd", "domain", "openapi", "storage"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, _ fs.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(path, ".go") {
				_, err = os.ReadFile(path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
