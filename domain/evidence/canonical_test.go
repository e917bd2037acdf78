package evidence_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/evidence"
)

// canonicalCase is one published vector.
type canonicalCase struct {
	Name      string `json:"name"`
	Input     string `json:"input"`
	Base64    []byte `json:"input_base64"`
	Canonical string `json:"canonical"`
	Digest    string `json:"digest"`
	Error     string `json:"error"`
}

func (c canonicalCase) raw() []byte {
	if c.Base64 != nil {
		return c.Base64
	}
	return []byte(c.Input)
}

func readVectors(tb testing.TB, name string, v any) {
	tb.Helper()
	data, err := os.ReadFile("../../test/vectors/" + name)
	if err != nil {
		tb.Fatal(err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		tb.Fatal(err)
	}
}

func TestCanonicalFollowsThePublishedVectors(t *testing.T) {
	var cases []canonicalCase
	readVectors(t, "canonical.json", &cases)
	if len(cases) < 90 {
		t.Fatalf("only %d vectors", len(cases))
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			got, err := evidence.Canonical(c.raw())
			if c.Error != "" {
				wantCode(t, err, domain.Code(c.Error))
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != c.Canonical {
				t.Errorf("got  %s\nwant %s", got, c.Canonical)
			}
			if d := evidence.Digest(got); d != c.Digest {
				t.Errorf("digest %s, want %s", d, c.Digest)
			}
		})
	}
}

func wantCode(t *testing.T, err error, code domain.Code) {
	t.Helper()
	var refusal *domain.Error
	if !errors.As(err, &refusal) || refusal.Code != code {
		t.Fatalf("got %v, want the refusal %s", err, code)
	}
}

func TestCanonicalOfItsOwnResultIsTheSame(t *testing.T) {
	var cases []canonicalCase
	readVectors(t, "canonical.json", &cases)
	for _, c := range cases {
		if c.Error != "" {
			continue
		}
		again, err := evidence.Canonical([]byte(c.Canonical))
		if err != nil || string(again) != c.Canonical {
			t.Errorf("%s: %s, %v", c.Name, again, err)
		}
	}
}

func TestCanonicalStandsDeepAndLongInput(t *testing.T) {
	deep := strings.Repeat(`{"a":[`, 100_000)
	_, err := evidence.Canonical([]byte(deep))
	wantCode(t, err, evidence.CodeTooDeep)

	long := `{"a":"` + strings.Repeat(`\ud83d\ude97`, 100_000) + `","n":` + strings.Repeat("1", 100_000) + `}`
	_, err = evidence.Canonical([]byte(long))
	wantCode(t, err, evidence.CodeNumberOutOfRange)

	exact := `[9007199254740992.` + strings.Repeat("0", 50_000) + `]`
	if got, err := evidence.Canonical([]byte(exact)); err != nil || string(got) != "[9007199254740992]" {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestCanonicalRefusalsTellNothingOfTheContent(t *testing.T) {
	for _, raw := range []string{`{"secret":1,"secret":2}`, `{"secret":1e99}`, `{"secret":`, `{"secret":"\ud800"}`} {
		if _, err := evidence.Canonical([]byte(raw)); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", raw, err)
		}
	}
}

func TestValidDigest(t *testing.T) {
	good := evidence.Digest(nil)
	if good != "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" || !evidence.ValidDigest(good) {
		t.Errorf("%s is not valid", good)
	}
	for _, bad := range []string{"", good[7:], good[:70], good + "0", "sha512:" + good[7:], strings.ToUpper(good), strings.Replace(good, "e3", "g3", 1)} {
		if evidence.ValidDigest(bad) {
			t.Errorf("%q is taken", bad)
		}
	}
}

func FuzzCanonical(f *testing.F) {
	var cases []canonicalCase
	readVectors(f, "canonical.json", &cases)
	for _, c := range cases {
		f.Add(c.raw())
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		once, err := evidence.Canonical(raw)
		if err != nil {
			if _, ok := errors.AsType[*domain.Error](err); !ok {
				t.Fatalf("not a refusal: %v", err)
			}
			return
		}
		if !json.Valid(once) {
			t.Fatalf("not JSON: %s", base64.StdEncoding.EncodeToString(once))
		}
		twice, err := evidence.Canonical(once)
		if err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("once %s\ntwice %s, %v", once, twice, err)
		}
	})
}
