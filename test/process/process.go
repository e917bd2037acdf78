// Package process runs the program as processes, as its operators do.
//
// Call Serve for a running server, Start for one that can't serve yet, Run for a command that ends. The program is built once
// for all tests of a package, whose TestMain calls Clean at its end. It imports the standard library alone.
package process

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a process may take, on a machine that has much else to do.
const patience = 60 * time.Second

// binary is the program, built at its first use.
var binary = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "walkaround-process-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, "walkaround")
	out, err := exec.CommandContext(context.Background(), "go", "build", "-o", path, "example.com/walkaround/cmd/walkaround").CombinedOutput() //nolint:gosec // our own words
	if err != nil {
		return "", errors.Join(fmt.Errorf("build: %w: %s", err, out), os.RemoveAll(folder))
	}
	return path, nil
})

// Clean removes the program. Nothing can be run afterwards.
func Clean() error {
	path, err := binary()
	if err != nil {
		return nil //nolint:nilerr // then there is nothing to remove, and whoever needed it has failed
	}
	return os.RemoveAll(filepath.Dir(path))
}

// environment is that of the test, without what would configure the program, and with env.
func environment(env []string) []string {
	var all []string
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "WALKAROUND_") {
			all = append(all, e)
		}
	}
	return append(all, env...)
}

// Ran is what a command came to.
type Ran struct {
	Code           int
	Stdout, Stderr string
}

// Run runs the program to its end.
func Run(tb testing.TB, env []string, args ...string) Ran {
	tb.Helper()
	path, err := binary()
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(tb.Context(), 2*patience)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, path, args...) //nolint:gosec // a test's own words
	cmd.Env, cmd.Stdout, cmd.Stderr = environment(env), &stdout, &stderr
	err = cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		tb.Fatal(err)
	}
	return Ran{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// Server is a running `serve`. The system kills it with the process of the test.
type Server struct {
	URL string // http://127.0.0.1:port

	cmd       *exec.Cmd
	said      output
	listening chan struct{} // closed once it says so
	ended     chan struct{} // closed once it has ended with err
	err       error
}

// Start runs `serve` at an address, as 127.0.0.1:4711, with settings such as WALKAROUND_SECRET=…, until tb ends.
func Start(tb testing.TB, address string, env ...string) *Server {
	tb.Helper()
	path, err := binary()
	if err != nil {
		tb.Fatal(err)
	}
	s := &Server{URL: "http://" + address, listening: make(chan struct{}), ended: make(chan struct{})}
	s.cmd = exec.Command(path, "serve", "--addr="+address) //nolint:gosec,noctx // a test's own words; Kill ends it
	s.cmd.Env, s.cmd.Stderr = environment(env), &s.said
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	started := make(chan error)
	go s.follow(stdout, started)
	if err := <-started; err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.Kill)
	return s
}

// follow runs the process. The system kills it with the thread that started it, which is held until then.
func (s *Server) follow(stdout io.Reader, started chan<- error) {
	runtime.LockOSThread()
	defer close(s.ended)
	err := s.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "listening on ") {
			close(s.listening)
		}
	}
	s.err = s.cmd.Wait()
}

// Serve is Start that waits until the server listens.
func Serve(tb testing.TB, address string, env ...string) *Server {
	tb.Helper()
	s := Start(tb, address, env...)
	s.Wait(tb)
	return s
}

// Wait waits until the server listens. It ends the test where it never does.
func (s *Server) Wait(tb testing.TB) {
	tb.Helper()
	select {
	case <-s.listening:
	case <-s.ended:
		tb.Fatalf("it ended before it listened: %v: %s", s.err, s.Said())
	case <-time.After(patience):
		tb.Fatalf("it does not listen: %s", s.Said())
	}
}

// Said is what it has written to its standard error.
func (s *Server) Said() string { return s.said.String() }

// Ended says whether it has ended, and with what.
func (s *Server) Ended() (ended bool, err error) {
	select {
	case <-s.ended:
		return true, s.err
	default:
		return false, nil
	}
}

// Kill ends it as a power cut would, and waits until it is gone.
func (s *Server) Kill() {
	_ = s.cmd.Process.Kill() // it may be gone already
	<-s.ended
}

// Stop ends it in order. It ends the test where that fails.
func (s *Server) Stop(tb testing.TB) {
	tb.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		tb.Fatal(err)
	}
	<-s.ended
	if s.err != nil {
		tb.Fatalf("stopped with %v: %s", s.err, s.Said())
	}
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
