package storagetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"example.com/walkaround/storage"
)

func order(s suite) {
	for _, r := range [][2]string{{"main/c", "1"}, {"main/a", "2"}, {"main/b", "1"}, {"main/d", "10"}, {"other/a", "1"}} {
		s.put(r[0], "", "n", r[1])
	}
	want := []string{"main/b", "main/c", "other/a", "main/d", "main/a"}
	s.finds(storage.Query{Key: "n"}, want...)
	slices.Reverse(want)
	for _, limit := range []int{1, 2, 5} {
		if got := s.ids(storage.Query{Key: "n", Desc: true, Limit: limit}); !slices.Equal(got, want) {
			s.t.Errorf("downwards by %d: got %q, want %q", limit, got, want)
		}
	}
}

func bounds(s suite) {
	for _, v := range []string{"a", "ab", "abc", "b", "ba"} {
		s.put("main/"+v, "", "plate", v)
	}
	s.finds(storage.Query{Key: "plate", Equal: "ab"}, "main/ab")
	s.finds(storage.Query{Key: "plate", Equal: "abcd"})
	s.finds(storage.Query{Key: "plate", Prefix: "a"}, "main/a", "main/ab", "main/abc")
	s.finds(storage.Query{Key: "plate", Prefix: "ba"}, "main/ba")
	s.finds(storage.Query{Key: "plate", From: "ab", To: "b"}, "main/ab", "main/abc")
	s.finds(storage.Query{Key: "plate", From: "abc"}, "main/abc", "main/b", "main/ba")
	s.finds(storage.Query{Key: "plate", To: "ab"}, "main/a")
	s.finds(storage.Query{Key: "plate", From: "b", To: "a"})
	_, err := s.Find(s.ctx(), cars, storage.Query{Key: "plate", Equal: "a", Prefix: "a", Limit: 1})
	if err == nil {
		s.t.Error("a query that is bounded twice is taken")
	}
}

func oddValues(s suite) {
	values := []string{"", "\x01", " ", "%", "A", "_", "a", "a\u00a0", "é", "ÿ", "粤A12345", "\ud7ff", "\ue000", "\uffff", "🚗", "🚗🚗", "\U0010ffff"}
	for i, v := range values {
		s.put(fmt.Sprintf("main/%02d", i), "", "word", v)
	}
	got, err := s.Find(s.ctx(), cars, storage.Query{Key: "word", Limit: 100})
	s.ok(err)
	if len(got) != len(values) {
		s.t.Fatalf("%d found, want %d", len(got), len(values))
	}
	for i, r := range got {
		if r.At != values[i] {
			s.t.Errorf("place %d holds %q, want %q", i, r.At, values[i])
		}
		if values[i] != "" {
			s.finds(storage.Query{Key: "word", Equal: values[i]}, r.ID)
		}
	}
	s.finds(storage.Query{Key: "word", Prefix: "🚗"}, "main/14", "main/15")
	s.finds(storage.Query{Key: "word", Prefix: "\U0010ffff"}, "main/16")
	s.finds(storage.Query{Key: "word", Prefix: "\ud7ff"}, "main/11")
	s.finds(storage.Query{Key: "word", Prefix: "%"}, "main/03")
}

func onceEach(s suite) {
	s.put("main/1", "", "word", "a", "word", "c", "word", "e", "word", "c")
	s.put("main/2", "", "word", "b", "word", "c", "plate", "a")
	s.put("main/3", "", "word", "d")
	s.put("main/4", "")
	s.finds(storage.Query{Key: "word"}, "main/1", "main/2", "main/3")
	s.finds(storage.Query{Key: "word", From: "b"}, "main/2", "main/1", "main/3")
	s.finds(storage.Query{Key: "word", From: "d"}, "main/3", "main/1")
	s.finds(storage.Query{Key: "word", Equal: "c"}, "main/1", "main/2")
	for _, limit := range []int{1, 2, 9} {
		down := s.ids(storage.Query{Key: "word", Desc: true, To: "e", Limit: limit})
		if want := []string{"main/3", "main/2", "main/1"}; !slices.Equal(down, want) {
			s.t.Errorf("downwards by %d: got %q, want %q", limit, down, want)
		}
	}
}

// pagesUnderInserts walks while others insert everywhere: what was there before comes exactly once. The inserts have an end,
// so that the walk has one where pages are slower.
func pagesUnderInserts(s suite) {
	const before, meanwhile = 120, 300
	for i := range before {
		s.put(fmt.Sprintf("old/%03d", i), "", "n", fmt.Sprintf("%03d", i*7%50), "n", fmt.Sprintf("%03d", 50+i%10))
	}
	for _, desc := range []bool{false, true} {
		ctx, stop := context.WithCancel(s.ctx())
		done := make(chan struct{})
		go func() {
			defer close(done)
			for i := 0; ctx.Err() == nil && i < meanwhile; i++ {
				r := record(fmt.Sprintf("new/%v/%06d", desc, i), "", "n", fmt.Sprintf("%03d", i*13%60))
				if err := s.Insert(ctx, cars, r); err != nil && ctx.Err() == nil {
					s.t.Error(err)
					return
				}
			}
		}()
		seen := map[string]int{}
		for _, id := range s.ids(storage.Query{Key: "n", Desc: desc, Limit: 7}) {
			seen[id]++
		}
		stop()
		<-done
		for i := range before {
			if n := seen[fmt.Sprintf("old/%03d", i)]; n != 1 {
				s.t.Errorf("desc %v: document %d came %d times", desc, i, n)
			}
		}
	}
}

func replacedKeys(s suite) {
	s.put("main/1", "", "plate", "A", "word", "x", "word", "y")
	r := record("main/1", "", "plate", "B", "word", "y", "word", "z")
	r.Version = 1
	s.ok(s.Replace(s.ctx(), cars, r))
	s.finds(storage.Query{Key: "plate"}, "main/1")
	s.finds(storage.Query{Key: "plate", Equal: "A"})
	s.finds(storage.Query{Key: "word", Equal: "x"})
	s.finds(storage.Query{Key: "word", Equal: "y"}, "main/1")
	s.finds(storage.Query{Key: "word", Equal: "z"}, "main/1")
}

func undeclared(s suite) {
	_, err := s.Find(s.ctx(), cars, storage.Query{Key: "color", Limit: 1})
	s.is(err, storage.ErrUndeclared)
	_, err = s.Find(s.ctx(), "bikes", storage.Query{Key: "plate", Limit: 1})
	s.is(err, storage.ErrUndeclared)
	s.is(s.Insert(s.ctx(), cars, record("main/1", "", "color", "red")), storage.ErrUndeclared)
	if err := s.Declare(s.ctx(), []storage.Declaration{{Name: "x; DROP TABLE y"}}); err == nil {
		s.t.Error("a collection may be named anything")
	}
}

func limits(s suite) {
	for _, limit := range []int{-1, 0, storage.MaxFind + 2} {
		if _, err := s.Find(s.ctx(), cars, storage.Query{Key: "n", Limit: limit}); err == nil {
			s.t.Errorf("a limit of %d is taken", limit)
		}
	}
	big := record("main/1", strings.Repeat("x", storage.MaxDocumentBytes))
	s.is(s.Insert(s.ctx(), cars, big), storage.ErrTooLarge)
	fits := record("main/1", strings.Repeat("x", storage.MaxDocumentBytes-100))
	s.ok(s.Insert(s.ctx(), cars, fits))
	fits.Version = 1
	s.ok(s.Replace(s.ctx(), cars, fits))
	big.Version = 2
	s.is(s.Replace(s.ctx(), cars, big), storage.ErrTooLarge)
}

func malformedCursors(s suite) {
	s.put("main/1", "", "n", "1")
	for _, after := range []string{"x", "!!!", "AA==", storage.Cursor("a", ""), storage.Cursor("\xff", "main/1"), strings.Repeat("A", 9000)} {
		_, err := s.Find(s.ctx(), cars, storage.Query{Key: "n", Limit: 1, After: after})
		s.is(err, storage.ErrCursor)
	}
}

func refusedValues(s suite) {
	for _, v := range []string{"a\x00b", "\xff", "\xed\xa0\x80", strings.Repeat("x", storage.MaxKeyBytes+1)} {
		s.is(s.Insert(s.ctx(), cars, record("main/1", "", "plate", v)), storage.ErrValue)
		s.is(s.Insert(s.ctx(), cars, record(v, "")), storage.ErrValue)
		_, err := s.Find(s.ctx(), cars, storage.Query{Key: "plate", Prefix: v, Limit: 1})
		s.is(err, storage.ErrValue)
	}
	s.is(s.Insert(s.ctx(), cars, record("", "")), storage.ErrValue)
	s.put(strings.Repeat("i", storage.MaxKeyBytes), "", "plate", strings.Repeat("x", storage.MaxKeyBytes))
}

func summaries(s suite) {
	r := record("main/1", "the whole document", "n", "1")
	r.Summary = record("", "short").Doc
	s.ok(s.Insert(s.ctx(), cars, r))
	s.put("main/2", "no summary", "n", "2")
	list, err := s.Find(s.ctx(), cars, storage.Query{Key: "n", Limit: 9})
	s.ok(err)
	if len(list) != 2 || list[0].Doc != nil || !slices.Equal(list[0].Summary, r.Summary) || list[1].Doc == nil {
		s.t.Errorf("got %+v, want the first by its summary and the second whole", list)
	}
	list, err = s.Find(s.ctx(), cars, storage.Query{Key: "n", Limit: 9, Whole: true})
	s.ok(err)
	if len(list) != 2 || !slices.Equal(list[0].Doc, r.Doc) || list[0].Version != 1 || list[0].At != "1" {
		s.t.Errorf("got %+v, want whole documents", list)
	}
}

func notShared(s suite) {
	s.put("main/1", "same", "n", "1")
	a, err := s.Get(s.ctx(), cars, "main/1")
	s.ok(err)
	clear(a.Doc)
	list, err := s.Find(s.ctx(), cars, storage.Query{Key: "n", Limit: 1})
	s.ok(err)
	clear(list[0].Doc)
	s.hasText("main/1", "same", 1)
}

func deadlines(s suite) {
	ctx, cancel := context.WithCancel(s.ctx())
	cancel()
	_, err := s.Get(ctx, cars, "main/1")
	s.is(err, context.Canceled)
	_, err = s.Find(ctx, cars, storage.Query{Key: "n", Limit: 1})
	s.is(err, context.Canceled)
	s.is(s.Insert(ctx, cars, record("main/1", "")), context.Canceled)
	s.is(s.Walk(ctx, cars, func(storage.Record, error) error { return nil }), context.Canceled)
	late, stop := context.WithTimeout(s.ctx(), time.Nanosecond)
	defer stop()
	<-late.Done()
	s.is(s.Delete(late, cars, "main/1", 1), context.DeadlineExceeded)
	s.put("main/2", "the engine goes on")
	s.hasText("main/2", "the engine goes on", 1)
}

func walkAll(s suite) {
	for i := range 150 {
		s.put(fmt.Sprintf("main/%03d", i), "", "n", fmt.Sprint(i), "word", "x")
	}
	var ids []string
	s.ok(s.Walk(s.ctx(), cars, func(r storage.Record, err error) error {
		if len(r.Keys) != 2 || len(r.Doc) == 0 || r.Version != 1 {
			return fmt.Errorf("record %+v: %w", r, errors.Join(err, errors.New("not whole")))
		}
		ids = append(ids, r.ID)
		return err
	}))
	if len(ids) != 150 || !slices.IsSorted(ids) {
		s.t.Errorf("%d records, in order: %v", len(ids), slices.IsSorted(ids))
	}
	enough, calls := errors.New("enough"), 0
	err := s.Walk(s.ctx(), cars, func(storage.Record, error) error { calls++; return enough })
	if err != enough || calls != 1 { //nolint:errorlint // untouched means this very error
		s.t.Errorf("got %v after %d calls, want the error untouched after one", err, calls)
	}
}

func closed(s suite) {
	s.put("main/1", "")
	s.ok(s.Ping(s.ctx()))
	s.ok(s.Close())
	_, err := s.Get(s.ctx(), cars, "main/1")
	s.is(err, storage.ErrUnavailable)
	s.is(s.Insert(s.ctx(), cars, record("main/2", "")), storage.ErrUnavailable)
	s.is(s.Ping(s.ctx()), storage.ErrUnavailable)
	s.ok(s.Close())
}

// likeAModel compares many queries with a search through all documents, whose values come alone and together, are shared
// by few and by more than a page, and are not all plain letters.
func likeAModel(s suite) {
	random := rand.New(rand.NewPCG(4, 2)) //nolint:gosec // the same documents each time
	values := []string{"", "a", "a!", "ab", "abc", "b", "ba", "c\u00e9", "c\uffff", "c\U0001F697", "c\U0010ffff", "hot", "hot2", "z"}
	model := map[string][]string{}
	for i := range 160 {
		id := fmt.Sprintf("main/%03d", i)
		var keys []string
		for range random.IntN(4) {
			keys = append(keys, "word", values[random.IntN(len(values))])
		}
		if i%2 == 0 {
			keys = append(keys, "word", "hot")
		}
		for j := 1; j < len(keys); j += 2 {
			model[id] = append(model[id], keys[j])
		}
		s.put(id, "", keys...)
	}
	pick := func() string { return values[random.IntN(len(values))] }
	for range 60 {
		q := storage.Query{Key: "word", Limit: 1 + random.IntN(70), Desc: random.IntN(2) == 0}
		switch random.IntN(4) {
		case 0:
			q.Equal = pick()
		case 1:
			q.Prefix = pick()
		case 2:
			q.From, q.To = pick(), pick()
		}
		if got, want := s.ids(q), search(model, q); !slices.Equal(got, want) {
			s.t.Fatalf("%+v:\ngot  %q\nwant %q", q, got, want)
		}
	}
}

// search finds what a query should, by looking at everything.
func search(model map[string][]string, q storage.Query) []string {
	within := func(v string) bool {
		return (q.Equal == "" || v == q.Equal) && strings.HasPrefix(v, q.Prefix) && v >= q.From && (q.To == "" || v < q.To)
	}
	type place struct{ value, id string }
	var places []place
	for id, values := range model {
		values = slices.Sorted(func(yield func(string) bool) {
			for _, v := range values {
				if within(v) && !yield(v) {
					return
				}
			}
		})
		if len(values) == 0 {
			continue
		}
		at := values[0]
		if q.Desc {
			at = values[len(values)-1]
		}
		places = append(places, place{at, id})
	}
	slices.SortFunc(places, func(a, b place) int {
		order := strings.Compare(a.value+"\x00"+a.id, b.value+"\x00"+b.id)
		if q.Desc {
			return -order
		}
		return order
	})
	ids := []string{}
	for _, p := range places {
		ids = append(ids, p.id)
	}
	return ids
}

// staleCursors are of another query, or of what is gone: the walk goes on where they stand.
func staleCursors(s suite) {
	for _, v := range []string{"b", "d", "f"} {
		s.put("main/"+v, "", "n", v)
		s.put("main/"+v+v, "", "word", v, "word", v+"!")
	}
	for _, key := range []string{"n", "word"} {
		for _, c := range []struct {
			q    storage.Query
			want int
		}{
			{storage.Query{Key: key, After: storage.Cursor("c", "main/gone")}, 2},
			{storage.Query{Key: key, After: storage.Cursor("c", "main/gone"), Desc: true}, 1},
			{storage.Query{Key: key, After: storage.Cursor("d", "main/")}, 2},
			{storage.Query{Key: key, After: storage.Cursor("d", "main/"), Desc: true}, 1},
			{storage.Query{Key: key, Equal: "d", After: storage.Cursor("b", "main/b")}, 1},
			{storage.Query{Key: key, Equal: "d", After: storage.Cursor("e", "main/b")}, 0},
			{storage.Query{Key: key, Equal: "d", After: storage.Cursor("e", "main/b"), Desc: true}, 1},
			{storage.Query{Key: key, Equal: "d", After: storage.Cursor("b", "main/b"), Desc: true}, 0},
			{storage.Query{Key: key, Prefix: "d", After: storage.Cursor("x", "main/b")}, 0},
			{storage.Query{Key: key, From: "d", After: storage.Cursor("a", "main/b")}, 2},
		} {
			c.q.Limit = 9
			if got := s.ids(c.q); len(got) != c.want {
				s.t.Errorf("%+v: got %q, want %d", c.q, got, c.want)
			}
		}
	}
}
