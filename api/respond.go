package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/gin-gonic/gin"
	"github.com/klauspost/compress/gzip"

	"example.com/walkaround/domain"
	"example.com/walkaround/storage"
)

const contentJSON = "application/json"

var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 8<<10); return &b }}

// send writes a JSON body that write appends to a pooled buffer.
func send(c *gin.Context, status int, write func([]byte) []byte) {
	pooled, _ := buffers.Get().(*[]byte)
	*pooled = write((*pooled)[:0])
	c.Data(status, contentJSON, *pooled)
	if cap(*pooled) <= 1<<20 {
		buffers.Put(pooled)
	}
}

// sendValue answers 200 with a Go value as JSON.
func sendValue(c *gin.Context, v any) error {
	encoded, err := encode(v)
	if err != nil {
		return err
	}
	c.Data(http.StatusOK, contentJSON, encoded)
	return nil
}

// encode makes JSON as Document.AppendJSON does: no HTML escapes.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode answer: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// sendList writes a page: items, next_cursor and the Link header. item writes one entry; nil writes the document.
func (s *Server) sendList(c *gin.Context, page storage.Page, item func(dst []byte, d storage.Document) []byte) {
	if item == nil {
		item = func(dst []byte, d storage.Document) []byte { return d.AppendJSON(dst) }
	}
	s.logDamaged(c, page.Damaged)
	sendItems(c, page.Next, len(page.Items), func(dst []byte, i int) []byte { return item(dst, page.Items[i]) })
}

func (s *Server) logDamaged(c *gin.Context, damaged []error) {
	for _, d := range damaged {
		s.Log.ErrorContext(c.Request.Context(), "left out of a list", slog.String("request_id", requestID(c)), slog.Any("error", d))
	}
}

// sendItems is sendList for n entries that item writes by their index.
func sendItems(c *gin.Context, cursor string, n int, item func(dst []byte, i int) []byte) {
	if cursor != "" {
		next := *c.Request.URL
		query := next.Query()
		query.Set("cursor", cursor)
		next.RawQuery = query.Encode()
		c.Header("Link", "<"+next.RequestURI()+`>; rel="next"`)
	}
	sendZipped(c, func(dst []byte) []byte {
		dst = append(dst, `{"items":[`...)
		for i := range n {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = item(dst, i)
		}
		dst = append(dst, `],"next_cursor":`...)
		if cursor == "" {
			return append(dst, "null}"...)
		}
		return append(strconv.AppendQuote(dst, cursor), '}')
	})
}

var zippers = sync.Pool{New: func() any { w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed); return w }}

// sendZipped is send with gzip where the client takes it and it pays.
func sendZipped(c *gin.Context, write func([]byte) []byte) {
	c.Writer.Header().Add("Vary", "Accept-Encoding")
	if !takesGzip(c.GetHeader("Accept-Encoding")) {
		send(c, http.StatusOK, write)
		return
	}
	plain := write(nil)
	if len(plain) < 1_400 { // one packet: nothing to win
		c.Data(http.StatusOK, contentJSON, plain)
		return
	}
	var b bytes.Buffer
	w, _ := zippers.Get().(*gzip.Writer)
	defer zippers.Put(w)
	w.Reset(&b)
	_, err := w.Write(plain)
	if closed := w.Close(); err != nil || closed != nil { // a buffer takes everything: can't be
		c.Data(http.StatusOK, contentJSON, plain)
		return
	}
	c.Header("Content-Encoding", "gzip")
	c.Data(http.StatusOK, contentJSON, b.Bytes())
}

// takesGzip reads Accept-Encoding (RFC 9110 section 12.5.3): gzip counts when it is named and its q is not 0.
func takesGzip(header string) bool {
	for coding := range strings.SplitSeq(header, ",") {
		name, weight, _ := strings.Cut(coding, ";")
		if !strings.EqualFold(strings.TrimSpace(name), "gzip") {
			continue
		}
		key, value, weighed := strings.Cut(weight, "=")
		if !weighed || !strings.EqualFold(strings.TrimSpace(key), "q") {
			return true
		}
		q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		return err == nil && q > 0
	}
	return false
}

// listQuery reads limit and cursor of a list that walks a key.
func listQuery(c *gin.Context, key, prefix string) (storage.Query, error) {
	q := storage.Query{Key: key, Prefix: prefix, Limit: 50, After: c.Query("cursor"), SkipDamaged: true}
	if text := c.Query("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > storage.MaxFind {
			return q, badParameter("limit", "a number from 1 to %d", storage.MaxFind)
		}
		q.Limit = n
	}
	return q, nil
}

// maxFilter is the longest filter, in bytes: longer than any name, plate or number that is filed.
const maxFilter = 480

// filter is a query parameter that narrows a list by the declared key of its name.
type filter struct {
	name string
	form func(typed string) string // in which values are filed
}

// narrow applies the filter that was sent, if any. Values match from their start, in order of the value.
func narrow(c *gin.Context, q *storage.Query, filters ...filter) error {
	narrowed := false
	for _, f := range filters {
		typed := c.Query(f.name)
		if typed == "" {
			continue
		}
		if len(typed) > maxFilter || !utf8.ValidString(typed) || strings.ContainsRune(typed, 0) {
			return badParameter(f.name, "text of at most %d bytes", maxFilter)
		}
		value := f.form(typed)
		switch {
		case narrowed:
			return badParameter(f.name, "at most one filter is taken")
		case value == "":
			return badParameter(f.name, "holds nothing to look for")
		}
		q.Key, q.Prefix, q.Desc = f.name, storeID(c)+"/"+value, false
		narrowed = true
	}
	return nil
}

func badParameter(name, format string, args ...any) error {
	return &domain.Error{Code: codeBadParameter, Detail: "a query parameter is wrong", Fields: []domain.Field{{
		Pointer: "/query/" + name, Code: codeBadParameter, Message: fmt.Sprintf(format, args...),
	}}}
}
