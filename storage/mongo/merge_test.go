package mongo

import (
	"slices"
	"testing"

	"example.com/walkaround/storage"
)

// A document that changed between the two reads of a Find may be in both: it comes once, at the value that is met first.
func TestMergeKeepsADocumentOnce(t *testing.T) {
	at := func(value, id string) storage.Record { return storage.Record{At: value, ID: id} }
	for _, c := range []struct {
		desc bool
		want []string
	}{{false, []string{"a", "both", "c"}}, {true, []string{"d", "both", "c"}}} {
		w := walk{query: storage.Query{Limit: 3, Desc: c.desc}}
		var got []string
		for _, r := range w.merge(
			[]storage.Record{at("1", "a"), at("2", "both"), at("9", "d")},
			[]storage.Record{at("3", "c"), at("4", "both")},
		) {
			got = append(got, r.ID)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("downwards %v: got %q, want %q", c.desc, got, c.want)
		}
	}
}
