package faults

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"example.com/walkaround/domain"
	"example.com/walkaround/test/harness"
)

// adminPassword is that of the first account of every folder here.
const adminPassword = "a bridge of eleven paper lanterns"

// inNamespace tells the test binary that it runs as the child of itself.
const inNamespace = "WALKAROUND_TEST_NAMESPACE"

// binary is the program, built once for all tests.
var binary = sync.OnceValues(func() (string, error) {
	if built := os.Getenv(inNamespace); built != "" {
		return built, nil
	}
	folder, err := os.MkdirTemp("", "walkaround-faults-")
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
	if path, err := binary(); err == nil && os.Getenv(inNamespace) == "" {
		_ = os.RemoveAll(filepath.Dir(path)) // the machine's own cleaning takes what is left
	}
	os.Exit(code)
}

func built(t *testing.T) string {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// cannot ends a test that this machine can't run: skipped, or failed where everything must run.
func cannot(t *testing.T, format string, args ...any) {
	t.Helper()
	if cmp.Or(os.Getenv("WALKAROUND_NO_SKIP"), os.Getenv("NO_SKIP")) != "" {
		t.Fatalf("it must run here, but "+format, args...)
	}
	t.Skipf(format, args...)
}

// output is what a process wrote, readable while it writes.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// process is a running `serve`.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	url    string
	stderr *output
	ended  chan error
}

// serve runs the binary on a folder until it listens. Before it may stand another program that runs it.
func serve(t *testing.T, folder string, before ...string) *process {
	t.Helper()
	args := append(before, built(t), "serve", "--addr=127.0.0.1:0", "--data="+folder)
	p := &process{t: t, cmd: exec.Command(args[0], args[1:]...), stderr: &output{}, ended: make(chan error, 1)}
	p.cmd.Env = append(environment(), "WALKAROUND_ADMIN_PASSWORD="+adminPassword)
	p.cmd.Stderr = p.stderr
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	p.listen(stdout)
	return p
}

// listen reads the address, and then the rest, until the process ends.
func (p *process) listen(stdout io.Reader) {
	p.t.Helper()
	address := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(stdout)
		for lines.Scan() {
			if url, ok := strings.CutPrefix(lines.Text(), "listening on "); ok {
				address <- url
			}
		}
		p.ended <- p.cmd.Wait()
		close(p.ended)
	}()
	select {
	case p.url = <-address:
	case err := <-p.ended:
		p.t.Fatalf("it ended before it listened: %v: %s", err, p.stderr)
	case <-time.After(patience):
		p.t.Fatalf("it does not listen: %s", p.stderr)
	}
}

// kill ends the process as a power cut would, and waits for its end.
func (p *process) kill() {
	if err := p.cmd.Process.Signal(syscall.SIGKILL); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Error(err)
	}
	err := <-p.ended
	p.t.Logf("killed: %v", err)
}

// stop ends it in order.
func (p *process) stop() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	if err := <-p.ended; err != nil {
		p.t.Fatalf("stopped with %v: %s", err, p.stderr)
	}
}

// environment is that of the test without what would configure the program.
func environment() []string {
	var kept []string
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "WALKAROUND_") {
			kept = append(kept, e)
		}
	}
	return kept
}

// command runs another command of the binary to its end.
func command(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	var out, complaints bytes.Buffer
	cmd := exec.CommandContext(ctx, built(t), args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = environment(), &out, &complaints
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), out.String(), complaints.String()
	}
	if err != nil {
		t.Fatal(err)
	}
	return 0, out.String(), complaints.String()
}

// clean runs `walkaround check`, which must find nothing.
func clean(t *testing.T, folder string) {
	t.Helper()
	if code, stdout, stderr := command(t, "check", "--data="+folder); code != 0 || stderr != "" {
		t.Errorf("check: %d %s%s", code, stdout, stderr)
	}
}

// caller speaks to a process. Its token outlives processes; it may be used by many goroutines.
type caller struct {
	url    string
	token  string
	client *http.Client
}

// answer is what came back.
type answer struct {
	status int
	etag   string
	kind   string
	body   []byte
}

// text reads a member of a JSON object by its path.
func (a answer) text(path ...string) string {
	var node any
	if json.Unmarshal(a.body, &node) != nil {
		return ""
	}
	for _, name := range path {
		object, _ := node.(map[string]any)
		node = object[name]
	}
	s, _ := node.(string)
	return s
}

// signedIn is a caller with the token of the first account.
func signedIn(t *testing.T, p *process) *caller {
	t.Helper()
	c := &caller{url: p.url, client: &http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 16}}}
	c.login(t)
	return c
}

func (c *caller) login(t *testing.T) {
	t.Helper()
	got := c.want(t, http.StatusOK, http.MethodPost, "/v1/auth/login", harness.Map{"username": "admin", "password": adminPassword, "store": "main"})
	c.token = got.text("access_token")
}

// at is the same caller at another process.
func (c *caller) at(p *process) *caller {
	c.client.CloseIdleConnections()
	return &caller{url: p.url, token: c.token, client: c.client}
}

// send sends a request. A body that is bytes is sent as it is, another as JSON; headers are pairs. The error is that of a
// connection that broke.
func (c *caller) send(method, path string, body any, headers ...string) (answer, error) {
	sent, ok := body.([]byte)
	if !ok && body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return answer{}, err
		}
		sent, headers = encoded, append(headers, "Content-Type", "application/json")
	}
	req, err := http.NewRequestWithContext(context.Background(), method, c.url+path, bytes.NewReader(sent))
	if err != nil {
		return answer{}, err
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := c.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	read, err := io.ReadAll(res.Body)
	if err := errors.Join(err, res.Body.Close()); err != nil {
		return answer{}, err
	}
	return answer{res.StatusCode, res.Header.Get("ETag"), res.Header.Get("Content-Type"), read}, nil
}

// want is send that ends the test when the answer is another.
func (c *caller) want(t *testing.T, status int, method, path string, body any, headers ...string) answer {
	t.Helper()
	got, err := c.send(method, path, body, headers...)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	if got.status != status {
		t.Fatalf("%s %s: %d, wanted %d: %s", method, path, got.status, status, got.body)
	}
	return got
}

// problem is want of a problem with this code.
func (c *caller) problem(t *testing.T, status int, code, method, path string, body any, headers ...string) { //nolint:revive // a request and what is wanted of it
	t.Helper()
	got := c.want(t, status, method, path, body, headers...)
	if got.kind != "application/problem+json" || got.text("code") != code {
		t.Errorf("%s %s: %s %s", method, path, got.kind, got.body)
	}
}

// inspection is a complete walk-around.
func (c *caller) inspection(t *testing.T, photo string) harness.Map {
	t.Helper()
	var lists struct {
		Items []struct {
			Items []struct {
				Code     string `json:"code"`
				Required bool   `json:"required"`
			} `json:"items"`
		} `json:"items"`
	}
	if err := json.Unmarshal(c.want(t, http.StatusOK, http.MethodGet, "/v1/checklists", nil).body, &lists); err != nil {
		t.Fatal(err)
	}
	items := []harness.Map{}
	for _, item := range lists.Items[0].Items {
		if item.Required {
			items = append(items, harness.Map{"code": item.Code, "result": "ok"})
		}
	}
	stamp := func(before time.Duration) string { return domain.At(time.Now().Add(-before)).String() }
	return harness.Map{
		"customer_present": true, "valuables_reminder_at": stamp(5 * time.Minute), "items": items,
		"covers": harness.Map{"seat": true, "steering_wheel": true, "floor": true, "fitted_at": stamp(4 * time.Minute)},
		"damages": []harness.Map{{
			"id": "d1", "view": "left", "x": 0.42, "y": 0.55, "kind": "scratch", "severity": "minor", "photo_ids": []string{photo},
		}},
		"belongings": []harness.Map{}, "engine": harness.Map{"checked": true, "abnormal_noise": false},
	}
}

// signature is a signature on a digest.
func signatureOn(digest string) harness.Map {
	return harness.Map{
		"document": "inspection", "digest": digest, "signer": harness.Map{"name": "陳大文", "relation": "owner"},
		"signed_at": domain.At(time.Now()).String(), "image": harness.Drawn(),
		"strokes": [][][]float64{{{20, 60, 0, 0.4}, {40, 30, 16, 0.6}}},
		"device":  harness.Map{"id": "tablet-1", "app_version": "1.0.0", "clock_offset_ms": 0, "offline_seconds": 0},
	}
}

// ready opens a visit that can be signed; with a photo of that seed.
func (c *caller) ready(t *testing.T, id, plate string, seed int) (photo, digest string) {
	t.Helper()
	photo = domain.NewID()
	c.want(t, http.StatusCreated, http.MethodPost, "/v1/visits", harness.Map{"id": id, "plate": plate})
	c.want(t, http.StatusOK, http.MethodPut, "/v1/visits/"+id+"/intake", harness.Intake(), "If-None-Match", "*")
	c.want(t, http.StatusCreated, http.MethodPut, "/v1/visits/"+id+"/photos/"+photo, harness.SmallPhoto(seed), "Content-Type", "image/png")
	got := c.want(t, http.StatusOK, http.MethodPut, "/v1/visits/"+id+"/inspection", c.inspection(t, photo), "If-None-Match", "*")
	return photo, got.text("digest")
}

// sign signs what stands there.
func (c *caller) sign(t *testing.T, id, digest string) {
	t.Helper()
	c.want(t, http.StatusCreated, http.MethodPost, "/v1/visits/"+id+"/signatures", signatureOn(digest))
}
