package faults

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
	"go.mongodb.org/mongo-driver/v2/bson"

	"example.com/walkaround/api"
	"example.com/walkaround/domain/store"
	"example.com/walkaround/domain/vehicle"
	"example.com/walkaround/domain/visit"
	"example.com/walkaround/storage"
	"example.com/walkaround/storage/open"
	"example.com/walkaround/test/harness"
)

// patience is how long anything may take that takes no time on a machine of its own.
const patience = 60 * time.Second

// until waits for a condition.
func until(t *testing.T, what string, met func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !met(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("in vain: %s", what)
		}
	}
}

// signedOnce is a folder with three signed visits in two checkpoints and one that is not signed, and what lies where.
type signedOnce struct {
	folder          string
	first, second   string // visits in checkpoint 1 and 2; a third stands in 2 as well
	open            string // not signed
	cancelled       string // nor this
	twice, replaced string // signed, opened again and signed anew, in checkpoint 2; the digest that was signed first
	vehicle         string // of the first, whose customer got a copy
	checklist       string // main/<id>
	digest, digest2 string
	signature       string
	photo, photoSum string
}

// seed makes the folder once for all tests: checkpoints are taken when a house opens.
func seed(t *testing.T) signedOnce {
	t.Helper()
	s := signedOnce{folder: t.TempDir()}
	t.Run("seed 1", func(t *testing.T) {
		h := harness.Start(t, harness.Folder(s.folder))
		v := h.As("advisor").ReadyVisit("粵A·11111")
		signed := v.Sign().Want(http.StatusCreated)
		s.first, s.digest, s.signature = v.ID, signed.Text("digest"), signed.Text("id")
		photo := v.Get(v.At("/photos")).Want(http.StatusOK)
		s.photo, s.photoSum = photo.Text("items.0.id"), photo.Text("items.0.sha256")
		s.vehicle, s.checklist = v.VehicleID, "main/"+store.DefaultChecklistID("main")
		v.Do(http.MethodPost, v.At("/copies"), harness.Map{"digest": s.digest, "kind": "paper"}).Want(http.StatusOK)
		s.open = h.As("advisor").ReadyVisit("粵A·44444").ID
		gone := h.As("advisor").ReadyVisit("粵A·55555")
		gone.Do(http.MethodPost, gone.At("/cancel"), harness.Map{"reason": "drove on", "covers_removed": true}).Want(http.StatusOK)
		s.cancelled = gone.ID
		settled(t, h)
	})
	t.Run("seed 2", func(t *testing.T) {
		h := harness.Start(t, harness.Folder(s.folder))
		c := h.Anyone()
		until(t, "checkpoint 1", func() bool { return c.Raw(http.MethodGet, "/v1/verify/"+s.digest, nil).At("checkpoint") != nil })
		c = signIn(t, h)
		s.twice, s.replaced = signedTwice(c, "粵A·66666")
		for _, plate := range []string{"粵A·22222", "粵A·33333"} {
			v := c.ReadyVisit(plate)
			s.second, s.digest2 = v.ID, v.Sign().Want(http.StatusCreated).Text("digest")
		}
		settled(t, h)
	})
	t.Run("seed 3", func(t *testing.T) {
		h := harness.Start(t, harness.Folder(s.folder))
		until(t, "checkpoint 2", func() bool {
			return h.Anyone().Raw(http.MethodGet, "/v1/verify/"+s.digest2, nil).Number("checkpoint.sequence") == 2
		})
		settled(t, h)
	})
	return s
}

// signedTwice is a visit whose signed sheet was opened again and signed anew, and the digest that was signed first.
func signedTwice(c *harness.Client, plate string) (id, digest string) {
	v := c.ReadyVisit(plate)
	digest = v.Sign().Want(http.StatusCreated).Text("digest")
	v.Do(http.MethodPost, v.At("/inspection/revisions"), harness.Map{"reason": "another bag"}).Want(http.StatusCreated)
	intake := harness.Intake()
	intake["note"] = "another bag"
	v.PutIntake(intake).Want(http.StatusOK)
	v.Sign().Want(http.StatusCreated)
	return v.ID, digest
}

// visitsOf is the collection of visits as the program keeps it, so that keys and summary of what is forged fit.
func visitsOf(e storage.Engine) *storage.Collection[visit.Visit] {
	key := func(name string, value func(*visit.Visit) string) storage.Key[visit.Visit] {
		return storage.Key[visit.Visit]{Name: name, Values: func(v *visit.Visit) []string {
			if part := value(v); part != "" {
				return []string{v.StoreID + "/" + part + "/" + v.ArrivedAt.String()}
			}
			return nil
		}}
	}
	bare := func(name string, value func(*visit.Visit) string) storage.Key[visit.Visit] {
		return storage.Key[visit.Visit]{Name: name, Values: func(v *visit.Visit) []string {
			if part := value(v); part != "" {
				return []string{v.StoreID + "/" + part}
			}
			return nil
		}}
	}
	return storage.NewCollection(e, storage.Shape[visit.Visit]{
		Name: "visits", ID: func(v *visit.Visit) string { return v.StoreID + "/" + v.ID },
		Keys: []storage.Key[visit.Visit]{
			bare("arrived", func(v *visit.Visit) string { return v.ArrivedAt.String() }),
			bare("number", func(v *visit.Visit) string { return v.Number }),
			bare("waiting", func(v *visit.Visit) string {
				if v.Waiting() {
					return v.ArrivedAt.String()
				}
				return ""
			}),
			key("state", func(v *visit.Visit) string { return string(v.State) }),
			key("plate", func(v *visit.Visit) string { return vehicle.NormalizePlate(v.Plate) }),
			key("vehicle", func(v *visit.Visit) string { return v.VehicleID }),
			key("customer", func(v *visit.Visit) string { return v.CustomerID }),
			key("advisor", func(v *visit.Visit) string { return v.AdvisorID }),
			{Name: "pending", Values: func(v *visit.Visit) []string { return v.Outbox.PendingKey() }},
			{Name: "failed", Values: func(v *visit.Visit) []string { return v.Outbox.FailedKey() }},
		},
		Summary: func(v *visit.Visit) any {
			return api.VisitSummary{
				ID: v.ID, Number: v.Number, State: v.State, Plate: v.Plate, Model: v.Known.Model, Customer: v.Customer, VehicleID: v.VehicleID,
				CustomerID: v.CustomerID, ArrivedAt: v.ArrivedAt, AnnouncedBy: v.AnnouncedBy, GreetedBy: v.GreetedBy, Advisor: v.Advisor,
				TakenAt: v.TakenAt, Waiting: v.Waiting(), MissingCount: len(v.Sections.Inspection.Missing), HasWarnings: len(v.Warnings) > 0,
			}
		},
	})
}

// signIn is the admin of a folder that was opened before: its accounts are there already.
func signIn(t *testing.T, h *harness.House) *harness.Client {
	t.Helper()
	return h.As("admin")
}

// settled waits until nothing is owed, so that a folder is at rest.
func settled(t *testing.T, h *harness.House) {
	t.Helper()
	until(t, "the relay to finish", func() bool {
		for _, name := range []string{"visits", "photos"} {
			list, err := h.Engine.Find(t.Context(), name, storage.Query{Key: "pending", Limit: 1})
			if err != nil || len(list) > 0 {
				return false
			}
		}
		return true
	})
}

// checked runs the check on a folder.
func checked(t *testing.T, folder string, options ...func(*api.CheckConfig)) (faults, notes []string) {
	t.Helper()
	engine, blobs, err := open.OpenReadOnly(t.Context(), open.Config{Folder: folder, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := errors.Join(engine.Close(), blobs.Close()); err != nil {
			t.Error(err)
		}
	}()
	c := api.CheckConfig{Engine: engine, Blobs: blobs, Now: time.Now()}
	for _, change := range options {
		change(&c)
	}
	err = api.Check(t.Context(), c, func(f api.Finding) {
		if f.Note {
			notes = append(notes, f.String())
		} else {
			faults = append(faults, f.String())
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return faults, notes
}

// damage is a copy of the folder that a test may spoil.
type damage struct {
	t *testing.T
	signedOnce
}

func (s signedOnce) copied(t *testing.T) damage {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(filepath.Join(to, "d"), os.DirFS(s.folder)); err != nil {
		t.Fatal(err)
	}
	s.folder = filepath.Join(to, "d")
	return damage{t, s}
}

// sql changes the database behind the engine's back: no checksum follows.
func (d damage) sql(statement string) {
	d.t.Helper()
	c, err := sqlite3.Open("file:" + filepath.Join(d.folder, "walkaround.db"))
	if err != nil {
		d.t.Fatal(err)
	}
	if err := errors.Join(c.BusyTimeout(10*time.Second), c.Exec(statement)); err != nil {
		d.t.Fatalf("%s: %v", statement, err)
	}
	if c.Changes() == 0 {
		d.t.Fatalf("%s: nothing was changed", statement)
	}
	if err := c.Close(); err != nil {
		d.t.Fatal(err)
	}
}

// as changes documents through the engine, as a forger would who knows the program: every checksum fits afterwards.
func (d damage) as(fn func(context.Context, storage.Engine)) {
	d.t.Helper()
	engine, blobs, err := open.Open(d.t.Context(), open.Config{Folder: d.folder, Now: time.Now})
	if err != nil {
		d.t.Fatal(err)
	}
	fn(d.t.Context(), engine)
	if err := errors.Join(engine.Close(), blobs.Close()); err != nil {
		d.t.Fatal(err)
	}
}

// row finds a stored record, whatever the collection.
func row(t *testing.T, ctx context.Context, e storage.Engine, collection, id string) storage.Record { //nolint:revive // t first, as everywhere in tests
	t.Helper()
	var found storage.Record
	keys := map[string]bool{}
	err := e.Walk(ctx, collection, func(r storage.Record, err error) error {
		if r.ID == id {
			found = r
		}
		for _, k := range r.Keys {
			keys[k.Name] = true
		}
		return err
	})
	if err != nil || found.ID == "" {
		t.Fatalf("%s %s: %v", collection, id, err)
	}
	declaration := storage.Declaration{Name: collection}
	for name := range keys {
		declaration.Keys = append(declaration.Keys, name)
	}
	if err := e.Declare(ctx, []storage.Declaration{declaration}); err != nil {
		t.Fatal(err)
	}
	return found
}

// edit changes one document. T may be the type of the document, or bson.D.
func edit[T any](d damage, collection, id string, change func(*T)) {
	d.t.Helper()
	d.as(func(ctx context.Context, e storage.Engine) {
		r := row(d.t, ctx, e, collection, id)
		var v T
		if err := bson.Unmarshal(r.Doc, &v); err != nil {
			d.t.Fatal(err)
		}
		change(&v)
		doc, err := bson.Marshal(v)
		if err != nil {
			d.t.Fatal(err)
		}
		r.Doc = doc
		if err := e.Replace(ctx, collection, r); err != nil {
			d.t.Fatal(err)
		}
	})
}

// remove deletes a document with all its keys.
func (d damage) remove(collection, id string) {
	d.t.Helper()
	d.as(func(ctx context.Context, e storage.Engine) {
		r := row(d.t, ctx, e, collection, id)
		if err := e.Delete(ctx, collection, id, r.Version); err != nil {
			d.t.Fatal(err)
		}
	})
}

// blob is the file of a blob.
func (d damage) blob(sum string) string {
	return filepath.Join(d.folder, "blobs", "main", sum[:2], sum)
}

// rewrite changes the bytes of a file.
func (d damage) rewrite(path string, change func([]byte) []byte) {
	d.t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		d.t.Fatal(err)
	}
	if err := os.WriteFile(path, change(b), 0o600); err != nil && !errors.Is(err, fs.ErrNotExist) {
		d.t.Fatal(err)
	}
}

// expect compares findings with what they must begin with, in any order, one for one.
func expect(t *testing.T, got, want []string) {
	t.Helper()
	left := slices.Clone(got)
	for _, w := range want {
		i := slices.IndexFunc(left, func(line string) bool { return strings.HasPrefix(line, w) })
		if i < 0 {
			t.Errorf("nothing says %q", w)
			continue
		}
		left = slices.Delete(left, i, i+1)
	}
	for _, line := range left {
		t.Errorf("it also says %q", line)
	}
}
