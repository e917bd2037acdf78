package storage_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"example.com/walkaround/storage"
	"example.com/walkaround/storage/sqlite"
)

type note struct {
	ID    string          `bson:"id" json:"id"`
	Text  string          `bson:"text" json:"text"`
	Tags  []string        `bson:"tags" json:"tags"`
	Count int             `bson:"count" json:"count"`
	Sub   subNote         `bson:"sub" json:"sub"`
	Raw   json.RawMessage `bson:"raw,omitempty" json:"raw,omitempty"`
}

type subNote struct {
	A string `bson:"a" json:"a"`
}

// newNote is what a newer program keeps of the same document.
type newNote struct {
	ID    string            `bson:"id" json:"id"`
	Text  string            `bson:"text" json:"text"`
	Extra map[string]string `bson:"extra" json:"extra"`
	Tags  []string          `bson:"tags" json:"tags"`
	Count int               `bson:"count" json:"count"`
	Sub   newSub            `bson:"sub" json:"sub"`
}

type newSub struct {
	A string   `bson:"a" json:"a"`
	B []string `bson:"b" json:"b"`
}

type noteSummary struct {
	ID   string `bson:"id" json:"id"`
	Text string `bson:"text" json:"text"`
}

var shape = storage.Shape[note]{
	Name: "notes",
	ID:   func(n *note) string { return "main/" + n.ID },
	Keys: []storage.Key[note]{
		{Name: "text", Values: func(n *note) []string { return []string{n.Text} }},
		{Name: "tag", Values: func(n *note) []string { return n.Tags }},
	},
	Summary: func(n *note) any { return noteSummary{n.ID, n.Text} },
}

func notes(t *testing.T) (*storage.Collection[note], storage.Engine) {
	t.Helper()
	e, err := sqlite.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	c := storage.NewCollection(e, shape)
	if err := e.Declare(t.Context(), []storage.Declaration{c.Declaration()}); err != nil {
		t.Fatal(err)
	}
	return c, e
}

func insert(t *testing.T, c *storage.Collection[note], n note) storage.Saved[note] {
	t.Helper()
	s, err := c.Insert(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestUpdateCountsEveryone(t *testing.T) {
	c, _ := notes(t)
	insert(t, c, note{ID: "1"})
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			for range 4 {
				if _, err := c.Update(t.Context(), "main/1", func(n *note) error { n.Count++; return nil }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if s, err := c.Get(t.Context(), "main/1"); err != nil || s.Value.Count != 128 || s.Version != 129 {
		t.Errorf("%+v, %v: want 128 in version 129", s.Value, err)
	}
}

func TestUpdateReturnsWhatIsStored(t *testing.T) {
	c, _ := notes(t)
	insert(t, c, note{ID: "1", Text: "a", Tags: []string{"x"}})
	s, err := c.Update(t.Context(), "main/1", func(n *note) error { n.Text = "b"; return nil })
	if err != nil {
		t.Fatal(err)
	}
	doc, version, err := c.Raw(t.Context(), "main/1")
	if err != nil || version != 2 || s.Version != 2 || s.Value.Text != "b" || !slices.Equal(doc.Bytes(), s.Doc.Bytes()) {
		t.Errorf("%+v in version %d, %v", s, version, err)
	}
}

func TestARefusedChangeWritesNothing(t *testing.T) {
	c, _ := notes(t)
	insert(t, c, note{ID: "1", Text: "a"})
	for _, refusal := range []error{errors.New("guard"), fmt.Errorf("from another document: %w", storage.ErrStale)} {
		calls := 0
		_, err := c.Update(t.Context(), "main/1", func(n *note) error { calls++; n.Text = "b"; return refusal })
		if err != refusal || calls != 1 { //nolint:errorlint // untouched means this very error
			t.Errorf("got %v after %d calls, want %v untouched", err, calls, refusal)
		}
	}
	s, err := c.Update(t.Context(), "main/1", func(n *note) error { n.Text = "b"; return fmt.Errorf("same: %w", storage.ErrUnchanged) })
	if err != nil || s.Value.Text != "a" || s.Version != 1 {
		t.Errorf("unchanged gives %+v, %v: want the stored document", s, err)
	}
}

func TestUpdateFromAnEarlierRead(t *testing.T) {
	c, _ := notes(t)
	insert(t, c, note{ID: "1", Text: "a"})
	early, err := c.Get(t.Context(), "main/1")
	if err != nil {
		t.Fatal(err)
	}
	early.Value.Text = "tried out"
	count := func(n *note) error { n.Count++; return nil }
	if s, err := c.UpdateFrom(t.Context(), early, count); err != nil || s.Value.Count != 1 || s.Value.Text != "a" || s.Version != 2 {
		t.Errorf("what was read is current: %+v, %v", s, err)
	}
	if s, err := c.UpdateFrom(t.Context(), early, count); err != nil || s.Value.Count != 2 || s.Version != 3 {
		t.Errorf("what was read has changed: %+v, %v", s, err)
	}
	late := errors.New("nobody has counted")
	guarded := func(n *note) error {
		if n.Count == 0 {
			return late
		}
		n.Text = "b"
		return nil
	}
	if s, err := c.UpdateFrom(t.Context(), early, guarded); err != nil || s.Value.Text != "b" {
		t.Errorf("refused by what was read, taken by what is stored: %+v, %v", s, err)
	}
	insert(t, c, note{ID: "2"})
	other, err := c.Get(t.Context(), "main/2")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.UpdateFrom(t.Context(), other, guarded); err != late { //nolint:errorlint // untouched means this very error
		t.Errorf("refused by both: %v", err)
	}
}

func TestUpdateOfWhatIsAbsent(t *testing.T) {
	c, _ := notes(t)
	called := false
	_, err := c.Update(t.Context(), "main/1", func(*note) error { called = true; return nil })
	if !errors.Is(err, storage.ErrNotFound) || called {
		t.Errorf("got %v, called: %v", err, called)
	}
}

func TestUpdateKeepsTheID(t *testing.T) {
	c, _ := notes(t)
	insert(t, c, note{ID: "1"})
	if _, err := c.Update(t.Context(), "main/1", func(n *note) error { n.ID = "2"; return nil }); err == nil {
		t.Error("an update moved a document")
	}
}

// staleEngine lets nobody win.
type staleEngine struct{ storage.Engine }

func (staleEngine) Replace(context.Context, string, storage.Record) error { return storage.ErrStale }

func TestUpdateGivesUp(t *testing.T) {
	c, e := notes(t)
	insert(t, c, note{ID: "1"})
	always := storage.NewCollection(staleEngine{e}, shape)
	ctx, cancel := context.WithCancel(t.Context())
	tries := 0
	_, err := always.Update(ctx, "main/1", func(*note) error {
		if tries++; tries == 3 {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) || tries > 4 {
		t.Errorf("got %v after %d tries, want the end of the context", err, tries)
	}
	if _, err = always.Update(t.Context(), "main/1", func(*note) error { return nil }); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("got %v, want %v", err, storage.ErrUnavailable)
	}
}

func TestUpdateKeepsWhatANewerProgramStored(t *testing.T) {
	c, e := notes(t)
	newer := storage.NewCollection(e, storage.Shape[newNote]{Name: "notes", ID: func(n *newNote) string { return "main/" + n.ID }})
	in := newNote{ID: "1", Extra: map[string]string{"k": "v"}, Sub: newSub{A: "a", B: []string{"kept"}}}
	if _, err := newer.Insert(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	s, err := c.Update(t.Context(), "main/1", func(n *note) error { n.Text, n.Sub.A = "older", "changed"; return nil })
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Doc.Bytes().Validate(); err != nil {
		t.Error(err)
	}
	got, err := newer.Get(t.Context(), "main/1")
	if err != nil {
		t.Fatal(err)
	}
	v := got.Value
	if v.Text != "older" || v.Sub.A != "changed" || v.Extra["k"] != "v" || !slices.Equal(v.Sub.B, []string{"kept"}) {
		t.Errorf("got %+v: want the older one's change and the newer one's members", v)
	}
}

func TestFindPagesSummaries(t *testing.T) {
	c, _ := notes(t)
	for i := range 5 {
		insert(t, c, note{ID: fmt.Sprint(i), Text: fmt.Sprint("t", i), Tags: []string{"x", "y"}})
	}
	var got []string
	pages := 0
	for q := (storage.Query{Key: "tag", Limit: 2}); ; pages++ {
		p, err := c.Find(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range p.Items {
			got = append(got, string(d.AppendJSON(nil)))
		}
		if q.After = p.Next; p.Next == "" {
			break
		}
	}
	if pages != 2 || len(got) != 5 || got[4] != `{"id":"4","text":"t4"}` {
		t.Errorf("after %d full pages: %v", pages, got)
	}
	p, err := c.Find(t.Context(), storage.Query{Key: "tag", Limit: 5, Whole: true})
	if err != nil || p.Next != "" || !strings.Contains(string(p.Items[0].AppendJSON(nil)), `"count"`) {
		t.Errorf("whole: %v, %v, and no page behind a full last one", p, err)
	}
}

func TestFindValues(t *testing.T) {
	c, _ := notes(t)
	for i := range 3 {
		insert(t, c, note{ID: fmt.Sprint(i), Text: "t"})
	}
	p, err := c.FindValues(t.Context(), storage.Query{Key: "text", Equal: "t", Limit: 2})
	if err != nil || len(p.Items) != 2 || p.Items[1].Value.ID != "1" || p.Items[1].Version != 1 || p.Next == "" {
		t.Fatalf("%+v, %v", p, err)
	}
	for _, limit := range []int{0, storage.MaxFind + 1} {
		if _, err := c.Find(t.Context(), storage.Query{Key: "text", Limit: limit}); err == nil {
			t.Errorf("a limit of %d is taken", limit)
		}
	}
	all, err := c.FindValues(t.Context(), storage.Query{Key: "text", Limit: storage.MaxFind})
	if err != nil || len(all.Items) != 3 || all.Next != "" {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestRefusedDocuments(t *testing.T) {
	c, _ := notes(t)
	for name, n := range map[string]note{
		"a NUL in a key":      {ID: "1", Text: "a\x00b"},
		"a key without UTF-8": {ID: "1", Text: "\xff"},
		"a NUL in an id":      {ID: "\x00"},
	} {
		if _, err := c.Insert(t.Context(), n); !errors.Is(err, storage.ErrValue) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	big := note{ID: "1", Raw: json.RawMessage(`"` + strings.Repeat("x", storage.MaxDocumentBytes) + `"`)}
	if _, err := c.Insert(t.Context(), big); !errors.Is(err, storage.ErrTooLarge) {
		t.Errorf("got %v", err)
	}
	if _, err := c.Get(t.Context(), "main/1"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("something was stored: %v", err)
	}
}

func TestNothingIsSharedBetweenCallers(t *testing.T) {
	c, _ := notes(t)
	in := note{ID: "1", Tags: []string{"x"}, Raw: json.RawMessage(`{"a":1}`)}
	saved := insert(t, c, in)
	clear(in.Raw)
	in.Tags[0] = "y"
	clear(saved.Doc.Bytes())
	a, err := c.Get(t.Context(), "main/1")
	if err != nil {
		t.Fatal(err)
	}
	clear(a.Value.Raw)
	if got := string(a.Doc.AppendJSON(nil)); !strings.Contains(got, `"raw":{"a":1}`) {
		t.Errorf("the value and the document share bytes: %s", got)
	}
	b, err := c.Get(t.Context(), "main/1")
	if err != nil || string(b.Value.Raw) != `{"a":1}` || b.Value.Tags[0] != "x" {
		t.Errorf("got %+v, %v", b.Value, err)
	}
}
