package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.com/walkaround/cmd/walkaround/config"
	"example.com/walkaround/cmd/walkaround/demodata"
)

// seeding is the parts of a demo whose samples are put there by seed.
func seeding(seed func(context.Context, server, string, func(string)) ([]account, error)) parts {
	p := (&fake{}).parts()
	p.seed = seed
	return p
}

func TestServeRefusesTheDemosFolder(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, demoMark), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var out, stderr bytes.Buffer
	code := runWith(t.Context(), []string{"serve", "--addr=127.0.0.1:0", "--data=" + folder}, call{stdout: &out, stderr: &stderr, parts: (&fake{}).parts()})
	if code != exitUsage || !strings.Contains(stderr.String(), "WALKAROUND_DATA") {
		t.Errorf("%d %q", code, stderr.String())
	}
}

func TestDemoMarksItsFolderAndNoOther(t *testing.T) {
	for name, c := range map[string]struct {
		err    error
		before bool
		after  bool
	}{
		"a demo that broke off is marked": {demodata.ErrUnfinished, false, true},
		"a real store is not":             {demodata.ErrForeign, false, false},
		"a mark that was there stays":     {demodata.ErrForeign, true, true},
		"told to stop while it is filled": {context.Canceled, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			folder, seen := t.TempDir(), false
			if c.before {
				if err := os.WriteFile(filepath.Join(folder, demoMark), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			p := seeding(func(context.Context, server, string, func(string)) ([]account, error) {
				seen = holdsDemo(folder)
				return nil, c.err
			})
			var out, stderr bytes.Buffer
			code := runWith(t.Context(), []string{"demo", "--addr=127.0.0.1:0", "--data=" + folder}, call{stdout: &out, stderr: &stderr, parts: p})
			if code != exitFailed || !seen || holdsDemo(folder) != c.after {
				t.Errorf("code %d, marked while it is filled %v, afterwards %v: %s", code, seen, holdsDemo(folder), stderr.String())
			}
		})
	}
}

func TestDemoFillsOnlyAServerOfTheAPI(t *testing.T) {
	if _, err := seedDemo(t.Context(), &fake{}, "", nil); err == nil {
		t.Error("it filled something else")
	}
}

func TestDemoLinksToWhereItIs(t *testing.T) {
	for want, cfg := range map[string]config.Config{
		"http://127.0.0.1:8080":  {Addr: "127.0.0.1:8080"},
		"https://127.0.0.1:8443": {Addr: "127.0.0.1:8443", LocalTLS: true},
		"https://[::1]:8443":     {Addr: "[::1]:8443", TLSCert: "cert.pem"},
		"https://lane.example":   {Addr: "127.0.0.1:8443", PublicURL: "https://lane.example"},
	} {
		if got := baseOf(cfg); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
