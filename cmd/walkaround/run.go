package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"example.com/walkaround/cmd/walkaround/config"
)

// The exit codes that all commands share. What 1 and 2 mean beyond this, check and verify say.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 64 // the command line, the configuration or a file named there is wrong; nothing was done
)

// call is one run of the program: what it was given and where it may write.
type call struct {
	args    []string // behind the command's name
	environ []string
	stdin   io.Reader
	stdout  io.Writer
	stderr  io.Writer
	parts   parts
	pause   func(time.Duration)
}

// command is one word of the command line.
type command struct {
	name    string
	summary string
	run     func(context.Context, call) int
}

// run is the whole program: it never exits by itself, reads no global, and returns the exit code.
func run(ctx context.Context, args, environ []string, stdin io.Reader, stdout, stderr io.Writer) int {
	return runWith(ctx, args, call{environ: environ, stdin: stdin, stdout: stdout, stderr: stderr, parts: wired(), pause: time.Sleep})
}

// runWith is run with other parts.
func runWith(ctx context.Context, args []string, c call) int {
	commands := commandsOf(c.parts)
	if len(args) == 0 {
		usage(c.stderr, commands)
		return exitUsage
	}
	switch args[0] {
	case "help", "-h", "-help", "--help":
		usage(c.stdout, commands)
		return exitOK
	}
	for _, known := range commands {
		if known.name == args[0] {
			c.args = args[1:]
			return known.run(ctx, c)
		}
	}
	c.say("%q is not a command; `walkaround help` lists them.", args[0])
	return exitUsage
}

// commandsOf lists the commands whose parts are there.
func commandsOf(p parts) []command {
	all := []command{{"serve", "run the store", serve}, {"health", "ask a running serve whether it is well", health}}
	if p.seed != nil {
		all = append(all, command{"demo", "run a demo store with sample vehicles, on this machine alone", demo})
	}
	all = append(all, command{"openapi", "write the OpenAPI document from the source", writeOpenAPI})
	if p.check != nil {
		all = append(all, command{"check", "look for damage in the data folder, also while serve runs", check})
	}
	all = append(all,
		command{"backup", "write the whole store into one file, also while serve runs", backup},
		command{"restore", "fill an empty store with a backup", restore},
		command{"sweep", "delete files that nothing names, or list them", sweep},
	)
	return append(all, command{"verify", "tell whether a signed sheet is genuine, without network", verify})
}

func usage(w io.Writer, commands []command) {
	_, _ = fmt.Fprintln(w, "Usage: walkaround COMMAND [FLAGS]")
	for _, c := range commands {
		_, _ = fmt.Fprintf(w, "  %-8s %s\n", c.name, c.summary)
	}
	_, _ = fmt.Fprintln(w, "`walkaround COMMAND --help` tells more.")
}

// say writes sentences for the one at the terminal, each line behind the program's name. Where even that fails there is
// nobody left to tell.
func (c call) say(format string, args ...any) {
	for line := range strings.SplitSeq(fmt.Sprintf(format, args...), "\n") {
		_, _ = fmt.Fprintf(c.stderr, "walkaround: %s\n", line)
	}
}

// print writes to standard output.
func (c call) print(format string, args ...any) {
	_, _ = fmt.Fprintf(c.stdout, format, args...)
}

// config loads the configuration. If it returns false, the call ends with code.
func (c call) config(name, summary string) (cfg config.Config, code int, ok bool) {
	cfg, err := config.Load(c.args, c.environ)
	switch {
	case errors.Is(err, config.ErrHelp):
		c.print("Usage: walkaround %s [FLAGS]\n%s\n\n%s", name, summary, config.Usage())
		return cfg, exitOK, false
	case err != nil:
		c.say("%s", err)
		return cfg, exitUsage, false
	}
	return cfg, exitOK, true
}
