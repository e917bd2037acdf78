package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/gin-gonic/gin"

	"example.com/walkaround/api/image"
	"example.com/walkaround/domain"
	"example.com/walkaround/domain/staff"
	"example.com/walkaround/domain/visit"
	"example.com/walkaround/storage"
)

const maxRecording = 10 << 20

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
//	@Param			id		path		string	true	"id of the visit"			format(uuid)
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
	s.sendList(c, page, nil)
	return nil
}

// putPhoto stores a photo.
//
//	@Summary		Store a photo
//	@Description	The body is the picture itself: JPEG, PNG, WebP or HEIC, at most 20 MiB, 16,384 pixels a side and 100 megapixels; what it is is told by its bytes, so `application/octet-stream` is taken too. It is kept byte for byte. Write-once: the same bytes again are the same photo (200), others under this id are 409 `id_taken`.
//	@Description	Send `Content-Digest: sha-256=:…:` (RFC 9530) so that what was damaged on the way is refused. A section may name a photo before it is stored; the signature may not. A stored photo moves the digest of the sheet that names it, never its revision: read the section again before the customer signs.
//	@ID				putPhoto
//	@Tags			photos
//	@Security		bearer
//	@Accept			image/jpeg,image/png,image/webp,image/heic
//	@Produce		json
//	@Param			id				path		string		true	"id of the visit"						format(uuid)
//	@Param			photo_id		path		string		true	"id of the photo, made by the client"	format(uuid)
//	@Param			Content-Digest	header		string		false	"sha-256=:base64:"
//	@Param			body			body		string		true	"the picture"	format(binary)
//	@Success		201				{object}	visit.Photo	"stored"
//	@Success		200				{object}	visit.Photo	"stored before"
//	@Failure		409				{object}	Problem		"id_taken, wrong_state, too_many_photos"
//	@Failure		422				{object}	Problem		"A file that was not taken. codes: file_damaged, too_many_pixels, digest_mismatch"
//	@Router			/v1/visits/{id}/photos/{photo_id} [put]
func (s *Server) putPhoto(c *gin.Context) error {
	up, err := s.upload(c, fileKind{param: "photo_id", limit: image.MaxBytes, mediaType: "image/", sniff: image.Sniff})
	if err != nil {
		return err
	}
	info, err := s.inspectPhoto(c.Request.Context(), up)
	if err != nil {
		return s.discard(c.Request.Context(), up, err)
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
	if err := fileUpload(s, c, up, s.photos, p, (*visit.Visit).AddPhoto); err != nil {
		return err
	}
	s.relay.Wake("photos")
	return nil
}

func (s *Server) inspectPhoto(ctx context.Context, up upload) (image.Info, error) {
	r, info, err := s.Blobs.Open(ctx, up.blob.Key)
	if err != nil {
		return image.Info{}, err
	}
	defer r.Close() //nolint:errcheck // read only
	return image.Inspect(ctx, r, info.Bytes)
}

// getPhoto reads a photo.
//
//	@Summary		Read a photo
//	@Description	`original` is the file as it came, byte for byte; it may hold a position. `screen` (1280 px) and `thumb` (320 px at the longer side) are upright JPEGs without any metadata.
//	@ID				getPhoto
//	@Tags			photos
//	@Security		bearer
//	@Produce		image/jpeg,image/png,image/webp,image/heic
//	@Param			id				path		string	true	"id of the visit"															format(uuid)
//	@Param			photo_id		path		string	true	"id of the photo"															format(uuid)
//	@Param			size			query		string	false	"original: as it came; screen: 1280 px; thumb: 320 px at the longer side"	Enums(original, screen, thumb)	default(original)
//	@Param			Range			header		string	false	"part"
//	@Param			If-None-Match	header		string	false	"ETag that the client has"
//	@Success		200				{file}		binary	"the picture"
//	@Header			200				{string}	ETag	"digest of the bytes"
//	@Success		206				{file}		binary	"a part of it"
//	@Failure		416		"codes: range_not_satisfiable"
//	@Success		304				"the client has it"
//	@Header			206				{string}	ETag			"digest of the bytes"
//	@Header			206				{string}	Content-Range	"which part"
//	@Header			200				{string}	Accept-Ranges	"bytes"
//	@Failure		422				{object}	Problem			"A size was asked for of a picture that can not be decoded. codes: file_damaged, too_many_pixels"
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
		return s.serveDerived(c, p, func(d visit.Derived) string { return d.Screen })
	case "thumb":
		return s.serveDerived(c, p, func(d visit.Derived) string { return d.Thumb })
	default:
		return badParameter("size", "one of original, screen, thumb")
	}
}

// serveDerived serves a derived size, making it now if the worker has not come to it.
func (s *Server) serveDerived(c *gin.Context, p visit.Photo, size func(visit.Derived) string) error {
	sum := size(p.Derived)
	if sum == "" {
		made, err := s.makeSizes(c.Request.Context(), p)
		if err != nil {
			return fileProblem(err)
		}
		sum = size(made)
	}
	return s.serveBlob(c, sum, image.TypeJPEG)
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
//	@Param			id				path		string			true	"id of the visit"							format(uuid)
//	@Param			recording_id	path		string			true	"id of the recording, made by the client"	format(uuid)
//	@Param			Content-Digest	header		string			false	"sha-256=:base64:"
//	@Param			body			body		string			true	"the sound"	format(binary)
//	@Success		201				{object}	visit.Recording	"stored"
//	@Success		200				{object}	visit.Recording	"stored before"
//	@Failure		409				{object}	Problem			"id_taken, wrong_state, too_many_recordings"
//	@Failure		422				{object}	Problem			"A file that was not taken. codes: file_damaged, digest_mismatch"
//	@Router			/v1/visits/{id}/recordings/{recording_id} [put]
func (s *Server) putRecording(c *gin.Context) error {
	up, err := s.upload(c, fileKind{param: "recording_id", limit: maxRecording, mediaType: "audio/", sniff: image.SniffAudio})
	if err != nil {
		return err
	}
	contentType, err := s.inspectRecording(c.Request.Context(), up)
	if err != nil {
		return s.discard(c.Request.Context(), up, err)
	}
	return fileUpload(s, c, up, s.recordings, visit.Recording{
		ID: up.id, StoreID: storeID(c), VisitID: up.visitID, SHA256: up.sha256, Bytes: up.blob.Bytes, ContentType: contentType,
		StoredAt: domain.At(s.Now()), StoredBy: principal(c).AccountID, URL: "/v1/visits/" + up.visitID + "/recordings/" + up.id,
	}, (*visit.Visit).AddRecording)
}

func (s *Server) inspectRecording(ctx context.Context, up upload) (string, error) {
	r, info, err := s.Blobs.Open(ctx, up.blob.Key)
	if err != nil {
		return "", err
	}
	defer r.Close() //nolint:errcheck // read only
	head := make([]byte, sniffed)
	n, err := io.ReadFull(r, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return "", fmt.Errorf("read recording: %w", err)
	}
	contentType, ok := image.SniffAudio(head[:n])
	if !ok {
		return "", image.ErrUnsupported
	}
	return contentType, image.InspectAudio(ctx, r, info.Bytes)
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
//	@Param			Range			header		string	false	"part"
//	@Param			If-None-Match	header		string	false	"ETag that the client has"
//	@Success		200				{file}		binary	"the sound"
//	@Header			200				{string}	ETag	"digest of the bytes"
//	@Success		206				{file}		binary	"a part of it"
//	@Failure		416		"codes: range_not_satisfiable"
//	@Success		304				"the client has it"
//	@Header			206				{string}	ETag			"digest of the bytes"
//	@Header			206				{string}	Content-Range	"which part"
//	@Header			200				{string}	Accept-Ranges	"bytes"
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
