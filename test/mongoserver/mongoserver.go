// Package mongoserver gives tests a server that speaks MongoDB's wire protocol.
//
// Call Start: it is the server that MONGODB_TEST_URI names, or the stand-in de.bwaldvogel:mongo-java-server, fetched once by
// Maven into the user's cache and run by Java. What passes on the stand-in is not thereby tested on MongoDB; docs/scaling.md
// lists what it gets wrong. NewProxy stands between a client and a server and does harm.
//
// It imports the standard library and the driver.
package mongoserver

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	_ "embed" // the recipe of the stand-in
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

//go:embed pom.xml
var pom []byte

//go:embed StandIn.java
var source []byte

// Server is what a test runs on.
type Server struct {
	URI  string // without a database
	Real bool   // MONGODB_TEST_URI names it; otherwise it is the stand-in

	stdin io.Closer // of the stand-in, which ends with it
}

// Start gives the server that all tests of a process share, until the process ends. Where there is none and the stand-in
// can't be run, the test is skipped, or fails under WALKAROUND_NO_SKIP=1.
func Start(tb testing.TB) *Server {
	tb.Helper()
	s, err := shared()
	if err != nil {
		cannot(tb, "no MONGODB_TEST_URI, and the stand-in can't be had: %v", err)
	}
	return s
}

var shared = sync.OnceValues(func() (*Server, error) {
	if uri := os.Getenv("MONGODB_TEST_URI"); uri != "" { //nolint:forbidigo // a test's setting
		return &Server{URI: uri, Real: true}, nil
	}
	folder, err := standIn()
	if err != nil {
		return nil, err
	}
	return run(folder)
})

// cannot ends a test that this machine can't run: skipped, or failed where everything must run.
func cannot(tb testing.TB, format string, args ...any) {
	tb.Helper()
	if os.Getenv("WALKAROUND_NO_SKIP") == "1" { //nolint:forbidigo // a test's setting
		tb.Fatalf("it must run here, but "+format, args...)
	}
	tb.Skipf(format, args...)
}

// Database names an empty database, which is dropped when the test ends. Its name ends in -test.
func (s *Server) Database(tb testing.TB) string {
	tb.Helper()
	name := "walkaround-" + strings.ToLower(rand.Text()[:8]) + "-test"
	tb.Cleanup(func() {
		if !s.Real {
			return
		}
		if err := Drop(context.Background(), s.URI, name); err != nil {
			tb.Error(err)
		}
	})
	return name
}

// Drop removes a database that Database named, or another of tests.
func Drop(ctx context.Context, uri, name string) error {
	ctx, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	client, err := mongo.Connect(options.Client().ApplyURI(uri))
	if err != nil {
		return err
	}
	if err := errors.Join(client.Database(name).Drop(ctx), client.Disconnect(ctx)); err != nil {
		return fmt.Errorf("drop %s: %w", name, err)
	}
	return nil
}

// standIn is the folder of the stand-in's classes, made if it is absent.
func standIn() (string, error) {
	for _, command := range []string{"java", "javac", "mvn"} {
		if _, err := exec.LookPath(command); err != nil {
			return "", err
		}
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(append(append([]byte(nil), pom...), source...))
	folder := filepath.Join(cache, "walkaround", "mongo-java-server-"+hex.EncodeToString(sum[:6]))
	if _, err := os.Stat(folder); err == nil {
		return folder, nil
	}
	return folder, build(folder)
}

// build makes the folder under another name, and renames it when it is whole: several tests may do so at once.
func build(folder string) (err error) {
	if err := os.MkdirAll(filepath.Dir(folder), 0o750); err != nil {
		return err
	}
	made, err := os.MkdirTemp(filepath.Dir(folder), "making-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(made)) }()
	for name, content := range map[string][]byte{"pom.xml": pom, "StandIn.java": source} {
		if err := os.WriteFile(filepath.Join(made, name), content, 0o600); err != nil {
			return err
		}
	}
	lib := filepath.Join(made, "lib")
	for _, args := range [][]string{
		{"mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=" + lib},
		{"javac", "-cp", filepath.Join(lib, "*"), "-d", made, "StandIn.java"},
	} {
		cmd := exec.Command(args[0], args[1:]...) //nolint:gosec,noctx // our own words; it ends by itself
		cmd.Dir = made
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", args[0], err, bytes.TrimSpace(out))
		}
	}
	if err := os.Rename(made, folder); err != nil {
		_, there := os.Stat(folder) // another test was faster
		return there
	}
	return nil
}

// run starts the stand-in and waits for its port. It ends when its standard input does, so never later than the test.
func run(folder string) (*Server, error) {
	path := folder + string(os.PathListSeparator) + filepath.Join(folder, "lib", "*")
	cmd := exec.Command("java", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-cp", path, "standin.StandIn") //nolint:gosec,noctx // our own words; it ends with this process
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	port, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the stand-in does not start: %w", err), cmd.Wait(), errors.New(said.String()))
	}
	return &Server{URI: "mongodb://127.0.0.1:" + strings.TrimSpace(port), stdin: stdin}, nil
}
