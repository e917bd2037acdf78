package auth

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"sync"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/evidence"
	"example.com/walkaround/storage"
)

// ErrSecret says that the signing keys were sealed under another secret.
var ErrSecret = errors.New("WALKAROUND_SECRET does not open the signing keys")

// Kinds of keys.
const (
	kindToken = "token" // signs access tokens, of the whole installation
	kindStore = "store" // signs evidence, one store's
)

// storedKey is one key of a ring: the installation's for tokens, or a store's. Keys are only ever inserted, under the
// next number of their ring, so of several replicas that make one at once a single one wins.
type storedKey struct {
	Kind       string      `bson:"kind"`
	StoreID    string      `bson:"store_id"` // of kindStore
	Sequence   int         `bson:"sequence"` // 1, 2, 3 … within its ring
	KeyID      string      `bson:"key_id"`   // kid: the start of the SHA-256 of the public half
	Public     []byte      `bson:"public"`
	Sealed     []byte      `bson:"sealed"` // nonce and AES-256-GCM of the seed
	CreatedAt  domain.Time `bson:"created_at"`
	ActiveFrom domain.Time `bson:"active_from"` // until the next of the ring takes over
}

func (k *storedKey) ring() string {
	if k.Kind == kindStore {
		return kindStore + "/" + k.StoreID
	}
	return k.Kind
}

func (k *storedKey) id() string { return fmt.Sprintf("%s/%08d", k.ring(), k.Sequence) }

func keysOf(e storage.Engine) *storage.Collection[storedKey] {
	return storage.NewCollection(e, storage.Shape[storedKey]{
		Name: "signing_keys",
		ID:   (*storedKey).id,
		Keys: []storage.Key[storedKey]{
			{Name: "ring", Values: func(k *storedKey) []string { return []string{k.ring()} }},
			{Name: "kind", Values: func(k *storedKey) []string { return []string{k.Kind} }},
		},
	})
}

// openKey is a stored key with its private half.
type openKey struct {
	storedKey
	private ed25519.PrivateKey
}

// vault keeps the rings.
type vault struct {
	keys   *storage.Collection[storedKey]
	seal   cipher.AEAD
	random io.Reader

	mu     sync.Mutex
	tokens tokenRing
	stores map[string]storeKey
}

func newVault(c Config) (*vault, error) {
	key, err := hkdf.Key(sha256.New, c.Secret, nil, "walkaround signing keys", 32)
	if err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	seal, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	return &vault{keys: keysOf(c.Engine), seal: seal, random: c.Random, stores: map[string]storeKey{}}, nil
}

// load opens a ring, oldest key first. An empty ring is no error.
func (v *vault) load(ctx context.Context, ring string) ([]openKey, error) {
	var all []openKey
	err := walk(ctx, v.keys, storage.Query{Key: "ring", Equal: ring}, func(s storage.Saved[storedKey]) error {
		k, err := v.open(s.Value)
		all = append(all, k)
		return err
	})
	return all, err
}

// make inserts the key that follows in its ring. One that another replica inserted first wins, and is no error: load
// the ring again.
func (v *vault) make(ctx context.Context, k storedKey) error {
	seed := make([]byte, ed25519.SeedSize)
	nonce := make([]byte, v.seal.NonceSize())
	if _, err := io.ReadFull(v.random, seed); err != nil {
		return fmt.Errorf("auth: new key: %w", err)
	}
	if _, err := io.ReadFull(v.random, nonce); err != nil {
		return fmt.Errorf("auth: new key: %w", err)
	}
	private := ed25519.NewKeyFromSeed(seed)
	k.Public = private[ed25519.SeedSize:]
	k.KeyID = evidence.KeyID(k.Public)
	k.Sealed = v.seal.Seal(nonce, nonce, seed, k.bound())
	if _, err := v.keys.Insert(ctx, k); unless(err, storage.ErrExists) != nil {
		return fmt.Errorf("auth: new key: %w", err)
	}
	return nil
}

// bound is what the seal binds the seed to: its place in its ring, and its id.
func (k *storedKey) bound() []byte { return []byte(k.id() + " " + k.KeyID) }

// open unseals a key. ErrSecret.
func (v *vault) open(k storedKey) (openKey, error) {
	n := v.seal.NonceSize()
	if len(k.Sealed) < n {
		return openKey{}, fmt.Errorf("%w: %s", ErrSecret, k.id())
	}
	seed, err := v.seal.Open(nil, k.Sealed[:n], k.Sealed[n:], k.bound())
	if err != nil || len(seed) != ed25519.SeedSize {
		return openKey{}, fmt.Errorf("%w: %s", ErrSecret, k.id())
	}
	private := ed25519.NewKeyFromSeed(seed)
	if public := private[ed25519.SeedSize:]; evidence.KeyID(public) != k.KeyID || string(public) != string(k.Public) {
		return openKey{}, fmt.Errorf("auth: signing key %s: %w", k.id(), storage.ErrCorrupt)
	}
	return openKey{storedKey: k, private: private}, nil
}

// deriver makes values that only this installation can make: HMAC-SHA256 under a key derived from its secret.
type deriver struct{ key []byte }

func newDeriver(secret []byte, purpose string) (deriver, error) {
	key, err := hkdf.Key(sha256.New, secret, nil, "walkaround "+purpose, 32)
	if err != nil {
		return deriver{}, fmt.Errorf("auth: %w", err)
	}
	return deriver{key: key}, nil
}

func (d deriver) derive(message []byte) []byte {
	mac := hmac.New(sha256.New, d.key)
	mac.Write(message)
	return mac.Sum(nil)
}
