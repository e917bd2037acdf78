package staff

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"example.com/walkaround/domain"
)

// Username reserves a user name in its store. It is only ever inserted, before the account that it names, so that of two
// creations one wins, and whoever comes after a crash in between finds the winner and goes on.
type Username struct {
	StoreID   string      `bson:"store_id"`
	Username  string      `bson:"username"`
	AccountID string      `bson:"account_id"`
	CreatedAt domain.Time `bson:"created_at"`
}

// ID is the reservation's id in its collection.
func (u *Username) ID() string { return u.StoreID + "/" + u.Username }

// NormaliseUsername writes a user name as it is stored and compared: without spaces around it, in lower case, and with
// the full-width letters, digits and signs that a Chinese input method types turned into the plain ones.
func NormaliseUsername(s string) string {
	narrow := func(r rune) rune {
		if r >= '！' && r <= '～' {
			r -= '！' - '!'
		}
		return unicode.ToLower(r)
	}
	return strings.TrimSpace(strings.Map(narrow, s))
}

// checkUsername takes a-z, 0-9, the signs . _ - @ and unified Han characters: nothing that has two encodings.
func checkUsername(f *domain.Faults, s string) {
	f.Required("/username", s, MaxUsername)
	if s != "" && (!utf8.ValidString(s) || strings.ContainsFunc(s, foreign)) {
		f.Add("/username", domain.CodeMalformed, "letters a to z, digits, Chinese characters and . _ - @ are taken")
	}
}

func foreign(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= '0' && r <= '9', strings.ContainsRune("._-@", r):
		return false
	case r >= 0xF900 && r <= 0xFAFF, r >= 0x2F800 && r <= 0x2FA1F: // compatibility ideographs look like unified ones
		return true
	default:
		return !unicode.In(r, unicode.Han) || !unicode.IsLetter(r)
	}
}
