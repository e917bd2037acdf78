package demodata

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"time"

	"example.com/walkaround/api"
)

// teller plays the story: it holds the clock and speaks to the server as its clients do.
type teller struct {
	ctx    context.Context //nolint:containedctx // one story, told within one call
	client *http.Client
	now    time.Time // when the story ends
	at     time.Time // where it stands
	tokens map[string]token
}

// token is a sign-in that lasts a while of the story's time.
type token struct {
	access, refresh string
	at              time.Time
}

// tokenLife is within that of an access token.
const tokenLife = 10 * time.Minute

// tick is how long each look at the clock takes in the story, so that no two things happen at once.
const tick = 7 * time.Millisecond

// clock is the server's clock while the story is told. It is asked by one request at a time.
func (t *teller) clock() time.Time {
	t.at = t.at.Add(tick)
	return t.at
}

// set moves the clock to so long before the end, never back.
func (t *teller) set(ago time.Duration) {
	if at := t.now.Add(-ago); at.After(t.at) {
		t.at = at
	}
}

// login gives the access token of a member of staff: signed in once, refreshed from then on.
func (t *teller) login(username string) (string, error) {
	known, ok := t.tokens[username]
	if ok && t.at.Sub(known.at) < tokenLife {
		return known.access, nil
	}
	path, body := "/v1/auth/refresh", any(api.RefreshRequest{RefreshToken: known.refresh})
	if !ok {
		path, body = "/v1/auth/login", api.LoginRequest{Username: username, Password: Password, Store: api.FirstStore, Device: "demo"}
	}
	got, err := t.send("", http.MethodPost, path, body, nil)
	if err != nil {
		return "", err
	}
	var grant api.TokenGrant
	if err := json.Unmarshal(got.body, &grant); err != nil {
		return "", err
	}
	t.tokens[username] = token{access: grant.AccessToken, refresh: grant.RefreshToken, at: t.at}
	return grant.AccessToken, nil
}

// answer is what a request was answered with; any status but 2xx is an error.
type answer struct {
	header http.Header
	body   []byte
}

// refusal is an answer that the story did not expect.
type refusal struct {
	status int
	what   string
}

// Error says the status and what was refused.
func (r *refusal) Error() string { return fmt.Sprintf("%d: %s", r.status, r.what) }

// refused says whether err is a refusal of that status.
func refused(err error, status int) bool {
	r, ok := errors.AsType[*refusal](err)
	return ok && r.status == status
}

// call sends a request of a member of staff.
func (t *teller) call(by, method, path string, body any) (answer, error) {
	return t.as(by, method, path, body, http.Header{})
}

// change replaces or patches what is there, as it was just read.
func (t *teller) change(by, method, path string, body any) error {
	seen, err := t.call(by, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	_, err = t.as(by, method, path, body, http.Header{"If-Match": {seen.header.Get("ETag")}})
	return err
}

// read gets a resource.
func (t *teller) read(by, path string, into any) error {
	got, err := t.call(by, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	return json.Unmarshal(got.body, into)
}

func (t *teller) as(by, method, path string, body any, h http.Header) (answer, error) {
	access, err := t.login(by)
	if err != nil {
		return answer{}, err
	}
	return t.send(access, method, path, body, h)
}

// file is a body that is no JSON.
type file struct {
	contentType string
	bytes       []byte
}

func (t *teller) send(access, method, path string, body any, h http.Header) (answer, error) {
	content, ok := body.(file)
	if !ok && body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return answer{}, err
		}
		content = file{"application/json", encoded}
	}
	r, err := http.NewRequestWithContext(t.ctx, method, "http://127.0.0.1:8080"+path, bytes.NewReader(content.bytes))
	if err != nil {
		return answer{}, err
	}
	maps.Copy(r.Header, h)
	if body != nil {
		r.Header.Set("Content-Type", content.contentType)
	}
	if access != "" {
		r.Header.Set("Authorization", "Bearer "+access)
	}
	return t.do(r)
}

func (t *teller) do(r *http.Request) (answer, error) {
	res, err := t.client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close() //nolint:errcheck // it lies in memory
	body, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode/100 != 2 {
		err = &refusal{res.StatusCode, fmt.Sprintf("%s %s: %s", r.Method, r.URL.Path, body)}
	}
	return answer{res.Header, body}, err
}

// inProcess carries requests to a handler without a network.
type inProcess struct{ handler http.Handler }

// RoundTrip lets the handler answer.
func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	w := &reply{header: http.Header{}, status: http.StatusOK}
	arrived := r.Clone(r.Context()) // a transport must leave the request as it is
	arrived.RemoteAddr, arrived.RequestURI = "127.0.0.1:1", r.URL.RequestURI()
	p.handler.ServeHTTP(w, arrived)
	return &http.Response{
		StatusCode: w.status, Header: w.header, Body: io.NopCloser(&w.body), Request: r, ContentLength: int64(w.body.Len()),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}, nil
}

// reply is an answer while it is written.
type reply struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header gives what is sent before the body.
func (w *reply) Header() http.Header { return w.header }

// WriteHeader sets the status.
func (w *reply) WriteHeader(status int) { w.status = status }

// Write takes a part of the body.
func (w *reply) Write(p []byte) (int, error) { return w.body.Write(p) }
