package mongo_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"example.com/walkaround/storage"
	"example.com/walkaround/storage/mongo"
	"example.com/walkaround/test/mongoserver"
)

var declared = []storage.Declaration{{Name: "cars", Keys: []string{"plate", "word"}}}

// TestFaults does all harm at once, each to an engine of its own: they mostly wait for the driver, which asks a server that
// failed again after half a second.
func TestFaults(t *testing.T) {
	t.Parallel()
	server := mongoserver.Start(t)
	var together sync.WaitGroup
	run := func(name string, test func(*testing.T)) {
		together.Go(func() { t.Run(name, test) })
	}
	for name, harms := range map[string][]mongoserver.Harm{
		"request lost": {lost}, "answer lost": {unanswered}, "stepped down before": {stepDown}, "stepped down after": {steppedIn},
		"no majority yet": {noMajority}, "several in a row": {lost, unanswered, stepDown}, "a long election": {stepDown, stepDown, stepDown},
	} {
		run("writes: "+name, func(t *testing.T) { t.Helper(); writes(t, server, harms) })
	}
	for name, harm := range map[string]mongoserver.Harm{"request lost": lost, "answer lost": unanswered, "stepped down before": stepDown, "stepped down after": steppedIn} {
		run("refusals: "+name, func(t *testing.T) { t.Helper(); refusals(t, server, harm) })
	}
	for name, harm := range map[string]mongoserver.Harm{"connections cut": lost, "no primary": stepDown, "no majority": noMajority} {
		run("without end: "+name, func(t *testing.T) { t.Helper(); withoutEnd(t, server, harm) })
	}
	run("answers that can't be known", func(t *testing.T) { t.Helper(); unknown(t, server) })
	for name, c := range map[string]struct{ read, replace bool }{
		"delete": {}, "delete of what was read": {read: true}, "replace": {replace: true}, "replace of what was read": {read: true, replace: true},
	} {
		run("another's in the same version: "+name, func(t *testing.T) { t.Helper(); sameVersion(t, server, c.read, c.replace) })
	}
	run("a record that was not read", func(t *testing.T) { t.Helper(); notRead(t, server) })
	run("server down for a while", func(t *testing.T) { t.Helper(); downForAWhile(t, server) })
	run("server down at the start", func(t *testing.T) { t.Helper(); downAtTheStart(t, server) })
	together.Wait()
}

// harmed is an engine behind a proxy, and one beside it that nothing happens to. Both know the collection cars.
func harmed(t *testing.T, server *mongoserver.Server) (*mongoserver.Proxy, *mongo.Engine, *mongo.Engine) {
	t.Helper()
	proxy := mongoserver.NewProxy(t, server)
	database := server.Database(t)
	plain := open(t, mongo.Config{URI: server.URI, Database: database})
	behind := open(t, mongo.Config{URI: proxy.URI + "&timeoutMS=4000", Database: database})
	for _, e := range []*mongo.Engine{plain, behind} {
		if err := e.Declare(t.Context(), declared); err != nil {
			t.Fatal(err)
		}
	}
	return proxy, behind, plain
}

func record(id, text string) storage.Record {
	doc, _ := bson.Marshal(bson.D{{Key: "text", Value: text}}) // text can always be written
	return storage.Record{ID: id, Doc: doc, Keys: []storage.KeyValue{{Name: "plate", Value: text}}}
}

func replacement(id, text string, version int64) storage.Record {
	r := record(id, text)
	r.Version = version
	return r
}

// says reads a record: "text in version", or its absence.
func says(t *testing.T, e *mongo.Engine, id string) string {
	t.Helper()
	r, err := e.Get(t.Context(), "cars", id)
	if errors.Is(err, storage.ErrNotFound) {
		return "absent"
	}
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(r.Doc.Lookup("text").StringValue(), " in ", r.Version)
}

// ways in which the answer to a write is not the server's.
var (
	lost       = mongoserver.Harm{Unsent: true} // the connection is cut before the request arrives
	unanswered = mongoserver.Harm{}             // and after it was done
	stepDown   = mongoserver.Harm{Unsent: true, Answer: mongoserver.Code(10107, "NotWritablePrimary")}
	steppedIn  = mongoserver.Harm{Answer: mongoserver.Code(189, "PrimarySteppedDown")} // between doing and answering
	noMajority = mongoserver.Harm{Answer: bson.D{{Key: "ok", Value: 1.0}, {Key: "n", Value: int32(1)}, {Key: "nModified", Value: int32(1)}, {Key: "writeConcernError", Value: bson.D{
		{Key: "code", Value: int32(64)}, {Key: "codeName", Value: "WriteConcernFailed"}, {Key: "errmsg", Value: "waiting for replication timed out"},
	}}}}
)

// writes: whatever happens to the answers, a write is told as done when it is done, and is done once.
func writes(t *testing.T, server *mongoserver.Server, harms []mongoserver.Harm) {
	t.Helper()
	proxy, e, plain := harmed(t, server)
	ctx := t.Context()
	proxy.Next("insert", harms...)
	if err := e.Insert(ctx, "cars", record("main/1", "one")); err != nil {
		t.Errorf("insert: %v", err)
	}
	if got := says(t, plain, "main/1"); got != "one in 1" {
		t.Errorf("after the insert: %s", got)
	}
	proxy.Next("update", harms...)
	if err := e.Replace(ctx, "cars", replacement("main/1", "two", 1)); err != nil {
		t.Errorf("replace: %v", err)
	}
	if got := says(t, plain, "main/1"); got != "two in 2" {
		t.Errorf("after the replace: %s", got)
	}
	proxy.Next("delete", harms...)
	if err := e.Delete(ctx, "cars", "main/1", 2); err != nil {
		t.Errorf("delete: %v", err)
	}
	if got := says(t, plain, "main/1"); got != "absent" {
		t.Errorf("after the delete: %s", got)
	}
}

// refusals stay what they are when answers are lost: what others did is told from what one did oneself.
func refusals(t *testing.T, server *mongoserver.Server, harm mongoserver.Harm) {
	t.Helper()
	proxy, e, plain := harmed(t, server)
	ctx := t.Context()
	for _, err := range []error{
		plain.Insert(ctx, "cars", record("main/1", "another's")), plain.Insert(ctx, "cars", record("main/2", "another's")),
		plain.Replace(ctx, "cars", replacement("main/2", "another's", 1)),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	proxy.Next("insert", harm)
	if err := e.Insert(ctx, "cars", record("main/1", "mine")); !errors.Is(err, storage.ErrExists) {
		t.Errorf("insert: %v", err)
	}
	proxy.Next("update", harm)
	if err := e.Replace(ctx, "cars", replacement("main/2", "mine", 1)); !errors.Is(err, storage.ErrStale) {
		t.Errorf("replace: %v", err)
	}
	proxy.Next("update", harm)
	if err := e.Replace(ctx, "cars", replacement("main/3", "mine", 1)); err == nil || errors.Is(err, storage.ErrStale) {
		t.Errorf("replace of nothing: %v", err)
	}
	proxy.Next("delete", harm)
	if err := e.Delete(ctx, "cars", "main/2", 1); !errors.Is(err, storage.ErrStale) {
		t.Errorf("delete: %v", err)
	}
	if one, two := says(t, plain, "main/1"), says(t, plain, "main/2"); one != "another's in 1" || two != "another's in 2" {
		t.Errorf("what others wrote is now %s and %s", one, two)
	}
}

// unknown: what can't be known is never told as a refusal, after which the caller would do it once more.
func unknown(t *testing.T, server *mongoserver.Server) {
	t.Helper()
	proxy, e, plain := harmed(t, server)
	ctx := t.Context()
	if err := plain.Insert(ctx, "cars", record("main/1", "one")); err != nil {
		t.Fatal(err)
	}
	says(t, e, "main/1")                             // what was read is sent again
	proxy.Next("update", mongoserver.Harm{Times: 2}) // done, and the repeat is refused, both unanswered
	done := make(chan struct{})
	go func() {
		defer close(done)
		others(t, plain, "main/1")
	}()
	if err := e.Replace(ctx, "cars", replacement("main/1", "mine", 1)); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
	<-done
	if err := e.Replace(ctx, "cars", replacement("main/1", "mine", 1)); !errors.Is(err, storage.ErrStale) {
		t.Errorf("and later: %v", err)
	}
}

// others replace a record as soon as it is in version 2, twice.
func others(t *testing.T, e *mongo.Engine, id string) {
	t.Helper()
	for version := int64(2); version < 4; {
		if t.Context().Err() != nil {
			return
		}
		if err := e.Replace(t.Context(), "cars", replacement(id, "another's", version)); err == nil {
			version++
		} else if !errors.Is(err, storage.ErrStale) {
			t.Error(err)
			return
		}
	}
}

// sameVersion: versions begin again at 1, so a change whose answer was lost must not be made to the record that another put
// where the former one was.
func sameVersion(t *testing.T, server *mongoserver.Server, read, replace bool) {
	t.Helper()
	proxy, e, plain := harmed(t, server)
	ctx := t.Context()
	if err := plain.Insert(ctx, "cars", record("main/1", "old")); err != nil {
		t.Fatal(err)
	}
	if read {
		says(t, e, "main/1")
	}
	command, change := "delete", func() error { return e.Delete(ctx, "cars", "main/1", 1) }
	if replace {
		command, change = "update", func() error { return e.Replace(ctx, "cars", replacement("main/1", "mine", 1)) }
	}
	proxy.Next(command, unanswered, lost) // done; the repeat, if there is one, comes late
	done := make(chan error, 1)
	go func() { done <- another(ctx, plain, "main/1", replace) }()
	if err := change(); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("%s: %v, want that it can't be known", command, err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := says(t, plain, "main/1"); got != "another's in 1" {
		t.Errorf("stored: %s, want another's", got)
	}
}

// another inserts a record as soon as it is gone, or deletes the second version first.
func another(ctx context.Context, e *mongo.Engine, id string, second bool) error {
	for second {
		err := e.Delete(ctx, "cars", id, 2)
		second = errors.Is(err, storage.ErrStale)
		if err != nil && !second {
			return err
		}
	}
	for {
		err := e.Insert(ctx, "cars", record(id, "another's"))
		if !errors.Is(err, storage.ErrExists) {
			return err
		}
	}
}

// notRead: of a record that is neither gone nor remembered nobody knows whether it is the one that a change was sent for.
func notRead(t *testing.T, server *mongoserver.Server) {
	t.Helper()
	proxy, e, plain := harmed(t, server)
	ctx := t.Context()
	if err := plain.Insert(ctx, "cars", record("main/1", "one")); err != nil {
		t.Fatal(err)
	}
	proxy.Next("update", lost)
	if err := e.Replace(ctx, "cars", replacement("main/1", "two", 1)); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("replace: %v", err)
	}
	proxy.Next("update", unanswered)
	if err := e.Replace(ctx, "cars", replacement("main/1", "two", 1)); err != nil {
		t.Errorf("replace that happened: %v", err)
	}
	proxy.Next("delete", lost)
	if err := e.Delete(ctx, "cars", "main/1", 2); err != nil { // its own write is remembered
		t.Errorf("delete: %v", err)
	}
	if err := plain.Insert(ctx, "cars", record("main/1", "one")); err != nil {
		t.Fatal(err)
	}
	proxy.Next("delete", lost)
	if err := e.Delete(ctx, "cars", "main/1", 1); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("delete: %v", err)
	}
	if got := says(t, plain, "main/1"); got != "one in 1" {
		t.Errorf("stored: %s", got)
	}
	proxy.Next("delete", unanswered)
	if err := e.Delete(ctx, "cars", "main/1", 1); err != nil {
		t.Errorf("delete that happened: %v", err)
	}
}

// withoutEnd: with no end of trouble a write ends as out of reach, soon; reads too.
func withoutEnd(t *testing.T, server *mongoserver.Server, harm mongoserver.Harm) {
	t.Helper()
	proxy, e, plain := harmed(t, server)
	harm.Times = 100
	proxy.Next("insert", harm)
	begin := time.Now()
	if err := e.Insert(t.Context(), "cars", record("main/1", "x")); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("insert: %v", err)
	}
	want := "x in 1" // what no majority confirmed stays, and a repeat finds it
	if harm.Unsent {
		want = "absent"
		proxy.Next("find", harm)
		if _, err := e.Find(t.Context(), "cars", storage.Query{Key: "plate", Limit: 1}); !errors.Is(err, storage.ErrUnavailable) {
			t.Errorf("find: %v", err)
		}
	}
	if took := time.Since(begin); took > 9*time.Second {
		t.Errorf("it took %v to say so", took)
	}
	if got := says(t, plain, "main/1"); got != want {
		t.Errorf("stored: %s, want %s", got, want)
	}
}

func downForAWhile(t *testing.T, server *mongoserver.Server) {
	t.Helper()
	proxy, e, _ := harmed(t, server)
	ctx := t.Context()
	if err := e.Insert(ctx, "cars", record("main/1", "before")); err != nil {
		t.Fatal(err)
	}
	proxy.Down()
	begin := time.Now()
	var together sync.WaitGroup
	for name, call := range map[string]func() error{
		"get":    func() error { _, err := e.Get(ctx, "cars", "main/1"); return err },
		"insert": func() error { return e.Insert(ctx, "cars", record("main/2", "x")) },
		"ping":   func() error { return e.Ping(ctx) },
	} {
		together.Go(func() {
			if err := call(); !errors.Is(err, storage.ErrUnavailable) {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	together.Wait()
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("it took %v to say so", took)
	}
	hurried, stop := context.WithTimeout(ctx, 50*time.Millisecond)
	defer stop()
	begin = time.Now()
	if _, err := e.Get(hurried, "cars", "main/1"); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) > time.Second {
		t.Errorf("with a deadline: %v after %v", err, time.Since(begin))
	}
	proxy.Up(t)
	if got := says(t, e, "main/1"); got != "before in 1" {
		t.Errorf("when it is back: %s", got)
	}
	if err := e.Insert(ctx, "cars", record("main/2", "after")); err != nil {
		t.Errorf("it does not heal: %v", err)
	}
}

func downAtTheStart(t *testing.T, server *mongoserver.Server) {
	t.Helper()
	proxy := mongoserver.NewProxy(t, server)
	proxy.Down()
	var log strings.Builder
	told := make(chan struct{}, 100)
	c := mongo.Config{URI: proxy.URI, Database: server.Database(t), Log: slog.New(slog.NewJSONHandler(teller{&log, told}, nil))}
	opened := make(chan error)
	go func() {
		e, err := mongo.Open(t.Context(), c)
		if err == nil {
			err = e.Close()
		}
		opened <- err
	}()
	<-told
	proxy.Up(t)
	if err := <-opened; err != nil {
		t.Error(err)
	}
	if line, _, _ := strings.Cut(log.String(), "\n"); !strings.Contains(line, `"MongoDB is out of reach: trying again"`) || !strings.Contains(line, "127.0.0.1") {
		t.Errorf("the log says %s", line)
	}
	proxy.Down()
	ctx, stop := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer stop()
	if _, err := mongo.Open(ctx, c); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the end of the context", err)
	}
}

// teller says when something was written.
type teller struct {
	b    *strings.Builder
	told chan<- struct{}
}

func (t teller) Write(b []byte) (int, error) {
	defer func() { t.told <- struct{}{} }()
	return t.b.Write(b)
}
