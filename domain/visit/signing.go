package visit

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/evidence"
)

// DocumentInspection is the name of the sheet of the walk-around.
const DocumentInspection = "inspection"

// TaskSeal is owed after a signature: the sealed PDF, in reach of anyone who was shown its digest.
const TaskSeal = "seal"

const maxSignatures = 50

// How far the time of a signature may lie from the server's, once the offset of the device's clock is taken off it.
const (
	maxLate   = 400 * 24 * time.Hour       // a tablet is offline for a year at most (Device.OfflineSeconds), and a month more
	maxEarly  = 24 * time.Hour             // a clock set to the time of another zone
	maxOffset = 100 * 365 * 24 * time.Hour // a clock that was never set begins in 1970
)

// Signature is one customer's signature and the seal that the store put on it (R9).
type Signature struct {
	ID         string           `bson:"id" json:"id" format:"uuid"`
	Document   string           `bson:"document" json:"document" example:"inspection"`
	Revision   int64            `bson:"revision" json:"revision"`
	Digest     string           `bson:"digest" json:"digest" pattern:"^sha256:[0-9a-f]{64}$"`
	Signer     evidence.Signer  `bson:"signer" json:"signer"`
	Witness    evidence.Witness `bson:"witness" json:"witness"`
	Device     evidence.Device  `bson:"device" json:"device"`
	SignedAt   domain.Time      `bson:"signed_at" json:"signed_at"` // by the device's clock
	SealedAt   domain.Time      `bson:"sealed_at" json:"sealed_at"` // by the server's
	Conflict   bool             `bson:"conflict" json:"conflict"`   // signed without network while the sheet had moved on
	AdoptedAt  *domain.Time     `bson:"adopted_at,omitempty" json:"adopted_at,omitempty"`
	Superseded bool             `bson:"superseded" json:"superseded"`              // a later signature took its place
	PDF        string           `bson:"pdf" json:"pdf" format:"uri-reference"`     // where the sealed PDF is read
	VerifyURL  string           `bson:"verify_url" json:"verify_url" format:"uri"` // what the QR code on the sheet says
	VehicleID  string           `bson:"vehicle_id,omitempty" json:"-"`             // that was told of it; empty for a conflict
	SavedAt    *domain.Time     `bson:"saved_at,omitempty" json:"-"`               // and Reason: how the section stood with it
	Reason     string           `bson:"reason,omitempty" json:"-"`
	Files      Files            `bson:"files" json:"-"`
	Seal       evidence.Seal    `bson:"seal" json:"-"`
}

// Files are the blobs behind a signature, by the hex digits of their SHA-256.
type Files struct {
	Canonical string `bson:"canonical"`
	Image     string `bson:"image"`
	Strokes   string `bson:"strokes,omitempty"`
	PDF       string `bson:"pdf,omitempty"` // once it is rendered
}

// Signing is everything that goes into a signature.
type Signing struct {
	ID        string
	Digest    string   // of what was shown
	Canonical []byte   // what was shown; always there from a tablet that was offline
	Required  []string // codes that the checklist named in Canonical demands
	Template  string   // digest of the checklist's version that the sheet answers; empty when it answers none
	Signer    evidence.Signer
	SignedAt  domain.Time
	Device    evidence.Device
	Witness   Person
	Files     Files // Image and Strokes, already stored
	PDF       string
	VerifyURL string
}

// Sign takes the customer's signature on the walk-around and seals it (R9). The digest names what he was shown: if the
// sheet has changed since, the signature must bring its canonical form, and is sealed for its own revision, marked as
// a conflict, while the state stays.
//
// A wrong clock is no reason to refuse, as long as Device says how wrong it is: SignedAt, as it is or less the offset, lies
// between 400 days before now and a day behind it.
//
// Refusals, in this order: CodeWrongState, CodeTooManySignatures, CodeSignerMissing, domain.CodeInvalid for a SignedAt that is
// further away, CodeSectionFrozen for a digest that is signed, domain.CodeInvalid for a Canonical that hashes to another digest. Then, of the sheet that the digest names:
//   - the current one: the guards of DESIGN section 3, files first, everything that is missing in Fields; CodeSectionFrozen;
//   - another one with its Canonical: domain.CodeInvalid for what is no such sheet of this visit; the same guards on its own
//     content; CodePhotoMissing or CodeRecordingMissing for files that the visit does not hold byte for byte;
//   - another one without: CodeSectionFrozen once the current one is signed, CodePhotoMissing or CodeRecordingMissing while
//     its files are under way, else CodeDocumentChanged.
func (v *Visit) Sign(s Signing, key evidence.SigningKey, now domain.Time) (*Signature, error) {
	if err := v.closed(); err != nil {
		return nil, err
	}
	if len(v.Signatures) >= maxSignatures {
		return nil, domain.Refuse(CodeTooManySignatures, "a visit takes at most %d signatures", maxSignatures)
	}
	if strings.TrimSpace(s.Signer.Name) == "" {
		return nil, domain.Refuse(CodeSignerMissing, "the signer must be named")
	}
	if err := s.checkTime(now); err != nil {
		return nil, err
	}
	if v.SignatureOf(s.Digest) != nil {
		return nil, domain.Refuse(CodeSectionFrozen, "this sheet is signed already")
	}
	canonical, conflict, err := v.shown(s)
	switch {
	case err != nil:
		return nil, err
	case conflict:
		v.Revision++ // the visit shows its signatures
		return v.seal(s, canonical, v.Sections.Inspection.next(), true, key, now)
	default:
		return v.signCurrent(s, canonical, key, now)
	}
}

// checkTime refuses a time that neither the device's clock nor a late network explains.
func (s Signing) checkTime(now domain.Time) error {
	near := func(t time.Time) bool { return !t.Before(now.Add(-maxLate)) && !t.After(now.Add(maxEarly)) }
	ms := s.Device.ClockOffsetMS
	known := ms >= -maxOffset.Milliseconds() && ms <= maxOffset.Milliseconds()
	if near(s.SignedAt.Time) || known && near(s.SignedAt.Add(-time.Duration(ms)*time.Millisecond)) {
		return nil
	}
	return domain.Invalid([]domain.Field{{
		Pointer: "/signed_at", Code: domain.CodeOutOfRange,
		Message: "must lie between 400 days before the server's time and a day behind it, less the device's clock offset",
	}})
}

// shown gives the bytes that the customer saw, and whether they are another sheet than the current one.
func (v *Visit) shown(s Signing) (canonical []byte, conflict bool, err error) {
	if s.Canonical != nil && evidence.Digest(s.Canonical) != s.Digest {
		return nil, false, domain.Invalid([]domain.Field{{
			Pointer: "/canonical", Code: domain.CodeMalformed, Message: "does not hash to the digest that was shown",
		}})
	}
	current := v.Sheet()
	canonical, err = current.Canonical()
	switch {
	case err != nil:
		return nil, false, fmt.Errorf("canonical form: %w", err)
	case evidence.Digest(canonical) == s.Digest:
		return canonical, false, v.ready(current, v.Required)
	case s.Canonical != nil:
		return s.Canonical, true, v.readyShown(s)
	case v.Sections.Inspection.Frozen:
		return nil, false, domain.Refuse(CodeSectionFrozen, "the sheet is signed; open a new revision to sign again")
	}
	if absent := current.absentFiles(); len(absent) > 0 {
		return nil, false, refuseMissing(absent)
	}
	return nil, false, domain.Refuse(CodeDocumentChanged, "the sheet has changed since it was shown; show it again, or send its canonical form")
}

// readyShown holds a sheet that came as its canonical form to the same guards on its own content.
func (v *Visit) readyShown(s Signing) error {
	sheet, err := ParseSheet(s.Canonical)
	if err != nil {
		return err
	}
	if sheet.VisitID != v.ID {
		return domain.Invalid([]domain.Field{{Pointer: "/canonical", Code: domain.CodeMalformed, Message: "names another visit"}})
	}
	if err := sheet.check(); err != nil {
		return err
	}
	if err := v.ready(sheet, s.Required); err != nil {
		return err
	}
	return v.holds(sheet)
}

// ready speaks the guards.
func (v *Visit) ready(s Sheet, required []string) error {
	if m := s.missing(required, v.Known.OdometerKM); len(m) > 0 {
		return refuseMissing(m)
	}
	return nil
}

// holds refuses a sheet whose files are not stored with this visit, byte for byte.
func (v *Visit) holds(s Sheet) error {
	var absent []Missing
	for id, sum := range s.Photos {
		if v.Photos[id] != *sum {
			absent = append(absent, Missing{CodePhotoMissing, "/photos/" + id})
		}
	}
	for id, sum := range s.Recordings {
		if v.Recordings[id] != *sum {
			absent = append(absent, Missing{CodeRecordingMissing, "/recordings/" + id})
		}
	}
	// Every file that the content names must stand in the maps too: the maps came with the text.
	absent = append(absent, unlisted(s)...)
	if len(absent) > 0 {
		return refuseMissing(inOrder(absent))
	}
	return nil
}

func unlisted(s Sheet) []Missing {
	var m []Missing
	for _, id := range s.photoIDs() {
		if s.Photos[id] == nil {
			m = append(m, Missing{CodePhotoMissing, "/photos/" + id})
		}
	}
	for _, id := range s.recordingIDs() {
		if s.Recordings[id] == nil {
			m = append(m, Missing{CodeRecordingMissing, "/recordings/" + id})
		}
	}
	return m
}

// signCurrent seals the current sheet, freezes it and moves the state.
func (v *Visit) signCurrent(s Signing, canonical []byte, key evidence.SigningKey, now domain.Time) (*Signature, error) {
	section := &v.Sections.Inspection
	if section.Frozen {
		return nil, domain.Refuse(CodeSectionFrozen, "the sheet is signed; open a new revision to sign again")
	}
	sig, err := v.seal(s, canonical, section.Revision, false, key, now)
	if err != nil {
		return nil, err
	}
	v.makeCurrent(sig, now)
	return sig, nil
}

// makeCurrent lets a signature count: for the visit's vehicle, and for no other that was told of one before.
func (v *Visit) makeCurrent(sig *Signature, now domain.Time) {
	for i := range v.Signatures {
		other := &v.Signatures[i]
		if other.VehicleID != "" && other.VehicleID != v.VehicleID {
			v.Outbox.Add(TaskWithdraw, other.VehicleID, now)
			other.VehicleID = ""
		}
		if other.ID != sig.ID && (!other.Conflict || other.AdoptedAt != nil) {
			other.Superseded = true
		}
	}
	sig.VehicleID = v.VehicleID
	sig.SavedAt, sig.Reason = v.Sections.Inspection.SavedAt, v.Sections.Inspection.Reason
	v.Sections.Inspection.Frozen, v.Sections.Intake.Frozen = true, true
	v.Sections.Inspection.Digest = sig.Digest
	v.Revision++
	if v.State == Arrived {
		v.State = Inspected
	}
}

// seal appends the signature with the store's seal on it, and owes what must follow.
func (v *Visit) seal(s Signing, canonical []byte, revision int64, conflict bool, key evidence.SigningKey, now domain.Time) (*Signature, error) {
	witness := evidence.Witness{StaffID: s.Witness.ID, Name: s.Witness.Name}
	supersedes := v.currentDigest()
	v.record("signed", s.Witness.ID, s.told(conflict), now)
	statement := evidence.Statement{
		StoreID: v.StoreID, VisitID: v.ID, Number: v.Number, Document: DocumentInspection, Revision: revision, Digest: s.Digest,
		SignatureID: s.ID, Signer: s.Signer, Witness: witness, Device: s.Device, SignedAt: s.SignedAt, SealedAt: now,
		Conflict: conflict, Supersedes: supersedes, ImageSHA256: "sha256:" + s.Files.Image, Chain: evidence.HeadOf(v.Events),
	}
	if s.Files.Strokes != "" {
		statement.StrokesSHA256 = "sha256:" + s.Files.Strokes
	}
	seal, err := evidence.Sign(key, statement)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	s.Files.Canonical = strings.TrimPrefix(evidence.Digest(canonical), "sha256:")
	v.Sections.Inspection.Last = max(v.Sections.Inspection.Last, revision)
	v.Signatures = append(v.Signatures, Signature{
		ID: s.ID, Document: DocumentInspection, Revision: revision, Digest: s.Digest, Signer: s.Signer, Witness: witness, Device: s.Device,
		SignedAt: s.SignedAt, SealedAt: now, Conflict: conflict, PDF: s.PDF, VerifyURL: s.VerifyURL, Files: s.Files, Seal: seal,
	})
	v.Outbox.Add(TaskSeal, s.ID, now)
	return &v.Signatures[len(v.Signatures)-1], nil
}

// told is what the event of a signature records: also the template, which no canonical form holds, so that the seal, by the
// head of the chain, does.
func (s Signing) told(conflict bool) map[string]string {
	data := map[string]string{
		"document": DocumentInspection, "digest": s.Digest, "signature_id": s.ID, "conflict": strconv.FormatBool(conflict),
	}
	if s.Template != "" {
		data["template_digest"] = s.Template
	}
	return data
}

// Reopen opens a new revision of the signed sheet; the old seal is current until the new revision is signed.
// CodeNotSigned, CodeReasonMissing, CodeWrongState.
func (v *Visit) Reopen(reason string, by Person, now domain.Time) error {
	if err := v.closed(); err != nil {
		return err
	}
	section := &v.Sections.Inspection
	if !section.Frozen {
		return domain.Refuse(CodeNotSigned, "the sheet is not signed; it can be changed as it is")
	}
	if strings.TrimSpace(reason) == "" {
		return domain.Refuse(CodeReasonMissing, "a new revision needs a reason")
	}
	section.Revision = section.next()
	section.Reason, section.Frozen, v.Sections.Intake.Frozen = reason, false, false
	section.Sent, v.Sections.Intake.Sent = "", ""
	v.Revision++
	v.record("reopened", by.ID, map[string]string{
		"document": DocumentInspection, "revision": strconv.FormatInt(section.Revision, 10), "reason_digest": evidence.Digest([]byte(reason)),
	}, now)
	v.recompute()
	return nil
}

// Adopt makes a sheet that was signed in conflict the current one and moves the state; or goes back to the seal that
// stands behind a revision that was opened in vain. sheet is its canonical form, read back, and found what the files say
// of its arrival. CodeNotFound, CodeWrongState.
func (v *Visit) Adopt(signatureID string, sheet Sheet, found Found, required []string, by Person, now domain.Time) error {
	sig, err := v.MayAdopt(signatureID)
	if err != nil || v.stands(sig) {
		return err
	}
	v.says(sheet.Arrival(), found, now)
	v.Intake, v.Inspection, v.Required = sheet.Intake, sheet.inspection(), required
	section := &v.Sections.Inspection
	section.Last = max(section.Last, section.Revision)
	section.Revision, section.Sent = sig.Revision, ""
	v.Sections.Intake.Revision++
	v.Sections.Intake.Sent = ""
	if sig.Conflict && sig.AdoptedAt == nil {
		section.SavedAt, section.Reason = &now, ""
	} else { // it stands as it stood, under the same tag
		section.SavedAt, section.Reason = cmp.Or(sig.SavedAt, &sig.SealedAt), sig.Reason
	}
	if sig.Conflict {
		sig.AdoptedAt = &now
	}
	v.recompute()
	v.makeCurrent(sig, now)
	v.record("adopted", by.ID, v.filed(map[string]string{"signature_id": sig.ID, "digest": sig.Digest}), now)
	v.Outbox.Add(TaskSeal, sig.ID, now)
	return nil
}

// MayAdopt gives the signature if Adopt would take it now. CodeNotFound, CodeWrongState.
func (v *Visit) MayAdopt(signatureID string) (*Signature, error) {
	if err := v.closed(); err != nil {
		return nil, err
	}
	sig := v.Signature(signatureID)
	switch {
	case sig == nil:
		return nil, domain.Refuse(domain.CodeNotFound, "this visit has no such signature")
	case v.stands(sig):
		return sig, nil
	case sig.Superseded || !sig.Conflict && (v.Sections.Inspection.Frozen || v.Current() != sig):
		return nil, domain.Refuse(CodeWrongState, "only a conflict, or the seal that stands behind an open revision, can be adopted")
	}
	return sig, nil
}

// stands says whether a conflict is the current sheet already.
func (v *Visit) stands(sig *Signature) bool {
	return sig.AdoptedAt != nil && v.Current() == sig && v.Sections.Inspection.Frozen
}

// Signature finds a signature by id, or gives nil.
func (v *Visit) Signature(id string) *Signature {
	for i := range v.Signatures {
		if v.Signatures[i].ID == id {
			return &v.Signatures[i]
		}
	}
	return nil
}

// Current is the signature that counts, or nil: the last one that is no conflict, or was adopted.
func (v *Visit) Current() *Signature {
	for i := len(v.Signatures) - 1; i >= 0; i-- {
		if s := &v.Signatures[i]; !s.Superseded && (!s.Conflict || s.AdoptedAt != nil) {
			return s
		}
	}
	return nil
}

func (v *Visit) currentDigest() string {
	if s := v.Current(); s != nil {
		return s.Digest
	}
	return ""
}

// SignatureOf finds the newest signature of a digest, or gives nil.
func (v *Visit) SignatureOf(digest string) *Signature {
	for i := len(v.Signatures) - 1; i >= 0; i-- {
		if v.Signatures[i].Digest == digest {
			return &v.Signatures[i]
		}
	}
	return nil
}

// Sealed notes that a signature's PDF is rendered and stored; the first one counts. It says whether this is the first.
func (v *Visit) Sealed(signatureID, pdf string) (first bool) {
	s := v.Signature(signatureID)
	if s == nil || s.Files.PDF != "" {
		return false
	}
	s.Files.PDF = pdf
	return true
}

// next is the number of the revision after the last one given out.
func (s *Section) next() int64 { return max(s.Revision, s.Last) + 1 }
