package minio_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"example.com/walkaround/storage"
	"example.com/walkaround/storage/minio"
)

// promise is a reader that says what it holds, rightly or not.
type promise struct {
	io.Reader
	sum   string
	bytes int64
}

func (p promise) Declared() (sha256 string, bytes int64) { return p.sum, p.bytes }

func sumOf(data string) string {
	sum := sha256.Sum256([]byte(data))
	return hex.EncodeToString(sum[:])
}

// declaring is a store whose readers all say what they hold.
type declaring struct{ *minio.Store }

func (d declaring) Put(
	ctx context.Context, store string, r io.Reader, limit int64, check func(string, int64) error,
) (storage.BlobInfo, error) {
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	p := promise{bytes.NewReader(b), sumOf(string(b)), int64(len(b))}
	if err != nil { // more was said than comes
		p = promise{io.MultiReader(p.Reader, broken{err}), p.sum, p.bytes + 10}
	}
	return d.Store.Put(ctx, store, p, limit, check)
}

type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

func TestDeclaredBytesMustBeWhatWasDeclared(t *testing.T) {
	s := open(t, settings(t, server(t)))
	const data = "the whole photo"
	for name, p := range map[string]promise{
		"another hash": {strings.NewReader(data), sumOf("other"), int64(len(data))},
		"too long":     {strings.NewReader(data + "!"), sumOf(data), int64(len(data))},
		"too short":    {strings.NewReader(data[1:]), sumOf(data), int64(len(data))},
	} {
		sent, err := io.ReadAll(p.Reader)
		if err != nil {
			t.Fatal(err)
		}
		p.Reader = bytes.NewReader(sent)
		var seen string
		_, err = s.Put(t.Context(), "main", p, 100, func(sum string, size int64) error {
			seen = sum
			if size != int64(len(sent)) {
				t.Errorf("%s: check saw %d bytes of %d", name, size, len(sent))
			}
			return nil
		})
		if err == nil || seen != sumOf(string(sent)) {
			t.Errorf("%s: got %v, check saw %s", name, err, seen)
		}
		refusal := errors.New("not what was promised")
		p.Reader = bytes.NewReader(sent)
		_, err = s.Put(t.Context(), "main", p, 100, func(string, int64) error { return refusal })
		wantError(t, err, refusal)
	}
	if list, err := s.List(t.Context(), "main", "", 1); err != nil || len(list) != 0 {
		t.Errorf("stored: %v, %v", list, err)
	}
}

func TestDeclarationThatSaysNothingIsNone(t *testing.T) {
	s := open(t, settings(t, server(t)))
	for _, p := range []promise{{strings.NewReader("x"), "", 1}, {strings.NewReader("x"), sumOf("x"), -1}, {strings.NewReader(""), sumOf(""), 0}} {
		if _, err := s.Put(t.Context(), "main", p, 1, nil); err != nil {
			t.Errorf("%+v: %v", p, err)
		}
	}
}

// A server that refuses before all has come is heard, and nothing is read when Put has returned.
func TestServerThatRefusesInTheMiddleOfAStream(t *testing.T) {
	t.Parallel()
	srv := server(t)
	c := settings(t, srv)
	var refuse atomic.Bool
	c.Endpoint = proxy(t, srv, func(w http.ResponseWriter, r *http.Request) bool {
		if !refuse.Load() {
			return false
		}
		_, _ = io.ReadFull(r.Body, make([]byte, 1000))
		w.WriteHeader(http.StatusInsufficientStorage)
		return true
	}).URL
	s := open(t, c)
	refuse.Store(true)
	var returned atomic.Bool
	body := &watched{returned: &returned, t: t}
	_, err := s.Put(t.Context(), "main", promise{body, sumOf("x"), 100 << 20}, 100<<20, nil)
	returned.Store(true)
	if !errors.Is(err, storage.ErrFull) && !errors.Is(err, storage.ErrUnavailable) { // the answer may be lost with the connection
		t.Errorf("got %v", err)
	}
}

// watched gives bytes for ever, until Put has returned.
type watched struct {
	returned *atomic.Bool
	t        *testing.T
}

func (w *watched) Read(p []byte) (int, error) {
	if w.returned.Load() {
		w.t.Error("it is read after the put")
	}
	return len(p), nil
}
