package api

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	strict "example.com/walkaround/api/decode"
	"example.com/walkaround/api/image"
	"example.com/walkaround/domain"
	"example.com/walkaround/domain/visit"
	"example.com/walkaround/storage"
)

// Refusals of files.
const (
	codeFileDamaged    domain.Code = "file_damaged"
	codePhotoPixels    domain.Code = "too_many_pixels"
	codeDigestMismatch domain.Code = "digest_mismatch"
)

// fileUpload files a photo or a recording as a document of its own, names it in its visit and answers. A crash between the
// two is mended by the client's repeat. What the visit refuses is not filed: nothing would name it, and it could be read.
func fileUpload[T any](
	s *Server, c *gin.Context, up upload, in *storage.Collection[T], doc T,
	add func(*visit.Visit, visit.StoredFile, visit.Person, domain.Time) (bool, error),
) error {
	ctx, status := c.Request.Context(), http.StatusCreated
	name := func(v *visit.Visit) error {
		added, err := add(v, visit.StoredFile{ID: up.id, SHA256: up.sha256}, person(c), domain.At(s.Now()))
		if err == nil && !added {
			return storage.ErrUnchanged
		}
		return err
	}
	if err := s.tryFile(ctx, &up, name); err != nil {
		return err
	}
	saved, err := in.Insert(ctx, doc)
	if errors.Is(err, storage.ErrExists) {
		status = http.StatusOK
		if saved, err = in.Get(ctx, key(c, up.id)); err == nil && !up.is(saved.Doc) {
			return domain.Refuse(domain.CodeIDTaken, "another file has this id")
		}
	}
	if err != nil {
		return err
	}
	_, err = s.visits.UpdateFrom(ctx, up.visit, name)
	if err != nil && isRefusal(err) && status == http.StatusCreated {
		if left := unfile(ctx, in, key(c, up.id)); left != nil {
			s.Log.WarnContext(ctx, "document of a refused file not deleted", slog.String("file_id", up.id), slog.Any("error", left))
		}
	}
	if err != nil {
		return err
	}
	send(c, status, saved.Doc.AppendJSON)
	return nil
}

// tryFile asks the visit whether it takes a file. A refusal by what was read when the upload began, minutes ago perhaps, is
// judged again by the visit as it is now. UpdateFrom begins with what is stored, whatever is tried here.
func (s *Server) tryFile(ctx context.Context, up *upload, name func(*visit.Visit) error) error {
	trial := up.visit
	err := name(&trial.Value)
	if err == nil || errors.Is(err, storage.ErrUnchanged) {
		return nil
	}
	if up.visit, err = s.visits.Get(ctx, up.visit.Value.StoreID+"/"+up.visitID); err != nil {
		return err
	}
	trial = up.visit
	if err := name(&trial.Value); err != nil && !errors.Is(err, storage.ErrUnchanged) {
		return err
	}
	return nil
}

// unfileTries is how often the relay may come first, which makes the sizes of a photo once.
const unfileTries = 8

// unfile deletes the document of a file that its visit refused after all. Its bytes may be another's too, and stay.
func unfile[T any](ctx context.Context, in *storage.Collection[T], id string) error {
	ctx = context.WithoutCancel(ctx)
	for range unfileTries {
		_, version, err := in.Raw(ctx, id)
		if err == nil {
			err = in.Delete(ctx, id, version)
		}
		if errors.Is(err, storage.ErrNotFound) {
			return nil
		}
		if !errors.Is(err, storage.ErrStale) {
			return err
		}
	}
	return fmt.Errorf("%w: a refused file is changed by others", storage.ErrUnavailable)
}

// fileKind is a kind of file that a visit takes.
type fileKind struct {
	param     string // of the path, that holds the file's id
	limit     int64  // bytes
	mediaType string // how its media types begin
	sniff     func(head []byte) (contentType string, ok bool)
}

// sniffed is how much of a file's beginning is looked at before any of it is stored.
const sniffed = 64

// upload is a file that has arrived and is stored, but not yet named by anything.
type upload struct {
	visit   storage.Saved[visit.Visit] // when the upload began
	visitID string
	id      string
	sha256  string
	blob    storage.BlobInfo
	fresh   bool // its bytes were not stored before
}

// is says whether a stored photo or recording is this very file.
func (up upload) is(doc storage.Document) bool {
	sum, _ := doc.String("sha256")
	visitID, _ := doc.String("visit_id")
	return sum == up.sha256 && visitID == up.visitID
}

// upload streams the body into the blob store while hashing it; it is never held whole. What does not begin as its kind
// does is refused before anything is stored.
func (s *Server) upload(c *gin.Context, kind fileKind) (upload, error) {
	var up upload
	var err error
	if up.visitID, err = pathID(c, "id"); err != nil {
		return up, err
	}
	if up.id, err = pathID(c, kind.param); err != nil {
		return up, err
	}
	if up.visit, err = s.visits.Get(c.Request.Context(), key(c, up.visitID)); err != nil {
		return up, err
	}
	if up.visit.Value.State == visit.Cancelled {
		return up, domain.Refuse(visit.CodeWrongState, "the visit is cancelled")
	}
	want, err := announced(c, kind)
	if err != nil {
		return up, err
	}
	body := bufio.NewReaderSize(bodyReader{http.MaxBytesReader(c.Writer, c.Request.Body, kind.limit)}, sniffed)
	head, err := body.Peek(sniffed)
	if err != nil && !errors.Is(err, io.EOF) {
		return up, err
	}
	if _, ok := kind.sniff(head); !ok {
		return up, fileProblem(notOfKind(head))
	}
	ctx := c.Request.Context()
	hashed := want.hashing(body, c.Request.ContentLength)
	up.blob, err = s.Blobs.Put(ctx, storeID(c), hashed, kind.limit, func(sum string, _ int64) error {
		up.sha256 = sum
		if !hashed.holds(sum) {
			return domain.Refuse(codeDigestMismatch, "the body's digest is another than its Content-Digest says")
		}
		_, err := s.Blobs.Stat(ctx, key(c, sum))
		up.fresh = errors.Is(err, storage.ErrNotFound)
		if errors.Is(err, storage.ErrUnavailable) {
			return err // soon: writing would be waited for as long
		}
		return nil
	})
	return up, err
}

func notOfKind(head []byte) error {
	if len(head) == 0 {
		return image.ErrTruncated
	}
	return image.ErrUnsupported
}

// announced holds what the headers say of a file to its kind, and gives the digests that they announce, if any.
func announced(c *gin.Context, kind fileKind) (digests, error) {
	sent := c.ContentType()
	if !strings.HasPrefix(sent, kind.mediaType) && sent != "application/octet-stream" {
		return digests{}, domain.Refuse(codeMediaType, "the body must be %s…", kind.mediaType)
	}
	if c.Request.ContentLength > kind.limit {
		return digests{}, domain.Refuse(codeTooLarge, "the body is over %d bytes", kind.limit)
	}
	return contentDigest(c.Request.Header)
}

// bodyReader tells a body that broke off from a storage that failed.
type bodyReader struct{ io.Reader }

func (r bodyReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		return n, strict.Unreadable(err)
	}
	return n, err
}

// discard deletes the bytes of a file that was refused and says what is wrong with it. Bytes that were stored before may
// be named by something else, where they are right, and stay.
func (s *Server) discard(ctx context.Context, up upload, err error) error {
	problem := fileProblem(err)
	if !up.fresh || !isRefusal(problem) {
		return problem
	}
	ctx = context.WithoutCancel(ctx)
	gone := s.Blobs.Delete(ctx, up.blob.Key)
	if gone != nil && !errors.Is(gone, storage.ErrNotFound) && !errors.Is(gone, storage.ErrRetained) {
		s.Log.WarnContext(ctx, "refused file not deleted", slog.String("blob", up.blob.Key), slog.Any("error", gone))
	}
	return problem
}

// fileProblem says what is wrong with a file.
func fileProblem(err error) error {
	switch {
	case errors.Is(err, image.ErrUnsupported):
		return domain.Refuse(codeMediaType, "the bytes are not of a format that is taken")
	case errors.Is(err, image.ErrTooManyPixels):
		return domain.Refuse(codePhotoPixels, "the picture claims more pixels than are taken")
	case errors.Is(err, image.ErrTruncated):
		return domain.Refuse(codeFileDamaged, "the file ends before its end")
	case errors.Is(err, image.ErrMalformed):
		return domain.Refuse(codeFileDamaged, "the file can't be read")
	default:
		return fmt.Errorf("inspect file: %w", err)
	}
}
