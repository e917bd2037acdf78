package auth

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"time"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/evidence"
	"example.com/walkaround/storage"
)

const (
	keyLife     = 30 * 24 * time.Hour // a token key signs for so long
	keyLead     = 24 * time.Hour      // and is published so long before
	keyGrace    = AccessLife + time.Hour
	keepRetired = 24 * time.Hour   // beyond keyGrace, then its row is deleted
	ringAge     = 10 * time.Minute // read again after; less than keyLead
	ringPause   = time.Second      // between readings for unknown kids
	storeAge    = time.Minute      // a store's key is asked for again after
	storeSlack  = 24 * time.Hour   // a clock that stepped back still signs within NotBefore
	storeEnd    = 5 * time.Minute  // replicas use a rotated key at most until then
)

// tokenRing is the keys of tokens as last read.
type tokenRing struct {
	keys   []openKey
	readAt time.Time
}

// active is the newest key whose time has come; the first one if the clock stands before them all.
func (r tokenRing) active(now time.Time) openKey {
	for i := len(r.keys) - 1; i > 0; i-- {
		if !r.keys[i].ActiveFrom.After(now) {
			return r.keys[i]
		}
	}
	return r.keys[0]
}

// valid are the keys that verify at now: the next, the active, and those whose tokens may still live.
func (r tokenRing) valid(now time.Time) []openKey {
	first := 0
	for i := 1; i < len(r.keys); i++ {
		if r.keys[i].ActiveFrom.Add(keyGrace).Before(now) {
			first = i
		}
	}
	return r.keys[first:]
}

// start reads the ring of tokens, and makes its first key.
func (v *vault) start(ctx context.Context, now domain.Time) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.read(ctx, now.Time); err != nil || len(v.tokens.keys) > 0 {
		return err
	}
	if err := v.make(ctx, storedKey{Kind: kindToken, Sequence: 1, CreatedAt: now, ActiveFrom: now}); err != nil {
		return err
	}
	if err := v.read(ctx, now.Time); err != nil {
		return err
	}
	if len(v.tokens.keys) == 0 {
		return fmt.Errorf("auth: the first signing key is gone: %w", storage.ErrCorrupt)
	}
	return nil
}

// read reads the ring of tokens again. The caller holds mu.
func (v *vault) read(ctx context.Context, now time.Time) error {
	keys, err := v.load(ctx, kindToken)
	if err == nil {
		v.tokens = tokenRing{keys: keys, readAt: now}
	}
	return err
}

// ring is the ring of tokens, read again when it is older than age, or read in the future of a clock that stepped back.
// While storage is out of reach the keys that are known go on.
func (v *vault) ring(ctx context.Context, now time.Time, age time.Duration) tokenRing {
	v.mu.Lock()
	defer v.mu.Unlock()
	if old := now.Sub(v.tokens.readAt); old > age || old < 0 {
		if v.read(ctx, now) != nil {
			v.tokens.readAt = now.Add(ringPause - age)
		}
	}
	return v.tokens
}

// signer is the key that signs now.
func (v *vault) signer(ctx context.Context, now time.Time) openKey {
	return v.ring(ctx, now, ringAge).active(now)
}

// verifier finds the public key of a kid among those that verify now.
func (v *vault) verifier(ctx context.Context, kid string, now time.Time) (ed25519.PublicKey, bool) {
	for _, age := range []time.Duration{ringAge, ringPause} {
		for _, k := range v.ring(ctx, now, age).valid(now) {
			if k.KeyID == kid {
				return ed25519.PublicKey(k.Public), true
			}
		}
	}
	return nil, false
}

// rotate makes the next key of tokens when the newest has less than keyLead before it, and deletes those long retired.
func (v *vault) rotate(ctx context.Context, now domain.Time) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.read(ctx, now.Time); err != nil {
		return err
	}
	newest := v.tokens.keys[len(v.tokens.keys)-1]
	if end := newest.ActiveFrom.Add(keyLife); !now.Add(keyLead).Before(end) {
		from := now.Add(keyLead)
		if end.After(from) {
			from = end
		}
		next := storedKey{Kind: kindToken, Sequence: newest.Sequence + 1, CreatedAt: now, ActiveFrom: domain.At(from)}
		if err := v.make(ctx, next); err != nil {
			return err
		}
	}
	for _, k := range v.tokens.keys[:len(v.tokens.keys)-len(v.tokens.valid(now.Add(-keepRetired)))] {
		if err := v.keys.Delete(ctx, k.id(), 1); unless(err, storage.ErrNotFound) != nil {
			return fmt.Errorf("auth: retired key: %w", err)
		}
	}
	return v.read(ctx, now.Time)
}

// JWK is one public key as RFC 8037 writes it.
type JWK struct {
	KeyType   string `json:"kty"`
	Curve     string `json:"crv"`
	X         string `json:"x"`
	KeyID     string `json:"kid"`
	Use       string `json:"use"`
	Algorithm string `json:"alg"`
}

// JWKSet is the document of /.well-known/jwks.json.
type JWKSet struct {
	Keys []JWK `json:"keys"`
}

// JWKS lists the keys that access tokens can be verified with: the next one too, a day before it is used.
func (s *Service) JWKS(ctx context.Context) JWKSet {
	now := s.now()
	set := JWKSet{Keys: []JWK{}}
	for _, k := range s.vault.ring(ctx, now, ringAge).valid(now) {
		x := base64.RawURLEncoding.EncodeToString(k.Public)
		set.Keys = append(set.Keys, JWK{KeyType: "OKP", Curve: "Ed25519", X: x, KeyID: k.KeyID, Use: "sig", Algorithm: "EdDSA"})
	}
	return set
}

// storeKey is the newest key of a store as last read.
type storeKey struct {
	openKey
	readAt time.Time
}

// StoreKey is the key that signs a store's evidence, made when it is first asked for. After a rotation on another
// replica the one before is given for up to a minute, and is valid for that long. ErrSecret.
func (s *Service) StoreKey(ctx context.Context, storeID string) (evidence.SigningKey, error) {
	v, now := s.vault, s.clock()
	v.mu.Lock()
	defer v.mu.Unlock()
	known, ok := v.stores[storeID]
	if old := now.Sub(known.readAt); !ok || old > storeAge || old < 0 {
		newest, err := v.newest(ctx, storeID, now)
		if err != nil {
			return evidence.SigningKey{}, err
		}
		known = storeKey{openKey: newest, readAt: now.Time}
		v.stores[storeID] = known
	}
	return evidence.SigningKey{ID: known.KeyID, StoreID: storeID, Private: known.private}, nil
}

// newest is a store's newest key, made if there is none.
func (v *vault) newest(ctx context.Context, storeID string, now domain.Time) (openKey, error) {
	for range 2 {
		keys, err := v.load(ctx, kindStore+"/"+storeID)
		if err != nil {
			return openKey{}, err
		}
		if len(keys) > 0 {
			return keys[len(keys)-1], nil
		}
		first := storedKey{Kind: kindStore, StoreID: storeID, Sequence: 1, CreatedAt: now, ActiveFrom: now}
		if err := v.make(ctx, first); err != nil {
			return openKey{}, err
		}
	}
	return openKey{}, fmt.Errorf("auth: the first key of store %s is gone: %w", storeID, storage.ErrCorrupt)
}

// RotateStoreKey gives a store another key. What the old one signed stays verifiable for ever.
func (s *Service) RotateStoreKey(ctx context.Context, storeID string) error {
	v, now := s.vault, s.clock()
	v.mu.Lock()
	defer v.mu.Unlock()
	newest, err := v.newest(ctx, storeID, now)
	if err != nil {
		return err
	}
	delete(v.stores, storeID)
	return v.make(ctx, storedKey{Kind: kindStore, StoreID: storeID, Sequence: newest.Sequence + 1, CreatedAt: now, ActiveFrom: now})
}

// PublicKeys are the public halves of the evidence keys of every store, also those that were rotated out: the document
// of /.well-known/walkaround-keys.json, by evidence.MarshalKeys. A key counts from a day before it was made, for clocks
// that stepped back, until five minutes after its successor was made.
func (s *Service) PublicKeys(ctx context.Context) (evidence.PublicKeys, error) {
	keys := evidence.PublicKeys{}
	var before storedKey
	err := walk(ctx, s.vault.keys, storage.Query{Key: "kind", Equal: kindStore}, func(saved storage.Saved[storedKey]) error {
		k := saved.Value
		keys[k.KeyID] = publicOf(k)
		if before.StoreID == k.StoreID {
			retire(keys, before.KeyID, k.ActiveFrom)
		}
		before = k
		return nil
	})
	return keys, err
}
