package api

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"math"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/evidence"
	"example.com/walkaround/domain/staff"
	"example.com/walkaround/domain/visit"
)

// Limits of a drawn signature.
const (
	maxSignatureImage = 512 << 10 // bytes of the PNG
	maxSignatureSide  = 4_096     // pixels
	maxSignatureArea  = 4 << 20   // pixels: decoding holds up to eight bytes of each
	drawingsAtOnce    = 2
	maxStrokes        = 500
	maxStrokePoints   = 20_000
	maxStrokeTime     = 10 * 60 * 1_000 // milliseconds
)

func (s *Server) signatureRoutes() []route {
	return []route{
		{http.MethodPost, "/v1/visits/:id/signatures", staff.AreaCapture, "", s.sign},
		{http.MethodGet, "/v1/visits/:id/signatures", staff.AreaReadVisits, "", s.listSignatures},
	}
}

// SignatureRequest is the customer's signature on what he was shown.
type SignatureRequest struct {
	Document  string          `json:"document" enums:"inspection" example:"inspection" validate:"required"`
	Digest    string          `json:"digest" validate:"required" pattern:"^sha256:[0-9a-f]{64}$"`
	Canonical *string         `json:"canonical,omitempty"` // the canonical form that was shown; a tablet that was offline always sends it
	Signer    evidence.Signer `json:"signer" validate:"required"`
	SignedAt  domain.Time     `json:"signed_at" validate:"required"`                                                                                               // by the device's clock
	Image     string          `json:"image" example:"data:image/png;base64,iVBORw0KGgo…" validate:"required" pattern:"^data:image/png;base64," maxLength:"699074"` // what was drawn, PNG, at most 512 KiB
	Strokes   [][][]float64   `json:"strokes,omitempty" maxItems:"500"`                                                                                            // strokes, each a list of points [x, y, t] or [x, y, t, p]: x and y in pixels of image, t in milliseconds since the first point and never running backwards, p the pressure from 0 to 1; at most 20,000 points, 10 minutes
	Device    evidence.Device `json:"device"`
}

// SignatureList is the signatures of a visit.
type SignatureList struct {
	Items      []visit.Signature `json:"items"`
	NextCursor *string           `json:"next_cursor"`
}

// sign takes the customer's signature and seals the sheet.
//
//	@Summary		Sign the walk-around
//	@Description	The customer signs what he was shown, named by its `digest` (R9): that of `GET …/inspection`, or the SHA-256 of the canonical form that the client made itself. All guards speak here; `errors` lists everything that is missing, `code` is the first of it.
//	@Description	If the sheet has changed since: 409 `document_changed`, unless `canonical` is sent and hashes to the digest. Then it is sealed for its own revision, marked `conflict`, and the state stays. A client that was offline always sends `canonical`.
//	@Description	The seal holds signer, witness, device, the head of the chain and the signature of the store. The visit is `inspected` and the sheet frozen. The PDF at `pdf` is rendered after the answer, or when it is first asked for.
//	@ID				sign
//	@Tags			signatures
//	@Security		bearer
//	@Accept			json
//	@Produce		json
//	@Param			id		path		string				true	"id of the visit"	format(uuid)
//	@Param			body	body		SignatureRequest	true	"the signature"
//	@Success		201		{object}	visit.Signature
//	@Header			201		{string}	Location	"path of the sealed PDF"
//	@Header			201		{string}	ETag		"ETag of the visit"
//	@Failure		409		{object}	Problem		"photo_missing, recording_missing, document_changed, section_frozen, wrong_state, signer_missing, intake_empty, request_not_restated, valuables_reminder_missing, valuables_reminder_late, covers_not_fitted, customer_absent, checklist_incomplete, damage_without_photo, reason_missing, too_many_signatures"
//	@Router			/v1/visits/{id}/signatures [post]
func (s *Server) sign(c *gin.Context) error {
	b, err := decode[SignatureRequest](c, maxSignature)
	if err != nil {
		return err
	}
	ink, err := b.value.check()
	if err != nil {
		return err
	}
	signing, err := s.signing(c, b.value, ink)
	if err != nil {
		return err
	}
	storeKey, err := s.auth.StoreKey(c.Request.Context(), storeID(c))
	if err != nil {
		return err
	}
	if err := s.prepare(c, signing, storeKey, ink); err != nil {
		// Also the repeat of a signature is refused here, since it is there: the first answer is told again.
		if _, known, broken := recalled(c, s.visitsKept(), b.sum); broken != nil || !known {
			return errors.Join(err, broken)
		}
	}
	return gathered(func() error { return s.seal(c, b.sum, signing, storeKey) })
}

// seal stores the bytes that are signed and takes the signature. errMoved.
func (s *Server) seal(c *gin.Context, bodySum string, signing visit.Signing, storeKey evidence.SigningKey) error {
	kept, err := s.keepCanonical(c, &signing)
	if err != nil {
		return err
	}
	return s.changeVisit(c, bodySum, func(v *visit.Visit, now domain.Time) (effect, error) {
		sig, err := v.Sign(signing, storeKey, now)
		if err == nil && !kept {
			err = errMoved // only now the sheet is the one that was shown: its bytes are not stored yet
		}
		if err != nil {
			return effect{}, err
		}
		return effect{status: http.StatusCreated, location: sig.PDF, body: stored(sig)}, nil
	})
}

// ink is what the customer drew, as it will be stored.
type ink struct {
	image   []byte
	strokes []byte // JSON; nil when none were sent
}

// prepare stores what a signature stands on, unless it will be refused.
func (s *Server) prepare(c *gin.Context, signing visit.Signing, storeKey evidence.SigningKey, drawn ink) error {
	if err := s.rehearse(c, signing, storeKey); err != nil {
		return err
	}
	return s.keepInk(c, drawn)
}

// rehearse signs a copy that is thrown away, so that a signature that will be refused stores nothing.
func (s *Server) rehearse(c *gin.Context, signing visit.Signing, storeKey evidence.SigningKey) error {
	saved, err := s.visits.Get(c.Request.Context(), key(c, c.Param("id")))
	if err != nil {
		return err
	}
	_, err = saved.Value.Sign(signing, storeKey, domain.At(s.Now()))
	return err
}

// keepInk looks the whole drawing through, a few at a time, since a small file can be a large picture, and stores it before
// anything names it.
func (s *Server) keepInk(c *gin.Context, drawn ink) error {
	ctx := c.Request.Context()
	if err := s.drawings.Acquire(ctx, 1); err != nil {
		return fmt.Errorf("wait for a turn: %w", err)
	}
	_, err := png.Decode(bytes.NewReader(drawn.image))
	s.drawings.Release(1)
	if err != nil {
		return domain.Invalid([]domain.Field{{Pointer: "/image", Code: domain.CodeMalformed, Message: "the PNG is damaged"}})
	}
	for _, file := range [][]byte{drawn.image, drawn.strokes} {
		if file == nil {
			continue
		}
		if _, err := s.putBlob(ctx, storeID(c), file); err != nil {
			return err
		}
	}
	return nil
}

// signing gathers what goes into the signature.
func (s *Server) signing(c *gin.Context, r SignatureRequest, drawn ink) (visit.Signing, error) {
	out := visit.Signing{
		ID: domain.NewID(), Digest: r.Digest, Signer: r.Signer, SignedAt: r.SignedAt, Device: r.Device, Witness: person(c),
		PDF:       pdfPath(c.Param("id"), r.Digest),
		VerifyURL: s.base(c.Request) + verifyPath(r.Digest),
	}
	out.Files.Image = blobName(drawn.image)
	if drawn.strokes != nil {
		out.Files.Strokes = blobName(drawn.strokes)
	}
	if r.Canonical == nil {
		return out, nil
	}
	out.Canonical = []byte(*r.Canonical)
	sheet, err := visit.ParseSheet(out.Canonical)
	if err != nil {
		return out, nil //nolint:nilerr // Sign refuses it, after what matters more
	}
	if out.Required, err = s.requiredBy(c.Request.Context(), storeID(c), sheet.Checklist); err != nil {
		return out, err
	}
	out.Template, err = s.templateOf(c.Request.Context(), storeID(c), sheet.Checklist)
	return out, err
}

// pdfPath is where the sealed PDF of a digest is read, verifyPath where anyone asks for it.
func pdfPath(visitID, digest string) string {
	return "/v1/visits/" + visitID + "/documents/inspection.pdf?digest=" + digest
}

func verifyPath(digest string) string { return "/v1/verify/" + digest }

// keepCanonical stores the bytes that are signed, before the visit names them, and says whether it did: only bytes that
// hash to the digest that was shown can be signed. They came with the signature, or are those of the sheet as it stands: then
// only now it is known which template they answer.
func (s *Server) keepCanonical(c *gin.Context, signing *visit.Signing) (kept bool, err error) {
	ctx, canonical := c.Request.Context(), signing.Canonical
	if canonical == nil {
		saved, err := s.visits.Get(ctx, key(c, c.Param("id")))
		if err != nil {
			return false, err
		}
		sheet := saved.Value.Sheet()
		if canonical, err = sheet.Canonical(); err != nil {
			return false, err
		}
		if signing.Template, err = s.templateOf(ctx, storeID(c), sheet.Checklist); err != nil {
			return false, err
		}
	}
	if evidence.Digest(canonical) != signing.Digest {
		return false, nil
	}
	_, err = s.putBlob(ctx, storeID(c), canonical)
	return err == nil, err
}

// blobName is the name under which bytes are stored.
func blobName(b []byte) string { return strings.TrimPrefix(evidence.Digest(b), "sha256:") }

// check lists everything that is wrong with the values, the pixels of the drawing apart, and gives what was drawn.
func (r SignatureRequest) check() (drawn ink, err error) {
	var f domain.Faults
	if r.Document != visit.DocumentInspection {
		f.Add("/document", domain.CodeUnknown, "only inspection can be signed")
	}
	if !evidence.ValidDigest(r.Digest) {
		f.Add("/digest", domain.CodeMalformed, "not a digest")
	}
	f.Line("/signer/name", r.Signer.Name, 80)
	f.Line("/signer/relation", r.Signer.Relation, 40)
	f.Text("/device/id", r.Device.ID, 100)
	f.Text("/device/app_version", r.Device.AppVersion, 100)
	f.Range("/device/offline_seconds", &r.Device.OfflineSeconds, 0, 366*24*3600)
	if r.SignedAt.IsZero() {
		f.Add("/signed_at", domain.CodeRequired, "must be there")
	}
	image, width, height := checkImage(&f, r.Image)
	checkStrokes(&f, r.Strokes, float64(width), float64(height))
	drawn.image = image
	if len(r.Strokes) > 0 && f.Err() == nil {
		if drawn.strokes, err = json.Marshal(r.Strokes); err != nil {
			return drawn, fmt.Errorf("encode strokes: %w", err)
		}
	}
	return drawn, f.Err()
}

func checkImage(f *domain.Faults, uri string) (drawn []byte, width, height int) {
	encoded, ok := strings.CutPrefix(uri, "data:image/png;base64,")
	if !ok || len(encoded) > base64.StdEncoding.EncodedLen(maxSignatureImage) {
		f.Add("/image", domain.CodeMalformed, "must be data:image/png;base64, of at most %d bytes", maxSignatureImage)
		return nil, 0, 0
	}
	drawn, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		f.Add("/image", domain.CodeMalformed, "not base64")
		return nil, 0, 0
	}
	header, err := png.DecodeConfig(bytes.NewReader(drawn))
	if err != nil || header.Width < 1 || max(header.Width, header.Height) > maxSignatureSide || header.Width*header.Height > maxSignatureArea {
		f.Add("/image", domain.CodeMalformed, "not a PNG of at most %d pixels a side and %d in all", maxSignatureSide, maxSignatureArea)
		return nil, 0, 0
	}
	return drawn, header.Width, header.Height
}

// checkStrokes holds the strokes to the picture's bounds, to time that runs forward, and to size.
func checkStrokes(f *domain.Faults, strokes [][][]float64, width, height float64) {
	f.Count("/strokes", len(strokes), maxStrokes)
	points, last := 0, 0.0
	for i, stroke := range strokes {
		points += len(stroke)
		if points > maxStrokePoints {
			f.Add("/strokes", domain.CodeTooMany, "over %d points", maxStrokePoints)
			return
		}
		for j, p := range stroke {
			if fault := pointFault(p, width, height, last); fault != "" {
				f.Add(fmt.Sprintf("/strokes/%d/%d", i, j), domain.CodeOutOfRange, "%s", fault)
				return
			}
			last = p[2]
		}
	}
}

func pointFault(p []float64, width, height, last float64) string {
	switch {
	case len(p) != 3 && len(p) != 4:
		return "a point is [x, y, t] or [x, y, t, p]"
	case !within(p[0], 0, width) || !within(p[1], 0, height):
		return "outside the picture"
	case !within(p[2], last, maxStrokeTime):
		return "time runs backwards, or too long"
	case len(p) == 4 && !within(p[3], 0, 1):
		return "pressure is from 0 to 1"
	}
	return ""
}

func within(n, low, high float64) bool { return !math.IsNaN(n) && n >= low && n <= high }

// listSignatures lists the signatures of a visit.
//
//	@Summary		List a visit's signatures
//	@Description	Oldest first: those that count, those superseded by a later revision, and those made in conflict.
//	@ID				listSignatures
//	@Tags			signatures
//	@Security		bearer
//	@Produce		json
//	@Param			id	path		string	true	"id of the visit"	format(uuid)
//	@Success		200	{object}	SignatureList
//	@Router			/v1/visits/{id}/signatures [get]
func (s *Server) listSignatures(c *gin.Context) error {
	doc, err := s.rawVisit(c)
	if err != nil {
		return err
	}
	list, _ := doc.Sub("signatures")
	send(c, http.StatusOK, func(dst []byte) []byte {
		dst = list.AppendJSON(append(dst, `{"items":`...))
		return append(dst, `,"next_cursor":null}`...)
	})
	return nil
}
