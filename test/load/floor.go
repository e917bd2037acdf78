package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
)

// appended is what one write leaves on the disk.
const appended = 700

// floor is the least that any server could do: a bare Gin handler a kind of request, which answers as many bytes.
type floor struct {
	log     *os.File
	turn    sync.Mutex
	folder  string
	answer  []byte
	line    []byte
	buffers sync.Pool
}

// serveFloor serves until ctx ends. It prints its address as the server does.
func serveFloor(ctx context.Context, stdout io.Writer) error {
	folder, err := os.MkdirTemp("", "floor-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder) //nolint:errcheck // a temporary folder
	f := &floor{folder: folder, answer: bytes.Repeat([]byte("x"), 1<<20), line: bytes.Repeat([]byte("x"), appended)}
	f.buffers.New = func() any { return new([128 << 10]byte) }
	f.log, err = os.OpenFile(filepath.Join(folder, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600) //nolint:gosec // made above
	if err != nil {
		return err
	}
	defer f.log.Close() //nolint:errcheck // nobody reads it
	gin.SetMode(gin.ReleaseMode)
	g := gin.New()
	g.Handle(http.MethodGet, "/constant/:bytes", f.constant)
	g.Handle(http.MethodPut, "/append/:bytes", f.append)
	g.Handle(http.MethodPut, "/append-in-turn/:bytes", f.appendInTurn)
	g.Handle(http.MethodPut, "/file/:bytes", f.file)
	return listenAndServe(ctx, g, stdout)
}

func listenAndServe(ctx context.Context, h http.Handler, stdout io.Writer) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() }) // that is its end
	defer stop()
	if _, err := fmt.Fprintf(stdout, "listening on http://%s\n", l.Addr()); err != nil {
		return err
	}
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// respond answers as many bytes as the path says.
func (f *floor) respond(c *gin.Context, err error) {
	n, bad := strconv.Atoi(c.Param("bytes"))
	if bad != nil || n < 0 || n > len(f.answer) || err != nil {
		c.String(http.StatusInternalServerError, "%v", errors.Join(err, bad))
		return
	}
	c.Data(http.StatusOK, "application/json", f.answer[:n])
}

func (f *floor) constant(c *gin.Context) { f.respond(c, nil) }

// append takes the body, appends a line and makes it durable, each request for itself. Where many do so at once the
// system may serve several by one write to the disk.
func (f *floor) append(c *gin.Context) {
	_, err := io.ReadAll(c.Request.Body)
	if err == nil {
		_, err = f.log.Write(f.line)
	}
	f.respond(c, errors.Join(err, datasync(f.log)))
}

// appendInTurn is append with one request at a time, as a log has it whose lines must have an order.
func (f *floor) appendInTurn(c *gin.Context) {
	f.turn.Lock()
	defer f.turn.Unlock()
	f.append(c)
}

// file streams the body to a file of its own with its SHA-256, and makes it durable.
func (f *floor) file(c *gin.Context) {
	file, err := os.CreateTemp(f.folder, "*")
	if err != nil {
		f.respond(c, err)
		return
	}
	defer os.Remove(file.Name()) //nolint:errcheck // so that the disk does not fill
	sum := sha256.New()
	err = f.stream(c.Request.Body, file, sum)
	f.respond(c, errors.Join(err, file.Sync(), file.Close()))
}

func (f *floor) stream(from io.Reader, file io.Writer, sum hash.Hash) error {
	buffer, _ := f.buffers.Get().(*[128 << 10]byte)
	defer f.buffers.Put(buffer)
	_, err := io.CopyBuffer(struct{ io.Writer }{io.MultiWriter(file, sum)}, struct{ io.Reader }{from}, buffer[:])
	return err
}
