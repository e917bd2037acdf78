package auth

import (
	"context"
	"errors"
	"fmt"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/evidence"
	"example.com/walkaround/storage"
)

// Checks gives, by the name of each collection of this package, what says whether one of its records is whole.
func Checks(e storage.Engine) map[string]func(storage.Record) error {
	return map[string]func(storage.Record) error{
		"staff":        checkOf(accountsOf(e)),
		"usernames":    checkOf(usernamesOf(e)),
		"sessions":     checkOf(sessionsOf(e)),
		"signing_keys": checkOf(keysOf(e)),
	}
}

func checkOf[T any](c *storage.Collection[T]) func(storage.Record) error {
	return func(r storage.Record) error {
		_, err := c.Check(r)
		return err
	}
}

// CheckKeys reads the public halves of the stores' keys without the secret, and tells report of each key that is not what
// it claims or is gone. Rows whose bytes are damaged are left out: Checks names them.
func CheckKeys(ctx context.Context, e storage.Engine, report func(id, what string)) (evidence.PublicKeys, error) {
	r := keyReader{keys: evidence.PublicKeys{}, report: report}
	c := keysOf(e)
	err := e.Walk(ctx, c.Declaration().Name, func(record storage.Record, damage error) error {
		saved, err := c.Check(record)
		if errors.Join(damage, err) == nil {
			r.take(saved.Value)
		}
		return nil
	})
	return r.keys, err
}

// keyReader takes keys in the order of their rings.
type keyReader struct {
	keys   evidence.PublicKeys
	before storedKey
	report func(id, what string)
}

func (r *keyReader) take(k storedKey) {
	whole := evidence.KeyID(k.Public) == k.KeyID
	if !whole {
		r.report(k.id(), fmt.Sprintf("the public half is not that of key %s", k.KeyID))
	}
	if k.Kind != kindStore {
		return
	}
	if whole {
		r.keys[k.KeyID] = publicOf(k)
	}
	r.follow(k)
	r.before = k
}

// follow ends the time of the key before, and sees whether one between them is gone. Keys of stores are never deleted.
func (r *keyReader) follow(k storedKey) {
	last := 0
	if r.before.StoreID == k.StoreID {
		last = r.before.Sequence
		if _, whole := r.keys[r.before.KeyID]; whole {
			retire(r.keys, r.before.KeyID, k.ActiveFrom)
		}
	}
	for gone := last + 1; gone < k.Sequence; gone++ {
		missing := storedKey{Kind: kindStore, StoreID: k.StoreID, Sequence: gone}
		r.report(missing.id(), "it is gone")
	}
}

// publicOf is a store's key as it is published.
func publicOf(k storedKey) evidence.PublicKey {
	return evidence.PublicKey{
		ID: k.KeyID, StoreID: k.StoreID, Algorithm: evidence.AlgorithmEd25519, Public: k.Public,
		NotBefore: domain.At(k.ActiveFrom.Add(-storeSlack)),
	}
}

// retire ends a key's time soon after its successor began.
func retire(keys evidence.PublicKeys, id string, successor domain.Time) {
	end := domain.At(successor.Add(storeEnd))
	ended := keys[id]
	ended.NotAfter = &end
	keys[id] = ended
}
