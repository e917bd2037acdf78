package main

import "context"

// exitCouldNotCheck says that check has nothing to tell about the data.
const exitCouldNotCheck = 2

const checkSummary = `Reads every document, blob, event, seal and checkpoint of the data folder, and names each that is damaged, a line each. It
changes nothing and may run beside serve. Exit code: 0 nothing was found, 1 something was, 2 it could not be read.`

// check looks for damage.
func check(ctx context.Context, c call) int {
	cfg, code, ok := c.config("check", checkSummary)
	if !ok {
		return code
	}
	faults, err := c.parts.check(ctx, cfg, c.stdout)
	switch {
	case err != nil:
		c.say("%s", err)
		return exitCouldNotCheck
	case faults > 0:
		c.print("%d findings.\n", faults)
		return exitFailed
	}
	c.print("Nothing is damaged.\n")
	return exitOK
}
