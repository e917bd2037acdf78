package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
	"go.mongodb.org/mongo-driver/v2/bson"

	"example.com/walkaround/storage"
	"example.com/walkaround/storage/sqlite"
)

var declared = []storage.Declaration{{Name: "cars", Keys: []string{"plate", "word"}}}

// filled is an engine with some records, main/0 to main/9, each with one plate and two words.
func filled(t *testing.T, folder string) *sqlite.Engine {
	t.Helper()
	e := open(t, folder)
	if err := e.Declare(t.Context(), declared); err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		if err := e.Insert(t.Context(), "cars", record(i, "text")); err != nil {
			t.Fatal(err)
		}
	}
	return e
}

// reopened is an engine that has read nothing of the folder yet, in place of e.
func reopened(t *testing.T, folder string, e *sqlite.Engine) *sqlite.Engine {
	t.Helper()
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	e = open(t, folder)
	if err := e.Declare(t.Context(), declared); err != nil {
		t.Fatal(err)
	}
	return e
}

func record(i int, text string) storage.Record {
	doc, _ := bson.Marshal(bson.D{{Key: "text", Value: text}})
	summary, _ := bson.Marshal(bson.D{{Key: "short", Value: text}})
	return storage.Record{ID: fmt.Sprint("main/", i), Doc: doc, Summary: summary, Keys: []storage.KeyValue{
		{Name: "plate", Value: fmt.Sprint("P", i)}, {Name: "word", Value: "a"}, {Name: "word", Value: fmt.Sprint("w", i)},
	}}
}

// tamper runs SQL on the file behind the engine's back.
func tamper(t *testing.T, folder, sql string) {
	t.Helper()
	c, err := sqlite3.Open("file:" + filepath.Join(folder, "walkaround.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(c.BusyTimeout(10*time.Second), c.Exec(sql), c.Close()); err != nil {
		t.Fatal(err)
	}
}

// complaints walks a collection and returns the ids that came with an error.
func complaints(t *testing.T, e storage.Engine) []string {
	t.Helper()
	var ids []string
	err := e.Walk(t.Context(), "cars", func(r storage.Record, err error) error {
		if err != nil {
			if !errors.Is(err, storage.ErrCorrupt) || !strings.Contains(err.Error(), "cars "+r.ID) {
				t.Errorf("%s: got %v, want it damaged, with collection and id", r.ID, err)
			}
			ids = append(ids, r.ID)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func TestDamagedRowsAreNamedAndTheRestWorks(t *testing.T) {
	const get, find, walk = 1, 2, 4
	for _, c := range []struct {
		name, sql string
		seenBy    int
	}{
		{"a bit of the document", `UPDATE c_cars SET doc = CAST(replace(doc, 'text', 'texu') AS BLOB) WHERE id = 'main/3'`, get | walk},
		{"the document cut short", `UPDATE c_cars SET doc = substr(doc, 1, 5) WHERE id = 'main/3'`, get | walk},
		{"the document of another", `UPDATE c_cars SET doc = (SELECT doc FROM c_cars WHERE id = 'main/4'), sums = (SELECT sums FROM c_cars WHERE id = 'main/4') WHERE id = 'main/3'`, get | find | walk},
		{"the version", `UPDATE c_cars SET version = 2 WHERE id = 'main/3'`, get | find | walk},
		{"the sums", `UPDATE c_cars SET sums = ~sums WHERE id = 'main/3'`, get | find | walk},
		{"the summary", `UPDATE c_cars SET summary = x'00' WHERE id = 'main/3'`, find | walk},
		{"the summary gone", `UPDATE c_cars SET summary = NULL WHERE id = 'main/3'`, find | walk},
		{"the keys in the row", `UPDATE c_cars SET keys = x'' WHERE id = 'main/3'`, find | walk},
		{"an entry gone", `DELETE FROM k_cars WHERE id = 'main/3' AND name = 'word'`, walk},
		{"an entry of nobody", `INSERT INTO k_cars VALUES ('plate', 'P33', 'main/3')`, find | walk},
		{"the row gone", `DELETE FROM c_cars WHERE id = 'main/3'`, find | walk},
	} {
		t.Run(c.name, func(t *testing.T) {
			folder := t.TempDir()
			e := filled(t, folder)
			tamper(t, folder, c.sql)
			e = reopened(t, folder, e)
			_, err := e.Get(t.Context(), "cars", "main/3")
			if got := errors.Is(err, storage.ErrCorrupt); got != (c.seenBy&get != 0) {
				t.Errorf("get: %v", err)
			}
			_, err = e.Find(t.Context(), "cars", storage.Query{Key: "plate", Limit: 20})
			if got := errors.Is(err, storage.ErrCorrupt); got != (c.seenBy&find != 0) || got && !strings.Contains(err.Error(), "main/3") {
				t.Errorf("find: %v", err)
			}
			whole, err := e.Find(t.Context(), "cars", storage.Query{Key: "plate", Limit: 40, SkipDamaged: true})
			if named := slices.ContainsFunc(whole, func(r storage.Record) bool { return r.ID == "main/3" && r.Damaged != nil }); err != nil || named != (c.seenBy&find != 0) || len(whole) < 10 {
				t.Errorf("find that skips: %d records, %v", len(whole), err)
			}
			if ids := slices.Compact(complaints(t, e)); !slices.Equal(ids, []string{"main/3"}) {
				t.Errorf("the walk complains of %q", ids)
			}
			if _, err := e.Get(t.Context(), "cars", "main/5"); err != nil {
				t.Errorf("a sound neighbour: %v", err)
			}
			if err := e.Insert(t.Context(), "cars", record(77, "new")); err != nil {
				t.Errorf("a new neighbour: %v", err)
			}
		})
	}
}

func TestAReplaceOfADamagedRowIsRefused(t *testing.T) {
	folder := t.TempDir()
	e := filled(t, folder)
	tamper(t, folder, `UPDATE c_cars SET keys = x'' WHERE id = 'main/3'`)
	r := record(3, "new")
	r.Version = 1
	if err := e.Replace(t.Context(), "cars", r); !errors.Is(err, storage.ErrCorrupt) {
		t.Errorf("got %v: entries that nobody knows of would stay", err)
	}
}

func TestAChangedKeyTableIsNotHealedByAReplace(t *testing.T) {
	folder := t.TempDir()
	e := filled(t, folder)
	if ids := complaints(t, e); len(ids) != 0 {
		t.Fatalf("a sound collection has %q", ids)
	}
	tamper(t, folder, `UPDATE k_cars SET value = 'P9x' WHERE name = 'plate' AND id = 'main/9'`)
	if ids := complaints(t, e); !slices.Equal(ids, []string{"main/9", "main/9"}) {
		t.Errorf("got %q, want the entry missed and the stray one", ids)
	}
}

func TestASecondServerIsRefused(t *testing.T) {
	folder := t.TempDir()
	first := filled(t, folder)
	_, err := sqlite.Open(t.Context(), folder)
	if err == nil || !strings.Contains(err.Error(), "in use") || !strings.Contains(err.Error(), folder) || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v, want one line that says why", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, folder)
}

func TestReadOnlyBesideARunningServer(t *testing.T) {
	folder := t.TempDir()
	e := filled(t, folder)
	r, err := sqlite.OpenReadOnly(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := r.Declare(t.Context(), append(declared, storage.Declaration{Name: "later", Keys: []string{"k"}})); err != nil {
		t.Fatal(err)
	}
	if err := e.Insert(t.Context(), "cars", record(11, "new")); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Get(t.Context(), "cars", "main/11"); err != nil {
		t.Errorf("what was just written: %v", err)
	}
	if ids := complaints(t, r); len(ids) != 0 {
		t.Errorf("complaints of %q", ids)
	}
	if list, err := r.Find(t.Context(), "later", storage.Query{Key: "k", Limit: 1}); err != nil || len(list) != 0 {
		t.Errorf("a collection that is not there yet: %v, %v", list, err)
	}
	if err := r.Insert(t.Context(), "cars", record(12, "")); err == nil {
		t.Error("it wrote")
	}
	if names, err := r.Collections(t.Context()); err != nil || !slices.Equal(names, []string{"cars"}) {
		t.Errorf("%v, %v", names, err)
	}
}

func TestReadOnlyAfterTheServerWent(t *testing.T) {
	folder := t.TempDir()
	if err := filled(t, folder).Close(); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(filepath.Join(folder, "walkaround.db"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := sqlite.OpenReadOnly(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Declare(t.Context(), declared); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Get(t.Context(), "cars", "main/1"); err != nil {
		t.Error(err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	after, err := os.ReadFile(filepath.Join(folder, "walkaround.db"))
	if err != nil || !slices.Equal(before, after) {
		t.Errorf("the file changed, or %v", err)
	}
	if _, err := sqlite.OpenReadOnly(t.Context(), t.TempDir()); err == nil {
		t.Error("an empty folder opens read-only")
	}
}

// A file that is cut short under a running server makes reads fail, and nothing else.
func TestACutFileEndsNoProcess(t *testing.T) {
	folder := t.TempDir()
	e := filled(t, folder)
	for i := range 500 {
		if err := e.Insert(t.Context(), "cars", record(1000+i, strings.Repeat("x", 8000))); err != nil {
			t.Fatal(err)
		}
	}
	e = reopened(t, folder, e)
	tamper(t, folder, "PRAGMA wal_checkpoint(TRUNCATE)")
	if _, err := e.Get(t.Context(), "cars", "main/1400"); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(folder, "walkaround.db"), 64<<10); err != nil {
		t.Fatal(err)
	}
	failed := 0
	for i := range 500 {
		_, err := e.Get(t.Context(), "cars", fmt.Sprint("main/", 1000+i))
		if err != nil && !errors.Is(err, storage.ErrCorrupt) && !errors.Is(err, storage.ErrUnavailable) {
			t.Errorf("got %v", err)
		}
		if err != nil {
			failed++
		}
	}
	if failed == 0 {
		t.Error("nothing is missed of what was cut off")
	}
}

func TestFilesArePrivate(t *testing.T) {
	folder := t.TempDir()
	filled(t, folder)
	for _, name := range []string{"walkaround.db", "walkaround.db-wal"} {
		info, err := os.Stat(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s may be read by others: %v", name, info.Mode())
		}
	}
}

func TestOpenSaysWhyItCannot(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(t.Context(), filepath.Join(file, "data")); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("a folder inside a file: %v", err)
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "walkaround.db"), []byte(strings.Repeat("no database", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(t.Context(), folder); err == nil || !strings.Contains(err.Error(), folder) {
		t.Errorf("a file that is no database: %v", err)
	}
}

// A caller who goes away while the writer is busy gets his answer at once, and what he sent is whole or absent.
func TestCallersWhoGiveUp(t *testing.T) {
	folder := t.TempDir()
	e := filled(t, folder)
	block, err := sqlite3.Open("file:" + filepath.Join(folder, "walkaround.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := block.Exec("BEGIN IMMEDIATE"); err != nil { // as another process that writes
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			if err := e.Insert(ctx, "cars", record(100+i, "late")); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
		})
	}
	wg.Wait()
	if err := errors.Join(block.Exec("ROLLBACK"), block.Close()); err != nil {
		t.Fatal(err)
	}
	if err := e.Insert(t.Context(), "cars", record(200, "after")); err != nil {
		t.Fatal(err)
	}
	if ids := complaints(t, e); len(ids) != 0 {
		t.Errorf("complaints of %q", ids)
	}
}

const (
	smallFolder = "WALKAROUND_TEST_SMALL_FOLDER"
	limitSize   = "WALKAROUND_TEST_LIMIT_SIZE"
)

// A file-size limit ends writes with EFBIG; a tmpfs would with ENOSPC. Limits cannot be taken back within a process that
// others share, so a child has it.
func TestFullDisk(t *testing.T) {
	if folder := os.Getenv(smallFolder); folder != "" {
		fillUp(t, folder)
		return
	}
	t.Run("file size limit", func(t *testing.T) {
		runChild(t, exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFullDisk$"), t.TempDir(), limitSize+"=1")
	})
	t.Run("tmpfs", func(t *testing.T) {
		folder := t.TempDir()
		script := `mount -t tmpfs -o size=2m none "$0" && exec "$1" -test.run='^TestFullDisk$'`
		if out, err := exec.CommandContext(t.Context(), "unshare", "-Urm", "mount", "-t", "tmpfs", "none", folder).CombinedOutput(); err != nil {
			t.Skipf("this machine lets nobody mount a tmpfs in a namespace: %v: %s", err, out)
		}
		runChild(t, exec.CommandContext(t.Context(), "unshare", "-Urm", "sh", "-c", script, folder, os.Args[0]), folder, "")
	})
}

func runChild(t *testing.T, cmd *exec.Cmd, folder, setting string) {
	t.Helper()
	cmd.Env = append(os.Environ(), smallFolder+"="+folder, setting)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// fillUp writes until the disk is full, reads, makes room and writes again.
func fillUp(t *testing.T, folder string) {
	t.Helper()
	ballast := filepath.Join(folder, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 512<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	e := filled(t, folder)
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	if os.Getenv(limitSize) != "" {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 1 << 20, Max: old.Max}); err != nil {
			t.Fatal(err)
		}
	}
	stored := 100
	var err error
	for ; err == nil && stored < 1000; stored++ {
		err = e.Insert(t.Context(), "cars", record(stored, strings.Repeat("x", 20_000)))
	}
	stored--
	if !errors.Is(err, storage.ErrFull) {
		t.Fatalf("after %d: got %v, want %v", stored, err, storage.ErrFull)
	}
	if _, err := e.Get(t.Context(), "cars", fmt.Sprint("main/", stored-1)); err != nil {
		t.Errorf("what was stored before is not read: %v", err)
	}
	if _, err := e.Get(t.Context(), "cars", fmt.Sprint("main/", stored)); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("what was refused: %v", err)
	}
	if list, err := e.Find(t.Context(), "cars", storage.Query{Key: "word", Equal: "a", Limit: 5}); err != nil || len(list) != 5 {
		t.Errorf("a list on the full disk: %d, %v", len(list), err)
	}
	if err := errors.Join(syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old), os.Remove(ballast)); err != nil {
		t.Fatal(err)
	}
	if err := e.Insert(t.Context(), "cars", record(5000, "there is room again")); err != nil {
		t.Errorf("it does not heal: %v", err)
	}
	if ids := complaints(t, e); len(ids) != 0 {
		t.Errorf("complaints of %q", ids)
	}
}

// A look by root leaves nothing that the owner of the database can't open.
func TestALookByRootLeavesTheFilesToTheirOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root looks into another's folder")
	}
	const owner = 65534
	folder := t.TempDir()
	if err := filled(t, folder).Close(); err != nil {
		t.Fatal(err)
	}
	database := filepath.Join(folder, "walkaround.db")
	if err := errors.Join(os.Chown(folder, owner, owner), os.Chown(database, owner, owner)); err != nil {
		t.Fatal(err)
	}
	r, err := sqlite.OpenReadOnly(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{database + "-wal", database + "-shm"} {
		info, err := os.Stat(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		stat, ok := info.Sys().(*syscall.Stat_t)
		if !ok || stat.Uid != owner || stat.Gid != owner || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, owner %v", name, info.Mode(), stat)
		}
	}
}
