package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"example.com/walkaround/domain"
	"example.com/walkaround/storage"
)

// serveBlob serves stored bytes, whole or in ranges. Bytes under a digest never change.
func (s *Server) serveBlob(c *gin.Context, sum, contentType string) error {
	r, info, err := s.openBlob(c.Request.Context(), storeID(c), sum)
	if err != nil {
		return err
	}
	defer r.Close() //nolint:errcheck // read only
	h := c.Writer.Header()
	h.Set("Content-Type", contentType)
	h.Set("ETag", `"`+sum+`"`)
	h.Set("Cache-Control", "private, max-age=31536000, immutable")
	w := &ranged{ResponseWriter: c.Writer}
	http.ServeContent(w, c.Request, "", info.Stored, r)
	if w.refused {
		return domain.Refuse(codeRange, "no such range; the file has %d bytes", info.Bytes)
	}
	return nil
}

// openBlob opens a blob that a document names and holds its bytes to its name: one that is gone or was changed is shown to
// nobody, not even in parts.
func (s *Server) openBlob(ctx context.Context, storeID, sum string) (io.ReadSeekCloser, storage.BlobInfo, error) {
	if err := s.verifyBlob(ctx, storeID, sum); err != nil {
		return nil, storage.BlobInfo{}, err
	}
	r, info, err := s.Blobs.Open(ctx, storeID+"/"+sum)
	if err != nil {
		return nil, info, fmt.Errorf("blob %s: %w", sum, err)
	}
	return r, info, nil
}

// verifyBlob holds the bytes of a blob that a document names to its name. storage.ErrCorrupt also when it is gone.
func (s *Server) verifyBlob(ctx context.Context, storeID, sum string) error {
	err := storage.Verify(ctx, s.Blobs, storeID+"/"+sum)
	if errors.Is(err, storage.ErrNotFound) {
		err = fmt.Errorf("%w: %w", storage.ErrCorrupt, err)
	}
	if err != nil {
		return fmt.Errorf("blob %s: %w", sum, err)
	}
	return nil
}

// readBlob reads a small blob whole.
func (s *Server) readBlob(ctx context.Context, storeID, sum string, limit int64) ([]byte, error) {
	r, info, err := s.openBlob(ctx, storeID, sum)
	if err != nil {
		return nil, err
	}
	defer r.Close() //nolint:errcheck // read only
	if info.Bytes > limit {
		return nil, fmt.Errorf("blob %s: %d bytes: %w", sum, info.Bytes, storage.ErrCorrupt)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read blob %s: %w", sum, err)
	}
	return b, nil
}

// putBlob stores a small blob and gives the hex digits of its SHA-256.
func (s *Server) putBlob(ctx context.Context, storeID string, b []byte) (string, error) {
	info, err := s.Blobs.Put(ctx, storeID, bytes.NewReader(b), int64(len(b)), nil)
	if err != nil {
		return "", fmt.Errorf("store blob: %w", err)
	}
	return strings.TrimPrefix(info.Key, storeID+"/"), nil
}

const codeRange domain.Code = "range_not_satisfiable"

// ranged keeps the text that net/http says of a range that does not exist, so that it can be said as a problem.
type ranged struct {
	gin.ResponseWriter
	refused bool
}

// WriteHeader takes note of a refused range and passes on everything else.
func (w *ranged) WriteHeader(status int) {
	if w.refused = status == http.StatusRequestedRangeNotSatisfiable; w.refused {
		w.Header().Del("Content-Type")
		w.Header().Del("ETag")
		return
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write drops the text of a refusal.
func (w *ranged) Write(b []byte) (int, error) {
	if w.refused {
		return len(b), nil
	}
	return w.ResponseWriter.Write(b)
}
