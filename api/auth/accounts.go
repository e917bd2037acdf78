package auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/google/uuid"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/staff"
	"example.com/walkaround/storage"
)

// voidAfter is when a reserved user name whose account never came is free again for an account with another id.
const voidAfter = 10 * time.Minute

func accountID(a *staff.Account) string { return a.StoreID + "/" + a.ID }

func accountsOf(e storage.Engine) *storage.Collection[staff.Account] {
	return storage.NewCollection(e, storage.Shape[staff.Account]{
		Name: "staff",
		ID:   accountID,
		Keys: []storage.Key[staff.Account]{
			{Name: "username", Values: func(a *staff.Account) []string { return []string{a.StoreID + "/" + a.Username} }},
			{Name: "admin", Values: adminKeys},
		},
	})
}

func usernamesOf(e storage.Engine) *storage.Collection[staff.Username] {
	return storage.NewCollection(e, storage.Shape[staff.Username]{Name: "usernames", ID: (*staff.Username).ID})
}

// Kinds of admins, of which an installation always has one each: a store's admin cannot make a chain-wide one.
const (
	anyAdmin   = "any"
	chainAdmin = "chain"
)

func adminKeys(a *staff.Account) []string {
	switch {
	case !a.IsAdmin():
		return nil
	case a.ChainWide:
		return []string{anyAdmin, chainAdmin}
	default:
		return []string{anyAdmin}
	}
}

// NewAccount is what an account is made from.
type NewAccount struct {
	ID        string // optional: made by the client
	StoreID   string // empty: the store of who makes it
	Username  string
	Password  string
	Name      string
	Roles     []staff.Role
	ChainWide bool
	Phone     string
	Language  string
}

// CreateAccount makes an account. The same call again, with the same id, gives the same account, and created is false.
// domain.CodeInvalid, staff.CodePasswordWeak, staff.CodeRoleNotGrantable, staff.CodeUsernameTaken, domain.CodeIDTaken
// (the id with another body), domain.CodeNotFound (a store out of reach), CodeBusy.
func (s *Service) CreateAccount(
	ctx context.Context, by Principal, n NewAccount,
) (saved storage.Saved[staff.Account], created bool, err error) {
	if n.StoreID == "" {
		n.StoreID = by.StoreID
	}
	if !by.Reaches(n.StoreID) {
		return saved, false, notFound()
	}
	a := n.account(s.clock())
	if err := a.Validate(); err != nil {
		return saved, false, err
	}
	if err := staff.MayManage(by.actor(), a); err != nil {
		return saved, false, err
	}
	return s.create(ctx, a, n.Password, n.ID != "")
}

// account is the normalised account, without its hash.
func (n *NewAccount) account(now domain.Time) *staff.Account {
	a := &staff.Account{
		ID: n.ID, StoreID: n.StoreID, Username: n.Username, Name: n.Name, Roles: n.Roles, ChainWide: n.ChainWide,
		Phone: n.Phone, Language: n.Language, CreatedAt: now, PasswordChangedAt: now, Revision: 1,
	}
	if a.ID == "" {
		a.ID = domain.NewID()
	}
	a.Normalise()
	return a
}

// create stores an account that may be made. own says that the client chose its id.
func (s *Service) create(
	ctx context.Context, a *staff.Account, password string, own bool,
) (saved storage.Saved[staff.Account], created bool, err error) {
	if err := staff.CheckPassword(normalisePassword(password), a.Username); err != nil {
		return saved, false, err
	}
	if own {
		known, err := s.accounts.Get(ctx, accountID(a))
		if err == nil {
			known, err = s.repeated(ctx, known, a, password)
		}
		if !errors.Is(err, storage.ErrNotFound) {
			return known, false, err
		}
	}
	if a.PasswordHash, err = s.passwords.hash(ctx, password); err != nil {
		return saved, false, err
	}
	if err := s.reserve(ctx, a, own); err != nil {
		return saved, false, err
	}
	saved, err = s.accounts.Insert(ctx, *a)
	if errors.Is(err, storage.ErrExists) { // the same creation, at the same moment
		if saved, err = s.accounts.Get(ctx, accountID(a)); err == nil {
			saved, err = s.repeated(ctx, saved, a, password)
		}
		return saved, false, err
	}
	return saved, err == nil, err
}

// repeated answers a creation whose id is there: the same account for the same body, else domain.CodeIDTaken.
func (s *Service) repeated(
	ctx context.Context, known storage.Saved[staff.Account], a *staff.Account, password string,
) (storage.Saved[staff.Account], error) {
	k := &known.Value
	same := k.Username == a.Username && k.Name == a.Name && slices.Equal(k.Roles, a.Roles) &&
		k.ChainWide == a.ChainWide && k.Phone == a.Phone && k.Language == a.Language
	if same {
		fits, _, err := s.passwords.verify(ctx, k.PasswordHash, password)
		if err != nil || fits {
			return known, err
		}
	}
	return storage.Saved[staff.Account]{}, domain.Refuse(domain.CodeIDTaken, "another account has this id")
}

// reserve takes the user name for the account. A reservation whose account never came, since its maker crashed, is
// taken over: by its id if the client chose none, else when it is old enough that its maker can't be on the way.
func (s *Service) reserve(ctx context.Context, a *staff.Account, own bool) error {
	u := staff.Username{StoreID: a.StoreID, Username: a.Username, AccountID: a.ID, CreatedAt: a.CreatedAt}
	for {
		_, err := s.usernames.Insert(ctx, u)
		if !errors.Is(err, storage.ErrExists) {
			return err
		}
		found, err := s.usernames.Get(ctx, u.ID())
		if errors.Is(err, storage.ErrNotFound) {
			continue
		}
		if err != nil || found.Value.AccountID == a.ID {
			return err
		}
		if _, err = s.accounts.Get(ctx, a.StoreID+"/"+found.Value.AccountID); !errors.Is(err, storage.ErrNotFound) {
			return taken(err)
		}
		if !own {
			a.ID = found.Value.AccountID
			return nil
		}
		if a.CreatedAt.Sub(found.Value.CreatedAt.Time) < voidAfter {
			return taken(nil)
		}
		if err := s.usernames.Delete(ctx, u.ID(), found.Version); unless(err, storage.ErrNotFound, storage.ErrStale) != nil {
			return err
		}
	}
}

// taken is the refusal, unless storage failed.
func taken(err error) error {
	if err != nil {
		return err
	}
	return domain.Refuse(staff.CodeUsernameTaken, "another account of the store has this user name")
}

// notFound stands for absent, and for out of reach.
func notFound() error { return domain.Refuse(domain.CodeNotFound, "there is no such account") }

// Account reads one account. domain.CodeNotFound, also for a store out of reach.
func (s *Service) Account(ctx context.Context, by Principal, storeID, id string) (storage.Saved[staff.Account], error) {
	if !by.Reaches(storeID) || !domain.ValidID(id) || storage.CheckID(storeID) != nil {
		return storage.Saved[staff.Account]{}, notFound()
	}
	saved, err := s.accounts.Get(ctx, storeID+"/"+id)
	if errors.Is(err, storage.ErrNotFound) {
		return saved, notFound()
	}
	return saved, err
}

// Accounts lists a store's accounts by user name: at most limit (1 to storage.MaxFind), behind the cursor after.
// domain.CodeNotFound for a store out of reach; storage.ErrCursor.
func (s *Service) Accounts(
	ctx context.Context, by Principal, storeID string, limit int, after string,
) (storage.Page, error) {
	if !by.Reaches(storeID) || storage.CheckID(storeID) != nil {
		return storage.Page{}, notFound()
	}
	return s.accounts.Find(ctx, storage.Query{Key: "username", Prefix: storeID + "/", Limit: limit, After: after})
}

// EnsureFirstAccount makes an installation's first account, a chain-wide admin, if there is none at all; made up is the
// password when none is given. Two replicas that start at once make one. staff.CodePasswordWeak, domain.CodeInvalid.
func (s *Service) EnsureFirstAccount(
	ctx context.Context, storeID, username, password string,
) (created bool, used string, err error) {
	page, err := s.accounts.Find(ctx, storage.Query{Key: "username", Limit: 1})
	if err != nil || len(page.Items) > 0 {
		return false, "", err
	}
	if password == "" {
		if password, err = s.makePassword(); err != nil {
			return false, "", err
		}
	}
	first := NewAccount{
		ID: uuid.NewSHA1(uuid.NameSpaceURL, []byte("walkaround:first:"+storeID)).String(), StoreID: storeID,
		Username: username, Name: username, Roles: []staff.Role{staff.Admin}, ChainWide: true,
	}
	a := first.account(s.clock())
	if err := a.Validate(); err != nil {
		return false, "", err
	}
	_, created, err = s.create(ctx, a, password, true)
	if refusal, is := errors.AsType[*domain.Error](err); is && refusal.Code == domain.CodeIDTaken { // another replica made it, with its own password
		return false, "", nil
	}
	if err != nil || !created {
		return false, "", err
	}
	return true, password, nil
}

// passwordLetters leaves out what is misread.
const passwordLetters = "abcdefghijkmnpqrstuvwxyz23456789"

// makePassword makes up 20 letters in groups of five: 100 bits.
func (s *Service) makePassword() (string, error) {
	noise := make([]byte, 20)
	if _, err := io.ReadFull(s.random, noise); err != nil {
		return "", fmt.Errorf("auth: new password: %w", err)
	}
	var password []byte
	for i, b := range noise {
		if i > 0 && i%5 == 0 {
			password = append(password, '-')
		}
		password = append(password, passwordLetters[int(b)%len(passwordLetters)])
	}
	return string(password), nil
}
