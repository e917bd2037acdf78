package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"

	"example.com/walkaround/openapi"
)

const openapiUsage = `Usage: walkaround openapi [--check | --write] [--root FOLDER]
Makes the OpenAPI document from the source of the module in FOLDER (here) and prints it.

  --write   put it into openapi/openapi.json
  --check   only compare it with openapi/openapi.json: exit code 1 if they differ
`

// openapiOptions is what its command line said.
type openapiOptions struct {
	root         string
	check, write bool
}

// writeOpenAPI makes the document; it is for those who change the API.
func writeOpenAPI(_ context.Context, c call) int {
	o, err := parseOpenAPI(c.args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		c.print("%s", openapiUsage)
		return exitOK
	case err != nil:
		c.say("%s; `walkaround openapi --help` tells more.", err)
		return exitUsage
	}
	document, err := openapi.Generate(o.root, c.parts.codes...)
	if err == nil {
		err = o.deliver(document, c.stdout)
	}
	if err != nil {
		c.say("%s", err)
		return exitFailed
	}
	return exitOK
}

func parseOpenAPI(args []string) (o openapiOptions, err error) {
	flags := flag.NewFlagSet("openapi", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&o.root, "root", ".", "")
	flags.BoolVar(&o.check, "check", false, "")
	flags.BoolVar(&o.write, "write", false, "")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 || (o.check && o.write) {
		return o, errors.New("openapi takes --check or --write, and no file")
	}
	return o, nil
}

// deliver prints the document, writes it, or holds it against the committed one.
func (o openapiOptions) deliver(document []byte, stdout io.Writer) error {
	path := filepath.Join(o.root, "openapi", "openapi.json")
	switch {
	case o.write:
		return os.WriteFile(path, document, 0o644) //nolint:gosec // a source file, for everybody to read
	case o.check:
		committed, err := os.ReadFile(path) //nolint:gosec // under the root that the user named
		if err == nil && !bytes.Equal(committed, document) {
			err = errors.New("openapi/openapi.json is not what the source says; `walkaround openapi --write` makes it anew")
		}
		return err
	}
	_, err := stdout.Write(document)
	return err
}
