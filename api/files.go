package api

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"example.com/walkaround/api/image"
	"example.com/walkaround/domain"
	"example.com/walkaround/domain/staff"
	"example.com/walkaround/domain/visit"
	"example.com/walkaround/storage"
)

const maxRecording = 10 << 20

// Refusals of files.
const (
	codePhotoBroken    domain.Code = "file_damaged"
	codePhotoPixels    domain.Code = "too_many_pixels"
	codeDigestMismatch domain.Code = "digest_mismatch"
)

func (s *Server) fileRoutes() []route {
	return []route{
		{http.MethodGet, "/v1/visits/:id/photos", staff.AreaReadVisits, "limit cursor", s.listPhotos},
		{http.MethodPut, "/v1/visits/:id/photos/:photo_id", staff.AreaCapture, "", s.putPhoto},
		{http.MethodGet, "/v1/visits/:id/photos/:photo_id", staff.AreaReadVisits, "size", s.getPhoto},
		{http.MethodPut, "/v1/visits/:id/recordings/:recording_id", staff.AreaCapture, "", s.putRecording},
		{http.MethodGet, "/v1/visits/:id/recordings/:recording_id", staff.AreaReadVisits, "", s.getRecording},
	}
}

func photosOf(e storage.Engine) *storage.Collection[visit.Photo] {
	return storage.NewCollection(e, storage.Shape[visit.Photo]{
		Name: "photos",
		ID:   func(p *visit.Photo) string { return p.StoreID + "/" + p.ID },
		Keys: []storage.Key[visit.Photo]{
			{Name: "visit", Values: func(p *visit.Photo) []string {
				return []string{p.StoreID + "/" + p.VisitID + "/" + p.StoredAt.String()}
			}},
			{Name: "pending", Values: func(p *visit.Photo) []string { return p.Outbox.PendingKey() }},
			{Name: "failed", Values: func(p *visit.Photo) []string { return p.Outbox.FailedKey() }},
		},
	})
}

func recordingsOf(e storage.Engine) *storage.Collection[visit.Recording] {
	return storage.NewCollection(e, storage.Shape[visit.Recording]{
		Name: "recordings",
		ID:   func(r *visit.Recording) string { return r.StoreID + "/" + r.ID },
	})
}

// PhotoList is a page of photos.
type PhotoList struct {
	Items      []visit.Photo `json:"items"`
	NextCursor *string       `json:"next_cursor"`
}

// listPhotos lists a visit's photos.
//
//	@Summary		List a visit's photos
//	@Description	In the order in which they were stored.
//	@ID				listPhotos
//	@Tags			photos
//	@Security		bearer
//	@Produce		json
//	@Param			id		path		string	true	"id of the visit"	format(uuid)
//	@Param			limit	query		int		false	"entries a page, 1 to 200"	minimum(1)	maximum(200)	default(50)
//	@Param			cursor	query		string	false	"next_cursor of the page before"
//	@Success		200		{object}	PhotoList
//	@Header			200		{string}	Link	"the next page, rel=next"
//	@Router			/v1/visits/{id}/photos [get]
func (s *Server) listPhotos(c *gin.Context) error {
	if _, err := s.rawVisit(c); err != nil {
		return err
	}
	q, err := listQuery(c, "visit", key(c, c.Param("id"))+"/")
	if err != nil {
		return err
	}
	page, err := s.photos.Find(c.Request.Context(), q)
	if err != nil {
		return err
	}
	sendList(c, page, nil)
	return nil
}

// putPhoto stores a photo.
//
//	@Summary		Store a photo
//	@Description	The body is the picture itself: JPEG, PNG, WebP or HEIC, at most 20 MiB, 16,384 pixels a side and 100 megapixels. It is kept byte for byte. Write-once: the same bytes again are the same photo, others are refused.
//	@Description	Send `Content-Digest: sha-256=:…:` (RFC 9530) so that what was damaged on the way is refused.
//	@ID				putPhoto
//	@Tags			photos
//	@Security		bearer
//	@Accept			image/jpeg,image/png,image/webp,image/heic
//	@Produce		json
//	@Param			id				path		string	true	"id of the visit"					format(uuid)
//	@Param			photo_id		path		string	true	"id of the photo, made by the client"	format(uuid)
//	@Param			Content-Digest	header		string	false	"sha-256=:base64:"
//	@Param			body			body		string	true	"the picture"	format(binary)
//	@Success		201				{object}	visit.Photo	"stored"
//	@Success		200				{object}	visit.Photo	"stored before"
//	@Failure		409				{object}	Problem		"id_taken, wrong_state, too_many_photos"
//	@Router			/v1/visits/{id}/photos/{photo_id} [put]
func (s *Server) putPhoto(c *gin.Context) error {
	up, err := s.upload(c, "photo_id", image.MaxBytes, "image/")
	if err != nil {
		return err
	}
	info, err := s.inspectPhoto(c.Request.Context(), up)
	if err != nil {
		return s.refuseFile(c, up, err)
	}
	now := domain.At(s.Now())
	at := "/v1/visits/" + up.visitID + "/photos/" + up.id + "?size="
	p := visit.Photo{
		ID: up.id, StoreID: storeID(c), VisitID: up.visitID, SHA256: up.sha256, Bytes: up.blob.Bytes,
		Width: int64(info.Width), Height: int64(info.Height), ContentType: info.ContentType,
		StoredAt: now, StoredBy: principal(c).AccountID,
		Sizes: visit.Sizes{Original: at + "original", Screen: at + "screen", Thumb: at + "thumb"},
	}
	if info.TakenAt != nil {
		taken := domain.At(*info.TakenAt)
		p.TakenAt = &taken
	}
	p.Outbox.Add(visit.TaskSizes, up.id, now)
	return s.storePhoto(c, up, p)
}

// storePhoto files the photo and names it in the visit. A crash between the two is mended by the client's repeat.
func (s *Server) storePhoto(c *gin.Context, up upload, p visit.Photo) error {
	ctx, status := c.Request.Context(), http.StatusCreated
	saved, err := s.photos.Insert(ctx, p)
	if errors.Is(err, storage.ErrExists) {
		status = http.StatusOK
		if saved, err = s.photos.Get(ctx, key(c, p.ID)); err == nil && (saved.Value.SHA256 != p.SHA256 || saved.Value.VisitID != p.VisitID) {
			return domain.Refuse(domain.CodeIDTaken, "another photo has this id")
		}
	}
	if err != nil {
		return err
	}
	named, err := s.visits.Update(ctx, key(c, up.visitID), func(v *visit.Visit) error {
		if v.Photos[p.ID] == p.SHA256 {
			return storage.ErrUnchanged
		}
		return v.AddPhoto(p.ID, p.SHA256, principal(c).AccountID, domain.At(s.Now()))
	})
	if err != nil {
		return err
	}
	_ = named
	s.relay.Wake("photos")
	send(c, status, saved.Doc.AppendJSON)
	return nil
}

// upload is a file that has arrived and is stored, but not yet named by anything.
type upload struct {
	visitID string
	id      string
	sha256  string
	blob    storage.BlobInfo
}

// upload streams the body into the blob store while hashing it; it is never held whole.
func (s *Server) upload(c *gin.Context, param string, limit int64, mediaType string) (upload, error) {
	var up upload
	doc, err := s.rawVisit(c)
	if err != nil {
		return up, err
	}
	if state, _ := doc.String("state"); state == string(visit.Cancelled) {
		return up, domain.Refuse(visit.CodeWrongState, "the visit is cancelled")
	}
	if up.id, err = pathID(c, param); err != nil {
		return up, err
	}
	up.visitID = c.Param("id")
	sent := c.ContentType()
	if !strings.HasPrefix(sent, mediaType) && sent != "application/octet-stream" {
		return up, domain.Refuse(codeMediaType, "the body must be %s…", mediaType)
	}
	want, err := contentDigest(c.Request.Header)
	if err != nil {
		return up, err
	}
	if c.Request.ContentLength > limit {
		return up, domain.Refuse(codeTooLarge, "the body is over %d bytes", limit)
	}
	body := http.MaxBytesReader(c.Writer, c.Request.Body, limit)
	up.blob, err = s.Blobs.Put(c.Request.Context(), storeID(c), bodyReader{body}, limit, func(sum string, size int64) error {
		up.sha256 = sum
		if size == 0 {
			return domain.Refuse(codePhotoBroken, "the body is empty")
		}
		if want != "" && want != sum {
			return domain.Refuse(codeDigestMismatch, "the body's SHA-256 is another than its Content-Digest")
		}
		return nil
	})
	return up, err
}

// bodyReader tells a body that broke off from a storage that failed.
type bodyReader struct{ io.Reader }

func (r bodyReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		return n, unreadable(err)
	}
	return n, err
}

// contentDigest reads the SHA-256 that the client announced, in hex (RFC 9530); empty when it announced none.
func contentDigest(h http.Header) (string, error) {
	for field := range strings.SplitSeq(h.Get("Content-Digest"), ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(field), "=")
		if !ok || !strings.EqualFold(name, "sha-256") {
			continue
		}
		sum, err := base64.StdEncoding.DecodeString(strings.Trim(value, ":"))
		if err != nil || len(sum) != sha256.Size {
			return "", domain.Refuse(codeBadHeader, "Content-Digest must be sha-256=:base64:")
		}
		return hex.EncodeToString(sum), nil
	}
	return "", nil
}

func (s *Server) inspectPhoto(ctx context.Context, up upload) (image.Info, error) {
	r, info, err := s.Blobs.Open(ctx, up.blob.Key)
	if err != nil {
		return image.Info{}, err
	}
	defer r.Close() //nolint:errcheck // read only
	return image.Inspect(r, info.Bytes)
}

// refuseFile says what is wrong with a file. Its bytes are named by nothing and left to the sweeper.
func (s *Server) refuseFile(_ *gin.Context, _ upload, err error) error {
	switch {
	case errors.Is(err, image.ErrUnsupported):
		return domain.Refuse(codeMediaType, "the bytes are not of a format that is taken")
	case errors.Is(err, image.ErrTooManyPixels):
		return domain.Refuse(codePhotoPixels, "the picture claims more pixels than are taken")
	case errors.Is(err, image.ErrTruncated):
		return domain.Refuse(codePhotoBroken, "the file ends before its end")
	case errors.Is(err, image.ErrMalformed):
		return domain.Refuse(codePhotoBroken, "the file can't be read")
	default:
		return fmt.Errorf("inspect file: %w", err)
	}
}

// getPhoto reads a photo.
//
//	@Summary		Read a photo
//	@Description	`original` is the file as it came, byte for byte; it may hold a position. `screen` (1280 px) and `thumb` (320 px at the longer side) are upright JPEGs without any metadata.
//	@ID				getPhoto
//	@Tags			photos
//	@Security		bearer
//	@Produce		image/jpeg,image/png,image/webp,image/heic
//	@Param			id			path		string	true	"id of the visit"	format(uuid)
//	@Param			photo_id	path		string	true	"id of the photo"	format(uuid)
//	@Param			size		query		string	false	"which size"	Enums(original, screen, thumb)	default(original)
//	@Success		200			{file}		binary	"the picture"
//	@Header			200			{string}	ETag	"digest of the bytes"
//	@Success		206			{file}		binary	"a part of it"
//	@Success		304			"the client has it"
//	@Router			/v1/visits/{id}/photos/{photo_id} [get]
func (s *Server) getPhoto(c *gin.Context) error {
	id, err := pathID(c, "photo_id")
	if err != nil {
		return err
	}
	saved, err := s.photos.Get(c.Request.Context(), key(c, id))
	if err != nil {
		return err
	}
	p := saved.Value
	if p.VisitID != c.Param("id") {
		return domain.Refuse(domain.CodeNotFound, "no such photo")
	}
	switch c.DefaultQuery("size", "original") {
	case "original":
		return s.serveBlob(c, p.SHA256, p.ContentType)
	case "screen":
		return s.serveDerived(c, p, image.ScreenSide)
	case "thumb":
		return s.serveDerived(c, p, image.ThumbSide)
	default:
		return badParameter("size", "one of original, screen, thumb")
	}
}

// serveDerived serves a derived size, making it now if the worker has not come to it.
func (s *Server) serveDerived(c *gin.Context, p visit.Photo, side int) error {
	sum := p.Derived.Screen
	if side == image.ThumbSide {
		sum = p.Derived.Thumb
	}
	if sum == "" {
		made, err := s.makeSizes(c.Request.Context(), p)
		if err != nil {
			return s.refuseFile(c, upload{}, err)
		}
		sum = made.Screen
		if side == image.ThumbSide {
			sum = made.Thumb
		}
	}
	return s.serveBlob(c, sum, "image/jpeg")
}

// serveBlob serves stored bytes, whole or in ranges. Bytes under a digest never change.
func (s *Server) serveBlob(c *gin.Context, sum, contentType string) error {
	r, info, err := s.Blobs.Open(c.Request.Context(), key(c, sum))
	if errors.Is(err, storage.ErrNotFound) {
		return fmt.Errorf("blob %s: %w", sum, storage.ErrCorrupt)
	} else if err != nil {
		return err
	}
	defer r.Close() //nolint:errcheck // read only
	h := c.Writer.Header()
	h.Set("Content-Type", contentType)
	h.Set("ETag", `"`+sum+`"`)
	h.Set("Cache-Control", "private, max-age=31536000, immutable")
	http.ServeContent(c.Writer, c.Request, "", info.Stored, r)
	return nil
}

// putRecording stores a recording.
//
//	@Summary		Store a recording
//	@Description	The customer's words or the sound of the engine (R3, R8): the body is the file, MP4/M4A or WebM, at most 10 MiB. Write-once, as photos are.
//	@ID				putRecording
//	@Tags			photos
//	@Security		bearer
//	@Accept			audio/mp4,audio/webm
//	@Produce		json
//	@Param			id				path		string	true	"id of the visit"	format(uuid)
//	@Param			recording_id	path		string	true	"id of the recording, made by the client"	format(uuid)
//	@Param			Content-Digest	header		string	false	"sha-256=:base64:"
//	@Param			body			body		string	true	"the sound"	format(binary)
//	@Success		201				{object}	visit.Recording	"stored"
//	@Success		200				{object}	visit.Recording	"stored before"
//	@Failure		409				{object}	Problem			"id_taken, wrong_state, too_many_photos"
//	@Router			/v1/visits/{id}/recordings/{recording_id} [put]
func (s *Server) putRecording(c *gin.Context) error {
	up, err := s.upload(c, "recording_id", maxRecording, "audio/")
	if err != nil {
		return err
	}
	contentType, err := s.inspectRecording(c.Request.Context(), up)
	if err != nil {
		return s.refuseFile(c, up, err)
	}
	r := visit.Recording{
		ID: up.id, StoreID: storeID(c), VisitID: up.visitID, SHA256: up.sha256, Bytes: up.blob.Bytes, ContentType: contentType,
		StoredAt: domain.At(s.Now()), StoredBy: principal(c).AccountID, URL: "/v1/visits/" + up.visitID + "/recordings/" + up.id,
	}
	ctx, status := c.Request.Context(), http.StatusCreated
	saved, err := s.recordings.Insert(ctx, r)
	if errors.Is(err, storage.ErrExists) {
		status = http.StatusOK
		if saved, err = s.recordings.Get(ctx, key(c, r.ID)); err == nil && (saved.Value.SHA256 != r.SHA256 || saved.Value.VisitID != r.VisitID) {
			return domain.Refuse(domain.CodeIDTaken, "another recording has this id")
		}
	}
	if err != nil {
		return err
	}
	_, err = s.visits.Update(ctx, key(c, up.visitID), func(v *visit.Visit) error {
		if v.Recordings[r.ID] == r.SHA256 {
			return storage.ErrUnchanged
		}
		return v.AddRecording(r.ID, r.SHA256, principal(c).AccountID, domain.At(s.Now()))
	})
	if err != nil {
		return err
	}
	send(c, status, saved.Doc.AppendJSON)
	return nil
}

func (s *Server) inspectRecording(ctx context.Context, up upload) (string, error) {
	r, info, err := s.Blobs.Open(ctx, up.blob.Key)
	if err != nil {
		return "", err
	}
	defer r.Close() //nolint:errcheck // read only
	head := make([]byte, 64)
	n, err := io.ReadFull(r, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return "", fmt.Errorf("read recording: %w", err)
	}
	contentType, ok := image.SniffAudio(head[:n])
	if !ok {
		return "", image.ErrUnsupported
	}
	return contentType, image.InspectAudio(r, info.Bytes)
}

// getRecording reads a recording.
//
//	@Summary		Read a recording
//	@Description	The file as it came, byte for byte; ranges are served.
//	@ID				getRecording
//	@Tags			photos
//	@Security		bearer
//	@Produce		audio/mp4,audio/webm
//	@Param			id				path		string	true	"id of the visit"		format(uuid)
//	@Param			recording_id	path		string	true	"id of the recording"	format(uuid)
//	@Success		200				{file}		binary	"the sound"
//	@Header			200				{string}	ETag	"digest of the bytes"
//	@Success		206				{file}		binary	"a part of it"
//	@Router			/v1/visits/{id}/recordings/{recording_id} [get]
func (s *Server) getRecording(c *gin.Context) error {
	id, err := pathID(c, "recording_id")
	if err != nil {
		return err
	}
	saved, err := s.recordings.Get(c.Request.Context(), key(c, id))
	if err != nil {
		return err
	}
	if saved.Value.VisitID != c.Param("id") {
		return domain.Refuse(domain.CodeNotFound, "no such recording")
	}
	return s.serveBlob(c, saved.Value.SHA256, saved.Value.ContentType)
}

// readBlob reads a small blob whole.
func (s *Server) readBlob(ctx context.Context, storeID, sum string, limit int64) ([]byte, error) {
	r, info, err := s.Blobs.Open(ctx, storeID+"/"+sum)
	if err != nil {
		return nil, err
	}
	defer r.Close() //nolint:errcheck // read only
	if info.Bytes > limit {
		return nil, fmt.Errorf("blob %s: %w", sum, storage.ErrTooLarge)
	}
	return io.ReadAll(r)
}

// putBlob stores a small blob and gives the hex digits of its SHA-256.
func (s *Server) putBlob(ctx context.Context, storeID string, b []byte) (string, error) {
	var sum string
	_, err := s.Blobs.Put(ctx, storeID, strings.NewReader(string(b)), int64(len(b)), func(sha string, _ int64) error {
		sum = sha
		return nil
	})
	return sum, err
}
