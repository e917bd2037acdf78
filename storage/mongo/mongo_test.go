package mongo_test

import (
	"testing"

	"example.com/walkaround/storage"
	"example.com/walkaround/storage/mongo"
	"example.com/walkaround/storage/storagetest"
	"example.com/walkaround/test/mongoserver"
)

func TestContract(t *testing.T) {
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
