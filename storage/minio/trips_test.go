package minio_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"example.com/walkaround/storage"
	"example.com/walkaround/storage/minio"
)

// What each call costs in requests, one after the other: a promise to whoever has a server far away.
func TestRoundTrips(t *testing.T) {
	srv := server(t)
	var trips atomic.Int64
	front := proxy(t, srv, func(http.ResponseWriter, *http.Request) bool {
		trips.Add(1)
		return false
	})
	for lock, want := range map[minio.Lock]map[string]int64{
		minio.LockNone:       {"put": 2, "repeat": 2, "stat": 1, "read": 1, "read the end": 2, "list": 1, "ping": 2, "retain": 3, "retained": 2, "delete": 3},
		minio.LockCompliance: {"put": 2, "repeat": 2, "stat": 1, "read": 1, "read the end": 2, "list": 1, "ping": 2, "retain": 2, "retained": 3, "delete": 3},
	} {
		c := settings(t, front)
		c.Lock = lock
		s := open(t, c)
		free, sealed := put(t, s, "free").Key, put(t, s, "sealed").Key
		for _, call := range []struct {
			name string
			run  func(context.Context) error
		}{
			{"put", func(ctx context.Context) error { return putNew(ctx, s) }},
			{"repeat", func(ctx context.Context) error { return putNew(ctx, s) }},
			{"stat", func(ctx context.Context) error { _, err := s.Stat(ctx, free); return err }},
			{"read", func(ctx context.Context) error { return storage.Verify(ctx, s, free) }},
			{"read the end", func(ctx context.Context) error { return readEnd(ctx, s, free) }},
			{"list", func(ctx context.Context) error { _, err := s.List(ctx, "main", "", storage.MaxList); return err }},
			{"ping", s.Ping},
			{"retain", func(ctx context.Context) error { return s.Retain(ctx, sealed, time.Now().Add(time.Hour)) }},
			{"retained", func(ctx context.Context) error { _, err := s.Retained(ctx, sealed); return err }},
			{"delete", func(ctx context.Context) error { return s.Delete(ctx, free) }},
		} {
			trips.Store(0)
			if err := call.run(t.Context()); err != nil {
				t.Fatalf("%s: %v", call.name, err)
			}
			if n := trips.Load(); n != want[call.name] {
				t.Errorf("lock %s, %s: %d round trips, want %d", lock, call.name, n, want[call.name])
			}
		}
	}
}

func putNew(ctx context.Context, s *minio.Store) error {
	_, err := s.Put(ctx, "main", strings.NewReader("new"), 10, nil)
	return err
}

// readEnd is a range: the reader begins at the beginning, and again where it is sought to.
func readEnd(ctx context.Context, s *minio.Store, key string) error {
	r, _, err := s.Open(ctx, key)
	if err != nil {
		return err
	}
	if _, err := r.Seek(-1, io.SeekEnd); err != nil {
		return err
	}
	if _, err := r.Read(make([]byte, 1)); err != nil {
		return err
	}
	return r.Close()
}
