package localtls

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // page.html and profile.xml.
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	texttemplate "text/template"

	"rsc.io/qr"
)

//go:embed page.html
var pageText string

//go:embed profile.xml
var profileText string

// Page is what the plain HTTP port serves: instructions at "/", the CA at /ca.crt and /ca.mobileconfig; everything else is
// sent to the HTTPS address. httpsPort is the port of the real server; publicURL, if there is one, is where it is reached.
func (a *Authority) Page(httpsPort, publicURL string) (http.Handler, error) {
	p := &page{authority: a, port: httpsPort, public: publicURL}
	var err error
	if p.html, err = template.New("page").Parse(pageText); err != nil {
		return nil, err
	}
	if p.profile, err = p.makeProfile(); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.instructions)
	mux.HandleFunc("GET /ca.crt", p.download("application/x-x509-ca-cert", "walkaround-ca.crt", a.root.cert.Raw))
	mux.HandleFunc("GET /ca.mobileconfig", p.download("application/x-apple-aspen-config", "walkaround-ca.mobileconfig", p.profile))
	mux.HandleFunc("/", p.redirect)
	return guard(mux), nil
}

// page serves the instructions.
type page struct {
	authority    *Authority
	port, public string
	html         *template.Template
	profile      []byte
}

// view is what page.html is made from.
type view struct {
	Words       words
	Languages   []words
	Platforms   []string // the devices whose steps are open at first
	Fingerprint []string
	Name        string // of the CA
	Until       string
	Secure      string       // the HTTPS address
	Here        string       // this page's own address
	Code        template.URL // QR of Here
}

// IsOpen says whether the steps of a device are open at first.
func (v view) IsOpen(device string) bool { return slices.Contains(v.Platforms, device) }

func (p *page) instructions(w http.ResponseWriter, r *http.Request) {
	root, here := p.authority.root.cert, p.here(r)
	v := view{
		Words:       wordsFor(r.URL.Query().Get("lang"), r.Header.Get("Accept-Language")),
		Languages:   languages,
		Platforms:   platforms(r.UserAgent()),
		Fingerprint: grouped(p.authority.Fingerprint()),
		Name:        root.Subject.CommonName,
		Until:       root.NotAfter.Format("2006-01-02"),
		Secure:      p.secure(r),
		Here:        here,
	}
	if code, err := qr.Encode(here, qr.M); err == nil {
		v.Code = template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(code.PNG())) //nolint:gosec // our own bytes
	}
	var b bytes.Buffer
	if err := p.html.Execute(&b, v); err != nil {
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", v.Words.Tag)
	w.Header().Set("Vary", "Accept-Language, User-Agent")
	_, _ = w.Write(b.Bytes()) // A reader who went away is no trouble.
}

// download serves one file.
func (p *page) download(contentType, name string, data []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
		_, _ = w.Write(data) // As above.
	}
}

// redirect sends everything else where it was meant to go.
func (p *page) redirect(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "This port only installs the store CA.", http.StatusMethodNotAllowed)
		return
	}
	to := url.URL{Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery}
	http.Redirect(w, r, p.secure(r)+to.String(), http.StatusTemporaryRedirect) //nolint:gosec // the host is configured, or one of our certificate's
}

// secure is the HTTPS address: the public one, or the name by which this page was reached.
func (p *page) secure(r *http.Request) string {
	if p.public != "" {
		return p.public
	}
	return (&url.URL{Scheme: "https", Host: withPort(p.host(r), p.port, "443")}).String()
}

// here is the address of this page for another device: not by localhost, where there is something better.
func (p *page) here(r *http.Request) string {
	host, port := p.host(r), ""
	if addr, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		_, port, _ = net.SplitHostPort(addr.String())
	}
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		if near := p.authority.near(); near != "" {
			host = near
		}
	}
	return (&url.URL{Scheme: "http", Host: withPort(host, port, "80"), Path: "/"}).String()
}

// host is the name in the request, if it is one of ours: nobody is sent to a foreign one.
func (p *page) host(r *http.Request) string {
	host := (&url.URL{Host: r.Host}).Hostname()
	known := p.authority.certificate().Leaf
	if host != "" && known.VerifyHostname(host) == nil {
		return host
	}
	if near := p.authority.near(); near != "" {
		return near
	}
	return "localhost"
}

// near is an address of the certificate that other devices can reach, or "".
func (a *Authority) near() string {
	ips := a.certificate().Leaf.IPAddresses
	i := slices.IndexFunc(ips, func(ip net.IP) bool {
		return ip.To4() != nil && !ip.IsLoopback() && !ip.IsLinkLocalUnicast()
	})
	if i < 0 {
		return ""
	}
	return ips[i].String()
}

// makeProfile is the CA as Apple's systems take it. Its ids come from the CA, so that a second install replaces the first.
func (p *page) makeProfile() ([]byte, error) {
	t, err := texttemplate.New("profile").Parse(profileText)
	if err != nil {
		return nil, err
	}
	root := p.authority.root.cert
	sum := sha256.Sum256(root.Raw)
	var name, b bytes.Buffer
	if err := xml.EscapeText(&name, []byte(root.Subject.CommonName)); err != nil {
		return nil, err
	}
	err = t.Execute(&b, map[string]string{
		"Name":        name.String(),
		"Certificate": base64.StdEncoding.EncodeToString(root.Raw),
		"Profile":     dashed(sum[:16]),
		"Payload":     dashed(sum[16:]),
	})
	return b.Bytes(), err
}

// dashed writes 16 bytes as a UUID.
func dashed(b []byte) string {
	return fmt.Sprintf("%X-%X-%X-%X-%X", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// guard sets what holds for every answer: nothing active, nothing from elsewhere, nothing kept.
func guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// platforms guesses the device from what its browser says. An iPad calls itself a Macintosh.
func platforms(agent string) []string {
	switch {
	case strings.Contains(agent, "Android"):
		return []string{"android"}
	case strings.Contains(agent, "Windows"):
		return []string{"windows"}
	case strings.Contains(agent, "Macintosh"):
		return []string{"ipad", "macos"}
	case strings.Contains(agent, "iPad"), strings.Contains(agent, "iPhone"):
		return []string{"ipad"}
	}
	return nil
}

// grouped cuts a fingerprint into lines of eight bytes, to compare them one by one.
func grouped(fingerprint string) []string {
	return slices.Collect(func(yield func(string) bool) {
		for parts := range slices.Chunk(strings.Split(fingerprint, ":"), 8) {
			if !yield(strings.Join(parts, " ")) {
				return
			}
		}
	})
}

// withPort leaves out the scheme's own port.
func withPort(host, port, usual string) string {
	if port == usual || port == "" {
		if strings.Contains(host, ":") {
			return "[" + host + "]"
		}
		return host
	}
	return net.JoinHostPort(host, port)
}
