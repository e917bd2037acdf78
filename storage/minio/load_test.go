package minio_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
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

// BenchmarkPhoto puts photos through the store, with a declared hash and without, and through a bare client, in turn. What
// ends in "of-bare" is how fast that is of the bare client (1: as fast), by the medians.
func BenchmarkPhoto(b *testing.B) {
	srv := server(b)
	c := settings(b, srv)
	s, other := open(b, c), bare(b, srv)
	data := make([]byte, photoBytes)
	_, _ = rand.NewChaCha8([32]byte{}).Read(data) // never fails
	var declared, spooled, bares []time.Duration
	var sum string
	for b.Loop() {
		for _, put := range []struct {
			took *[]time.Duration
			run  func() error
		}{
			{&declared, func() error { return putOurs(b, s, promise{bytes.NewReader(data), sum, photoBytes}) }},
			{&spooled, func() error { return putOurs(b, s, bytes.NewReader(data)) }},
			{&bares, func() error { return putBare(b, other, c.Bucket, data) }},
		} {
			binary.LittleEndian.PutUint64(data, binary.LittleEndian.Uint64(data)+1) // bytes that are not there yet
			sum = sumOf(string(data))                                               // the sender's work
			start := time.Now()
			if err := put.run(); err != nil {
				b.Fatal(err)
			}
			*put.took = append(*put.took, time.Since(start))
		}
	}
	base := median(bares)
	b.ReportMetric(base, "ms/bare")
	b.ReportMetric(base/median(declared), "declared-of-bare")
	b.ReportMetric(base/median(spooled), "spooled-of-bare")
}

// median is in milliseconds.
func median(d []time.Duration) float64 {
	slices.Sort(d)
	return float64(d[len(d)/2].Microseconds()) / 1000
}

func putOurs(b *testing.B, s *minio.Store, r io.Reader) error {
	b.Helper()
	_, err := s.Put(b.Context(), "main", r, photoBytes, nil)
	return err
}

func putBare(b *testing.B, c *client.Client, bucket string, data []byte) error {
	b.Helper()
	_, err := c.PutObject(b.Context(), bucket, fmt.Sprintf("bare/%x", data[:8]), bytes.NewReader(data), photoBytes, client.PutObjectOptions{})
	return err
}
