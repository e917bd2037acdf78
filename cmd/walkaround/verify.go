package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode"

	"example.com/walkaround/api/background/timestamp"
	"example.com/walkaround/domain"
	"example.com/walkaround/domain/evidence"
)

// maxSheetBytes bounds what verify reads.
const maxSheetBytes = 256 << 20

// maxKeysBytes bounds the files of --keys and --timestamp-ca.
const maxKeysBytes = 4 << 20

const verifyUsage = `Usage: walkaround verify FILE [--keys KEYS] [--timestamp-ca PEM] [--json]
Tells whether FILE, a signed sheet (PDF) or its bundle (zip), is genuine. It needs no network and no account.

  --keys KEYS          the keys that you trust: a copy of the store's /.well-known/walkaround-keys.json
  --timestamp-ca PEM   the root certificates of the time-stamping authority that you trust; a bundle's timestamp is then
                       verified too, and one that doesn't lead to them is not genuine
  --json               print the verdict as JSON

Exit code: 0 genuine, 1 not genuine, 2 consistent but the key is not among yours, 64 nothing was verified.
`

// What verify tells of a timestamp beside the codes of evidence. They are as stable.
const (
	reasonTimestampForged = "timestamp_forged"
	noteTimestampMissing  = "timestamp_missing"
)

// verifyOptions is what its command line said.
type verifyOptions struct {
	file, keys, authority string
	json                  bool
}

// What a file was taken for. It is told, so that a verdict on a bundle isn't believed of what a reader of PDFs shows of it.
const (
	judgedPDF    = "pdf"
	judgedBundle = "bundle"
)

// finding is the verdict on a sheet, and the time that an authority attests, if it was asked for and holds.
type finding struct {
	evidence.Verdict

	JudgedAs    string    `json:"judged_as"` // judgedPDF or judgedBundle
	Timestamped *attested `json:"timestamped,omitempty"`
}

// attested is what a verified token says.
type attested struct {
	At        domain.Time `json:"at"`
	Authority string      `json:"authority"`
}

// verify gives the verdict on one file.
func verify(_ context.Context, c call) int {
	o, err := parseVerify(c.args)
	if errors.Is(err, flag.ErrHelp) {
		c.print("%s", verifyUsage)
		return exitOK
	}
	var found finding
	if err == nil {
		found, err = find(o)
	}
	if err != nil {
		c.say("%s", err)
		return exitUsage
	}
	if o.json {
		err = json.NewEncoder(c.stdout).Encode(found)
	} else {
		_, err = io.WriteString(c.stdout, describe(found))
	}
	if err != nil {
		c.say("the verdict could not be written: %s", err)
		return exitUsage
	}
	return verdictCode(found.Verdict)
}

// parseVerify takes flags before and behind the file.
func parseVerify(args []string) (o verifyOptions, err error) {
	flags := flag.NewFlagSet("verify", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&o.keys, "keys", "", "")
	flags.StringVar(&o.authority, "timestamp-ca", "", "")
	flags.BoolVar(&o.json, "json", false, "")
	var files []string
	for len(args) > 0 {
		if err := flags.Parse(args); err != nil {
			return o, err
		}
		if args = flags.Args(); len(args) > 0 {
			files, args = append(files, args[0]), args[1:]
		}
	}
	if len(files) != 1 {
		return o, fmt.Errorf("verify takes one file, not %d; `walkaround verify --help` tells more", len(files))
	}
	o.file = files[0]
	return o, nil
}

// find gives the verdict, and verifies the timestamp if the options name whom to trust. Its error says that there is no
// verdict.
func find(o verifyOptions) (finding, error) {
	var roots *x509.CertPool
	if o.authority != "" {
		text, err := readBounded(o.authority, maxKeysBytes)
		if err != nil {
			return finding{}, err
		}
		if roots, err = timestamp.ParseRoots(text); err != nil {
			return finding{}, fmt.Errorf("%s: %w", o.authority, err)
		}
	}
	verdict, as, err := verdictOn(o)
	found := finding{Verdict: verdict}
	if err == nil && roots != nil && verdict.Result != evidence.NotGenuine {
		found = timed(verdict, roots)
	}
	found.JudgedAs = as
	return found, err
}

// timed verifies the timestamp of a sheet with which nothing else is wrong.
func timed(v evidence.Verdict, roots *x509.CertPool) finding {
	v.Notes = slices.DeleteFunc(v.Notes, func(n evidence.Reason) bool { return n.Code == evidence.NoteTimestampUnchecked })
	if v.Checkpoint == nil || v.Claimed == nil {
		if v.Checkpoint == nil || v.Checkpoint.TimestampState != evidence.TimestampPending {
			v.Notes = append(v.Notes, evidence.Reason{Code: noteTimestampMissing, Sentence: "There is no timestamp here to verify: only the bundle of a sheet can carry one."})
		}
		return finding{Verdict: v}
	}
	token := v.Claimed
	at, authority, err := timestamp.Verify(token.Token, v.Checkpoint.Imprint(), roots)
	switch {
	case err != nil:
		return finding{Verdict: mistimed(v, "The timestamp of the checkpoint does not verify: "+err.Error()+".")}
	case !token.At.Equal(domain.At(at).Time):
		return finding{Verdict: mistimed(v, "The timestamp of the checkpoint says another time than its token.")}
	}
	token.Authority = authority // what stood beside the token proves nothing
	v.Checkpoint.TimestampState, v.Checkpoint.Timestamp = evidence.TimestampVerified, token
	return finding{Verdict: v, Timestamped: &attested{At: token.At, Authority: authority}}
}

// mistimed is the verdict once the timestamp is found to be forged: nothing else is worth showing.
func mistimed(v evidence.Verdict, sentence string) evidence.Verdict {
	return evidence.Verdict{
		Result: evidence.NotGenuine, Reasons: []evidence.Reason{{Code: reasonTimestampForged, Sentence: sentence}}, Notes: []evidence.Reason{}, Digest: v.Digest,
	}
}

// verdictOn reads the files, and tells as what the sheet was judged. Its error says that there is no verdict.
func verdictOn(o verifyOptions) (v evidence.Verdict, as string, err error) {
	keys := evidence.PublicKeys{}
	if o.keys != "" {
		text, err := readBounded(o.keys, maxKeysBytes)
		if err != nil {
			return v, "", err
		}
		if keys, err = evidence.ParseKeys(text); err != nil {
			return v, "", fmt.Errorf("%s is not a document of keys: %w", o.keys, err)
		}
	}
	sheet, err := readBounded(o.file, maxSheetBytes)
	if err != nil {
		return v, "", err
	}
	if bytes.HasPrefix(sheet, []byte("PK")) {
		v, err = evidence.VerifyBundle(keys, bytes.NewReader(sheet), int64(len(sheet)))
		return v, judgedBundle, err
	}
	return evidence.VerifyPDF(keys, sheet), judgedPDF, nil
}

// readBounded reads a whole file of at most limit bytes.
func readBounded(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path) //nolint:gosec // the file that the user named
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // it was only read
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		return nil, err
	case int64(len(data)) > limit:
		return nil, fmt.Errorf("%s has more than %d MiB", path, limit>>20)
	}
	return data, nil
}

// verdictCode is the exit code of a verdict.
func verdictCode(v evidence.Verdict) int {
	switch v.Result {
	case evidence.Genuine:
		return exitOK
	case evidence.ConsistentKeyUnknown:
		return 2
	default:
		return exitFailed
	}
}

// describe tells a verdict to a reader: the result, why, and what the store attests.
func describe(v finding) string {
	var b strings.Builder
	headlines := map[string]string{
		evidence.Genuine:              "GENUINE",
		evidence.ConsistentKeyUnknown: "CONSISTENT, KEY UNKNOWN",
		evidence.NotGenuine:           "NOT GENUINE",
	}
	b.WriteString(headlines[v.Result] + "\n")
	line(&b, "judged as", map[string]string{judgedPDF: "a signed sheet (PDF)", judgedBundle: "a bundle (zip)"}[v.JudgedAs])
	for _, r := range v.Reasons {
		line(&b, "", r.Sentence)
	}
	if s := v.Statement; s != nil {
		line(&b, "sheet", fmt.Sprintf("%s of visit %s, revision %d", s.Document, s.Number, s.Revision))
		line(&b, "store", s.StoreID)
		line(&b, "signed", fmt.Sprintf("%s by %s (%s), before %s", s.SignedAt, s.Signer.Name, s.Signer.Relation, s.Witness.Name))
		line(&b, "sealed", s.SealedAt.String())
	}
	line(&b, "digest", v.Digest)
	line(&b, "key", v.KeyID)
	if v.Checkpoint != nil {
		line(&b, "checkpoint", fmt.Sprintf("%d of %s", v.Checkpoint.Sequence, v.Checkpoint.CreatedAt))
		line(&b, "photos", fmt.Sprintf("%d, each as it was signed", v.Photos))
	}
	if t := v.Timestamped; t != nil {
		line(&b, "timestamped", fmt.Sprintf("%s by %s", t.At, t.Authority))
	}
	for _, n := range v.Notes {
		line(&b, "note", n.Sentence)
	}
	return b.String()
}

// line writes one fact, if there is one. What stands in a file of unknown origin must not steer the terminal.
func line(b *strings.Builder, name, value string) {
	if value == "" {
		return
	}
	safe := strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, value)
	fmt.Fprintf(b, "  %-12s%s\n", name, safe)
}
