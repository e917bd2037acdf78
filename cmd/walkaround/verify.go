package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"

	"example.com/walkaround/domain/evidence"
)

// maxSheetBytes bounds what verify reads.
const maxSheetBytes = 256 << 20

// maxKeysBytes bounds the file of --keys.
const maxKeysBytes = 4 << 20

const verifyUsage = `Usage: walkaround verify FILE [--keys KEYS] [--json]
Tells whether FILE, a signed sheet (PDF) or its bundle (zip), is genuine. It needs no network and no account.

  --keys KEYS   the keys that you trust: a copy of the store's /.well-known/walkaround-keys.json
  --json        print the verdict as JSON

Exit code: 0 genuine, 1 not genuine, 2 consistent but the key is not among yours, 64 nothing was verified.
`

// verifyOptions is what its command line said.
type verifyOptions struct {
	file, keys string
	json       bool
}

// verify gives the verdict on one file.
func verify(_ context.Context, c call) int {
	o, err := parseVerify(c.args)
	if errors.Is(err, flag.ErrHelp) {
		c.print("%s", verifyUsage)
		return exitOK
	}
	var verdict evidence.Verdict
	if err == nil {
		verdict, err = verdictOn(o)
	}
	if err != nil {
		c.say("%s", err)
		return exitUsage
	}
	if o.json {
		err = json.NewEncoder(c.stdout).Encode(verdict)
	} else {
		_, err = io.WriteString(c.stdout, describe(verdict))
	}
	if err != nil {
		c.say("the verdict could not be written: %s", err)
		return exitUsage
	}
	return verdictCode(verdict)
}

// parseVerify takes flags before and behind the file.
func parseVerify(args []string) (o verifyOptions, err error) {
	flags := flag.NewFlagSet("verify", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&o.keys, "keys", "", "")
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

// verdictOn reads the files. Its error says that there is no verdict.
func verdictOn(o verifyOptions) (evidence.Verdict, error) {
	keys := evidence.PublicKeys{}
	if o.keys != "" {
		text, err := readBounded(o.keys, maxKeysBytes)
		if err != nil {
			return evidence.Verdict{}, err
		}
		if keys, err = evidence.ParseKeys(text); err != nil {
			return evidence.Verdict{}, fmt.Errorf("%s is not a document of keys: %w", o.keys, err)
		}
	}
	sheet, err := readBounded(o.file, maxSheetBytes)
	if err != nil {
		return evidence.Verdict{}, err
	}
	if bytes.HasPrefix(sheet, []byte("PK")) {
		return evidence.VerifyBundle(keys, bytes.NewReader(sheet), int64(len(sheet)))
	}
	return evidence.VerifyPDF(keys, sheet), nil
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
func describe(v evidence.Verdict) string {
	var b strings.Builder
	headlines := map[string]string{
		evidence.Genuine:              "GENUINE",
		evidence.ConsistentKeyUnknown: "CONSISTENT, KEY UNKNOWN",
		evidence.NotGenuine:           "NOT GENUINE",
	}
	b.WriteString(headlines[v.Result] + "\n")
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
	fmt.Fprintf(b, "  %-11s%s\n", name, safe)
}
