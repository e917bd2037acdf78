// Package minioserver runs a real MinIO server for tests.
//
// Call Start, or External first where a server given by MINIO_TEST_ENDPOINT serves as well. The server is a program of
// its own: `go run ./test/minioserver/build` compiles it on the machine of whoever tests, from its own module, and keeps it in
// the user's cache by version. MinIO is under the AGPL; nothing of it is imported by, linked into or shipped with Walkaround.
//
// It imports the standard library alone.
package minioserver

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

// What a server that Start started lets in.
const (
	AccessKey = "walkaround-test"
	SecretKey = "only-for-tests"
)

// patience is how long a server may take to answer, on a machine that has much else to do.
const patience = 60 * time.Second

// Options change how a server is started.
type Options struct {
	Encrypts bool  // it has a key for SSE-S3
	Bytes    int64 // its disk is of this size; 0: the machine's
}

// Server is a MinIO server on a free port of this machine.
type Server struct {
	URL       string
	AccessKey string
	SecretKey string

	folder  string
	options Options
	address string
	cmd     *exec.Cmd
	said    output
	ended   chan struct{}
}

// External is the server that MINIO_TEST_ENDPOINT, _ACCESS_KEY and _SECRET_KEY name, if they do.
func External() (*Server, bool) {
	s := &Server{
		URL:       os.Getenv("MINIO_TEST_ENDPOINT"),                      //nolint:forbidigo // a test's setting
		AccessKey: cmp.Or(os.Getenv("MINIO_TEST_ACCESS_KEY"), AccessKey), //nolint:forbidigo // a test's setting
		SecretKey: cmp.Or(os.Getenv("MINIO_TEST_SECRET_KEY"), SecretKey), //nolint:forbidigo // a test's setting
	}
	return s, s.URL != ""
}

// Start runs a server on an empty folder until the test ends. Where the binary is absent the test is skipped, or fails
// under WALKAROUND_NO_SKIP=1.
func Start(tb testing.TB, o Options) *Server {
	tb.Helper()
	Need(tb)
	if _, err := exec.LookPath("unshare"); err != nil && o.Bytes > 0 {
		cannot(tb, "a small disk needs unshare: %v", err)
	}
	s, err := Launch(tb.Context(), tb.TempDir(), o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.Kill)
	return s
}

// Need ends a test as Start does where the binary is absent.
func Need(tb testing.TB) {
	tb.Helper()
	path, err := Path()
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		cannot(tb, "the MinIO server is not built (go run ./test/minioserver/build): %v", err)
	}
}

// Launch is Start for what outlives a test: the caller kills the server, and then removes the folder.
func Launch(ctx context.Context, folder string, o Options) (*Server, error) {
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	s := &Server{URL: "http://" + address, AccessKey: AccessKey, SecretKey: SecretKey, folder: folder, options: o, address: address}
	return s, s.Run(ctx)
}

// cannot ends a test that this machine can't run: skipped, or failed where everything must run.
func cannot(tb testing.TB, format string, args ...any) {
	tb.Helper()
	if os.Getenv("WALKAROUND_NO_SKIP") == "1" { //nolint:forbidigo // a test's setting
		tb.Fatalf("it must run here, but "+format, args...)
	}
	tb.Skipf(format, args...)
}

// freeAddress is one that nobody listens on.
func freeAddress(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// Run starts the server again after Kill, and waits until it answers.
func (s *Server) Run(ctx context.Context) error {
	path, err := Path()
	if err != nil {
		return err
	}
	s.cmd = s.command(path)
	s.cmd.Env = append(os.Environ(), "MINIO_ROOT_USER="+s.AccessKey, "MINIO_ROOT_PASSWORD="+s.SecretKey,
		"MINIO_BROWSER=off", "MINIO_UPDATE=off", "HOME="+s.folder,
		"MINIO_API_DELETE_CLEANUP_INTERVAL=1s") // what is deleted lies in a bin, for five minutes by default
	if s.options.Encrypts {
		s.cmd.Env = append(s.cmd.Env, "MINIO_KMS_SECRET_KEY=test:OSMM+vkKUTCvQs9YL/CVMIMt43HFhkUpqJxTmGl6rYw=")
	}
	s.cmd.Stdout, s.cmd.Stderr = &s.said, &s.said
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	s.ended = make(chan struct{})
	started := make(chan error)
	go follow(s.cmd, started, s.ended)
	if err := <-started; err != nil {
		return err
	}
	if err := s.wait(ctx); err != nil {
		s.Kill()
		return fmt.Errorf("%w; it said:\n%s", err, s.said.String())
	}
	return nil
}

// Disk is the folder in which the server keeps its buckets; nothing for one elsewhere.
func (s *Server) Disk() string {
	if s.folder == "" {
		return ""
	}
	return s.folder + "/disk"
}

// EmptyBin deletes for good what was deleted. The server does so every second, but every five minutes when it read that
// setting too late.
func (s *Server) EmptyBin() error {
	disk := s.Disk()
	if s.options.Bytes > 0 { // mounted where only the server sees it
		disk = fmt.Sprintf("/proc/%d/root%s", s.cmd.Process.Pid, disk)
	}
	deleted, err := filepath.Glob(disk + "/.minio.sys/tmp/.trash/*")
	for _, path := range deleted {
		err = errors.Join(err, os.RemoveAll(path))
	}
	return err
}

// follow runs cmd. The system kills it with the thread that started it, so that it never outlives the test's process; that
// thread is held until then.
func follow(cmd *exec.Cmd, started chan<- error, ended chan<- struct{}) {
	runtime.LockOSThread()
	defer close(ended)
	err := cmd.Start()
	started <- err
	if err == nil {
		_ = cmd.Wait() // it is killed, or what it said tells
	}
}

// command is what runs the server. A small disk is a file system in memory, mounted where only the server sees it.
func (s *Server) command(path string) *exec.Cmd {
	args := []string{path, "server", "--quiet", "--address", s.address, s.Disk()}
	if s.options.Bytes > 0 {
		script := `mkdir -p "$0" && mount -t tmpfs -o size=` + strconv.FormatInt(s.options.Bytes, 10) + ` tmpfs "$0" && exec "$@"`
		args = append([]string{"unshare", "-Urm", "sh", "-c", script, s.Disk()}, args...)
	}
	return exec.Command(args[0], args[1:]...) //nolint:gosec,noctx // our own words; Kill ends it
}

// wait asks the server until it says that it is ready.
func (s *Server) wait(ctx context.Context) error {
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	client := &http.Client{Timeout: time.Second}
	defer client.CloseIdleConnections()
	for tick := time.NewTicker(20 * time.Millisecond); ; {
		if ready(ctx, client, s.URL+"/minio/health/cluster") {
			return nil
		}
		select {
		case <-s.ended:
			return errors.New("the server has ended")
		case <-ctx.Done():
			return fmt.Errorf("the server is not ready: %w", ctx.Err())
		case <-tick.C:
		}
	}
}

func ready(ctx context.Context, client *http.Client, url string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return false
	}
	answer, err := client.Do(request)
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return errors.Join(err, answer.Body.Close()) == nil && answer.StatusCode == http.StatusOK
}

// Kill ends the server at once, as a crash would, and waits until it is gone.
func (s *Server) Kill() {
	_ = s.cmd.Process.Kill() // it may be gone already
	<-s.ended
}

// output is what a process wrote, readable while it writes.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write appends p.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

// String is all that was written.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}
