package auth

import (
	"context"
	"fmt"
	"slices"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/staff"
	"example.com/walkaround/storage"
)

// AccountChange is what of an account is changed; nil leaves it as it is.
type AccountChange struct {
	Name, Phone, Language, Password *string
	Roles                           []staff.Role
	ChainWide, Disabled             *bool

	// If is asked with the account as it is stored, in the same replace; its error is returned untouched. It is where
	// an ETag is compared.
	If func(staff.Account) error
}

// UpdateAccount changes an account. Whoever is disabled, or gets another password, is signed out; whose roles change has
// to refresh: here at once, on other replicas within 5 s. domain.CodeNotFound (also a store out of reach),
// domain.CodeInvalid, staff.CodePasswordWeak, staff.CodeRoleNotGrantable, staff.CodeLastAdmin, CodeBusy.
func (s *Service) UpdateAccount(
	ctx context.Context, by Principal, storeID, id string, c AccountChange,
) (storage.Saved[staff.Account], error) {
	old, err := s.Account(ctx, by, storeID, id)
	if err != nil {
		return old, err
	}
	if err := staff.MayManage(by.actor(), &old.Value); err != nil { // before a password is hashed for him
		return storage.Saved[staff.Account]{}, err
	}
	var hash string
	if c.Password != nil {
		if hash, err = s.newHash(ctx, *c.Password, old.Value.Username); err != nil {
			return storage.Saved[staff.Account]{}, err
		}
	}
	after := old.Value
	c.apply(&after, hash, s.clock())
	if err := s.othersLeft(ctx, &old.Value, &after); err != nil {
		return storage.Saved[staff.Account]{}, err
	}
	var before staff.Account
	saved, err := s.accounts.Update(ctx, storeID+"/"+id, func(a *staff.Account) error {
		before = *a
		return s.change(by, a, c, hash)
	})
	if err != nil {
		return storage.Saved[staff.Account]{}, err
	}
	s.live.changed(&saved.Value)
	if err := s.othersLeft(ctx, &before, &saved.Value); err != nil {
		return storage.Saved[staff.Account]{}, s.takeBack(ctx, &before, err)
	}
	return saved, nil
}

// change applies c to an account that by may manage, before and after.
func (s *Service) change(by Principal, a *staff.Account, c AccountChange, hash string) error {
	if c.If != nil {
		if err := c.If(*a); err != nil {
			return err
		}
	}
	if err := staff.MayManage(by.actor(), a); err != nil {
		return err
	}
	if !a.Apply(func(a *staff.Account) { c.apply(a, hash, s.clock()) }) {
		return storage.ErrUnchanged
	}
	if err := a.Validate(); err != nil {
		return err
	}
	return staff.MayManage(by.actor(), a)
}

func (c *AccountChange) apply(a *staff.Account, hash string, now domain.Time) {
	set(&a.Name, c.Name)
	set(&a.Phone, c.Phone)
	set(&a.Language, c.Language)
	set(&a.ChainWide, c.ChainWide)
	set(&a.Disabled, c.Disabled)
	if c.Roles != nil {
		a.Roles = c.Roles
	}
	if hash != "" {
		a.PasswordHash, a.PasswordChangedAt = hash, now
	}
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

func (s *Service) newHash(ctx context.Context, password, username string) (string, error) {
	if err := staff.CheckPassword(normalisePassword(password), username); err != nil {
		return "", err
	}
	return s.passwords.hash(ctx, password)
}

// othersLeft refuses (CodeLastAdmin) a change after which nobody would be an admin, or a chain-wide one. It is asked
// before the change and again after it was stored: of two admins who disable one another at the same moment, both see it
// the second time, and both are refused.
func (s *Service) othersLeft(ctx context.Context, before, after *staff.Account) error {
	for _, kind := range adminKeys(before) {
		if slices.Contains(adminKeys(after), kind) {
			continue
		}
		page, err := s.accounts.FindValues(ctx, storage.Query{Key: "admin", Equal: kind, Limit: 2})
		if err != nil {
			return fmt.Errorf("auth: admins: %w", err)
		}
		other := func(a storage.Saved[staff.Account]) bool { return accountID(&a.Value) != accountID(before) }
		if !slices.ContainsFunc(page.Items, other) {
			return domain.Refuse(staff.CodeLastAdmin, "the installation would be left without an admin")
		}
	}
	return nil
}

// takeBack makes an admin one again after a change that was refused when it was already stored.
func (s *Service) takeBack(ctx context.Context, before *staff.Account, refused error) error {
	_, err := s.accounts.Update(ctx, accountID(before), func(a *staff.Account) error {
		a.Apply(func(a *staff.Account) { a.Disabled, a.Roles, a.ChainWide = false, before.Roles, before.ChainWide })
		return nil
	})
	if err != nil {
		return fmt.Errorf("auth: taking back a change: %w", err)
	}
	return refused
}

// ChangePassword gives p another password after checking the current one, which is throttled as signing in is, and
// signs out all other sessions of the account. CodeCredentialsWrong, staff.CodePasswordWeak, CodeThrottled, CodeBusy.
func (s *Service) ChangePassword(ctx context.Context, p Principal, current, password string) error {
	id := p.StoreID + "/" + p.AccountID
	try, wait := s.throttle.known(id, "session "+p.SessionID, s.now())
	if try == nil {
		return retry(CodeThrottled, wait, "too many attempts")
	}
	a, err := s.accounts.Get(ctx, id)
	if err != nil {
		try.unjudged()
		return s.refused(err, "the account is gone")
	}
	fits, _, err := s.passwords.verify(ctx, a.Value.PasswordHash, current)
	if err != nil {
		try.unjudged()
		return err
	}
	if !fits {
		return domain.Refuse(CodeCredentialsWrong, "the current password is another one")
	}
	try.succeeded()
	hash, err := s.newHash(ctx, password, a.Value.Username)
	if err != nil {
		return err
	}
	return s.replacePassword(ctx, p, &a.Value, hash)
}

// replacePassword stores the new hash, which ends all sessions, and takes that of p along into the account's new epoch.
// After a crash in between that one has ended too.
func (s *Service) replacePassword(ctx context.Context, p Principal, was *staff.Account, hash string) error {
	now := s.clock()
	saved, err := s.accounts.Update(ctx, accountID(was), func(a *staff.Account) error {
		if a.PasswordHash != was.PasswordHash || a.Disabled {
			return domain.Refuse(CodeCredentialsWrong, "the password was changed meanwhile")
		}
		a.Apply(func(a *staff.Account) { a.PasswordHash, a.PasswordChangedAt = hash, now })
		return nil
	})
	if err != nil {
		return s.refused(err, "the account is gone")
	}
	_, err = s.sessions.Update(ctx, p.SessionID, func(v *session) error {
		v.AccountEpoch = saved.Value.SessionEpoch
		return nil
	})
	s.live.changed(&saved.Value)
	if unless(err, storage.ErrNotFound) != nil {
		return fmt.Errorf("auth: session: %w", err)
	}
	return nil
}
