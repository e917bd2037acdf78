package sqlite

import (
	"strings"
	"testing"

	"example.com/walkaround/storage"
)

func TestOldVersionsAreRefused(t *testing.T) {
	for version, ok := range map[string]bool{
		"3.51.3": true, "3.51.10": true, "3.52.0": true, "4.0": true, "3.51.2": false, "3.50.9": false, "2.99.99": false, "": false, "3.51": false,
	} {
		if err := versionOK(version); (err == nil) != ok {
			t.Errorf("%q: %v", version, err)
		}
	}
}

// Every query is an index query: none sorts, and none scans a table.
func TestPlans(t *testing.T) {
	e, err := Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := e.Declare(t.Context(), []storage.Declaration{{Name: "cars", Keys: []string{"plate"}}}); err != nil {
		t.Fatal(err)
	}
	table, err := e.table("cars")
	if err != nil {
		t.Fatal(err)
	}
	statements := []string{table.get, table.head, table.update, table.remove, table.leave, table.chunk, table.entry, table.entries}
	for _, sql := range table.find {
		statements = append(statements, sql)
	}
	for _, sql := range statements {
		err := e.read(t.Context(), func(c *conn) error {
			s, _, err := c.Prepare("EXPLAIN QUERY PLAN " + sql)
			if err != nil {
				return err
			}
			for s.Step() {
				if step := s.ColumnText(3); strings.Contains(step, "SCAN") || strings.Contains(step, "TEMP B-TREE") {
					t.Errorf("%s\n%s", step, sql)
				}
				if step := s.ColumnText(3); strings.Contains(sql, "k.value DESC") && strings.Contains(step, "k USING") && !strings.Contains(step, "value") {
					t.Errorf("the walk starts at the key's end: %s\n%s", step, sql)
				}
				t.Log(s.ColumnText(3))
			}
			return s.Close()
		})
		if err != nil {
			t.Error(err)
		}
	}
}
