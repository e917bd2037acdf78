package archive_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.com/walkaround/storage"
	"example.com/walkaround/storage/archive"
	"example.com/walkaround/storage/migrate"
)

func TestAStoreComesBackByteForByte(t *testing.T) {
	from, to := newPlace(t), newPlace(t)
	from.sample()
	from.declare("many", "n")
	for i := range 90 { // several chunks
		n := fmt.Sprintf("%05d", i)
		from.put("many", storage.Record{
			ID: "main/" + n, Version: int64(i + 1), Doc: document(t, "text", strings.Repeat(n, 30_000)), Keys: []storage.KeyValue{{Name: "n", Value: n}},
		})
	}
	var last archive.Progress
	var backup bytes.Buffer
	written, err := archive.Write(t.Context(), &backup, from.Storage, header(), archive.Watch{Progress: func(p archive.Progress) { last = p }})
	ok(t, err)
	if want := (archive.Progress{Documents: 93, Blobs: 4, BlobBytes: 16, TotalBlobs: 4, TotalBytes: 16}); last != want {
		t.Errorf("progress %+v, want %+v", last, want)
	}
	h, verified, err := archive.Verify(t.Context(), bytes.NewReader(backup.Bytes()), archive.Watch{})
	ok(t, err)
	if h.Format != migrate.Oldest || h.Version != archive.Version || fmt.Sprint(verified) != fmt.Sprint(written) {
		t.Errorf("%+v: wrote %+v, verified %+v", h, written, verified)
	}
	restored, err := to.restore(backup.Bytes())
	ok(t, err)
	if fmt.Sprint(restored) != fmt.Sprint(written) || restored.Count() != 93 {
		t.Errorf("wrote %+v, restored %+v", written, restored)
	}
	if a, b := withoutMeta(from.dump()), withoutMeta(to.dump()); !slices.Equal(a, b) {
		t.Errorf("%d lines, %d are back", len(a), len(b))
	}
	if err := to.opens(); err != nil {
		t.Errorf("what was restored is not opened: %v", err)
	}
}

// withoutMeta leaves out what a store says of itself.
func withoutMeta(lines []string) []string {
	return slices.DeleteFunc(lines, func(s string) bool { return strings.HasPrefix(s, migrate.Collection+" ") })
}

func TestOtherToolsReadIt(t *testing.T) {
	from := newPlace(t)
	from.sample()
	r := tar.NewReader(bytes.NewReader(from.backup()))
	var names []string
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		ok(t, err)
		names = append(names, strings.Split(h.Name, ".")[0])
	}
	if names[0] != "walkaround-backup" || names[len(names)-1] != "manifest" || !slices.Contains(names, "documents/visits/000001") {
		t.Errorf("%q", names)
	}
}

// small is a backup that has an entry of each kind.
func small(t *testing.T) []byte {
	t.Helper()
	from := newPlace(t)
	from.declare("visits", "plate")
	from.put("visits", storage.Record{ID: "main/1", Version: 3, Doc: document(t, "id", "1"), Keys: []storage.KeyValue{{Name: "plate", Value: "A"}}})
	sealed := from.blob("main", "photo")
	ok(t, from.Blobs.Retain(t.Context(), sealed.Key, until))
	return from.backup()
}

func TestABackupCutAtAnyByteIsRefused(t *testing.T) {
	whole := small(t)
	for n := range whole {
		_, _, err := archive.Verify(t.Context(), bytes.NewReader(whole[:n]), archive.Watch{})
		if foreign := n < 1024 && errors.Is(err, archive.ErrForeign); !foreign && !errors.Is(err, archive.ErrCut) {
			t.Fatalf("cut at %d of %d: %v", n, len(whole), err)
		}
	}
}

func TestABackupWithAnyChangedByteIsRefused(t *testing.T) {
	whole := small(t)
	for _, change := range []byte{1, 0xff} {
		for n := range whole {
			spoilt := bytes.Clone(whole)
			spoilt[n] ^= change
			if _, _, err := archive.Verify(t.Context(), bytes.NewReader(spoilt), archive.Watch{}); err == nil {
				t.Fatalf("byte %d of %d changed by %#x: nothing is said", n, len(whole), change)
			}
		}
	}
}

func TestABackupWithMoreOrLessInItIsRefused(t *testing.T) {
	whole := small(t)
	for name, b := range map[string][]byte{
		"a byte more":       append(bytes.Clone(whole), 0),
		"a block more":      append(bytes.Clone(whole), make([]byte, 512)...),
		"much more":         append(bytes.Clone(whole), make([]byte, 5<<20)...),
		"another behind it": append(bytes.Clone(whole), whole...),
		"a blob less":       withoutEntry(t, whole, "blobs/"),
		"a chunk less":      withoutEntry(t, whole, "documents/"),
		"nothing":           {},
		"a photo":           []byte(strings.Repeat("\xff\xd8", 3_000)),
	} {
		if _, _, err := archive.Verify(t.Context(), bytes.NewReader(b), archive.Watch{}); err == nil {
			t.Errorf("%s: nothing is said", name)
		}
	}
}

// withoutEntry writes the archive again, whole as a tar, without one entry.
func withoutEntry(t *testing.T, whole []byte, prefix string) []byte {
	t.Helper()
	r, out := tar.NewReader(bytes.NewReader(whole)), &bytes.Buffer{}
	w := tar.NewWriter(out)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		ok(t, err)
		if strings.HasPrefix(h.Name, prefix) {
			continue
		}
		ok(t, w.WriteHeader(h))
		_, err = io.Copy(w, r)
		ok(t, err)
	}
	ok(t, w.Close())
	return out.Bytes()
}

func TestWhatBreaksOffIsNotOpenedUntilItIsRestoredWhole(t *testing.T) {
	from := newPlace(t)
	from.sample()
	whole := from.backup()
	spoilt := bytes.Clone(whole)
	spoilt[len(spoilt)-1] ^= 1
	for name, broken := range map[string][]byte{"cut": whole[:len(whole)*2/3], "the last byte changed": spoilt} {
		t.Run(name, func(t *testing.T) {
			to := newPlace(t)
			if _, err := to.restore(broken); err == nil {
				t.Fatal("it is restored")
			}
			if err := to.opens(); !errors.Is(err, migrate.ErrRestoring) {
				t.Errorf("got %v, want it kept closed", err)
			}
			_, err := archive.Write(t.Context(), io.Discard, to.Storage, header(), archive.Watch{})
			if !errors.Is(err, migrate.ErrRestoring) {
				t.Errorf("it is backed up: %v", err)
			}
			if _, err := to.restore(small(t)); !errors.Is(err, archive.ErrNotEmpty) {
				t.Errorf("another backup over it: %v", err)
			}
			_, err = to.restore(whole)
			ok(t, err)
			ok(t, to.opens())
			if a, b := withoutMeta(from.dump()), withoutMeta(to.dump()); !slices.Equal(a, b) {
				t.Errorf("%d lines, %d are back", len(a), len(b))
			}
		})
	}
}

func TestNothingIsRestoredIntoAStoreThatIsNotEmpty(t *testing.T) {
	backup := small(t)
	for name, fill := range map[string]func(place){
		"a document": func(p place) {
			p.declare("staff")
			p.put("staff", storage.Record{ID: "x", Version: 1, Doc: document(t)})
		},
		"a blob":         func(p place) { p.blob("elsewhere", "x") },
		"the same again": func(p place) { _, err := p.restore(backup); ok(t, err) },
		"only its format": func(p place) {
			ok(t, migrate.Declare(t.Context(), p.Engine))
			ok(t, migrate.SetFormat(t.Context(), p.Engine, migrate.Format{Version: 1}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			fill(p)
			before := p.dump()
			if _, err := p.restore(backup); !errors.Is(err, archive.ErrNotEmpty) {
				t.Fatalf("got %v", err)
			}
			if !slices.Equal(p.dump(), before) {
				t.Error("it was changed")
			}
		})
	}
}

func TestNewerBackupsAreRefused(t *testing.T) {
	from := newPlace(t)
	from.sample()
	ok(t, migrate.Declare(t.Context(), from.Engine))
	ok(t, migrate.SetFormat(t.Context(), from.Engine, migrate.Format{Version: 2}))
	to := newPlace(t)
	if _, err := to.restore(from.backup()); !errors.Is(err, archive.ErrNewer) || !strings.Contains(err.Error(), "format 2") {
		t.Errorf("documents of format 2: %v", err)
	}
	form := bytes.Replace(small(t), []byte(`"version": 1,`), []byte(`"version": 2,`), 1)
	if _, err := to.restore(form); !errors.Is(err, archive.ErrNewer) {
		t.Errorf("an archive of form 2: %v", err)
	}
	if got := to.dump(); len(got) != 0 {
		t.Errorf("something is stored: %q", got)
	}
}

func TestDocumentsOnTheirWayAreNotBackedUp(t *testing.T) {
	p := newPlace(t)
	ok(t, migrate.Declare(t.Context(), p.Engine))
	ok(t, migrate.SetFormat(t.Context(), p.Engine, migrate.Format{Version: 1, Target: 2}))
	if _, err := archive.Write(t.Context(), io.Discard, p.Storage, header(), archive.Watch{}); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}

func TestWhatIsDamagedIsToldAndHoldsUpNothing(t *testing.T) {
	from, to := newPlace(t), newPlace(t)
	from.sample()
	bad := from.blob("main", "will be spoilt")
	ok(t, os.WriteFile(filepath.Join(from.folder, "blobs", "main", bad.Key[5:7], bad.Key[5:]), []byte("spoilt"), 0o600))
	from.Engine = damaging{from.Engine, "main/2"}
	var told []string
	var backup bytes.Buffer
	m, err := archive.Write(t.Context(), &backup, from.Storage, header(), archive.Watch{Damaged: func(err error) { told = append(told, err.Error()) }})
	ok(t, err)
	if m.DamagedDocuments != 1 || m.DamagedBlobs != 1 || len(told) != 2 || !strings.Contains(told[0], "main/2") || !strings.Contains(told[1], bad.Key) {
		t.Errorf("%+v: %q", m, told)
	}
	told = nil
	restored, err := archive.Restore(t.Context(), &backup, to.Storage, migrate.Known(), archive.Watch{Damaged: func(err error) { told = append(told, err.Error()) }})
	ok(t, err)
	if restored.Damaged() != 2 || len(told) != 1 || !strings.Contains(told[0], bad.Key) {
		t.Errorf("%+v: %q", restored, told)
	}
	if _, err := to.Blobs.Stat(t.Context(), bad.Key); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("the damaged blob is there: %v", err)
	}
	ok(t, to.opens())
}

func TestAFileThatCannotBeReadHoldsUpNothing(t *testing.T) {
	for name, hurt := range map[string]func(torn) storage.Blobs{
		"not opened":  func(b torn) storage.Blobs { b.open = true; return b },
		"breaks off":  func(b torn) storage.Blobs { return b },
		"is too long": func(b torn) storage.Blobs { b.ends = io.EOF; return b },
	} {
		t.Run(name, func(t *testing.T) {
			from, to := newPlace(t), newPlace(t)
			from.sample()
			bad := from.blob("main", "can't be read to its end")
			from.Blobs = hurt(torn{Blobs: from.Blobs, key: bad.Key, ends: syscall.EIO})
			var told []string
			var backup bytes.Buffer
			m, err := archive.Write(t.Context(), &backup, from.Storage, header(), archive.Watch{Damaged: func(err error) { told = append(told, err.Error()) }})
			ok(t, err)
			if m.DamagedBlobs != 1 || m.Blobs != 5 || len(told) != 1 || !strings.Contains(told[0], bad.Key) {
				t.Errorf("%+v: %q", m, told)
			}
			restored, err := to.restore(backup.Bytes())
			ok(t, err)
			list, err := to.Blobs.List(t.Context(), "main", "", 10)
			ok(t, err)
			if restored.DamagedBlobs != 1 || len(list) != 3 {
				t.Errorf("%+v: %v", restored, list)
			}
		})
	}
}

// torn are blobs of which one can't be read.
type torn struct {
	storage.Blobs
	key  string
	open bool // not even opened
	ends error
}

func (b torn) Open(ctx context.Context, key string) (io.ReadSeekCloser, storage.BlobInfo, error) {
	if key == b.key && b.open {
		return nil, storage.BlobInfo{}, b.ends
	}
	r, info, err := b.Blobs.Open(ctx, key)
	if key == b.key {
		r = tornReader{r, &io.LimitedReader{R: r, N: 3}, b.ends}
	}
	return r, info, err
}

type tornReader struct {
	io.ReadSeekCloser
	from *io.LimitedReader
	ends error
}

func (r tornReader) Read(p []byte) (int, error) {
	if r.from.N == 0 {
		return 0, r.ends
	}
	return r.from.Read(p)
}

func TestAStoreThatGoesAwayEndsTheBackup(t *testing.T) {
	from := newPlace(t)
	from.sample()
	from.Blobs = away{from.Blobs, new(bool)}
	if _, err := archive.Write(t.Context(), io.Discard, from.Storage, header(), archive.Watch{}); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}

// away are blobs that are out of reach from the first that is opened on.
type away struct {
	storage.Blobs
	gone *bool
}

func (a away) Open(context.Context, string) (io.ReadSeekCloser, storage.BlobInfo, error) {
	*a.gone = true
	return nil, storage.BlobInfo{}, storage.ErrUnavailable
}

func (a away) Stores(ctx context.Context) ([]string, error) {
	if *a.gone {
		return nil, storage.ErrUnavailable
	}
	return a.Blobs.Stores(ctx)
}

func TestARetentionThatCannotBeReadIsTheLongestOfTheStore(t *testing.T) {
	for name, c := range map[string]struct {
		others []time.Time
		want   time.Time
	}{
		"others are retained": {[]time.Time{until, until.AddDate(1, 0, 0), until.AddDate(0, 1, 0)}, until.AddDate(1, 0, 0)},
		"none is":             {nil, header().CreatedAt.AddDate(10, 0, 0)},
	} {
		t.Run(name, func(t *testing.T) {
			from, to := newPlace(t), newPlace(t)
			sealed := from.blob("main", "sealed")
			ok(t, from.Blobs.Retain(t.Context(), sealed.Key, until))
			ok(t, os.WriteFile(filepath.Join(from.folder, "blobs", ".retained", sealed.Key), []byte("20"), 0o600))
			for i, end := range c.others {
				ok(t, from.Blobs.Retain(t.Context(), from.blob("main", fmt.Sprint(i)).Key, end))
			}
			var told []string
			var backup bytes.Buffer
			m, err := archive.Write(t.Context(), &backup, from.Storage, header(), archive.Watch{Damaged: func(err error) { told = append(told, err.Error()) }})
			ok(t, err)
			if m.DamagedRetentions != 1 || m.Damaged() != 1 || len(told) != 1 || !strings.Contains(told[0], sealed.Key) {
				t.Errorf("%+v: %q", m, told)
			}
			restored, err := to.restore(backup.Bytes())
			ok(t, err)
			got, err := to.Blobs.Retained(t.Context(), sealed.Key)
			if err != nil || !got.Equal(c.want) || restored.DamagedRetentions != 1 {
				t.Errorf("restored %+v, retained until %s (%v), want %s", restored, got, err, c.want)
			}
		})
	}
}

func TestWhatIsThereAlreadyIsComparedWhole(t *testing.T) {
	from := newPlace(t)
	from.sample()
	whole := from.backup()
	for name, change := range map[string]func(*storage.Record){
		"its summary":        func(r *storage.Record) { r.Summary = document(t, "id", "2") },
		"its lack of one":    func(r *storage.Record) { r.Summary = nil },
		"the value of a key": func(r *storage.Record) { r.Keys[1].Value = "main/粵A54321" },
		"a key that is gone": func(r *storage.Record) { r.Keys = r.Keys[:1] },
	} {
		t.Run(name, func(t *testing.T) {
			to := newPlace(t)
			if _, err := to.restore(whole[:len(whole)-600]); err == nil {
				t.Fatal("what is cut is restored")
			}
			to.declare("visits", "plate", "pending")
			var there storage.Record
			ok(t, to.Engine.Walk(t.Context(), "visits", func(r storage.Record, damage error) error {
				if r.ID == "main/1" {
					there = r
				}
				return damage
			}))
			ok(t, to.Engine.Delete(t.Context(), "visits", there.ID, there.Version))
			change(&there)
			to.put("visits", there)
			if _, err := to.restore(whole); !errors.Is(err, storage.ErrCorrupt) || !strings.Contains(err.Error(), "visits") {
				t.Errorf("got %v", err)
			}
			if err := to.opens(); !errors.Is(err, migrate.ErrRestoring) {
				t.Errorf("it is opened: %v", err)
			}
		})
	}
}

// damaging is an engine of which one record is damaged, and which can't show one moment.
type damaging struct {
	storage.Engine
	id string
}

func (d damaging) Walk(ctx context.Context, collection string, fn func(storage.Record, error) error) error {
	return d.Engine.Walk(ctx, collection, func(r storage.Record, damage error) error {
		if r.ID == d.id {
			damage = fmt.Errorf("%w: %s %s", storage.ErrCorrupt, collection, r.ID)
		}
		return fn(r, damage)
	})
}

func TestLargeBlobsAreNotHeldInMemory(t *testing.T) {
	const size = 64 << 20
	from, to := newPlace(t), newPlace(t)
	_, err := from.Blobs.Put(t.Context(), "main", io.LimitReader(zeros{}, size), size, nil)
	ok(t, err)
	path := filepath.Join(t.TempDir(), "backup.tar")
	out, err := os.Create(path)
	ok(t, err)
	if used := allocated(func() {
		_, err = archive.Write(t.Context(), out, from.Storage, header(), archive.Watch{})
	}); err != nil || used > 4<<20 {
		t.Errorf("a backup of %d MiB allocates %d KiB, %v", size>>20, used>>10, err)
	}
	_, err = out.Seek(0, io.SeekStart)
	ok(t, err)
	if used := allocated(func() {
		_, err = archive.Restore(t.Context(), out, to.Storage, migrate.Known(), archive.Watch{})
	}); err != nil || used > 4<<20 {
		t.Errorf("its restore allocates %d KiB, %v", used>>10, err)
	}
	ok(t, out.Close())
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// allocated is how many bytes fn allocates, freed or not.
func allocated(fn func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	fn()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestAnEndedContextEndsIt(t *testing.T) {
	from := newPlace(t)
	from.sample()
	backup := from.backup()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := archive.Write(ctx, io.Discard, from.Storage, header(), archive.Watch{}); !errors.Is(err, context.Canceled) {
		t.Errorf("write: %v", err)
	}
	if _, _, err := archive.Verify(ctx, bytes.NewReader(backup), archive.Watch{}); !errors.Is(err, context.Canceled) {
		t.Errorf("verify: %v", err)
	}
}

func TestErrorsOfFilesAreToldAsTheyAre(t *testing.T) {
	from := newPlace(t)
	from.sample()
	broken := errors.New("the disk is gone")
	if _, err := archive.Write(t.Context(), failing{broken}, from.Storage, header(), archive.Watch{}); !errors.Is(err, broken) {
		t.Errorf("write: %v", err)
	}
	whole := from.backup()
	half := io.MultiReader(bytes.NewReader(whole[:len(whole)/2]), failing{broken})
	if _, _, err := archive.Verify(t.Context(), half, archive.Watch{}); !errors.Is(err, broken) {
		t.Errorf("verify: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error)  { return 0, f.err }
func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestABackupBesideWritersIsOfOneMoment(t *testing.T) {
	from, to := newPlace(t), newPlace(t)
	collections := []string{"a_first", "b_second"}
	for _, c := range collections {
		from.declare(c)
	}
	n := 0
	add := func() { // a blob, and then what names it
		key := from.blob("main", fmt.Sprint(n)).Key
		for _, c := range collections {
			from.put(c, storage.Record{ID: fmt.Sprintf("main/%06d", n), Version: 1, Doc: document(t, "blob", key)})
		}
		n++
	}
	add()
	var backup bytes.Buffer
	_, err := archive.Write(t.Context(), &backup, from.Storage, header(), archive.Watch{Progress: func(archive.Progress) { add() }})
	ok(t, err)
	m, err := to.restore(backup.Bytes())
	ok(t, err)
	if a, b := m.Documents["a_first"], m.Documents["b_second"]; a != 1 || b != 1 || n < 3 || m.Blobs < 2 {
		t.Errorf("%d and %d documents, %d blobs, and there are %d of each: they are of no one moment", a, b, m.Blobs, n)
	}
	for _, c := range collections {
		ok(t, to.Engine.Walk(t.Context(), c, func(r storage.Record, damage error) error {
			_, err := to.Blobs.Stat(t.Context(), r.Doc.Lookup("blob").StringValue())
			return errors.Join(damage, err)
		}))
	}
}

func TestWithoutOneMomentWhatNamesOthersIsReadFirst(t *testing.T) {
	from := newPlace(t)
	from.sample()
	from.Engine = damaging{from.Engine, ""}
	from.First = []string{"visits", "absent"}
	r := tar.NewReader(bytes.NewReader(from.backup()))
	for range 2 {
		h, err := r.Next()
		ok(t, err)
		if strings.HasPrefix(h.Name, "documents/") && !strings.HasPrefix(h.Name, "documents/visits/") {
			t.Errorf("%s comes first", h.Name)
		}
	}
}
