package faults

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"image"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"example.com/walkaround/domain"
	"example.com/walkaround/test/harness"
	"example.com/walkaround/test/samples"
)

// inMount runs a test of this package again in a namespace of its own, with a tmpfs mounted on a folder by those options.
func inMount(t *testing.T, options string) (inside bool, folder string) {
	t.Helper()
	if os.Getenv(inNamespace) != "" {
		return true, os.Getenv("TEST_MOUNTED")
	}
	folder = t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "unshare", "-Urm", "mount", "-t", "tmpfs", "none", folder).CombinedOutput(); err != nil {
		cannot(t, "nobody may mount a tmpfs in a namespace here: %v: %s", err, out)
	}
	script := `mount -t tmpfs -o ` + options + ` none "$0" && exec "$@"`
	cmd := exec.CommandContext(t.Context(), "unshare", "-Urm", "sh", "-c", script, folder, os.Args[0], "-test.v", "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), inNamespace+"="+built(t), "TEST_MOUNTED="+folder)
	out, err := cmd.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("--- PASS: "+t.Name())) {
		t.Errorf("%v\n%s", err, out)
	}
	return false, folder
}

// TestDiskFull fills the disk under a running server and gives it room again.
func TestDiskFull(t *testing.T) {
	inside, folder := inMount(t, "size=24m")
	if !inside {
		return
	}
	ballast := filepath.Join(folder, "ballast")
	starving(t, filepath.Join(folder, "data"), func(*process) {
		f, err := os.Create(ballast)
		if err != nil {
			t.Fatal(err)
		}
		chunk := make([]byte, 4<<10)
		for err == nil {
			_, err = f.Write(chunk)
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}, func(*process) {
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
	})
}

// TestFilesTooLarge lets no file of the server grow, by the limit of its process, and lifts the limit again.
func TestFilesTooLarge(t *testing.T) {
	limit := func(p *process, soft string) {
		cmd := exec.CommandContext(t.Context(), "prlimit", fmt.Sprintf("--pid=%d", p.cmd.Process.Pid), "--fsize="+soft+":")
		if out, err := cmd.CombinedOutput(); err != nil {
			cannot(t, "the limits of a process can't be set here: %v: %s", err, out)
		}
	}
	starving(t, t.TempDir(), func(p *process) { limit(p, "100000") }, func(p *process) { limit(p, "unlimited") })
}

// starving holds a server to its promises while nothing can be written: writes are refused as 507 and change nothing, reads
// go on, and it heals by itself.
func starving(t *testing.T, folder string, starve, feed func(*process)) {
	t.Helper()
	p := serve(t, folder)
	c := signedIn(t, p)
	id := domain.NewID()
	photo, _ := c.ready(t, id, "粵A·12345", 1)
	at := "/v1/visits/" + id
	starve(p)
	etag := c.want(t, http.StatusOK, http.MethodGet, at+"/intake", nil).etag
	intake, before := harness.Intake(), ""
	for n := 0; ; n++ { // what the WAL holds room for is still taken
		intake["note"] = fmt.Sprint("note ", n)
		intake["attributes"] = harness.Map{"padding": strings.Repeat("x", 50_000)}
		got, err := c.send(http.MethodPut, at+"/intake", intake, "If-Match", etag)
		if err != nil || n > 2_000 {
			t.Fatalf("after %d: %v", n, err)
		}
		if got.status == http.StatusInsufficientStorage {
			break
		}
		if got.status != http.StatusOK {
			t.Fatalf("%d: %s", got.status, got.body)
		}
		etag, before = got.etag, got.text("note")
	}
	c.problem(t, http.StatusInsufficientStorage, "storage_full", http.MethodPut, at+"/intake", intake, "If-Match", etag)
	large, other := noise(t), domain.NewID()
	c.problem(t, http.StatusInsufficientStorage, "storage_full", http.MethodPut, at+"/photos/"+other, large, "Content-Type", "image/png")

	got := c.want(t, http.StatusOK, http.MethodGet, at+"/intake", nil)
	if got.etag != etag || before != "" && got.text("note") != before {
		t.Errorf("a refused write changed something: %s, was %s", got.etag, etag)
	}
	c.want(t, http.StatusOK, http.MethodGet, "/v1/visits", nil)
	c.want(t, http.StatusNotFound, http.MethodGet, at+"/photos/"+other, nil)
	if file := c.want(t, http.StatusOK, http.MethodGet, at+"/photos/"+photo, nil); !bytes.Equal(file.body, harness.SmallPhoto(1)) {
		t.Error("a photo is another")
	}

	feed(p)
	c.want(t, http.StatusOK, http.MethodPut, at+"/intake", harness.Intake(), "If-Match", etag)
	c.want(t, http.StatusCreated, http.MethodPut, at+"/photos/"+other, large, "Content-Type", "image/png")
	digest := c.want(t, http.StatusOK, http.MethodGet, at+"/inspection", nil).text("digest")
	c.sign(t, id, digest)
	finished(t, folder, id)
	clean(t, folder)
	p.stop()
}

// noise is a picture of more than a megabyte.
func noise(t *testing.T) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, 700, 600))
	if _, err := rand.Read(m.Pix); err != nil {
		t.Fatal(err)
	}
	for i := 3; i < len(m.Pix); i += 4 {
		m.Pix[i] = 255
	}
	var b bytes.Buffer
	if err := samples.PNG(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestFolderNotWritable starts on a folder that nobody may write to, root neither.
func TestFolderNotWritable(t *testing.T) {
	if inside, folder := inMount(t, "ro,size=1m"); inside {
		refused(t, "data folder", "serve", "--addr=127.0.0.1:0", "--data="+folder)
		refused(t, "data folder", "serve", "--addr=127.0.0.1:0", "--data="+filepath.Join(folder, "below"))
	}
}

// refused runs a command that must end with one clear line.
func refused(t *testing.T, says string, args ...string) {
	t.Helper()
	code, _, stderr := command(t, args...)
	if code != 1 || strings.Count(stderr, "\n") != 1 || !strings.HasPrefix(stderr, "walkaround: WALKAROUND_DATA: ") || !strings.Contains(stderr, says) {
		t.Errorf("%q: %d %q", args, code, stderr)
	}
}

// TestBesideARunningServer starts a second server on the folder of a first, which is refused; check and verify are not.
func TestBesideARunningServer(t *testing.T) {
	folder := t.TempDir()
	p := serve(t, folder)
	c := signedIn(t, p)
	id := domain.NewID()
	_, digest := c.ready(t, id, "粵A·12345", 1)
	c.sign(t, id, digest)
	refused(t, "in use by another", "serve", "--addr=127.0.0.1:0", "--data="+folder)

	finished(t, folder, id)
	clean(t, folder)
	pdf, keys := filepath.Join(t.TempDir(), "sheet.pdf"), filepath.Join(t.TempDir(), "keys.json")
	sheet := c.want(t, http.StatusOK, http.MethodGet, "/v1/visits/"+id+"/documents/inspection.pdf", nil)
	published := c.want(t, http.StatusOK, http.MethodGet, "/.well-known/walkaround-keys.json", nil)
	if err := errors.Join(os.WriteFile(pdf, sheet.body, 0o600), os.WriteFile(keys, published.body, 0o600)); err != nil {
		t.Fatal(err)
	}
	if code, stdout, stderr := command(t, "verify", "--keys="+keys, pdf); code != 0 {
		t.Errorf("verify: %d %s%s", code, stdout, stderr)
	}
	c.want(t, http.StatusOK, http.MethodGet, "/v1/visits/"+id, nil)
	p.stop()
}

// TestOneDamagedThing spoils one row and one blob: each answers 500 with its name in the log, check names it, and everything
// else goes on.
func TestOneDamagedThing(t *testing.T) {
	folder := t.TempDir()
	p := serve(t, folder)
	c := signedIn(t, p)
	spoilt, sound := domain.NewID(), domain.NewID()
	c.ready(t, spoilt, "粵A·11111", 1)
	soundPhoto, _ := c.ready(t, sound, "粵A·22222", 2)
	gone := blobOf(c.want(t, http.StatusOK, http.MethodGet, "/v1/visits/"+sound+"/photos/"+soundPhoto, nil).etag)
	p.stop() // what a server holds in memory is not damaged
	for _, way := range []struct {
		name, path, says, named string
		spoil                   func(damage)
	}{
		{"a row", "/v1/visits/" + spoilt, spoilt, "row visits/main/" + spoilt, func(d damage) {
			d.sql("UPDATE c_visits SET doc = CAST(replace(doc, '11111', '11112') AS BLOB) WHERE id = 'main/" + spoilt + "'")
		}},
		{"a blob", "/v1/visits/" + sound + "/photos/" + soundPhoto, "", "blob blobs/main/", func(d damage) {
			d.rewrite(d.blob(gone), func(b []byte) []byte { b[len(b)/2] ^= 1; return b })
		}},
	} {
		t.Run(way.name, func(t *testing.T) {
			way.spoil(damage{t, signedOnce{folder: folder}})
			p := serve(t, folder)
			defer p.stop()
			c := c.at(p)
			c.problem(t, http.StatusInternalServerError, "internal", http.MethodGet, way.path, nil)
			says := way.says
			if says == "" {
				says = gone
			}
			until(t, "the log to name it", func() bool { return strings.Contains(p.stderr.String(), says) })
			code, stdout, _ := command(t, "check", "--data="+folder)
			if code != 1 || !strings.Contains(stdout, way.named) || !strings.Contains(stdout, says) {
				t.Errorf("check: %d %s", code, stdout)
			}
			c.want(t, http.StatusOK, http.MethodGet, "/v1/visits/"+sound, nil)
			c.want(t, http.StatusOK, http.MethodGet, "/v1/visits/"+sound+"/intake", nil)
			c.ready(t, domain.NewID(), "粵A·33333", 3)
		})
	}
}

// blobOf is the SHA-256 that an ETag of a file names.
func blobOf(etag string) string { return strings.Trim(etag, `"`) }
