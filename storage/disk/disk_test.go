package disk_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.com/walkaround/storage"
	"example.com/walkaround/storage/disk"
	"example.com/walkaround/storage/storagetest"
)

func TestContract(t *testing.T) {
	storagetest.Blobs(t, func(t *testing.T) storage.Blobs {
		t.Helper()
		return open(t, filepath.Join(t.TempDir(), "made", "blobs"), time.Now)
	})
}

func open(t *testing.T, folder string, now func() time.Time) *disk.Store {
	t.Helper()
	s, err := disk.Open(folder, now)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func put(t *testing.T, s *disk.Store, data string) storage.BlobInfo {
	t.Helper()
	info, err := s.Put(t.Context(), "main", strings.NewReader(data), 1<<20, nil)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// file is where a blob's bytes lie.
func file(folder, key string) string {
	return filepath.Join(folder, "main", key[5:7], key[5:])
}

func TestBlobsAndRetentionSurviveARestart(t *testing.T) {
	folder := t.TempDir()
	info := put(t, open(t, folder, time.Now), "sealed")
	if err := open(t, folder, time.Now).Retain(t.Context(), info.Key, info.Stored.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	s := open(t, folder, time.Now)
	if err := s.Delete(t.Context(), info.Key); !errors.Is(err, storage.ErrRetained) {
		t.Errorf("got %v, want it retained", err)
	}
	later := open(t, folder, func() time.Time { return info.Stored.Add(2 * time.Hour) })
	if err := later.Delete(t.Context(), info.Key); err != nil {
		t.Errorf("after the retention: %v", err)
	}
}

func TestUnreadableRetentionRetains(t *testing.T) {
	folder := t.TempDir()
	s := open(t, folder, time.Now)
	info := put(t, s, "sealed")
	if err := s.Retain(t.Context(), info.Key, info.Stored.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	mark := filepath.Join(folder, ".retained", info.Key)
	if err := os.WriteFile(mark, []byte("20"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(t.Context(), info.Key); !errors.Is(err, storage.ErrCorrupt) {
		t.Errorf("got %v, want the blob kept", err)
	}
}

func TestStartRemovesOnlyOldLeftovers(t *testing.T) {
	folder := t.TempDir()
	s := open(t, folder, time.Now)
	info := put(t, s, "whole")
	old, young := filepath.Join(folder, ".incoming", "old"), filepath.Join(folder, ".incoming", "young")
	for name, age := range map[string]time.Duration{old: 25 * time.Hour, young: 23 * time.Hour} {
		if err := os.WriteFile(name, []byte("torn"), 0o600); err != nil {
			t.Fatal(err)
		}
		at := time.Now().Add(-age)
		if err := os.Chtimes(name, at, at); err != nil {
			t.Fatal(err)
		}
	}
	s = open(t, folder, time.Now)
	if _, err := os.Stat(old); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the old leftover stands: %v", err)
	}
	if _, err := os.Stat(young); err != nil {
		t.Errorf("an upload that may still run lost its file: %v", err)
	}
	if list, err := s.List(t.Context(), "main", "", 10); err != nil || len(list) != 1 || list[0].Key != info.Key {
		t.Errorf("%v, %v: want the whole blob alone", list, err)
	}
}

func TestNothingIsLeftOfRefusedUploads(t *testing.T) {
	folder := t.TempDir()
	s := open(t, folder, time.Now)
	put(t, s, "same")
	put(t, s, "same")
	refusal := errors.New("no")
	_, err := s.Put(t.Context(), "main", strings.NewReader("x"), 1<<20, func(string, int64) error { return refusal })
	if err != refusal { //nolint:errorlint // untouched means this very error
		t.Errorf("got %#v, want the error of check untouched", err)
	}
	if left, err := os.ReadDir(filepath.Join(folder, ".incoming")); err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestVerifyNamesChangedBytes(t *testing.T) {
	folder := t.TempDir()
	s := open(t, folder, time.Now)
	for name, change := range map[string]func([]byte) []byte{
		"one bit":   func(b []byte) []byte { b[3] ^= 1; return b },
		"cut short": func(b []byte) []byte { return b[:2] },
		"longer":    func(b []byte) []byte { return append(b, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			info := put(t, s, "photo "+name)
			path := file(folder, info.Key)
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, change(b), 0o600); err != nil {
				t.Fatal(err)
			}
			err = storage.Verify(t.Context(), s, info.Key)
			if !errors.Is(err, storage.ErrCorrupt) || !strings.Contains(err.Error(), info.Key) {
				t.Errorf("got %v, want the key named", err)
			}
		})
	}
}

// A blob that was cut short on the disk is mended by the next upload of its bytes.
func TestPutMendsACutBlob(t *testing.T) {
	folder := t.TempDir()
	s := open(t, folder, time.Now)
	info := put(t, s, "photo")
	if err := os.WriteFile(file(folder, info.Key), []byte("ph"), 0o600); err != nil {
		t.Fatal(err)
	}
	put(t, s, "photo")
	if err := storage.Verify(t.Context(), s, info.Key); err != nil {
		t.Error(err)
	}
}

func TestOpenSaysWhyItCannot(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := disk.Open(filepath.Join(path, "blobs"), time.Now); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v, want an error that names the folder", err)
	}
}

func TestReadOnlyRefusesToWrite(t *testing.T) {
	folder := t.TempDir()
	info := put(t, open(t, folder, time.Now), "x")
	s, err := disk.OpenReadOnly(folder, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if err := storage.Verify(t.Context(), s, info.Key); err != nil {
		t.Error(err)
	}
	_, err = s.Put(context.Background(), "main", strings.NewReader("y"), 9, nil)
	for what, err := range map[string]error{
		"put": err, "delete": s.Delete(t.Context(), info.Key), "retain": s.Retain(t.Context(), info.Key, time.Now()), "ping": s.Ping(t.Context()),
	} {
		if err == nil {
			t.Errorf("%s is done", what)
		}
	}
}

func TestRightBytesTakeThePlaceOfDamagedOnes(t *testing.T) {
	folder := t.TempDir()
	s := open(t, folder, time.Now)
	info := put(t, s, "sealed")
	if err := s.Retain(t.Context(), info.Key, info.Stored.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file(folder, info.Key), []byte("seeled"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := storage.Verify(t.Context(), s, info.Key); !errors.Is(err, storage.ErrCorrupt) {
		t.Fatal(err)
	}
	put(t, s, "sealed")
	if err := storage.Verify(t.Context(), s, info.Key); err != nil {
		t.Errorf("the damaged bytes stay: %v", err)
	}
	if err := s.Delete(t.Context(), info.Key); !errors.Is(err, storage.ErrRetained) {
		t.Errorf("its retention went: %v", err)
	}
}
