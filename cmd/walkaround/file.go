package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/term"
)

// stdStream names standard output or input where a file is asked for.
const stdStream = "-"

var errNoFile = errors.New("one FILE is needed, first or last on the line, or - for standard input or output")

// takeFile cuts the FILE off a command line, where it stands first or last. The others are flags, as config takes them.
func takeFile(args []string) (file string, flags []string, err error) {
	isFile := func(s string) bool { return s == stdStream || s != "" && !strings.HasPrefix(s, "-") }
	switch {
	case slices.ContainsFunc(args, isHelp):
		return "", args, nil
	case len(args) > 0 && isFile(args[0]):
		return args[0], args[1:], nil
	case len(args) > 0 && isFile(args[len(args)-1]):
		return args[len(args)-1], args[:len(args)-1], nil
	default:
		return "", args, errNoFile
	}
}

func isHelp(arg string) bool { return arg == "-h" || strings.TrimLeft(arg, "-") == "help" }

// takeFlag cuts a flag without a value off a command line.
func takeFlag(args []string, name string) (given bool, rest []string) {
	rest = slices.DeleteFunc(slices.Clone(args), func(a string) bool { return a == "--"+name || a == "-"+name })
	return len(rest) < len(args), rest
}

// isTerminal says whether a person looks at a stream.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// newFile writes a file that gets its name when it is whole, and takes no other file's place.
type newFile struct {
	*os.File
	path string
}

// createFile refuses where something is there already: a backup is not written over another one.
func createFile(path string) (*newFile, error) {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Join(fmt.Errorf("%s is there already", path), err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.part")
	if err != nil {
		return nil, err
	}
	return &newFile{File: f, path: path}, nil
}

// finish makes it durable and gives it its name, if err is nil; else it is removed. A name that was given to another file
// meanwhile stays with that one.
func (f *newFile) finish(err error) error {
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		if err = os.Link(f.Name(), f.path); errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrPermission) {
			return errors.Join(os.Rename(f.Name(), f.path), syncFolder(filepath.Dir(f.path))) // a file system without links
		}
	}
	return errors.Join(err, os.Remove(f.Name()), syncFolder(filepath.Dir(f.path)))
}

// syncFolder makes names durable, where the system can.
func syncFolder(folder string) error {
	d, err := os.Open(folder) //nolint:gosec // where the user had a file written
	if err != nil {
		return err
	}
	if err = d.Sync(); errors.Is(err, errors.ErrUnsupported) || errors.Is(err, os.ErrInvalid) {
		err = nil
	}
	return errors.Join(err, d.Close())
}

// readFrom opens what is read: a file, or standard input.
func (c call) readFrom(file string) (io.ReadCloser, error) {
	if file == stdStream {
		return io.NopCloser(c.stdin), nil
	}
	return os.Open(file) //nolint:gosec // the file that the user named
}
