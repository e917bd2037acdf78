// Command walkaround is the one binary: serve and demo run a store, openapi writes the document of the API, check looks
// for damage in the data folder, backup and restore move a store, sweep deletes files that nothing names, verify tells
// whether a signed sheet is genuine.
//
// Start with run (run.go), which chooses the command; wire.go holds what the commands are made of. Each command stands in
// the file of its name. It may import everything; nothing imports it.
package main

import (
	"context"
	"os"
	_ "time/tzdata" // A store's time zone must load also where the system brings no zones.
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr))
}
