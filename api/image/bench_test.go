package image_test

import (
	"bytes"
	"image/jpeg"
	"io"
	"testing"
	"time"

	"example.com/walkaround/api/image"
	"example.com/walkaround/test/samples"
)

// BenchmarkDerive makes both sizes of a 12-megapixel JPEG and reports how long that takes beside the decode alone.
func BenchmarkDerive(b *testing.B) {
	file := samples.BigJPEG(12)
	d := newDeriver(b, 256<<20)
	var decode, all time.Duration
	b.ReportAllocs()
	for b.Loop() {
		start := time.Now()
		if _, err := jpeg.Decode(bytes.NewReader(file)); err != nil {
			b.Fatal(err)
		}
		decoded := time.Now()
		err := d.DeriveAll(b.Context(), bytes.NewReader(file), int64(len(file)),
			[]image.Target{{Side: image.ScreenSide, W: io.Discard}, {Side: image.ThumbSide, W: io.Discard}})
		if err != nil {
			b.Fatal(err)
		}
		decode, all = decode+decoded.Sub(start), all+time.Since(decoded)
	}
	b.ReportMetric(float64(decode.Milliseconds())/float64(b.N), "ms/decode")
	b.ReportMetric(float64(all.Milliseconds())/float64(b.N), "ms/derive")
	b.ReportMetric(float64(all)/float64(decode), "derive/decode")
}

// BenchmarkInspect walks a 12-megapixel JPEG.
func BenchmarkInspect(b *testing.B) {
	file := samples.BigJPEG(12)
	r := bytes.NewReader(file)
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := image.Inspect(b.Context(), r, int64(len(file))); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkHEIC decodes a small one: most of it is the sandbox.
func BenchmarkHEIC(b *testing.B) {
	file := samples.HEIC()
	d := newDeriver(b, 256<<20)
	for b.Loop() {
		if err := d.Derive(b.Context(), bytes.NewReader(file), int64(len(file)), io.Discard, image.ThumbSide); err != nil {
			b.Fatal(err)
		}
	}
}
