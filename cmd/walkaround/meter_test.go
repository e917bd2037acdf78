package main

import (
	"strings"
	"testing"
	"time"

	"example.com/walkaround/storage/archive"
)

func TestProgressIsALineEveryTenSeconds(t *testing.T) {
	var out strings.Builder
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	m := newMeter("backup", &out, func() time.Time { return now })
	for i := range 30 { // a second each
		now = now.Add(time.Second)
		m.show(archive.Progress{Documents: 7, Blobs: int64(i), BlobBytes: int64(i+1) * 2_000_000, TotalBlobs: 60, TotalBytes: 120_000_000})
	}
	m.end()
	want := `walkaround: backup: 7 documents, 9 blobs, 20.0 MB of 120.0 MB, 2.0 MB/s, 50s left
walkaround: backup: 7 documents, 19 blobs, 40.0 MB of 120.0 MB, 2.0 MB/s, 40s left
walkaround: backup: 7 documents, 29 blobs, 60.0 MB of 120.0 MB, 2.0 MB/s, 30s left
`
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

func TestProgressWithoutAnEndInSight(t *testing.T) {
	m := meter{doing: "restore"}
	for want, p := range map[string]archive.Progress{
		"restore: 3 documents, 0 blobs, 0 B":             {Documents: 3},
		"restore: 3 documents, 1 blobs, 5.0 kB, 500 B/s": {Documents: 3, Blobs: 1, BlobBytes: 5_000},
	} {
		if got := m.line(p, 10*time.Second); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestBytesForAReader(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", 999: "999 B", 1_000: "1.0 kB", 999_949: "999.9 kB", 999_950: "1.0 MB", 1_234_567_890: "1.2 GB", 1 << 62: "4611.7 PB",
	} {
		if got := inBytes(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
