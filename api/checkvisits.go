package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/evidence"
	"example.com/walkaround/domain/visit"
	"example.com/walkaround/storage"
)

const maxPDF = 64 << 20

func (k *checker) visitRows(ctx context.Context) error { return values(ctx, k, k.visits, k.visit) }

// visit holds a visit against its chain, its seals, its files, the rows that it names and the ledger that tells of it.
func (k *checker) visit(ctx context.Context, v visit.Visit) error {
	where := "visits/" + v.StoreID + "/" + v.ID
	k.tasks(where, v.Outbox)
	var story *visit.Story // nil when its events are damaged
	if k.chain(where, v) {
		story = k.history(where, &v)
	}
	if err := errors.Join(k.sheet(ctx, where, v, story), k.named(ctx, where, v), k.asked(ctx, where, &v)); err != nil {
		return err
	}
	for i := range v.Signatures {
		if err := k.signature(ctx, where, &v, &v.Signatures[i], story); err != nil {
			return err
		}
	}
	if story == nil {
		return nil
	}
	return k.ledger(ctx, where, v)
}

// chain recomputes the chain of events.
func (k *checker) chain(where string, v visit.Visit) (whole bool) {
	err := evidence.VerifyChain(v.ID, v.Events)
	if broken, ok := errors.AsType[*evidence.ChainError](err); ok {
		k.find("event", where, "event %d was %s", broken.Seq, broken.Fault)
	}
	return err == nil
}

// history holds what a visit says of itself against its events, and gives their story.
func (k *checker) history(where string, v *visit.Visit) *visit.Story {
	kinds := map[string]string{visit.PartVisit: "row", visit.PartSection: "section", visit.PartSignature: "seal"}
	story := visit.Retell(v.Events)
	for _, c := range v.Contradictions(story) {
		k.find(kinds[c.Part], where, "%s", c.What)
	}
	return &story
}

// sheet holds the sections against their digest: of a frozen sheet, the one that was signed.
func (k *checker) sheet(ctx context.Context, where string, v visit.Visit, story *visit.Story) error {
	form, err := v.Sheet().Canonical()
	if err != nil {
		k.find("section", where, "the walk-around has no canonical form")
		return nil //nolint:nilerr // what is wrong with the row is found, not failed with
	}
	if v.Sections.Intake.Digest != v.IntakeDigest() {
		k.find("section", where, "the intake is not what its digest says")
	}
	digest, current := evidence.Digest(form), standingSeal(&v, story)
	switch {
	case current == nil:
		if digest != v.Sections.Inspection.Digest {
			k.find("section", where, "intake or walk-around are not what their digest says")
		}
		return nil
	case digest == current.Digest && v.Sections.Inspection.Digest == digest:
		return nil
	}
	signed, err := k.small(ctx, v.StoreID, current.Files.Canonical, maxSignature)
	if err != nil {
		return err
	}
	k.find("section", where, "changed behind the seal of signature %s: %s", current.ID, strings.Join(changedMembers(signed, form), ", "))
	return nil
}

// standingSeal is the signature behind which the sheet is frozen, by the events where they are whole; nil when it is open.
func standingSeal(v *visit.Visit, story *visit.Story) *visit.Signature {
	switch {
	case story == nil && v.Sections.Inspection.Frozen:
		return v.Current()
	case story == nil || !story.Frozen || story.Current() == nil:
		return nil
	}
	return v.Signature(story.Current().ID)
}

// changedMembers names the members of two canonical forms that are not alike.
func changedMembers(signed, now []byte) []string {
	var a, b map[string]json.RawMessage
	if json.Unmarshal(signed, &a) != nil || json.Unmarshal(now, &b) != nil {
		return []string{"the sheet"}
	}
	names := visit.Differing(texts(a), texts(b))
	if len(names) == 0 {
		return []string{"its digest"}
	}
	return names
}

func texts(m map[string]json.RawMessage) map[string]string {
	out := make(map[string]string, len(m))
	for name, raw := range m {
		out[name] = string(raw)
	}
	return out
}

// named demands the rows that a visit names.
func (k *checker) named(ctx context.Context, where string, v visit.Visit) error {
	if err := demand(ctx, k, k.vehicles, v.StoreID+"/"+v.VehicleID, where); err != nil {
		return err
	}
	if v.CustomerID != "" {
		if err := demand(ctx, k, k.customers, v.StoreID+"/"+v.CustomerID, where); err != nil {
			return err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(v.Photos)) {
		if err := demand(ctx, k, k.photos, v.StoreID+"/"+id, where); err != nil {
			return err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(v.Recordings)) {
		if err := demand(ctx, k, k.recordings, v.StoreID+"/"+id, where); err != nil {
			return err
		}
	}
	return k.numbered(ctx, where, v)
}

// numbered sees that the visit's number is its own.
func (k *checker) numbered(ctx context.Context, where string, v visit.Visit) error {
	id := v.StoreID + "/number/" + v.Number
	r, there, unknown, err := look(ctx, k.reservations, id)
	switch {
	case err != nil || unknown:
		return err
	case !there:
		k.lose("reservations", id, "it is gone; %s has this number", where)
	case r.Owner != v.ID:
		k.find("row", where, "its number %s is that of visit %s", v.Number, r.Owner)
	}
	return nil
}

// signature holds a signature against its seal, its files, its template and its proof.
func (k *checker) signature(ctx context.Context, where string, v *visit.Visit, sig *visit.Signature, story *visit.Story) error {
	if k.sealed(where, v, sig) {
		k.stated(where, v, sig)
	}
	if story != nil {
		if err := evidence.VerifyHead(v.Events, sig.Seal.Statement.Chain); err != nil && k.genuine(sig) {
			k.find("event", where, "the chain is not the one that the seal of signature %s saw", sig.ID)
		}
		if err := k.answered(ctx, where, v, sig, story.Signature(sig.ID)); err != nil {
			return err
		}
	}
	for _, sum := range []string{sig.Files.Canonical, sig.Files.Image, sig.Files.Strokes, sig.Files.PDF} {
		if err := k.file(ctx, v.StoreID, sum, where); err != nil {
			return err
		}
	}
	if err := k.pdf(ctx, where, v, sig); err != nil || owes(v, sig) {
		return err
	}
	_, there, unknown, err := look(ctx, k.proofs, sig.Digest)
	if err == nil && !there && !unknown {
		k.told["proofs/"+sig.Digest] = true
		k.lost["proofs"]++
		k.find("proof", "proofs/"+sig.Digest, "it is gone; signature %s of %s has it", sig.ID, where)
	}
	return err
}

// owes says whether the relay has still to finish a signature.
func owes(v *visit.Visit, sig *visit.Signature) bool {
	return slices.ContainsFunc(v.Outbox, func(t domain.Task) bool { return t.Type == visit.TaskSeal && t.Ref == sig.ID })
}

// sealed recomputes the store's signature.
func (k *checker) sealed(where string, v *visit.Visit, sig *visit.Signature) bool {
	at := fmt.Sprintf("signature %s of %s", sig.ID, where)
	own := evidence.PublicKey{
		ID: sig.Seal.KeyID, StoreID: v.StoreID, Algorithm: evidence.AlgorithmEd25519, Public: sig.Seal.Public, NotBefore: sig.SealedAt,
	}
	err := k.signed(sig.Seal.Verify, own, at)
	if err != nil {
		k.find("seal", where, "the seal of signature %s does not fit: %s", sig.ID, plainly(err))
	}
	return err == nil
}

// genuine says whether a seal fits, without reporting it.
func (k *checker) genuine(sig *visit.Signature) bool {
	err := sig.Seal.Verify(k.keys)
	return err == nil || errors.Is(err, evidence.ErrUnknownKey)
}

// plainly is an error of evidence without its class.
func plainly(err error) string {
	return strings.TrimPrefix(err.Error(), evidence.ErrForged.Error()+": ")
}

// stated holds what stands beside a seal against what the seal says.
func (k *checker) stated(where string, v *visit.Visit, sig *visit.Signature) {
	says, beside := sig.Seal.Statement, sig.Seal.Statement
	beside.StoreID, beside.VisitID, beside.Number = v.StoreID, v.ID, v.Number
	beside.Document, beside.Revision, beside.Digest, beside.SignatureID = sig.Document, sig.Revision, sig.Digest, sig.ID
	beside.Signer, beside.Witness, beside.Device, beside.Conflict = sig.Signer, sig.Witness, sig.Device, sig.Conflict
	beside.SignedAt, beside.SealedAt = sig.SignedAt, sig.SealedAt
	beside.ImageSHA256, beside.StrokesSHA256 = "sha256:"+sig.Files.Image, ""
	if sig.Files.Strokes != "" {
		beside.StrokesSHA256 = "sha256:" + sig.Files.Strokes
	}
	linked := sig.PDF == pdfPath(v.ID, sig.Digest) && strings.HasSuffix(sig.VerifyURL, verifyPath(sig.Digest))
	if says != beside || "sha256:"+sig.Files.Canonical != sig.Digest || !linked {
		k.find("seal", where, "signature %s is not what its seal says", sig.ID)
	}
}

// file demands a blob. Whether its bytes are the right ones is seen where all blobs are read.
func (k *checker) file(ctx context.Context, storeID, sum, by string) error {
	if sum == "" {
		return nil
	}
	_, err := k.Blobs.Stat(ctx, storeID+"/"+sum)
	if !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	if where := "blobs/" + storeID + "/" + sum; !k.told[where] {
		k.told[where] = true
		k.find("blob", where, "it is gone; %s names it", by)
	}
	return nil
}

// small reads a blob whole; nil when it is gone, or not what it is named by: both are reported elsewhere.
func (k *checker) small(ctx context.Context, storeID, sum string, limit int64) (b []byte, err error) {
	r, info, err := k.Blobs.Open(ctx, storeID+"/"+sum)
	if errors.Is(err, storage.ErrNotFound) || err == nil && info.Bytes > limit {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	var whole bytes.Buffer
	if _, err := io.Copy(&whole, r); err != nil {
		return nil, fmt.Errorf("read blob %s: %w", sum, err)
	}
	if evidence.Digest(whole.Bytes()) != "sha256:"+sum {
		return nil, nil
	}
	return whole.Bytes(), nil
}

// pdf verifies the sealed PDF as anyone would who holds it.
func (k *checker) pdf(ctx context.Context, where string, v *visit.Visit, sig *visit.Signature) error {
	if sig.Files.PDF == "" {
		if !owes(v, sig) {
			k.find("seal", where, "signature %s has no PDF, and none is owed", sig.ID)
		}
		return nil
	}
	file, err := k.small(ctx, v.StoreID, sig.Files.PDF, maxPDF)
	if err != nil || file == nil {
		return err
	}
	blob := "blobs/" + v.StoreID + "/" + sig.Files.PDF
	verdict := evidence.VerifyPDF(k.keys, file)
	switch {
	case verdict.Result == evidence.NotGenuine:
		k.find("blob", blob, "the PDF of signature %s is not genuine: %s", sig.ID, verdict.Reasons[0].Code)
	case k.genuine(sig) && *verdict.Statement != sig.Seal.Statement:
		k.find("blob", blob, "the PDF of signature %s is sealed as another", sig.ID)
	}
	return nil
}
