package keep_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"example.com/walkaround/cmd/walkaround/keep"
)

func TestNewNeverOverwrites(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	if err := keep.New(path, []byte("first")); err != nil {
		t.Fatal(err)
	}
	if err := keep.New(path, []byte("second")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("the second got %v", err)
	}
	expect(t, path, "first")
}

func TestNewHasOneWinner(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	var wins atomic.Int32
	var wait sync.WaitGroup
	for i := range 16 {
		wait.Go(func() {
			if keep.New(path, []byte(strconv.Itoa(i))) == nil {
				wins.Add(1)
			}
		})
	}
	wait.Wait()
	if wins.Load() != 1 {
		t.Errorf("%d won", wins.Load())
	}
}

func TestReplace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "server.pem")
	for _, text := range []string{"first", "second"} {
		if err := keep.Replace(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
		expect(t, path, text)
	}
}

func TestWriteWithoutFolder(t *testing.T) {
	if err := keep.New(filepath.Join(t.TempDir(), "no", "secret"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// expect looks at text and mode, and that nothing temporary was left.
func expect(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("it holds %q, %v", got, err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("its mode is %v, %v", info.Mode(), err)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v, %v", entries, err)
	}
}
