package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
)

// The results of a Verdict.
const (
	Genuine              = "genuine"                // all fits, and the keys are among those the caller trusts
	ConsistentKeyUnknown = "consistent_key_unknown" // all fits, but anyone could have made the key
	NotGenuine           = "not_genuine"            // something doesn't fit
)

// Why something is not genuine (ReasonKeyUnknown: why it is only consistent). Codes are stable.
const (
	ReasonKeyUnknown           = "key_unknown"
	ReasonFileUnsigned         = "file_unsigned"
	ReasonFileChanged          = "file_changed"
	ReasonFileKeyForeign       = "file_key_foreign"
	ReasonAttachmentUnreadable = "attachment_unreadable"
	ReasonAttachmentMissing    = "attachment_missing"
	ReasonSealUnreadable       = "seal_unreadable"
	ReasonSealForged           = "seal_forged"
	ReasonNotCanonical         = "not_canonical"
	ReasonDigestMismatch       = "digest_mismatch"
	ReasonOtherVisit           = "other_visit"
	ReasonBundleUnreadable     = "bundle_unreadable"
	ReasonBundleIncomplete     = "bundle_incomplete"
	ReasonBundleMixed          = "bundle_mixed"
	ReasonPhotoMissing         = "photo_missing"
	ReasonPhotoChanged         = "photo_changed"
	ReasonPhotoForeign         = "photo_foreign"
	ReasonCheckpointForged     = "checkpoint_forged"
	ReasonNotIncluded          = "not_included"
)

// What is worth telling of a sheet although nothing is wrong with it. Codes are stable.
const (
	NoteConflict           = "conflict"
	NoteNoCheckpoint       = "no_checkpoint"
	NoteTimestampPending   = "timestamp_pending"
	NoteTimestampUnchecked = "timestamp_unchecked"
)

// Reason is a stable code and an English sentence.
type Reason struct {
	Code     string `json:"code"`
	Sentence string `json:"sentence"`
}

// Verdict says what was found out without storage and without network. That a sheet was superseded later, only the server
// knows (GET /v1/verify).
type Verdict struct {
	Result     string      `json:"result"`
	Reasons    []Reason    `json:"reasons"`              // why it is not Genuine
	Notes      []Reason    `json:"notes"`                // what else is worth telling
	Digest     string      `json:"digest,omitempty"`     // recomputed, not read
	Statement  *Statement  `json:"statement,omitempty"`  // what the store attests; nil if NotGenuine: it isn't worth showing
	KeyID      string      `json:"key_id,omitempty"`     // of the seal
	Checkpoint *Checkpoint `json:"checkpoint,omitempty"` // of a bundle; a timestamp is not verified here: TimestampUnchecked, in Claimed
	Photos     int         `json:"photos,omitempty"`     // recomputed, of a bundle

	// Claimed is the timestamp as it stands beside the checkpoint, signed by nobody but the authority: nothing to show before
	// its token was verified against Checkpoint.Imprint.
	Claimed *TimestampToken `json:"-"`
}

// VerifyPDF finds the canonical form and the seal inside a PDF and recomputes digest, seal and the signature of the file. The
// file must be signed by a key of the store that the seal names: a genuine seal in a file that somebody else signed is
// NotGenuine.
func VerifyPDF(keys PublicKeys, b []byte) Verdict {
	c := newCase(keys)
	c.pdf(b)
	return c.verdict()
}

// trial gathers what is known about one sheet while it is looked at.
type trial struct {
	keys    PublicKeys // those that the caller trusts
	unknown bool       // a key was not among them
	reasons []Reason
	notes   []Reason
	form    []byte
	seal    Seal
	point   *Checkpoint
	claimed *TimestampToken
	photos  int
}

func newCase(keys PublicKeys) *trial { return &trial{keys: keys} }

// fail notes why the sheet is not genuine. It returns false, so that a check can end with it.
func (c *trial) fail(code, sentence string) bool {
	c.reasons = append(c.reasons, Reason{code, sentence})
	return false
}

func (c *trial) note(code, sentence string) { c.notes = append(c.notes, Reason{code, sentence}) }

// verdict sums up.
func (c *trial) verdict() Verdict {
	v := Verdict{Result: Genuine, Reasons: append([]Reason{}, c.reasons...), Notes: append([]Reason{}, c.notes...)}
	if c.form != nil {
		v.Digest = Digest(c.form)
	}
	if len(c.reasons) > 0 {
		v.Result, v.Notes = NotGenuine, []Reason{}
		return v
	}
	v.Statement, v.KeyID, v.Checkpoint, v.Photos = &c.seal.Statement, c.seal.KeyID, c.point, c.photos
	v.Claimed = c.claimed
	if c.unknown {
		v.Result = ConsistentKeyUnknown
		v.Reasons = append(v.Reasons, Reason{ReasonKeyUnknown, "Everything fits together, but the key is not among those given: anyone could have made it."})
	}
	return v
}

// pdf looks at a whole PDF.
func (c *trial) pdf(b []byte) bool {
	body, _, _, err := splitTrailer(b)
	if err != nil {
		return c.fail(ReasonFileUnsigned, "The file does not end with a store's signature, or something was added behind it.")
	}
	files, err := attachments(body)
	if err != nil {
		return c.fail(ReasonAttachmentUnreadable, "The files attached inside cannot be read without doubt.")
	}
	sealFile, ok := files["seal.json"]
	if !ok {
		return c.fail(ReasonAttachmentMissing, "The seal is not attached.")
	}
	if !c.readSeal(sealFile) {
		return false
	}
	form, ok := files[c.seal.Statement.Document+".json"]
	if !ok {
		return c.fail(ReasonAttachmentMissing, "The form that was signed is not attached.")
	}
	return c.content(form) && c.sealed() && c.file(b)
}

// readSeal parses the seal.
func (c *trial) readSeal(data []byte) bool {
	seal, err := ParseSeal(data)
	if err != nil {
		return c.fail(ReasonSealUnreadable, "The seal cannot be read.")
	}
	c.seal = seal
	return true
}

// content holds the canonical form against the seal.
func (c *trial) content(form []byte) bool {
	c.form = form
	again, err := Canonical(form)
	switch {
	case err != nil || !bytes.Equal(again, form):
		return c.fail(ReasonNotCanonical, "The form that was signed is not in canonical form.")
	case Digest(form) != c.seal.Statement.Digest:
		return c.fail(ReasonDigestMismatch, "The form is not the one that was signed.")
	}
	var names struct {
		VisitID string `json:"visit_id"`
	}
	if err := json.Unmarshal(form, &names); err != nil || names.VisitID != c.seal.Statement.VisitID {
		return c.fail(ReasonOtherVisit, "Form and seal are of two visits.")
	}
	return true
}

// sealed verifies the seal, with its own key if the caller doesn't know it.
func (c *trial) sealed() bool {
	err := c.seal.Verify(c.keys)
	if errors.Is(err, ErrUnknownKey) {
		c.unknown = true
		err = c.seal.Verify(c.seal.ownKeys())
	}
	if err != nil {
		return c.fail(ReasonSealForged, "The signature of the seal does not fit.")
	}
	if c.seal.Statement.Conflict {
		c.note(NoteConflict, "It was signed without network while the sheet was changed elsewhere.")
	}
	return true
}

// file verifies the signature at the end of the PDF: by a key of the seal's own store.
func (c *trial) file(b []byte) bool {
	keys := c.withOwn(c.seal.ownKeys())
	_, id, err := VerifyFile(keys, b)
	switch {
	case errors.Is(err, ErrUnknownKey):
		return c.fail(ReasonFileKeyForeign, "The file is signed with a key that is not the store's.")
	case err != nil:
		return c.fail(ReasonFileChanged, "The file was changed after the store signed it.")
	case keys[id].StoreID != c.seal.Statement.StoreID:
		return c.fail(ReasonFileKeyForeign, "The file is signed with the key of another store.")
	}
	return true
}

// withOwn adds the key that a thing brings itself to those that the caller trusts, which stand first.
func (c *trial) withOwn(own PublicKeys) PublicKeys {
	maps.Copy(own, c.keys)
	return own
}

// checkpoint verifies checkpoint and inclusion of a bundle.
func (c *trial) checkpoint(point Checkpoint, way Inclusion) bool {
	if point.StoreID != c.seal.Statement.StoreID {
		return c.fail(ReasonCheckpointForged, "The checkpoint is of another store.")
	}
	err := point.Verify(c.keys, nil)
	if errors.Is(err, ErrUnknownKey) {
		c.unknown = true
		err = point.Verify(point.ownKeys(), nil)
	}
	if err != nil {
		return c.fail(ReasonCheckpointForged, "The signature of the checkpoint does not fit.")
	}
	if point.CreatedAt.Before(c.seal.Statement.SealedAt.Add(-clockSlack)) {
		return c.fail(ReasonCheckpointForged, "The checkpoint is older than the seal.")
	}
	if way.Verify(c.seal.Leaf(), point) != nil {
		return c.fail(ReasonNotIncluded, "The seal is not in the checkpoint.")
	}
	return c.stamped(point)
}

// stamped notes what is known about the timestamp, which the store did not sign.
func (c *trial) stamped(point Checkpoint) bool {
	state, token := point.TimestampState, point.Timestamp
	switch {
	case state == TimestampVerified && token != nil && len(token.Token) > 0:
		c.claimed, point.TimestampState, point.Timestamp = token, TimestampUnchecked, nil
		c.note(NoteTimestampUnchecked, "The checkpoint carries a timestamp that was not checked: that takes the authority's certificate.")
	case state == TimestampPending && token == nil:
		c.note(NoteTimestampPending, "The timestamp of the checkpoint has not come yet.")
	case state != TimestampNone || token != nil:
		return c.fail(ReasonCheckpointForged, "The checkpoint says of its timestamp what is not so.")
	}
	c.point = &point
	return true
}

// filesOf lists the SHA-256 of what a canonical form names, as 64 hex digits, without repeats.
func filesOf(form []byte) (photos, recordings []string, ok bool) {
	var names struct {
		Photos     map[string]string `json:"photos"`
		Recordings map[string]string `json:"recordings"`
	}
	if err := json.Unmarshal(form, &names); err != nil {
		return nil, nil, false
	}
	photos, okPhotos := hexDigests(names.Photos)
	recordings, okRecordings := hexDigests(names.Recordings)
	return photos, recordings, okPhotos && okRecordings
}

// hexDigests takes digests with or without their prefix.
func hexDigests(byID map[string]string) ([]string, bool) {
	var out []string
	for _, sum := range byID {
		if len(sum) == 64 {
			sum = digestPrefix + sum
		}
		if !ValidDigest(sum) {
			return nil, false
		}
		out = append(out, sum[len(digestPrefix):])
	}
	slices.Sort(out)
	return slices.Compact(out), true
}
