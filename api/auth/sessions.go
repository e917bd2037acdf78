package auth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/staff"
	"example.com/walkaround/storage"
)

const (
	sessionIdle  = 30 * 24 * time.Hour // a session that isn't refreshed ends
	sessionLife  = 90 * 24 * time.Hour // and every session after this
	sessionSlide = time.Hour           // an end that would move by less isn't written
	keepSession  = 24 * time.Hour      // an ended session's row is deleted after
	maxDevice    = 80                  // characters of a device's label
)

// session is one sign-in and the family of its refresh tokens. It is filed by a hash of the family, and holds only
// hashes of two tokens: live, the one that was used last, and next, its successor. Using live again gives the same next
// again, since a successor is derived from its predecessor: an answer that was lost does no harm. Using next makes it
// live. Any other token of the family was used before: it was copied, and the family ends.
type session struct {
	ID           string       `bson:"id"` // sid: start of the SHA-256 of the family, in hex
	StoreID      string       `bson:"store_id"`
	AccountID    string       `bson:"account_id"`
	AccountEpoch int64        `bson:"account_epoch"` // staff.Account.SessionEpoch that the password was checked against
	Device       string       `bson:"device,omitempty"`
	Places       []string     `bson:"places"` // fingerprints of the device and the address that it was begun from
	CreatedAt    domain.Time  `bson:"created_at"`
	ExpiresAt    domain.Time  `bson:"expires_at"`
	Live         string       `bson:"live"`
	Next         string       `bson:"next"`
	RevokedAt    *domain.Time `bson:"revoked_at,omitempty"`
	RevokedFor   string       `bson:"revoked_for,omitempty"`
}

// Why a session was revoked.
const (
	forLogout = "logout"
	forReuse  = "reuse" // of a refresh token
)

func sessionsOf(e storage.Engine) *storage.Collection[session] {
	return storage.NewCollection(e, storage.Shape[session]{
		Name: "sessions",
		ID:   func(s *session) string { return s.ID },
		Keys: []storage.Key[session]{
			{Name: "account", Values: func(s *session) []string { return []string{s.StoreID + "/" + s.AccountID} }},
			{Name: "expires", Values: func(s *session) []string { return []string{s.ExpiresAt.String()} }},
			{Name: "place", Values: func(s *session) []string { return s.Places }},
		},
	})
}

// slide moves the end with use. It reports whether that is worth writing.
func (s *session) slide(now domain.Time) bool {
	end := domain.At(now.Add(sessionIdle))
	if last := domain.At(s.CreatedAt.Add(sessionLife)); end.After(last.Time) {
		end = last
	}
	if end.Sub(s.ExpiresAt.Time) < sessionSlide {
		return false
	}
	s.ExpiresAt = end
	return true
}

// refreshToken is "wrt_" and base64url of the family and a secret. Whoever has the family has had one of its tokens.
type refreshToken struct {
	family [16]byte
	secret [32]byte
}

const refreshPrefix = "wrt_"

func (t refreshToken) bytes() []byte { return append(t.family[:], t.secret[:]...) }

func (t refreshToken) String() string {
	return refreshPrefix + base64.RawURLEncoding.EncodeToString(t.bytes())
}

func parseRefresh(s string) (t refreshToken, ok bool) {
	rest, ok := strings.CutPrefix(s, refreshPrefix)
	if !ok || len(rest) > 100 {
		return t, false
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(rest)
	if err != nil || len(raw) != len(t.family)+len(t.secret) {
		return t, false
	}
	copy(t.family[:], raw)
	copy(t.secret[:], raw[len(t.family):])
	return t, true
}

// session is the id of the session that the token belongs to.
func (t refreshToken) session() string {
	sum := sha256.Sum256(append([]byte("walkaround session "), t.family[:]...))
	return hex.EncodeToString(sum[:16])
}

// hash is how the token is stored.
func (t refreshToken) hash() string {
	sum := sha256.Sum256(t.bytes())
	return hex.EncodeToString(sum[:])
}

// successor is the token that follows: always the same one, and only this installation can tell which.
func (t refreshToken) successor(d deriver) refreshToken {
	next := refreshToken{family: t.family}
	copy(next.secret[:], d.derive(t.bytes()))
	return next
}

// begin stores a new session of an account, and returns its first refresh token.
func (s *Service) begin(ctx context.Context, a *staff.Account, device string, places []string) (*session, refreshToken, error) {
	var first refreshToken
	for _, part := range [][]byte{first.family[:], first.secret[:]} {
		if _, err := io.ReadFull(s.random, part); err != nil {
			return nil, first, fmt.Errorf("auth: new session: %w", err)
		}
	}
	now := s.clock()
	began := session{
		ID: first.session(), StoreID: a.StoreID, AccountID: a.ID, AccountEpoch: a.SessionEpoch,
		Device: device, Places: places, CreatedAt: now, Live: first.hash(), Next: first.successor(s.refresh).hash(),
	}
	began.slide(now)
	if _, err := s.sessions.Insert(ctx, began); err != nil {
		return nil, first, fmt.Errorf("auth: new session: %w", err)
	}
	return &began, first, nil
}

// Refresh gives the next access and refresh token of a session. A token may be sent again until its successor was used.
// CodeTokenInvalid, CodeSessionExpired, CodeSessionRevoked: also for a token that was used before its last successor,
// which revokes the session.
func (s *Service) Refresh(ctx context.Context, token string) (Grant, error) {
	given, ok := parseRefresh(token)
	if !ok {
		return Grant{}, domain.Refuse(CodeTokenInvalid, "this is not a refresh token")
	}
	saved, err := s.sessions.Update(ctx, given.session(), func(v *session) error { return s.use(v, given) })
	if err != nil {
		return Grant{}, s.refused(err, "this is not a refresh token of this installation")
	}
	if saved.Value.RevokedAt != nil {
		s.live.ended(saved.Value.ID)
		return Grant{}, revoked()
	}
	a, err := s.accounts.Get(ctx, saved.Value.StoreID+"/"+saved.Value.AccountID)
	if err != nil {
		return Grant{}, s.refused(err, "the account is gone")
	}
	if a.Value.Disabled || a.Value.SessionEpoch > saved.Value.AccountEpoch {
		return Grant{}, revoked()
	}
	return s.grant(ctx, &a.Value, &saved.Value, given.successor(s.refresh))
}

// use moves the family on, or ends it.
func (s *Service) use(v *session, given refreshToken) error {
	now, hash := s.clock(), given.hash()
	switch {
	case v.RevokedAt != nil:
		return storage.ErrUnchanged
	case !now.Before(v.ExpiresAt.Time):
		return domain.Refuse(CodeSessionExpired, "the session has not been used for too long; sign in again")
	case hash == v.Next:
		v.Live, v.Next = hash, given.successor(s.refresh).hash()
		v.slide(now)
		return nil
	case hash == v.Live && v.slide(now):
		return nil
	case hash == v.Live:
		return storage.ErrUnchanged
	default:
		v.RevokedAt, v.RevokedFor = &now, forReuse
		return nil
	}
}

// refused turns what is absent into CodeTokenInvalid.
func (s *Service) refused(err error, detail string) error {
	if errors.Is(err, storage.ErrNotFound) {
		return domain.Refuse(CodeTokenInvalid, "%s", detail)
	}
	if _, is := errors.AsType[*domain.Error](err); is {
		return err
	}
	return fmt.Errorf("auth: %w", err)
}

// Logout ends the session of p: its refresh tokens, and its access tokens here at once and elsewhere within 5 s.
// Ending it twice is ending it once.
func (s *Service) Logout(ctx context.Context, p Principal) error {
	now := s.clock()
	_, err := s.sessions.Update(ctx, p.SessionID, func(v *session) error {
		if v.RevokedAt != nil {
			return storage.ErrUnchanged
		}
		v.RevokedAt, v.RevokedFor = &now, forLogout
		return nil
	})
	if unless(err, storage.ErrNotFound) != nil {
		return fmt.Errorf("auth: signing out: %w", err)
	}
	s.live.ended(p.SessionID)
	return nil
}

// prune deletes sessions that ended more than a day ago.
func (s *Service) prune(ctx context.Context) error {
	before := domain.At(s.now().Add(-keepSession)).String()
	return walk(ctx, s.sessions, storage.Query{Key: "expires", To: before}, func(old storage.Saved[session]) error {
		err := s.sessions.Delete(ctx, old.Value.ID, old.Version)
		if unless(err, storage.ErrNotFound, storage.ErrStale) != nil {
			return fmt.Errorf("auth: deleting ended sessions: %w", err)
		}
		return nil
	})
}
