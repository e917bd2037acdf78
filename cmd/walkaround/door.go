package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"example.com/walkaround/cmd/walkaround/config"
	"example.com/walkaround/cmd/walkaround/localtls"
)

// The limits of the door. Those of a single request are the API's own; these end what the API never sees.
const (
	headerTimeout  = 10 * time.Second
	readTimeout    = 15 * time.Minute // 20 MiB at 24 kB/s: a photo from the far end of the yard
	writeTimeout   = 30 * time.Minute // it begins with the request, so it holds the time of reading too
	idleTimeout    = 2 * time.Minute
	maxHeaderBytes = 32 << 10
)

// door is where requests come in: the listener, what is served there, and beside it the page of the store CA.
type door struct {
	cfg       config.Config
	log       *slog.Logger
	listener  net.Listener
	server    *http.Server
	authority *localtls.Authority // nil without --tls=local
	page      net.Listener        // nil as well
	pages     *http.Server
	inside    atomic.Pointer[http.Handler]
	failed    chan error // tells when it can't go on
}

// newDoor listens, and serves nothing yet.
func (c call) newDoor(ctx context.Context, m materials) (*door, error) {
	d := &door{cfg: m.config, log: m.log, server: newHTTPServer(m.log), failed: make(chan error, 2)}
	if err := d.secure(); err != nil {
		return nil, err
	}
	if err := d.listen(ctx); err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

func newHTTPServer(log *slog.Logger) *http.Server {
	return &http.Server{
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug), // Broken handshakes of passers-by.
	}
}

// secure makes the TLS configuration, if there is to be one.
func (d *door) secure() (err error) {
	switch {
	case d.cfg.LocalTLS:
		d.authority, err = localtls.Open(localtls.Options{
			Folder: filepath.Join(d.cfg.Data, "tls"),
			Names:  func() localtls.Names { return namesOf(d.cfg) },
			Now:    time.Now,
			Log:    d.log,
		})
		if err == nil {
			d.server.TLSConfig = d.authority.TLSConfig()
		}
	case d.cfg.TLSCert != "":
		pair := &ownPair{certFile: d.cfg.TLSCert, keyFile: d.cfg.TLSKey, now: time.Now, log: d.log}
		err = pair.load()
		d.server.TLSConfig = &tls.Config{
			MinVersion:     tls.VersionTLS12,
			NextProtos:     []string{"h2", "http/1.1"},
			GetCertificate: pair.certificate,
		}
	}
	return err
}

// listen takes the addresses.
func (d *door) listen(ctx context.Context) (err error) {
	var lc net.ListenConfig
	if d.listener, err = lc.Listen(ctx, "tcp", d.cfg.Addr); err != nil {
		return fmt.Errorf("WALKAROUND_ADDR: %w", err)
	}
	if d.authority == nil {
		return nil
	}
	if d.page, err = lc.Listen(ctx, "tcp", d.pageAddr()); err != nil {
		return fmt.Errorf("WALKAROUND_CA_ADDR: %w", err)
	}
	handler, err := d.authority.Page(portOf(d.listener), d.cfg.PublicURL)
	d.pages = newHTTPServer(d.log)
	d.pages.Handler, d.pages.ReadTimeout, d.pages.WriteTimeout = handler, headerTimeout, time.Minute
	return err
}

// pageAddr is where the store CA is installed from: beside the door, unless it is said.
func (d *door) pageAddr() string {
	if d.cfg.CAAddr != "" {
		return d.cfg.CAAddr
	}
	host, port, err := net.SplitHostPort(d.cfg.Addr)
	number, notNumber := strconv.Atoi(port)
	if err != nil || notNumber != nil || number == 0 || number == 65535 {
		return net.JoinHostPort(host, "0")
	}
	return net.JoinHostPort(host, strconv.Itoa(number+1))
}

// serve begins to answer by handler, until lead leads to another. What can't go on is told by d.failed.
func (d *door) serve(handler http.Handler) {
	d.lead(handler)
	d.server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*d.inside.Load()).ServeHTTP(w, r) })
	go func() {
		if d.server.TLSConfig != nil {
			d.failed <- d.server.ServeTLS(d.listener, "", "")
			return
		}
		d.failed <- d.server.Serve(d.listener)
	}()
	if d.page != nil {
		go func() { d.failed <- d.pages.Serve(d.page) }()
	}
}

// lead lets the next requests be answered by handler.
func (d *door) lead(handler http.Handler) { d.inside.Store(&handler) }

// shutdown takes no more requests and waits for those that are being answered, for a while.
func (d *door) shutdown(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, requestGrace)
	defer cancel()
	if d.pages != nil {
		defer d.pages.Close() //nolint:errcheck // the page holds nothing that could be lost
	}
	err := d.server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		d.log.Warn("requests cut off", "grace_seconds", requestGrace.Seconds())
		return d.server.Close()
	}
	return err
}

// close ends everything and gives the addresses back, also where nothing was served.
func (d *door) close() {
	for _, s := range []*http.Server{d.server, d.pages} {
		if s != nil {
			_ = s.Close() // It is closed already after a shutdown.
		}
	}
	for _, l := range []net.Listener{d.listener, d.page} {
		if l != nil {
			_ = l.Close() // It is closed already after serving.
		}
	}
}

// announcement is what is printed when the door is open.
func (d *door) announcement() string {
	if d.authority == nil {
		scheme := "http"
		if d.cfg.TLSCert != "" { // not the server's TLSConfig: Serve makes one for itself, at the same time
			scheme = "https"
		}
		return "listening on " + d.address(scheme, d.listener) + "\n"
	}
	return fmt.Sprintf("listening on %s\ntablets install the store CA from %s\nits SHA-256 fingerprint is %s\n",
		d.address("https", d.listener), d.address("http", d.page), d.authority.Fingerprint())
}

// address is a URL for whoever sits at this machine.
func (d *door) address(scheme string, l net.Listener) string {
	host, port, err := net.SplitHostPort(l.Addr().String())
	if addr, bad := netip.ParseAddr(host); err == nil && bad == nil && addr.IsUnspecified() {
		host = "localhost"
	}
	return (&url.URL{Scheme: scheme, Host: net.JoinHostPort(host, port)}).String()
}

// namesOf asks the machine what it is called.
func namesOf(cfg config.Config) localtls.Names {
	var n localtls.Names
	n.Machine, _ = os.Hostname() // Without a name the addresses have to do.
	if addrs, err := net.InterfaceAddrs(); err == nil {
		for _, a := range addrs {
			if prefix, err := netip.ParsePrefix(a.String()); err == nil {
				n.Addresses = append(n.Addresses, prefix.Addr())
			}
		}
	}
	if u, err := url.Parse(cfg.PublicURL); err == nil {
		n.Required = strings.TrimSuffix(u.Hostname(), ".")
	}
	n.Machine = cmp.Or(n.Machine, "localhost")
	return n
}
