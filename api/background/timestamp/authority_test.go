package timestamp

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/digitorus/pkcs7"
	rfc3161 "github.com/digitorus/timestamp"
)

// noon is the authority's time in all tests.
var noon = time.Date(2026, 2, 1, 12, 0, 0, 0, time.UTC)

var (
	oidTimeStamping = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 8}
	oidCodeSigning  = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 3}
)

// authority is a small one, made for a test, that can be told to lie.
type authority struct {
	root  *x509.Certificate
	leaf  *x509.Certificate
	key   *ecdsa.PrivateKey
	clock time.Time
}

// certified says what the authority's certificate is like.
type certified struct {
	usages     []asn1.ObjectIdentifier
	uncritical bool
	from, to   time.Time
}

func proper() certified {
	return certified{usages: []asn1.ObjectIdentifier{oidTimeStamping}, from: noon.AddDate(-1, 0, 0), to: noon.AddDate(1, 0, 0)}
}

func newKey(tb testing.TB) *ecdsa.PrivateKey {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

func newAuthority(tb testing.TB, c certified) *authority {
	tb.Helper()
	rootKey := newKey(tb)
	root := issue(tb, &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test Root"}, NotBefore: noon.AddDate(-5, 0, 0), NotAfter: noon.AddDate(5, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, nil, rootKey, rootKey)
	a := &authority{root: root, key: newKey(tb), clock: noon}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "Test Time"}, NotBefore: c.from, NotAfter: c.to,
		KeyUsage: x509.KeyUsageDigitalSignature, SubjectKeyId: []byte{1, 2, 3},
	}
	if c.usages != nil {
		value, err := asn1.Marshal(c.usages)
		if err != nil {
			tb.Fatal(err)
		}
		template.ExtraExtensions = []pkix.Extension{{Id: oidExtendedKeyUsage, Critical: !c.uncritical, Value: value}}
	}
	a.leaf = issue(tb, template, root, a.key, rootKey)
	return a
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

func (a *authority) roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.root)
	return pool
}

// stamp answers a query as it should be, but for what lie changes.
func (a *authority) stamp(tb testing.TB, query *rfc3161.Request, hash crypto.Hash, lie func(*rfc3161.Timestamp)) []byte {
	tb.Helper()
	ts := &rfc3161.Timestamp{
		HashAlgorithm: query.HashAlgorithm, HashedMessage: query.HashedMessage, Time: a.clock, Nonce: query.Nonce,
		Policy: asn1.ObjectIdentifier{1, 2, 3}, AddTSACertificate: true, Certificates: []*x509.Certificate{a.root},
	}
	if lie != nil {
		lie(ts)
	}
	answer, err := ts.CreateResponseWithOpts(a.leaf, a.key, hash)
	if err != nil {
		tb.Error(err)
	}
	return answer
}

// token is an honest token over a digest, outside of HTTP.
func (a *authority) token(tb testing.TB, digest []byte) []byte {
	tb.Helper()
	token, err := granted(a.stamp(tb, &rfc3161.Request{HashAlgorithm: crypto.SHA256, HashedMessage: digest}, crypto.SHA256, nil))
	if err != nil {
		tb.Fatal(err)
	}
	return token
}

// signed signs any content as a CMS of any type, by as many signers as there are certificates.
func (a *authority) signed(tb testing.TB, kind asn1.ObjectIdentifier, content []byte, attributes []pkcs7.Attribute, signers int) []byte {
	tb.Helper()
	data, err := pkcs7.NewSignedData(content)
	if err != nil {
		tb.Fatal(err)
	}
	data.SetDigestAlgorithm(pkcs7.OIDDigestAlgorithmSHA256)
	data.SetContentType(kind)
	for range signers {
		if err := data.AddSigner(a.leaf, a.key, pkcs7.SignerInfoConfig{ExtraSignedAttributes: attributes}); err != nil {
			tb.Fatal(err)
		}
	}
	der, err := data.Finish()
	if err != nil {
		tb.Fatal(err)
	}
	return der
}

// serve puts answers on HTTP.
func serve(tb testing.TB, answer http.HandlerFunc) *httptest.Server {
	tb.Helper()
	server := httptest.NewServer(answer)
	tb.Cleanup(server.Close)
	return server
}

// answering is a server that answers every query of the right kind with what answer says.
func answering(tb testing.TB, answer func(*rfc3161.Request) []byte) *httptest.Server {
	tb.Helper()
	return serve(tb, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/timestamp-query" {
			tb.Errorf("%s of %s: %v", r.Method, r.Header.Get("Content-Type"), err)
		}
		query, err := rfc3161.ParseRequest(body)
		if err != nil || query.Nonce == nil || !query.Certificates {
			tb.Errorf("query %+v: %v", query, err)
			return
		}
		w.Header().Set("Content-Type", "application/timestamp-reply")
		_, _ = w.Write(answer(query))
	})
}
