package minio_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"example.com/walkaround/storage"
	"example.com/walkaround/test/minioserver"
)

// Uploads go on while the server is killed and started again. What was acknowledged is there and right; what was not
// says that a later try may succeed.
func TestKillOfTheServerInTheMiddleOfUploads(t *testing.T) {
	t.Parallel()
	srv := minioserver.Start(t, minioserver.Options{})
	s := open(t, settings(t, srv))
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var mu sync.Mutex
	var kept []string
	var failed, again atomic.Int64
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				info, err := s.Put(context.WithoutCancel(ctx), "main", photo(fmt.Sprint(w, "/", n), 300_000), 1<<20, nil)
				switch {
				case err == nil:
					again.Add(min(failed.Load(), 1))
					mu.Lock()
					kept = append(kept, info.Key)
					mu.Unlock()
				case errors.Is(err, storage.ErrUnavailable):
					failed.Add(1)
				default:
					t.Errorf("a put without a server ends with %v", err)
				}
			}
		})
	}
	until(t, "some are stored", func() bool { mu.Lock(); defer mu.Unlock(); return len(kept) > 8 })
	srv.Kill()
	until(t, "one fails", func() bool { return failed.Load() > 0 })
	if err := srv.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	until(t, "some are stored again", func() bool { return again.Load() > 8 })
	stop()
	wg.Wait()
	for _, key := range kept {
		if err := storage.Verify(t.Context(), s, key); err != nil {
			t.Errorf("acknowledged, and %v", err)
		}
	}
	t.Logf("%d acknowledged, %d refused", len(kept), failed.Load())
}

// until waits for what other goroutines bring about.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	for tick := time.NewTicker(time.Millisecond); !holds(); {
		select {
		case <-deadline:
			t.Fatal("it never came that " + what)
		case <-tick.C:
		}
	}
}

// photo is n bytes that nobody else puts, made while they are read.
func photo(name string, n int64) io.Reader {
	return io.LimitReader(io.MultiReader(strings.NewReader(name), &endless{}), n)
}

type endless struct{ n int }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(e.n * 31)
		e.n++
	}
	return len(p), nil
}

func TestServerThatIsFull(t *testing.T) {
	t.Parallel()
	srv := minioserver.Start(t, minioserver.Options{Bytes: 80 << 20})
	s := open(t, settings(t, srv))
	small := put(t, s, "small").Key
	var kept []string
	var err error
	for n := 0; n < 60 && err == nil; n++ {
		var info storage.BlobInfo
		if info, err = s.Put(t.Context(), "main", photo(fmt.Sprint(n), 3<<20), 4<<20, nil); err == nil {
			kept = append(kept, info.Key)
		}
	}
	wantError(t, err, storage.ErrFull)
	t.Logf("%d photos of 3 MiB, then %v", len(kept), err)
	until(t, "the server says so itself", func() bool {
		_, err := s.Put(t.Context(), "main", photo("more", 3<<20), 4<<20, nil)
		return errors.Is(err, storage.ErrFull) && strings.Contains(err.Error(), "minimum free drive threshold")
	})
	list, err := s.List(t.Context(), "main", "", storage.MaxList)
	if err != nil || len(list) != len(kept)+1 {
		t.Errorf("%d are listed of %d, %v: want nothing half-written", len(list), len(kept)+1, err)
	}
	if err := storage.Verify(t.Context(), s, small); err != nil {
		t.Errorf("reads do not go on: %v", err)
	}
	for _, key := range kept {
		if err := s.Delete(t.Context(), key); err != nil {
			t.Fatalf("nothing can be deleted: %v", err)
		}
	}
	until(t, "there is room again", func() bool {
		if err := srv.EmptyBin(); err != nil {
			t.Fatal(err)
		}
		_, err := s.Put(t.Context(), "main", photo("again", 3<<20), 4<<20, nil)
		return err == nil
	})
}

const smallFiles = "WALKAROUND_TEST_SMALL_FILES"

// A limit of a file's size cannot be put on this process, which others share; a child has it.
func TestLocalDiskThatIsFull(t *testing.T) {
	srv := server(t)
	if os.Getenv(smallFiles) == "" {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestLocalDiskThatIsFull$")
		cmd.Env = append(os.Environ(), smallFiles+"=1",
			"MINIO_TEST_ENDPOINT="+srv.URL, "MINIO_TEST_ACCESS_KEY="+srv.AccessKey, "MINIO_TEST_SECRET_KEY="+srv.SecretKey)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	s := open(t, settings(t, srv))
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 200_000, Max: 200_000}); err != nil {
		t.Fatal(err)
	}
	_, err := s.Put(t.Context(), "main", photo("large", 300_000), 1<<20, nil)
	wantError(t, err, storage.ErrFull)
	put(t, s, "small")
}

func TestLocalFolderThatIsGone(t *testing.T) {
	c := settings(t, server(t))
	s := open(t, c)
	if err := os.Remove(c.Spool); err != nil {
		t.Fatal(err)
	}
	_, err := s.Put(t.Context(), "main", strings.NewReader("x"), 1, nil)
	wantError(t, err, storage.ErrUnavailable)
}

// MinIO hashes what it reads and gives nobody what is damaged, however it words that. The same bytes put again heal it.
func TestBitFlippedOnTheDiskOfTheServer(t *testing.T) {
	srv := server(t)
	if srv.Disk() == "" {
		t.Skip("the disk of a server elsewhere cannot be written to")
	}
	c := settings(t, srv)
	s := open(t, c)
	info, err := s.Put(t.Context(), "main", photo("p", 300_000), 1<<20, nil)
	if err != nil {
		t.Fatal(err)
	}
	flipBit(t, filepath.Join(srv.Disk(), c.Bucket, object(info.Key)))
	wantError(t, storage.Verify(t.Context(), s, info.Key), storage.ErrUnavailable)
	if _, err := s.Put(t.Context(), "main", photo("p", 300_000), 1<<20, nil); err != nil {
		t.Fatal(err)
	}
	if err := storage.Verify(t.Context(), s, info.Key); err != nil {
		t.Errorf("put again: %v", err)
	}
}

// flipBit changes the bytes of the object that MinIO keeps in a folder.
func flipBit(t *testing.T, folder string) {
	t.Helper()
	parts, err := filepath.Glob(filepath.Join(folder, "*", "part.1"))
	if err != nil || len(parts) != 1 {
		t.Fatalf("%v, %v: want one part", parts, err)
	}
	b, err := os.ReadFile(parts[0])
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := os.WriteFile(parts[0], b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestNothingOfAnUploadIsLeftOnTheLocalDisk(t *testing.T) {
	c := settings(t, server(t))
	s := open(t, c)
	put(t, s, "x")
	_, err := s.Put(t.Context(), "main", io.MultiReader(strings.NewReader("half"), peek{func() {
		if left, err := os.ReadDir(c.Spool); err != nil || len(left) != 0 {
			t.Errorf("in the middle: %v, %v", left, err)
		}
	}}), 10, nil)
	if err != nil {
		t.Fatal(err)
	}
}

// peek looks when it is read.
type peek struct{ look func() }

func (p peek) Read([]byte) (int, error) {
	p.look()
	return 0, io.EOF
}

func TestBytesThatChangeOnTheWayAreRefused(t *testing.T) {
	srv := server(t)
	c := settings(t, srv)
	open(t, c)
	c.Endpoint = proxy(t, srv, func(_ http.ResponseWriter, r *http.Request) bool {
		if b, err := io.ReadAll(r.Body); err == nil {
			r.Body = io.NopCloser(bytes.NewReader(bytes.ReplaceAll(b, []byte("whole"), []byte("whale"))))
		}
		return false
	}).URL
	s := open(t, c)
	_, err := s.Put(t.Context(), "main", strings.NewReader("the whole photo"), 100, nil)
	wantError(t, err, storage.ErrCorrupt)
	if list, err := s.List(t.Context(), "main", "", 1); err != nil || len(list) != 0 {
		t.Errorf("stored: %v, %v", list, err)
	}
}

func TestReadingThatIsCutOffGoesOn(t *testing.T) {
	srv := server(t)
	c := settings(t, srv)
	info, err := open(t, c).Put(t.Context(), "main", photo("p", 1<<20), 1<<20, nil)
	if err != nil {
		t.Fatal(err)
	}
	var some atomic.Int64 // bytes that are given before the cut
	var cuts atomic.Int64 // that are still to come
	c.Endpoint = proxy(t, srv, func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodGet || !strings.HasPrefix(r.URL.Path, "/"+c.Bucket+"/main/") || cuts.Add(-1) < 0 {
			return false
		}
		w.Header().Set("Content-Length", "1048576")
		w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
		_, _ = io.CopyN(w, photo("p", 1<<20), some.Load()) // and no more
		return true
	}).URL
	s := open(t, c)
	some.Store(100_000)
	cuts.Store(1)
	if err := storage.Verify(t.Context(), s, info.Key); err != nil {
		t.Errorf("cut once: %v", err)
	}
	some.Store(0)
	cuts.Store(1)
	wantError(t, storage.Verify(t.Context(), s, info.Key), storage.ErrUnavailable)
}

func TestDeadlineEndsACallToASilentServer(t *testing.T) {
	srv := server(t)
	c := settings(t, srv)
	var silent atomic.Bool
	c.Endpoint = proxy(t, srv, func(_ http.ResponseWriter, r *http.Request) bool {
		if silent.Load() {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		}
		return silent.Load()
	}).URL
	s := open(t, c)
	key := put(t, s, "x").Key
	silent.Store(true)
	for name, call := range map[string]func(context.Context) error{
		"put": func(ctx context.Context) error {
			_, err := s.Put(ctx, "main", strings.NewReader("y"), 1, nil)
			return err
		},
		"open":   func(ctx context.Context) error { _, _, err := s.Open(ctx, key); return err },
		"list":   func(ctx context.Context) error { _, err := s.List(ctx, "main", "", 1); return err },
		"delete": func(ctx context.Context) error { return s.Delete(ctx, key) },
		"retain": func(ctx context.Context) error { return s.Retain(ctx, key, time.Now().Add(time.Hour)) },
		"ping":   s.Ping,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, stop := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer stop()
			wantError(t, call(ctx), context.DeadlineExceeded)
		})
	}
}

// Answers of a server stand for ours, whatever it is that makes it give them.
func TestAnswersOfTheServer(t *testing.T) {
	t.Parallel()
	srv := server(t)
	c := settings(t, srv)
	var code atomic.Pointer[string]
	c.Endpoint = proxy(t, srv, func(w http.ResponseWriter, r *http.Request) bool {
		if code.Load() == nil {
			return false
		}
		digits, name, _ := strings.Cut(*code.Load(), " ")
		status, err := strconv.Atoi(digits)
		if err != nil {
			t.Error(err)
		}
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, "<Error><Code>%s</Code><Message>m</Message></Error>", name)
		return true
	}).URL
	s := open(t, c)
	for answer, want := range map[string]error{
		"507 XMinioStorageFull":              storage.ErrFull,
		"400 XMinioAdminBucketQuotaExceeded": storage.ErrFull,
		"507 SomethingElse":                  storage.ErrFull,
		"503 SlowDown":                       storage.ErrUnavailable,
		"500 InternalError":                  storage.ErrUnavailable,
		"403 AccessDenied":                   storage.ErrUnavailable,
		"404 NoSuchBucket":                   storage.ErrUnavailable,
		"400 BadDigest":                      storage.ErrCorrupt,
	} {
		code.Store(&answer)
		_, err := s.Put(t.Context(), "main", strings.NewReader("x"), 1, nil)
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", answer, err, want)
		}
	}
}
