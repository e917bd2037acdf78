package cluster

import (
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/walkaround/test/harness"
	"example.com/walkaround/test/minioserver"
	"example.com/walkaround/test/mongoserver"
	"example.com/walkaround/test/process"
)

const (
	adminPassword = "nine kites over a quiet harbour"
	bucket        = "walkaround-cluster-test"
)

// TestMain lets the houses of these tests lie on the servers too, where they can be had. All tests run at once, however few
// processors there are: most of the time they wait.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "8"); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	if path, err := minioserver.Path(); err == nil {
		if _, err := os.Stat(path); err == nil {
			_ = os.Setenv("WALKAROUND_TEST_STORAGE", "cluster") // of this process, before anything runs
		}
	}
	code := harness.Main(m)
	if err := process.Clean(); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// place is a database and a bucket of their own, each behind a line that can be cut.
type place struct {
	documents, files *line
	minio            *minioserver.Server
	env              []string
}

func newPlace(t *testing.T) *place {
	t.Helper()
	minioserver.Need(t)
	server := mongoserver.Start(t)
	p := &place{minio: minioserver.Start(t, minioserver.Options{})}
	mongodb, err := url.Parse(server.URI)
	ok(t, err)
	first, _, _ := strings.Cut(mongodb.Host, ",")
	p.documents = newLine(t, first)
	mongodb.Host, mongodb.Path, mongodb.RawQuery = p.documents.address, "/"+server.Database(t), "directConnection=true"
	p.files = newLine(t, strings.TrimPrefix(p.minio.URL, "http://"))
	files := url.URL{
		Scheme: "http", User: url.UserPassword(p.minio.AccessKey, p.minio.SecretKey), Host: p.files.address, Path: bucket,
		RawQuery: "lock=governance",
	}
	p.env = []string{
		"WALKAROUND_MONGODB_URI=" + mongodb.String(), "WALKAROUND_MINIO_URL=" + files.String(), "WALKAROUND_SECRET=" + strings.Repeat("a5", 32),
		"WALKAROUND_ADMIN_PASSWORD=" + adminPassword, "WALKAROUND_LOG_FORMAT=json", "WALKAROUND_DATA=" + t.TempDir(),
	}
	return p
}

// clean runs `walkaround check`, which must find nothing.
func (p *place) clean(t *testing.T) {
	t.Helper()
	if got := process.Run(t, p.env, "check"); got.Code != 0 {
		t.Errorf("check: %d %s%s", got.Code, got.Stdout, got.Stderr)
	}
}

// freeAddress is one that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	ok(t, l.Close())
	return l.Addr().String()
}

// line passes bytes between clients and a server, until it is cut or falls silent.
type line struct {
	address, server string

	mu     sync.Mutex
	listen net.Listener
	conns  []net.Conn
	silent sync.RWMutex // whoever passes bytes on holds it for reading
}

func newLine(t *testing.T, server string) *line {
	t.Helper()
	l := &line{server: server, address: "127.0.0.1:0"}
	l.up(t)
	l.address = l.listen.Addr().String()
	t.Cleanup(l.cut)
	return l
}

// cut ends all connections and refuses new ones.
func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.listen.Close() // it may be closed
	for _, c := range l.conns {
		_ = c.Close() // likewise
	}
	l.conns = nil
}

// up serves again at the same address.
func (l *line) up(t *testing.T) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	listen, err := net.Listen("tcp", l.address)
	ok(t, err)
	l.listen = listen
	go l.accept(listen)
}

func (l *line) accept(listen net.Listener) {
	for {
		client, err := listen.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", l.server)
		if err != nil {
			_ = client.Close() // as if nobody were there
			continue
		}
		l.mu.Lock()
		l.conns = append(l.conns, client, server)
		l.mu.Unlock()
		go l.pass(client, server)
		go l.pass(server, client)
	}
}

// pass copies until either side ends, and then ends both.
func (l *line) pass(from, to net.Conn) {
	for buffer := make([]byte, 64<<10); ; {
		n, err := from.Read(buffer)
		l.silent.RLock()
		_, failed := to.Write(buffer[:n])
		l.silent.RUnlock()
		if err != nil || failed != nil {
			_, _ = from.Close(), to.Close() // the other way may have done so
			return
		}
	}
}

// outage is a way in which a server goes away.
type outage struct {
	name string
	away func(*line)
	back func(*testing.T, *line)
}

func outages() []outage {
	return []outage{
		{"refuses connections", (*line).cut, func(t *testing.T, l *line) { t.Helper(); l.up(t) }},
		{"is silent", func(l *line) { l.silent.Lock() }, func(_ *testing.T, l *line) { l.silent.Unlock() }},
	}
}

// balancer spreads requests over replicas in turn. A replica that refuses the connection is passed over, for nothing was sent
// to it; where a connection breaks later the client gets a 502 and may send again.
type balancer struct {
	replicas []string // host:port
	turn     atomic.Int64
	http.Transport
}

// newBalancer gives the address at which the balancer of some replicas serves.
func newBalancer(t *testing.T, replicas ...string) string {
	t.Helper()
	b := &balancer{replicas: replicas, Transport: http.Transport{MaxIdleConnsPerHost: 32, DisableCompression: true}}
	door := httptest.NewServer(&httputil.ReverseProxy{
		Transport:    b,
		Rewrite:      func(*httputil.ProxyRequest) {},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
		ErrorLog:     quiet(),
	})
	t.Cleanup(func() {
		door.Close()
		b.CloseIdleConnections()
	})
	return door.URL
}

// RoundTrip sends a request to the replica whose turn it is, or to the next that takes the connection.
func (b *balancer) RoundTrip(r *http.Request) (answer *http.Response, err error) {
	for range b.replicas {
		r = r.Clone(r.Context())
		r.URL.Scheme, r.URL.Host = "http", b.replicas[int(b.turn.Add(1))%len(b.replicas)]
		if r.Body != nil {
			r.Body = io.NopCloser(r.Body) // a refused connection must not close it
		}
		if answer, err = b.Transport.RoundTrip(r); !refused(err) {
			break
		}
	}
	return answer, err
}

// within waits until something holds. It ends the test where that takes too long, and says how long it took.
func within(t *testing.T, limit time.Duration, what string, holds func() bool) time.Duration {
	t.Helper()
	start := time.Now()
	for time.Since(start) < limit {
		if holds() {
			return time.Since(start).Round(time.Millisecond)
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("not within %s: %s", limit, what)
	return 0
}
