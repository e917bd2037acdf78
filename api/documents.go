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

	"example.com/walkaround/api/paper"
	"example.com/walkaround/domain"
	"example.com/walkaround/domain/evidence"
	"example.com/walkaround/domain/staff"
	"example.com/walkaround/domain/visit"
	"example.com/walkaround/storage"
)

func (s *Server) documentRoutes() []route {
	return []route{
		{http.MethodGet, "/v1/visits/:id/documents/inspection.json", staff.AreaReadVisits, "digest", s.getCanonical},
		{http.MethodGet, "/v1/visits/:id/documents/inspection.pdf", staff.AreaReadVisits, "digest", s.getPDF},
		{http.MethodGet, "/v1/visits/:id/documents/bundle.zip", staff.AreaReadVisits, "digest", s.getBundle},
		{http.MethodGet, "/v1/drawings/:view", "", "", s.getDrawing},
	}
}

// getCanonical reads the bytes that are signed.
//
//	@Summary		Read the canonical form
//	@Description	The sheet as RFC 8785 JSON, the bytes themselves: their SHA-256 is the digest of the section `inspection`, and what the customer signs. Without `digest` it is the sheet as it stands, signed or not. Show the customer this, hash it, and send the hash with the signature.
//	@ID				getCanonical
//	@Tags			evidence
//	@Security		bearer
//	@Produce		json
//	@Param			id		path		string	true	"id of the visit"	format(uuid)
//	@Param			digest	query		string	false	"of a signed sheet of this visit"
//	@Param			If-None-Match	header	string	false	"ETag that the client has"
//	@Success		200		{object}	visit.Sheet
//	@Header			200		{string}	ETag	"digest of the bytes"
//	@Success		304		"the client has it"
//	@Router			/v1/visits/{id}/documents/inspection.json [get]
func (s *Server) getCanonical(c *gin.Context) error {
	v, sig, err := s.signed(c)
	if err != nil {
		return err
	}
	var canonical []byte
	if sig != nil {
		canonical, err = s.readBlob(c.Request.Context(), v.StoreID, sig.Files.Canonical, maxSignature)
	} else {
		canonical, err = v.Sheet().Canonical()
	}
	if err != nil {
		return err
	}
	if !notModified(c, `"`+strings.TrimPrefix(evidence.Digest(canonical), "sha256:")+`"`) {
		c.Data(http.StatusOK, contentJSON, canonical)
	}
	return nil
}

// signed finds the visit and, if a digest was asked for, its signature.
func (s *Server) signed(c *gin.Context) (visit.Visit, *visit.Signature, error) {
	id, err := pathID(c, "id")
	if err != nil {
		return visit.Visit{}, nil, err
	}
	saved, err := s.visits.Get(c.Request.Context(), key(c, id))
	if err != nil {
		return visit.Visit{}, nil, err
	}
	v := saved.Value
	digest := c.Query("digest")
	if digest == "" {
		return v, nil, nil
	}
	sig := v.SignatureOf(digest)
	if sig == nil {
		return v, nil, domain.Refuse(domain.CodeNotFound, "no signed sheet of this visit has this digest")
	}
	return v, sig, nil
}

// sealedSheet is signed for what exists only sealed: without a digest, the current seal.
func (s *Server) sealedSheet(c *gin.Context) (visit.Visit, *visit.Signature, error) {
	v, sig, err := s.signed(c)
	if err != nil {
		return v, nil, err
	}
	if sig == nil {
		sig = v.Current()
	}
	if sig == nil {
		return v, nil, domain.Refuse(visit.CodeNotSigned, "the sheet is not signed yet")
	}
	return v, sig, nil
}

// getPDF reads the sealed sheet.
//
//	@Summary		Read the sealed PDF
//	@Description	The sheet that the customer is handed: A4, with drawing, photos, signature and QR code. The canonical form and the seal are attached inside, and it ends with the store key's signature over all its bytes: `walkaround verify FILE` needs nothing else.
//	@ID				getInspectionPDF
//	@Tags			evidence
//	@Security		bearer
//	@Produce		application/pdf
//	@Param			id				path		string	true	"id of the visit"	format(uuid)
//	@Param			digest			query		string	false	"digest of an earlier or conflicting signed sheet; default the current one"
//	@Param			Range			header		string	false	"part"
//	@Param			If-None-Match	header		string	false	"ETag that the client has"
//	@Success		200				{file}		binary	"the PDF"
//	@Header			200				{string}	ETag	"digest of the bytes"
//	@Success		206				{file}		binary	"a part of it"
//	@Failure		416		"codes: range_not_satisfiable"
//	@Success		304				"the client has it"
//	@Header			206				{string}	ETag				"digest of the bytes"
//	@Header			206				{string}	Content-Range		"which part"
//	@Header			200				{string}	Accept-Ranges		"bytes"
//	@Header			200				{string}	Content-Disposition	"inline, with a file name"
//	@Failure		409				{object}	Problem				"not_signed"
//	@Router			/v1/visits/{id}/documents/inspection.pdf [get]
func (s *Server) getPDF(c *gin.Context) error {
	v, sig, err := s.sealedSheet(c)
	if err != nil {
		return err
	}
	pdf, err := s.pdfOf(c.Request.Context(), v, *sig)
	if err != nil {
		return err
	}
	c.Header("Content-Disposition", `inline; filename="`+v.Number+`-inspection.pdf"`)
	return s.serveBlob(c, pdf, "application/pdf")
}

// pdfOf gives the blob of a sealed PDF. One that is not rendered yet is rendered and noted in the visit: the first that is noted
// counts, whoever made it, so that every copy handed out is the same.
func (s *Server) pdfOf(ctx context.Context, v visit.Visit, sig visit.Signature) (string, error) {
	if sig.Files.PDF != "" {
		return sig.Files.PDF, nil
	}
	pdf, err := s.makePDF(ctx, v, sig)
	if err != nil {
		return "", err
	}
	saved, err := s.visits.Update(ctx, v.StoreID+"/"+v.ID, func(v *visit.Visit) error {
		if !v.Sealed(sig.ID, pdf) {
			return storage.ErrUnchanged
		}
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("note sealed PDF: %w", err)
	}
	if kept := saved.Value.Signature(sig.ID); kept != nil {
		pdf = kept.Files.PDF
	}
	return pdf, nil
}

// makePDF renders and signs the sheet. Doing it twice need not give the same bytes: the store may have been renamed
// meanwhile, or its key replaced. So only pdfOf calls it.
func (s *Server) makePDF(ctx context.Context, v visit.Visit, sig visit.Signature) (string, error) {
	canonical, err := s.readBlob(ctx, v.StoreID, sig.Files.Canonical, maxSignature)
	if err != nil {
		return "", fmt.Errorf("canonical form: %w", err)
	}
	sheet, err := visit.ParseSheet(canonical)
	if err != nil {
		return "", err
	}
	st, err := s.store(ctx, v.StoreID)
	if err != nil {
		return "", err
	}
	printed, err := s.printed(ctx, st, v, sig, sheet)
	if err != nil {
		return "", err
	}
	seal, err := sig.Seal.Marshal()
	if err != nil {
		return "", fmt.Errorf("encode seal: %w", err)
	}
	var pdf bytes.Buffer
	err = paper.Render(ctx, &pdf, printed, []paper.Attachment{
		{Name: "inspection.json", ContentType: contentJSON, Description: "what was signed, canonical form (RFC 8785)", Bytes: canonical},
		{Name: "seal.json", ContentType: contentJSON, Description: "the store's seal", Bytes: seal},
	})
	if err != nil {
		return "", fmt.Errorf("render sheet: %w", err)
	}
	storeKey, err := s.auth.StoreKey(ctx, v.StoreID)
	if err != nil {
		return "", err
	}
	signed := evidence.SignFile(storeKey, pdf.Bytes())
	if signed == nil {
		return "", fmt.Errorf("sign sheet: the key %q of store %s is not whole", storeKey.ID, v.StoreID)
	}
	return s.putBlob(ctx, v.StoreID, signed)
}

// getBundle reads everything that proves a sheet.
//
//	@Summary		Read the evidence bundle
//	@Description	A zip with the PDF, the canonical form, the seal, the photos and recordings as they came, the checkpoint and the way from the seal to its root. `walkaround verify FILE` checks it offline.
//	@ID				getBundle
//	@Tags			evidence
//	@Security		bearer
//	@Produce		application/zip
//	@Param			id		path		string				true	"id of the visit"	format(uuid)
//	@Param			digest	query		string				false	"digest of an earlier or conflicting signed sheet; default the current one"
//	@Success		200		{file}		binary				"the bundle"
//	@Header			200		{string}	Content-Disposition	"attachment, with a file name"
//	@Failure		409		{object}	Problem				"not_signed"
//	@Router			/v1/visits/{id}/documents/bundle.zip [get]
func (s *Server) getBundle(c *gin.Context) error {
	v, sig, err := s.sealedSheet(c)
	if err != nil {
		return err
	}
	b, err := s.bundle(c.Request.Context(), v, *sig)
	if err != nil {
		return err
	}
	c.Header("Content-Type", "application/zip")
	c.Header("Content-Disposition", `attachment; filename="`+v.Number+`-inspection.zip"`)
	c.Header("Cache-Control", "private, no-cache")
	return evidence.WriteBundle(c.Writer, b)
}

func (s *Server) bundle(ctx context.Context, v visit.Visit, sig visit.Signature) (evidence.Bundle, error) {
	b := evidence.Bundle{Seal: sig.Seal}
	sum, err := s.pdfOf(ctx, v, sig)
	if err != nil {
		return b, err
	}
	if b.PDF, err = s.readBlob(ctx, v.StoreID, sum, 64<<20); err != nil {
		return b, err
	}
	if b.Canonical, err = s.readBlob(ctx, v.StoreID, sig.Files.Canonical, maxSignature); err != nil {
		return b, err
	}
	if b.Keys, err = s.storeKeys(ctx, v.StoreID); err != nil {
		return b, err
	}
	if b.Checkpoint, b.Inclusion, err = s.inclusion(ctx, v.StoreID, sig); err != nil {
		return b, err
	}
	sheet, err := visit.ParseSheet(b.Canonical)
	if err != nil {
		return b, err
	}
	b.Photos, err = s.bundleFiles(ctx, v.StoreID, sheet.Photos, func(id string) (string, error) {
		saved, err := s.photos.Get(ctx, v.StoreID+"/"+id)
		return saved.Value.ContentType, err
	})
	if err != nil {
		return b, err
	}
	b.Recordings, err = s.bundleFiles(ctx, v.StoreID, sheet.Recordings, func(id string) (string, error) {
		saved, err := s.recordings.Get(ctx, v.StoreID+"/"+id)
		return saved.Value.ContentType, err
	})
	return b, err
}

func (s *Server) storeKeys(ctx context.Context, storeID string) (evidence.PublicKeys, error) {
	all, err := s.auth.PublicKeys(ctx)
	if err != nil {
		return nil, err
	}
	own := evidence.PublicKeys{}
	for id, k := range all {
		if k.StoreID == storeID {
			own[id] = k
		}
	}
	return own, nil
}

// inclusion finds the checkpoint that holds a seal, and the way from the one to the other; nils while there is none.
func (s *Server) inclusion(ctx context.Context, storeID string, sig visit.Signature) (*evidence.Checkpoint, *evidence.Inclusion, error) {
	saved, err := s.proofs.Get(ctx, sig.Digest)
	if errors.Is(err, storage.ErrNotFound) || err == nil && (saved.Value.Checkpoint == 0 || saved.Value.SignatureID != sig.ID) {
		return nil, nil, nil
	} else if err != nil {
		return nil, nil, err
	}
	held, err := s.checkpoints.Get(ctx, checkpointID(storeID, saved.Value.Checkpoint))
	if err != nil {
		return nil, nil, err
	}
	way, err := held.Value.Proof(sig.Seal.Leaf())
	return &held.Value, &way, err
}

// bundleFiles lists the stored files. Their bytes are held to their names here, before an answer is begun; WriteBundle does so
// again while it streams them.
func (s *Server) bundleFiles(ctx context.Context, storeID string, named map[string]*string, typeOf func(id string) (string, error)) ([]evidence.BundleFile, error) {
	var files []evidence.BundleFile
	for id, sum := range named {
		if sum == nil {
			continue
		}
		contentType, err := typeOf(id)
		if err != nil {
			return nil, err
		}
		if err := s.verifyBlob(ctx, storeID, *sum); err != nil {
			return nil, err
		}
		files = append(files, evidence.BundleFile{SHA256: *sum, Extension: extension(contentType), Open: func() (io.ReadCloser, error) {
			r, _, err := s.Blobs.Open(ctx, storeID+"/"+*sum)
			return r, err
		}})
	}
	return files, nil
}

func extension(contentType string) string {
	switch contentType {
	case "image/jpeg":
		return "jpg"
	case "audio/mp4":
		return "m4a"
	default:
		_, sub, _ := strings.Cut(contentType, "/")
		return sub
	}
}

// getDrawing serves the outline of a view, on which marks are set.
//
//	@Summary		Read the drawing of a view
//	@Description	The outline of the car on which x and y of a damage run from 0 to 1: the same that the PDF prints.
//	@ID				getDrawing
//	@Tags			templates
//	@Produce		image/svg+xml
//	@Param			view	path	string	true	"which drawing"	Enums(front.svg, rear.svg, left.svg, right.svg, top.svg, interior.svg)
//	@Success		200		{file}	binary	"the drawing"
//	@Router			/v1/drawings/{view} [get]
func (s *Server) getDrawing(c *gin.Context) error {
	view, isSVG := strings.CutSuffix(c.Param("view"), ".svg")
	svg := paper.DrawingSVG(view)
	if !isSVG || svg == "" {
		return domain.Refuse(domain.CodeNotFound, "no such view")
	}
	c.Header("Cache-Control", "public, max-age=86400")
	c.Data(http.StatusOK, "image/svg+xml", []byte(svg))
	return nil
}

// base is the address under which clients know this server.
func (s *Server) base(r *http.Request) string {
	if s.PublicURL != "" {
		return s.PublicURL
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}
