package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/walkaround/api"
	"example.com/walkaround/cmd/walkaround/config"
	"example.com/walkaround/storage"
)

// fake is a server that tells what was done to it, in order.
type fake struct {
	materials
	mu      sync.Mutex
	done    []string
	handler http.Handler
	refuse  error
	watched bool
}

func (f *fake) note(what string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.done = append(f.done, what)
}

func (f *fake) Handler() http.Handler { return f.handler }

func (f *fake) EnsureFirst(_ context.Context, password string) (created bool, used string, err error) {
	f.note("first")
	if password == "" {
		password = "made-up-password"
	}
	return true, password, f.refuse
}

func (f *fake) Start(ctx context.Context) {
	f.note("start")
	context.AfterFunc(ctx, func() { f.note("background told to end") })
}

func (f *fake) Drain() bool { return f.watched }

func (f *fake) Close(ctx context.Context) error {
	f.note("close")
	return errors.Join(ctx.Err(), f.engine.Ping(ctx))
}

// inProcess is a serve or demo that runs in the test.
type inProcess struct {
	url    string
	out    *lines
	err    bytes.Buffer
	cancel context.CancelFunc
	code   chan int
}

// lines is a writer that tells when the address was printed.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
	url  chan string
	told bool
}

var listening = regexp.MustCompile(`(?m)^listening on (.*)$`)

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, err := l.text.Write(p)
	if m := listening.FindStringSubmatch(l.text.String()); m != nil && !l.told {
		l.told = true
		l.url <- m[1]
	}
	return n, err
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (f *fake) parts() parts {
	return parts{
		newServer: func(_ context.Context, m materials) (server, error) {
			f.materials = m
			return f, nil
		},
		opening: func(*slog.Logger) http.Handler { return http.NotFoundHandler() },
	}
}

func startInProcess(t *testing.T, p parts, args ...string) *inProcess {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r := &inProcess{out: &lines{url: make(chan string, 1)}, cancel: cancel, code: make(chan int, 1)}
	args = append(args, "--addr=127.0.0.1:0", "--data="+filepath.Join(t.TempDir(), "data"))
	go func() {
		r.code <- runWith(ctx, args, call{stdout: r.out, stderr: &r.err, parts: p, pause: func(time.Duration) {}})
	}()
	select {
	case r.url = <-r.out.url:
	case code := <-r.code:
		r.code <- code
	case <-time.After(patience):
		t.Fatal("it neither listened nor ended")
	}
	t.Cleanup(cancel)
	return r
}

func (r *inProcess) exit(t *testing.T) int {
	t.Helper()
	select {
	case code := <-r.code:
		return code
	case <-time.After(patience):
		t.Fatal("it did not end")
		return -1
	}
}

func TestServeLetsRequestsEndBeforeItCloses(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	f := &fake{}
	f.handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-release
		f.note("answered")
		_, _ = io.WriteString(w, "whole")
	})
	r := startInProcess(t, f.parts(), "serve")
	answer := make(chan string, 1)
	go func() {
		res, err := http.Get(r.url)
		if err != nil {
			answer <- err.Error()
			return
		}
		body, err := io.ReadAll(res.Body)
		answer <- string(body) + errorText(errors.Join(err, res.Body.Close()))
	}()
	<-entered
	r.cancel()
	waitUntil(t, func() bool { _, err := http.Get(r.url); return err != nil }) //nolint:bodyclose // there is none
	close(release)
	if got := <-answer; got != "whole" {
		t.Errorf("the request under way got %q", got)
	}
	if code := r.exit(t); code != exitOK {
		t.Errorf("it ended with %d: %s", code, r.err.String())
	}
	waitUntil(t, func() bool { f.mu.Lock(); defer f.mu.Unlock(); return len(f.done) == 5 })
	if got := strings.Join(f.done[:3], ", "); got != "first, start, answered" {
		t.Errorf("it went %v", f.done)
	}
	if err := f.engine.Ping(t.Context()); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("the storage was left open: %v", err)
	}
}

func TestServePrintsAMadeUpPasswordOnce(t *testing.T) {
	for name, c := range map[string]struct {
		args  []string
		count int
	}{
		"made up": {nil, 1},
		"given":   {[]string{"--admin-password=four paper cranes"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fake{handler: http.NotFoundHandler()}
			r := startInProcess(t, f.parts(), append([]string{"serve"}, c.args...)...)
			r.cancel()
			if code := r.exit(t); code != exitOK {
				t.Fatal(code, r.err.String())
			}
			all := r.out.String() + r.err.String()
			if got := strings.Count(all, "made-up-password"); got != c.count || strings.Contains(all, "paper cranes") {
				t.Errorf("printed %d times:\n%s", got, all)
			}
			if strings.Count(r.out.String(), "listening on ") != 1 {
				t.Errorf("it says\n%s", r.out.String())
			}
		})
	}
}

func TestServeTellsWhatFailed(t *testing.T) {
	f := &fake{refuse: errors.New("no account could be made"), handler: http.NotFoundHandler()}
	r := startInProcess(t, f.parts(), "serve")
	if code := r.exit(t); code != exitFailed || r.err.String() != "walkaround: no account could be made\n" {
		t.Errorf("%d %q", code, r.err.String())
	}
	if got := strings.Join(f.done, ", "); got != "first, close" {
		t.Errorf("it went %s", got)
	}
}

func TestServeGivesTheSameSecretAgain(t *testing.T) {
	folder := t.TempDir()
	first, err := secretOf(config.Config{Data: folder})
	if err != nil || len(first) != config.SecretBytes {
		t.Fatal(first, err)
	}
	second, err := secretOf(config.Config{Data: folder})
	if err != nil || !bytes.Equal(first, second) {
		t.Error("another start has another secret", err)
	}
	given := bytes.Repeat([]byte{7}, config.SecretBytes)
	if got, err := secretOf(config.Config{Data: folder, Secret: given}); err != nil || !bytes.Equal(got, given) {
		t.Error("the configured one does not count", err)
	}
}

func TestSecretHasOneMaker(t *testing.T) {
	folder := t.TempDir()
	var different atomic.Pointer[[]byte]
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			s, err := secretOf(config.Config{Data: folder})
			if err != nil {
				t.Error(err)
			}
			if !different.CompareAndSwap(nil, &s) && !bytes.Equal(*different.Load(), s) {
				t.Error("two starts at once have two secrets")
			}
		})
	}
	wait.Wait()
}

func TestDemoPrintsItsAccounts(t *testing.T) {
	f := &fake{handler: http.NotFoundHandler()}
	p := f.parts()
	p.seed = func(context.Context, server, string, func(string)) ([]account, error) {
		return []account{{"mei", "spring-4711", "林美", "advisor"}, {"supervisor", "summer-4712", "陳立", "supervisor"}}, nil
	}
	r := startInProcess(t, p, "demo")
	r.cancel()
	if code := r.exit(t); code != exitOK {
		t.Fatal(code, r.err.String())
	}
	want := "USER NAME    PASSWORD      ROLES        NAME\n" +
		"mei          spring-4711   advisor      林美\n" +
		"supervisor   summer-4712   supervisor   陳立\n"
	if !strings.HasPrefix(r.out.String(), want) {
		t.Errorf("it says\n%s", r.out.String())
	}
	if f.done[0] != "start" {
		t.Errorf("it made accounts of its own: %v", f.done)
	}
}

func TestDemoStaysOnThisMachine(t *testing.T) {
	p := (&fake{}).parts()
	p.seed = func(context.Context, server, string, func(string)) ([]account, error) {
		return nil, errors.New("it was opened")
	}
	for _, args := range [][]string{
		{"demo", "--addr=:8080"},
		{"demo", "--addr=0.0.0.0:0"},
		{"demo", "--addr=192.168.1.5:0"},
		{"demo", "--addr=lane.example.com:0"},
		{"demo", "--addr=localhost:0", "--tls=local", "--ca-addr=:0"},
	} {
		var out, err bytes.Buffer
		if code := runWith(t.Context(), args, call{stdout: &out, stderr: &err, parts: p}); code != exitUsage || !strings.Contains(err.String(), "demo") {
			t.Errorf("%v: %d %s", args, code, err.String())
		}
	}
	for _, addr := range []string{"127.0.0.1:0", "127.8.8.8:1", "[::1]:0", "localhost:0"} {
		if !loopback(addr) {
			t.Errorf("%s is refused", addr)
		}
	}
}

func TestCheckExitCodes(t *testing.T) {
	row, note := api.Finding{Kind: "row", Where: "x", What: "it is gone"}, api.Finding{Kind: "key", Where: "y", What: "old", Note: true}
	for name, c := range map[string]struct {
		found  []api.Finding
		err    error
		flags  []string
		code   int
		out    string
		stderr string
	}{
		"clean":        {nil, nil, nil, 0, "Nothing is damaged.\n", ""},
		"a note":       {[]api.Finding{note}, nil, nil, 0, "note: key y: old\nNothing is damaged.\n", ""},
		"findings":     {[]api.Finding{row, note, row}, nil, nil, 1, "row x: it is gone\nnote: key y: old\nrow x: it is gone\n2 findings.\n", ""},
		"could not":    {nil, errors.New("no such folder"), nil, 2, "", "walkaround: no such folder\n"},
		"ended midway": {[]api.Finding{row}, errors.New("disk gone"), nil, 2, "row x: it is gone\n", "walkaround: disk gone\n"},
		"clean, JSON":  {nil, nil, []string{"--json"}, 0, "{\"findings\":0}\n", ""},
		"findings, JSON": {
			[]api.Finding{row},
			nil,
			[]string{"--json"},
			1,
			"{\"kind\":\"row\",\"where\":\"x\",\"what\":\"it is gone\",\"note\":false}\n{\"findings\":1}\n", "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := parts{check: func(_ context.Context, _ config.Config, _ *slog.Logger, tell func(api.Finding) error) error {
				for _, f := range c.found {
					if err := tell(f); err != nil {
						return err
					}
				}
				return c.err
			}}
			var out, stderr bytes.Buffer
			code := runWith(t.Context(), append([]string{"check", "--data=d"}, c.flags...), call{stdout: &out, stderr: &stderr, parts: p})
			if code != c.code || out.String() != c.out || stderr.String() != c.stderr {
				t.Errorf("%d %q %q", code, out.String(), stderr.String())
			}
		})
	}
}

func TestPageAddrIsThePortAfter(t *testing.T) {
	for addr, want := range map[string]string{
		"127.0.0.1:8080": "127.0.0.1:8081", ":443": ":444", "[::1]:9": "[::1]:10", "127.0.0.1:0": "127.0.0.1:0", ":65535": ":0",
	} {
		if got := (&door{cfg: config.Config{Addr: addr}}).pageAddr(); got != want {
			t.Errorf("%s: %s, want %s", addr, got, want)
		}
	}
	if got := (&door{cfg: config.Config{Addr: ":1", CAAddr: ":80"}}).pageAddr(); got != ":80" {
		t.Errorf("the configured one does not count: %s", got)
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// waitUntil asks again and again, and fails after a while.
func waitUntil(t *testing.T, ready func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ready(); {
		if time.Now().After(end) {
			t.Fatal("it never came true")
		}
		time.Sleep(time.Millisecond)
	}
}
