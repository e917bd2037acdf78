package sqlite

import (
	"errors"
	"os"
	"sync"
	"syscall"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"
)

const vfsName = "walkaround"

// registerVFS makes the files below known to SQLite, once a process.
var registerVFS = sync.OnceFunc(func() {
	if system, ok := vfs.Find("os").(vfs.VFSFilename); ok {
		vfs.Register(vfsName, files{system})
	}
})

// files are the system's own, whose writes tell a full disk from a broken one. The library's own VFS knows ENOSPC at
// best, and has forgotten the error by the time that SQLite reports one.
type files struct{ vfs.VFSFilename }

// OpenFilename opens a file of the system's.
func (f files) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	if err := makePrivate(name, flags); err != nil {
		return nil, flags, asFull(err)
	}
	opened, flags, err := f.VFSFilename.OpenFilename(name, flags)
	if system, ok := opened.(systemFile); ok && err == nil {
		return file{system}, flags, nil
	}
	return opened, flags, asFull(err)
}

// makePrivate makes a file that is about to be made, so that nobody else may read it whatever the folder allows.
func makePrivate(name *vfs.Filename, flags vfs.OpenFlag) error {
	if name == nil || flags&vfs.OPEN_CREATE == 0 {
		return nil
	}
	f, err := os.OpenFile(name.String(), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// systemFile is all that a file of the system's can do for a database in WAL mode.
type systemFile interface {
	vfs.FileLockState
	vfs.FilePersistWAL
	vfs.FilePowersafeOverwrite
	vfs.FileSizeHint
	vfs.FileHasMoved
	vfs.FileSharedMemory
	vfs.FileMemoryMapper
}

type file struct{ systemFile }

// WriteAt writes.
func (f file) WriteAt(p []byte, off int64) (int, error) {
	n, err := f.systemFile.WriteAt(p, off)
	return n, asFull(err)
}

// Sync makes what was written durable; a quota may be noticed only now.
func (f file) Sync(flags vfs.SyncFlag) error { return asFull(f.systemFile.Sync(flags)) }

// SizeHint reserves space.
func (f file) SizeHint(size int64) error { return asFull(f.systemFile.SizeHint(size)) }

// DeviceCharacteristics leaves out atomic batches, which need more than systemFile and serve no WAL.
func (f file) DeviceCharacteristics() vfs.DeviceCharacteristic {
	return f.systemFile.DeviceCharacteristics() &^ vfs.IOCAP_BATCH_ATOMIC
}

// asFull marks an error that only room can heal.
func asFull(err error) error {
	if noSpace(err) {
		return vfs.SystemError(err, sqlite3.FULL)
	}
	return err
}

// noSpace says whether the disk, the quota or the limit of a file's size ended a write.
func noSpace(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}
