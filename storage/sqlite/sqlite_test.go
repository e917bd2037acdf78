package sqlite_test

import (
	"testing"

	"example.com/walkaround/storage"
	"example.com/walkaround/storage/sqlite"
	"example.com/walkaround/storage/storagetest"
)

func TestContract(t *testing.T) {
	storagetest.Engine(t, func(t *testing.T) storage.Engine {
		t.Helper()
		return open(t, t.TempDir())
	})
}

func open(t *testing.T, folder string) *sqlite.Engine {
	t.Helper()
	e, err := sqlite.Open(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}
