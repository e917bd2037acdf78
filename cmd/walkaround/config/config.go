// Package config is the one table of options: what the environment and the command line may say, what it means, and how it
// is read.
//
// Call Load once at the start; what it returns is not changed afterwards. All faults come at once, each a sentence that
// names the variable. Markdown is the table of the README and Usage that of --help, both made from the same rows.
//
// It may import the standard library and domain, and only cmd imports it.
package config

import (
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
)

// Prefix begins the name of each environment variable that is ours.
const Prefix = "WALKAROUND_"

// ErrHelp is returned by Load when the command line asks for help.
var ErrHelp = flag.ErrHelp

// Config is what the options said.
type Config struct {
	Addr           string         // host:port to listen on; port 0 takes a free one
	Data           string         // folder of the embedded engines
	MongoDB        string         // URI of the documents' cluster with its database; "": SQLite in Data
	Bucket         Bucket         // of the blobs
	LocalTLS       bool           // serve HTTPS by a store CA of our own
	TLSCert        string         // PEM file of the certificate chain, or ""
	TLSKey         string         // PEM file of its key, or ""
	CAAddr         string         // host:port of the page that installs the store CA; "" is the port after Addr's
	Secret         []byte         // 32 bytes that encrypt the signing keys; nil: made in the data folder
	PublicURL      string         // base of links without a slash at its end; "": from the request
	AdminPassword  string         // of the first account; "": made up
	TrustedProxies []netip.Prefix // whose X-Forwarded-For is believed
	MetricsFrom    []netip.Prefix // who beside this machine may read /metrics
	RatePerAccount int            // requests a second
	TimestampURL   string         // RFC 3161 authority; "": none
	TimestampCA    *x509.CertPool // roots of that authority, the system's if none are named; nil without an authority
	RetentionYears int            // how long sealed evidence may not be deleted
	LogLevel       slog.Level
	LogFormat      string // "text" or "json"
}

// FaultErrors are sentences about what is wrong, one a line.
type FaultErrors []string

// Error gives all of them.
func (f FaultErrors) Error() string { return strings.Join(f, "\n") }

// Load reads the environment (as os.Environ gives it) and then the flags in args, which override it. A flag is named like
// its variable: WALKAROUND_PUBLIC_URL is --public-url. The error is a FaultErrors, or ErrHelp.
func Load(args, environ []string) (Config, error) {
	values, faults := fromEnviron(environ)
	named, err := fromFlags(args, values)
	if errors.Is(err, ErrHelp) {
		return Config{}, err
	}
	if err != nil {
		faults = append(faults, err.Error()+".")
	}
	c, wrong := parse(values, named)
	if faults = append(faults, wrong...); len(faults) > 0 {
		return Config{}, faults
	}
	return c, nil
}

// fromEnviron takes our variables; an empty one is as good as none.
func fromEnviron(environ []string) (values map[string]string, faults FaultErrors) {
	values = map[string]string{}
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, Prefix) {
			continue
		}
		if !slices.ContainsFunc(table, func(o option) bool { return o.env == name }) {
			faults = append(faults, name+" is not an option; `walkaround serve --help` lists them.")
			continue
		}
		if value != "" {
			values[name] = value
		}
	}
	slices.Sort(faults)
	return values, faults
}

// fromFlags puts the flags over values and tells which variables they set.
func fromFlags(args []string, values map[string]string) (named map[string]bool, err error) {
	flags := flag.NewFlagSet("walkaround", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	named = map[string]bool{}
	for _, o := range table {
		flags.Func(o.flagName(), o.meaning, func(value string) error {
			values[o.env], named[o.env] = value, true
			return nil
		})
	}
	if err := flags.Parse(args); err != nil {
		return named, flagError(err)
	}
	if flags.NArg() > 0 {
		return named, fmt.Errorf("%q is not a flag; each begins with two dashes", flags.Arg(0))
	}
	return named, nil
}

// flagError says it in our words.
func flagError(err error) error {
	if name, ok := strings.CutPrefix(err.Error(), "flag provided but not defined: -"); ok {
		return fmt.Errorf("--%s is not an option; `walkaround serve --help` lists them", strings.TrimLeft(name, "-"))
	}
	if name, ok := strings.CutPrefix(err.Error(), "flag needs an argument: -"); ok {
		return fmt.Errorf("--%s needs a value", strings.TrimLeft(name, "-"))
	}
	return err
}

// parse reads each value, and then looks at what must fit together.
func parse(values map[string]string, named map[string]bool) (c Config, faults FaultErrors) {
	broken := map[string]bool{}
	for _, o := range table {
		value, given := values[o.env]
		if !given || value == "" {
			value = o.fallback
		}
		if err := o.set(&c, value); err != nil {
			broken[o.env] = true
			faults = append(faults, o.fault(value, named[o.env], err))
		}
	}
	for _, rule := range together {
		if !slices.ContainsFunc(rule.of, func(name string) bool { return broken[name] }) {
			faults = append(faults, rule.check(c)...)
		}
	}
	if c.TimestampURL != "" && c.TimestampCA == nil && !broken["WALKAROUND_TIMESTAMP_CA"] {
		var err error
		if c.TimestampCA, err = x509.SystemCertPool(); err != nil {
			faults = append(faults, fmt.Sprintf("WALKAROUND_TIMESTAMP_CA is empty, and the system has no roots: %v.", err))
		}
	}
	return c, faults
}

// fault is the sentence about one value. A secret is never repeated.
func (o option) fault(value string, byFlag bool, err error) string {
	name := o.env
	if byFlag {
		name = "--" + o.flagName() + " (" + o.env + ")"
	}
	if o.secret {
		return fmt.Sprintf("%s %s.", name, err)
	}
	return fmt.Sprintf("%s is %q, but %s.", name, value, err)
}

// flagName is "public-url" of WALKAROUND_PUBLIC_URL.
func (o option) flagName() string {
	return strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(o.env, Prefix)), "_", "-")
}
