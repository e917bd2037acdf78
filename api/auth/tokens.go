package auth

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/staff"
)

// AccessLife is how long an access token lives.
const AccessLife = 15 * time.Minute

const (
	futureLeeway   = time.Minute // a token may be this much younger than now: replicas' clocks differ, and step
	maxTokenBytes  = 4096
	verifiedTokens = 32768 // remembered, to twice as many
	scopeStaff     = "staff"
)

// claims is what an access token says.
type claims struct {
	jwt.RegisteredClaims
	SessionID string       `json:"sid"`
	StoreID   string       `json:"store"`
	Name      string       `json:"name"`
	Roles     []staff.Role `json:"roles"`
	Scope     string       `json:"scope"`
	ChainWide bool         `json:"chain,omitempty"`
	Epoch     int64        `json:"epoch"` // TokenEpoch of the account, when it was issued
}

// verified is a token whose signature and claims were found good.
type verified struct {
	principal    Principal
	account      string // its id in its collection
	epoch        int64
	issued, ends time.Time
}

// tokens signs access tokens and remembers those that it verified: Ed25519 costs more than the rest of a request.
type tokens struct {
	vault            *vault
	issuer, audience string
	parser           *jwt.Parser
	known            *recent[[sha256.Size]byte, *verified]
}

func newTokens(v *vault, c Config) *tokens {
	return &tokens{
		vault: v, issuer: c.Issuer, audience: c.Audience,
		parser: jwt.NewParser(
			jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}), jwt.WithStrictDecoding(),
			jwt.WithIssuer(c.Issuer), jwt.WithAudience(c.Audience), jwt.WithExpirationRequired(), jwt.WithTimeFunc(c.Now),
		),
		known: newRecent[[sha256.Size]byte, *verified](verifiedTokens),
	}
}

// issue signs an access token of a session, which does not outlive it.
func (t *tokens) issue(ctx context.Context, a *staff.Account, s *session, now time.Time) (token string, ends time.Time, err error) {
	ends = now.Add(AccessLife)
	if s.ExpiresAt.Before(ends) {
		ends = s.ExpiresAt.Time
	}
	key := t.vault.signer(ctx, now)
	unsigned := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: t.issuer, Subject: a.ID, Audience: jwt.ClaimStrings{t.audience},
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(ends),
		},
		SessionID: s.ID, StoreID: a.StoreID, Name: a.Name, Roles: a.Roles, Scope: scopeStaff, ChainWide: a.ChainWide,
		Epoch: a.TokenEpoch,
	})
	unsigned.Header["kid"] = key.KeyID
	if token, err = unsigned.SignedString(key.private); err != nil {
		return "", ends, fmt.Errorf("auth: signing an access token: %w", err)
	}
	return token, ends, nil
}

// verify finds what a token says, by signature or by memory. CodeTokenInvalid, CodeTokenExpired.
func (t *tokens) verify(ctx context.Context, token string, now time.Time) (*verified, error) {
	if len(token) == 0 || len(token) > maxTokenBytes {
		return nil, domain.Refuse(CodeTokenInvalid, "this is not an access token")
	}
	var buffer [1024]byte // on the stack: a token is some 500 bytes
	sum := sha256.Sum256(append(buffer[:0], token...))
	v, ok := t.known.get(sum)
	if !ok {
		parsed, err := t.parse(ctx, token, now)
		if err != nil {
			return nil, err
		}
		v = t.known.keep(sum, parsed)
	}
	switch {
	case !now.Before(v.ends):
		return nil, domain.Refuse(CodeTokenExpired, "the access token has served its time; refresh")
	case v.issued.After(now.Add(futureLeeway)):
		return nil, domain.Refuse(CodeTokenExpired, "the access token was issued in the future; refresh")
	}
	return v, nil
}

func (t *tokens) parse(ctx context.Context, token string, now time.Time) (*verified, error) {
	var c claims
	_, err := t.parser.ParseWithClaims(token, &c, func(unverified *jwt.Token) (any, error) {
		kid, _ := unverified.Header["kid"].(string) // "" is no key's
		key, ok := t.vault.verifier(ctx, kid, now)
		if _, critical := unverified.Header["crit"]; !ok || critical {
			return nil, jwt.ErrTokenUnverifiable
		}
		return key, nil
	})
	switch {
	case errors.Is(err, jwt.ErrTokenExpired): // the signature was good: it is checked first
		return nil, domain.Refuse(CodeTokenExpired, "the access token has served its time; refresh")
	case err != nil || c.IssuedAt == nil || c.SessionID == "" || c.StoreID == "" || c.Subject == "":
		return nil, domain.Refuse(CodeTokenInvalid, "this is not an access token of this installation")
	}
	return &verified{
		principal: Principal{
			AccountID: c.Subject, Name: c.Name, SessionID: c.SessionID, StoreID: c.StoreID, Roles: c.Roles, ChainWide: c.ChainWide,
			Scopes: strings.Fields(c.Scope),
		},
		account: c.StoreID + "/" + c.Subject, epoch: c.Epoch,
		issued: c.IssuedAt.Time, ends: c.ExpiresAt.Time,
	}, nil
}

// Verify says who asks. It takes well under a microsecond for a token seen before. CodeTokenInvalid, CodeTokenExpired
// (refresh), CodeSessionRevoked (sign in); storage.ErrUnavailable when it cannot be known whether the session lives.
// What was signed out, disabled or demoted in this process is refused at once, on other replicas within 5 s.
func (s *Service) Verify(ctx context.Context, accessToken string) (Principal, error) {
	now := s.now()
	v, err := s.tokens.verify(ctx, accessToken, now)
	if err != nil {
		return Principal{}, err
	}
	if err := s.live.check(ctx, v, now); err != nil {
		return Principal{}, err
	}
	return v.principal, nil
}
