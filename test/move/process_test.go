package move

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"example.com/walkaround/storage/archive"
	"example.com/walkaround/storage/migrate"
)

// binary is the program, built once for all tests.
var binary = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "walkaround-move-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, "walkaround")
	out, err := exec.CommandContext(context.Background(), "go", "build", "-o", path, "example.com/walkaround/cmd/walkaround").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build: %w: %s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := binary(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path)) // the machine's own cleaning takes what is left
	}
	_ = os.RemoveAll(life.folder) // likewise
	os.Exit(code)
}

// program is the binary with arguments, and with the secret of the stores here unless env says otherwise.
func program(t *testing.T, args []string, env ...string) *exec.Cmd {
	t.Helper()
	path, err := binary()
	ok(t, err)
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + os.TempDir(), "WALKAROUND_SECRET=" + secretText}, env...)
	return cmd
}

// ran is what a run of the program came to.
type ran struct {
	code           int
	stdout, stderr string
}

func run(t *testing.T, stdin io.Reader, args ...string) ran {
	t.Helper()
	return runIn(t, nil, stdin, args...)
}

// runIn is run with more variables.
func runIn(t *testing.T, env []string, stdin io.Reader, args ...string) ran {
	t.Helper()
	cmd := program(t, args, env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &stdout, &stderr
	err := cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		t.Fatal(err)
	}
	return ran{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// want holds a run to its exit code, and to words on its streams.
func (r ran) want(t *testing.T, code int, stdout, stderr string) {
	t.Helper()
	if r.code != code || !strings.Contains(r.stdout, stdout) || !strings.Contains(r.stderr, stderr) {
		t.Errorf("exit code %d, want %d\nstdout, want %q: %.500s\nstderr, want %q: %s", r.code, code, stdout, r.stdout, stderr, r.stderr)
	}
	if strings.Contains(r.stdout+r.stderr, secretText) || strings.Contains(r.stderr, "panic") {
		t.Errorf("it shows what it must not: %s", r.stderr)
	}
}

// A restore is killed again and again, each time further on. Whatever is left of it is not served, and in the end the same
// backup makes it whole.
func TestAKilledRestoreIsNeverTakenForAStore(t *testing.T) {
	folder, visit := lived(t)
	home := beside(t, folder)
	backup, want := write(t, home), dump(t, home)
	for name, place := range map[string]func(*testing.T) target{"SQLite and disk": folderTarget, "MongoDB and MinIO": clusterTarget} {
		t.Run(name, func(t *testing.T) {
			into := place(t)
			const kills = 8
			half := 0
			for i := range kills {
				into.feedAndKill(t, backup[:len(backup)*i/(kills-1)])
				half += into.unopened(t)
			}
			if half < kills/2 {
				t.Errorf("only %d of %d were killed in the middle", half, kills)
			}
			runIn(t, into.env, nil, "serve", "--addr=127.0.0.1:0", into.data).want(t, 1, "", "is not finished")
			runIn(t, into.env, nil, "backup", "-", into.data).want(t, 1, "", "is not finished")
			runIn(t, into.env, bytes.NewReader(backup), "restore", "-", into.data).want(t, 0, "are restored", "")
			restored := into.look(t)
			whole(t, restored)
			same(t, dump(t, restored), want)
			serves(t, restored, visit)
		})
	}
}

// target is where the program restores to, and how that is looked at.
type target struct {
	env  []string
	data string // the flag
	look func(*testing.T) archive.Storage
}

func folderTarget(t *testing.T) target {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "data")
	return target{data: "--data=" + folder, look: func(t *testing.T) archive.Storage { t.Helper(); return embedded(t, folder) }}
}

// feedAndKill starts a restore, gives it a part of its input and kills it as soon as the last byte has gone in.
func (to target) feedAndKill(t *testing.T, part []byte) {
	t.Helper()
	cmd := program(t, []string{"restore", "-", to.data}, to.env...)
	in, err := cmd.StdinPipe()
	ok(t, err)
	ok(t, cmd.Start())
	_, err = in.Write(part)
	ok(t, errors.Join(err, cmd.Process.Kill()))
	if err := cmd.Wait(); err == nil {
		t.Error("it ended before it was killed")
	}
}

// unopened says how far a killed restore came: 1 if something is stored, and then it must be marked.
func (to target) unopened(t *testing.T) (stored int) {
	t.Helper()
	t.Run("looked at", func(t *testing.T) { // which closes it
		e := to.look(t).Engine
		empty, err := migrate.Empty(t.Context(), e)
		ok(t, err)
		switch err := migrate.Known().Refuse(t.Context(), e); {
		case errors.Is(err, migrate.ErrRestoring):
			stored = 1
		case err != nil || !empty:
			t.Errorf("what is stored is not marked: %v", err)
		}
	})
	return stored
}

func TestExitCodesAndWords(t *testing.T) {
	folder, _ := lived(t)
	at := t.TempDir()
	file, cut, other := filepath.Join(at, "b.tar"), filepath.Join(at, "cut.tar"), filepath.Join(at, "photo.jpg")
	data := "--data=" + folder
	run(t, nil, "backup", file, data).want(t, 0, "", "are backed up. The secret is not among them")
	whole, err := os.ReadFile(file)
	ok(t, err)
	if strings.Contains(string(whole), secretText) {
		t.Error("the secret is in the backup")
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others may read the backup: %v, %v", info.Mode(), err)
	}
	ok(t, os.WriteFile(cut, whole[:len(whole)-1], 0o600))
	ok(t, os.WriteFile(other, bytes.Repeat([]byte("\xff\xd8"), 900), 0o600))
	fresh := func() string { return "--data=" + filepath.Join(t.TempDir(), "new") }
	for name, c := range map[string]struct {
		args           []string
		code           int
		stdout, stderr string
	}{
		"backup without a file":           {[]string{"backup", data}, 64, "", "one FILE is needed"},
		"backup over a file":              {[]string{"backup", data, file}, 1, "", "is there already"},
		"backup into no folder":           {[]string{"backup", filepath.Join(at, "no", "b"), data}, 1, "", "no such file"},
		"backup of nothing":               {[]string{"backup", "-", fresh()}, 1, "", "WALKAROUND_DATA"},
		"help":                            {[]string{"backup", "--help"}, 0, "backup FILE|-", ""},
		"backup with a wrong flag":        {[]string{"backup", "-", "--dat=x"}, 64, "", "--dat is not an option"},
		"restore without a file":          {[]string{"restore", data}, 64, "", "one FILE is needed"},
		"restore of no file":              {[]string{"restore", "absent.tar", fresh()}, 1, "", "absent.tar"},
		"restore of something else":       {[]string{"restore", other, fresh()}, 1, "", "not a backup of walkaround; nothing was stored"},
		"restore of a cut file":           {[]string{"restore", cut, fresh()}, 1, "", "ends before its end; nothing was stored"},
		"restore over a store":            {[]string{"restore", file, data}, 1, "", "the store is not empty"},
		"a dry run of a cut file":         {[]string{"restore", "--dry-run", cut}, 1, "", "ends before its end"},
		"a dry run of a whole file":       {[]string{"restore", file, "--dry-run", fresh()}, 0, "can be restored", ""},
		"restore":                         {[]string{"restore", fresh(), file}, 0, "are restored", ""},
		"sweep --dry-run":                 {[]string{"sweep", "--dry-run", data}, 0, "0 blobs (0 B) would be deleted now", ""},
		"sweep":                           {[]string{"sweep", data}, 0, "0 deleted", ""},
		"a dry run of a sweep of nothing": {[]string{"sweep", "--dry-run", fresh()}, 1, "", "WALKAROUND_DATA"},
	} {
		t.Run(name, func(t *testing.T) { run(t, nil, c.args...).want(t, c.code, c.stdout, c.stderr) })
	}
	if left, err := filepath.Glob(filepath.Join(at, "*.part")); err != nil || len(left) > 0 {
		t.Errorf("left: %q, %v", left, err)
	}
}

func TestTheSecretIsAskedFor(t *testing.T) {
	folder, _ := lived(t)
	backup, into := write(t, beside(t, folder)), t.TempDir()
	try := func(env string) ran {
		return runIn(t, []string{env}, bytes.NewReader(backup), "restore", "-", "--data="+into)
	}
	try("WALKAROUND_SECRET=").want(t, 1, "", "no backup holds the secret")
	if left, err := os.ReadDir(into); err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
	try("WALKAROUND_SECRET="+strings.Repeat("00", 32)).want(t, 1, "", "the secret is another store's")
	same(t, dump(t, beside(t, into)), dump(t, beside(t, folder)))
}

func TestWhatIsDamagedHasAnExitCode(t *testing.T) {
	folder, _ := lived(t)
	store := beside(t, folder)
	list, err := store.Blobs.List(t.Context(), "main", "", 1)
	ok(t, err)
	sum := strings.TrimPrefix(list[0].Key, "main/")
	ok(t, os.WriteFile(filepath.Join(folder, "blobs", "main", sum[:2], sum), []byte("spoilt"), 0o600))
	file := filepath.Join(t.TempDir(), "b.tar")
	run(t, nil, "backup", file, "--data="+folder).want(t, 2, "", sum)
	into := "--data=" + t.TempDir()
	run(t, nil, "restore", file, into).want(t, 0, "1 more were damaged", sum)
}

func TestANewerFormatStopsTheStart(t *testing.T) {
	folder, _ := lived(t)
	t.Run("written by a newer program", func(t *testing.T) {
		e := embedded(t, folder).Engine
		ok(t, migrate.Declare(t.Context(), e))
		ok(t, migrate.SetFormat(t.Context(), e, migrate.Format{Version: migrate.Known().Newest() + 1}))
	})
	r := run(t, nil, "serve", "--addr=127.0.0.1:0", "--data="+folder)
	r.want(t, 1, "", "newer version of walkaround")
	if strings.Count(r.stderr, "\n") != 1 {
		t.Errorf("want one line: %s", r.stderr)
	}
	file := filepath.Join(t.TempDir(), "b.tar")
	run(t, nil, "backup", file, "--data="+folder).want(t, 0, "", "")
	run(t, nil, "restore", file, "--data="+t.TempDir()).want(t, 1, "", "newer version of walkaround")
}
