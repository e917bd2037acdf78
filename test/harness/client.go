package harness

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Client speaks to a house with the account of one role, or with none.
type Client struct {
	House     *House
	Role      string
	AccountID string

	tb       testing.TB
	username string
	password string
	store    string
	session  *session
}

type session struct {
	access, refresh string
	issued          time.Time
}

// Anyone is a client without an account.
func (h *House) Anyone() *Client { return &Client{House: h, tb: h.tb} }

// As signs in with the account of a role in the store `main`, made by the admin at the first call.
func (h *House) As(role string) *Client {
	h.tb.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if known, ok := h.clients[role]; ok {
		return known
	}
	admin, ok := h.clients["admin"]
	if !ok {
		admin = &Client{House: h, tb: h.tb, Role: "admin", username: "admin", password: AdminPassword, store: "main"}
		admin.AccountID = admin.Login().Text("staff.id")
		h.clients["admin"] = admin
	}
	if role != "admin" {
		h.clients[role] = admin.Hire(role, "the "+role, role)
	}
	return h.clients[role]
}

// Hire makes an account and signs in with it. Further pairs are headers, as Walkaround-Store of a chain-wide admin.
func (c *Client) Hire(username, name, role string, headers ...string) *Client {
	c.tb.Helper()
	store := "main"
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Walkaround-Store" {
			store = headers[i+1]
		}
	}
	body := map[string]any{"username": username, "password": Password, "name": name, "roles": []string{role}}
	made := c.Do(http.MethodPost, "/v1/staff", body, headers...).Want(http.StatusCreated)
	hired := &Client{
		House: c.House, tb: c.tb, Role: role, AccountID: made.Text("id"), username: username, password: Password, store: store,
	}
	hired.Login()
	return hired
}

// In is the client for another test: failures are reported there.
func (c *Client) In(tb testing.TB) *Client {
	tb.Helper()
	other := *c
	other.tb = tb
	return &other
}

// Login signs in anew.
func (c *Client) Login() Answer {
	c.tb.Helper()
	got := c.House.Anyone().In(c.tb).Do(http.MethodPost, "/v1/auth/login", map[string]any{
		"username": c.username, "password": c.password, "store": c.store, "client_id": "tablet of " + c.username,
	}).Want(http.StatusOK)
	c.session = &session{access: got.Text("access_token"), refresh: got.Text("refresh_token"), issued: c.House.Clock.Now()}
	return got
}

// Token is the access token, made anew when the clock has left its life.
func (c *Client) Token() string {
	c.tb.Helper()
	if c.session == nil {
		return ""
	}
	if age := c.House.Clock.Now().Sub(c.session.issued); age < -30*time.Second || age > 14*time.Minute {
		c.Login()
	}
	return c.session.access
}

// Refresh is the refresh token that the last Login gave.
func (c *Client) Refresh() string { return c.session.refresh }

// Do sends a request and holds the answer to the OpenAPI document. A body is sent as it is when it is bytes, a string
// or a reader, else as JSON; headers are pairs.
func (c *Client) Do(method, path string, body any, headers ...string) Answer {
	c.tb.Helper()
	req, got := c.send(method, path, body, headers)
	checker(c.tb).Response(c.tb, req, got.response, got.Body)
	return got
}

// Raw is Do for what the document does not describe.
func (c *Client) Raw(method, path string, body any, headers ...string) Answer {
	c.tb.Helper()
	_, got := c.send(method, path, body, headers)
	return got
}

// Get is Do without a body.
func (c *Client) Get(path string, headers ...string) Answer {
	c.tb.Helper()
	return c.Do(http.MethodGet, path, nil, headers...)
}

func (c *Client) send(method, path string, body any, headers []string) (*http.Request, Answer) {
	c.tb.Helper()
	reader, isJSON := encode(c.tb, body)
	req, err := http.NewRequestWithContext(c.tb.Context(), method, c.House.URL+path, reader)
	if err != nil {
		c.tb.Fatalf("%s %s: %v", method, path, err)
	}
	if isJSON {
		req.Header.Set("Content-Type", "application/json")
	}
	if token := c.Token(); token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := c.House.http.Do(req)
	if err != nil {
		c.tb.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	read, err := io.ReadAll(resp.Body)
	if err != nil {
		c.tb.Fatalf("%s %s: %v", method, path, err)
	}
	got := Answer{Method: method, Path: path, Status: resp.StatusCode, Header: resp.Header, Body: read, tb: c.tb, response: resp}
	c.House.secrets.keep("a token", got.Text("access_token"), got.Text("refresh_token"))
	return req, got
}

func encode(tb testing.TB, body any) (r io.Reader, isJSON bool) {
	tb.Helper()
	switch b := body.(type) {
	case nil:
		return nil, false
	case []byte:
		return bytes.NewReader(b), false
	case string:
		return strings.NewReader(b), true
	case io.Reader:
		return b, false
	default:
		encoded, err := json.Marshal(body)
		if err != nil {
			tb.Fatalf("harness: %v", err)
		}
		return bytes.NewReader(encoded), true
	}
}

// Answer is what came back.
type Answer struct {
	Method, Path string
	Status       int
	Header       http.Header
	Body         []byte

	tb       testing.TB
	response *http.Response
}

// Want ends the test when the status is another.
func (a Answer) Want(status int) Answer {
	a.tb.Helper()
	if a.Status != status {
		a.tb.Fatalf("%s %s: %d, wanted %d: %s", a.Method, a.Path, a.Status, status, a.Body[:min(len(a.Body), 1_500)])
	}
	return a
}

// WantProblem ends the test when the answer is not a problem of this status and code.
func (a Answer) WantProblem(status int, code string) Answer {
	a.tb.Helper()
	a.Want(status)
	if a.Text("code") != code || a.Header.Get("Content-Type") != "application/problem+json" {
		a.tb.Fatalf("%s %s: %s, wanted %s: %s", a.Method, a.Path, a.Text("code"), code, a.Body[:min(len(a.Body), 1_500)])
	}
	return a
}

// ETag is the header.
func (a Answer) ETag() string { return a.Header.Get("ETag") }

// JSON decodes the body into a value of one's own.
func (a Answer) JSON(into any) {
	a.tb.Helper()
	if err := json.Unmarshal(a.Body, into); err != nil {
		a.tb.Fatalf("%s %s: %v: %s", a.Method, a.Path, err, a.Body[:min(len(a.Body), 500)])
	}
}

// At gives a member by its path, as sections.inspection.digest or items.0.id; nil when there is none.
func (a Answer) At(path string) any {
	if !strings.Contains(a.Header.Get("Content-Type"), "json") {
		return nil
	}
	var node any
	if json.Unmarshal(a.Body, &node) != nil {
		return nil
	}
	for part := range strings.SplitSeq(path, ".") {
		switch n := node.(type) {
		case map[string]any:
			node = n[part]
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(n) {
				return nil
			}
			node = n[i]
		default:
			return nil
		}
	}
	return node
}

// Text is At for a string; "" when there is none.
func (a Answer) Text(path string) string {
	s, _ := a.At(path).(string)
	return s
}

// Number is At for a number; 0 when there is none.
func (a Answer) Number(path string) float64 {
	n, _ := a.At(path).(float64)
	return n
}

// List is At for an array; nil when there is none.
func (a Answer) List(path string) []any {
	l, _ := a.At(path).([]any)
	return l
}

// Codes are the codes of the problem's errors, in their order.
func (a Answer) Codes() []string {
	var codes []string
	for i := range a.List("errors") {
		codes = append(codes, a.Text("errors."+strconv.Itoa(i)+".code"))
	}
	return codes
}
