package evidence

import (
	"bytes"
	"encoding/json"
	"fmt"

	"example.com/walkaround/domain"
)

// SealFormat is the version of what a seal says, and the kind under which it is signed.
const SealFormat = "walkaround-seal/1"

// maxSealBytes bounds what is parsed as a seal or a checkpoint.
const maxSealBytes = 1 << 20

// Signer is who signed: as he named himself, and what he is to the car.
type Signer struct {
	Name     string `bson:"name" json:"name" validate:"required" minLength:"1" maxLength:"80" example:"陳大文"`
	Relation string `bson:"relation" json:"relation" maxLength:"40" example:"owner"` // what he is to the car: owner, family, driver and employee are printed in the sheet's language, any other word as it stands
}

// Witness is the member of staff before whom it was signed.
type Witness struct {
	StaffID string `bson:"staff_id" json:"staff_id" format:"uuid"`
	Name    string `bson:"name" json:"name"`
}

// Device is the tablet on which it was signed.
type Device struct {
	ID             string `bson:"id" json:"id" maxLength:"100"`
	AppVersion     string `bson:"app_version" json:"app_version" maxLength:"100" example:"2.3.1"`
	ClockOffsetMS  int64  `bson:"clock_offset_ms" json:"clock_offset_ms"` // device clock minus server clock, milliseconds
	OfflineSeconds int64  `bson:"offline_seconds" json:"offline_seconds" minimum:"0" maximum:"31622400"`
}

// Statement is what the store attests about one signature.
type Statement struct {
	Format        string      `bson:"format" json:"format"` // SealFormat; Sign fills it
	StoreID       string      `bson:"store_id" json:"store_id"`
	VisitID       string      `bson:"visit_id" json:"visit_id"`
	Number        string      `bson:"number" json:"number"`     // the visit's number, as people say it
	Document      string      `bson:"document" json:"document"` // inspection, estimate …
	Revision      int64       `bson:"revision" json:"revision"`
	Digest        string      `bson:"digest" json:"digest"` // of the canonical form that was signed
	SignatureID   string      `bson:"signature_id" json:"signature_id"`
	Signer        Signer      `bson:"signer" json:"signer"`
	Witness       Witness     `bson:"witness" json:"witness"`
	Device        Device      `bson:"device" json:"device"`
	SignedAt      domain.Time `bson:"signed_at" json:"signed_at"`                               // by the device's clock
	SealedAt      domain.Time `bson:"sealed_at" json:"sealed_at"`                               // by the server's clock
	Conflict      bool        `bson:"conflict" json:"conflict"`                                 // signed offline while the section had moved on
	Supersedes    string      `bson:"supersedes,omitempty" json:"supersedes,omitempty"`         // digest of the seal's predecessor
	ImageSHA256   string      `bson:"image_sha256" json:"image_sha256"`                         // digest of the drawn signature
	StrokesSHA256 string      `bson:"strokes_sha256,omitempty" json:"strokes_sha256,omitempty"` // digest of its strokes
	Chain         ChainHead   `bson:"chain" json:"chain"`                                       // where the visit's events stood
}

// Seal is a statement under the store's signature. It brings the public half of its key, so that anyone can see that it is
// consistent; that the key is the store's, only a pinned or published key says.
type Seal struct {
	Statement Statement `bson:"statement" json:"statement"`
	KeyID     string    `bson:"key_id" json:"key_id"`
	Public    Base64URL `bson:"public" json:"public"`
	Signature Base64URL `bson:"signature" json:"signature"`
}

// Sign seals a statement with its store's key. It is an error if the key is another store's, or the digest is none.
func Sign(key SigningKey, s Statement) (Seal, error) {
	s.Format = SealFormat
	switch {
	case s.StoreID != key.StoreID:
		return Seal{}, fmt.Errorf("evidence: store %q can't seal with the key of %q", s.StoreID, key.StoreID)
	case !ValidDigest(s.Digest):
		return Seal{}, fmt.Errorf("evidence: a seal needs the digest of what was signed, not %q", s.Digest)
	}
	s.SignedAt, s.SealedAt = domain.At(s.SignedAt.Time), domain.At(s.SealedAt.Time)
	message, err := canonicalOf(s)
	if err != nil {
		return Seal{}, err
	}
	signature, err := key.sign(SealFormat, message)
	if err != nil {
		return Seal{}, err
	}
	return Seal{Statement: s, KeyID: key.ID, Public: key.public(), Signature: signature}, nil
}

// Verify recomputes the seal's signature with the keys that the caller trusts. The error is an ErrUnknownKey if the key isn't
// among them, and an ErrForged if the signature doesn't fit, or the key is of another store or wasn't in use.
func (s Seal) Verify(keys PublicKeys) error {
	message, err := s.message()
	if err != nil {
		return err
	}
	return keys.verify(SealFormat, message, s.Signature, s.KeyID, s.Statement.StoreID, s.Statement.SealedAt)
}

// ownKeys are the key that the seal brings itself, which proves nothing about whose key that is.
func (s Seal) ownKeys() PublicKeys {
	return PublicKeys{s.KeyID: {ID: s.KeyID, StoreID: s.Statement.StoreID, Algorithm: AlgorithmEd25519, Public: s.Public}}
}

// message is what is signed.
func (s Seal) message() ([]byte, error) {
	if s.Statement.Format != SealFormat || !ValidDigest(s.Statement.Digest) {
		return nil, forged("the statement is not a %s", SealFormat)
	}
	return canonicalOf(s.Statement)
}

// Leaf names the seal in a checkpoint: the digest of its whole canonical form, statement, key and signature. It is empty, and
// so in no tree, if the seal can't be written.
func (s Seal) Leaf() string {
	form, err := canonicalOf(s)
	if err != nil {
		return ""
	}
	return Digest(form)
}

// Marshal writes the seal as seal.json: its canonical form.
func (s Seal) Marshal() ([]byte, error) { return canonicalOf(s) }

// ParseSeal reads a seal.json. Nothing may be in it that Marshal wouldn't write: what isn't signed isn't shown either.
func ParseSeal(data []byte) (Seal, error) {
	var s Seal
	err := decodeStrictly(data, &s)
	return s, err
}

// decodeStrictly decodes JSON that says what v says and nothing more: no unknown or repeated names, and none by another case,
// which the decoder alone would take.
func decodeStrictly(data []byte, v any) error {
	if len(data) > maxSealBytes {
		return domain.Refuse(domain.CodeMalformed, "%d bytes are too many", len(data))
	}
	form, err := Canonical(data)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(form))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return domain.Refuse(domain.CodeMalformed, "%v", err)
	}
	again, err := canonicalOf(v)
	if err != nil || !bytes.Equal(again, form) {
		return domain.Refuse(domain.CodeMalformed, "it holds more, or otherwise written, than its format says")
	}
	return nil
}
