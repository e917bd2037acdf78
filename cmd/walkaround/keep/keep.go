// Package keep writes the few files that cmd itself owns, the secret and the certificates, so that a crash leaves either the
// whole file or none.
//
// Call New for a file that must never be overwritten and Replace for one that may. It imports the standard library only.
package keep

import (
	"errors"
	"os"
	"path/filepath"
)

// mode lets only the owner read: everything kept here is secret, or stands beside something that is.
const mode = 0o600

// New makes the file at path with data, durable when it returns. If path is there already, nothing changes and the error
// is fs.ErrExist, also when two processes try at once.
func New(path string, data []byte) error {
	return write(path, data, os.Link)
}

// Replace puts data in place of what is at path, if anything, durable when it returns.
func Replace(path string, data []byte) error {
	return write(path, data, os.Rename)
}

// write syncs a temporary file, gives it its name by place, and syncs the folder.
func write(path string, data []byte, place func(from, to string) error) (err error) {
	folder := filepath.Dir(path)
	f, err := os.CreateTemp(folder, "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, absent(os.Remove(f.Name()))) }()
	if err := fill(f, data); err != nil {
		return err
	}
	if err := place(f.Name(), path); err != nil {
		return err
	}
	return syncFolder(folder)
}

// fill writes, syncs and closes.
func fill(f *os.File, data []byte) error {
	_, err := f.Write(data)
	return errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
}

// syncFolder makes names durable. Not every system can sync a folder, and then there is nothing to be done.
func syncFolder(folder string) error {
	d, err := os.Open(folder) //nolint:gosec // the folder that the operator configured
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, os.ErrInvalid) {
		err = nil
	}
	return errors.Join(err, d.Close())
}

// absent forgives that a renamed file is not at its old name any more.
func absent(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}
