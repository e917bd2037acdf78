package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// patience is how long a process may take for what takes no time.
const patience = 20 * time.Second

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"walkaround": main})
}

// TestScripts runs the command lines of testdata/script against the real binary.
//
//	start ARGS…   runs walkaround in the background until it says where it listens: then $URL, and $CA if it has a page
//	stop          sends SIGTERM; the exit code must be 0; leaves its output in the files out and err
//	get URL       leaves body and status in the file answer; trusts the CA in the file ca.crt, if it is there
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(e *testscript.Env) error {
			e.Values["running"] = &running{}
			return nil
		},
		Condition: func(name string) (bool, error) { return name == "root" && os.Getuid() == 0, nil },
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"start": start,
			"stop":  stop,
			"get":   get,
		},
	})
}

// running is the process of start.
type running struct {
	cmd *exec.Cmd
	out bytes.Buffer
	err bytes.Buffer
	eof chan struct{}
}

// runningOf is the script's own process.
func runningOf(ts *testscript.TestScript) *running {
	r, ok := ts.Value("running").(*running)
	if !ok {
		ts.Fatalf("Setup did not put running there")
	}
	return r
}

func start(ts *testscript.TestScript, _ bool, args []string) {
	r := runningOf(ts)
	r.cmd, r.eof = exec.Command("walkaround", args...), make(chan struct{})
	path, err := lookPath(ts.Getenv("PATH"))
	ts.Check(err)
	r.cmd.Path, r.cmd.Dir, r.cmd.Stderr, r.cmd.Err = path, ts.MkAbs("."), &r.err, nil
	r.cmd.Env = []string{"PATH=" + ts.Getenv("PATH"), "HOME=" + ts.Getenv("HOME"), "TMPDIR=" + ts.Getenv("TMPDIR")}
	out, err := r.cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(r.cmd.Start())
	ts.Defer(func() { _ = r.cmd.Process.Kill() })
	r.read(ts, bufio.NewReader(out), strings.Contains(strings.Join(args, " "), "--tls=local"))
}

// read takes lines until the last that is promised, and the rest in the background.
func (r *running) read(ts *testscript.TestScript, out *bufio.Reader, page bool) {
	timer := time.AfterFunc(patience, func() { _ = r.cmd.Process.Kill() })
	defer timer.Stop()
	for {
		line, err := out.ReadString('\n')
		r.out.WriteString(line)
		if err != nil {
			_ = r.cmd.Wait()
			ts.Fatalf("it ended before it listened: %s%s", r.out.String(), r.err.String())
		}
		if url, ok := strings.CutPrefix(line, "listening on "); ok {
			ts.Setenv("URL", strings.TrimSpace(url))
			ts.Setenv("ADDR", line[strings.Index(line, "://")+3:len(line)-1])
		}
		if url, ok := strings.CutPrefix(line, "tablets install the store CA from "); ok {
			ts.Setenv("CA", strings.TrimSpace(url))
		}
		if ts.Getenv("URL") != "" && (!page || ts.Getenv("CA") != "") {
			break
		}
	}
	go func() {
		_, _ = io.Copy(&r.out, out)
		close(r.eof)
	}()
}

func stop(ts *testscript.TestScript, _ bool, _ []string) {
	r := runningOf(ts)
	ts.Check(r.cmd.Process.Signal(syscall.SIGTERM))
	timer := time.AfterFunc(patience, func() { _ = r.cmd.Process.Kill() })
	defer timer.Stop()
	<-r.eof
	if err := r.cmd.Wait(); err != nil {
		ts.Fatalf("stopped with %v: %s", err, r.err.String())
	}
	ts.Setenv("URL", "")
	ts.Setenv("CA", "")
	ts.Check(os.WriteFile(ts.MkAbs("out"), r.out.Bytes(), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs("err"), r.err.Bytes(), 0o600))
}

func get(ts *testscript.TestScript, _ bool, args []string) {
	client := &http.Client{
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted(ts)}, ForceAttemptHTTP2: true, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, args[0], nil)
	ts.Check(err)
	res, err := client.Do(req)
	ts.Check(err)
	var b bytes.Buffer
	_, err = io.Copy(&b, res.Body)
	ts.Check(errors.Join(err, res.Body.Close()))
	ts.Check(os.WriteFile(ts.MkAbs("body"), b.Bytes(), 0o600))
	b.WriteString("\n" + res.Proto + " " + res.Status + "\n")
	ts.Check(res.Header.Write(&b))
	ts.Check(os.WriteFile(ts.MkAbs("answer"), b.Bytes(), 0o600))
}

// trusted is the store CA, once the script has saved it.
func trusted(ts *testscript.TestScript) *x509.CertPool {
	pool := x509.NewCertPool()
	if der, err := os.ReadFile(ts.MkAbs("ca.crt")); err == nil {
		cert, err := x509.ParseCertificate(der)
		ts.Check(err)
		pool.AddCert(cert)
	}
	return pool
}

// lookPath finds the binary in the script's own path.
func lookPath(path string) (string, error) {
	for _, folder := range filepath.SplitList(path) {
		if full, err := exec.LookPath(filepath.Join(folder, "walkaround")); err == nil {
			return full, nil
		}
	}
	return "", exec.ErrNotFound
}
