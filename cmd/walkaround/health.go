package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"example.com/walkaround/cmd/walkaround/config"
)

const healthSummary = `Asks the serve of the same options, on this machine, whether it is alive: for container engines, in an image without a
shell. With --ready it asks whether requests can be answered. The exit code is 0 if so, 1 if not.`

// healthTime is how long an answer is waited for.
const healthTime = 8 * time.Second

// health asks a running serve.
func health(ctx context.Context, c call) int {
	path := "/healthz"
	if at := slices.Index(c.args, "--ready"); at >= 0 {
		path, c.args = "/readyz", slices.Delete(slices.Clone(c.args), at, at+1)
	}
	cfg, code, ok := c.config("health", healthSummary)
	if !ok {
		return code
	}
	where, err := near(cfg)
	if err != nil {
		c.say("WALKAROUND_ADDR: %s", err)
		return exitUsage
	}
	if err := ask(ctx, where+path); err != nil {
		c.say("%s", err)
		return exitFailed
	}
	return exitOK
}

// near is the address of a serve for whoever is on its machine.
func near(cfg config.Config) (string, error) {
	host, port, err := net.SplitHostPort(cfg.Addr)
	if err != nil || port == "0" {
		return "", errors.New("port 0 is a free one that nobody knows; say which")
	}
	if addr, err := netip.ParseAddr(host); host == "" || err == nil && addr.IsUnspecified() && addr.Is4() {
		host = "127.0.0.1"
	} else if err == nil && addr.IsUnspecified() {
		host = "::1"
	}
	scheme := "http"
	if cfg.LocalTLS || cfg.TLSCert != "" {
		scheme = "https"
	}
	return (&url.URL{Scheme: scheme, Host: net.JoinHostPort(host, port)}).String(), nil
}

// ask wants 200.
func ask(ctx context.Context, where string) error {
	ctx, cancel := context.WithTimeout(ctx, healthTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, where, http.NoBody)
	if err != nil {
		return err
	}
	// The certificate names what people call the machine, not this loopback address, and nothing is told to who answers.
	insecure := &tls.Config{InsecureSkipVerify: true} //nolint:gosec // as said above
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: insecure, DisableKeepAlives: true}}
	answer, err := client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close() //nolint:errcheck // read only
	if answer.StatusCode == http.StatusOK {
		return nil
	}
	var problem struct {
		Detail string `json:"detail"`
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, 64<<10))
	if err == nil {
		_ = json.Unmarshal(body, &problem) // What is no problem says nothing more.
	}
	return fmt.Errorf("%s answers %s %s", where, answer.Status, problem.Detail)
}
