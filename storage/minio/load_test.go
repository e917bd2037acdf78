package minio_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	client "github.com/minio/minio-go/v7"

	"example.com/walkaround/storage/minio"
)

const (
	photoBytes = 3 << 20
	uploads    = 64
)

// What 64 uploads of 3 MB at once may take above what the idle process has: a fourth of what their bytes would.
const mostMemory = 48 << 20

func TestMemoryUnderLoadOf64Uploads(t *testing.T) {
	srv := server(t)
	s := open(t, settings(t, srv))
	put(t, s, "a connection, and all that is made once")
	runtime.GC()
	debug.FreeOSMemory()
	idle := resident(t, "VmRSS:")
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		t.Fatal(err) // the peak would be another's
	}
	var wg sync.WaitGroup
	for n := range uploads {
		wg.Go(func() {
			if _, err := s.Put(t.Context(), "main", photo(fmt.Sprint(n), photoBytes), photoBytes, nil); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	peak := resident(t, "VmHWM:")
	t.Logf("resident: %.1f MiB idle, %.1f MiB at most during %d uploads", mib(idle), mib(peak), uploads)
	if peak-idle > mostMemory {
		t.Errorf("uploads take %.1f MiB, want at most %.1f", mib(peak-idle), mib(mostMemory))
	}
}

func mib(n int64) float64 { return float64(n) / (1 << 20) }

// resident is what the system says of this process's memory.
func resident(t *testing.T, field string) int64 {
	t.Helper()
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), field)
	kb, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kb << 10
}

// BenchmarkPhoto puts photos through the store and, in turn, through a bare client. "of-bare" is how fast the store is
// of the bare client (1: as fast), by the medians.
func BenchmarkPhoto(b *testing.B) {
	srv := server(b)
	c := settings(b, srv)
	s, other := open(b, c), bare(b, srv)
	data := make([]byte, photoBytes)
	_, _ = rand.NewChaCha8([32]byte{}).Read(data) // never fails
	var ours, bares []time.Duration
	var n uint64
	fresh := func() []byte { // bytes that are not there yet
		n++
		binary.LittleEndian.PutUint64(data, n)
		return data
	}
	b.ResetTimer()
	for b.Loop() {
		ours = append(ours, putOurs(b, s, fresh()))
		bares = append(bares, putBare(b, other, c.Bucket, fresh()))
	}
	slices.Sort(ours)
	slices.Sort(bares)
	b.ReportMetric(float64(ours[len(ours)/2].Microseconds())/1000, "ms/put")
	b.ReportMetric(float64(bares[len(bares)/2].Microseconds())/1000, "ms/bare-put")
	b.ReportMetric(float64(bares[len(bares)/2])/float64(ours[len(ours)/2]), "of-bare")
}

func putOurs(b *testing.B, s *minio.Store, data []byte) time.Duration {
	b.Helper()
	start := time.Now()
	if _, err := s.Put(b.Context(), "main", bytes.NewReader(data), photoBytes, nil); err != nil {
		b.Fatal(err)
	}
	return time.Since(start)
}

func putBare(b *testing.B, c *client.Client, bucket string, data []byte) time.Duration {
	b.Helper()
	start := time.Now()
	name := fmt.Sprintf("bare/%x", data[:8])
	if _, err := c.PutObject(b.Context(), bucket, name, bytes.NewReader(data), photoBytes, client.PutObjectOptions{}); err != nil {
		b.Fatal(err)
	}
	return time.Since(start)
}
