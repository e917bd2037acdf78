package minio_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	client "github.com/minio/minio-go/v7"

	"example.com/walkaround/storage"
	"example.com/walkaround/storage/minio"
	"example.com/walkaround/test/minioserver"
)

func TestVersions(t *testing.T) {
	t.Parallel()
	srv := server(t)
	for name, run := range map[string]func(*testing.T, *bucket){
		"a repeat after sealing is retained with all its versions": repeatOfSealed,
		"deletion leaves nothing behind":                           nothingLeft,
		"what is no blob is not listed":                            strangers,
		"right bytes take the place of damaged ones":               healed,
		"an unreadable mark retains":                               unreadableMark,
		"pings leave nothing behind":                               pings,
	} {
		for _, lock := range []minio.Lock{minio.LockNone, minio.LockGovernance, minio.LockCompliance} {
			t.Run(name+", lock "+string(lock), func(t *testing.T) {
				t.Parallel()
				run(t, newBucket(t, srv, lock))
			})
		}
	}
}

func newBucket(t *testing.T, srv *minioserver.Server, lock minio.Lock) *bucket {
	t.Helper()
	c := settings(t, srv)
	c.Lock = lock
	b := &bucket{Store: open(t, c), t: t, srv: srv, name: c.Bucket, client: bare(t, srv)}
	b.before = objects(t, srv, c.Bucket)
	return b
}

// bucket is a store with a look behind it.
type bucket struct {
	*minio.Store
	t      *testing.T
	srv    *minioserver.Server
	name   string
	client *client.Client
	before int // versions that were there before
}

// versions are how many versions, markers included, have come since the start.
func (b *bucket) versions() int {
	b.t.Helper()
	return objects(b.t, b.srv, b.name) - b.before
}

func (b *bucket) ok(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// write stores bytes behind the store's back.
func (b *bucket) write(name, data string) {
	b.t.Helper()
	_, err := b.client.PutObject(b.t.Context(), b.name, name, strings.NewReader(data), int64(len(data)), client.PutObjectOptions{})
	b.ok(err)
}

func repeatOfSealed(t *testing.T, b *bucket) {
	t.Helper()
	key := put(t, b.Store, "sealed").Key
	b.ok(b.Retain(t.Context(), key, time.Now().Add(time.Hour)))
	put(t, b.Store, "sealed")
	put(t, b.Store, "sealed")
	before := b.versions()
	wantError(t, b.Delete(t.Context(), key), storage.ErrRetained)
	if after := b.versions(); after != before {
		t.Errorf("%d versions are left of %d", after, before)
	}
	if until, err := b.Retained(t.Context(), key); err != nil || until.Before(time.Now()) {
		t.Errorf("it says that it is retained until %s, %v", until, err)
	}
	b.ok(storage.Verify(t.Context(), b, key))
}

func nothingLeft(t *testing.T, b *bucket) {
	t.Helper()
	key := put(t, b.Store, "x").Key
	put(t, b.Store, "x")
	b.ok(b.Delete(t.Context(), key))
	if n := b.versions(); n != 0 {
		t.Errorf("%d versions and markers are left", n)
	}
}

func TestDeleteMarkerHidesNothing(t *testing.T) {
	srv := server(t)
	if _, external := minioserver.External(); external {
		t.Skip("not every server tells of a marker where it answers that nothing is there")
	}
	b := newBucket(t, srv, minio.LockCompliance)
	info := put(t, b.Store, "hidden")
	b.ok(b.client.RemoveObject(t.Context(), b.name, object(info.Key), client.RemoveObjectOptions{}))
	if n := b.versions(); n != 2 {
		t.Fatalf("%d versions, want blob and marker", n)
	}
	b.ok(storage.Verify(t.Context(), b, info.Key))
	stat, err := b.Stat(t.Context(), info.Key)
	b.ok(err)
	list, err := b.List(t.Context(), "main", "", 10)
	b.ok(err)
	if stat != info || len(list) != 1 || list[0] != info {
		t.Errorf("put %+v, stat %+v, list %+v", info, stat, list)
	}
	b.ok(b.Retain(t.Context(), info.Key, time.Now().Add(time.Hour)))
	wantError(t, b.Delete(t.Context(), info.Key), storage.ErrRetained)
}

func strangers(t *testing.T, b *bucket) {
	t.Helper()
	key := put(t, b.Store, "x").Key
	for _, name := range []string{"main/note.txt", "main/00/note.txt", object(key) + ".bak", "main/" + key[5:], ".hidden/x"} {
		b.write(name, "foreign")
	}
	list, err := b.List(t.Context(), "main", "", 10)
	b.ok(err)
	if len(list) != 1 || list[0].Key != key {
		t.Errorf("listed %+v", list)
	}
	b.ok(b.Delete(t.Context(), key))
	if n := b.versions(); n != 5 {
		t.Errorf("%d of 5 foreign objects are left", n)
	}
}

func healed(t *testing.T, b *bucket) {
	t.Helper()
	key := put(t, b.Store, "right").Key
	b.write(object(key), "wrong")
	wantError(t, storage.Verify(t.Context(), b, key), storage.ErrCorrupt)
	put(t, b.Store, "right")
	b.ok(storage.Verify(t.Context(), b, key))
}

func unreadableMark(t *testing.T, b *bucket) {
	t.Helper()
	key := put(t, b.Store, "sealed").Key
	b.write(".retained/"+key, "20")
	wantError(t, b.Delete(t.Context(), key), storage.ErrCorrupt)
	b.ok(storage.Verify(t.Context(), b, key))
}

func pings(t *testing.T, b *bucket) {
	t.Helper()
	for range 3 {
		b.ok(b.Ping(t.Context()))
	}
	if n := b.versions(); n != 0 {
		t.Errorf("%d versions are left", n)
	}
}

func TestWhatIsPutDuringADeletionStays(t *testing.T) {
	srv := server(t)
	c := settings(t, srv)
	c.Lock = minio.LockGovernance
	beside := open(t, c)
	info := put(t, beside, "x")
	var once sync.Once
	c.Endpoint = proxy(t, srv, func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodDelete && strings.HasSuffix(r.URL.Path, object(info.Key)) {
			once.Do(func() { put(t, beside, "x") })
		}
		return false
	}).URL
	if err := open(t, c).DeleteUnrenewed(t.Context(), info.Key, info.Stored); err != nil {
		t.Fatal(err)
	}
	if err := storage.Verify(t.Context(), beside, info.Key); err != nil {
		t.Errorf("acknowledged, and %v", err)
	}
}

func TestLegalHoldRetains(t *testing.T) {
	b := newBucket(t, server(t), minio.LockGovernance)
	key := put(t, b.Store, "x").Key
	hold := client.LegalHoldEnabled
	b.ok(b.client.PutObjectLegalHold(t.Context(), b.name, object(key), client.PutObjectLegalHoldOptions{Status: &hold}))
	wantError(t, b.Delete(t.Context(), key), storage.ErrRetained)
}

func TestEncryptedBlobsAreReadBack(t *testing.T) {
	srv := server(t)
	c := settings(t, srv)
	c.SSE = true
	s := open(t, c)
	key := put(t, s, "secret").Key
	info, err := bare(t, srv).StatObject(t.Context(), c.Bucket, object(key), client.StatObjectOptions{})
	if err != nil || info.Metadata.Get("X-Amz-Server-Side-Encryption") != "AES256" {
		t.Errorf("stored with %v, %v", info.Metadata, err)
	}
	r, opened, err := s.Open(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(r); err != nil || string(b) != "secret" || opened.Bytes != 6 || r.Close() != nil {
		t.Errorf("%q of %d bytes, %v", b, opened.Bytes, err)
	}
}
