package disk_test

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.com/walkaround/storage"
)

const smallFolder = "WALKAROUND_TEST_SMALL_FOLDER"

// A limit of a file's size cannot be put on this process, which others share; a child has it.
func TestFullDisk(t *testing.T) {
	if folder := os.Getenv(smallFolder); folder != "" {
		fillUp(t, folder)
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFullDisk$")
	cmd.Env = append(os.Environ(), smallFolder+"="+t.TempDir())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func fillUp(t *testing.T, folder string) {
	t.Helper()
	s := open(t, folder, time.Now)
	small := put(t, s, "small")
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 200_000, Max: old.Max}); err != nil {
		t.Fatal(err)
	}
	large := strings.Repeat("x", 300_000)
	if _, err := s.Put(t.Context(), "main", strings.NewReader(large), 1<<20, nil); !errors.Is(err, storage.ErrFull) {
		t.Errorf("got %v, want %v", err, storage.ErrFull)
	}
	if err := storage.Verify(t.Context(), s, small.Key); err != nil {
		t.Errorf("reads do not go on: %v", err)
	}
	if left, err := os.ReadDir(folder + "/.incoming"); err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	put(t, s, large)
}
