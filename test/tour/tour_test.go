package tour

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how long the whole may take on a busy machine.
const patience = 4 * time.Minute

const root = "../.."

// environ is ours without what would configure the server.
func environ(more ...string) []string {
	var list []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "WALKAROUND_") {
			list = append(list, v)
		}
	}
	return append(list, more...)
}

func need(t *testing.T, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err == nil {
			continue
		}
		if os.Getenv("WALKAROUND_NO_SKIP") == "1" {
			t.Fatalf("%s is not there", tool)
		}
		t.Skipf("the tour needs %s", tool)
	}
}

// demo is a running demo.
type demo struct {
	cmd  *exec.Cmd
	said string // until it listened
	url  string
	err  bytes.Buffer
}

func startDemo(ctx context.Context, t *testing.T, binary, data string) *demo {
	t.Helper()
	d := &demo{cmd: exec.CommandContext(ctx, binary, "demo", "--addr=127.0.0.1:0", "--data="+data)}
	d.cmd.Env, d.cmd.Stderr = environ(), &d.err
	out, err := d.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.cmd.Process.Kill() })
	lines := bufio.NewReader(out)
	for d.url == "" {
		line, err := lines.ReadString('\n')
		d.said += line
		if err != nil {
			t.Fatalf("it ended before it listened: %s%s", d.said, d.err.String())
		}
		if url, ok := strings.CutPrefix(line, "listening on "); ok {
			d.url = strings.TrimSpace(url)
		}
	}
	go func() { _, _ = io.Copy(io.Discard, lines) }()
	return d
}

func (d *demo) stop(t *testing.T) {
	t.Helper()
	if err := errors.Join(d.cmd.Process.Signal(syscall.SIGTERM), d.cmd.Wait()); err != nil {
		t.Fatalf("stopped with %v: %s", err, d.err.String())
	}
}

func TestTheReadmesTour(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and seeds a demo")
	}
	need(t, "bash", "curl", "jq")
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	script, err := Script(string(readme))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	binary, data := filepath.Join(t.TempDir(), "walkaround"), filepath.Join(t.TempDir(), "data")
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, "./cmd/walkaround")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}

	first := startDemo(ctx, t, binary, data)
	bash := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", script)
	bash.Dir, bash.Env = root, environ("B="+first.url, "TMPDIR="+t.TempDir())
	out, err := bash.CombinedOutput()
	if err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	for _, want := range []string{
		"粵A·3H556 waits", "late: true", "received by 林美", "\nGENUINE\n", "\nNOT GENUINE\n", "exit code 1",
		`"genuine": true`, `"store": "得佳店"`, `"change":"new"`,
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the tour does not say %q:\n%s", want, out)
		}
	}
	if n := strings.Count(string(out), `"missing":[]`); n != 2 {
		t.Errorf("something is missing:\n%s", out)
	}
	first.stop(t)

	second := startDemo(ctx, t, binary, data)
	defer second.stop(t)
	if !strings.Contains(first.said, "Preparing") || strings.Contains(second.said, "Preparing") || !strings.Contains(second.said, "林美") {
		t.Errorf("the second start says\n%s", second.said)
	}
}

func TestScriptIsTheBlocksBetweenTheMarks(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"blocks":       {"```bash\nno\n```\n<!-- tour:begin -->\nA\n```bash\none\n```\nB\n```\nplain\n```\n```bash\ntwo\n```\n<!-- tour:end -->", "one\ntwo\n"},
		"no marks":     {"```bash\none\n```\n", ""},
		"no end":       {"<!-- tour:begin -->\n```bash\none\n```\n", ""},
		"no block":     {"<!-- tour:begin -->\nA\n<!-- tour:end -->", ""},
		"open block":   {"<!-- tour:begin -->\n```bash\none\n<!-- tour:end -->", ""},
		"empty":        {"", ""},
		"marks turned": {"<!-- tour:end -->\n```bash\none\n```\n<!-- tour:begin -->", ""},
	} {
		got, err := Script(c.text)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s: %q %v", name, got, err)
		}
	}
}
