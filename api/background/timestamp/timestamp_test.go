package timestamp

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"io"
	"math/big"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/digitorus/pkcs7"
	rfc3161 "github.com/digitorus/timestamp"
)

var sum = sha256.Sum256([]byte("walkaround"))

func client(t *testing.T, address string, roots *x509.CertPool) *Client {
	t.Helper()
	c, err := New(address, roots, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestStampBringsAVerifiedToken(t *testing.T) {
	a := newAuthority(t, proper())
	server := answering(t, func(q *rfc3161.Request) []byte { return a.stamp(t, q, crypto.SHA256, nil) })
	token, err := client(t, server.URL, a.roots()).Stamp(t.Context(), sum[:])
	if err != nil {
		t.Fatal(err)
	}
	if !token.At.Equal(noon) || token.Authority != "CN=Test Time" {
		t.Errorf("%s by %s", token.At, token.Authority)
	}
	at, authority, err := Verify(token.Token, sum[:], a.roots())
	if err != nil || !at.Equal(noon) || authority != "CN=Test Time" {
		t.Errorf("again: %s by %s, %v", at, authority, err)
	}
}

func TestTokensOfAnotherMakeVerify(t *testing.T) {
	pem, err := os.ReadFile("testdata/other-root.pem")
	if err != nil {
		t.Fatal(err)
	}
	roots, err := ParseRoots(pem)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"other-v1.der", "other-v2.der"} { // its certificate named by SHA-1 and by SHA-256
		token, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		at, authority, err := Verify(token, sum[:], roots)
		if err != nil || at.Year() < 2026 || authority != "CN=Test Time,O=Another Make" {
			t.Errorf("%s: %s by %s, %v", name, at, authority, err)
		}
	}
}

func TestStampRefusesEveryLie(t *testing.T) {
	a := newAuthority(t, proper())
	stranger := newAuthority(t, proper())
	with := func(lie func(*rfc3161.Timestamp)) func(*rfc3161.Request) []byte {
		return func(q *rfc3161.Request) []byte { return a.stamp(t, q, crypto.SHA256, lie) }
	}
	raw := func(b []byte) func(*rfc3161.Request) []byte { return func(*rfc3161.Request) []byte { return b } }
	fault := func(s rfc3161.Status) func(*rfc3161.Request) []byte {
		b, err := rfc3161.CreateErrorResponse(s, rfc3161.BadRequest)
		if err != nil {
			t.Fatal(err)
		}
		return raw(b)
	}
	other := sha256.Sum256(nil)
	cases := map[string]struct {
		answer func(*rfc3161.Request) []byte
		want   error
	}{
		"another imprint": {with(func(ts *rfc3161.Timestamp) { ts.HashedMessage = other[:] }), ErrUntrusted},
		"another hash":    {with(func(ts *rfc3161.Timestamp) { ts.HashAlgorithm = crypto.SHA512 }), ErrUntrusted},
		"another nonce":   {with(func(ts *rfc3161.Timestamp) { ts.Nonce = big.NewInt(1) }), ErrUntrusted},
		"no nonce":        {with(func(ts *rfc3161.Timestamp) { ts.Nonce = nil }), ErrUntrusted},
		"no certificate":  {with(func(ts *rfc3161.Timestamp) { ts.AddTSACertificate = false }), ErrUntrusted},
		"a critical extension": {with(func(ts *rfc3161.Timestamp) {
			ts.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2}, Critical: true}}
		}), ErrUntrusted},
		"before its time":      {with(func(ts *rfc3161.Timestamp) { ts.Time = noon.AddDate(-2, 0, 0) }), ErrUntrusted},
		"after its time":       {with(func(ts *rfc3161.Timestamp) { ts.Time = noon.AddDate(2, 0, 0) }), ErrUntrusted},
		"a stranger":           {func(q *rfc3161.Request) []byte { return stranger.stamp(t, q, crypto.SHA256, nil) }, ErrUntrusted},
		"an outdated hash":     {func(q *rfc3161.Request) []byte { return a.stamp(t, q, crypto.SHA1, nil) }, ErrUntrusted},
		"rejected":             {fault(rfc3161.Rejection), ErrRefused},
		"waiting":              {fault(rfc3161.Waiting), ErrRefused},
		"granted, but nothing": {fault(rfc3161.Granted), ErrUntrusted},
		"garbage":              {raw([]byte("hello")), ErrUntrusted},
		"nothing":              {raw(nil), ErrUntrusted},
		"bytes behind":         {func(q *rfc3161.Request) []byte { return append(a.stamp(t, q, crypto.SHA256, nil), 0) }, ErrUntrusted},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			server := answering(t, c.answer)
			if token, err := client(t, server.URL, a.roots()).Stamp(t.Context(), sum[:]); !errors.Is(err, c.want) || token.Token != nil {
				t.Errorf("got %+v, %v; want %v", token, err, c.want)
			}
		})
	}
}

func TestStampRefusesACertificateThatIsNotForIt(t *testing.T) {
	cases := map[string]func(*certified){
		"expired":              func(c *certified) { c.to = noon.Add(-time.Second) },
		"not valid yet":        func(c *certified) { c.from = noon.Add(time.Second) },
		"another purpose":      func(c *certified) { c.usages = []asn1.ObjectIdentifier{oidCodeSigning} },
		"a second purpose":     func(c *certified) { c.usages = append(c.usages, oidCodeSigning) },
		"an unknown purpose":   func(c *certified) { c.usages = append(c.usages, asn1.ObjectIdentifier{1, 2, 3}) },
		"no purpose":           func(c *certified) { c.usages = nil },
		"a purpose by the way": func(c *certified) { c.uncritical = true },
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			c := proper()
			change(&c)
			a := newAuthority(t, c)
			server := answering(t, func(q *rfc3161.Request) []byte { return a.stamp(t, q, crypto.SHA256, nil) })
			if _, err := client(t, server.URL, a.roots()).Stamp(t.Context(), sum[:]); !errors.Is(err, ErrUntrusted) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestStampRefusesEveryStrangeAnswer(t *testing.T) {
	elsewhere := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") })
	cases := map[string]struct {
		handler http.HandlerFunc
		want    error
	}{
		"a page":   {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Type", "text/html") }, ErrUntrusted},
		"no type":  {func(w http.ResponseWriter, _ *http.Request) { w.Header()["Content-Type"] = nil }, ErrUntrusted},
		"an error": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }, ErrRefused},
		"a redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		}, ErrRefused},
		"a flood": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", answerType)
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 4096)); err != nil {
					return
				}
			}
		}, ErrUntrusted},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			server := serve(t, c.handler)
			if _, err := client(t, server.URL, newAuthority(t, proper()).roots()).Stamp(t.Context(), sum[:]); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

// untilGone waits for the client to go away, which a server notices only once it has read the request.
func untilGone(r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

func TestStampWaitsNoLongerThanItsDeadline(t *testing.T) {
	hang := func(_ http.ResponseWriter, r *http.Request) { untilGone(r) }
	drip := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", answerType)
		w.WriteHeader(http.StatusOK)
		if f, ok := w.(http.Flusher); ok {
			f.Flush()
		}
		untilGone(r)
	}
	for name, handler := range map[string]http.HandlerFunc{"before the answer": hang, "inside the answer": drip} {
		c := client(t, serve(t, handler).URL, newAuthority(t, proper()).roots())
		if c.timeout != Timeout {
			t.Errorf("the deadline is %s", c.timeout)
		}
		c.timeout = 20 * time.Millisecond
		if _, err := c.Stamp(t.Context(), sum[:]); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestStampObeysItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	server := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		untilGone(r)
	})
	if _, err := client(t, server.URL, newAuthority(t, proper()).roots()).Stamp(ctx, sum[:]); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestStampTakesOnlyASHA256(t *testing.T) {
	c := client(t, "http://127.0.0.1:1", newAuthority(t, proper()).roots())
	if _, err := c.Stamp(t.Context(), sum[:31]); err == nil || errors.Is(err, ErrRefused) {
		t.Errorf("got %v", err)
	}
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	roots := newAuthority(t, proper()).roots()
	for _, address := range []string{"", "time.example", "ftp://time.example", "http://", "http://%zz"} {
		if _, err := New(address, roots, nil); err == nil {
			t.Errorf("%q is taken", address)
		}
	}
	if _, err := New("http://time.example", nil, nil); err == nil {
		t.Error("no roots are taken")
	}
	if _, err := ParseRoots([]byte("hello")); err == nil {
		t.Error("no PEM is taken")
	}
}

func TestVerifyNoticesEveryByte(t *testing.T) {
	a := newAuthority(t, proper())
	token := a.token(t, sum[:])
	if _, _, err := Verify(token, sum[:], a.roots()); err != nil {
		t.Fatal(err)
	}
	whole, err := parse(token)
	if err != nil {
		t.Fatal(err)
	}
	for i := range token {
		changed := bytes.Clone(token)
		changed[i] ^= 1
		at, by, err := Verify(changed, sum[:], a.roots())
		if err == nil && (!at.Equal(noon) || by != whole.authority()) {
			t.Fatalf("byte %d changed what the token says to %s by %s", i, at, by)
		}
		if err != nil && !errors.Is(err, ErrUntrusted) {
			t.Fatalf("byte %d: %v", i, err)
		}
	}
	for i := range token {
		if _, _, err := Verify(token[:i], sum[:], a.roots()); !errors.Is(err, ErrUntrusted) {
			t.Fatalf("cut at %d: %v", i, err)
		}
	}
	if _, _, err := Verify(append(bytes.Clone(token), 0), sum[:], a.roots()); !errors.Is(err, ErrUntrusted) {
		t.Errorf("a byte more: %v", err)
	}
	if _, _, err := Verify(token, sum[:], nil); !errors.Is(err, ErrUntrusted) {
		t.Errorf("without roots: %v", err)
	}
	if _, _, err := Verify(token, sum[:], newAuthority(t, proper()).roots()); !errors.Is(err, ErrUntrusted) {
		t.Errorf("other roots: %v", err)
	}
}

func TestVerifyTakesOneSignatureOverATimeAndNothingElse(t *testing.T) {
	a := newAuthority(t, proper())
	whole, err := parse(a.token(t, sum[:]))
	if err != nil {
		t.Fatal(err)
	}
	named := func(sum []byte, oid asn1.ObjectIdentifier) []pkcs7.Attribute {
		value := struct{ Certs []struct{ Hash []byte } }{[]struct{ Hash []byte }{{sum}}}
		return []pkcs7.Attribute{{Type: oid, Value: value}}
	}
	second, first := sha256.Sum256(a.leaf.Raw), sha1.Sum(a.leaf.Raw)
	wrong := sha256.Sum256(a.root.Raw)
	good := named(second[:], oidSigningCertV2)
	cases := map[string]struct {
		token []byte
		good  bool
	}{
		"as it should be":         {a.signed(t, oidTSTInfo, whole.content, good, 1), true},
		"named by SHA-1":          {a.signed(t, oidTSTInfo, whole.content, named(first[:], oidSigningCert), 1), true},
		"two signers":             {a.signed(t, oidTSTInfo, whole.content, good, 2), false},
		"no signer":               {a.signed(t, oidTSTInfo, whole.content, good, 0), false},
		"other signed data":       {a.signed(t, pkcs7.OIDData, whole.content, good, 1), false},
		"no time inside":          {a.signed(t, oidTSTInfo, []byte("hello"), good, 1), false},
		"no certificate named":    {a.signed(t, oidTSTInfo, whole.content, nil, 1), false},
		"another certificate":     {a.signed(t, oidTSTInfo, whole.content, named(wrong[:], oidSigningCertV2), 1), false},
		"named in the wrong way":  {a.signed(t, oidTSTInfo, whole.content, named(first[:], oidSigningCertV2), 1), false},
		"named, then named again": {a.signed(t, oidTSTInfo, whole.content, append(good, good...), 1), false},
	}
	for name, c := range cases {
		_, _, err := Verify(c.token, sum[:], a.roots())
		if c.good && err != nil || !c.good && !errors.Is(err, ErrUntrusted) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestVerifyDemandsSignedAttributes(t *testing.T) {
	a := newAuthority(t, proper())
	s, err := parse(a.token(t, sum[:]))
	if err != nil {
		t.Fatal(err)
	}
	s.signer.Attributes.FullBytes = nil
	if err := s.checkSignature(); !errors.Is(err, ErrUntrusted) {
		t.Errorf("got %v", err)
	}
}

func FuzzVerify(f *testing.F) {
	a := newAuthority(f, proper())
	f.Add(a.token(f, sum[:]))
	f.Add([]byte{0x30, 0x80})
	f.Fuzz(func(t *testing.T, token []byte) {
		if _, _, err := Verify(token, sum[:], a.roots()); err != nil && !errors.Is(err, ErrUntrusted) {
			t.Fatal(err)
		}
		if _, err := granted(token); err != nil && !errors.Is(err, ErrUntrusted) && !errors.Is(err, ErrRefused) {
			t.Fatal(err)
		}
	})
}
