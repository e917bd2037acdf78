package measured

import (
	"context"
	"io"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"example.com/walkaround/storage"
)

// blobs are storage.Blobs that are measured.
type blobs struct {
	storage.Blobs
	*meter
	written prometheus.Counter
	read    prometheus.Counter
	puts    prometheus.Gauge
}

// Blobs measures b: the histogram of Engine with the collection `blobs`, the counter walkaround_blob_bytes_total by direction,
// and the gauge walkaround_blob_puts_in_flight. It panics as Engine does.
func Blobs(b storage.Blobs, to prometheus.Registerer) storage.Blobs {
	m := newMeter(b, to)
	engine := prometheus.Labels{"engine": m.system}
	bytes := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "walkaround_blob_bytes_total", Help: "Bytes of blobs that were stored and read.", ConstLabels: engine,
	}, []string{"direction"})
	puts := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "walkaround_blob_puts_in_flight", Help: "Blobs that are being stored.", ConstLabels: engine,
	})
	to.MustRegister(bytes, puts)
	return &blobs{Blobs: b, meter: m, written: bytes.WithLabelValues("written"), read: bytes.WithLabelValues("read"), puts: puts}
}

const collectionOfBlobs = "blobs"

func (b *blobs) starts(ctx context.Context, name string) (context.Context, operation) {
	return b.begin(ctx, collectionOfBlobs, name)
}

// Put is measured. The reader is handed on as it is: some say more of themselves than a reader must.
func (b *blobs) Put(
	ctx context.Context, store string, r io.Reader, limit int64, check func(sha256 string, size int64) error,
) (storage.BlobInfo, error) {
	b.puts.Inc()
	defer b.puts.Dec()
	ctx, o := b.starts(ctx, "put")
	info, err := b.Blobs.Put(ctx, store, r, limit, check)
	o.end(err)
	if err == nil {
		b.written.Add(float64(info.Bytes))
	}
	return info, err
}

// Open is measured up to the first byte; the bytes are counted when the reader is closed.
func (b *blobs) Open(ctx context.Context, key string) (io.ReadSeekCloser, storage.BlobInfo, error) {
	ctx, o := b.starts(ctx, "open")
	r, info, err := b.Blobs.Open(ctx, key)
	o.end(err)
	if err != nil {
		return nil, info, err
	}
	return &counted{ReadSeekCloser: r, to: b.read}, info, nil
}

// Stat is measured.
func (b *blobs) Stat(ctx context.Context, key string) (storage.BlobInfo, error) {
	ctx, o := b.starts(ctx, "stat")
	info, err := b.Blobs.Stat(ctx, key)
	o.end(err)
	return info, err
}

// Retain is measured.
func (b *blobs) Retain(ctx context.Context, key string, until time.Time) error {
	ctx, o := b.starts(ctx, "retain")
	err := b.Blobs.Retain(ctx, key, until)
	o.end(err)
	return err
}

// Delete is measured.
func (b *blobs) Delete(ctx context.Context, key string) error {
	ctx, o := b.starts(ctx, "delete")
	err := b.Blobs.Delete(ctx, key)
	o.end(err)
	return err
}

// List is measured.
func (b *blobs) List(ctx context.Context, store, after string, limit int) ([]storage.BlobInfo, error) {
	ctx, o := b.starts(ctx, "list")
	list, err := b.Blobs.List(ctx, store, after, limit)
	o.end(err)
	return list, err
}

// Ping is measured.
func (b *blobs) Ping(ctx context.Context) error {
	ctx, o := b.starts(ctx, "ping")
	err := b.Blobs.Ping(ctx)
	o.end(err)
	return err
}

// Stores is measured.
func (b *blobs) Stores(ctx context.Context) ([]string, error) {
	ctx, o := b.starts(ctx, "stores")
	names, err := b.Blobs.Stores(ctx)
	o.end(err)
	return names, err
}

// Retained is measured.
func (b *blobs) Retained(ctx context.Context, key string) (time.Time, error) {
	ctx, o := b.starts(ctx, "retained")
	until, err := b.Blobs.Retained(ctx, key)
	o.end(err)
	return until, err
}

// DeleteUnrenewed is measured.
func (b *blobs) DeleteUnrenewed(ctx context.Context, key string, stored time.Time) error {
	ctx, o := b.starts(ctx, "delete_unrenewed")
	err := b.Blobs.DeleteUnrenewed(ctx, key, stored)
	o.end(err)
	return err
}

// counted counts what is read from a blob.
type counted struct {
	io.ReadSeekCloser
	n  int64
	to prometheus.Counter
}

// Read reads.
func (c *counted) Read(p []byte) (int, error) {
	n, err := c.ReadSeekCloser.Read(p)
	c.n += int64(n)
	return n, err
}

// Close counts, once.
func (c *counted) Close() error {
	c.to.Add(float64(c.n))
	c.n = 0
	return c.ReadSeekCloser.Close()
}
