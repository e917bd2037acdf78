package customer

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"

	"github.com/nyaruka/phonenumbers"
)

// E164 reads a phone number as it is typed in a region (ISO 3166-1 alpha-2) and gives it as +<country><number>. False
// when it can't be a number of that region or, written with its country code, of any.
func E164(phone, region string) (string, bool) {
	number, err := phonenumbers.Parse(phone, region)
	if err != nil || !phonenumbers.IsValidNumber(number) {
		return "", false
	}
	return phonenumbers.Format(number, phonenumbers.E164), true
}

// MatchKey is what a customer is known again by: the same name and the same phone number, however they were typed. It is
// a hash, fit to be an id. Empty without a readable number: a name alone is not one person.
func MatchKey(name, e164 string) string {
	if e164 == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(e164 + "\n" + FoldName(name)))
	return hex.EncodeToString(sum[:])
}

// MatchKey is what the customer is known again by. See the function.
func (c *Customer) MatchKey() string { return MatchKey(c.Name, c.PhoneE164) }

// FoldName gives the form in which names are compared: full-width letters made ASCII, lower case, invisible characters
// left out, spaces folded to one, and none beside a Chinese character.
func FoldName(name string) string {
	narrow := strings.Map(func(r rune) rune {
		switch {
		case r >= '！' && r <= '～':
			r -= '！' - '!'
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return unicode.ToLower(unicode.ToUpper(r))
	}, name)
	words := strings.Fields(narrow)
	var folded strings.Builder
	for i, word := range words {
		if i > 0 && !endsHan(words[i-1]) && !startsHan(word) {
			folded.WriteByte(' ')
		}
		folded.WriteString(word)
	}
	return folded.String()
}

func startsHan(s string) bool { return unicode.Is(unicode.Han, []rune(s)[0]) }

func endsHan(s string) bool {
	runes := []rune(s)
	return unicode.Is(unicode.Han, runes[len(runes)-1])
}

// PhoneKeys gives what the customer's phone is looked up by: the whole number and its last four digits. None without
// digits.
func (c *Customer) PhoneKeys() []string {
	digits := onlyDigits(c.PhoneE164)
	if digits == "" {
		digits = onlyDigits(c.Phone)
	}
	switch {
	case digits == "":
		return nil
	case len(digits) <= 4:
		return []string{digits}
	case c.PhoneE164 != "":
		return []string{c.PhoneE164, digits[len(digits)-4:]}
	default:
		return []string{digits, digits[len(digits)-4:]}
	}
}

// PhoneEnding gives the last four digits of the customer's phone number: enough to tell two of a name apart by asking, and
// nothing to call. Empty without digits.
func (c *Customer) PhoneEnding() string {
	keys := c.PhoneKeys()
	if len(keys) == 0 {
		return ""
	}
	return keys[len(keys)-1]
}

// NameKeys gives what the customer's name is looked up by, as beginnings of it are typed: the whole folded name, and
// each further word of it. A search folds what is typed by FoldName.
func (c *Customer) NameKeys() []string {
	name := FoldName(c.Name)
	if name == "" {
		return nil
	}
	words := strings.Fields(name)
	return append([]string{name}, words[1:min(len(words), maxNameWords)]...)
}

const maxNameWords = 6

func onlyDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '０' && r <= '９' {
			r -= '０' - '0'
		}
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}
