package disk_test

import (
	"path/filepath"
	"testing"
	"time"

	"example.com/walkaround/storage"
	"example.com/walkaround/storage/storagetest"
)

func TestMovable(t *testing.T) {
	storagetest.Movable(t, func(t *testing.T) storage.Blobs {
		t.Helper()
		return open(t, filepath.Join(t.TempDir(), "blobs"), time.Now)
	})
}
