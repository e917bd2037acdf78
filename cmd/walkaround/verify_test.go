package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/walkaround/api/paper"
	"example.com/walkaround/domain"
	"example.com/walkaround/domain/evidence"
	"example.com/walkaround/test/authority"
)

// signed is a sheet as a store hands it over, with the document of its keys.
type signed struct {
	pdf, bundle, keys []byte

	key    evidence.SigningKey
	packed evidence.Bundle
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
	s := signed{pdf: evidence.SignFile(key, pdf.Bytes()), key: key}
	trusted := evidence.PublicKeys{key.ID: key.Public(at)}
	if s.keys, err = evidence.MarshalKeys(trusted); err != nil {
		t.Fatal(err)
	}
	s.packed = evidence.Bundle{PDF: s.pdf, Canonical: form, Seal: seal, Keys: trusted}
	if err := evidence.WriteBundle(&bundle, s.packed); err != nil {
		t.Fatal(err)
	}
	s.bundle = bundle.Bytes()
	return s
}

// checkpointed is the bundle with a checkpoint, on which stamp puts what it likes.
func (s signed) checkpointed(t *testing.T, stamp func(*evidence.Checkpoint)) []byte {
	t.Helper()
	leaf := s.packed.Seal.Leaf()
	point, err := evidence.NewCheckpoint(s.key, nil, []string{leaf}, s.packed.Seal.Statement.SealedAt)
	if err != nil {
		t.Fatal(err)
	}
	way, err := point.Proof(leaf)
	if err != nil {
		t.Fatal(err)
	}
	stamp(&point)
	s.packed.Checkpoint, s.packed.Inclusion = &point, &way
	var b bytes.Buffer
	if err := evidence.WriteBundle(&b, s.packed); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
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
			if as := judgedAs(name); !strings.Contains(out, `"judged_as":"`+as+`"`) {
				t.Errorf("not told as %s: %s", as, out)
			}
		})
	}
}

// judgedAs is what a case of TestVerify is taken for.
func judgedAs(name string) string {
	if strings.Contains(name, "bundle") {
		return judgedBundle
	}
	return judgedPDF
}

func TestVerifyTheTimestampOfABundle(t *testing.T) {
	s, folder := signedSheet(t, "陳大文"), t.TempDir()
	honest, stranger := authority.New(t, authority.Proper()), authority.New(t, authority.Proper())
	keys, ours, theirs := filepath.Join(folder, "keys.json"), filepath.Join(folder, "ours.pem"), filepath.Join(folder, "theirs.pem")
	for path, data := range map[string][]byte{keys: s.keys, ours: honest.PEM(), theirs: stranger.PEM()} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	stamped := func(token []byte, at time.Time) []byte {
		return s.checkpointed(t, func(c *evidence.Checkpoint) {
			c.TimestampState = evidence.TimestampVerified
			c.Timestamp = &evidence.TimestampToken{Token: token, Authority: "CN=Whoever", At: domain.At(at)}
		})
	}
	var imprint []byte
	waiting := s.checkpointed(t, func(c *evidence.Checkpoint) { imprint, c.TimestampState = c.Imprint(), evidence.TimestampPending })
	token := honest.Token(t, imprint)
	good, noon := stamped(token, authority.Noon()), authority.Noon()
	const said = "timestamped 2026-02-01T12:00:00.000Z by CN=Test Time\n"
	for name, c := range map[string]struct {
		data []byte
		args []string
		code int
		says string // of the text
		tell string // code of the note or reason; "" none of them
	}{
		"honest":                        {good, []string{"--timestamp-ca", ours, "--keys", keys}, 0, said, ""},
		"honest, keys unknown":          {good, []string{"--timestamp-ca", ours}, 2, said, evidence.ReasonKeyUnknown},
		"not asked for":                 {good, []string{"--keys", keys}, 0, "was not checked", evidence.NoteTimestampUnchecked},
		"over something else":           {stamped(honest.Token(t, make([]byte, 32)), noon), []string{"--timestamp-ca", ours, "--keys", keys}, 1, "does not verify", reasonTimestampForged},
		"garbage":                       {stamped([]byte("hello"), noon), []string{"--timestamp-ca", ours, "--keys", keys}, 1, "does not verify", reasonTimestampForged},
		"nothing":                       {stamped(nil, noon), []string{"--timestamp-ca", ours, "--keys", keys}, 1, "what is not so", evidence.ReasonCheckpointForged},
		"other roots":                   {good, []string{"--timestamp-ca", theirs, "--keys", keys}, 1, "does not verify", reasonTimestampForged},
		"forged, keys unknown":          {good, []string{"--timestamp-ca", theirs}, 1, "does not verify", reasonTimestampForged},
		"another time than the token's": {stamped(token, noon.Add(-time.Hour)), []string{"--timestamp-ca", ours, "--keys", keys}, 1, "says another time", reasonTimestampForged},
		"pending":                       {waiting, []string{"--timestamp-ca", ours, "--keys", keys}, 0, "has not come yet", evidence.NoteTimestampPending},
		"no checkpoint":                 {s.bundle, []string{"--timestamp-ca", ours, "--keys", keys}, 0, "no timestamp here", noteTimestampMissing},
		"a PDF":                         {s.pdf, []string{"--timestamp-ca", ours, "--keys", keys}, 0, "no timestamp here", noteTimestampMissing},
		"half of it":                    {good[:len(good)/2], []string{"--timestamp-ca", ours}, 1, "NOT GENUINE", evidence.ReasonBundleUnreadable},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, stderr := verifyFile(t, c.data, c.args...)
			if code != c.code || !strings.Contains(out, c.says) || stderr != "" {
				t.Errorf("%d %s%s", code, out, stderr)
			}
			if told := strings.Contains(out, "timestamped"); told != (c.says == said) || strings.Contains(out, "Whoever") {
				t.Errorf("only what a token says is a time:\n%s", out)
			}
			code, out, _ = verifyFile(t, c.data, append(c.args, "--json")...)
			var v finding
			if err := json.Unmarshal([]byte(out), &v); err != nil || code != c.code || verdictCode(v.Verdict) != c.code {
				t.Fatalf("as JSON: %d %v %s", code, err, out)
			}
			if (v.Timestamped != nil) != (c.says == said) || v.Timestamped != nil && *v.Timestamped != (attested{domain.At(noon), authority.Name}) {
				t.Errorf("as JSON: %s", out)
			}
			told := append(v.Reasons, v.Notes...)
			if has := slices.ContainsFunc(told, func(r evidence.Reason) bool { return r.Code == c.tell }); has != (c.tell != "") || c.tell == "" && len(told) > 0 {
				t.Errorf("as JSON: %s", out)
			}
			if c.code == 1 && (v.Statement != nil || v.Checkpoint != nil) {
				t.Errorf("of a sheet that is not genuine nothing is worth showing: %s", out)
			}
		})
	}
}

func TestVerifyDemandsCertificatesToTrust(t *testing.T) {
	s, folder := signedSheet(t, "陳大文"), t.TempDir()
	empty := filepath.Join(folder, "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{empty, filepath.Join(folder, "none.pem")} {
		if code, out, stderr := verifyFile(t, s.bundle, "--timestamp-ca", path); code != exitUsage || out != "" || !strings.Contains(stderr, filepath.Base(path)) {
			t.Errorf("%d %s%s", code, out, stderr)
		}
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
