package e2e_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/walkaround/api"
	"example.com/walkaround/domain"
	"example.com/walkaround/domain/evidence"
	"example.com/walkaround/storage"
	"example.com/walkaround/test/harness"
)

// rival comes between: once, behind a read or before a replace in a collection, somebody else goes first.
type rival struct {
	storage.Engine

	mu      sync.Mutex
	get     string // collection
	replace string // collection
	move    func()
}

// arm sets what the rival does, and when.
func (r *rival) arm(get, replace string, move func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.get, r.replace, r.move = get, replace, move
}

func (r *rival) strike(armed *string, collection string) {
	r.mu.Lock()
	move := r.move
	if *armed != collection {
		r.mu.Unlock()
		return
	}
	r.get, r.replace, r.move = "", "", nil
	r.mu.Unlock()
	move()
}

func (r *rival) Get(ctx context.Context, collection, id string) (storage.Record, error) {
	seen, err := r.Engine.Get(ctx, collection, id)
	r.strike(&r.get, collection)
	return seen, err
}

func (r *rival) Replace(ctx context.Context, collection string, record storage.Record) error {
	r.strike(&r.replace, collection)
	return r.Engine.Replace(ctx, collection, record)
}

// withRival is a house in which somebody may come between.
func withRival(t *testing.T) (*harness.House, *rival) {
	t.Helper()
	r := &rival{}
	h := harness.Start(t, harness.Config(func(c *api.Config) { r.Engine, c.Engine = c.Engine, r }))
	return h, r
}

// TestTagsMoveWithWhatTheyName reads after every step with the tags of the step before.
func TestTagsMoveWithWhatTheyName(t *testing.T) {
	h := harness.Start(t)
	v := h.As("advisor").ReadyVisit("粵A·12345")
	paths := []string{v.At(""), v.At("/intake"), v.At("/inspection")}
	seen := map[string]harness.Answer{}
	look := func(step string) {
		t.Helper()
		for _, path := range paths {
			was, known := seen[path]
			now := v.Get(path).Want(http.StatusOK)
			if seen[path] = now; !known {
				continue
			}
			changed := !bytes.Equal(was.Body, now.Body)
			if status := v.Get(path, "If-None-Match", was.ETag()).Status; changed != (status == http.StatusOK) {
				t.Errorf("%s: %s: changed %v, %d for %s", step, path, changed, status, was.ETag())
			}
		}
	}
	look("before")
	shown := v.Get(v.At("/documents/inspection.json")).Body
	body := content(t, v.Get(v.At("/inspection")))
	body["note"] = "written meanwhile"
	v.PutInspection(body).Want(http.StatusOK)
	look("saved")
	v.PutIntake(object{"note": "a thought"}).Want(http.StatusOK)
	v.PutIntake(harness.Intake()).Want(http.StatusOK)
	look("there and back") // the digest is the one of before
	conflict := v.Signature(evidence.Digest(shown))
	conflict["canonical"] = string(shown)
	v.SignAs(conflict).Want(http.StatusCreated)
	look("signed in conflict")
	signed := v.Sign().Want(http.StatusCreated)
	look("signed")
	v.Do(http.MethodPost, v.At("/copies"), object{"digest": signed.Text("digest"), "kind": "paper"}).Want(http.StatusOK)
	look("copy given")
	v.Do(http.MethodPost, v.At("/inspection/revisions"), object{"reason": "another bag"}).Want(http.StatusCreated)
	look("reopened")
	if tag := seen[v.At("/intake")].ETag(); strings.HasSuffix(tag, `-f"`) || !strings.HasSuffix(signedTag(t, v), `-f"`) {
		t.Errorf("open: %s", tag)
	}
}

// signedTag signs what stands and gives the tag of the intake.
func signedTag(t *testing.T, v harness.Visit) string {
	t.Helper()
	body := content(t, v.Get(v.At("/inspection")))
	body["note"] = "for good"
	v.PutInspection(body).Want(http.StatusOK)
	v.Sign().Want(http.StatusCreated)
	tag := v.Get(v.At("/intake")).ETag()
	v.Do(http.MethodPut, v.At("/intake"), object{"note": "x"}, "If-Match", tag).WantProblem(http.StatusConflict, "section_frozen")
	return tag
}

// TestRefusedDraftIsNoVersion lets another editor come first.
func TestRefusedDraftIsNoVersion(t *testing.T) {
	h, between := withRival(t)
	boss, mei := h.As("supervisor"), h.As("advisor")
	id := boss.Get("/v1/checklists").Want(http.StatusOK).Text("items.0.id")
	at := "/v1/checklists/" + id
	draft := func(code string) object {
		return object{"name": code, "items": []object{{"code": code, "label": code, "required": true}}}
	}
	seen := boss.Get(at).ETag()
	between.arm("", "checklists", func() { boss.Do(http.MethodPut, at, draft("first"), "If-Match", seen).Want(http.StatusOK) })
	boss.Do(http.MethodPut, at, draft("late"), "If-Match", seen).WantProblem(http.StatusPreconditionFailed, "precondition_failed")
	if now := boss.Get(at); now.Number("version") != 2 || now.Text("items.0.code") != "first" {
		t.Errorf("current: %s", now.Body)
	}
	if second := boss.Get(at + "?version=2").Want(http.StatusOK); second.Text("items.0.code") != "first" {
		t.Errorf("version 2: %s", second.Body)
	}
	v := mei.Arrive(harness.CarArrival("粵A·12345"))
	for version, status := range map[int]int{1: http.StatusOK, 2: http.StatusOK, 3: http.StatusUnprocessableEntity} {
		if got := v.PutInspection(object{"checklist": object{"id": id, "version": version}}); got.Status != status {
			t.Errorf("version %d: %d %s", version, got.Status, got.Body)
		}
	}
	// Whoever overwrites whatever is there goes on from what he found.
	between.arm("", "checklists", func() { boss.Do(http.MethodPut, at, draft("third"), "If-Match", "*").Want(http.StatusOK) })
	boss.Do(http.MethodPut, at, draft("fourth"), "If-Match", "*").Want(http.StatusOK)
	for version, code := range map[string]string{"2": "first", "3": "third", "4": "fourth"} {
		if got := boss.Get(at + "?version=" + version).Want(http.StatusOK); got.Text("items.0.code") != code {
			t.Errorf("version %s: %s", version, got.Body)
		}
	}
	boss.Get(at+"?version=5").WantProblem(http.StatusNotFound, "not_found")
}

// TestSheetThatBecomesTheOneShown is signed before and after its last photo is stored: the same bytes were shown.
func TestSheetThatBecomesTheOneShown(t *testing.T) {
	h := harness.Start(t)
	v := h.As("advisor").ReadyVisit("粵A·12345")
	photo, file := domain.NewID(), harness.SmallPhoto(7)
	v.PutInspection(v.Inspection(photo)).Want(http.StatusOK)
	lacking := v.Get(v.At("/documents/inspection.json")).Body
	shown := bytes.Replace(lacking, []byte(`"`+photo+`":null`), []byte(`"`+photo+`":"`+evidence.Digest(file)[len("sha256:"):]+`"`), 1)
	digest := evidence.Digest(shown)
	v.SignAs(v.Signature(digest)).WantProblem(http.StatusConflict, "photo_missing")
	v.UploadPhoto(file, "image/png", photo).Want(http.StatusCreated)
	v.SignAs(v.Signature(digest)).Want(http.StatusCreated)
	if kept := v.Get(v.At("/documents/inspection.json?digest=" + digest)).Want(http.StatusOK); !bytes.Equal(kept.Body, shown) {
		t.Errorf("kept: %s", kept.Body)
	}
}

// TestReplayFollowsUp loses the proof of a signature and lets the tablet ask again.
func TestReplayFollowsUp(t *testing.T) {
	h := harness.Start(t, harness.Idle())
	v := h.As("advisor").ReadyVisit("粵A·12345")
	body := v.Signature(v.Digest())
	signed := v.SignAs(body, "Idempotency-Key", "s/1").Want(http.StatusCreated)
	digest := signed.Text("digest")
	if err := h.Engine.Delete(t.Context(), "proofs", digest, 1); err != nil {
		t.Fatal(err)
	}
	h.Anyone().Get("/v1/verify/"+digest).WantProblem(http.StatusNotFound, "not_found")
	if again := v.SignAs(body, "Idempotency-Key", "s/1").Want(http.StatusCreated); !replayed(again) {
		t.Error("signed again")
	}
	h.Anyone().Get("/v1/verify/" + digest).Want(http.StatusOK)
}

// TestProofOfAnotherIsNotTaken finds the digest filed for another visit.
func TestProofOfAnotherIsNotTaken(t *testing.T) {
	h := harness.Start(t, harness.Idle())
	mei := h.As("advisor")
	first, second := mei.ReadyVisit("粵A·12345"), mei.ReadyVisit("粵A·54321")
	first.Sign().Want(http.StatusCreated)
	filed, err := h.Engine.Get(t.Context(), "proofs", first.Digest())
	if err != nil {
		t.Fatal(err)
	}
	filed.ID = second.Digest()
	if err := h.Engine.Insert(t.Context(), "proofs", filed); err != nil {
		t.Fatal(err)
	}
	second.Sign().Want(http.StatusCreated)
	if !strings.Contains(h.Log.String(), "stands for signature") {
		t.Error("nobody is told")
	}
	second.Get(second.At("/documents/bundle.zip")).Want(http.StatusOK)
}

// TestFirstPDFIsTheOneThatIsKept renames the store after a PDF was handed out.
func TestFirstPDFIsTheOneThatIsKept(t *testing.T) {
	harness.OnFiles(t)
	folder := t.TempDir()
	var at string
	var first []byte
	t.Run("before the worker", func(t *testing.T) {
		h := harness.Start(t, harness.Idle(), harness.Folder(folder))
		v := h.As("advisor").ReadyVisit("粵A·12345")
		at = v.Sign().Want(http.StatusCreated).Text("pdf")
		visit, bundle := v.Read(), v.At("/documents/bundle.zip")
		first = v.Get(at).Want(http.StatusOK).Body
		boss := h.As("supervisor")
		boss.Do(http.MethodPatch, "/v1/stores/main", object{"name": "得佳店"}, "If-Match", "*").Want(http.StatusOK)
		if !bytes.Equal(v.Get(at).Want(http.StatusOK).Body, first) || !bytes.Contains(v.Get(bundle).Want(http.StatusOK).Body, first) {
			t.Error("another PDF under the same address")
		}
		v.Get(v.At(""), "If-None-Match", visit.ETag()).Want(http.StatusNotModified)
	})
	h := harness.Start(t, harness.Folder(folder))
	for deadline := time.Now().Add(20 * time.Second); len(retained(t, folder)) < 5; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the worker did not come by: PDF, canonical form, picture, strokes, photo")
		}
	}
	if !bytes.Equal(h.As("cashier").Get(at).Want(http.StatusOK).Body, first) {
		t.Error("the worker replaced it")
	}
	sum := evidence.Digest(first)[len("sha256:"):]
	if !strings.Contains(strings.Join(retained(t, folder), " "), sum) {
		t.Error("what was handed out is not retained")
	}
}

// retained lists what may not be deleted.
func retained(t *testing.T, folder string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(filepath.Join(folder, "blobs", ".retained"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			found = append(found, filepath.Base(path))
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return found
}

// TestDamagedPhotoIsNotBundled changes a byte on the disk.
func TestDamagedPhotoIsNotBundled(t *testing.T) {
	harness.OnFiles(t)
	folder := t.TempDir()
	h := harness.Start(t, harness.Folder(folder), harness.Idle())
	v := h.As("advisor").ReadyVisit("粵A·12345")
	v.Sign().Want(http.StatusCreated)
	v.Get(v.At("/documents/bundle.zip")).Want(http.StatusOK)
	sum := v.Get(v.At("/photos")).Text("items.0.sha256")
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() != sum {
			return err
		}
		if err := os.Chmod(path, 0o600); err != nil {
			return err
		}
		return os.WriteFile(path, []byte("another picture"), 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	v.Get(v.At("/documents/bundle.zip")).WantProblem(http.StatusInternalServerError, "internal")
}

// TestListsTellWhatTheyVaryBy asks with and without compression.
func TestListsTellWhatTheyVaryBy(t *testing.T) {
	v := harness.Start(t).As("advisor").ReadyVisit("粵A·12345")
	for _, path := range []string{v.At("/events"), "/v1/visits"} {
		if got := v.Get(path, "Accept-Encoding", "gzip;q=0").Want(http.StatusOK); got.Header.Get("Vary") != "Accept-Encoding" || got.Header.Get("Content-Encoding") != "" {
			t.Errorf("%s: %v", path, got.Header)
		}
	}
}
