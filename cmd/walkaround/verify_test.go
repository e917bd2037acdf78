package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.com/walkaround/api/paper"
	"example.com/walkaround/domain"
	"example.com/walkaround/domain/evidence"
)

// signed is a sheet as a store hands it over, with the document of its keys.
type signed struct {
	pdf, bundle, keys []byte
}

func signedSheet(t *testing.T, signer string) signed {
	t.Helper()
	at := domain.At(time.Date(2026, 2, 1, 4, 0, 0, 0, time.UTC))
	key := evidence.NewSigningKey("main", [32]byte{1})
	form, err := evidence.Canonical([]byte(`{"visit_id":"01900000-0000-7000-8000-000000000001"}`))
	if err != nil {
		t.Fatal(err)
	}
	seal, err := evidence.Sign(key, evidence.Statement{
		StoreID: "main", VisitID: "01900000-0000-7000-8000-000000000001", Number: "20260201-0001", Document: "inspection", Revision: 3,
		Digest: evidence.Digest(form), Signer: evidence.Signer{Name: signer, Relation: "owner"}, Witness: evidence.Witness{Name: "林美"},
		SignedAt: at, SealedAt: at,
	})
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := seal.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	var pdf, bundle bytes.Buffer
	attachments := []paper.Attachment{{Name: "inspection.json", ContentType: "application/json", Bytes: form}, {Name: "seal.json", ContentType: "application/json", Bytes: sealed}}
	if err := paper.Render(t.Context(), &pdf, paper.Sheet{}, attachments); err != nil {
		t.Fatal(err)
	}
	s := signed{pdf: evidence.SignFile(key, pdf.Bytes())}
	trusted := evidence.PublicKeys{key.ID: key.Public(at)}
	if s.keys, err = evidence.MarshalKeys(trusted); err != nil {
		t.Fatal(err)
	}
	if err := evidence.WriteBundle(&bundle, evidence.Bundle{PDF: s.pdf, Canonical: form, Seal: seal, Keys: trusted}); err != nil {
		t.Fatal(err)
	}
	s.bundle = bundle.Bytes()
	return s
}

// verifyFile runs the command on data and gives its exit code and output.
func verifyFile(t *testing.T, data []byte, args ...string) (code int, out, stderr string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sheet")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, errs bytes.Buffer
	code = runWith(t.Context(), append([]string{"verify", path}, args...), call{stdout: &stdout, stderr: &errs})
	return code, stdout.String(), errs.String()
}

func TestVerify(t *testing.T) {
	s := signedSheet(t, "陳大文")
	keys := filepath.Join(t.TempDir(), "keys.json")
	if err := os.WriteFile(keys, s.keys, 0o600); err != nil {
		t.Fatal(err)
	}
	changed := bytes.Replace(s.pdf, []byte("/Type /Page"), []byte("/Type /Pagf"), 1)
	for name, c := range map[string]struct {
		data []byte
		args []string
		code int
		says string
	}{
		"PDF, keys pinned":    {s.pdf, []string{"--keys", keys}, 0, "GENUINE\n"},
		"bundle, keys pinned": {s.bundle, []string{"--keys", keys}, 0, "GENUINE\n"},
		"PDF, no keys":        {s.pdf, nil, 2, "CONSISTENT, KEY UNKNOWN\n"},
		"bundle, no keys":     {s.bundle, nil, 2, "CONSISTENT, KEY UNKNOWN\n"},
		"one byte changed":    {changed, []string{"--keys", keys}, 1, "NOT GENUINE\n"},
		"something added":     {append(bytes.Clone(s.pdf), '\n'), nil, 1, "NOT GENUINE\n"},
		"half a bundle":       {s.bundle[:len(s.bundle)/2], nil, 1, "NOT GENUINE\n"},
		"nothing":             {nil, nil, 1, "NOT GENUINE\n"},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, stderr := verifyFile(t, c.data, c.args...)
			if code != c.code || !strings.HasPrefix(out, c.says) || stderr != "" {
				t.Errorf("%d %s%s", code, out, stderr)
			}
			if told := strings.Contains(out, "20260201-0001"); told != (c.code != 1) {
				t.Errorf("of a sheet that is not genuine nothing is worth showing:\n%s", out)
			}
			code, out, _ = verifyFile(t, c.data, append(c.args, "--json")...)
			var v evidence.Verdict
			if err := json.Unmarshal([]byte(out), &v); err != nil || code != c.code || verdictCode(v) != c.code {
				t.Errorf("as JSON: %d %v %s", code, err, out)
			}
		})
	}
}

func TestVerifyDoesNotLetASheetSteerTheTerminal(t *testing.T) {
	_, out, _ := verifyFile(t, signedSheet(t, "\x1b[2JGENUINE\u202e").pdf)
	if strings.ContainsAny(out, "\x1b\u202e") || !strings.Contains(out, "\ufffd[2JGENUINE\ufffd") {
		t.Errorf("%q", out)
	}
}

func TestVerifyTakesNoMoreThanItsLimit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "large.pdf")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(2049); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := readBounded(path, 2048); err == nil {
		t.Error("one byte more was taken")
	}
	if data, err := readBounded(path, 2049); err != nil || len(data) != 2049 {
		t.Error(len(data), err)
	}
}
