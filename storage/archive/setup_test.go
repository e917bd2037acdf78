package archive_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"example.com/walkaround/domain"
	"example.com/walkaround/storage"
	"example.com/walkaround/storage/archive"
	"example.com/walkaround/storage/disk"
	"example.com/walkaround/storage/migrate"
	"example.com/walkaround/storage/sqlite"
)

// place is a store under test.
type place struct {
	archive.Storage
	t      *testing.T
	folder string
}

func newPlace(t *testing.T) place {
	t.Helper()
	return openPlace(t, t.TempDir())
}

func openPlace(t *testing.T, folder string) place {
	t.Helper()
	engine, err := sqlite.Open(t.Context(), folder)
	ok(t, err)
	t.Cleanup(func() { ok(t, engine.Close()) })
	blobs, err := disk.Open(filepath.Join(folder, "blobs"), time.Now)
	ok(t, err)
	return place{archive.Storage{Engine: engine, Blobs: blobs}, t, folder}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func document(t *testing.T, members ...any) bson.Raw {
	t.Helper()
	d := bson.D{}
	for i := 0; i+1 < len(members); i += 2 {
		d = append(d, bson.E{Key: fmt.Sprint(members[i]), Value: members[i+1]})
	}
	raw, err := bson.Marshal(d)
	ok(t, err)
	return raw
}

func (p place) declare(collection string, keys ...string) {
	p.t.Helper()
	ok(p.t, p.Engine.Declare(p.t.Context(), []storage.Declaration{{Name: collection, Keys: keys}}))
}

// put stores a record at its version.
func (p place) put(collection string, r storage.Record) {
	p.t.Helper()
	to, can := p.Engine.(storage.Restorer)
	if !can {
		p.t.Fatalf("%T can't restore", p.Engine)
	}
	ok(p.t, to.Restore(p.t.Context(), collection, r))
}

func (p place) blob(store, data string) storage.BlobInfo {
	p.t.Helper()
	info, err := p.Blobs.Put(p.t.Context(), store, strings.NewReader(data), 1<<30, nil)
	ok(p.t, err)
	return info
}

// sample fills a store with records and blobs of every kind.
func (p place) sample() {
	p.t.Helper()
	p.declare("visits", "plate", "pending")
	p.declare("empty", "plate")
	p.declare("proofs")
	p.put("visits", storage.Record{
		ID: "main/1", Version: 1, Doc: document(p.t, "id", "1", "words", "煞車有異響"), Summary: document(p.t, "id", "1"),
		Keys: []storage.KeyValue{{Name: "pending", Value: "2026-01-01"}, {Name: "plate", Value: "main/粵A12345"}},
	})
	p.put("visits", storage.Record{ID: "main/2", Version: 97, Doc: document(p.t), Summary: document(p.t)})
	p.put("proofs", storage.Record{ID: "sha256:00", Version: 1 << 33, Doc: document(p.t, "at", bson.DateTime(7), "raw", []byte(`{ "b" : 1 }`))})
	p.blob("main", "photo")
	p.blob("main", "")
	p.blob("other", "photo")
	sealed := p.blob("main", "sealed")
	ok(p.t, p.Blobs.Retain(p.t.Context(), sealed.Key, until))
}

var until = time.Date(2036, 5, 6, 7, 8, 9, 10_000_000, time.UTC)

// dump is everything that a store holds, as text.
func (p place) dump() []string {
	p.t.Helper()
	ctx := p.t.Context()
	names, err := p.Engine.Collections(ctx)
	ok(p.t, err)
	var all []string
	for _, name := range names {
		ok(p.t, p.Engine.Walk(ctx, name, func(r storage.Record, damage error) error {
			all = append(all, fmt.Sprintf("%s %q v%d %x %v %x %v", name, r.ID, r.Version, []byte(r.Doc), r.Summary == nil, []byte(r.Summary), r.Keys))
			return damage
		}))
	}
	stores, err := p.Blobs.Stores(ctx)
	ok(p.t, err)
	for _, store := range stores {
		list, err := p.Blobs.List(ctx, store, "", storage.MaxList)
		ok(p.t, err)
		for _, info := range list {
			ok(p.t, storage.Verify(ctx, p.Blobs, info.Key))
			end, err := p.Blobs.Retained(ctx, info.Key)
			ok(p.t, err)
			all = append(all, fmt.Sprint(info.Key, info.Bytes, end))
		}
	}
	return all
}

func header() archive.Header {
	return archive.Header{ID: domain.NewID(), Program: "test", CreatedAt: domain.At(time.Date(2026, 3, 4, 5, 6, 7, 890_000_000, time.UTC))}
}

// backup is a store's whole archive.
func (p place) backup() []byte {
	p.t.Helper()
	var b bytes.Buffer
	m, err := archive.Write(p.t.Context(), &b, p.Storage, header(), archive.Watch{Damaged: func(err error) { p.t.Error(err) }})
	ok(p.t, err)
	if m.Damaged() != 0 {
		p.t.Errorf("%+v", m)
	}
	return b.Bytes()
}

func (p place) restore(backup []byte) (archive.Manifest, error) {
	return archive.Restore(p.t.Context(), bytes.NewReader(backup), p.Storage, migrate.Known(), archive.Watch{})
}

// opens says whether a program may open the store.
func (p place) opens() error {
	p.t.Helper()
	ok(p.t, migrate.Declare(p.t.Context(), p.Engine))
	return migrate.Known().Refuse(p.t.Context(), p.Engine)
}
