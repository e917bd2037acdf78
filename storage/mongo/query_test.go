package mongo_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"

	"example.com/walkaround/storage"
	"example.com/walkaround/storage/mongo"
	"example.com/walkaround/test/mongoserver"
)

// commands are what an engine sent, since they were last looked at.
type commands struct {
	mu   sync.Mutex
	sent []bson.Raw
}

func (c *commands) monitor() *event.CommandMonitor {
	return &event.CommandMonitor{Started: func(_ context.Context, started *event.CommandStartedEvent) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.sent = append(c.sent, slices.Clone(started.Command))
	}}
}

func (c *commands) take() []bson.Raw {
	c.mu.Lock()
	defer c.mu.Unlock()
	sent := c.sent
	c.sent = nil
	return sent
}

// names are those of the commands, in order.
func (c *commands) names() string {
	var names []string
	for _, raw := range c.take() {
		names = append(names, name(raw))
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func name(command bson.Raw) string {
	first, err := command.IndexErr(0)
	if err != nil {
		return ""
	}
	return first.Key()
}

func TestRoundTrips(t *testing.T) {
	server := mongoserver.Start(t)
	var sent commands
	e := open(t, mongo.Config{URI: server.URI, Database: server.Database(t), Monitor: sent.monitor()})
	fill(t, e)
	sent.take()
	find := func(q storage.Query) func() error {
		return func() error { _, err := e.Find(t.Context(), "cars", q); return err }
	}
	for _, c := range []struct {
		name string
		call func() error
		want string
		err  error
	}{
		{"get", func() error { _, err := e.Get(t.Context(), "cars", "main/1"); return err }, "find", nil},
		{"insert", func() error { return e.Insert(t.Context(), "cars", record("main/8", "x")) }, "insert", nil},
		{"insert of an id that is there", func() error { return e.Insert(t.Context(), "cars", record("main/8", "x")) }, "insert", storage.ErrExists},
		{"replace", func() error { return e.Replace(t.Context(), "cars", replacement("main/8", "y", 1)) }, "update", nil},
		{"replace of an older version", func() error { return e.Replace(t.Context(), "cars", replacement("main/8", "y", 1)) }, "find update", storage.ErrStale},
		{"replace of what is gone", func() error { return e.Replace(t.Context(), "cars", replacement("main/9", "y", 1)) }, "find update", storage.ErrNotFound},
		{"delete", func() error { return e.Delete(t.Context(), "cars", "main/8", 2) }, "delete", nil},
		{"ping", func() error { return e.Ping(t.Context()) }, "find", nil},
		// A find is two commands at once, so one round trip; two behind a cursor, whose value is finished first.
		{"find by a value", find(storage.Query{Key: "plate", Equal: "P1", Limit: 9}), "find find", nil},
		{"find by a prefix", find(storage.Query{Key: "plate", Prefix: "P", Limit: 9}), "find find", nil},
		{"the next page", find(storage.Query{Key: "plate", Limit: 9, After: storage.Cursor("P1", "main/1")}), "find find find find", nil},
		{"a full next page", find(storage.Query{Key: "word", Limit: 1, After: storage.Cursor("a", "main/1")}), "find find find", nil},
	} {
		if err := c.call(); !errors.Is(err, c.err) {
			t.Errorf("%s: %v", c.name, err)
		}
		if got := sent.names(); got != c.want {
			t.Errorf("%s costs %q, want %q", c.name, got, c.want)
		}
	}
}

// What the URI says of concerns and preferences would let an answered write be lost, or a read miss one.
func TestEveryCommandIsOfAMajority(t *testing.T) {
	server := mongoserver.Start(t)
	var sent commands
	lax := "/?"
	if strings.Contains(server.URI, "/?") {
		lax = "&"
	}
	e := open(t, mongo.Config{URI: server.URI + lax + "w=1&journal=false&readConcernLevel=local&readPreference=secondaryPreferred", Database: server.Database(t), Monitor: sent.monitor()})
	fill(t, e)
	if err := errors.Join(e.Replace(t.Context(), "cars", replacement("main/1", "y", 1)), e.Delete(t.Context(), "cars", "main/2", 1)); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Find(t.Context(), "cars", storage.Query{Key: "word", Limit: 1}); err != nil {
		t.Fatal(err)
	}
	says(t, e, "main/1")
	for _, command := range sent.take() {
		field, want := "readConcern", `{"level": "majority"}`
		switch name(command) {
		case "insert", "update", "delete", "createIndexes", "create":
			field, want = "writeConcern", `{"w": "majority"}`
		case "buildInfo", "hello", "endSessions":
			continue
		}
		if got := command.Lookup(field).String(); got != want {
			t.Errorf("%s has %s %s, want %s", name(command), field, got, want)
		}
		if got := command.Lookup("$readPreference").String(); strings.Contains(got, "secondary") {
			t.Errorf("%s is read from %s", name(command), got)
		}
	}
}

// A short page would be taken for the last of a list.
func TestAPageIsFullThoughARecordIsDeletedWhileItIsRead(t *testing.T) {
	server := mongoserver.Start(t)
	database := server.Database(t)
	plain := open(t, mongo.Config{URI: server.URI, Database: database})
	if err := plain.Declare(t.Context(), declared); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"main/1", "main/2", "main/3", "main/4"} {
		if err := plain.Insert(t.Context(), "cars", record(id, "x")); err != nil {
			t.Fatal(err)
		}
	}
	var once sync.Once
	e := open(t, mongo.Config{URI: server.URI, Database: database, Monitor: &event.CommandMonitor{
		Started: func(ctx context.Context, started *event.CommandStartedEvent) {
			if _, err := started.Command.LookupErr("filter", "_id", "$in"); err == nil { // the documents of what was found
				once.Do(func() {
					if err := plain.Delete(ctx, "cars", "main/1", 1); err != nil {
						t.Error(err)
					}
				})
			}
		},
	}})
	if err := e.Declare(t.Context(), declared); err != nil {
		t.Fatal(err)
	}
	list, err := e.Find(t.Context(), "cars", storage.Query{Key: "plate", Limit: 2})
	if err != nil || len(list) != 2 || list[0].ID != "main/2" || list[1].ID != "main/3" || list[1].Doc == nil {
		t.Errorf("got %v and %v, want the two that are there", list, err)
	}
}

// found is a find command, as far as its plan depends on it.
type found struct {
	Filter bson.D `bson:"filter"`
	Sort   bson.D `bson:"sort"`
	Hint   string `bson:"hint"`
	Limit  int64  `bson:"limit"`
}

// Each query names an index that exists and begins with its condition, has a limit, and wants no order but that index's.
// On a real server its plan is looked at as well.
func TestEveryQueryWalksAnIndex(t *testing.T) {
	server := mongoserver.Start(t)
	var sent commands
	config := mongo.Config{URI: server.URI, Database: server.Database(t), Monitor: sent.monitor()}
	e := open(t, config)
	fill(t, e)
	for i := range 100 { // more than a window of one value, and of many
		r := record(fmt.Sprintf("main/x%03d", i), "P1")
		r.Keys = append(r.Keys, storage.KeyValue{Name: "word", Value: "hot"}, storage.KeyValue{Name: "word", Value: fmt.Sprintf("w%03d", i)})
		if err := e.Insert(t.Context(), "cars", r); err != nil {
			t.Fatal(err)
		}
	}
	sent.take()
	finds := 0
	for _, q := range []storage.Query{
		{Key: "plate"},
		{Key: "plate", Equal: "P1"},
		{Key: "plate", Prefix: "P"},
		{Key: "plate", From: "P1", To: "P3"},
		{Key: "plate", From: "P1"},
		{Key: "word"},
		{Key: "word", Equal: "hot"},
		{Key: "word", Prefix: "w"},
		{Key: "word", From: "a", To: "x"},
		{Key: "word", From: "hot", To: "hotter"},
	} {
		for _, desc := range []bool{false, true} {
			for _, after := range []string{"", storage.Cursor("P1", "main/x050"), storage.Cursor("hot", "main/x050")} {
				q.Desc, q.After, q.Limit, q.Whole = desc, after, 10, true
				if _, err := e.Find(t.Context(), "cars", q); err != nil {
					t.Fatalf("%+v: %v", q, err)
				}
				commands := sent.take()
				if len(commands) > 8 { // of each walk the cursor's value and a range; of many a range narrowed, and a value with more than a window
					t.Errorf("%+v costs %d queries", q, len(commands))
				}
				for _, command := range commands {
					finds++
					walksAnIndex(t, command)
					if server.Real {
						explained(t, config, command)
					}
				}
			}
		}
	}
	if finds < 150 {
		t.Errorf("%d queries were seen", finds)
	}
}

func walksAnIndex(t *testing.T, command bson.Raw) {
	t.Helper()
	var f found
	if err := bson.Unmarshal(command, &f); err != nil {
		t.Fatal(err)
	}
	field, _, _ := strings.Cut(f.Hint, "_down")
	if f.Limit < 1 || f.Limit > 100 || f.Filter[0].Key != field || !slices.Contains([]string{"keys.plate", "keys.word", "many", "many_down"}, f.Hint) {
		t.Errorf("it walks no index, or without an end: %s", command)
	}
	_, equal := f.Filter[0].Value.(string)
	var order []string
	for _, s := range f.Sort {
		order = append(order, s.Key)
	}
	switch want := strings.Join(order, " "); {
	case equal && want == "_id": // the index has the ids of one value in order
	case !equal && field == "many" && want == "": // a window
	case !equal && field != "many" && want == field+" _id":
	default:
		t.Errorf("the index gives no such order: %s", command)
	}
}

// explained looks at the plan of a query: it may sort nothing, and read no more than the index's bounds hold.
func explained(t *testing.T, config mongo.Config, command bson.Raw) {
	t.Helper()
	var asked bson.D
	if err := bson.Unmarshal(command, &asked); err != nil {
		t.Fatal(err)
	}
	asked = slices.DeleteFunc(asked, func(e bson.E) bool {
		return !slices.Contains([]string{"find", "filter", "sort", "hint", "limit", "projection"}, e.Key)
	})
	explain := bson.D{{Key: "explain", Value: asked}, {Key: "verbosity", Value: "executionStats"}}
	plan, err := beside(t, config.URI, config.Database).RunCommand(t.Context(), explain).Raw()
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{`"SORT"`, `"COLLSCAN"`} {
		if strings.Contains(plan.String(), bad) {
			t.Errorf("the plan has %s: %s", bad, plan)
		}
	}
	stats := plan.Lookup("executionStats")
	if stats.Type == bson.TypeEmbeddedDocument {
		if keys, docs := stats.Document().Lookup("totalKeysExamined").AsInt64(), stats.Document().Lookup("nReturned").AsInt64(); keys > 2*docs+50 {
			t.Errorf("%d entries are read for %d documents: %s", keys, docs, command)
		}
	}
}
