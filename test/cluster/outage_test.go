package cluster

import (
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"example.com/walkaround/domain"
	"example.com/walkaround/test/harness"
	"example.com/walkaround/test/process"
)

const (
	awayByDefault = 12 * time.Second
	soon          = 15 * time.Second // for an answer while a server is away, on a machine that has much else to do
	filesSoon     = 30 * time.Second // likewise; MinIO is waited for longer, for under load it answers late
	healsIn       = 20 * time.Second
)

// away is how long servers stay away in traffic.
func away(t *testing.T) time.Duration {
	t.Helper()
	set := os.Getenv("WALKAROUND_OUTAGE")
	if set == "" {
		return awayByDefault
	}
	d, err := time.ParseDuration(set)
	ok(t, err)
	return d
}

// probe asks something that needs no account.
func probe(t *testing.T, url string) answer {
	t.Helper()
	c := &tablet{url: url, client: &http.Client{Timeout: soon}}
	got, err := c.send(http.MethodGet, "", nil)
	ok(t, err)
	return got
}

// TestDocumentsAreWaitedForAtTheStart starts a server before its database. It says so, to the operator and to a balancer, and
// comes up by itself.
func TestDocumentsAreWaitedForAtTheStart(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.documents.cut()
	s := process.Start(t, freeAddress(t), p.env...)
	within(t, soon, "two tries in the log", func() bool { return strings.Contains(s.Said(), `"try":2`) })
	line, _, _ := strings.Cut(s.Said(), "\n")
	for _, want := range []string{`"level":"WARN"`, "MongoDB is out of reach: trying again", p.documents.address, `"wait":`} {
		if !strings.Contains(line, want) {
			t.Errorf("the log does not say %s: %s", want, line)
		}
	}
	if got := probe(t, s.URL+"/healthz"); got.status != http.StatusOK {
		t.Errorf("healthz: %d %s", got.status, got.body)
	}
	for _, path := range []string{"/readyz", "/v1/visits"} {
		if got := probe(t, s.URL+path); !got.unavailable() {
			t.Errorf("%s: %d %v %s", path, got.status, got.header, got.body)
		}
	}
	p.documents.up(t)
	took := within(t, healsIn, "it is ready", func() bool { return probe(t, s.URL+"/readyz").status == http.StatusOK })
	t.Logf("ready %s after the database", took)
	newTablet(t, s.URL)
	s.Stop(t)
}

// TestDocumentsGoAwayInTraffic takes the database away from a server that tablets write to. Requests are answered 503 soon,
// nothing that was acknowledged is lost, and all goes on by itself when it is back.
func TestDocumentsGoAwayInTraffic(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	s := process.Serve(t, freeAddress(t), p.env...)
	admin := newTablet(t, s.URL)
	list, crew := admin.inspection(), admin.hire(tablets/2)
	var enough atomic.Bool
	worked := make(chan []*promised)
	go func() { worked <- work(crew, list, &enough) }()
	met := admin.met
	for _, o := range outages() {
		goesOn(t, met, "before it "+o.name)
		o.away(p.documents)
		start := time.Now()
		asked := within(t, soon, "readyz says so", func() bool { return probe(t, s.URL+"/readyz").unavailable() })
		time.Sleep(away(t) - time.Since(start)) // what happens meanwhile is in met
		o.back(t, p.documents)
		took := goesOn(t, met, "after it "+o.name)
		ready := within(t, healsIn, "it is ready", func() bool { return probe(t, s.URL+"/readyz").status == http.StatusOK })
		t.Logf("it %s: readyz said so within %s; writes again %s after it was back, ready %s later; until now %d answers 503, the slowest after %s",
			o.name, asked, took, ready, met.unavailable.Load(), time.Duration(met.slowest.Load()).Round(time.Millisecond))
	}
	enough.Store(true)
	visits := <-worked
	found := kept(t, admin, visits)
	p.sealed(t, admin, visits)
	p.clean(t)
	s.Stop(t)
	t.Logf("%d acknowledged writes in %d visits, %d found", met.writes.Load(), len(visits), found)
	if slowest := time.Duration(met.slowest.Load()); met.unavailable.Load() == 0 || slowest > soon {
		t.Errorf("%d answers 503, the slowest after %s", met.unavailable.Load(), slowest)
	}
	if n := met.broken.Load(); n > 0 {
		t.Errorf("%d connections of tablets broke", n)
	}
	if int64(found) != met.writes.Load() {
		t.Errorf("%d writes were acknowledged, %d are there", met.writes.Load(), found)
	}
}

// goesOn waits until more writes are acknowledged.
func goesOn(t *testing.T, met *trouble, when string) time.Duration {
	t.Helper()
	some := met.writes.Load() + 10
	return within(t, healsIn, "writes "+when, func() bool { return met.writes.Load() >= some })
}

// TestFilesGoAway takes MinIO away. Photos and signatures are answered 503, everything else goes on, and photos are stored
// again by themselves when it is back.
func TestFilesGoAway(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	s := process.Serve(t, freeAddress(t), p.env...)
	c := newTablet(t, s.URL)
	list := c.inspection()
	var visits []*promised
	for n := range 2 {
		k := &promised{id: domain.NewID(), plate: "粵B·12345", photos: map[string]string{}}
		visits = append(visits, k)
		c.do(k, false, n*signsOne, list)
	}
	ways := append(outages(), outage{
		"is killed", func(*line) { p.minio.Kill() }, func(t *testing.T, _ *line) { t.Helper(); ok(t, p.minio.Run(t.Context())) },
	})
	for _, o := range ways {
		k := &promised{id: domain.NewID(), plate: "粵B·12345", photos: map[string]string{}, photosSent: 1}
		visits = append(visits, k)
		o.away(p.files)
		photo, file := domain.NewID(), photograph(0)
		photoAt := "/v1/visits/" + k.id + "/photos/" + photo
		c.withoutFiles(t, k, photoAt, file)
		within(t, soon, "readyz says so", func() bool { return probe(t, s.URL+"/readyz").unavailable() })
		if got := probe(t, s.URL+"/readyz?only=documents"); got.status != http.StatusOK {
			t.Errorf("documents while it %s: %d %s", o.name, got.status, got.body)
		}
		o.back(t, p.files)
		start := time.Now()
		c.want(http.StatusCreated, http.MethodPut, photoAt, file, "Content-Type", "image/png")
		t.Logf("it %s: the slowest 503 came after %s; a photo was stored %s after it was back",
			o.name, time.Duration(c.met.slowest.Load()).Round(time.Millisecond), time.Since(start).Round(time.Millisecond))
		k.photos[photo] = sum(file)
		within(t, healsIn, "it is ready", func() bool { return probe(t, s.URL+"/readyz").status == http.StatusOK })
	}
	kept(t, c, visits)
	p.genuine(t, c, p.sealed(t, c, visits))
	p.clean(t)
	s.Stop(t)
}

// withoutFiles does what needs no file, and tries what does.
func (c *tablet) withoutFiles(t *testing.T, k *promised, photoAt string, file []byte) {
	t.Helper()
	at := "/v1/visits/" + k.id
	start := time.Now()
	k.number = c.want(http.StatusCreated, http.MethodPost, "/v1/visits", harness.Map{"id": k.id, "plate": k.plate}).text("number")
	intake := harness.Intake()
	intake["fuel_percent"] = 1
	c.want(http.StatusOK, http.MethodPut, at+"/intake", intake, "If-None-Match", "*")
	k.saved, k.saving = 1, 1
	c.want(http.StatusOK, http.MethodGet, at, nil)
	if took := time.Since(start); took > soon {
		t.Errorf("what needs no file took %s", took)
	}
	start = time.Now()
	got, err := c.send(http.MethodPut, photoAt, file, "Content-Type", "image/png")
	ok(t, err)
	if took := time.Since(start); !got.unavailable() || took > filesSoon {
		t.Errorf("a photo: %d after %s: %v %s", got.status, took, got.header, got.body)
	}
	c.met.slowest.Store(int64(time.Since(start)))
}
