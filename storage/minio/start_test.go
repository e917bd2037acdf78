package minio_test

import (
	"context"
	"encoding/pem"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	client "github.com/minio/minio-go/v7"

	"example.com/walkaround/storage"
	"example.com/walkaround/storage/minio"
	"example.com/walkaround/test/minioserver"
)

func TestSettingsAreRefusedInOneErrorThatNamesEachFault(t *testing.T) {
	good := minio.Config{Endpoint: "http://127.0.0.1:9000", Bucket: "blobs", AccessKey: "a", SecretKey: "s"}
	if err := good.Check(); err != nil {
		t.Errorf("good settings: %v", err)
	}
	for name, c := range map[string]struct {
		change func(*minio.Config)
		want   []string
	}{
		"no scheme":        {func(c *minio.Config) { c.Endpoint = "127.0.0.1:9000" }, []string{"endpoint"}},
		"another scheme":   {func(c *minio.Config) { c.Endpoint = "ftp://minio" }, []string{"endpoint"}},
		"a path":           {func(c *minio.Config) { c.Endpoint = "http://minio/bucket" }, []string{"endpoint"}},
		"keys in the URL":  {func(c *minio.Config) { c.Endpoint = "http://a:s@minio" }, []string{"endpoint"}},
		"a bad bucket":     {func(c *minio.Config) { c.Bucket = "Blobs_" }, []string{"bucket"}},
		"no key":           {func(c *minio.Config) { c.SecretKey = "" }, []string{"secret key"}},
		"an unknown lock":  {func(c *minio.Config) { c.Lock = "strong" }, []string{"lock"}},
		"a CA for http":    {func(c *minio.Config) { c.CA = []byte("x") }, []string{"https"}},
		"several":          {func(c *minio.Config) { *c = minio.Config{Lock: "x"} }, []string{"endpoint", "bucket", "secret key", "lock"}},
		"a CA that is not": {func(c *minio.Config) { c.Endpoint, c.CA = "https://minio", []byte("x") }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			changed := good
			c.change(&changed)
			said := changed.Check()
			for _, want := range c.want {
				if said == nil || !strings.Contains(said.Error(), want) {
					t.Errorf("got %v, want it to name %q", said, want)
				}
			}
			if _, err := minio.Open(t.Context(), changed, time.Now); err == nil {
				t.Error("the store opens")
			}
		})
	}
}

// refused holds that a store does not open, that it does not wait, and that it says why in one line.
func refused(t *testing.T, c minio.Config, want string) error {
	t.Helper()
	var log strings.Builder
	c.Log = slog.New(slog.NewTextHandler(&log, nil))
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	_, err := minio.Open(ctx, c, time.Now)
	if log.Len() > 0 {
		t.Errorf("it waits for what does not mend itself: %s", log.String())
	}
	if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v, want one line with %q", err, want)
	}
	return err
}

func TestStart(t *testing.T) {
	t.Parallel()
	srv := server(t)
	for name, run := range map[string]func(*testing.T, *minioserver.Server){
		"an unknown access key":                       unknownKey,
		"a wrong secret key":                          wrongSecret,
		"a clock off by 20 minutes":                   skewedClock,
		"a bucket without a lock":                     lockless,
		"a bucket that locks everything":              lockedWhole,
		"a server that does not keep locks":           forgetful,
		"a server whose locks can be passed by":       weak,
		"trials of former starts go":                  cleaned,
		"a server that encrypts nothing":              plain,
		"several at once, and again":                  together,
		"reading only makes and changes nothing":      readOnly,
		"a lock stays where the setting is withdrawn": withdrawn,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, srv)
		})
	}
}

func unknownKey(t *testing.T, srv *minioserver.Server) {
	t.Helper()
	c := settings(t, srv)
	c.AccessKey = "nobody"
	wantError(t, refused(t, c, "does not know the access key"), storage.ErrUnavailable)
}

func wrongSecret(t *testing.T, srv *minioserver.Server) {
	t.Helper()
	c := settings(t, srv)
	c.SecretKey = "wrong-secret"
	wantError(t, refused(t, c, "the secret key is not the access key's"), storage.ErrUnavailable)
}

// In a bubble the clock stands where it was put: the client signs with a time that is 20 minutes off.
func skewedClock(t *testing.T, srv *minioserver.Server) {
	t.Helper()
	c := settings(t, srv)
	start := time.Now()
	for name, off := range map[string]time.Duration{"late": -20 * time.Minute, "early": 20 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(time.Until(start.Add(off)))
				err := refused(t, c, "the clocks differ by more than 15 minutes (here it is "+time.Now().UTC().Format("2006-01-02T15:04"))
				wantError(t, err, storage.ErrUnavailable)
			})
		})
	}
	t.Run("in traffic", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(time.Until(start))
			s := open(t, c)
			key := put(t, s, "before").Key
			if err := s.Close(); err != nil { // a connection that waits for its server would hold the clock
				t.Fatal(err)
			}
			time.Sleep(20 * time.Minute)
			_, err := s.Put(t.Context(), "main", strings.NewReader("after"), 10, nil)
			wantError(t, err, storage.ErrUnavailable)
			_, err = s.Stat(t.Context(), key)
			wantError(t, err, storage.ErrUnavailable)
		})
	})
}

func lockless(t *testing.T, srv *minioserver.Server) {
	t.Helper()
	c := settings(t, srv)
	open(t, c)
	c.Lock = minio.LockCompliance
	_ = refused(t, c, "the bucket has no object lock, but the lock is set to compliance")
}

func lockedWhole(t *testing.T, srv *minioserver.Server) {
	t.Helper()
	c := settings(t, srv)
	c.Lock = minio.LockGovernance
	open(t, c)
	mode, days, unit := client.Governance, uint(1), client.Days
	if err := bare(t, srv).SetObjectLockConfig(t.Context(), c.Bucket, &mode, &days, &unit); err != nil {
		t.Fatal(err)
	}
	_ = refused(t, c, "take its default retention away")
}

// proxy stands before a server and may answer in its stead.
func proxy(t *testing.T, srv *minioserver.Server, before func(http.ResponseWriter, *http.Request) (answered bool)) *minioserver.Server {
	t.Helper()
	front := httptest.NewServer(passing(t, srv, before))
	t.Cleanup(front.Close)
	return &minioserver.Server{URL: front.URL, AccessKey: srv.AccessKey, SecretKey: srv.SecretKey}
}

// passing hands to a server what before does not answer.
func passing(t *testing.T, srv *minioserver.Server, before func(http.ResponseWriter, *http.Request) (answered bool)) http.Handler {
	t.Helper()
	to, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	behind := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host // it is signed
	}}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !before(w, r) {
			behind.ServeHTTP(w, r)
		}
	})
}

// teller is a log, and a channel of its lines.
func teller() (*slog.Logger, <-chan string) {
	lines := make(chan string, 100)
	return slog.New(slog.NewTextHandler(told(lines), nil)), lines
}

type told chan<- string

func (t told) Write(b []byte) (int, error) {
	t <- string(b)
	return len(b), nil
}

func TestServerIsWaitedForAtTheStart(t *testing.T) {
	t.Parallel()
	srv := server(t)
	for name, opens := range map[string]func(context.Context, minio.Config, func() time.Time) (*minio.Store, error){
		"open": minio.Open, "open read-only": minio.OpenReadOnly,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var serves atomic.Bool
			c := settings(t, proxy(t, srv, func(w http.ResponseWriter, _ *http.Request) bool {
				if !serves.Load() {
					w.WriteHeader(http.StatusServiceUnavailable) // as MinIO does while it starts
				}
				return !serves.Load()
			}))
			there := c
			there.Endpoint = srv.URL
			open(t, there) // the bucket is there for looking at
			var lines <-chan string
			c.Log, lines = teller()
			opened := make(chan error, 1)
			go func() {
				s, err := opens(t.Context(), c, time.Now)
				if err == nil {
					err = s.Close()
				}
				opened <- err
			}()
			if line := <-lines; !strings.Contains(line, `msg="MinIO is out of reach: trying again" where=`+c.Endpoint+" try=1") {
				t.Errorf("the log says %s", line)
			}
			serves.Store(true)
			if err := <-opened; err != nil {
				t.Error(err)
			}
		})
	}
}

func TestWaitingForAServerThatIsNotThereEndsWithTheContext(t *testing.T) {
	t.Parallel()
	c := minio.Config{Endpoint: "http://127.0.0.1:1", Bucket: "blobs", AccessKey: "a", SecretKey: "s"}
	var lines <-chan string
	c.Log, lines = teller()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go func() {
		<-lines
		stop()
	}()
	_, err := minio.Open(ctx, c, time.Now)
	wantError(t, err, storage.ErrUnavailable)
	wantError(t, err, context.Canceled)
	if !strings.Contains(err.Error(), "bucket blobs at http://127.0.0.1:1") || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v, want one line with the address", err)
	}
}

func TestTLSByAnAuthorityOfOnesOwn(t *testing.T) {
	srv := server(t)
	front := httptest.NewUnstartedServer(passing(t, srv, func(http.ResponseWriter, *http.Request) bool { return false }))
	front.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshakes that shall fail
	front.StartTLS()
	defer front.Close()
	c := settings(t, srv)
	c.Endpoint = front.URL
	wantError(t, refused(t, c, "certificate"), storage.ErrUnavailable)
	c.CA = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: front.Certificate().Raw})
	s := open(t, c)
	if err := storage.Verify(t.Context(), s, put(t, s, "x").Key); err != nil {
		t.Error(err)
	}
}

func forgetful(t *testing.T, srv *minioserver.Server) {
	t.Helper()
	c := settings(t, proxy(t, srv, func(_ http.ResponseWriter, r *http.Request) bool {
		return r.Method == http.MethodPut && r.URL.Query().Has("retention") // 200, and nothing is done
	}))
	c.Lock = minio.LockGovernance
	_ = refused(t, c, "the server deletes an object that is locked, but the lock is set to governance")
}

func weak(t *testing.T, srv *minioserver.Server) {
	t.Helper()
	beside := bare(t, srv)
	c := settings(t, proxy(t, srv, func(w http.ResponseWriter, r *http.Request) bool {
		query := r.URL.Query()
		if r.Method != http.MethodPut || !query.Has("retention") {
			return false
		}
		bucket, name, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		mode, until := client.Governance, time.Now().Add(time.Minute)
		if err := beside.PutObjectRetention(r.Context(), bucket, name, client.PutObjectRetentionOptions{
			Mode: &mode, RetainUntilDate: &until, VersionID: query.Get("versionId"),
		}); err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusOK)
		return true
	}))
	c.Lock = minio.LockCompliance
	_ = refused(t, c, "the server deletes an object that is locked, but the lock is set to compliance")
}

func cleaned(t *testing.T, srv *minioserver.Server) {
	t.Helper()
	c := settings(t, srv)
	c.Lock = minio.LockGovernance
	open(t, c)
	old := ".probe/lock-000000000001-x" // 1970
	if _, err := bare(t, srv).PutObject(t.Context(), c.Bucket, old, strings.NewReader("x"), 1, client.PutObjectOptions{}); err != nil {
		t.Fatal(err)
	}
	open(t, c)
	if n := objects(t, srv, c.Bucket); n != 2 {
		t.Errorf("%d objects, want the two trials that are still locked", n)
	}
}

func plain(t *testing.T, srv *minioserver.Server) {
	t.Helper()
	c := settings(t, proxy(t, srv, func(_ http.ResponseWriter, r *http.Request) bool {
		r.Header.Del("X-Amz-Server-Side-Encryption")
		return false
	}))
	c.SSE = true
	if err := refused(t, c, ""); err == nil {
		t.Error("the store opens")
	}
	hiding := settings(t, proxy(t, srv, func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodHead {
			return false
		}
		w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
		return true
	}))
	hiding.SSE = true
	_ = refused(t, hiding, "the server does not encrypt an object that shall be encrypted")
}

func together(t *testing.T, srv *minioserver.Server) {
	t.Helper()
	c := settings(t, srv)
	c.Lock = minio.LockCompliance
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if s, err := minio.Open(t.Context(), c, time.Now); err != nil || s.Close() != nil {
				t.Errorf("%v", err)
			}
		})
	}
	wg.Wait()
	if n := objects(t, srv, c.Bucket); n != 4 {
		t.Errorf("%d objects are left, want the 4 that are locked for trial", n)
	}
	later := func() time.Time { return time.Now().Add(3 * time.Hour) }
	if _, err := minio.Open(t.Context(), c, later); err == nil {
		t.Error("trials whose retention only this clock says is over are deleted")
	}
}

// objects is how many versions a bucket holds.
func objects(t *testing.T, srv *minioserver.Server, bucket string) (n int) {
	t.Helper()
	for o := range bare(t, srv).ListObjectsIter(t.Context(), bucket, client.ListObjectsOptions{WithVersions: true, Recursive: true}) {
		if o.Err != nil {
			t.Fatal(o.Err)
		}
		n++
	}
	return n
}

func readOnly(t *testing.T, srv *minioserver.Server) {
	t.Helper()
	c := settings(t, srv)
	if _, err := minio.OpenReadOnly(t.Context(), c, time.Now); err == nil {
		t.Error("a bucket that is not there is read")
	}
	if there, err := bare(t, srv).BucketExists(t.Context(), c.Bucket); there || err != nil {
		t.Errorf("the bucket was made: %v", err)
	}
	key := put(t, open(t, c), "x").Key
	s, err := minio.OpenReadOnly(t.Context(), c, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if err := storage.Verify(t.Context(), s, key); err != nil || s.Ping(t.Context()) != nil {
		t.Errorf("it is not read: %v", err)
	}
	if _, err := s.Put(t.Context(), "main", strings.NewReader("y"), 1, nil); err == nil {
		t.Error("it takes a put")
	}
	if s.Delete(t.Context(), key) == nil || s.Retain(t.Context(), key, time.Now().Add(time.Hour)) == nil {
		t.Error("it takes a change")
	}
	if n := objects(t, srv, c.Bucket); n != 1 {
		t.Errorf("%d objects, want the blob alone", n)
	}
}

func withdrawn(t *testing.T, srv *minioserver.Server) {
	t.Helper()
	c := settings(t, srv)
	c.Lock = minio.LockGovernance
	key := put(t, open(t, c), "sealed").Key
	if err := open(t, c).Retain(t.Context(), key, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	c.Lock = minio.LockNone
	wantError(t, open(t, c).Delete(t.Context(), key), storage.ErrRetained)
}
