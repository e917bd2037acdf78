// Command load measures the server against bare handlers on the same machine, in the same run, and prints one table.
//
// Run it with `go run ./test/load` from the root of the module; figures.go says what is measured, drive.go how, seed.go
// with what. It builds and starts the real binary in a temporary folder, and beside it the floor (floor.go) as a process
// of its own; both are asked by turns, so that what else the machine does meets both alike. Nothing here asserts: a
// figure is reported with its target. It may import storage to fill a folder; it knows the server by HTTP alone, save
// for -profile, which runs the API under the profiler in a process of this program.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// options are the flags.
type options struct {
	visits  int           // of the large folder
	only    string        // part of the names of the figures that are wanted
	rounds  int           // turns of each side
	slice   time.Duration // length of a turn
	binary  string        // of the server; empty: it is built
	folder  string        // where seeded folders are kept for the next run; empty: a temporary one
	profile string        // folder of CPU profiles; empty: the real binary is measured
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1) //nolint:forbidigo // this is a command
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) > 0 {
		switch args[0] {
		case "floor":
			return serveFloor(ctx, stdout)
		case "serve":
			return serveProfiled(ctx, args[1:], stdout, stderr)
		}
	}
	var o options
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&o.visits, "visits", 100_000, "visits in the large folder")
	flags.StringVar(&o.only, "only", "", "part of the name of the figures that are wanted")
	flags.IntVar(&o.rounds, "rounds", 6, "turns of each side")
	flags.DurationVar(&o.slice, "slice", 700*time.Millisecond, "length of a turn")
	flags.StringVar(&o.binary, "binary", "", "the server's binary; built when empty")
	flags.StringVar(&o.folder, "folder", "", "folder in which seeded stores are kept for the next run")
	flags.StringVar(&o.profile, "profile", "", "folder for CPU profiles of the API, which then runs in this program")
	if err := flags.Parse(args); err != nil {
		return err
	}
	return measureAll(ctx, o, stdout, stderr)
}

// clock reads the time.
func clock() time.Time { return time.Now() } //nolint:forbidigo // to measure is to read the clock
