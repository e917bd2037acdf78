package evidence

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"example.com/walkaround/domain"
)

const (
	// MaxDepth is how deep objects and arrays may nest in a canonical form.
	MaxDepth = 64

	maxInteger = 1 << 53
	freeMember = "attributes"

	// At the top, these map ids to SHA-256, null while the file is not stored: a null there says something.
	photosMember     = "photos"
	recordingsMember = "recordings"

	digestPrefix = "sha256:"
)

// Canonical makes the canonical form of a JSON text: the bytes that a customer signs, made alike in every language.
//
// It is RFC 8785 (order by UTF-16 code units, ECMAScript numbers, shortest escapes) of the text after this: members of an
// object that are null, "", [] or {} are left out, from the inside out; false and 0 stay; elements of an array stay, for
// their order means something, and are cleared inside; below a member named "attributes", and below "photos" and "recordings"
// of the outermost object, nothing is left out. Strings are
// untouched: nothing is trimmed or normalised. The text itself is never left out.
//
// A refusal is a *domain.Error of CodeMalformed (not JSON, not UTF-8, more after it), CodeNumberOutOfRange,
// CodeDuplicateKey, CodeLoneSurrogate or CodeTooDeep.
func Canonical(raw []byte) ([]byte, error) {
	if err := inspect(raw); err != nil {
		return nil, err
	}
	w := orderer{in: raw, out: make([]byte, 0, len(raw))}
	w.value(false)
	if w.twice {
		return nil, domain.Refuse(CodeDuplicateKey, "an object names the same member twice")
	}
	return w.out, nil
}

// Digest names bytes by their SHA-256, as "sha256:" and 64 lower-case hex digits.
func Digest(b []byte) string {
	sum := sha256.Sum256(b)
	return digestPrefix + hex.EncodeToString(sum[:])
}

// ValidDigest says whether s has the form that Digest writes.
func ValidDigest(s string) bool {
	_, ok := digestBytes(s)
	return ok
}

// digestBytes reads the 32 bytes back.
func digestBytes(s string) ([]byte, bool) {
	const size = len(digestPrefix) + 2*sha256.Size
	if len(s) != size || s[:len(digestPrefix)] != digestPrefix {
		return nil, false
	}
	sum, err := hex.DecodeString(s[len(digestPrefix):])
	return sum, err == nil && hex.EncodeToString(sum) == s[len(digestPrefix):]
}

// inspect refuses what two implementations could read differently. Only duplicate keys are left to the orderer.
func inspect(raw []byte) error {
	if err := measureDepth(raw); err != nil {
		return err
	}
	if !utf8.Valid(raw) {
		return domain.Refuse(domain.CodeMalformed, "the text is not UTF-8")
	}
	if !json.Valid(raw) {
		return domain.Refuse(domain.CodeMalformed, "the text is not one JSON value")
	}
	for i := 0; i < len(raw); {
		next, err := inspectToken(raw, i)
		if err != nil {
			return err
		}
		i = next
	}
	return nil
}

// measureDepth comes before the parsers, so that none of them recurses deeper than we allow.
func measureDepth(raw []byte) error {
	depth := 0
	for i := 0; i < len(raw); i++ {
		switch raw[i] {
		case '"':
			i = stringEnd(raw, i) - 1
		case '[', '{':
			depth++
		case ']', '}':
			depth--
		}
		if depth > MaxDepth {
			return domain.Refuse(CodeTooDeep, "objects and arrays nest deeper than %d", MaxDepth)
		}
	}
	return nil
}

// inspectToken looks at the token of valid JSON at i and gives the place after it.
func inspectToken(raw []byte, i int) (int, error) {
	switch c := raw[i]; {
	case c == '"':
		end := stringEnd(raw, i)
		return end, inspectString(raw[i:end])
	case c == '-' || c >= '0' && c <= '9':
		end := numberEnd(raw, i)
		return end, inspectNumber(string(raw[i:end]))
	default:
		return i + 1, nil
	}
}

// stringEnd gives the place after the string that opens at i, or the end of a text that doesn't close it.
func stringEnd(raw []byte, i int) int {
	for i++; i < len(raw); i++ {
		switch raw[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(raw)
}

// numberEnd gives the place after the number that begins at i.
func numberEnd(raw []byte, i int) int {
	for i < len(raw) {
		switch c := raw[i]; {
		case c >= '0' && c <= '9', c == '-', c == '+', c == '.', c == 'e', c == 'E':
			i++
		default:
			return i
		}
	}
	return i
}

// inspectString refuses an escaped surrogate without its other half (a raw one isn't UTF-8).
func inspectString(s []byte) error {
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			continue
		}
		i++
		first, ok := unicodeEscape(s, i-1)
		if !ok || !utf16.IsSurrogate(first) {
			continue
		}
		second, ok := unicodeEscape(s, i+5)
		if !ok || utf16.DecodeRune(first, second) == utf8.RuneError {
			return domain.Refuse(CodeLoneSurrogate, "a string holds half of a surrogate pair")
		}
		i += 10
	}
	return nil
}

// unicodeEscape reads the \uXXXX at i, if one is there.
func unicodeEscape(s []byte, i int) (rune, bool) {
	if len(s) < i+6 || s[i] != '\\' || s[i+1] != 'u' {
		return 0, false
	}
	v, err := strconv.ParseUint(string(s[i+2:i+6]), 16, 16)
	return rune(v), err == nil
}

// inspectNumber refuses what lies beyond ±2^53 by its written value, not by what a double makes of it.
func inspectNumber(text string) error {
	refusal := domain.Refuse(CodeNumberOutOfRange, "a number lies beyond 9007199254740992, where doubles lose integers")
	f, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil || f > maxInteger || f < -maxInteger:
		return refusal
	case f < maxInteger && f > -maxInteger:
		return nil
	}
	exact, ok := new(big.Rat).SetString(text) // as long as the text: the exponent can't be far when the double is 2^53
	if !ok || exact.Abs(exact).Cmp(new(big.Rat).SetInt64(maxInteger)) > 0 {
		return refusal
	}
	return nil
}
