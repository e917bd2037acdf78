package evidence

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"example.com/walkaround/domain"
)

// AlgorithmEd25519 is the one algorithm of keys and seals.
const AlgorithmEd25519 = "Ed25519"

// keyIDBytes is how much of the hash makes an id: 128 bits, so that none finds a second key for it.
const keyIDBytes = 16

// SigningKey is a store's private half. It never leaves the server.
type SigningKey struct {
	ID      string
	StoreID string
	Private ed25519.PrivateKey
}

// NewSigningKey makes the key of a store from 32 random bytes.
func NewSigningKey(storeID string, seed [ed25519.SeedSize]byte) SigningKey {
	private := ed25519.NewKeyFromSeed(seed[:])
	return SigningKey{ID: KeyID(private.Public().(ed25519.PublicKey)), StoreID: storeID, Private: private} //nolint:errcheck // Public says so
}

// Public gives the half that is published, valid from notBefore on.
func (k SigningKey) Public(notBefore domain.Time) PublicKey {
	return PublicKey{ID: k.ID, StoreID: k.StoreID, Algorithm: AlgorithmEd25519, Public: k.public(), NotBefore: notBefore}
}

// public is the public half of a whole key, nil of a broken one.
func (k SigningKey) public() []byte {
	if len(k.Private) != ed25519.PrivateKeySize {
		return nil
	}
	return bytes.Clone(k.Private[ed25519.PrivateKeySize-ed25519.PublicKeySize:])
}

// sign signs a message of a kind: the same bytes of another kind have another signature.
func (k SigningKey) sign(kind string, message []byte) ([]byte, error) {
	if public := k.public(); public == nil || KeyID(public) != k.ID || k.StoreID == "" {
		return nil, fmt.Errorf("evidence: signing key %q is not whole", k.ID)
	}
	return ed25519.Sign(k.Private, separated(kind, message)), nil
}

// separated puts the kind before the message, with an end that no kind contains.
func separated(kind string, message []byte) []byte {
	return append([]byte(kind+"\n"), message...)
}

// KeyID is the start of the SHA-256 of a public key in hex, so that an id can't be claimed for another key.
func KeyID(public []byte) string {
	sum := sha256.Sum256(public)
	return hex.EncodeToString(sum[:keyIDBytes])
}

// Base64URL is bytes that JSON writes in base64url without padding.
type Base64URL []byte

// MarshalText writes base64url.
func (b Base64URL) MarshalText() ([]byte, error) {
	return base64.RawURLEncoding.AppendEncode(nil, b), nil
}

// UnmarshalText reads base64url.
func (b *Base64URL) UnmarshalText(text []byte) error {
	decoded, err := base64.RawURLEncoding.Strict().DecodeString(string(text))
	if err != nil {
		return fmt.Errorf("not base64url: %w", err)
	}
	*b = decoded
	return nil
}

// PublicKey is a store's published half.
type PublicKey struct {
	ID        string       `bson:"id" json:"id" pattern:"^[0-9a-f]{32}$"`
	StoreID   string       `bson:"store_id" json:"store_id"`
	Algorithm string       `bson:"algorithm" json:"algorithm" enums:"Ed25519"`
	Public    Base64URL    `bson:"public" json:"public"`
	NotBefore domain.Time  `bson:"not_before" json:"not_before"`
	NotAfter  *domain.Time `bson:"not_after,omitempty" json:"not_after,omitempty"` // what it signed before stays good
}

// Check says what is wrong with a key, if anything.
func (k PublicKey) Check() error {
	switch {
	case k.Algorithm != AlgorithmEd25519:
		return fmt.Errorf("evidence: key %q is not of %s", k.ID, AlgorithmEd25519)
	case len(k.Public) != ed25519.PublicKeySize:
		return fmt.Errorf("evidence: key %q does not have %d bytes", k.ID, ed25519.PublicKeySize)
	case KeyID(k.Public) != k.ID:
		return fmt.Errorf("evidence: key %q claims an id that is not the start of its own hash", k.ID)
	case k.StoreID == "":
		return fmt.Errorf("evidence: key %q names no store", k.ID)
	}
	return nil
}

// clockSlack is how far a server's clock may have stepped back without making what it signed look forged.
const clockSlack = 24 * time.Hour

// validAt says whether the key was in use at t.
func (k PublicKey) validAt(t domain.Time) bool {
	return !t.Before(k.NotBefore.Add(-clockSlack)) && (k.NotAfter == nil || !t.After(k.NotAfter.Add(clockSlack)))
}

// PublicKeys are the keys that a verifier trusts, by id.
type PublicKeys map[string]PublicKey

// verify checks a signature by the key named id, of the store and in use at t: ErrUnknownKey or ErrForged.
func (keys PublicKeys) verify(kind string, message, signature []byte, id, storeID string, t domain.Time) error {
	key, err := keys.of(id, storeID)
	switch {
	case err != nil:
		return err
	case !key.validAt(t):
		return forged("key %s was not in use at %s", id, t)
	case !ed25519.Verify(ed25519.PublicKey(key.Public), separated(kind, message), signature):
		return forged("the signature by key %s does not fit", id)
	}
	return nil
}

// of finds a whole key, which must be the store's own: ErrUnknownKey or ErrForged.
func (keys PublicKeys) of(id, storeID string) (PublicKey, error) {
	key, ok := keys[id]
	switch {
	case !ok:
		return PublicKey{}, fmt.Errorf("%w: %q", ErrUnknownKey, id)
	case key.ID != id || key.Check() != nil:
		return PublicKey{}, forged("key %q is not what it claims", id)
	case key.StoreID != storeID:
		return PublicKey{}, forged("key %q is of another store", id)
	}
	return key, nil
}

// keysDocument is what is published.
type keysDocument struct {
	Keys []PublicKey `json:"keys"`
}

// MarshalKeys writes the document of /.well-known/walkaround-keys.json, ordered by store and id.
func MarshalKeys(keys PublicKeys) ([]byte, error) {
	doc := keysDocument{Keys: slices.AppendSeq([]PublicKey{}, maps.Values(keys))}
	slices.SortFunc(doc.Keys, func(a, b PublicKey) int {
		return bytes.Compare([]byte(a.StoreID+"\x00"+a.ID), []byte(b.StoreID+"\x00"+b.ID))
	})
	return json.MarshalIndent(doc, "", "  ")
}

// ParseKeys reads that document, also from a file given as --keys. A key that isn't whole, or whose id isn't the start of its
// hash, is an error: a verifier must not run with fewer keys than it was given.
func ParseKeys(data []byte) (PublicKeys, error) {
	var doc keysDocument
	if err := decodeStrictly(data, &doc); err != nil {
		return nil, err
	}
	keys := make(PublicKeys, len(doc.Keys))
	for _, k := range doc.Keys {
		if err := k.Check(); err != nil {
			return nil, err
		}
		if _, twice := keys[k.ID]; twice {
			return nil, fmt.Errorf("evidence: key %q is there twice", k.ID)
		}
		keys[k.ID] = k
	}
	return keys, nil
}
