package faults

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/visit"
	"example.com/walkaround/storage"
	"example.com/walkaround/storage/open"
	"example.com/walkaround/test/harness"
)

const (
	writers         = 4
	roundsAFolder   = 20
	shortestLife    = 30 * time.Millisecond
	longestLife     = 600 * time.Millisecond
	tokenIsRenewed  = 8 * time.Minute // it lives for fifteen
	killsByDefault  = 20
	killsInAQuickGo = 3
)

// promised is what was answered with 2xx of one visit: it must be there after any crash.
type promised struct {
	id        string
	number    string
	fuel      int // acknowledged last; fuelSent may be there too
	fuelSent  int
	photos    map[string]string // id → SHA-256
	signature string
	digest    string
}

// TestKilledAtAnyMoment kills a server that several clients write to, again and again. What was acknowledged is there
// after the next start, and check finds nothing.
func TestKilledAtAnyMoment(t *testing.T) {
	kills := killsByDefault
	if testing.Short() {
		kills = killsInAQuickGo
	}
	if n, err := strconv.Atoi(os.Getenv("WALKAROUND_KILLS")); err == nil {
		kills = n
	}
	total := 0
	for first := 0; first < kills; first += roundsAFolder {
		total += killing(t, min(roundsAFolder, kills-first))
	}
	t.Logf("%d kills, %d acknowledged writes held", kills, total)
	if total == 0 {
		t.Error("nothing was ever acknowledged")
	}
}

// killing kills the server of one folder so often, and counts what was acknowledged.
func killing(t *testing.T, rounds int) (acknowledged int) {
	t.Helper()
	folder := t.TempDir()
	p := serve(t, folder)
	c := signedIn(t, p)
	list := c.inspection(t, domain.NewID())
	renewed, numbers := time.Now(), map[string]bool{}
	var signed []string
	for round := range rounds {
		kept := writeUntilKilled(t, p, c, list, round)
		p = serve(t, folder)
		c = c.at(p)
		for _, k := range kept {
			acknowledged += held(t, c, *k)
			if numbers[k.number] {
				t.Errorf("the number %s was given twice", k.number)
			}
			if k.number != "" {
				numbers[k.number] = true
			}
			if k.signature != "" {
				signed = append(signed, k.id)
			}
		}
		faults, _ := checked(t, folder)
		expect(t, faults, nil)
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
		if time.Since(renewed) > tokenIsRenewed {
			c.login(t)
			renewed = time.Now()
		}
	}
	finished(t, folder, signed...)
	clean(t, folder)
	p.stop()
	return acknowledged
}

// writeUntilKilled lets the writers loose and kills the server behind their backs.
func writeUntilKilled(t *testing.T, p *process, c *caller, inspection harness.Map, round int) []*promised {
	t.Helper()
	all := make([][]*promised, writers)
	var wait sync.WaitGroup
	for w := range writers {
		wait.Go(func() {
			for n := 0; ; n++ {
				k := &promised{id: domain.NewID(), photos: map[string]string{}}
				all[w] = append(all[w], k)
				if !work(t, c, k, inspection, (round*writers+w)*1000+n) {
					return
				}
			}
		})
	}
	life := shortestLife + rand.N(longestLife-shortestLife)
	select {
	case <-time.After(life):
	case err := <-p.ended:
		t.Errorf("it ended by itself: %v: %s", err, p.stderr)
	}
	p.kill()
	wait.Wait()
	var kept []*promised
	for _, some := range all {
		kept = append(kept, some...)
	}
	return kept
}

// work is one visit of one writer, from arrival to signature. It returns false once the server is gone.
func work(t *testing.T, c *caller, k *promised, inspection harness.Map, seed int) bool {
	t.Helper()
	at := "/v1/visits/" + k.id
	got, alive := try(t, c, http.StatusCreated, http.MethodPost, "/v1/visits", harness.Map{"id": k.id, "plate": fmt.Sprintf("粵A·%05d", seed%100_000)})
	if !alive {
		return false
	}
	k.number = got.text("number")
	for etag := ""; k.fuel < 4; etag = got.etag {
		condition := []string{"If-Match", etag}
		if etag == "" {
			condition = []string{"If-None-Match", "*"}
		}
		intake := harness.Intake()
		k.fuelSent++
		intake["fuel_percent"] = k.fuelSent
		if got, alive = try(t, c, http.StatusOK, http.MethodPut, at+"/intake", intake, condition...); !alive {
			return false
		}
		k.fuel = k.fuelSent
	}
	photo, file := domain.NewID(), harness.SmallPhoto(seed)
	if _, alive = try(t, c, http.StatusCreated, http.MethodPut, at+"/photos/"+photo, file, "Content-Type", "image/png"); !alive {
		return false
	}
	sum := sha256.Sum256(file)
	k.photos[photo] = hex.EncodeToString(sum[:])
	if got, alive = try(t, c, http.StatusOK, http.MethodPut, at+"/inspection", on(inspection, photo), "If-None-Match", "*"); !alive {
		return false
	}
	digest := got.text("digest")
	if got, alive = try(t, c, http.StatusCreated, http.MethodPost, at+"/signatures", signatureOn(digest)); !alive {
		return false
	}
	k.signature, k.digest = got.text("id"), digest
	return true
}

// on is the walk-around with its damage on another photo.
func on(inspection harness.Map, photo string) harness.Map {
	other := harness.Map{}
	maps.Copy(other, inspection)
	other["damages"] = []harness.Map{{"id": "d1", "view": "left", "x": 0.4, "y": 0.5, "kind": "dent", "severity": "minor", "photo_ids": []string{photo}}}
	return other
}

// try sends what must succeed as long as the server lives.
func try(t *testing.T, c *caller, status int, method, path string, body any, headers ...string) (got answer, alive bool) { //nolint:revive // a request and what is wanted of it
	t.Helper()
	got, err := c.send(method, path, body, headers...)
	if err != nil {
		return got, false // it was killed; the answer counts only if it came whole
	}
	if got.status != status {
		t.Errorf("%s %s: %d: %s", method, path, got.status, got.body)
		return got, false
	}
	return got, true
}

// held looks for everything that was acknowledged, and counts it.
func held(t *testing.T, c *caller, k promised) (n int) {
	t.Helper()
	if k.number == "" {
		return 0
	}
	at := "/v1/visits/" + k.id
	if got := c.want(t, http.StatusOK, http.MethodGet, at, nil); got.text("number") != k.number {
		t.Errorf("visit %s: number %s, acknowledged was %s", k.id, got.text("number"), k.number)
	}
	n = 1 + k.fuel + len(k.photos)
	var intake struct {
		Fuel int `json:"fuel_percent"`
	}
	if err := json.Unmarshal(c.want(t, http.StatusOK, http.MethodGet, at+"/intake", nil).body, &intake); err != nil {
		t.Fatal(err)
	}
	if intake.Fuel < k.fuel || intake.Fuel > k.fuelSent {
		t.Errorf("visit %s: intake %d, acknowledged was %d, sent %d", k.id, intake.Fuel, k.fuel, k.fuelSent)
	}
	for id, sum := range k.photos {
		file := sha256.Sum256(c.want(t, http.StatusOK, http.MethodGet, at+"/photos/"+id, nil).body)
		if hex.EncodeToString(file[:]) != sum {
			t.Errorf("visit %s: photo %s is another", k.id, id)
		}
	}
	if k.signature == "" {
		return n
	}
	got := c.want(t, http.StatusOK, http.MethodGet, at+"/signatures", nil)
	if !bytes.Contains(got.body, []byte(k.signature)) || !bytes.Contains(got.body, []byte(k.digest)) {
		t.Errorf("visit %s: signature %s is gone", k.id, k.signature)
	}
	return n + 2
}

// TestWhatFollowsASignatureSurvivesACrash kills the server right behind the 201. After the next start PDF, proof and
// the sizes of the photo come by themselves.
func TestWhatFollowsASignatureSurvivesACrash(t *testing.T) {
	folder := t.TempDir()
	p := serve(t, folder)
	c := signedIn(t, p)
	owed := false
	for try := range 20 {
		id := domain.NewID()
		_, digest := c.ready(t, id, fmt.Sprintf("粵A·%05d", try), try)
		c.sign(t, id, digest)
		p.kill()
		beside(t, folder, func(e storage.Engine) {
			v := document[visit.Visit](t, e, "visits", id)
			owed = owed || len(v.Outbox) > 0 && v.Signatures[0].Files.PDF == ""
		})
		p = serve(t, folder)
		c = c.at(p)
		finished(t, folder, id)
		if owed {
			break
		}
	}
	if !owed {
		t.Error("it was always finished before it was killed: nothing was shown")
	}
	clean(t, folder)
}

// finished waits until nothing is owed of some visits and their photos, and everything is there.
func finished(t *testing.T, folder string, ids ...string) {
	t.Helper()
	beside(t, folder, func(e storage.Engine) {
		for _, id := range ids {
			until(t, "visit "+id+" to be finished", func() bool {
				v := document[visit.Visit](t, e, "visits", id)
				if len(v.Outbox) > 0 || v.Signatures[0].Files.PDF == "" {
					return false
				}
				for photo := range v.Photos {
					if p := document[visit.Photo](t, e, "photos", photo); len(p.Outbox) > 0 || p.Derived.Thumb == "" || p.Derived.Screen == "" {
						return false
					}
				}
				_, err := e.Get(t.Context(), "proofs", v.Signatures[0].Digest)
				return err == nil
			})
		}
	})
}

// document reads what is stored of the store main.
func document[T any](t *testing.T, e storage.Engine, collection, id string) (v T) {
	t.Helper()
	r, err := e.Get(t.Context(), collection, "main/"+id)
	if err == nil {
		err = bson.Unmarshal(r.Doc, &v)
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// beside looks into a folder, also while a server runs there.
func beside(t *testing.T, folder string, fn func(storage.Engine)) {
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
	if err := engine.Declare(t.Context(), []storage.Declaration{{Name: "visits"}, {Name: "photos"}, {Name: "proofs"}}); err != nil {
		t.Fatal(err)
	}
	fn(engine)
}

// TestCheckBesideWriters checks a folder again and again while clients write to it: what is under way is no damage.
func TestCheckBesideWriters(t *testing.T) {
	const visits = 40
	folder := t.TempDir()
	p := serve(t, folder)
	c := signedIn(t, p)
	list := c.inspection(t, domain.NewID())
	var wait sync.WaitGroup
	var signed atomic.Int64
	var enough atomic.Bool
	for w := range writers {
		wait.Go(func() {
			for n := 0; !enough.Load(); n++ {
				k := &promised{id: domain.NewID(), photos: map[string]string{}}
				if !work(t, c, k, list, w*1000+n) {
					return
				}
				signed.Add(1)
			}
		})
	}
	until(t, "enough visits to be signed", func() bool {
		faults, _ := checked(t, folder)
		expect(t, faults, nil)
		return signed.Load() >= visits || t.Failed()
	})
	enough.Store(true)
	wait.Wait()
	p.stop()
}
