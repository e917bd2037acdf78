package cluster

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"example.com/walkaround/domain"
	"example.com/walkaround/test/harness"
)

const (
	patience     = 90 * time.Second       // of a tablet with one request: the key of a creation that died lapses after 60 s
	betweenTries = 100 * time.Millisecond // less than a tablet waits: the more often, the harder
)

func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

// refused says whether an error is that of a connection that was never made.
func refused(err error) bool {
	dial, ok := errors.AsType[*net.OpError](err)
	return ok && dial.Op == "dial"
}

// trouble counts what tablets met.
type trouble struct {
	broken, unavailable, running atomic.Int64 // connections and 502, 503, 409 still_running
	slowest                      atomic.Int64 // nanoseconds that a 503 took
	writes                       atomic.Int64 // acknowledged
}

// tablet is one advisor at a tablet. It sends again what was not answered: the same bytes, under the same ids and key.
type tablet struct {
	t        *testing.T
	url      string
	username string
	password string
	token    string
	client   *http.Client
	met      *trouble
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// text reads a member of a JSON object by its path.
func (a answer) text(path ...string) string {
	var node any
	if json.Unmarshal(a.body, &node) != nil {
		return ""
	}
	for _, name := range path {
		object, _ := node.(map[string]any)
		node = object[name]
	}
	s, _ := node.(string)
	return s
}

// into decodes the body.
func (a answer) into(t *testing.T, v any) {
	t.Helper()
	if err := json.Unmarshal(a.body, v); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
}

// unavailable says whether the answer is a whole 503: a problem, and after how long to try again.
func (a answer) unavailable() bool {
	return a.status == http.StatusServiceUnavailable && a.header.Get("Retry-After") != "" && a.text("code") == "unavailable" &&
		a.header.Get("Content-Type") == "application/problem+json"
}

// newTablet signs an account in, the first one where no other is named.
func newTablet(t *testing.T, url string) *tablet {
	t.Helper()
	c := &tablet{
		t: t, url: url, username: "admin", password: adminPassword, met: &trouble{},
		client: &http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 16, DisableCompression: true}},
	}
	t.Cleanup(c.client.CloseIdleConnections)
	c.login()
	return c
}

// hire gives tablets with an advisor each.
func (c *tablet) hire(n int) []*tablet {
	c.t.Helper()
	list := make([]*tablet, n)
	for i := range list {
		other := *c
		other.username, other.password, other.token = "advisor-"+string(rune('a'+i)), harness.Password, ""
		c.want(http.StatusCreated, http.MethodPost, "/v1/staff", harness.Map{
			"username": other.username, "password": other.password, "name": "林美", "roles": []string{"advisor"},
		})
		other.login()
		list[i] = &other
	}
	return list
}

func (c *tablet) login() {
	c.t.Helper()
	got := c.again(http.MethodPost, "/v1/auth/login", harness.Map{"username": c.username, "password": c.password, "store": "main"})
	if c.token = got.text("access_token"); c.token == "" {
		c.t.Fatalf("sign-in: %d %s", got.status, got.body)
	}
}

// send sends a request once. A body that is bytes is sent as it is, another as JSON; headers are pairs.
func (c *tablet) send(method, path string, body any, headers ...string) (answer, error) {
	sent, raw := body.([]byte)
	if !raw && body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return answer{}, err
		}
		sent, headers = encoded, append([]string{"Content-Type", "application/json"}, headers...)
	}
	req, err := http.NewRequestWithContext(context.Background(), method, c.url+path, bytes.NewReader(sent))
	if err != nil {
		return answer{}, err
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := c.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	read, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Header, read}, errors.Join(err, res.Body.Close())
}

// once sends a request once, and counts what is wrong with the answer; final is false where it is worth sending again.
func (c *tablet) once(method, path string, body any, headers ...string) (got answer, final bool) {
	start := time.Now()
	got, err := c.send(method, path, body, headers...)
	switch {
	case err != nil || got.status == http.StatusBadGateway:
		c.met.broken.Add(1)
	case got.status == http.StatusServiceUnavailable:
		c.met.unavailable.Add(1)
		if took := int64(time.Since(start)); took > c.met.slowest.Load() {
			c.met.slowest.Store(took)
		}
		if !got.unavailable() {
			c.t.Errorf("%s %s: %v %s", method, path, got.header, got.body)
		}
	case got.status == http.StatusConflict && got.text("code") == string(domain.CodeStillRunning):
		c.met.running.Add(1)
	case got.status == http.StatusUnauthorized && c.token != "": // it lives for a quarter of an hour
		c.token = ""
		c.login()
	default:
		return got, true
	}
	return got, false
}

// again sends a request until it is answered.
func (c *tablet) again(method, path string, body any, headers ...string) answer {
	for start := time.Now(); time.Since(start) < patience; time.Sleep(betweenTries) {
		if got, final := c.once(method, path, body, headers...); final {
			return got
		}
	}
	c.t.Errorf("%s %s was never answered", method, path)
	return answer{}
}

// want is again that ends the test when the answer is another.
func (c *tablet) want(status int, method, path string, body any, headers ...string) answer {
	c.t.Helper()
	got := c.again(method, path, body, headers...)
	if got.status != status {
		c.t.Fatalf("%s %s: %d, wanted %d: %s", method, path, got.status, status, got.body)
	}
	return got
}

// inspection is a walk-around with everything that the checklist asks for.
func (c *tablet) inspection() harness.Map {
	c.t.Helper()
	var lists struct {
		Items []struct {
			Items []struct {
				Code     string `json:"code"`
				Required bool   `json:"required"`
			} `json:"items"`
		} `json:"items"`
	}
	c.want(http.StatusOK, http.MethodGet, "/v1/checklists", nil).into(c.t, &lists)
	items := []harness.Map{}
	for _, item := range lists.Items[0].Items {
		if item.Required {
			items = append(items, harness.Map{"code": item.Code, "result": "ok"})
		}
	}
	stamp := func(before time.Duration) string { return domain.At(time.Now().Add(-before)).String() }
	return harness.Map{
		"customer_present": true, "valuables_reminder_at": stamp(5 * time.Minute), "items": items,
		"covers":     harness.Map{"seat": true, "steering_wheel": true, "floor": true, "fitted_at": stamp(4 * time.Minute)},
		"belongings": []harness.Map{}, "engine": harness.Map{"checked": true, "abnormal_noise": false},
	}
}

// signatureOn is a signature on a digest.
func signatureOn(digest string) harness.Map {
	return harness.Map{
		"document": "inspection", "digest": digest, "signer": harness.Map{"name": "陳大文", "relation": "owner"},
		"signed_at": domain.At(time.Now()).String(), "image": harness.Drawn(),
		"strokes": [][][]float64{{{20, 60, 0, 0.4}, {40, 30, 16, 0.6}}},
		"device":  harness.Map{"id": "tablet-1", "app_version": "1.0.0", "clock_offset_ms": 0, "offline_seconds": 0},
	}
}
