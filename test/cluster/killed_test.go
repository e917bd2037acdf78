package cluster

import (
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"example.com/walkaround/test/process"
)

const (
	tablets         = 8
	killsByDefault  = 6
	killsInAQuickGo = 2
	shortestLife    = 200 * time.Millisecond // of all replicas at once, before one is killed
	longestLife     = 1500 * time.Millisecond
)

func kills() int {
	if n, err := strconv.Atoi(os.Getenv("WALKAROUND_KILLS")); err == nil {
		return n
	}
	if testing.Short() {
		return killsInAQuickGo
	}
	return killsByDefault
}

// TestReplicasKilledInTurn kills one of two replicas behind a balancer, again and again, while tablets write. What was
// acknowledged is there, nothing is there twice, and check finds nothing.
//
// It takes a minute at least once an arrival was cut off with its key: until that lapses the repeat is answered still_running.
func TestReplicasKilledInTurn(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	addresses := []string{freeAddress(t), freeAddress(t)}
	replicas := []*process.Server{process.Start(t, addresses[0], p.env...), process.Start(t, addresses[1], p.env...)} // at once, on nothing
	for _, r := range replicas {
		r.Wait(t)
	}
	admin := newTablet(t, newBalancer(t, addresses...))
	list, crew := admin.inspection(), admin.hire(tablets)
	var enough atomic.Bool
	worked := make(chan []*promised)
	go func() { worked <- work(crew, list, &enough) }()
	for i := range kills() {
		time.Sleep(shortestLife + rand.N(longestLife-shortestLife)) // at any moment
		one := i % len(replicas)
		if ended, err := replicas[one].Ended(); ended {
			t.Errorf("a replica ended by itself: %v: %s", err, replicas[one].Said())
		}
		replicas[one].Kill()
		replicas[one] = process.Serve(t, addresses[one], p.env...)
	}
	enough.Store(true)
	visits := <-worked
	found := kept(t, admin, visits)
	sheet := p.sealed(t, admin, visits)
	p.clean(t)
	p.genuine(t, admin, sheet)
	for _, r := range replicas {
		r.Stop(t)
	}
	met := admin.met
	t.Logf("%d kills; %d acknowledged writes in %d visits, %d found; %d broken connections, %d answers 503, %d still running",
		kills(), met.writes.Load(), len(visits), found, met.broken.Load(), met.unavailable.Load(), met.running.Load())
	if int64(found) != met.writes.Load() || found == 0 {
		t.Errorf("%d writes were acknowledged, %d are there", met.writes.Load(), found)
	}
}

// sealed waits until every sheet that was signed can be had, and gives one.
func (p *place) sealed(t *testing.T, c *tablet, visits []*promised) (sheet []byte) {
	t.Helper()
	for _, k := range visits {
		if k.signature == "" {
			continue
		}
		within(t, patience, "the sheet of "+k.id, func() bool {
			sheet = c.again(http.MethodGet, "/v1/visits/"+k.id+"/documents/inspection.pdf", nil).body
			return strings.HasPrefix(string(sheet), "%PDF")
		})
	}
	return sheet
}

// genuine runs `walkaround verify` on a sheet, with the keys that the store publishes.
func (p *place) genuine(t *testing.T, c *tablet, sheet []byte) {
	t.Helper()
	if sheet == nil {
		t.Fatal("nothing was ever signed")
	}
	folder := t.TempDir()
	file, keys := filepath.Join(folder, "sheet.pdf"), filepath.Join(folder, "keys.json")
	ok(t, os.WriteFile(file, sheet, 0o600))
	ok(t, os.WriteFile(keys, c.want(http.StatusOK, http.MethodGet, "/.well-known/walkaround-keys.json", nil).body, 0o600))
	if got := process.Run(t, nil, "verify", file, "--keys", keys); got.Code != 0 || !strings.HasPrefix(got.Stdout, "GENUINE") {
		t.Errorf("verify: %d %s%s", got.Code, got.Stdout, got.Stderr)
	}
}
