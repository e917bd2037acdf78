package main

import (
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"

	"example.com/walkaround/storage/archive"
)

// lineEvery is how often progress is told where no person looks on.
const lineEvery = 10 * time.Second

// meter shows how far a backup or a restore came: a bar at a terminal, now and then a line elsewhere.
type meter struct {
	doing string
	to    io.Writer
	bar   *progressbar.ProgressBar // nil: lines
	total int64                    // bytes of blobs, where they are known before; 0: as progress tells
	now   func() time.Time
	began time.Time
	told  time.Time
	last  archive.Progress
}

// newMeter begins to count.
func newMeter(doing string, to io.Writer, now func() time.Time) *meter {
	m := &meter{doing: doing, to: to, now: now, began: now(), told: now()}
	if isTerminal(to) {
		m.bar = progressbar.NewOptions64(-1, progressbar.OptionSetWriter(to), progressbar.OptionShowBytes(true),
			progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish(), progressbar.OptionShowTotalBytes(true))
	}
	return m
}

// show tells of progress. Documents come first, and their number is known when they are done; the bytes are those of blobs.
func (m *meter) show(p archive.Progress) {
	p.TotalBytes = max(p.TotalBytes, m.total)
	now := m.now()
	switch {
	case m.bar != nil:
		if p.TotalBytes > 0 && m.last.TotalBytes == 0 {
			m.bar.ChangeMax64(p.TotalBytes)
		}
		if m.last.Documents != p.Documents || m.last.Blobs != p.Blobs {
			m.bar.Describe(fmt.Sprintf("%s: %d documents, %d blobs", m.doing, p.Documents, p.Blobs))
		}
		_ = m.bar.Set64(p.BlobBytes) // where a bar can't be drawn, nobody is told
	case now.Sub(m.told) >= lineEvery:
		m.told = now
		_, _ = fmt.Fprintf(m.to, "walkaround: %s\n", m.line(p, now.Sub(m.began))) // likewise
	}
	m.last = p
}

// line is progress in words: how much, how fast, how long it will take.
func (m *meter) line(p archive.Progress, took time.Duration) string {
	text := fmt.Sprintf("%s: %d documents, %d blobs, %s", m.doing, p.Documents, p.Blobs, inBytes(p.BlobBytes))
	if p.TotalBytes > 0 {
		text += " of " + inBytes(p.TotalBytes)
	}
	rate := float64(p.BlobBytes) / took.Seconds()
	if p.BlobBytes == 0 || took <= 0 {
		return text
	}
	text += ", " + inBytes(int64(rate)) + "/s"
	if left := p.TotalBytes - p.BlobBytes; left > 0 {
		text += fmt.Sprintf(", %s left", (time.Duration(float64(left)/rate) * time.Second).Round(time.Second))
	}
	return text
}

// end takes the bar away.
func (m *meter) end() {
	if m.bar != nil {
		_ = m.bar.Finish() // likewise
	}
}

// inBytes is a number of bytes for a reader.
func inBytes(n int64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	unit, size := 0, float64(n)
	for ; size >= 999.95 && unit < 5; unit++ {
		size /= 1000
	}
	return fmt.Sprintf("%.1f %cB", size, " kMGTP"[unit])
}
