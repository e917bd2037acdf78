package localtls_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/walkaround/cmd/walkaround/localtls"
)

var noon = time.Date(2026, 2, 1, 12, 0, 0, 0, time.UTC)

// store is an Authority with a clock and names that a test moves.
type store struct {
	folder string
	now    time.Time
	names  localtls.Names
}

func newStore(t *testing.T) *store {
	t.Helper()
	return &store{
		folder: filepath.Join(t.TempDir(), "tls"), now: noon,
		names: localtls.Names{Machine: "Dealer-PC", Addresses: []netip.Addr{
			netip.MustParseAddr("192.168.1.5"), netip.MustParseAddr("fe80::1%eth0"), netip.MustParseAddr("203.0.113.9"),
		}},
	}
}

func (s *store) open() (*localtls.Authority, error) {
	return localtls.Open(localtls.Options{
		Folder: s.folder, Log: slog.New(slog.DiscardHandler),
		Now:   func() time.Time { return s.now },
		Names: func() localtls.Names { return s.names },
	})
}

func (s *store) mustOpen(t *testing.T) *localtls.Authority {
	t.Helper()
	a, err := s.open()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// chain is what a browser gets.
func chain(t *testing.T, a *localtls.Authority) (server, root *x509.Certificate) {
	t.Helper()
	c, err := a.TLSConfig().GetCertificate(nil)
	if err != nil {
		t.Fatal(err)
	}
	root, err = x509.ParseCertificate(c.Certificate[1])
	if err != nil {
		t.Fatal(err)
	}
	return c.Leaf, root
}

func TestCertificateIsTrustedByThoseWhoInstalledTheCA(t *testing.T) {
	s := newStore(t)
	server, root := chain(t, s.mustOpen(t))
	pool := x509.NewCertPool()
	pool.AddCert(root)
	for _, host := range []string{"localhost", "127.0.0.1", "::1", "dealer-pc", "dealer-pc.local", "192.168.1.5", "fe80::1"} {
		if _, err := server.Verify(x509.VerifyOptions{Roots: pool, DNSName: host, CurrentTime: noon}); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	if server.VerifyHostname("203.0.113.9") == nil {
		t.Error("a public address is in the certificate")
	}
	if days := server.NotAfter.Sub(server.NotBefore).Hours() / 24; days > 397 {
		t.Errorf("it is valid for %v days", days)
	}
	if years := root.NotAfter.Sub(noon).Hours() / 24 / 365; years < 9.9 || !root.IsCA || !root.MaxPathLenZero {
		t.Errorf("the CA is valid for %v years, %+v", years, root.BasicConstraintsValid)
	}
}

func TestCACanNotVouchForOthers(t *testing.T) {
	_, root := chain(t, newStore(t).mustOpen(t))
	if !root.PermittedDNSDomainsCritical || slices.Contains(root.PermittedDNSDomains, "") {
		t.Fatalf("its constraints are %v", root.PermittedDNSDomains)
	}
	for _, ip := range []string{"8.8.8.8", "203.0.113.9", "2001:db8::1"} {
		if slices.ContainsFunc(root.PermittedIPRanges, func(n *net.IPNet) bool { return n.Contains(net.ParseIP(ip)) }) {
			t.Errorf("it may vouch for %s", ip)
		}
	}
}

func TestNextStartKeepsWhatIsGood(t *testing.T) {
	s := newStore(t)
	first, root := chain(t, s.mustOpen(t))
	s.now = noon.AddDate(0, 0, 300)
	again, sameRoot := chain(t, s.mustOpen(t))
	if !first.Equal(again) || !root.Equal(sameRoot) {
		t.Error("a good certificate was made anew")
	}
	for _, name := range []string{"ca.pem", "server.pem"} {
		if info, err := os.Stat(filepath.Join(s.folder, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", name, info, err)
		}
	}
}

func TestCertificateIsRenewedWhileRunning(t *testing.T) {
	for name, change := range map[string]func(*store){
		"when due":                 func(s *store) { s.now = noon.AddDate(0, 0, 370) },
		"when an address came":     func(s *store) { s.now, s.names.Addresses[0] = noon.Add(2*time.Minute), netip.MustParseAddr("10.0.0.7") },
		"when the clock went back": func(s *store) { s.now = noon.AddDate(0, -3, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t)
			a := s.mustOpen(t)
			first, root := chain(t, a)
			change(s)
			second, sameRoot := chain(t, a)
			if first.Equal(second) || !root.Equal(sameRoot) {
				t.Fatal("the certificate was not renewed, or the CA was")
			}
			if s.now.Before(second.NotBefore) || s.now.AddDate(0, 0, 300).After(second.NotAfter) {
				t.Errorf("it is valid from %v to %v at %v", second.NotBefore, second.NotAfter, s.now)
			}
		})
	}
}

func TestRenewalThatFailsLeavesTheOldOne(t *testing.T) {
	s := newStore(t)
	a := s.mustOpen(t)
	first, _ := chain(t, a)
	if err := os.RemoveAll(s.folder); err != nil {
		t.Fatal(err)
	}
	s.now = noon.AddDate(0, 0, 370)
	if second, _ := chain(t, a); !first.Equal(second) {
		t.Error("there was nowhere to write a new one")
	}
}

func TestPublicNameIsVouchedForByANewCAOnly(t *testing.T) {
	s := newStore(t)
	s.names.Required = "Lane.example.com"
	server, _ := chain(t, s.mustOpen(t))
	if err := server.VerifyHostname("lane.example.com"); err != nil {
		t.Error(err)
	}
	for _, required := range []string{"other.example.net", "203.0.113.9"} {
		s.names.Required = required
		if _, err := s.open(); err == nil || !strings.Contains(err.Error(), required) {
			t.Errorf("%s: %v", required, err)
		}
	}
}

func TestPublicAddressOfANewCA(t *testing.T) {
	s := newStore(t)
	s.names.Required = "203.0.113.9"
	server, root := chain(t, s.mustOpen(t))
	pool := x509.NewCertPool()
	pool.AddCert(root)
	if _, err := server.Verify(x509.VerifyOptions{Roots: pool, DNSName: "203.0.113.9", CurrentTime: noon}); err != nil {
		t.Error(err)
	}
}

func TestMachineThatWasRenamed(t *testing.T) {
	s := newStore(t)
	s.mustOpen(t)
	s.names.Machine = "till.example.org"
	if server, _ := chain(t, s.mustOpen(t)); server.VerifyHostname("till.example.org") == nil {
		t.Error("a name that the CA may not vouch for is in the certificate: every browser would refuse all of it")
	}
}

func TestOpenRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*testing.T, *store)
		want  string
	}{
		"a damaged CA": {func(t *testing.T, s *store) {
			t.Helper()
			if err := os.WriteFile(filepath.Join(s.folder, "ca.pem"), []byte("-----BEGIN"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "ca.pem can't be read"},
		"a CA at its end": {func(_ *testing.T, s *store) { s.now = noon.AddDate(10, 0, 1) }, "ended on 2036-02-01"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t)
			s.mustOpen(t)
			c.spoil(t, s)
			if _, err := s.open(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// ask asks the page as a browser would.
func ask(t *testing.T, page http.Handler, method, target string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, nil)
	r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8081}))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	page.ServeHTTP(w, r)
	return w
}

func pageOf(t *testing.T, a *localtls.Authority, public string) http.Handler {
	t.Helper()
	page, err := a.Page("8080", public)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

func TestPageSpeaksTheReadersLanguage(t *testing.T) {
	page := pageOf(t, newStore(t).mustOpen(t), "")
	for _, c := range []struct{ accept, query, tag, text string }{
		{"zh-TW,zh;q=0.9,en;q=0.8", "", "zh-Hant", "安裝憑證"},
		{"zh-Hant-HK", "", "zh-Hant", "安裝憑證"},
		{"zh-CN", "", "zh-Hans", "安装证书"},
		{"zh", "", "zh-Hans", "安装证书"},
		{"fr-FR,zh-CN;q=0.5,en;q=0.4", "", "zh-Hans", "安装证书"},
		{"fr-FR", "", "en", "Install the certificate"},
		{"", "", "en", "Install the certificate"},
		{"en-GB", "?lang=zh-Hant", "zh-Hant", "安裝憑證"},
		{"zh-TW", "?lang=xx", "zh-Hant", "安裝憑證"},
	} {
		res := ask(t, page, http.MethodGet, "http://192.168.1.5:8081/"+c.query, "Accept-Language", c.accept)
		if !strings.Contains(res.Body.String(), c.text) || res.Header().Get("Content-Language") != c.tag {
			t.Errorf("%q %q: %s", c.accept, c.query, res.Header().Get("Content-Language"))
		}
	}
}

func TestPageShowsFingerprintAndAddresses(t *testing.T) {
	a := newStore(t).mustOpen(t)
	text := ask(t, pageOf(t, a, ""), http.MethodGet, "http://localhost:8081/", "User-Agent", "Mozilla/5.0 (Linux; Android 14)").Body.String()
	compact := strings.NewReplacer("<span>", "", "</span>", "", " ", "").Replace(text)
	if !strings.Contains(compact, strings.ReplaceAll(a.Fingerprint(), ":", "")) {
		t.Error("the fingerprint is missing")
	}
	for _, want := range []string{
		`href="https://localhost:8080/"`, `alt="http://192.168.1.5:8081/"`, `id="android" open`, `href="/ca.crt"`, `href="/ca.mobileconfig"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is missing", want)
		}
	}
	if strings.Contains(text, "ZgotmplZ") || strings.Contains(text, `id="ipad" open`) {
		t.Error("the template refused a value, or the wrong device is open")
	}
}

func TestPageGivesTheCA(t *testing.T) {
	a := newStore(t).mustOpen(t)
	_, root := chain(t, a)
	page := pageOf(t, a, "")
	res := ask(t, page, http.MethodGet, "http://localhost:8081/ca.crt")
	if got := res.Body.String(); got != string(root.Raw) || res.Header().Get("Content-Type") != "application/x-x509-ca-cert" {
		t.Errorf("ca.crt is %d bytes of %s", len(got), res.Header().Get("Content-Type"))
	}
	res = ask(t, page, http.MethodGet, "http://localhost:8081/ca.mobileconfig")
	profile := res.Body.String()
	if !strings.Contains(profile, "<data>"+base64.StdEncoding.EncodeToString(root.Raw)+"</data>") || res.Header().Get("Content-Type") != "application/x-apple-aspen-config" {
		t.Errorf("the profile is\n%s", profile)
	}
	for d := xml.NewDecoder(strings.NewReader(profile)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if again := ask(t, pageOf(t, a, ""), http.MethodGet, "http://localhost:8081/ca.mobileconfig").Body.String(); again != profile {
		t.Error("a second install would not replace the first")
	}
}

func TestPageRedirectsOnlyToItsOwn(t *testing.T) {
	a := newStore(t).mustOpen(t)
	for _, c := range []struct{ target, public, want string }{
		{"http://192.168.1.5:8081/tablet/?x=1", "", "https://192.168.1.5:8080/tablet/?x=1"},
		{"http://dealer-pc:8081/a%2Fb", "", "https://dealer-pc:8080/a%2Fb"},
		{"http://[::1]:8081/x", "", "https://[::1]:8080/x"},
		{"http://evil.example:8081/x", "", "https://192.168.1.5:8080/x"},
		{"http://192.168.1.5:8081/x", "https://lane.example.com", "https://lane.example.com/x"},
	} {
		res := ask(t, pageOf(t, a, c.public), http.MethodGet, c.target)
		if got := res.Header().Get("Location"); res.Code != http.StatusTemporaryRedirect || got != c.want {
			t.Errorf("%s: %d %s, want %s", c.target, res.Code, got, c.want)
		}
	}
	if res := ask(t, pageOf(t, a, ""), http.MethodPost, "http://localhost:8081/v1/auth/login"); res.Code != http.StatusMethodNotAllowed {
		t.Errorf("a password sent in the clear got %d", res.Code)
	}
}

func TestPageIsInert(t *testing.T) {
	res := ask(t, pageOf(t, newStore(t).mustOpen(t), ""), http.MethodGet, "http://localhost:8081/")
	if text := res.Body.String(); strings.Contains(text, "<script") || !strings.HasPrefix(res.Header().Get("Content-Security-Policy"), "default-src 'none';") {
		t.Error("the page may run something")
	}
	if res.Header().Get("X-Content-Type-Options") != "nosniff" || res.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("its headers are %v", res.Header())
	}
}

func TestTLSConfigRefusesOldVersions(t *testing.T) {
	if c := newStore(t).mustOpen(t).TLSConfig(); c.MinVersion < tls.VersionTLS12 || c.NextProtos[0] != "h2" {
		t.Errorf("%+v", c)
	}
}
