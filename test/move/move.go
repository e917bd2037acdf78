// Package move holds backup and restore to what they promise: from every engine into every other, beside writers, cut off
// and killed, and for what earlier releases wrote.
//
// Everything is in its tests. The engines stand in one table, engines in setup_test.go: a line there adds one to the matrix.
// testdata holds a small store of every released version, as a backup; `go test ./test/move -run Fixture -fixture NAME` writes
// another one. The package may import everything of this module but cmd.
package move
