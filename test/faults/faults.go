// Package faults holds the house to what it promises when things go wrong: processes killed, disks full, bytes changed.
//
// Everything is in its tests. Those of files that begin with `process` run the built binary; the others a house of package
// harness. WALKAROUND_KILLS says how often the process is killed (20); WALKAROUND_NO_SKIP=1 makes a test fail that this
// machine can't run. The package may import everything of this module but cmd.
package faults
