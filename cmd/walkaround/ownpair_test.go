package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// writeOwnPair puts a new certificate of that name into the folder, as of a time.
func writeOwnPair(t *testing.T, folder, name string, at time.Time) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(folder, "cert.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), at)
	writeFile(t, filepath.Join(folder, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), at)
}

func writeFile(t *testing.T, path string, data []byte, at time.Time) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
}

func TestOwnCertificateIsReadAgain(t *testing.T) {
	folder, now := t.TempDir(), time.Date(2026, 2, 1, 12, 0, 0, 0, time.UTC)
	p := &ownPair{
		certFile: filepath.Join(folder, "cert.pem"), keyFile: filepath.Join(folder, "key.pem"),
		now: func() time.Time { return now }, log: slog.New(slog.DiscardHandler),
	}
	expect := func(want string) {
		t.Helper()
		c, err := p.certificate(nil)
		if err != nil || c.Leaf.Subject.CommonName != want {
			t.Errorf("it shows %v, %v, want %s", c.Leaf.Subject, err, want)
		}
	}
	writeOwnPair(t, folder, "first", now)
	if err := p.load(); err != nil {
		t.Fatal(err)
	}
	expect("first")

	writeOwnPair(t, folder, "second", now.Add(time.Second))
	expect("first") // Not yet: files are not looked at in every handshake.
	now = now.Add(pairRecheck)
	expect("second")

	writeFile(t, p.keyFile, []byte("half a key"), now)
	now = now.Add(pairRecheck)
	expect("second")

	writeOwnPair(t, folder, "third", now)
	now = now.Add(pairRecheck)
	expect("third")
}

func TestServeHTTPSByOwnCertificate(t *testing.T) {
	folder := t.TempDir()
	writeOwnPair(t, folder, "own", time.Now())
	f := &fake{}
	r := startInProcess(t, f.parts(), "serve", "--tls-cert="+filepath.Join(folder, "cert.pem"), "--tls-key="+filepath.Join(folder, "key.pem"))
	r.cancel()
	if code := r.exit(t); code != exitOK || r.url[:8] != "https://" {
		t.Errorf("%d %s %s", code, r.url, r.err.String())
	}
}
