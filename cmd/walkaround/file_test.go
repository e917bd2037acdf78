package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestTheFileStandsFirstOrLast(t *testing.T) {
	for line, want := range map[string]struct {
		file, flags string
		fault       bool
	}{
		"b.tar":                     {file: "b.tar"},
		"b.tar --data=d":            {file: "b.tar", flags: "--data=d"},
		"--data=d b.tar":            {file: "b.tar", flags: "--data=d"},
		"--data d b.tar":            {file: "b.tar", flags: "--data d"},
		"-":                         {file: "-"},
		"--data=d -":                {file: "-", flags: "--data=d"},
		"- --data d":                {file: "-", flags: "--data d"},
		"--data=d":                  {flags: "--data=d", fault: true},
		"":                          {fault: true},
		"--help":                    {flags: "--help"},
		"b.tar -h":                  {flags: "b.tar -h"},
		"-data=d --log-level=debug": {flags: "-data=d --log-level=debug", fault: true},
	} {
		file, flags, err := takeFile(strings.Fields(line))
		if file != want.file || strings.Join(flags, " ") != want.flags || (err != nil) != want.fault {
			t.Errorf("%q: file %q, flags %q, %v", line, file, flags, err)
		}
	}
}

func TestADryRunIsTaken(t *testing.T) {
	args := []string{"b.tar", "--dry-run", "--data=d"}
	there, rest := takeFlag(args, "dry-run")
	if !there || !slices.Equal(rest, []string{"b.tar", "--data=d"}) || args[1] != "--dry-run" {
		t.Errorf("%t, %q, %q", there, rest, args)
	}
	if there, rest := takeFlag(rest, "dry-run"); there || len(rest) != 2 {
		t.Errorf("%t, %q", there, rest)
	}
}

func TestAFileHasItsNameOnlyWhenItIsWhole(t *testing.T) {
	broken := errors.New("it broke off")
	for name, c := range map[string]struct {
		err  error
		left string // of the folder
	}{"whole": {nil, "b.tar"}, "broken off": {broken, ""}} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			f, err := createFile(filepath.Join(folder, "b.tar"))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.WriteString("x"); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(listed(t, folder), " "); !strings.HasSuffix(got, ".part") {
				t.Errorf("while it is written: %q", got)
			}
			if err := f.finish(c.err); !errors.Is(err, c.err) {
				t.Errorf("got %v", err)
			}
			if got := strings.Join(listed(t, folder), " "); got != c.left {
				t.Errorf("left: %q", got)
			}
		})
	}
}

func TestAFileTakesNoOthersPlace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "b.tar")
	f, err := createFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("of another"), 0o600); err != nil { // in between
		t.Fatal(err)
	}
	if err := f.finish(nil); !errors.Is(err, os.ErrExist) {
		t.Errorf("got %v", err)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "of another" {
		t.Errorf("%q, %v", b, err)
	}
	if got := listed(t, filepath.Dir(path)); len(got) != 1 {
		t.Errorf("left: %q", got)
	}
	if _, err := createFile(path); err == nil || !strings.Contains(err.Error(), "is there already") {
		t.Errorf("it begins anew over it: %v", err)
	}
}

// listed names what is in a folder.
func listed(t *testing.T, folder string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
