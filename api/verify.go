package api

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"example.com/walkaround/api/background/timestamp"
	"example.com/walkaround/domain"
	"example.com/walkaround/domain/evidence"
	"example.com/walkaround/domain/staff"
	"example.com/walkaround/domain/visit"
	"example.com/walkaround/storage"
)

func (s *Server) verifyRoutes() []route {
	return []route{
		{http.MethodGet, "/v1/verify/:digest", "", "", s.verify},
		{http.MethodGet, "/.well-known/walkaround-keys.json", "", "", s.publishedKeys},
		{http.MethodGet, "/v1/checkpoints", staff.AreaReadVisits, "limit cursor", s.listCheckpoints},
		{http.MethodPost, "/v1/store-keys", staff.AreaAdministration, "", s.rotateStoreKey},
	}
}

// Verification is what anyone learns of a digest: no personal data.
type Verification struct {
	Document   string      `json:"document" example:"inspection"`
	Digest     string      `json:"digest" pattern:"^sha256:[0-9a-f]{64}$"`
	Number     string      `json:"number" example:"20261123-0007"`
	Store      string      `json:"store" example:"得佳店"`
	StoreID    string      `json:"store_id" example:"main"`
	SealedAt   domain.Time `json:"sealed_at"`
	Revision   int64       `json:"revision"`
	Superseded bool        `json:"superseded"` // a later revision was signed
	Conflict   bool        `json:"conflict"`   // signed without network while the sheet had moved on
	Adopted    bool        `json:"adopted"`    // a conflict that was made the current sheet afterwards
	Genuine    bool        `json:"genuine"`    // hash, signature and inclusion were recomputed and fit
	Faults     []string    `json:"faults"`     // what does not fit
	KeyID      string      `json:"key_id"`
	Checkpoint *Included   `json:"checkpoint,omitempty"` // absent until the seal is in one
}

// Included is the checkpoint that holds a seal.
type Included struct {
	Sequence       int64        `json:"sequence"`
	Root           string       `json:"root" pattern:"^sha256:[0-9a-f]{64}$"`
	CreatedAt      domain.Time  `json:"created_at"`
	TimestampState string       `json:"timestamp_state" enums:"none,pending,verified,unchecked,forged"` // verified anew for this answer; unchecked: it holds, but no authority is configured that it could be of
	TimestampedAt  *domain.Time `json:"timestamped_at,omitempty"`
}

// verify tells anyone whether a sheet is genuine.
//
//	@Summary		Verify a digest
//	@Description	Tells anyone whether the sheet with this digest is genuine: the hash of what was signed, the signature of the store and the way to the checkpoint are recomputed, not looked up, as is the timestamp of an authority. No personal data. With `Accept: text/html`, as a browser sends it, the answer is a page.
//	@Description	30 questions at once and one a second from then on for each address. A digest that no sealed sheet has is 404.
//	@ID				verify
//	@Tags			evidence
//	@Produce		json,html
//	@Param			digest	path		string	true	"sha256:… as the sheet prints it"
//	@Success		200		{object}	Verification
//	@Router			/v1/verify/{digest} [get]
func (s *Server) verify(c *gin.Context) error {
	if err := s.limits.verify(c.ClientIP(), s.Now()); err != nil {
		return err
	}
	digest := c.Param("digest")
	c.Header("Cache-Control", "no-store")
	c.Header("Vary", "Accept, Accept-Language")
	found, err := s.verification(c.Request.Context(), digest)
	if strings.Contains(c.GetHeader("Accept"), "text/html") && (err == nil || absent(err)) {
		return s.showVerification(c, digest, found)
	} else if err != nil {
		return err
	}
	return sendValue(c, *found)
}

// verification finds a digest's seal and judges it; nil with an error.
func (s *Server) verification(ctx context.Context, digest string) (*Verification, error) {
	if !evidence.ValidDigest(digest) {
		return nil, domain.Refuse(domain.CodeNotFound, "not a digest")
	}
	filed, err := s.proofs.Get(ctx, digest)
	if err != nil {
		return nil, err
	}
	saved, err := s.visits.Get(ctx, filed.Value.StoreID+"/"+filed.Value.VisitID)
	if err != nil {
		return nil, err
	}
	sig := saved.Value.SignatureOf(digest)
	if sig == nil {
		return nil, domain.Refuse(domain.CodeNotFound, "no sealed document has this digest")
	}
	found, err := s.judge(ctx, saved.Value, *sig)
	if err != nil {
		return nil, err
	}
	return &found, nil
}

// absent says whether an error will be answered 404.
func absent(err error) bool {
	refusal, refused := errors.AsType[*domain.Error](err)
	return errors.Is(err, storage.ErrNotFound) || refused && refusal.Code == domain.CodeNotFound
}

// judge recomputes everything. What it says of a sheet is what the seal says, and what became of it since what the events tell:
// the members of the visit beside them prove nothing.
func (s *Server) judge(ctx context.Context, v visit.Visit, sig visit.Signature) (Verification, error) {
	st, err := s.store(ctx, v.StoreID)
	if err != nil {
		return Verification{}, err
	}
	says := sig.Seal.Statement
	found := Verification{
		Document: says.Document, Digest: sig.Digest, Number: says.Number, Store: st.Name, StoreID: st.ID, SealedAt: says.SealedAt,
		Revision: says.Revision, Conflict: says.Conflict, KeyID: sig.Seal.KeyID,
	}
	keys, err := s.storeKeys(ctx, v.StoreID)
	if err != nil {
		return found, err
	}
	if found.Faults, err = s.faultsOf(ctx, keys, v, sig); err != nil {
		return found, err
	}
	story := visit.Retell(v.Events)
	if told := story.Signature(sig.ID); told != nil {
		found.Superseded, found.Adopted = told.Superseded || story.PassedOver(sig.ID), told.AdoptedAt != nil
	} else if !slices.Contains(found.Faults, faultChain) {
		found.Faults = append(found.Faults, faultChain)
	}
	held, way, err := s.inclusion(ctx, v.StoreID, sig)
	switch {
	case err != nil && !errors.Is(err, storage.ErrNotFound) && !isRefusal(err):
		return found, err
	case err != nil:
		found.Faults = append(found.Faults, "not_included")
	case held != nil:
		found.Checkpoint = s.included(*held)
		if held.Verify(keys, nil) != nil || way.Verify(sig.Seal.Leaf(), *held) != nil {
			found.Faults = append(found.Faults, "checkpoint_forged")
		}
		if found.Checkpoint.TimestampState == timestampForged {
			found.Faults = append(found.Faults, "timestamp_forged")
		}
	}
	found.Genuine = len(found.Faults) == 0
	return found, nil
}

// faultChain says that the visit's events are not those that the seal saw.
const faultChain = "chain_broken"

// timestampForged is the state of a timestamp that does not verify: it is shown as such, and no time with it.
const timestampForged = "forged"

func isRefusal(err error) bool {
	_, ok := errors.AsType[*domain.Error](err)
	return ok
}

// included shows a checkpoint. Its timestamp is the one part that the store did not sign: it is verified again, not believed.
func (s *Server) included(c evidence.Checkpoint) *Included {
	i := &Included{Sequence: c.Sequence, Root: c.Root, CreatedAt: c.CreatedAt, TimestampState: c.TimestampState}
	if c.Timestamp == nil {
		if c.TimestampState == evidence.TimestampVerified {
			i.TimestampState = timestampForged
		}
		return i
	}
	roots := s.Timestamps.Roots()
	switch err := timestamp.VerifyToken(*c.Timestamp, c.Imprint(), roots); {
	case err != nil || c.TimestampState != evidence.TimestampVerified:
		i.TimestampState = timestampForged
	case roots == nil:
		i.TimestampState = evidence.TimestampUnchecked
	default:
		i.TimestampedAt = &c.Timestamp.At
	}
	return i
}

// faultsOf recomputes hash, seal and chain.
func (s *Server) faultsOf(ctx context.Context, keys evidence.PublicKeys, v visit.Visit, sig visit.Signature) ([]string, error) {
	faults := []string{}
	canonical, err := s.readBlob(ctx, v.StoreID, sig.Files.Canonical, maxSignature)
	if errors.Is(err, storage.ErrNotFound) {
		return append(faults, "canonical_missing"), nil
	} else if err != nil {
		return nil, err
	}
	says := sig.Seal.Statement
	if evidence.Digest(canonical) != sig.Digest || says.Digest != sig.Digest {
		faults = append(faults, evidence.ReasonDigestMismatch)
	}
	if err := sig.Seal.Verify(keys); err != nil || says.StoreID != v.StoreID || says.VisitID != v.ID || says.SignatureID != sig.ID {
		faults = append(faults, evidence.ReasonSealForged)
	}
	if evidence.VerifyChain(v.ID, v.Events) != nil || evidence.VerifyHead(v.Events, says.Chain) != nil {
		faults = append(faults, faultChain)
	}
	return faults, nil
}

// publishedKeys publishes the keys of every store.
//
//	@Summary		Read the stores' public keys
//	@Description	The Ed25519 keys that seals, PDFs and checkpoints are signed with, also those rotated out. Pin this document and give it to `walkaround verify --keys`.
//	@ID				getWalkaroundKeys
//	@Tags			evidence
//	@Produce		json
//	@Success		200	{object}	evidence.keysDocument
//	@Router			/.well-known/walkaround-keys.json [get]
func (s *Server) publishedKeys(c *gin.Context) error {
	keys, err := s.auth.PublicKeys(c.Request.Context())
	if err != nil {
		return err
	}
	document, err := evidence.MarshalKeys(keys)
	if err != nil {
		return fmt.Errorf("encode keys: %w", err)
	}
	c.Header("Cache-Control", "public, max-age=300")
	c.Data(http.StatusOK, contentJSON, document)
	return nil
}

// rotateStoreKey gives the store another key.
//
//	@Summary		Rotate the store's key
//	@Description	What is sealed from now on is signed with a new key; the old one stays published, so that what it signed can be verified for ever.
//	@ID				rotateStoreKey
//	@Tags			evidence
//	@Security		bearer
//	@Success		204	"rotated"
//	@Failure		409	{object}	Problem	"request_running"
//	@Router			/v1/store-keys [post]
func (s *Server) rotateStoreKey(c *gin.Context) error {
	if err := noBody(c); err != nil {
		return err
	}
	ctx := c.Request.Context()
	keys, err := s.storeKeys(ctx, storeID(c))
	if err != nil {
		return err
	}
	standing := strconv.Itoa(len(keys)) // what is created is the key after these
	a, err := s.begin(c, "", standing)
	if err != nil {
		return err
	}
	if a.id != standing {
		c.Header("Idempotency-Replayed", "true")
	} else if err := s.nextStoreKey(c, a); err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	c.Writer.WriteHeaderNow()
	return nil
}

func (s *Server) nextStoreKey(c *gin.Context, a attempt) error {
	if a.seen {
		if err := s.running(c, a); err != nil {
			return err
		}
	}
	err := s.auth.RotateStoreKey(c.Request.Context(), storeID(c))
	if err != nil {
		s.lapse(c, a)
	}
	return err
}

// CheckpointList is a page of checkpoints.
type CheckpointList struct {
	Items      []evidence.Checkpoint `json:"items"`
	NextCursor *string               `json:"next_cursor"`
}

// listCheckpoints lists the store's checkpoints.
//
//	@Summary		List checkpoints
//	@Description	The Merkle trees over the store's seals, newest first: each signed by the store's key, holding the hash of the one before, and timestamped by an RFC 3161 authority where one is configured. Keep the latest outside the server: it pins everything before it.
//	@ID				listCheckpoints
//	@Tags			evidence
//	@Security		bearer
//	@Produce		json
//	@Param			limit	query		int		false	"entries a page, 1 to 200"	minimum(1)	maximum(200)	default(50)
//	@Param			cursor	query		string	false	"next_cursor of the page before"
//	@Success		200		{object}	CheckpointList
//	@Header			200		{string}	Link	"the next page, rel=next"
//	@Router			/v1/checkpoints [get]
func (s *Server) listCheckpoints(c *gin.Context) error {
	q, err := listQuery(c, "sequence", storeID(c)+"/")
	if err != nil {
		return err
	}
	q.Desc = true
	page, err := s.checkpoints.FindValues(c.Request.Context(), q)
	if err != nil {
		return err
	}
	// Through the Go value: a verifier reads keys and signatures in base64url, as a bundle has them.
	items := make([][]byte, len(page.Items))
	for i, saved := range page.Items {
		if items[i], err = encode(saved.Value); err != nil {
			return err
		}
	}
	sendItems(c, page.Next, len(items), func(dst []byte, i int) []byte { return append(dst, items[i]...) })
	return nil
}

//go:embed page/verify.html
var verifyPage string

var verifyTemplate = template.Must(template.New("verify").Parse(verifyPage))

// showVerification shows what was found, or that nothing was, to who scanned the QR code.
func (s *Server) showVerification(c *gin.Context, digest string, found *Verification) error {
	shown, status := map[string]any{"Found": found, "Digest": digest, "Language": acceptedLanguage(c.Request)}, http.StatusNotFound
	if found != nil {
		st, err := s.store(c.Request.Context(), found.StoreID)
		if err != nil {
			return err
		}
		shown["SealedAt"], shown["Zone"], status = found.SealedAt.In(st.Zone()).Format(time.DateTime), st.TimeZone, http.StatusOK
	}
	var page strings.Builder
	if err := verifyTemplate.Execute(&page, shown); err != nil {
		return fmt.Errorf("verification page: %w", err)
	}
	c.Header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	c.Data(status, "text/html; charset=utf-8", []byte(page.String()))
	return nil
}
