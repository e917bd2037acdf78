package config

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/staff"
)

// SecretBytes is the length of the secret.
const SecretBytes = 32

// FirstAccount is the user name that WALKAROUND_ADMIN_PASSWORD belongs to.
const FirstAccount = "admin"

// option is one row: its variable, what it is when nothing is said, what it means, and how it is read.
type option struct {
	env      string
	fallback string
	unset    string // what the README says of an empty fallback
	meaning  string
	secret   bool
	set      func(c *Config, value string) error
}

// table is every option there is. It is not changed.
var table = []option{
	{
		env: "WALKAROUND_ADDR", fallback: "127.0.0.1:8080",
		meaning: "listen address; `:8080` is every address of the machine, port 0 a free one",
		set:     func(c *Config, v string) (err error) { c.Addr, err = address(v); return err },
	},
	{
		env: "WALKAROUND_DATA", fallback: "./walkaround-data",
		meaning: "folder of the embedded engines, made when it is not there",
		set:     func(c *Config, v string) error { c.Data = v; return nil },
	},
	{
		env: "WALKAROUND_MONGODB_URI", unset: "SQLite in the data folder", secret: true,
		meaning: "documents lie on this replica set or sharded cluster, as `mongodb://host:port/database?replicaSet=name`; it needs `WALKAROUND_SECRET`",
		set:     setMongoDB,
	},
	{
		env: "WALKAROUND_MINIO_URL", unset: "the data folder", secret: true,
		meaning: "photos and sheets lie in this bucket, as `https://key:secret@host:port/bucket?lock=compliance&encrypt=true`; `region=` and `ca=file` are taken too",
		set:     setMinIO,
	},
	{
		env: "WALKAROUND_TLS", unset: "plain HTTP",
		meaning: "`local` makes a store CA, serves HTTPS by it, and a page that installs it on the tablets",
		set:     setLocalTLS,
	},
	{
		env: "WALKAROUND_TLS_CERT", unset: "plain HTTP",
		meaning: "PEM file of your own certificate chain; a tablet's camera, crypto and service worker need HTTPS or localhost",
		set:     func(c *Config, v string) error { c.TLSCert = v; return nil },
	},
	{
		env: "WALKAROUND_TLS_KEY", unset: "plain HTTP",
		meaning: "PEM file of its key",
		set:     func(c *Config, v string) error { c.TLSKey = v; return nil },
	},
	{
		env: "WALKAROUND_CA_ADDR", unset: "the port after the listen address's",
		meaning: "with `--tls=local`, the plain HTTP address of the page that installs the store CA",
		set:     setCAAddr,
	},
	{
		env: "WALKAROUND_SECRET", unset: "made in the data folder", secret: true,
		meaning: "64 hex digits that encrypt the signing keys; keep a copy away from the machine, for no backup holds it",
		set:     setSecret,
	},
	{
		env: "WALKAROUND_PUBLIC_URL", unset: "from the request",
		meaning: "base of links, QR codes and webhooks, such as `https://service.example.com`",
		set:     setPublicURL,
	},
	{
		env: "WALKAROUND_ADMIN_PASSWORD", unset: "made up and printed once", secret: true,
		meaning: "password of the account `admin`; first start only",
		set:     setAdminPassword,
	},
	{
		env: "WALKAROUND_TRUSTED_PROXIES", unset: "none",
		meaning: "addresses or CIDR ranges, by comma, of the proxies whose `X-Forwarded-For` is believed",
		set:     setTrustedProxies,
	},
	{
		env: "WALKAROUND_METRICS_FROM", unset: "this machine alone",
		meaning: "addresses or CIDR ranges, by comma, that may read `/metrics` beside this machine",
		set:     setMetricsFrom,
	},
	{
		env: "WALKAROUND_RATE_PER_ACCOUNT", fallback: "2000",
		meaning: "requests a second that one account may make",
		set:     func(c *Config, v string) (err error) { c.RatePerAccount, err = whole(v, 1, 1_000_000); return err },
	},
	{
		env: "WALKAROUND_TIMESTAMP_URL", unset: "no timestamps",
		meaning: "RFC 3161 authority that timestamps the checkpoints",
		set:     setTimestampURL,
	},
	{
		env: "WALKAROUND_TIMESTAMP_CA", unset: "the system's roots",
		meaning: "PEM file of the roots by which its tokens are verified",
		set:     setTimestampCA,
	},
	{
		env: "WALKAROUND_RETENTION_YEARS", fallback: "10",
		meaning: "how long sealed evidence can't be deleted",
		set:     func(c *Config, v string) (err error) { c.RetentionYears, err = whole(v, 1, 100); return err },
	},
	{
		env: "WALKAROUND_LOG_LEVEL", fallback: "info",
		meaning: "`debug`, `info`, `warn` or `error`",
		set:     setLogLevel,
	},
	{
		env: "WALKAROUND_LOG_FORMAT", fallback: "text",
		meaning: "`text` or `json`, on standard error",
		set:     setLogFormat,
	},
}

// together holds what no option can say alone. A rule is left out where one of its options is broken already.
var together = []struct {
	of    []string
	check func(Config) FaultErrors
}{
	{[]string{"WALKAROUND_TLS", "WALKAROUND_TLS_CERT", "WALKAROUND_TLS_KEY"}, checkCertificate},
	{[]string{"WALKAROUND_TLS", "WALKAROUND_CA_ADDR", "WALKAROUND_ADDR"}, checkCAAddr},
	{[]string{"WALKAROUND_TLS", "WALKAROUND_PUBLIC_URL"}, checkPublicURL},
	{[]string{"WALKAROUND_TIMESTAMP_URL", "WALKAROUND_TIMESTAMP_CA"}, checkTimestamp},
	{[]string{"WALKAROUND_MONGODB_URI", "WALKAROUND_SECRET"}, checkShared},
}

func setLocalTLS(c *Config, v string) error {
	if v != "" && v != "local" {
		return errors.New("only local is known; your own certificate goes into WALKAROUND_TLS_CERT and WALKAROUND_TLS_KEY")
	}
	c.LocalTLS = v == "local"
	return nil
}

func setCAAddr(c *Config, v string) (err error) {
	if v != "" {
		c.CAAddr, err = address(v)
	}
	return err
}

func setSecret(c *Config, v string) error {
	if v == "" {
		return nil
	}
	secret, err := hex.DecodeString(v)
	if err != nil || len(secret) != SecretBytes {
		return errors.New("must be 64 hex digits; `openssl rand -hex 32` makes them")
	}
	c.Secret = secret
	return nil
}

func setPublicURL(c *Config, v string) error {
	if v == "" {
		return nil
	}
	u, err := webURL(v)
	if err != nil {
		return err
	}
	if u.RawQuery != "" || u.Fragment != "" {
		return errors.New("it may hold no query and no fragment")
	}
	c.PublicURL = strings.TrimRight(u.String(), "/")
	return nil
}

func setAdminPassword(c *Config, v string) error {
	if v == "" {
		return nil
	}
	err := staff.CheckPassword(norm.NFKC.String(v), FirstAccount)
	if refused, ok := errors.AsType[*domain.Error](err); ok {
		return fmt.Errorf("can't be taken: %s", refused.Detail)
	}
	if err != nil {
		return err
	}
	c.AdminPassword = v
	return nil
}

func setTrustedProxies(c *Config, v string) (err error) {
	c.TrustedProxies, err = ranges(v)
	return err
}

func setMetricsFrom(c *Config, v string) (err error) {
	c.MetricsFrom, err = ranges(v)
	return err
}

func setTimestampURL(c *Config, v string) error {
	if v == "" {
		return nil
	}
	u, err := webURL(v)
	if err != nil {
		return err
	}
	c.TimestampURL = u.String()
	return nil
}

func setTimestampCA(c *Config, v string) error {
	if v == "" {
		return nil
	}
	pem, err := os.ReadFile(v) //nolint:gosec // the file that the operator named
	if err != nil {
		return fmt.Errorf("it can't be read (%w)", reason(err))
	}
	c.TimestampCA = x509.NewCertPool()
	if !c.TimestampCA.AppendCertsFromPEM(pem) {
		return errors.New("there is no PEM certificate in it")
	}
	return nil
}

func setLogLevel(c *Config, v string) error {
	levels := map[string]slog.Level{
		"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
	}
	level, ok := levels[v]
	if !ok {
		return errors.New("the levels are debug, info, warn and error")
	}
	c.LogLevel = level
	return nil
}

func setLogFormat(c *Config, v string) error {
	if v != "text" && v != "json" {
		return errors.New("the formats are text and json")
	}
	c.LogFormat = v
	return nil
}

func checkCertificate(c Config) FaultErrors {
	switch {
	case c.TLSCert == "" && c.TLSKey == "":
		return nil
	case c.LocalTLS:
		return FaultErrors{"WALKAROUND_TLS is \"local\", so WALKAROUND_TLS_CERT and WALKAROUND_TLS_KEY must be empty."}
	case c.TLSCert == "":
		return FaultErrors{"WALKAROUND_TLS_KEY is set, so WALKAROUND_TLS_CERT must name its certificate."}
	case c.TLSKey == "":
		return FaultErrors{"WALKAROUND_TLS_CERT is set, so WALKAROUND_TLS_KEY must name its key."}
	}
	if _, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey); err != nil {
		return FaultErrors{fmt.Sprintf("WALKAROUND_TLS_CERT and WALKAROUND_TLS_KEY are no pair that can be used: %v.", err)}
	}
	return nil
}

func checkCAAddr(c Config) FaultErrors {
	switch {
	case c.CAAddr == "":
		return nil
	case !c.LocalTLS:
		return FaultErrors{"WALKAROUND_CA_ADDR is set, but only --tls=local has a store CA."}
	case c.CAAddr == c.Addr && !strings.HasSuffix(c.Addr, ":0"):
		return FaultErrors{"WALKAROUND_CA_ADDR is the same as WALKAROUND_ADDR; the page needs an address of its own."}
	}
	return nil
}

func checkPublicURL(c Config) FaultErrors {
	if c.LocalTLS && strings.HasPrefix(c.PublicURL, "http:") {
		return FaultErrors{"WALKAROUND_PUBLIC_URL begins with http:, but --tls=local serves https."}
	}
	return nil
}

func checkTimestamp(c Config) FaultErrors {
	if c.TimestampCA != nil && c.TimestampURL == "" {
		return FaultErrors{"WALKAROUND_TIMESTAMP_CA is set, so WALKAROUND_TIMESTAMP_URL must name the authority."}
	}
	return nil
}

// address is host:port with a numeric port.
func address(v string) (string, error) {
	_, port, err := net.SplitHostPort(v)
	if err != nil {
		return "", errors.New("it must be host:port, such as 127.0.0.1:8080")
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "", errors.New("its port must be a number from 0 to 65535")
	}
	return v, nil
}

// webURL is an absolute http or https address without a password in it.
func webURL(v string) (*url.URL, error) {
	u, err := url.Parse(v)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || u.User != nil {
		return nil, errors.New("it must be a whole address such as https://service.example.com")
	}
	return u, nil
}

// ranges are what stands between commas; none in an empty text.
func ranges(v string) (list []netip.Prefix, err error) {
	if v == "" {
		return nil, nil
	}
	for item := range strings.SplitSeq(v, ",") {
		one, err := addresses(strings.TrimSpace(item))
		if err != nil {
			return nil, err
		}
		list = append(list, one)
	}
	return list, nil
}

// addresses is a range of addresses, or one.
func addresses(v string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(v); err == nil && addr.Zone() == "" {
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(v)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q is no address and no range such as 10.0.0.0/8", v)
	}
	return prefix.Masked(), nil
}

// whole is a whole number in bounds.
func whole(v string, low, high int) (int, error) {
	n, err := strconv.Atoi(v)
	if err != nil || n < low || n > high {
		return 0, fmt.Errorf("it must be a whole number from %d to %d", low, high)
	}
	return n, nil
}

// reason is what the system said, without the path that the sentence has already.
func reason(err error) error {
	if path, ok := errors.AsType[*os.PathError](err); ok {
		return path.Err
	}
	return err
}
