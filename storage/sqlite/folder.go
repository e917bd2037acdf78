package sqlite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

const lockName = "lock"

func makeFolder(folder string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("make the data folder %s: %w", folder, err)
	}
	return nil
}

// lockFolder keeps other processes that would write out, until the file is closed or the process ends.
func lockFolder(folder string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(folder, lockName), os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the operator's own folder
	if err != nil {
		return nil, fmt.Errorf("the data folder %s is not writable: %w", folder, err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, errors.Join(fmt.Errorf("the data folder %s is in use by another running server", folder), f.Close())
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock the data folder %s: %w", folder, err), f.Close())
	}
	return f, nil
}

// shareFolder gives what a reader made beside the database to the database's owner, with its mode: a check by root must leave
// nothing that the server can't open. Who is not root made them as himself, and may be refused.
func shareFolder(database string) error {
	info, err := os.Stat(database)
	if err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	for _, name := range []string{database + "-wal", database + "-shm"} {
		made, err := os.Stat(name)
		if err != nil || os.Geteuid() != 0 {
			continue // it is not there, or not ours to give away
		}
		if now, ok := made.Sys().(*syscall.Stat_t); ok && now.Uid == owner.Uid && now.Gid == owner.Gid {
			continue
		}
		if err := errors.Join(os.Chown(name, int(owner.Uid), int(owner.Gid)), os.Chmod(name, info.Mode().Perm())); err != nil {
			return fmt.Errorf("give %s to the owner of the database: %w", name, err)
		}
	}
	return nil
}
