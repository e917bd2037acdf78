package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"text/tabwriter"

	"example.com/walkaround/cmd/walkaround/config"
	"example.com/walkaround/cmd/walkaround/demodata"
	"example.com/walkaround/cmd/walkaround/keep"
)

const demoSummary = `Runs a store with sample vehicles, visits and accounts, for this machine alone: its passwords are printed for everyone to
see. Flags override the environment.`

// account is one that demo made, for its table.
type account struct {
	Username, Password, Name, Roles string
}

// demo runs a store that has something to show.
func demo(ctx context.Context, c call) int {
	cfg, code, ok := c.config("demo", demoSummary)
	if !ok {
		return code
	}
	if !loopback(cfg.Addr) {
		c.say("WALKAROUND_ADDR is %q, but demo has passwords that everyone knows and listens on 127.0.0.1, ::1 or localhost alone.", cfg.Addr)
		return exitUsage
	}
	if cfg.CAAddr != "" && !loopback(cfg.CAAddr) {
		c.say("WALKAROUND_CA_ADDR is %q, but demo listens on 127.0.0.1, ::1 or localhost alone.", cfg.CAAddr)
		return exitUsage
	}
	if cfg.MongoDB != "" || cfg.Bucket.Endpoint != "" {
		c.say("WALKAROUND_MONGODB_URI and WALKAROUND_MINIO_URL must be empty: demo lies in a folder that tells it from a real store.")
		return exitUsage
	}
	return c.house(ctx, cfg, c.demoAccounts(cfg))
}

// baseOf is the address that the demo's links begin with.
func baseOf(cfg config.Config) string {
	switch {
	case cfg.PublicURL != "":
		return cfg.PublicURL
	case cfg.LocalTLS || cfg.TLSCert != "":
		return "https://" + cfg.Addr
	default:
		return "http://" + cfg.Addr
	}
}

// demoMark is the file that tells a demo's folder from a real store's: serve must never open one with known passwords.
const demoMark = "demo"

const demoMarkText = "The store in this folder was made by `walkaround demo`. Everyone knows its passwords, so serve does not open it.\n"

// holdsDemo says whether a folder is a demo's.
func holdsDemo(folder string) bool {
	_, err := os.Stat(filepath.Join(folder, demoMark))
	return err == nil
}

// fill marks the folder and puts the samples there. The mark comes first, so that a demo that broke off has it too.
func (c call) fill(ctx context.Context, cfg config.Config, s server) ([]account, error) {
	mark := filepath.Join(cfg.Data, demoMark)
	made := keep.New(mark, []byte(demoMarkText))
	if made != nil && !errors.Is(made, fs.ErrExist) {
		return nil, made
	}
	accounts, err := c.parts.seed(ctx, s, baseOf(cfg), func(line string) { c.print("%s\n", line) })
	if errors.Is(err, demodata.ErrForeign) && made == nil {
		err = errors.Join(err, os.Remove(mark))
	}
	return accounts, err
}

// demoAccounts puts the samples there and prints who may sign in.
func (c call) demoAccounts(cfg config.Config) welcome {
	return func(ctx context.Context, s server) error {
		accounts, err := c.fill(ctx, cfg, s)
		if err != nil {
			return err
		}
		t := tabwriter.NewWriter(c.stdout, 0, 0, 3, ' ', 0)
		if _, err := fmt.Fprintln(t, "USER NAME\tPASSWORD\tROLES\tNAME"); err != nil {
			return err
		}
		for _, a := range accounts {
			if _, err := fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", a.Username, a.Password, a.Roles, a.Name); err != nil {
				return err
			}
		}
		return t.Flush()
	}
}

// seedDemo fills an empty store with the demo's story and lists its accounts.
func seedDemo(ctx context.Context, s server, base string, say func(string)) ([]account, error) {
	running, ok := s.(*house)
	if !ok {
		return nil, fmt.Errorf("demo: %T is no server of the API", s)
	}
	c := running.Config
	c.PublicURL, c.Registry = base, nil
	if err := demodata.Seed(ctx, c, say); err != nil {
		return nil, err
	}
	var list []account
	for _, a := range demodata.Accounts() {
		list = append(list, account{a.Username, demodata.Password, a.Name, string(a.Role)})
	}
	return list, nil
}

// loopback says whether an address is reached from this machine alone.
func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	ip, notIP := netip.ParseAddr(host)
	return err == nil && (host == "localhost" || notIP == nil && ip.IsLoopback())
}
