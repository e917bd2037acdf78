package storage_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"testing"

	"example.com/walkaround/storage"
)

// TestCursorBelongsToItsWalk holds a page's cursor to the walk that it came from: elsewhere it would go on at a place that
// means nothing there.
func TestCursorBelongsToItsWalk(t *testing.T) {
	c, e := notes(t)
	for i := range 6 {
		insert(t, c, note{ID: fmt.Sprint(i), Text: "text", Tags: []string{"tag"}})
	}
	walk := storage.Query{Key: "text", Prefix: "t", Limit: 2}
	first, err := c.Find(t.Context(), walk)
	if err != nil || first.Next == "" {
		t.Fatalf("%+v, %v", first, err)
	}
	other := storage.NewCollection(e, storage.Shape[note]{Name: "others", ID: shape.ID, Keys: shape.Keys})
	if err := e.Declare(t.Context(), []storage.Declaration{other.Declaration()}); err != nil {
		t.Fatal(err)
	}
	for name, q := range map[string]storage.Query{
		"another key":       {Key: "tag", Prefix: "t", Limit: 2},
		"another prefix":    {Key: "text", Prefix: "te", Limit: 2},
		"no prefix":         {Key: "text", Limit: 2},
		"a value":           {Key: "text", Equal: "t", Limit: 2},
		"a lower end":       {Key: "text", From: "t", Limit: 2},
		"an upper end":      {Key: "text", To: "t", Limit: 2},
		"another direction": {Key: "text", Prefix: "t", Desc: true, Limit: 2},
	} {
		q.After = first.Next
		if _, err := c.Find(t.Context(), q); !errors.Is(err, storage.ErrCursor) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := c.FindValues(t.Context(), q); !errors.Is(err, storage.ErrCursor) {
			t.Errorf("%s, decoded: %v", name, err)
		}
	}
	walk.After = first.Next
	if _, err := other.Find(t.Context(), walk); !errors.Is(err, storage.ErrCursor) {
		t.Errorf("another collection: %v", err)
	}
	walk.Limit, walk.Whole = 3, true // the same walk in pages of another size
	if next, err := c.Find(t.Context(), walk); err != nil || len(next.Items) != 3 {
		t.Errorf("the next page: %+v, %v", next, err)
	}
}

func TestCursorThatNoWalkMade(t *testing.T) {
	c, _ := notes(t)
	for i := range 3 {
		insert(t, c, note{ID: fmt.Sprint(i), Text: "text"})
	}
	q := storage.Query{Key: "text", Limit: 1}
	first, err := c.Find(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := base64.RawURLEncoding.DecodeString(first.Next)
	if err != nil {
		t.Fatal(err)
	}
	name := base64.RawURLEncoding.EncodeToString(raw[:8])
	for _, after := range []string{"!", "AA", "AAAAAAAAAAA", storage.Cursor("text", "main/0"), name, name + "AAAA", first.Next + "A", first.Next + "\n"} {
		q.After = after
		if page, err := c.Find(t.Context(), q); !errors.Is(err, storage.ErrCursor) {
			t.Errorf("%q: %+v, %v", after, page, err)
		}
	}
}
