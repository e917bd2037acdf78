package move

import (
	"bytes"
	"compress/gzip"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"example.com/walkaround/api/background"
	"example.com/walkaround/storage"
	"example.com/walkaround/storage/archive"
	"example.com/walkaround/storage/migrate"
	"example.com/walkaround/test/harness"
)

// newFixture names the release whose fixture is to be written.
var newFixture = flag.String("fixture", "", "write testdata/NAME.tar.gz, a store as this program leaves it")

// mostFixture keeps the repository small.
const mostFixture = 100_000

func TestFixtureOfThisProgram(t *testing.T) {
	folder := t.TempDir()
	t.Run("a store that owes its PDFs, which are large", func(t *testing.T) {
		h := harness.Start(t, harness.Folder(folder), withSecret(), harness.Idle())
		v := h.As("advisor").ReadyVisit("粵A·12345")
		v.Sign().Want(http.StatusCreated)
		h.As("advisor").ReadyVisit("粵B·54321")
	})
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	ok(t, err)
	_, err = w.Write(write(t, beside(t, folder)))
	ok(t, err)
	ok(t, w.Close())
	if packed.Len() > mostFixture {
		t.Errorf("%d bytes are too many for the repository", packed.Len())
	}
	if *newFixture == "" {
		return
	}
	ok(t, os.WriteFile(filepath.Join("testdata", *newFixture+".tar.gz"), packed.Bytes(), 0o644))
}

// What every release wrote is brought to the format of this program, on every engine, and is whole and served.
func TestWhatEarlierReleasesWroteIsServed(t *testing.T) {
	fixtures, err := filepath.Glob(filepath.Join("testdata", "*.tar.gz"))
	ok(t, err)
	if len(fixtures) == 0 {
		t.Fatal("there are no fixtures")
	}
	for _, fixture := range fixtures {
		for _, e := range engines() {
			t.Run(filepath.Base(fixture)+" on "+e.name, func(t *testing.T) {
				into := e.open(t)
				m := restore(t, unpacked(t, fixture), into)
				if m.Documents["visits"] != 2 || m.Blobs < 4 {
					t.Errorf("%+v", m)
				}
				prepare(t, into)
				whole(t, into)
				serves(t, into, signedVisit(t, into))
				prepare(t, into)
			})
		}
	}
}

func unpacked(t *testing.T, path string) []byte {
	t.Helper()
	packed, err := os.ReadFile(path)
	ok(t, err)
	r, err := gzip.NewReader(bytes.NewReader(packed))
	ok(t, err)
	return []byte(readAll(t, r))
}

// prepare does what serve does before anything else.
func prepare(t *testing.T, s archive.Storage) {
	t.Helper()
	ok(t, s.Engine.Declare(t.Context(), []storage.Declaration{background.LeasesOf(s.Engine).Declaration()}))
	ok(t, migrate.Known().Prepare(t.Context(), s.Engine, background.NewLeases(s.Engine, time.Now)))
	f, err := migrate.FormatOf(t.Context(), s.Engine)
	ok(t, err)
	if f.Version != migrate.Known().Newest() || f.Target != 0 {
		t.Errorf("it is of format %+v", f)
	}
}

// signedVisit is the id of a visit that was signed.
func signedVisit(t *testing.T, s archive.Storage) (id string) {
	t.Helper()
	ok(t, s.Engine.Walk(t.Context(), "visits", func(r storage.Record, damage error) error {
		if r.Doc.Lookup("state").StringValue() == "inspected" {
			id = r.Doc.Lookup("id").StringValue()
		}
		return damage
	}))
	if id == "" {
		t.Fatal("none is signed")
	}
	return id
}
