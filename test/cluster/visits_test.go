package cluster

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	"image/png"
	"maps"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"example.com/walkaround/domain"
	"example.com/walkaround/test/harness"
)

const (
	saves    = 3  // of each intake
	cars     = 24 // that come again and again
	quitsOne = 5  // of so many visits one is given up at the first trouble
	signsOne = 3  // of so many visits one is signed
	largeOne = 4  // of so many photos one is large
)

// promised is a visit as a tablet knows it: what was acknowledged must be there, once; what was only sent may be there, once.
type promised struct {
	id, plate  string
	number     string            // empty: never acknowledged
	saved      int               // saves that were acknowledged
	saving     int               // saves that were sent
	photos     map[string]string // id → SHA-256, acknowledged
	photosSent int
	inspected  bool
	signature  string
	signing    bool
	givenUp    bool // an answer is not known
}

// work lets each tablet do one visit after the other until enough is told, and gives all of them.
func work(tablets []*tablet, inspection harness.Map, enough *atomic.Bool) []*promised {
	all := make([][]*promised, len(tablets))
	var wait sync.WaitGroup
	for i, c := range tablets {
		wait.Go(func() {
			for n := 0; !enough.Load(); n++ {
				k := &promised{id: domain.NewID(), plate: fmt.Sprintf("粵A·%05d", rand.N(cars)), photos: map[string]string{}}
				all[i] = append(all[i], k)
				quits := n%quitsOne == quitsOne-1
				k.givenUp = !c.do(k, quits, n+i, inspection)
			}
		})
	}
	wait.Wait()
	var visits []*promised
	for _, some := range all {
		visits = append(visits, some...)
	}
	return visits
}

// do is one visit. It returns false where it was given up.
func (c *tablet) do(k *promised, quits bool, n int, inspection harness.Map) bool {
	at := "/v1/visits/" + k.id
	key := []string{"Idempotency-Key", domain.NewID()}
	if n%2 > 0 { // its id alone must do as well, and is not made to wait for a first request that has died
		key = nil
	}
	try := func(status int, method, path string, body any, headers ...string) (answer, bool) {
		return c.try(quits, status, method, path, body, headers...)
	}
	got, done := try(http.StatusCreated, http.MethodPost, "/v1/visits", harness.Map{"id": k.id, "plate": k.plate}, key...)
	if !done {
		return false
	}
	k.number = got.text("number")
	for condition := []string{"If-None-Match", "*"}; k.saved < saves; condition = []string{"If-Match", got.header.Get("ETag")} {
		k.saving++
		intake := harness.Intake()
		intake["fuel_percent"] = k.saving
		if got, done = try(http.StatusOK, http.MethodPut, at+"/intake", intake, condition...); !done {
			return false
		}
		k.saved++
	}
	photo, file := domain.NewID(), photograph(n)
	k.photosSent++
	if _, done = try(http.StatusCreated, http.MethodPut, at+"/photos/"+photo, file, "Content-Type", "image/png"); !done {
		return false
	}
	k.photos[photo] = sum(file)
	if n%signsOne > 0 {
		return true
	}
	if got, done = try(http.StatusOK, http.MethodPut, at+"/inspection", on(inspection, photo), "If-None-Match", "*"); !done {
		return false
	}
	k.inspected, k.signing = true, true
	if got, done = try(http.StatusCreated, http.MethodPost, at+"/signatures", signatureOn(got.text("digest")), "Idempotency-Key", domain.NewID()); !done {
		return false
	}
	k.signature = got.text("id")
	return true
}

// try sends what must succeed in the end, or only once by a tablet that quits. A photo that was stored before its answer was
// lost is answered 200.
func (c *tablet) try(quits bool, status int, method, path string, body any, headers ...string) (got answer, done bool) {
	if quits {
		if got, done = c.once(method, path, body, headers...); !done {
			return got, false
		}
	} else {
		got = c.again(method, path, body, headers...)
	}
	if got.status != status && got.status != http.StatusOK {
		c.t.Errorf("%s %s: %d: %s", method, path, got.status, got.body)
		return got, false
	}
	c.met.writes.Add(1)
	return got, true
}

// on is the walk-around with a damage on a photo.
func on(inspection harness.Map, photo string) harness.Map {
	other := maps.Clone(inspection)
	other["damages"] = []harness.Map{{"id": "d1", "view": "left", "x": 0.4, "y": 0.5, "kind": "dent", "severity": "minor", "photo_ids": []string{photo}}}
	return other
}

// photograph is a picture like no other: small, or large enough to be under way for a while.
func photograph(n int) []byte {
	if n%largeOne > 0 {
		return harness.SmallPhoto(rand.N(1 << 24))
	}
	m := image.NewNRGBA(image.Rect(0, 0, 400, 300))
	for i := range m.Pix {
		m.Pix[i] = byte(rand.Uint32())
	}
	var b bytes.Buffer
	_ = png.Encode(&b, m) // a buffer takes everything
	return b.Bytes()
}

func sum(file []byte) string {
	s := sha256.Sum256(file)
	return hex.EncodeToString(s[:])
}

// kept looks for all that was promised, and for what is there twice. It returns how many acknowledged writes it found.
func kept(t *testing.T, c *tablet, visits []*promised) (found int) {
	t.Helper()
	listed := c.listed()
	numbers, vehicles, known := map[string]string{}, map[string]string{}, map[string]bool{}
	for _, k := range visits {
		known[k.id] = true
		there := listed[k.id]
		if len(there) == 0 && k.number == "" {
			continue
		}
		if len(there) != 1 || k.number != "" && there[0].Number != k.number {
			t.Errorf("visit %s, acknowledged as %q, is listed as %v", k.id, k.number, there)
			continue
		}
		if other := numbers[there[0].Number]; other != "" {
			t.Errorf("visits %s and %s have the number %s", k.id, other, there[0].Number)
		}
		numbers[there[0].Number] = k.id
		if other := vehicles[k.plate]; other != "" && other != there[0].VehicleID {
			t.Errorf("the car %s is two: %s and %s", k.plate, other, there[0].VehicleID)
		}
		vehicles[k.plate] = there[0].VehicleID
		found += c.held(t, k)
	}
	for id := range listed {
		if !known[id] {
			t.Errorf("nobody sent the visit %s", id)
		}
	}
	return found
}

// entry is a visit in a list.
type entry struct {
	ID        string `json:"id"`
	Number    string `json:"number"`
	VehicleID string `json:"vehicle_id"`
}

// listed are all visits by their ids, as the list tells them.
func (c *tablet) listed() map[string][]entry {
	c.t.Helper()
	all := map[string][]entry{}
	for cursor, more := "", true; more; {
		var page struct {
			Items []entry `json:"items"`
			Next  *string `json:"next_cursor"`
		}
		c.want(http.StatusOK, http.MethodGet, "/v1/visits?limit=200"+cursor, nil).into(c.t, &page)
		for _, e := range page.Items {
			all[e.ID] = append(all[e.ID], e)
		}
		if more = page.Next != nil; more {
			cursor = "&cursor=" + *page.Next
		}
	}
	return all
}

// held looks into one visit, and counts the acknowledged writes that it holds.
func (c *tablet) held(t *testing.T, k *promised) (n int) {
	t.Helper()
	at := "/v1/visits/" + k.id
	var intake struct {
		Fuel     int `json:"fuel_percent"`
		Revision int `json:"revision"`
	}
	c.want(http.StatusOK, http.MethodGet, at+"/intake", nil).into(t, &intake)
	if intake.Revision < k.saved || intake.Revision > k.saving || intake.Fuel != intake.Revision {
		t.Errorf("visit %s: intake %+v, %d were acknowledged and %d sent", k.id, intake, k.saved, k.saving)
	}
	for id, want := range k.photos {
		if got := sum(c.want(http.StatusOK, http.MethodGet, at+"/photos/"+id, nil).body); got != want {
			t.Errorf("visit %s: photo %s is another", k.id, id)
		}
	}
	events := c.counted(t, at+"/events", "type")
	signatures := c.counted(t, at+"/signatures", "id")
	once := func(what string, happened, acknowledged int, sent bool) {
		if happened < acknowledged || happened > 1 || happened == 1 && !sent {
			t.Errorf("visit %s: %s %d times", k.id, what, happened)
		}
	}
	if k.inspected && !c.has(at+"/inspection", "d1") {
		t.Errorf("visit %s: the walk-around is gone", k.id)
	}
	once("arrived", events["arrived"], 1, true)
	once("photographed", events["photo_stored"], len(k.photos), k.photosSent > 0)
	once("signed", events["signed"], signatures[k.signature], k.signing)
	once("sealed", len(signatures), events["signed"], k.signing)
	if k.signature != "" && signatures[k.signature] != 1 {
		t.Errorf("visit %s: the signature %s is gone", k.id, k.signature)
	}
	n = k.saved + len(k.photos)
	if k.number != "" {
		n++
	}
	if k.inspected {
		n++
	}
	if k.signature != "" {
		n++
	}
	return n
}

// has says whether a text stands in an answer.
func (c *tablet) has(path, text string) bool {
	c.t.Helper()
	return bytes.Contains(c.want(http.StatusOK, http.MethodGet, path, nil).body, []byte(text))
}

// counted is how often each value of a member stands in a list.
func (c *tablet) counted(t *testing.T, path, member string) map[string]int {
	t.Helper()
	var list struct {
		Items []map[string]any `json:"items"`
	}
	c.want(http.StatusOK, http.MethodGet, path, nil).into(t, &list)
	counts := map[string]int{}
	for _, item := range list.Items {
		name, _ := item[member].(string)
		counts[name]++
	}
	return counts
}
