package open_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"example.com/walkaround/storage"
	"example.com/walkaround/storage/open"
)

func TestOpenAndLookBeside(t *testing.T) {
	c := open.Config{Folder: t.TempDir() + "/data", Now: time.Now}
	if _, _, err := open.OpenReadOnly(t.Context(), c); err == nil {
		t.Error("an absent folder opens read-only")
	}
	engine, blobs, err := open.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	info, err := blobs.Put(t.Context(), "main", strings.NewReader("x"), 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	lookEngine, lookBlobs, err := open.OpenReadOnly(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(lookEngine.Ping(t.Context()), storage.Verify(t.Context(), lookBlobs, info.Key)); err != nil {
		t.Error(err)
	}
	if err := errors.Join(lookEngine.Close(), lookBlobs.Close(), engine.Close(), blobs.Close()); err != nil {
		t.Error(err)
	}
}

func TestOpenWantsAClock(t *testing.T) {
	if _, _, err := open.Open(t.Context(), open.Config{Folder: t.TempDir()}); err == nil {
		t.Error("it opens without a clock")
	}
}
