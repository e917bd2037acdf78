// Package auth knows who asks: accounts and their passwords, sessions with their refresh tokens, access tokens, the keys
// that sign them, and the limits of sign-in. It also keeps the stores' evidence keys, since both lie encrypted in one
// collection under the installation's secret.
//
// Have the engine declare Declarations, call New once, then Login, Refresh and Logout for sessions, Verify for every
// request, and Rotate daily. It speaks no HTTP: the router turns a Principal into a 401, a 403 or a handler's argument.
// It may import storage and domain, golang-jwt and x/crypto, but no engine, no gin and nothing else of api.
package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/staff"
	"example.com/walkaround/storage"
)

// minSecret is the least number of bytes of an installation's secret.
const minSecret = 16

// Config is what New needs.
type Config struct {
	Engine   storage.Engine   // which has declared Declarations
	Secret   []byte           // WALKAROUND_SECRET: seals the keys, at least 16 bytes
	Issuer   string           // iss of access tokens
	Audience string           // aud of access tokens
	Now      func() time.Time // the clock
	Random   io.Reader        // nil: crypto/rand
}

// Service is the one door to accounts, sessions and keys. It may be used from many goroutines; any number of replicas
// may run on one engine.
type Service struct {
	issuer, audience string
	now              func() time.Time
	random           io.Reader

	accounts  *storage.Collection[staff.Account]
	usernames *storage.Collection[staff.Username]
	sessions  *storage.Collection[session]

	vault     *vault
	tokens    *tokens
	passwords *passwords
	throttle  *throttle
	live      *live
	refresh   deriver // makes the successor of a refresh token
	places    deriver // makes the fingerprint of a device or address
}

// Principal is who asks, as a verified access token says. Its slices are shared: read them only.
type Principal struct {
	AccountID string
	Name      string // as it was when the token was issued
	SessionID string
	StoreID   string // the store of the account; a chain-wide one may name another
	Roles     []staff.Role
	ChainWide bool
	Scopes    []string
}

// Allows says whether one of the roles opens the area.
func (p Principal) Allows(a staff.Area) bool { return staff.Allows(p.Roles, a) }

// Reaches says whether the principal may name the store at all: its own, or any for a chain-wide one. Where it may not,
// the answer is 404, not 403.
func (p Principal) Reaches(storeID string) bool { return p.ChainWide || p.StoreID == storeID }

func (p Principal) actor() staff.Actor {
	return staff.Actor{StoreID: p.StoreID, Roles: p.Roles, ChainWide: p.ChainWide}
}

// Declarations are the collections of this package, for Engine.Declare.
func Declarations() []storage.Declaration {
	return []storage.Declaration{
		accountsOf(nil).Declaration(), usernamesOf(nil).Declaration(), sessionsOf(nil).Declaration(), keysOf(nil).Declaration(),
	}
}

// New opens the signing keys, or makes the first. ErrSecret when the secret is not the one that sealed them.
func New(ctx context.Context, c Config) (*Service, error) {
	if len(c.Secret) < minSecret {
		return nil, fmt.Errorf("WALKAROUND_SECRET has %d bytes; at least %d are needed", len(c.Secret), minSecret)
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	s := &Service{
		issuer: c.Issuer, audience: c.Audience, now: c.Now, random: c.Random,
		accounts: accountsOf(c.Engine), usernames: usernamesOf(c.Engine), sessions: sessionsOf(c.Engine),
		throttle: newThrottle(),
	}
	var err1, err2, err3, err4 error
	s.vault, err1 = newVault(c)
	s.passwords, err2 = newPasswords(c.Random, today)
	s.refresh, err3 = newDeriver(c.Secret, "refresh tokens")
	s.places, err4 = newDeriver(c.Secret, "places")
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, err
	}
	s.live = newLive(s.sessions, s.accounts, s.now)
	s.tokens = newTokens(s.vault, c)
	return s, s.vault.start(ctx, s.clock())
}

// Rotate is the daily round, by whichever replica holds the lease: it publishes the next token key in time, forgets
// token keys that nothing living was signed with, and sessions that ended. It may be run at any time, also twice at once.
func (s *Service) Rotate(ctx context.Context) error {
	return errors.Join(s.vault.rotate(ctx, s.clock()), s.prune(ctx))
}

// clock is the time as documents hold it.
func (s *Service) clock() domain.Time { return domain.At(s.now()) }

// walk visits all documents of a query, page by page.
func walk[T any](ctx context.Context, c *storage.Collection[T], q storage.Query, visit func(storage.Saved[T]) error) error {
	q.Limit = storage.MaxFind
	for {
		page, err := c.FindValues(ctx, q)
		if err != nil {
			return fmt.Errorf("auth: %w", err)
		}
		for _, saved := range page.Items {
			if err := visit(saved); err != nil {
				return err
			}
		}
		if q.After = page.Next; q.After == "" {
			return nil
		}
	}
}

// unless forgets an error that is one of the expected.
func unless(err error, expected ...error) error {
	if slices.ContainsFunc(expected, func(e error) bool { return errors.Is(err, e) }) {
		return nil
	}
	return err
}
