package auth

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/staff"
	"example.com/walkaround/storage"
)

// maxAccount is the longest "store/user name" in bytes that is looked up.
const maxAccount = 512

// LoginRequest is one attempt to sign in.
type LoginRequest struct {
	Store    string // id of the store
	Username string // in any case and width
	Password string
	ClientID string // optional: a random id that a device made for itself and keeps; tablets always send one
	Address  string // the IP address of the client, without a port
	Device   string // optional: a label, "tablet 3"
}

// Grant is what a sign-in or a refresh gives.
type Grant struct {
	AccessToken  string
	ExpiresIn    time.Duration
	RefreshToken string
	SessionID    string
	Account      staff.Account
}

// Login signs in and begins a session. CodeCredentialsWrong whatever is wrong, at the same cost; CodeAccountDisabled only
// for the right password; a RetryError of CodeThrottled or CodeBusy.
func (s *Service) Login(ctx context.Context, r LoginRequest) (Grant, error) {
	account := r.Store + "/" + staff.NormaliseUsername(r.Username)
	places := s.fingerprints(account, r)
	try, err := s.admit(ctx, account, places, network(r.Address))
	if err != nil {
		return Grant{}, err
	}
	a, err := s.authenticate(ctx, account, r.Password, try)
	if err != nil {
		return Grant{}, err
	}
	if a.Disabled {
		return Grant{}, domain.Refuse(CodeAccountDisabled, "the account is disabled")
	}
	began, first, err := s.begin(ctx, a, label(r.Device), places)
	if err != nil {
		return Grant{}, err
	}
	return s.grant(ctx, a, began, first)
}

// authenticate finds the account and checks the password; the attempt counts as failed unless it fits.
func (s *Service) authenticate(ctx context.Context, account, password string, try *attempt) (*staff.Account, error) {
	a, err := s.named(ctx, account)
	if err != nil {
		try.unjudged()
		return nil, err
	}
	fits, weak, err := s.passwords.verify(ctx, a.PasswordHash, password)
	if err != nil {
		try.unjudged()
		return nil, err
	}
	if !fits {
		return nil, domain.Refuse(CodeCredentialsWrong, "store, user name and password do not fit")
	}
	try.succeeded()
	if weak {
		return a, s.strengthen(ctx, a, password)
	}
	return a, nil
}

// named finds an account by store and user name. For one that is unknown it does as much, and gives an account without a
// hash, which no password fits.
func (s *Service) named(ctx context.Context, account string) (*staff.Account, error) {
	if !utf8.ValidString(account) || len(account) > maxAccount || strings.ContainsRune(account, 0) {
		return &staff.Account{}, nil // no engine takes this for an id
	}
	var id string
	reserved, err := s.usernames.Get(ctx, account)
	switch {
	case err == nil:
		id = reserved.Value.StoreID + "/" + reserved.Value.AccountID
	case errors.Is(err, storage.ErrNotFound):
		id = "nobody/" + account[:min(len(account), 36)]
	default:
		return nil, fmt.Errorf("auth: user name: %w", err)
	}
	a, err := s.accounts.Get(ctx, id)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return &staff.Account{}, nil
	case err != nil:
		return nil, fmt.Errorf("auth: account: %w", err)
	case a.Value.StoreID+"/"+a.Value.Username != account:
		return &staff.Account{}, nil
	}
	return &a.Value, nil
}

// strengthen hashes a password that fitted at today's cost. Nothing is signed out: the password is the same.
func (s *Service) strengthen(ctx context.Context, a *staff.Account, password string) error {
	hash, err := s.passwords.hash(ctx, password)
	if err != nil {
		return err
	}
	_, err = s.accounts.Update(ctx, accountID(a), func(v *staff.Account) error {
		if v.PasswordHash != a.PasswordHash {
			return storage.ErrUnchanged
		}
		v.PasswordHash = hash
		return nil
	})
	if err != nil {
		return fmt.Errorf("auth: account: %w", err)
	}
	return nil
}

// grant gives tokens for a session.
func (s *Service) grant(ctx context.Context, a *staff.Account, v *session, next refreshToken) (Grant, error) {
	now := s.now()
	token, ends, err := s.tokens.issue(ctx, a, v, now)
	if err != nil {
		return Grant{}, err
	}
	return Grant{
		AccessToken: token, ExpiresIn: ends.Sub(now), RefreshToken: next.String(), SessionID: v.ID, Account: *a,
	}, nil
}

// admit lets an attempt through or says when to come again (a RetryError of CodeThrottled). Strangers are judged first,
// and only who is turned away as one is looked up among the devices and addresses that the account signed in from.
func (s *Service) admit(ctx context.Context, account string, places []string, address string) (*attempt, error) {
	now := s.now()
	try, wait := s.throttle.stranger(account, address, now)
	if try != nil {
		return try, nil
	}
	for _, place := range places {
		seen, err := s.seen(ctx, place)
		if err != nil {
			return nil, err
		}
		if seen {
			try, wait = s.throttle.known(account, place, now)
			break
		}
	}
	if try == nil {
		return nil, retry(CodeThrottled, wait, "too many attempts to sign in")
	}
	return try, nil
}

// seen says whether a session was begun from the place that has not been pruned yet: 30 to 90 days.
func (s *Service) seen(ctx context.Context, place string) (bool, error) {
	page, err := s.sessions.Find(ctx, storage.Query{Key: "place", Equal: place, Limit: 1})
	if err != nil {
		return false, fmt.Errorf("auth: places: %w", err)
	}
	return len(page.Items) > 0, nil
}

// fingerprints are the places of an attempt, for this account alone: the device first, if it has an id, then the
// address. Neither can be told from its fingerprint without the installation's secret.
func (s *Service) fingerprints(account string, r LoginRequest) []string {
	fingerprint := func(kind, value string) string {
		return hex.EncodeToString(s.places.derive([]byte(kind + "\n" + account + "\n" + value))[:16])
	}
	address := fingerprint("address", network(r.Address))
	if r.ClientID == "" || len(r.ClientID) > 200 {
		return []string{address}
	}
	return []string{fingerprint("device", r.ClientID), address}
}

// label cuts a device's label to what is kept of it.
func label(s string) string {
	if !utf8.ValidString(s) {
		return ""
	}
	if r := []rune(s); len(r) > maxDevice {
		return string(r[:maxDevice])
	}
	return s
}
