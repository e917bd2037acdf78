// Package staff holds the people of a store: their accounts, their roles, and what a role may do. Who may grant what,
// which password is good enough and which role opens which area are decided here and nowhere else.
//
// Call Account.Validate before an account is stored, MayManage and MayGrant before one is changed, and Allows for every
// request. The package may import the standard library and domain; hashing and sessions belong to api/auth.
package staff

import (
	"slices"
	"strings"

	"example.com/walkaround/domain"
)

// The refusals of this room.
const (
	CodeUsernameTaken    domain.Code = "username_taken"     // another account of the store bears this user name
	CodePasswordWeak     domain.Code = "password_weak"      // too short, too long, too common, or the user name itself
	CodeRoleNotGrantable domain.Code = "role_not_grantable" // the grantor's own roles stand below the ones granted or touched
	CodeLastAdmin        domain.Code = "last_admin"         // the installation would be left without an admin
)

// Limits of an account's values, in characters.
const (
	MaxUsername = 64
	MaxName     = 80
	MaxPhone    = 32
)

// Account is one person who signs in, in one store. Its user name is unique in the store.
type Account struct {
	ID                string      `bson:"id" json:"id" format:"uuid"`
	StoreID           string      `bson:"store_id" json:"store_id"`
	Username          string      `bson:"username" json:"username"` // as NormaliseUsername writes it
	Name              string      `bson:"name" json:"name"`         // as colleagues and customers read it
	Roles             []Role      `bson:"roles" json:"roles"`
	ChainWide         bool        `bson:"chain_wide" json:"chain_wide"` // may name any store of the installation
	Phone             string      `bson:"phone,omitempty" json:"phone,omitempty"`
	Language          string      `bson:"language,omitempty" json:"language,omitempty" enums:"zh-Hant,zh-Hans,en"` // zh-Hant, zh-Hans, en; empty: the store's
	Disabled          bool        `bson:"disabled" json:"disabled"`
	CreatedAt         domain.Time `bson:"created_at" json:"created_at"`
	PasswordHash      string      `bson:"password_hash" json:"-"`
	PasswordChangedAt domain.Time `bson:"password_changed_at" json:"password_changed_at"`
	Revision          int64       `bson:"revision" json:"revision"` // 1, and one more with each change of what is shown

	// TokenEpoch and SessionEpoch kill what was issued before: an access token, or a session, that bears a lower number
	// than its account is dead. They change in the same replace as what they follow from, so no crash parts the two.
	TokenEpoch   int64 `bson:"token_epoch" json:"-"`
	SessionEpoch int64 `bson:"session_epoch" json:"-"`
}

// Normalise brings user name, name and phone into the form that is stored, and the roles into the order of Roles,
// each once. A role that is not known is kept for Validate to name.
func (a *Account) Normalise() {
	a.Username = NormaliseUsername(a.Username)
	a.Name = strings.TrimSpace(a.Name)
	a.Phone = strings.TrimSpace(a.Phone)
	a.Roles = slices.Clone(a.Roles)
	slices.SortFunc(a.Roles, func(x, y Role) int { return slices.Index(Roles(), x) - slices.Index(Roles(), y) })
	a.Roles = slices.Compact(a.Roles)
}

// Validate lists every value that is wrong (domain.CodeInvalid), or returns nil. It expects a normalised account.
func (a *Account) Validate() error {
	var f domain.Faults
	f.ID("/id", a.ID)
	f.Required("/store_id", a.StoreID, MaxUsername)
	checkUsername(&f, a.Username)
	f.Required("/name", a.Name, MaxName)
	checkLine(&f, "/name", a.Name)
	checkRoles(&f, a.Roles)
	checkPhone(&f, a.Phone)
	domain.OneOf(&f, "/language", a.Language, "zh-Hant", "zh-Hans", "en")
	return f.Err()
}

// IsAdmin says whether the account may administer the installation now.
func (a *Account) IsAdmin() bool { return !a.Disabled && slices.Contains(a.Roles, Admin) }

// Apply makes change, and counts it: access tokens that name other roles than the account has now expire, and what was
// signed in before the account was disabled, or got another password, is signed out. It reports whether anything
// differs. change may set everything but the counters.
func (a *Account) Apply(change func(*Account)) bool {
	was := *a
	was.Roles = slices.Clone(a.Roles)
	change(a)
	a.Normalise()
	ended := a.Disabled && !was.Disabled || a.PasswordHash != was.PasswordHash
	demoted := a.ChainWide != was.ChainWide || !slices.Equal(a.Roles, was.Roles)
	renamed := a.Name != was.Name || a.Phone != was.Phone || a.Language != was.Language || a.Disabled != was.Disabled
	if !ended && !demoted && !renamed {
		return false
	}
	a.Revision++
	if demoted {
		a.TokenEpoch++
	}
	if ended {
		a.SessionEpoch++
	}
	return true
}

func checkLine(f *domain.Faults, pointer, s string) {
	if strings.ContainsAny(s, "\r\n\t") {
		f.Add(pointer, domain.CodeMalformed, "one line is taken, without tabs")
	}
}

func checkRoles(f *domain.Faults, roles []Role) {
	if len(roles) == 0 {
		f.Add("/roles", domain.CodeRequired, "at least one role is needed")
	}
	for _, r := range roles {
		if !r.Known() {
			f.Add("/roles", domain.CodeUnknown, "%q is not one of %v", string(r), Roles())
		}
	}
}

func checkPhone(f *domain.Faults, phone string) {
	f.Text("/phone", phone, MaxPhone)
	if phone != "" && strings.Trim(phone, "0123456789+-() ") != "" {
		f.Add("/phone", domain.CodeMalformed, "digits, spaces and + - ( ) are taken")
	}
}
