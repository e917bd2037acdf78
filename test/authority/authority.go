// Package authority is a small RFC 3161 time-stamping authority for tests: honest unless it is told to lie, hang or flood.
//
// Call New, then Honest for a server that answers, Token for a token without HTTP, Roots or PEM for what to trust. It may
// import the standard library and digitorus alone, and nothing of the house, so that each suite can use it.
package authority

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/digitorus/pkcs7"
	rfc3161 "github.com/digitorus/timestamp"
)

// The purposes that a certificate may have.
//
//nolint:gochecknoglobals // never changed
var (
	TimeStamping = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 8}
	CodeSigning  = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 3}
)

// Name is the subject of the authority's certificate.
const Name = "CN=Test Time"

const (
	queryType  = "application/timestamp-query"
	answerType = "application/timestamp-reply"
)

// Noon is the authority's time unless a test sets another.
func Noon() time.Time { return time.Date(2026, 2, 1, 12, 0, 0, 0, time.UTC) }

// Authority is one, with a root of its own.
type Authority struct {
	Root  *x509.Certificate
	Leaf  *x509.Certificate // what it signs with
	Clock time.Time         // what it says; not to be changed while it answers

	key *ecdsa.PrivateKey
}

// Certified says what the authority's certificate is like.
type Certified struct {
	Purposes   []asn1.ObjectIdentifier
	Uncritical bool // the purposes are not critical
	From, To   time.Time
}

// Proper is a certificate as it should be, for a year around Noon.
func Proper() Certified {
	return Certified{Purposes: []asn1.ObjectIdentifier{TimeStamping}, From: Noon().AddDate(-1, 0, 0), To: Noon().AddDate(1, 0, 0)}
}

// New makes an authority with a new key and a new root.
func New(tb testing.TB, c Certified) *Authority {
	tb.Helper()
	rootKey := newKey(tb)
	root := issue(tb, &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test Root"},
		NotBefore: Noon().AddDate(-5, 0, 0), NotAfter: Noon().AddDate(5, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, nil, rootKey, rootKey)
	a := &Authority{Root: root, key: newKey(tb), Clock: Noon()}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "Test Time"}, NotBefore: c.From, NotAfter: c.To,
		KeyUsage: x509.KeyUsageDigitalSignature, SubjectKeyId: []byte{1, 2, 3},
	}
	if c.Purposes != nil {
		value, err := asn1.Marshal(c.Purposes)
		if err != nil {
			tb.Fatal(err)
		}
		purpose := asn1.ObjectIdentifier{2, 5, 29, 37}
		template.ExtraExtensions = []pkix.Extension{{Id: purpose, Critical: !c.Uncritical, Value: value}}
	}
	a.Leaf = issue(tb, template, root, a.key, rootKey)
	return a
}

func newKey(tb testing.TB) *ecdsa.PrivateKey {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

// issue makes a certificate; without a parent it is its own.
func issue(tb testing.TB, template, parent *x509.Certificate, key, by *ecdsa.PrivateKey) *x509.Certificate {
	tb.Helper()
	if parent == nil {
		parent = template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, by)
	if err != nil {
		tb.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		tb.Fatal(err)
	}
	return certificate
}

// Roots is what to trust.
func (a *Authority) Roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.Root)
	return pool
}

// PEM is what to trust, as a file.
func (a *Authority) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.Root.Raw})
}

// Stamp answers a query as it should be, signed over a hash, but for what lie changes (nil: nothing).
func (a *Authority) Stamp(tb testing.TB, query *rfc3161.Request, hash crypto.Hash, lie func(*rfc3161.Timestamp)) []byte {
	tb.Helper()
	ts := &rfc3161.Timestamp{
		HashAlgorithm: query.HashAlgorithm, HashedMessage: query.HashedMessage, Time: a.Clock, Nonce: query.Nonce,
		Policy: asn1.ObjectIdentifier{1, 2, 3}, AddTSACertificate: true, Certificates: []*x509.Certificate{a.Root},
	}
	if lie != nil {
		lie(ts)
	}
	answer, err := ts.CreateResponseWithOpts(a.Leaf, a.key, hash)
	if err != nil {
		tb.Error(err)
	}
	return answer
}

// Token is an honest token over a SHA-256, without HTTP.
func (a *Authority) Token(tb testing.TB, digest []byte) []byte {
	tb.Helper()
	answer := a.Stamp(tb, &rfc3161.Request{HashAlgorithm: crypto.SHA256, HashedMessage: digest}, crypto.SHA256, nil)
	var parts struct {
		Status asn1.RawValue
		Token  asn1.RawValue
	}
	if _, err := asn1.Unmarshal(answer, &parts); err != nil {
		tb.Fatal(err)
	}
	return parts.Token.FullBytes
}

// Signed signs any content as a CMS of any type, as often as signers says.
func (a *Authority) Signed(tb testing.TB, kind asn1.ObjectIdentifier, content []byte, attributes []pkcs7.Attribute, signers int) []byte {
	tb.Helper()
	data, err := pkcs7.NewSignedData(content)
	if err != nil {
		tb.Fatal(err)
	}
	data.SetDigestAlgorithm(pkcs7.OIDDigestAlgorithmSHA256)
	data.SetContentType(kind)
	for range signers {
		if err := data.AddSigner(a.Leaf, a.key, pkcs7.SignerInfoConfig{ExtraSignedAttributes: attributes}); err != nil {
			tb.Fatal(err)
		}
	}
	der, err := data.Finish()
	if err != nil {
		tb.Fatal(err)
	}
	return der
}

// Honest answers every query as it should.
func (a *Authority) Honest(tb testing.TB) http.HandlerFunc {
	tb.Helper()
	return Answering(tb, func(q *rfc3161.Request) []byte { return a.Stamp(tb, q, crypto.SHA256, nil) })
}

// Lying answers every query with a whole token over something else.
func (a *Authority) Lying(tb testing.TB) http.HandlerFunc {
	tb.Helper()
	return Answering(tb, func(q *rfc3161.Request) []byte {
		return a.Stamp(tb, q, crypto.SHA256, func(ts *rfc3161.Timestamp) { ts.HashedMessage = make([]byte, crypto.SHA256.Size()) })
	})
}

// Answering answers every query of the right kind with what answer says, and fails the test for one of another kind.
func Answering(tb testing.TB, answer func(*rfc3161.Request) []byte) http.HandlerFunc {
	tb.Helper()
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != queryType {
			tb.Errorf("%s of %s: %v", r.Method, r.Header.Get("Content-Type"), err)
		}
		query, err := rfc3161.ParseRequest(body)
		if err != nil || query.Nonce == nil || !query.Certificates {
			tb.Errorf("query %+v: %v", query, err)
			return
		}
		w.Header().Set("Content-Type", answerType)
		_, _ = w.Write(answer(query))
	}
}

// Hang takes a query and never answers: it waits for the client to go away, which a server notices only once it has read
// the request.
func Hang(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

// Flood answers without an end.
func Flood(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", answerType)
	for r.Context().Err() == nil {
		if _, err := w.Write(make([]byte, 4096)); err != nil {
			return
		}
	}
}

// Serve puts an answer on HTTP, on this machine, until the test ends.
func Serve(tb testing.TB, answer http.HandlerFunc) *httptest.Server {
	tb.Helper()
	server := httptest.NewServer(answer)
	tb.Cleanup(server.Close)
	return server
}
