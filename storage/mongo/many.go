package mongo

import (
	"context"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"example.com/walkaround/storage"
)

// A document with several values of a key must come once, at the first of them within the query. MongoDB's index of an array
// gives no such order: a sort by it goes by the least or greatest entry of the whole array, and is made in memory once
// bounds are set. So a range is walked in windows. A window is asked for without an order and with a limit; when less comes
// than the limit, it is whole, and what it holds is put in order here. When more is there, the window is narrowed to before
// the farthest document that came. Nothing is taken from a window that is not whole, so the answer is exact whatever
// order the server gives; it is quick because a server gives what it finds in the order of the index it was told to use:
// two queries on a replica set, a few more through mongos. One value that more documents have than fit into a window is
// walked by id, which the index orders.
//
// Reads are bounded by the limit, and nothing is sorted by the server.

// slack is by how much a window's limit is above what the page still needs, for documents that came at an earlier value.
const slack = 32

// many walks the values that stand beside others of the same key.
func (w *walk) many(ctx context.Context) ([]storage.Record, error) {
	m := &manyWalk{walk: w}
	for _, p := range w.parts() {
		var err error
		if p.equal {
			err = m.value(ctx, p)
		} else {
			err = m.walkRange(ctx, w.entries(p))
		}
		if err != nil {
			return nil, err
		}
	}
	return m.records, nil
}

// manyWalk collects what many finds, in order.
type manyWalk struct {
	*walk
	records []storage.Record
}

func (m *manyWalk) full() bool { return len(m.records) >= m.query.Limit }

// window is a range of entries: low ≤ entry < high.
type window struct{ low, high string }

func (w window) empty() bool { return w.low >= w.high }

// entries is the window of a range of values.
func (w *walk) entries(p part) window {
	high := entry(w.query.Key, p.high)
	if p.open {
		high = w.query.Key + ";" // the character behind the colon
	}
	return window{entry(w.query.Key, p.low), high}
}

// value walks the documents of one value by id.
func (m *manyWalk) value(ctx context.Context, p part) error {
	e := entry(m.query.Key, p.low)
	for !m.full() {
		filter := append(bson.D{{Key: manyField, Value: e}}, p.ids(m.query.Desc)...)
		limit := m.query.Limit - len(m.records) + slack
		list, err := m.collection.read(ctx, filter, m.options(manyUp, limit, idField), noLimit)
		if err != nil {
			return err
		}
		for _, f := range list {
			if first, ok := m.first(f); ok && first == p.low {
				m.records = append(m.records, m.record(f, p.low))
			}
			p.id = f.record.ID
		}
		if len(list) < limit {
			return nil
		}
	}
	return nil
}

// walkRange walks from the front of a range, window by window.
func (m *manyWalk) walkRange(ctx context.Context, rest window) error {
	for !m.full() && !rest.empty() {
		whole, list, hot, err := m.whole(ctx, rest)
		if err != nil {
			return err
		}
		if hot != "" {
			err = m.value(ctx, part{equal: true, low: strings.TrimPrefix(hot, entry(m.query.Key, ""))})
			whole = window{hot, after(hot)}
		}
		if err != nil {
			return err
		}
		m.take(whole, list)
		if m.query.Desc {
			rest.high = whole.low
		} else {
			rest.low = whole.high
		}
	}
	return nil
}

// take puts the documents of a whole window in order. Those that an earlier window or page had are left out.
func (m *manyWalk) take(whole window, list []fields) {
	start := len(m.records)
	for _, f := range list {
		at, ok := m.first(f)
		if e := entry(m.query.Key, at); ok && whole.low <= e && e < whole.high {
			m.records = append(m.records, m.record(f, at))
		}
	}
	slices.SortFunc(m.records[start:], m.compare)
}

// whole narrows a window at its far end until all that it holds was read. Where one value alone has too many documents, it
// returns that entry instead.
func (m *manyWalk) whole(ctx context.Context, w window) (_ window, list []fields, hot string, err error) {
	limit := m.query.Limit - len(m.records) + slack
	for try := 0; ; try++ {
		if list, err = m.ask(ctx, w, limit+1); err != nil || len(list) <= limit {
			return w, list, "", err
		}
		// The first time to before the farthest: on a replica set that is enough. Shards mix theirs, so then by halves.
		entries := m.nearest(w, list)
		at := entries[(len(entries)-1)>>try]
		narrow := m.before(w, at)
		if narrow.empty() { // nothing is nearer to the front
			return w, nil, at, nil
		}
		w = narrow
	}
}

// before is what of a window lies nearer to the front than an entry.
func (m *manyWalk) before(w window, at string) window {
	if m.query.Desc {
		return window{after(at), w.high}
	}
	return window{w.low, at}
}

// after is the least text above s.
func after(s string) string { return s + "\x00" }

// nearest are the entries at which documents are met first within a window, nearest first.
func (m *manyWalk) nearest(w window, list []fields) []string {
	entries := make([]string, 0, len(list))
	for _, f := range list {
		values := slices.DeleteFunc(f.values(m.query.Key), func(v string) bool {
			e := entry(m.query.Key, v)
			return e < w.low || e >= w.high
		})
		if v, ok := m.pick(values); ok {
			entries = append(entries, entry(m.query.Key, v))
		}
	}
	slices.Sort(entries)
	if m.query.Desc {
		slices.Reverse(entries)
	}
	return entries
}

// pick is the value that a walk meets first, of some in order.
func (m *manyWalk) pick(values []string) (string, bool) {
	switch {
	case len(values) == 0:
		return "", false
	case m.query.Desc:
		return values[len(values)-1], true
	default:
		return values[0], true
	}
}

// first is the value at which the whole query meets a document, whatever page that was on.
func (m *manyWalk) first(f fields) (string, bool) {
	return m.pick(slices.DeleteFunc(f.values(m.query.Key), func(v string) bool {
		return v < m.span.From || v >= m.span.To
	}))
}

// ask reads documents with an entry in a window, in no order that is relied upon.
func (m *manyWalk) ask(ctx context.Context, w window, limit int) ([]fields, error) {
	filter := bson.D{{Key: manyField, Value: bson.D{{Key: "$elemMatch", Value: bson.D{{Key: "$gte", Value: w.low}, {Key: "$lt", Value: w.high}}}}}}
	index := manyUp
	if m.query.Desc {
		index = manyDown
	}
	return m.collection.read(ctx, filter, m.options(index, limit), noLimit)
}
