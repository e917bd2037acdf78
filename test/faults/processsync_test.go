package faults

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"example.com/walkaround/domain"
	"example.com/walkaround/test/harness"
)

const traced = "trace=fsync,fdatasync,sendto,write,writev,pwrite64,rename,renameat,renameat2"

// TestNothingIsAcknowledgedBeforeItIsOnDisk watches the system calls: kill -9 can't see a sync that is missing, for what was
// written is in the system's memory and outlives the process. Before the first byte of a 2xx the WAL is synced behind the
// write that holds the change, and a photo's file and its folder are, in this order.
func TestNothingIsAcknowledgedBeforeItIsOnDisk(t *testing.T) {
	if out, err := exec.CommandContext(t.Context(), "strace", "-f", "-y", "-o", os.DevNull, "true").CombinedOutput(); err != nil {
		cannot(t, "no process can be traced here: %v: %s", err, out)
	}
	trace := filepath.Join(t.TempDir(), "trace")
	folder := t.TempDir()
	p := serve(t, folder, "strace", "-D", "-f", "-y", "-s", "5000", "-e", traced, "-o", trace)
	c := signedIn(t, p)
	id, photo := domain.NewID(), domain.NewID()
	// acknowledged sends a request and gives the calls from its beginning to its answer.
	acknowledged := func(t *testing.T, status int, method, path string, body any, headers ...string) []call {
		t.Helper()
		before := len(read(t, trace))
		got := c.want(t, status, method, path, body, headers...)
		var calls []call
		until(t, "the answer in the trace", func() (found bool) {
			calls, found = upToAnswer(read(t, trace)[before:])
			return found
		})
		if len(got.body) == 0 {
			t.Error("no body")
		}
		return calls
	}
	arrival, intake := "marked-by-the-arrival", harness.Intake()
	intake["note"] = "marked-by-the-section"
	t.Run("arrival", func(t *testing.T) {
		calls := acknowledged(t, http.StatusCreated, http.MethodPost, "/v1/visits", harness.Map{"id": id, "plate": "粵A·12345", "odometer_reason": arrival})
		written(t, calls, arrival)
	})
	t.Run("section", func(t *testing.T) {
		calls := acknowledged(t, http.StatusOK, http.MethodPut, "/v1/visits/"+id+"/intake", intake, "If-None-Match", "*")
		written(t, calls, "marked-by-the-section")
	})
	t.Run("photo", func(t *testing.T) {
		file := harness.SmallPhoto(7)
		calls := acknowledged(t, http.StatusCreated, http.MethodPut, "/v1/visits/"+id+"/photos/"+photo, file, "Content-Type", "image/png")
		sum := sha256.Sum256(file)
		name := hex.EncodeToString(sum[:])
		synced := after(t, calls, 0, "the file to be synced", func(c call) bool { return c.isSync() && strings.Contains(c.text, "/.incoming/") })
		renamed := after(t, calls, synced, "the file to be named", func(c call) bool { return strings.HasPrefix(c.name, "rename") && strings.Contains(c.text, name) })
		folder := after(t, calls, renamed, "the folder to be synced", func(c call) bool { return c.isSync() && strings.Contains(c.text, "/"+name[:2]+">") })
		named := after(t, calls, folder, "the photo's row in the WAL", func(c call) bool { return c.isWAL() && strings.Contains(c.text, name) })
		after(t, calls, named, "the WAL to be synced", func(c call) bool { return c.isSync() && strings.Contains(c.text, "walkaround.db-wal>") })
		written(t, calls, "photo_stored")
	})
}

// written demands a sync of the WAL behind the last write to it that holds the mark.
func written(t *testing.T, calls []call, mark string) {
	t.Helper()
	last := -1
	for i, c := range calls {
		if c.isWAL() && strings.Contains(c.text, mark) {
			last = i
		}
	}
	if last < 0 {
		t.Fatalf("nothing of %s was written before the answer", mark)
	}
	after(t, calls, last, "the WAL to be synced", func(c call) bool { return c.isSync() && strings.Contains(c.text, "walkaround.db-wal>") })
}

// after finds a call behind another.
func after(t *testing.T, calls []call, i int, what string, is func(call) bool) int {
	t.Helper()
	for j := i; j < len(calls); j++ {
		if is(calls[j]) {
			return j
		}
	}
	t.Fatalf("the answer did not wait for %s", what)
	return -1
}

// call is a system call that has ended, in the order of the ends.
type call struct{ name, text string }

func (c call) isSync() bool { return c.name == "fsync" || c.name == "fdatasync" }

func (c call) isWAL() bool {
	return (c.name == "pwrite64" || c.name == "write") && strings.Contains(c.text[:min(len(c.text), 300)], "walkaround.db-wal>")
}

var (
	begun   = regexp.MustCompile(`^(\d+) +(\w+)\((.*)$`)
	resumed = regexp.MustCompile(`^(\d+) +<\.\.\. (\w+) resumed>(.*)$`)
)

// upToAnswer reads a trace up to where the answer begins to be written.
func upToAnswer(trace string) (calls []call, found bool) {
	waiting := map[string]string{} // thread → call that has not ended
	for line := range strings.Lines(trace) {
		line = strings.TrimSuffix(line, "\n")
		if m := resumed.FindStringSubmatch(line); m != nil {
			calls = append(calls, call{m[2], waiting[m[1]] + m[3]})
			continue
		}
		m := begun.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		if strings.Contains(m[3], `"HTTP/1.1 20`) {
			return calls, true
		}
		if text, unfinished := strings.CutSuffix(m[3], "<unfinished ...>"); unfinished {
			waiting[m[1]] = text
			continue
		}
		calls = append(calls, call{m[2], m[3]})
	}
	return nil, false
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
