package move

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/walkaround/api"
	"example.com/walkaround/domain"
	"example.com/walkaround/storage"
	"example.com/walkaround/storage/archive"
	"example.com/walkaround/storage/disk"
	"example.com/walkaround/storage/migrate"
	"example.com/walkaround/storage/minio"
	"example.com/walkaround/storage/mongo"
	"example.com/walkaround/storage/sqlite"
	"example.com/walkaround/test/harness"
	"example.com/walkaround/test/minioserver"
	"example.com/walkaround/test/mongoserver"
	"example.com/walkaround/test/samples"
)

// engine is a pair of documents and blobs.
type engine struct {
	name string
	open func(*testing.T) archive.Storage // an empty one, closed with the test
}

// engines are all the pairs between which stores move.
func engines() []engine {
	return []engine{
		{"SQLite and disk", func(t *testing.T) archive.Storage { t.Helper(); return embedded(t, t.TempDir()) }},
		{"MongoDB and MinIO", clustered},
	}
}

// newCluster names a database and a bucket of their own on servers of the tests; the bucket locks what is sealed.
func newCluster(t *testing.T) (mongo.Config, minio.Config) {
	t.Helper()
	documents, files := mongoserver.Start(t), minioserver.Start(t, minioserver.Options{})
	return mongo.Config{URI: documents.URI, Database: documents.Database(t)}, minio.Config{
		Endpoint: files.URL, AccessKey: files.AccessKey, SecretKey: files.SecretKey, Bucket: "walkaround-move-test",
		Lock: minio.LockCompliance, Spool: t.TempDir(),
	}
}

func clustered(t *testing.T) archive.Storage {
	t.Helper()
	documents, files := newCluster(t)
	return opened(t, documents, files)
}

func opened(t *testing.T, documents mongo.Config, files minio.Config) archive.Storage {
	t.Helper()
	e, err := mongo.Open(t.Context(), documents)
	ok(t, err)
	t.Cleanup(func() { ok(t, e.Close()) })
	blobs, err := minio.Open(t.Context(), files, time.Now)
	ok(t, err)
	t.Cleanup(func() { ok(t, blobs.Close()) })
	return archive.Storage{Engine: e, Blobs: blobs, First: []string{"visits"}}
}

func embedded(t *testing.T, folder string) archive.Storage {
	t.Helper()
	e, err := sqlite.Open(t.Context(), folder)
	ok(t, err)
	t.Cleanup(func() { ok(t, e.Close()) })
	blobs, err := disk.Open(filepath.Join(folder, "blobs"), time.Now)
	ok(t, err)
	return archive.Storage{Engine: e, Blobs: blobs, First: []string{"visits"}}
}

// beside opens a folder read-only, while a server writes into it.
func beside(t *testing.T, folder string) archive.Storage {
	t.Helper()
	e, err := sqlite.OpenReadOnly(t.Context(), folder)
	ok(t, err)
	t.Cleanup(func() { ok(t, e.Close()) })
	blobs, err := disk.OpenReadOnly(filepath.Join(folder, "blobs"), time.Now)
	ok(t, err)
	return archive.Storage{Engine: e, Blobs: blobs}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// secret is that of every store here, as api takes it; secretText as WALKAROUND_SECRET does.
var (
	secret     = bytes.Repeat([]byte{0x5a}, 32)
	secretText = strings.Repeat("5a", 32)
)

func withSecret() harness.Option {
	return harness.Config(func(c *api.Config) { c.Secret = secret })
}

// write makes a backup.
func write(t *testing.T, from archive.Storage) []byte {
	t.Helper()
	var b bytes.Buffer
	h := archive.Header{ID: domain.NewID(), Program: "test", CreatedAt: domain.At(time.Now())}
	m, err := archive.Write(t.Context(), &b, from, h, archive.Watch{Damaged: func(err error) { t.Error(err) }})
	ok(t, err)
	if m.Damaged() != 0 {
		t.Errorf("%+v", m)
	}
	return b.Bytes()
}

func restore(t *testing.T, backup []byte, into archive.Storage) archive.Manifest {
	t.Helper()
	m, err := archive.Restore(t.Context(), bytes.NewReader(backup), into, migrate.Known(), archive.Watch{})
	ok(t, err)
	return m
}

// dump is all that a store holds, a line each: records to the byte, blobs with what they hash to and until when they are
// retained.
func dump(t *testing.T, s archive.Storage) []string {
	t.Helper()
	names, err := s.Engine.Collections(t.Context())
	ok(t, err)
	var all []string
	for _, name := range names {
		ok(t, s.Engine.Walk(t.Context(), name, func(r storage.Record, damage error) error {
			all = append(all, fmt.Sprintf("%s %q v%d %x %t %x %q", name, r.ID, r.Version, sha256.Sum256(r.Doc), r.Summary == nil, sha256.Sum256(r.Summary), r.Keys))
			return damage
		}))
	}
	stores, err := s.Blobs.Stores(t.Context())
	ok(t, err)
	for _, store := range stores {
		list, err := s.Blobs.List(t.Context(), store, "", storage.MaxList)
		ok(t, err)
		for _, info := range list {
			ok(t, storage.Verify(t.Context(), s.Blobs, info.Key))
			until, err := s.Blobs.Retained(t.Context(), info.Key)
			ok(t, err)
			if !until.IsZero() { // a bucket knows whole seconds, and rounds up
				until = until.Add(time.Second - 1).Truncate(time.Second)
			}
			all = append(all, fmt.Sprintf("%s %d %s", info.Key, info.Bytes, until.UTC()))
		}
	}
	return all
}

// same compares two dumps, save what a store says of itself.
func same(t *testing.T, got, want []string) {
	t.Helper()
	own := func(s string) bool { return strings.HasPrefix(s, migrate.Collection+" ") }
	got, want = slices.DeleteFunc(slices.Clone(got), own), slices.DeleteFunc(slices.Clone(want), own)
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("it lacks %.200s", line)
		}
	}
	for _, line := range got {
		if !slices.Contains(want, line) {
			t.Errorf("it has besides %.200s", line)
		}
	}
}

// whole has check look a store through: nothing is damaged, and everything that is named is there.
func whole(t *testing.T, s archive.Storage) {
	t.Helper()
	ok(t, api.Check(t.Context(), api.CheckConfig{Engine: s.Engine, Blobs: s.Blobs}, func(f api.Finding) {
		if !f.Note {
			t.Errorf("check: %s", f)
		}
	}))
}

// life is a store in which something of everything has happened, made once, closed again, and a visit of it that is signed.
var life struct {
	once           sync.Once
	folder, signed string
}

// lived gives a test that store in a folder of its own.
func lived(t *testing.T) (folder, signed string) {
	t.Helper()
	life.once.Do(func() { t.Run("a store that has lived", live) })
	if life.signed == "" {
		t.Fatal("there is no store; see the first failure")
	}
	folder = filepath.Join(t.TempDir(), "lived")
	ok(t, os.CopyFS(folder, os.DirFS(life.folder)))
	return folder, life.signed
}

func live(t *testing.T) {
	var err error
	life.folder, err = os.MkdirTemp("", "walkaround-lived-") //nolint:usetesting // it outlives this test; TestMain removes it
	ok(t, err)
	h := harness.Start(t, harness.Folder(life.folder), withSecret())
	advisor := h.As("advisor")
	v := advisor.ReadyVisit("粵A·12345")
	v.Sign().Want(http.StatusCreated)
	v.Get(v.At("/documents/inspection.pdf")).Want(http.StatusOK)
	open := advisor.ReadyVisit("粵B·54321")
	open.UploadPhoto(harness.SmallPhoto(7), "image/png").Want(http.StatusCreated)
	open.Do(http.MethodPut, open.At("/recordings/"+domain.NewID()), samples.M4A(), "Content-Type", "audio/mp4").Want(http.StatusCreated)
	settled(t, h)
	life.signed = v.ID
}

// settled waits until nothing is owed any more.
func settled(t *testing.T, h *harness.House) {
	t.Helper()
	harness.Eventually(t, "the work behind the answers is done", func() bool {
		for _, c := range []string{"visits", "photos"} {
			list, err := h.Engine.Find(t.Context(), c, storage.Query{Key: "pending", Limit: 1})
			ok(t, err)
			if len(list) > 0 {
				return false
			}
		}
		return true
	})
}

// serves runs the API on a store, and has the advisor's supervisor read a visit and its sealed sheet.
func serves(t *testing.T, s archive.Storage, visit string) {
	t.Helper()
	ok(t, migrate.Known().Refuse(t.Context(), s.Engine))
	server, err := api.New(t.Context(), api.Config{Engine: s.Engine, Blobs: s.Blobs, Secret: secret, Now: time.Now, Log: quiet()})
	ok(t, err)
	t.Cleanup(func() { ok(t, server.Close(context.WithoutCancel(t.Context()))) })
	token := login(t, server.Handler())
	for path, begins := range map[string]string{
		"/v1/visits/" + visit:                               `{"`,
		"/v1/visits/" + visit + "/documents/inspection.pdf": "%PDF",
	} {
		body := get(t, server.Handler(), path, token)
		if !strings.HasPrefix(body, begins) {
			t.Errorf("%s: %.100s", path, body)
		}
	}
}

func readAll(t *testing.T, r io.Reader) string {
	t.Helper()
	b, err := io.ReadAll(r)
	ok(t, err)
	return string(b)
}
