package migrate_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"example.com/walkaround/storage/migrate"
)

// migrating tells the test binary that it is the child which migrates the store in this folder.
const migrating = "WALKAROUND_TEST_MIGRATE"

// A process that migrates is killed with SIGKILL again and again, each time behind another document, until one comes to its
// end: then every document is of the newest format, and was changed once by each step.
func TestAMigrationKilledAgainAndAgainIsFinished(t *testing.T) {
	if folder := os.Getenv(migrating); folder != "" {
		known := steps(t, func() error { _, err := fmt.Println("one more"); return err })
		ok(t, known.Prepare(t.Context(), open(t, folder), &leases{}))
		return
	}
	folder := t.TempDir()
	t.Run("the old store", func(t *testing.T) { filled(t, folder, 10) })
	kills := 0
	for after := 1; !migrateAndKill(t, folder, after); after = after%3 + 1 {
		if kills++; kills > 40 {
			t.Fatal("it never comes to its end")
		}
	}
	e := open(t, folder)
	got := values(t, e)
	t.Logf("killed %d times", kills)
	if kills < 5 || len(got) != 10 || got[9] != "A-09!" || format(t, e) != (migrate.Format{Version: 3}) {
		t.Errorf("after %d kills: %q, %+v", kills, got, format(t, e))
	}
}

// migrateAndKill runs the child and kills it when it has changed some documents; true when it came to its end before.
func migrateAndKill(t *testing.T, folder string, after int) bool {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAMigrationKilledAgainAndAgainIsFinished$")
	cmd.Env = append(os.Environ(), migrating+"="+folder)
	out, err := cmd.StdoutPipe()
	ok(t, err)
	ok(t, cmd.Start())
	lines, seen := bufio.NewScanner(out), 0
	for lines.Scan() {
		if lines.Text() == "one more" {
			seen++
		}
		if seen == after {
			ok(t, cmd.Process.Kill())
			_ = cmd.Wait() // it was killed
			return false
		}
	}
	ok(t, cmd.Wait())
	return true
}
