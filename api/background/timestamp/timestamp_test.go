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
	"math/big"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/digitorus/pkcs7"
	rfc3161 "github.com/digitorus/timestamp"

	"example.com/walkaround/test/authority"
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
	a := authority.New(t, authority.Proper())
	server := authority.Serve(t, a.Honest(t))
	token, err := client(t, server.URL, a.Roots()).Stamp(t.Context(), sum[:])
	if err != nil {
		t.Fatal(err)
	}
	if !token.At.Equal(authority.Noon()) || token.Authority != authority.Name {
		t.Errorf("%s by %s", token.At, token.Authority)
	}
	at, by, err := Verify(token.Token, sum[:], a.Roots())
	if err != nil || !at.Equal(authority.Noon()) || by != authority.Name {
		t.Errorf("again: %s by %s, %v", at, by, err)
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
		at, by, err := Verify(token, sum[:], roots)
		if err != nil || at.Year() < 2026 || by != "CN=Test Time,O=Another Make" {
			t.Errorf("%s: %s by %s, %v", name, at, by, err)
		}
	}
}

func TestStampRefusesEveryLie(t *testing.T) {
	a := authority.New(t, authority.Proper())
	stranger := authority.New(t, authority.Proper())
	with := func(lie func(*rfc3161.Timestamp)) func(*rfc3161.Request) []byte {
		return func(q *rfc3161.Request) []byte { return a.Stamp(t, q, crypto.SHA256, lie) }
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
		"before its time":      {with(func(ts *rfc3161.Timestamp) { ts.Time = authority.Noon().AddDate(-2, 0, 0) }), ErrUntrusted},
		"after its time":       {with(func(ts *rfc3161.Timestamp) { ts.Time = authority.Noon().AddDate(2, 0, 0) }), ErrUntrusted},
		"a stranger":           {func(q *rfc3161.Request) []byte { return stranger.Stamp(t, q, crypto.SHA256, nil) }, ErrUntrusted},
		"an outdated hash":     {func(q *rfc3161.Request) []byte { return a.Stamp(t, q, crypto.SHA1, nil) }, ErrUntrusted},
		"rejected":             {fault(rfc3161.Rejection), ErrRefused},
		"waiting":              {fault(rfc3161.Waiting), ErrRefused},
		"granted, but nothing": {fault(rfc3161.Granted), ErrUntrusted},
		"garbage":              {raw([]byte("hello")), ErrUntrusted},
		"nothing":              {raw(nil), ErrUntrusted},
		"bytes behind":         {func(q *rfc3161.Request) []byte { return append(a.Stamp(t, q, crypto.SHA256, nil), 0) }, ErrUntrusted},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			server := authority.Serve(t, authority.Answering(t, c.answer))
			if token, err := client(t, server.URL, a.Roots()).Stamp(t.Context(), sum[:]); !errors.Is(err, c.want) || token.Token != nil {
				t.Errorf("got %+v, %v; want %v", token, err, c.want)
			}
		})
	}
}

func TestStampRefusesACertificateThatIsNotForIt(t *testing.T) {
	cases := map[string]func(*authority.Certified){
		"expired":              func(c *authority.Certified) { c.To = authority.Noon().Add(-time.Second) },
		"not valid yet":        func(c *authority.Certified) { c.From = authority.Noon().Add(time.Second) },
		"another purpose":      func(c *authority.Certified) { c.Purposes = []asn1.ObjectIdentifier{authority.CodeSigning} },
		"a second purpose":     func(c *authority.Certified) { c.Purposes = append(c.Purposes, authority.CodeSigning) },
		"an unknown purpose":   func(c *authority.Certified) { c.Purposes = append(c.Purposes, asn1.ObjectIdentifier{1, 2, 3}) },
		"no purpose":           func(c *authority.Certified) { c.Purposes = nil },
		"a purpose by the way": func(c *authority.Certified) { c.Uncritical = true },
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			c := authority.Proper()
			change(&c)
			a := authority.New(t, c)
			server := authority.Serve(t, a.Honest(t))
			if _, err := client(t, server.URL, a.Roots()).Stamp(t.Context(), sum[:]); !errors.Is(err, ErrUntrusted) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestStampRefusesEveryStrangeAnswer(t *testing.T) {
	elsewhere := authority.Serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") })
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
		"a flood": {authority.Flood, ErrUntrusted},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			server := authority.Serve(t, c.handler)
			if _, err := client(t, server.URL, authority.New(t, authority.Proper()).Roots()).Stamp(t.Context(), sum[:]); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestStampWaitsNoLongerThanItsDeadline(t *testing.T) {
	drip := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", answerType)
		w.WriteHeader(http.StatusOK)
		if f, ok := w.(http.Flusher); ok {
			f.Flush()
		}
		authority.Hang(w, r)
	}
	for name, handler := range map[string]http.HandlerFunc{"before the answer": authority.Hang, "inside the answer": drip} {
		c := client(t, authority.Serve(t, handler).URL, authority.New(t, authority.Proper()).Roots())
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
	server := authority.Serve(t, func(w http.ResponseWriter, r *http.Request) {
		cancel()
		authority.Hang(w, r)
	})
	if _, err := client(t, server.URL, authority.New(t, authority.Proper()).Roots()).Stamp(ctx, sum[:]); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestStampTakesOnlyASHA256(t *testing.T) {
	c := client(t, "http://127.0.0.1:1", authority.New(t, authority.Proper()).Roots())
	if _, err := c.Stamp(t.Context(), sum[:31]); err == nil || errors.Is(err, ErrRefused) {
		t.Errorf("got %v", err)
	}
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	roots := authority.New(t, authority.Proper()).Roots()
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
	a := authority.New(t, authority.Proper())
	token := a.Token(t, sum[:])
	if _, _, err := Verify(token, sum[:], a.Roots()); err != nil {
		t.Fatal(err)
	}
	whole, err := parse(token)
	if err != nil {
		t.Fatal(err)
	}
	for i := range token {
		changed := bytes.Clone(token)
		changed[i] ^= 1
		at, by, err := Verify(changed, sum[:], a.Roots())
		if err == nil && (!at.Equal(authority.Noon()) || by != whole.authority()) {
			t.Fatalf("byte %d changed what the token says to %s by %s", i, at, by)
		}
		if err != nil && !errors.Is(err, ErrUntrusted) {
			t.Fatalf("byte %d: %v", i, err)
		}
	}
	for i := range token {
		if _, _, err := Verify(token[:i], sum[:], a.Roots()); !errors.Is(err, ErrUntrusted) {
			t.Fatalf("cut at %d: %v", i, err)
		}
	}
	if _, _, err := Verify(append(bytes.Clone(token), 0), sum[:], a.Roots()); !errors.Is(err, ErrUntrusted) {
		t.Errorf("a byte more: %v", err)
	}
	if _, _, err := Verify(token, sum[:], nil); !errors.Is(err, ErrUntrusted) {
		t.Errorf("without roots: %v", err)
	}
	if _, _, err := Verify(token, sum[:], authority.New(t, authority.Proper()).Roots()); !errors.Is(err, ErrUntrusted) {
		t.Errorf("other roots: %v", err)
	}
}

func TestVerifyTakesOneSignatureOverATimeAndNothingElse(t *testing.T) {
	a := authority.New(t, authority.Proper())
	whole, err := parse(a.Token(t, sum[:]))
	if err != nil {
		t.Fatal(err)
	}
	named := func(sum []byte, oid asn1.ObjectIdentifier) []pkcs7.Attribute {
		value := struct{ Certs []struct{ Hash []byte } }{[]struct{ Hash []byte }{{sum}}}
		return []pkcs7.Attribute{{Type: oid, Value: value}}
	}
	second, first := sha256.Sum256(a.Leaf.Raw), sha1.Sum(a.Leaf.Raw)
	wrong := sha256.Sum256(a.Root.Raw)
	good := named(second[:], oidSigningCertV2)
	cases := map[string]struct {
		token []byte
		good  bool
	}{
		"as it should be":         {a.Signed(t, oidTSTInfo, whole.content, good, 1), true},
		"named by SHA-1":          {a.Signed(t, oidTSTInfo, whole.content, named(first[:], oidSigningCert), 1), true},
		"two signers":             {a.Signed(t, oidTSTInfo, whole.content, good, 2), false},
		"no signer":               {a.Signed(t, oidTSTInfo, whole.content, good, 0), false},
		"other signed data":       {a.Signed(t, pkcs7.OIDData, whole.content, good, 1), false},
		"no time inside":          {a.Signed(t, oidTSTInfo, []byte("hello"), good, 1), false},
		"no certificate named":    {a.Signed(t, oidTSTInfo, whole.content, nil, 1), false},
		"another certificate":     {a.Signed(t, oidTSTInfo, whole.content, named(wrong[:], oidSigningCertV2), 1), false},
		"named in the wrong way":  {a.Signed(t, oidTSTInfo, whole.content, named(first[:], oidSigningCertV2), 1), false},
		"named, then named again": {a.Signed(t, oidTSTInfo, whole.content, append(good, good...), 1), false},
	}
	for name, c := range cases {
		_, _, err := Verify(c.token, sum[:], a.Roots())
		if c.good && err != nil || !c.good && !errors.Is(err, ErrUntrusted) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestVerifyDemandsSignedAttributes(t *testing.T) {
	a := authority.New(t, authority.Proper())
	s, err := parse(a.Token(t, sum[:]))
	if err != nil {
		t.Fatal(err)
	}
	s.signer.Attributes.FullBytes = nil
	if err := s.checkSignature(); !errors.Is(err, ErrUntrusted) {
		t.Errorf("got %v", err)
	}
}

func FuzzVerify(f *testing.F) {
	a := authority.New(f, authority.Proper())
	f.Add(a.Token(f, sum[:]))
	f.Add([]byte{0x30, 0x80})
	f.Fuzz(func(t *testing.T, token []byte) {
		if _, _, err := Verify(token, sum[:], a.Roots()); err != nil && !errors.Is(err, ErrUntrusted) {
			t.Fatal(err)
		}
		if _, err := granted(token); err != nil && !errors.Is(err, ErrUntrusted) && !errors.Is(err, ErrRefused) {
			t.Fatal(err)
		}
	})
}
