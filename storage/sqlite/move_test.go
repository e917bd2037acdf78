package sqlite_test

import (
	"testing"

	"example.com/walkaround/storage"
	"example.com/walkaround/storage/storagetest"
)

func TestRestorer(t *testing.T) {
	storagetest.Restorer(t, func(t *testing.T) storage.Engine {
		t.Helper()
		return open(t, t.TempDir())
	})
}
