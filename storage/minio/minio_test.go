package minio_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	client "github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"example.com/walkaround/storage"
	"example.com/walkaround/storage/minio"
	"example.com/walkaround/storage/storagetest"
	"example.com/walkaround/test/minioserver"
)

// shared is a server of our own that serves all tests which leave it alone.
var shared = sync.OnceValues(func() (*minioserver.Server, error) {
	folder, err := os.MkdirTemp("", "walkaround-minio-*")
	if err != nil {
		return nil, err
	}
	s, err := minioserver.Launch(context.Background(), folder, minioserver.Options{Encrypts: true})
	stopShared = func() {
		s.Kill()
		_ = os.RemoveAll(folder) // the machine's own cleaning takes what is left
	}
	return s, err
})

var stopShared = func() {}

func TestMain(m *testing.M) {
	code := m.Run()
	stopShared()
	os.Exit(code)
}

// server is the external one if it is named, otherwise the shared one.
func server(tb testing.TB) *minioserver.Server {
	tb.Helper()
	if s, ok := minioserver.External(); ok {
		return s
	}
	minioserver.Need(tb)
	s, err := shared()
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// settings name a bucket that is not there yet.
func settings(tb testing.TB, s *minioserver.Server) minio.Config {
	tb.Helper()
	return minio.Config{
		Endpoint: s.URL, AccessKey: s.AccessKey, SecretKey: s.SecretKey, Bucket: "walkaround-" + uuid.NewString() + "-test", Spool: tb.TempDir(),
	}
}

func open(tb testing.TB, c minio.Config) *minio.Store {
	tb.Helper()
	s, err := minio.Open(tb.Context(), c, time.Now)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

// bare is a client of the server beside the store.
func bare(tb testing.TB, s *minioserver.Server) *client.Client {
	tb.Helper()
	c, err := client.New(strings.TrimPrefix(s.URL, "http://"), &client.Options{
		Creds: credentials.NewStaticV4(s.AccessKey, s.SecretKey, ""), Region: "us-east-1",
	})
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func put(tb testing.TB, s *minio.Store, data string) storage.BlobInfo {
	tb.Helper()
	info, err := s.Put(tb.Context(), "main", strings.NewReader(data), 1<<20, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return info
}

func wantError(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got %v, want %v", err, want)
	}
}

// object is the object of a key of store main.
func object(key string) string { return "main/" + key[5:7] + "/" + key[5:] }

func TestContract(t *testing.T) {
	t.Parallel()
	srv := server(t)
	for name, change := range map[string]func(*minio.Config){
		"no lock":    func(*minio.Config) {},
		"compliance": func(c *minio.Config) { c.Lock, c.SSE = minio.LockCompliance, encrypts() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storagetest.Blobs(t, func(t *testing.T) storage.Blobs {
				t.Helper()
				c := settings(t, srv)
				change(&c)
				return open(t, c)
			})
		})
		t.Run("movable, "+name, func(t *testing.T) {
			t.Parallel()
			storagetest.Movable(t, func(t *testing.T) storage.Blobs {
				t.Helper()
				c := settings(t, srv)
				change(&c)
				return open(t, c)
			})
		})
	}
	t.Run("declared", func(t *testing.T) {
		t.Parallel()
		storagetest.Blobs(t, func(t *testing.T) storage.Blobs {
			t.Helper()
			return declaring{open(t, settings(t, srv))}
		})
	})
}

// encrypts says whether SSE-S3 is tried: a server of another's may have no key for it.
func encrypts() bool {
	_, external := minioserver.External()
	return !external
}
