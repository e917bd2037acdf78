package main

import (
	"crypto/tls"
	"log/slog"
	"os"
	"sync"
	"time"
)

// pairRecheck is how often a handshake looks whether the files have changed.
const pairRecheck = time.Minute

// ownPair is the operator's certificate, read again when its files change: those who renew it need not restart the server.
type ownPair struct {
	certFile, keyFile string
	now               func() time.Time
	log               *slog.Logger

	mu      sync.Mutex
	current *tls.Certificate
	changed [2]time.Time // modification times of the files that current was read from
	checked time.Time
}

// load reads the files for the first time.
func (p *ownPair) load() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.read()
}

// certificate is for tls.Config. Where the new files are no pair (one may be written before the other), the old one goes on.
func (p *ownPair) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now().Sub(p.checked).Abs() >= pairRecheck && p.times() != p.changed {
		if err := p.read(); err != nil {
			p.log.Warn("changed certificate not usable", "error", err)
		}
	}
	return p.current, nil
}

// read takes what the files hold. The times are asked first, so that a later change is seen later.
func (p *ownPair) read() error {
	times := p.times()
	p.checked = p.now()
	pair, err := tls.LoadX509KeyPair(p.certFile, p.keyFile)
	if err != nil {
		return err
	}
	p.current, p.changed = &pair, times
	return nil
}

// times are when the files were changed last.
func (p *ownPair) times() (times [2]time.Time) {
	for i, path := range []string{p.certFile, p.keyFile} {
		if info, err := os.Stat(path); err == nil {
			times[i] = info.ModTime()
		}
	}
	return times
}
