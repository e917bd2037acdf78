package sqlite

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"example.com/walkaround/domain"
	"example.com/walkaround/storage"
)

// share runs fn b.N times on some goroutines at once.
func share(b *testing.B, clients int, fn func(client, n int)) {
	b.Helper()
	var wg sync.WaitGroup
	var next atomic.Int64
	before := cpu(b)
	b.ResetTimer()
	for c := range clients {
		wg.Go(func() {
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				fn(c, int(n))
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "op/s")
	b.ReportMetric(float64(cpu(b)-before)/float64(b.N), "cpu-ns/op")
}

// cpu is the time that the process has computed so far.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkFloor appends 700 bytes to a file of each goroutine's own and makes them durable.
func BenchmarkFloor(b *testing.B) {
	for _, clients := range []int{1, 16} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			data := []byte(strings.Repeat("x", 700))
			files := make([]*os.File, clients)
			for i := range files {
				f, err := os.Create(filepath.Join(b.TempDir(), fmt.Sprint(i)))
				if err != nil {
					b.Fatal(err)
				}
				defer func() { _ = f.Close() }()
				files[i] = f
			}
			share(b, clients, func(client, _ int) {
				if _, err := files[client].Write(data); err != nil {
					b.Error(err)
				}
				if err := syscall.Fdatasync(int(files[client].Fd())); err != nil {
					b.Error(err)
				}
			})
		})
	}
}

// BenchmarkReplace changes one document a client, of 3 KB, with three keys of which one moves.
func BenchmarkReplace(b *testing.B) {
	for _, clients := range []int{1, 16} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			e := benchEngine(b)
			ids, versions := make([]string, clients), make([]int64, clients)
			for i := range ids {
				ids[i] = benchInsert(b, e, i)
				versions[i] = 1
			}
			share(b, clients, func(client, n int) {
				r := benchRecord(ids[client], n)
				r.Version = versions[client]
				if err := e.Replace(context.Background(), "cars", r); err != nil {
					b.Error(err)
				}
				versions[client]++
			})
		})
	}
}

// BenchmarkInsert stores new documents of 3 KB.
func BenchmarkInsert(b *testing.B) {
	e := benchEngine(b)
	share(b, 16, func(_, n int) { benchInsert(b, e, n) })
}

// BenchmarkGet reads one document of 3 KB among many.
func BenchmarkGet(b *testing.B) {
	e, ids := benchMany(b)
	b.ReportAllocs()
	share(b, 2, func(_, n int) {
		if _, err := e.Get(context.Background(), "cars", ids[n*7919%len(ids)]); err != nil {
			b.Error(err)
		}
	})
}

// BenchmarkFind reads 20 summaries at a place of its own each time.
func BenchmarkFind(b *testing.B) {
	e, ids := benchMany(b)
	b.ReportAllocs()
	share(b, 2, func(_, n int) {
		q := storage.Query{Key: "plate", From: fmt.Sprintf("P%06d", n*7919%len(ids)), Limit: 20}
		if _, err := e.Find(context.Background(), "cars", q); err != nil {
			b.Error(err)
		}
	})
}

func benchEngine(b *testing.B) *Engine {
	b.Helper()
	e, err := Open(b.Context(), b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := e.Close(); err != nil {
			b.Error(err)
		}
	})
	err = e.Declare(b.Context(), []storage.Declaration{{Name: "cars", Keys: []string{"plate", "state", "changed"}}})
	if err != nil {
		b.Fatal(err)
	}
	return e
}

func benchMany(b *testing.B) (e *Engine, ids []string) {
	b.Helper()
	e = benchEngine(b)
	ids = make([]string, 20_000)
	var wg sync.WaitGroup
	for c := range 64 {
		wg.Go(func() {
			for i := c; i < len(ids); i += 64 {
				ids[i] = benchInsert(b, e, i)
			}
		})
	}
	wg.Wait()
	return e, ids
}

func benchInsert(b *testing.B, e *Engine, n int) string {
	b.Helper()
	r := benchRecord("main/"+domain.NewID(), n)
	if err := e.Insert(context.Background(), "cars", r); err != nil {
		b.Error(err)
	}
	return r.ID
}

func benchRecord(id string, n int) storage.Record {
	doc, _ := bson.Marshal(bson.M{"id": id, "n": n, "text": strings.Repeat("y", 3000)}) // it has no way to fail
	sum, _ := bson.Marshal(bson.M{"id": id, "n": n, "text": strings.Repeat("y", 150)})  // as above
	return storage.Record{ID: id, Doc: doc, Summary: sum, Keys: []storage.KeyValue{
		{Name: "plate", Value: fmt.Sprintf("P%06d", n%100_000)},
		{Name: "state", Value: "arrived"},
		{Name: "changed", Value: fmt.Sprintf("2026-01-01T00:00:%09d", n)},
	}}
}
