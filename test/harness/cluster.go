package harness

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"go.mongodb.org/mongo-driver/v2/event"

	"example.com/walkaround/storage/minio"
	"example.com/walkaround/storage/mongo"
	"example.com/walkaround/storage/open"
	"example.com/walkaround/test/minioserver"
	"example.com/walkaround/test/mongoserver"
)

// storageSetting chooses where houses lie: "cluster" is MongoDB (or the stand-in, see mongoserver) and MinIO.
const storageSetting = "WALKAROUND_TEST_STORAGE"

// cluster is what all houses of a test process lie on, beside the server of mongoserver; nil: each lies in a folder.
type cluster struct {
	blobs  *minioserver.Server
	folder string
}

//nolint:gochecknoglobals // of the process, set by Main before its tests and never changed
var servers *cluster

// Main runs the tests of a package on the engines that WALKAROUND_TEST_STORAGE names: call it in TestMain.
func Main(m *testing.M) int {
	if os.Getenv(storageSetting) == "" { //nolint:forbidigo // a test's setting
		return m.Run()
	}
	c, err := launch(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, "harness:", err)
		return 1
	}
	servers = c
	code := m.Run()
	c.blobs.Kill()
	if err := os.RemoveAll(c.folder); err != nil {
		fmt.Fprintln(os.Stderr, "harness:", err)
	}
	return code
}

func launch(ctx context.Context) (*cluster, error) {
	if chosen := os.Getenv(storageSetting); chosen != "cluster" { //nolint:forbidigo // a test's setting
		return nil, fmt.Errorf("%s is %q; only cluster is known", storageSetting, chosen)
	}
	folder, err := os.MkdirTemp("", "walkaround-minio-")
	if err != nil {
		return nil, err
	}
	c := &cluster{folder: folder}
	if c.blobs, err = minioserver.Launch(ctx, folder, minioserver.Options{}); err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	return c, nil
}

// lies says where a house of this folder lies: in it, or in a database and a bucket of its own that are found again by it.
func (h *House) lies() open.Config {
	c := open.Config{Folder: h.Folder, Now: h.Clock.Now}
	if servers == nil {
		return c
	}
	sum := sha256.Sum256([]byte(h.Folder))
	name := "walkaround-" + hex.EncodeToString(sum[:6]) + "-test"
	c.Mongo = mongo.Config{URI: mongoserver.Start(h.tb).URI, Database: name, Monitor: h.trips.monitor(name)}
	c.MinIO = minio.Config{
		Endpoint: servers.blobs.URL, Bucket: name, AccessKey: servers.blobs.AccessKey, SecretKey: servers.blobs.SecretKey, Lock: minio.LockGovernance,
	}
	return c
}

// trips are the commands to MongoDB since they were last asked for. Those that are under way together are one round trip.
type trips struct {
	mu    sync.Mutex
	open  int
	made  []string
	waits int
}

func (t *trips) begin(what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open == 0 {
		t.waits++
	}
	t.open++
	t.made = append(t.made, what)
}

func (t *trips) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.open--
}

func (t *trips) take() (waits int, made []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	waits, made = t.waits, t.made
	t.waits, t.made = 0, nil
	return waits, made
}

// monitor counts what the driver asks of a database.
func (t *trips) monitor(database string) *event.CommandMonitor {
	return &event.CommandMonitor{
		Started: func(_ context.Context, e *event.CommandStartedEvent) {
			if e.DatabaseName == database {
				on, _ := e.Command.Lookup(e.CommandName).StringValueOK()
				t.begin(e.CommandName + " " + on)
			}
		},
		Succeeded: func(_ context.Context, e *event.CommandSucceededEvent) {
			if e.DatabaseName == database {
				t.end()
			}
		},
		Failed: func(_ context.Context, e *event.CommandFailedEvent) {
			if e.DatabaseName == database {
				t.end()
			}
		},
	}
}

// Trips counts how often do waits for MongoDB, one after the other, and names the commands with their collections. Where
// there is none, the test ends.
func (h *House) Trips(do func()) (waits int, commands []string) {
	h.tb.Helper()
	if servers == nil {
		h.tb.Skipf("no MongoDB: it counts round trips under %s=cluster", storageSetting)
	}
	h.trips.take()
	do()
	return h.trips.take()
}

// OnFiles ends a test that looks into the files of the embedded engines, where there are none.
func OnFiles(tb testing.TB) {
	tb.Helper()
	if servers != nil {
		tb.Skip("it looks into the files of SQLite and the disk")
	}
}

// drop removes the database of a house from a real server. The stand-in ends with the process.
func (h *House) drop(c open.Config) {
	if servers == nil || !mongoserver.Start(h.tb).Real || !strings.HasSuffix(c.Mongo.Database, "-test") {
		return
	}
	if err := mongoserver.Drop(context.Background(), c.Mongo.URI, c.Mongo.Database); err != nil {
		h.tb.Errorf("harness: %v", err)
	}
}
