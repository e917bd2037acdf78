package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.com/walkaround/domain"
	"example.com/walkaround/test/samples"
)

func TestReadyzTurnsBeforeTheDoorCloses(t *testing.T) {
	f := &fake{watched: true}
	f.handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "served") })
	paused := make(chan string, 1)
	var url string
	ctx, stop := context.WithCancel(t.Context())
	out := &lines{url: make(chan string, 1)}
	code := make(chan int, 1)
	c := call{stdout: out, stderr: &bytes.Buffer{}, parts: f.parts(), pause: func(d time.Duration) {
		answer, err := http.Get(url) // a new connection, as a balancer makes it that has not asked yet
		if err != nil || d != drainTime {
			paused <- errorText(err) + d.String()
			return
		}
		body, _ := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		paused <- string(body)
	}}
	go func() { code <- runWith(ctx, []string{"serve", "--addr=127.0.0.1:0", "--data=" + t.TempDir()}, c) }()
	url = <-out.url
	stop()
	if got := <-paused; got != "served" {
		t.Errorf("while the balancer learns of it: %q", got)
	}
	if got := <-code; got != exitOK {
		t.Error(got)
	}
}

// posted sends JSON and reads the answer.
func posted(t *testing.T, url, token string, body any) map[string]any {
	t.Helper()
	encoded, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(encoded))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close() //nolint:errcheck // read only
	got := map[string]any{}
	if err := json.NewDecoder(answer.Body).Decode(&got); err != nil || answer.StatusCode >= http.StatusBadRequest {
		t.Fatal(answer.Status, got, err)
	}
	return got
}

// answered is how an upload ended.
type answered struct {
	status int
	err    error
}

func TestAnUploadUnderWayAtSIGTERMIsFinished(t *testing.T) {
	const password = "four paper cranes"
	r := startInProcess(t, wired(), "serve", "--admin-password="+password)
	signed := posted(t, r.url+"/v1/auth/login", "", map[string]any{
		"username": "admin", "password": password, "store": "main", "client_id": "a tablet",
	})
	token, _ := signed["access_token"].(string)
	posted(t, r.url+"/v1/staff", token, map[string]any{
		"username": "mei", "password": "a blue bucket in the yard", "name": "林美", "roles": []string{"advisor"},
	})
	signed = posted(t, r.url+"/v1/auth/login", "", map[string]any{
		"username": "mei", "password": "a blue bucket in the yard", "store": "main", "client_id": "a tablet",
	})
	token, _ = signed["access_token"].(string)
	visit := domain.NewID()
	posted(t, r.url+"/v1/visits", token, map[string]any{"id": visit, "plate": "粵A·12345"})
	var picture bytes.Buffer
	if err := samples.PNG(&picture, samples.Quadrants(640, 480)); err != nil {
		t.Fatal(err)
	}
	photo := picture.Bytes()
	body, rest := io.Pipe()
	put, err := http.NewRequest(http.MethodPut, r.url+"/v1/visits/"+visit+"/photos/"+domain.NewID(), body)
	if err != nil {
		t.Fatal(err)
	}
	put.Header.Set("Authorization", "Bearer "+token)
	put.Header.Set("Content-Type", "image/png")
	done := make(chan answered, 1)
	go func() {
		answer, err := http.DefaultClient.Do(put)
		if err != nil {
			done <- answered{err: err}
			return
		}
		_ = answer.Body.Close()
		done <- answered{status: answer.StatusCode}
	}()
	if _, err := rest.Write(photo[:len(photo)/2]); err != nil {
		t.Fatal(err)
	}
	waitUntil(t, func() bool { return strings.Contains(metricsOf(t, r.url), "\nwalkaround_uploads_in_flight 1\n") })
	if err := syscall.Kill(syscall.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	waitUntil(t, func() bool { _, err := http.Get(r.url + "/healthz"); return err != nil }) //nolint:bodyclose // there is none
	if _, err := rest.Write(photo[len(photo)/2:]); err != nil {
		t.Fatal(err)
	}
	_ = rest.Close()
	if got := <-done; got.err != nil || got.status != http.StatusCreated {
		t.Errorf("the upload ends with %d, %v", got.status, got.err)
	}
	if code := r.exit(t); code != exitOK {
		t.Error(code, r.err.String())
	}
	if strings.Contains(r.err.String(), "no blob is swept") {
		t.Error("measuring blobs hides that they can be swept")
	}
}

func metricsOf(t *testing.T, url string) string {
	t.Helper()
	answer, err := http.Get(url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close() //nolint:errcheck // read only
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestWhileMongoDBIsAwayTheProcessIsAliveAndNotReady(t *testing.T) {
	var door net.ListenConfig
	free, err := door.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := free.Addr().String()
	_ = free.Close()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out, code := &lines{url: make(chan string, 1)}, make(chan int, 1)
	away := "WALKAROUND_MONGODB_URI=mongodb://127.0.0.1:1/walkaround?serverSelectionTimeoutMS=200"
	c := call{stdout: out, stderr: out, parts: wired(), environ: []string{away, "WALKAROUND_SECRET=" + strings.Repeat("0f", 32)}}
	go func() { code <- runWith(ctx, []string{"serve", "--addr=" + addr, "--data=" + t.TempDir()}, c) }()
	status := func(path string) int {
		answer, err := http.Get("http://" + addr + path)
		if err != nil {
			return 0
		}
		_ = answer.Body.Close()
		return answer.StatusCode
	}
	waitUntil(t, func() bool { return status("/healthz") == http.StatusOK })
	if got := status("/readyz"); got != http.StatusServiceUnavailable {
		t.Errorf("/readyz is %d", got)
	}
	if got := status("/v1/visits"); got != http.StatusServiceUnavailable {
		t.Errorf("a request is answered %d", got)
	}
	waitUntil(t, func() bool { return strings.Contains(out.String(), "level=WARN") })
	stop()
	if got := <-code; got != exitOK || strings.Contains(out.String(), "listening on") {
		t.Errorf("it ends with %d: %s", got, out)
	}
}
