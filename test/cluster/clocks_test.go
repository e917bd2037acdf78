package cluster

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/walkaround/api"
	"example.com/walkaround/domain"
	"example.com/walkaround/storage"
	"example.com/walkaround/test/harness"
	"example.com/walkaround/test/minioserver"
	"example.com/walkaround/test/mongoserver"
)

// apart is how far the clocks of two replicas differ here.
const apart = time.Minute

// two are replicas on one database and one bucket, the second of which is ahead. They are houses in this process: nothing
// shifts the clock of a Go program from outside, for it asks the kernel without a library.
func two(t *testing.T) (right, ahead *harness.House) {
	t.Helper()
	minioserver.Need(t)
	mongoserver.Start(t)
	folder := harness.Folder(t.TempDir())
	right, ahead = harness.Start(t, folder), harness.Start(t, folder)
	ahead.Clock.Move(apart)
	return right, ahead
}

// at sends what a client would send to another replica, signing in there where its token is of another clock.
func at(h *harness.House, c *harness.Client) *harness.Client {
	other := *c
	other.House = h
	return &other
}

// TestClocksAMinuteApart works on the same visits at two replicas by turns.
func TestClocksAMinuteApart(t *testing.T) {
	right, ahead := two(t)
	here := right.As("advisor")
	accepted(t, "of the right one", ahead, here.Token())
	fromAhead := at(ahead, here)
	fromAhead.Login()
	accepted(t, "of the one ahead", right, fromAhead.Token())
	v := here.Arrive(harness.CarArrival("粵A·12345"))
	first := v.Do(http.MethodPut, v.At("/intake"), harness.Intake(), "If-None-Match", "*").Want(http.StatusOK)
	other := v.By(at(ahead, here))
	again := harness.Intake()
	again["fuel_percent"] = 41
	second := other.Do(http.MethodPut, v.At("/intake"), again, "If-Match", first.ETag()).Want(http.StatusOK)
	again["fuel_percent"] = 42
	v.Do(http.MethodPut, v.At("/intake"), again, "If-Match", first.ETag()).WantProblem(http.StatusPreconditionFailed, "precondition_failed")
	if seen := v.Get(v.At("/intake")); seen.ETag() != second.ETag() {
		t.Errorf("ETags: %s here, %s there", seen.ETag(), second.ETag())
	}
	photo := other.UploadPhoto(harness.SmallPhoto(1), "image/png").Want(http.StatusCreated).Text("id")
	v.PutInspection(v.Inspection(photo)).Want(http.StatusOK)
	signed := other.Sign().Want(http.StatusCreated)
	for _, h := range []*harness.House{right, ahead} {
		if told := h.Anyone().Get("/v1/verify/" + signed.Text("digest")); told.At("genuine") != true {
			t.Errorf("verify: %s", told.Body)
		}
	}
	// A key that was sent to the one ahead is known to the other, though it is of the future there.
	key := []string{"Idempotency-Key", domain.NewID()}
	body := harness.CarArrival("粵A·54321")
	made := at(ahead, here).Do(http.MethodPost, "/v1/visits", body, key...).Want(http.StatusCreated)
	if repeat := here.Do(http.MethodPost, "/v1/visits", body, key...).Want(http.StatusCreated); repeat.Text("id") != made.Text("id") {
		t.Error("a repeat made another visit")
	}
	settled(t, right)
	quietly(t, right, ahead)
}

// accepted sends a token to the replica that did not issue it.
func accepted(t *testing.T, whose string, h *harness.House, token string) {
	t.Helper()
	if got := h.Anyone().Get("/v1/me", "Authorization", "Bearer "+token); got.Status != http.StatusOK {
		t.Errorf("a token %s is refused by the other: %d %s", whose, got.Status, got.Body)
	}
}

// TestNumbersAroundMidnightOfTwoClocks lets both replicas give numbers at once while it is tomorrow already at one of them.
func TestNumbersAroundMidnightOfTwoClocks(t *testing.T) {
	right, ahead := two(t)
	here := right.As("advisor")
	midnight := time.Now().UTC().Truncate(24 * time.Hour).Add(40 * time.Hour) // in Shanghai, tomorrow or the day after
	right.Clock.Set(midnight.Add(-apart / 2))
	ahead.Clock.Set(midnight.Add(apart / 2))
	here.Login()
	const each = 20
	var mu sync.Mutex
	var wait sync.WaitGroup
	days, seen := map[string]int{}, map[string]bool{}
	for i := range each {
		for _, h := range []*harness.House{right, ahead} {
			wait.Go(func() {
				number := at(h, here).Arrive(harness.Map{"plate": fmt.Sprintf("粵C·%05d", i)}).Arrival.Text("number")
				mu.Lock()
				defer mu.Unlock()
				if seen[number] {
					t.Errorf("the number %s was given twice", number)
				}
				seen[number] = true
				day, _, _ := strings.Cut(number, "-")
				days[day]++
			})
		}
	}
	wait.Wait()
	if len(days) != 2 {
		t.Errorf("arrivals of two days: %v", days)
	}
	right.Clock.Set(midnight.Add(time.Second)) // now both give numbers of one day
	ahead.Clock.Set(midnight.Add(time.Second + apart))
	for _, h := range []*harness.House{right, ahead} {
		c := at(h, here)
		c.Login()
		number := c.Arrive(harness.Map{"plate": "粵C·99999"}).Arrival.Text("number")
		if seen[number] {
			t.Errorf("the number %s was given again", number)
		}
		seen[number] = true
	}
	quietly(t, right, ahead)
}

// TestLeasesOfTwoClocks signs at both replicas while both take the work behind it from one another: to each the other's lease
// looks lapsed, or too long to be true. Everything is done, and nothing is there twice.
func TestLeasesOfTwoClocks(t *testing.T) {
	right, ahead := two(t)
	here := right.As("advisor")
	const visits = 12
	var wait sync.WaitGroup
	signed := make([]harness.Visit, visits)
	for i := range visits {
		h := []*harness.House{right, ahead}[i%2]
		wait.Go(func() {
			v := at(h, here).ReadyVisit(fmt.Sprintf("粵D·%05d", i))
			v.Sign().Want(http.StatusCreated)
			signed[i] = v
		})
	}
	wait.Wait()
	settled(t, right)
	for _, v := range signed {
		v = v.By(here)
		v.Get(v.At("/documents/inspection.pdf")).Want(http.StatusOK)
		counts := map[any]int{}
		for _, e := range v.Get(v.At("/events")).List("items") {
			event, _ := e.(harness.Map)
			counts[event["type"]]++
		}
		if counts["signed"] != 1 || len(v.Get(v.At("/signatures")).List("items")) != 1 {
			t.Errorf("visit %s: %v", v.ID, counts)
		}
		marks := v.Get("/v1/vehicles/" + v.VehicleID + "/damage")
		if len(marks.List("items")) != 1 {
			t.Errorf("the ledger of %s: %s", v.VehicleID, marks.Body)
		}
	}
	whole(t, right)
	quietly(t, right, ahead)
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

// whole has check look the store through.
func whole(t *testing.T, h *harness.House) {
	t.Helper()
	ok(t, api.Check(t.Context(), api.CheckConfig{Engine: h.Engine, Blobs: h.Blobs, Now: time.Now().Add(2 * apart)}, func(f api.Finding) {
		if !f.Note {
			t.Errorf("check: %s", f)
		}
	}))
}

// quietly says that nothing was logged as an error.
func quietly(t *testing.T, houses ...*harness.House) {
	t.Helper()
	for _, h := range houses {
		for entry := range strings.Lines(h.Log.String()) {
			if strings.Contains(entry, `"level":"ERROR"`) {
				t.Errorf("logged: %s", entry)
			}
		}
	}
}
