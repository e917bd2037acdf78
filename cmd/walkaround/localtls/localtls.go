// Package localtls gives a store HTTPS inside its own walls: a CA of its own, a server certificate that renews itself, and a
// page that installs the CA on tablets and computers.
//
// Call Open with the data folder's tls folder, hand TLSConfig to the server, and serve Page by plain HTTP on a port of its
// own. The CA can only vouch for private addresses and for the names it was made with (name constraints), so that whoever
// steals its key can't read the staff's other traffic.
//
// It imports the standard library, cmd's keep and rsc.io/qr; only cmd imports it.
package localtls

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"example.com/walkaround/cmd/walkaround/keep"
)

const (
	authorityFile  = "ca.pem"     // the CA's certificate and key
	serverFile     = "server.pem" // the server's certificate and key, in one file so that they always fit
	authorityYears = 10
	serverDays     = 397 // more is refused by browsers
	renewDays      = 30
	backdate       = 24 * time.Hour // for tablets whose clock is behind
	recheck        = time.Minute    // how often a handshake looks whether the addresses have changed
)

// Authority is the CA of a store and the server certificate that it vouches for.
type Authority struct {
	folder string
	names  func() Names
	now    func() time.Time
	log    *slog.Logger
	root   pair

	mu      sync.Mutex
	server  *tls.Certificate
	checked time.Time
}

// pair is a certificate and its key.
type pair struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// Options is what an Authority needs to know.
type Options struct {
	Folder string           // holds the files, readable by the owner alone; it is made
	Names  func() Names     // what the server is called now; asked again while it runs
	Now    func() time.Time // the clock
	Log    *slog.Logger
}

// Open loads the CA and the server certificate, or makes them. A name of Names.Required that the CA may not vouch for is
// an error that says what to do.
func Open(o Options) (*Authority, error) {
	if err := os.MkdirAll(o.Folder, 0o700); err != nil {
		return nil, err
	}
	a := &Authority{folder: o.Folder, names: o.Names, now: o.Now, log: o.Log}
	if err := a.loadRoot(); err != nil {
		return nil, err
	}
	if err := a.refresh(); err != nil {
		return nil, err
	}
	return a, nil
}

// TLSConfig is for the server: HTTP/2 and 1.1 by a certificate that is renewed when it is due or addresses have changed.
func (a *Authority) TLSConfig() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return a.certificate(), nil },
	}
}

// Fingerprint is the SHA-256 of the CA's certificate, as systems show it: "AB:CD:…".
func (a *Authority) Fingerprint() string {
	sum := sha256.Sum256(a.root.cert.Raw)
	return strings.ReplaceAll(fmt.Sprintf("% X", sum[:]), " ", ":")
}

// certificate is the current one. Where a renewal fails the old one goes on: the log tells, and browsers will.
func (a *Authority) certificate() *tls.Certificate {
	a.mu.Lock()
	defer a.mu.Unlock()
	if now := a.now(); now.Sub(a.checked).Abs() >= recheck {
		if err := a.refresh(); err != nil {
			a.checked = now
			a.log.Error("server certificate not renewed", "error", err)
		}
	}
	return a.server
}

// refresh makes sure that the server certificate is good for the present time and names.
func (a *Authority) refresh() error {
	names, now := a.names().allowedBy(a.root.cert), a.now()
	if names.refused != "" {
		return fmt.Errorf("the store CA in %s was not made for %q: move that folder away to make a new one, which each tablet must install again",
			a.folder, names.refused)
	}
	a.checked = now
	if a.server != nil && a.serves(a.server.Leaf, names, now) {
		return nil
	}
	path := filepath.Join(a.folder, serverFile)
	stored, err := readPair(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err != nil || !a.serves(stored.cert, names, now) {
		if stored, err = a.issue(names, now); err != nil {
			return err
		}
		if err := writePair(path, stored, keep.Replace); err != nil {
			return err
		}
	}
	a.server = &tls.Certificate{
		Certificate: [][]byte{stored.cert.Raw, a.root.cert.Raw},
		PrivateKey:  stored.key,
		Leaf:        stored.cert,
	}
	return nil
}

// serves says whether a server certificate is ours, covers all names, and is not due for renewal.
func (a *Authority) serves(cert *x509.Certificate, names Names, now time.Time) bool {
	due := now.AddDate(0, 0, renewDays)
	if due.After(a.root.cert.NotAfter) {
		due = now // The CA ends first: a renewal would gain nothing.
	}
	if cert.CheckSignatureFrom(a.root.cert) != nil || now.Before(cert.NotBefore) || due.After(cert.NotAfter) {
		return false
	}
	for _, host := range names.hosts() {
		if cert.VerifyHostname(host) != nil {
			return false
		}
	}
	return true
}

// issue makes a server certificate.
func (a *Authority) issue(names Names, now time.Time) (pair, error) {
	end := now.Add(-backdate).AddDate(0, 0, serverDays)
	if end.After(a.root.cert.NotAfter) {
		end = a.root.cert.NotAfter
	}
	return sign(&x509.Certificate{
		Subject:               pkix.Name{Organization: []string{"Walkaround"}, CommonName: "Walkaround server"},
		NotBefore:             now.Add(-backdate),
		NotAfter:              end,
		DNSNames:              names.dns(),
		IPAddresses:           names.ips(),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}, &a.root)
}

// loadRoot reads the CA or makes it. One that is past its end is refused: a new one must be installed everywhere.
func (a *Authority) loadRoot() error {
	path := filepath.Join(a.folder, authorityFile)
	root, err := readPair(path)
	if errors.Is(err, fs.ErrNotExist) {
		root, err = a.makeRoot(path)
	}
	if err != nil {
		return err
	}
	if a.now().After(root.cert.NotAfter) {
		return fmt.Errorf("the store CA in %s ended on %s: move that folder away to make a new one, which each tablet must install",
			a.folder, root.cert.NotAfter.Format(time.DateOnly))
	}
	a.root = root
	return nil
}

// makeRoot makes the CA, or takes the one that another process made at the same moment.
func (a *Authority) makeRoot(path string) (pair, error) {
	names, now := a.names(), a.now()
	root, err := sign(&x509.Certificate{
		Subject: pkix.Name{
			Organization: []string{"Walkaround"},
			CommonName:   fmt.Sprintf("Walkaround store CA, %s, %s", names.Machine, now.UTC().Format(time.DateOnly)),
		},
		NotBefore:                   now.Add(-backdate),
		NotAfter:                    now.AddDate(authorityYears, 0, 0),
		IsCA:                        true,
		BasicConstraintsValid:       true,
		MaxPathLenZero:              true,
		KeyUsage:                    x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		ExtKeyUsage:                 []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		PermittedDNSDomainsCritical: true,
		PermittedDNSDomains:         names.domains(),
		PermittedIPRanges:           names.ranges(),
	}, nil)
	if err != nil {
		return pair{}, err
	}
	if err := writePair(path, root, keep.New); err != nil && !errors.Is(err, fs.ErrExist) {
		return pair{}, err
	}
	return readPair(path)
}

// sign makes a key and its certificate under by, or under itself.
func sign(template *x509.Certificate, by *pair) (pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return pair{}, err
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127)); err != nil {
		return pair{}, err
	}
	if by == nil {
		by = &pair{template, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, by.cert, key.Public(), by.key)
	if err != nil {
		return pair{}, err
	}
	cert, err := x509.ParseCertificate(der)
	return pair{cert, key}, err
}

// writePair writes certificate and key into one file.
func writePair(path string, p pair, write func(string, []byte) error) error {
	der, err := x509.MarshalPKCS8PrivateKey(p.key)
	if err != nil {
		return err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.cert.Raw})
	return write(path, append(text, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})...))
}

// readPair reads what writePair wrote. fs.ErrNotExist when there is no file.
func readPair(path string) (pair, error) {
	text, err := os.ReadFile(path) //nolint:gosec // inside the data folder
	if err != nil {
		return pair{}, err
	}
	both, err := tls.X509KeyPair(text, text)
	if err != nil {
		return pair{}, fmt.Errorf("%s can't be read: %w", path, err)
	}
	key, ok := both.PrivateKey.(*ecdsa.PrivateKey)
	if !ok {
		return pair{}, fmt.Errorf("%s does not hold an ECDSA key", path)
	}
	return pair{both.Leaf, key}, nil
}

// ipNet is a CIDR range; all of ours are constants.
func ipNet(cidr string) *net.IPNet {
	_, network, err := net.ParseCIDR(cidr)
	if err != nil {
		return &net.IPNet{}
	}
	return network
}
