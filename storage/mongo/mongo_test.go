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
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"example.com/walkaround/storage"
	"example.com/walkaround/storage/mongo"
	"example.com/walkaround/storage/storagetest"
	"example.com/walkaround/test/mongoserver"
)

func TestContract(t *testing.T) {
	t.Parallel()
	server := mongoserver.Start(t)
	storagetest.Engine(t, func(t *testing.T) storage.Engine {
		t.Helper()
		return open(t, mongo.Config{URI: server.URI, Database: server.Database(t)})
	})
}

func TestRestorer(t *testing.T) {
	server := mongoserver.Start(t)
	storagetest.Restorer(t, func(t *testing.T) storage.Engine {
		t.Helper()
		return open(t, mongo.Config{URI: server.URI, Database: server.Database(t)})
	})
}

// open opens an engine and closes it with the test.
func open(t *testing.T, c mongo.Config) *mongo.Engine {
	t.Helper()
	e, err := mongo.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// beside is the database as an operator sees it.
func beside(t *testing.T, uri, database string) *driver.Database {
	t.Helper()
	client, err := driver.Connect(options.Client().ApplyURI(uri))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Disconnect(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return client.Database(database)
}

func TestWhatIsRefusedAtTheStart(t *testing.T) {
	server := mongoserver.Start(t)
	proxy := mongoserver.NewProxy(t, server)
	newer := server.Database(t)
	if _, err := beside(t, server.URI, newer).Collection("walkaround.meta").InsertOne(t.Context(), bson.D{{Key: "_id", Value: "format"}, {Key: "version", Value: int64(99)}}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		config mongo.Config
		at     string // the command that is answered so
		answer bson.D
		want   string
	}{
		{"a newer program's documents", mongo.Config{URI: server.URI, Database: newer}, "", nil, "format 99"},
		{"no database", mongo.Config{URI: "mongodb://localhost:1"}, "", nil, "names no database"},
		{"no URI", mongo.Config{URI: "localhost", Database: "x"}, "", nil, "can't be read"},
		{"a URI that contradicts itself", mongo.Config{URI: "mongodb://a,b/x?directConnection=true"}, "", nil, "can't be"},
		{"a password with a mistake beside it", mongo.Config{URI: "mongodb://me:s3cr%et@host:port/x"}, "", nil, "can't be read"},
		{"an old server", mongo.Config{URI: proxy.URI, Database: newer}, "buildInfo", bson.D{{Key: "ok", Value: 1}, {Key: "version", Value: "4.4.9"}, {Key: "versionArray", Value: bson.A{int32(4), int32(4)}}}, "4.4.9 is too old"},
		{"a wrong password", mongo.Config{URI: strings.Replace(proxy.URI, "://", "://me:s3cret@", 1), Database: newer}, "saslStart", mongoserver.Code(18, "AuthenticationFailed"), "AuthenticationFailed"},
		{"a user who may nothing", mongo.Config{URI: proxy.URI, Database: newer}, "buildInfo", mongoserver.Code(13, "Unauthorized"), "Unauthorized"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, open := range []func(context.Context, mongo.Config) (*mongo.Engine, error){mongo.Open, mongo.OpenReadOnly} {
				if c.at != "" {
					proxy.Next(c.at, mongoserver.Harm{Unsent: true, Answer: c.answer})
				}
				_, err := open(t.Context(), c.config)
				if err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "s3cr") {
					t.Errorf("got %v, want a line that says %q", err, c.want)
				}
			}
		})
	}
}

func TestReplicasThatStartAtOnce(t *testing.T) {
	server := mongoserver.Start(t)
	c := mongo.Config{URI: server.URI, Database: server.Database(t)}
	var together sync.WaitGroup
	for range 6 {
		together.Go(func() {
			e, err := mongo.Open(t.Context(), c)
			if err != nil {
				t.Error(err)
				return
			}
			if err := errors.Join(e.Declare(t.Context(), declared), e.Close()); err != nil {
				t.Error(err)
			}
		})
	}
	together.Wait()
	cursor, err := beside(t, c.URI, c.Database).Collection("cars").Indexes().List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var indexes []struct{ Name string }
	if err := cursor.All(t.Context(), &indexes); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, i := range indexes {
		names = append(names, i.Name)
	}
	slices.Sort(names)
	if want := []string{"_id_", "keys.plate", "keys.word", "many", "many_down"}; !slices.Equal(names, want) {
		t.Errorf("indexes %q, want %q", names, want)
	}
}

func TestWhatTheServerCannotDo(t *testing.T) {
	proxy, e, _ := harmed(t, mongoserver.Start(t))
	answer := func(command string, code int32, name string) {
		proxy.Next(command, mongoserver.Harm{Unsent: true, Answer: mongoserver.Code(code, name)})
	}
	answer("createIndexes", 85, "IndexOptionsConflict")
	if err := e.Declare(t.Context(), declared); err == nil || !strings.Contains(err.Error(), "indexes of collection cars") {
		t.Errorf("an index that can't be built: %v", err)
	}
	answer("insert", 14031, "OutOfDiskSpace")
	if err := e.Insert(t.Context(), "cars", record("main/1", "x")); !errors.Is(err, storage.ErrFull) {
		t.Errorf("a full disk: %v", err)
	}
	answer("insert", 10334, "BSONObjectTooLarge")
	if err := e.Insert(t.Context(), "cars", record("main/1", "x")); !errors.Is(err, storage.ErrTooLarge) {
		t.Errorf("a document over the server's limit: %v", err)
	}
	answer("find", 13, "Unauthorized")
	if _, err := e.Get(t.Context(), "cars", "main/1"); err == nil || errors.Is(err, storage.ErrUnavailable) || errors.Is(err, storage.ErrNotFound) {
		t.Errorf("what is forbidden: %v", err)
	}
	answer("createIndexes", 11602, "InterruptedDueToReplStateChange")
	if err := e.Declare(t.Context(), declared); err != nil {
		t.Errorf("an election while indexes are made: %v", err)
	}
}

func TestReadOnly(t *testing.T) {
	server := mongoserver.Start(t)
	c := mongo.Config{URI: server.URI, Database: server.Database(t)}
	empty, err := mongo.OpenReadOnly(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if names, err := empty.Collections(t.Context()); err != nil || len(names) != 0 {
		t.Errorf("an empty database has %q, %v", names, err)
	}
	e := open(t, c)
	if err := errors.Join(empty.Close(), e.Declare(t.Context(), declared), e.Insert(t.Context(), "cars", record("main/1", "x"))); err != nil {
		t.Fatal(err)
	}
	r, err := mongo.OpenReadOnly(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	later := storage.Declaration{Name: "later", Keys: []string{"k"}}
	if err := r.Declare(t.Context(), append(slices.Clone(declared), later)); err != nil {
		t.Fatal(err)
	}
	if got := says(t, r, "main/1"); got != "x in 1" {
		t.Errorf("it reads %s", got)
	}
	if list, err := r.Find(t.Context(), "later", storage.Query{Key: "k", Limit: 1}); err != nil || len(list) != 0 {
		t.Errorf("a collection that is not there: %v, %v", list, err)
	}
	for _, err := range []error{
		r.Insert(t.Context(), "cars", record("main/2", "x")), r.Replace(t.Context(), "cars", replacement("main/1", "y", 1)), r.Delete(t.Context(), "cars", "main/1", 1),
	} {
		if err == nil || errors.Is(err, storage.ErrUnavailable) {
			t.Errorf("a write: %v", err)
		}
	}
	if names, err := r.Collections(t.Context()); err != nil || !slices.Equal(names, []string{"cars"}) {
		t.Errorf("collections %q, %v: what is the engine's own and what was only declared are none", names, err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

// What was changed by hand is found, by all that reads it.
func TestDamage(t *testing.T) {
	server := mongoserver.Start(t)
	set := func(field string, value any) bson.D {
		return bson.D{{Key: "$set", Value: bson.D{{Key: field, Value: value}}}}
	}
	const get, list, whole = 1, 2, 4
	for _, c := range []struct {
		name   string
		change bson.D
		seenBy int
	}{
		{"the document", set("doc.text", "forged"), get | whole},
		{"the document, which is none", set("doc", 7), get | whole},
		{"the summary", set("summary.short", "forged"), list | whole},
		{"the summary gone", bson.D{{Key: "$unset", Value: bson.D{{Key: "summary", Value: 1}}}}, list | whole},
		{"a key", set("keys.plate", "P9"), list | whole},
		{"the entries", set("many", bson.A{"word:a", "word:b"}), list | whole},
		{"the version", set("version", int64(7)), get | list | whole},
		{"the sums", set("sums", int64(7)), get | list | whole},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := mongo.Config{URI: server.URI, Database: server.Database(t)}
			e := open(t, config)
			fill(t, e)
			if _, err := beside(t, config.URI, config.Database).Collection("cars").UpdateByID(t.Context(), "main/3", c.change); err != nil {
				t.Fatal(err)
			}
			_, err := e.Get(t.Context(), "cars", "main/3")
			if got := errors.Is(err, storage.ErrCorrupt); got != (c.seenBy&get != 0) {
				t.Errorf("get: %v", err)
			}
			for _, q := range []storage.Query{{Key: "plate", Limit: 9}, {Key: "word", Limit: 9}, {Key: "plate", Limit: 9, Whole: true}, {Key: "word", Prefix: "a", Limit: 9, Whole: true}} {
				bit := list
				if q.Whole {
					bit = whole
				}
				_, err := e.Find(t.Context(), "cars", q)
				if got := errors.Is(err, storage.ErrCorrupt); got != (c.seenBy&bit != 0) || got && !strings.Contains(err.Error(), "main/3") {
					t.Errorf("%+v: %v", q, err)
				}
				q.SkipDamaged = true
				records, err := e.Find(t.Context(), "cars", q)
				named := slices.ContainsFunc(records, func(r storage.Record) bool { return r.ID == "main/3" && r.Damaged != nil })
				if err != nil || named != (c.seenBy&bit != 0) || len(records) != 5 {
					t.Errorf("%+v: %d records, %v", q, len(records), err)
				}
			}
			if ids := complaints(t, e); !slices.Equal(ids, []string{"main/3"}) {
				t.Errorf("the walk complains of %q", ids)
			}
		})
	}
}

// fill stores main/0 to main/4, each with a summary, a key of one value and one of several.
func fill(t *testing.T, e *mongo.Engine) {
	t.Helper()
	if err := e.Declare(t.Context(), declared); err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		r := record(fmt.Sprint("main/", i), fmt.Sprint("P", i))
		r.Summary, _ = bson.Marshal(bson.D{{Key: "short", Value: "s"}}) // text can always be written
		r.Keys = append(r.Keys, storage.KeyValue{Name: "word", Value: "a"}, storage.KeyValue{Name: "word", Value: fmt.Sprint("w", i)})
		if err := e.Insert(t.Context(), "cars", r); err != nil {
			t.Fatal(err)
		}
	}
}

// complaints are the ids of which a walk says that they are damaged.
func complaints(t *testing.T, e *mongo.Engine) (ids []string) {
	t.Helper()
	if err := e.Walk(t.Context(), "cars", func(r storage.Record, err error) error {
		if errors.Is(err, storage.ErrCorrupt) {
			ids = append(ids, r.ID)
			return nil
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return ids
}

func TestAStrangersDocument(t *testing.T) {
	server := mongoserver.Start(t)
	config := mongo.Config{URI: server.URI, Database: server.Database(t)}
	e := open(t, config)
	fill(t, e)
	cars := beside(t, config.URI, config.Database).Collection("cars")
	for _, doc := range []bson.D{{{Key: "plate", Value: "by hand"}}, {{Key: "_id", Value: "main/9"}, {Key: "plate", Value: "by hand"}}} {
		if _, err := cars.InsertOne(t.Context(), doc); err != nil {
			t.Fatal(err)
		}
	}
	if ids := complaints(t, e); !slices.Equal(ids, []string{"main/9", ""}) {
		t.Errorf("the walk complains of %q", ids)
	}
	if _, err := e.Get(t.Context(), "cars", "main/9"); !errors.Is(err, storage.ErrCorrupt) {
		t.Errorf("got %v", err)
	}
	if err := e.Insert(t.Context(), "cars", record("main/9", "x")); !errors.Is(err, storage.ErrExists) {
		t.Errorf("got %v", err)
	}
}

func TestCloseWaitsForWrites(t *testing.T) {
	server := mongoserver.Start(t)
	config := mongo.Config{URI: server.URI, Database: server.Database(t)}
	plain := open(t, config)
	fill(t, plain)
	e := open(t, config)
	if err := e.Declare(t.Context(), declared); err != nil {
		t.Fatal(err)
	}
	var together sync.WaitGroup
	first := make(chan struct{}, 1000)
	for i := range 16 {
		together.Go(func() {
			for j := 0; ; j++ {
				id := fmt.Sprint("main/", i, "-", j)
				err := e.Insert(t.Context(), "cars", record(id, "x"))
				if err != nil {
					if !errors.Is(err, storage.ErrUnavailable) || says(t, plain, id) != "absent" {
						t.Errorf("%s: %v", id, err)
					}
					return
				}
				first <- struct{}{}
			}
		})
	}
	<-first
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	together.Wait()
}
