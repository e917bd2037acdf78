package vehicle

import (
	"slices"
	"strings"
	"unicode"
)

// MaxPlate is the most characters of a plate as typed.
const MaxPlate = 20

// NormalizePlate gives the one form under which a plate is filed, whoever typed it: full-width letters and digits are
// made ASCII, letters upper case, separators left out, and the traditional and simplified forms of the characters on
// mainland plates are one: 粵A·12345 and 粤a 12345 are one plate. It is empty for what holds neither letter nor digit.
func NormalizePlate(s string) string {
	return strings.Map(func(r rune) rune {
		r = fold(r)
		if simple, ok := plateCharacters[r]; ok {
			return simple
		}
		return r
	}, s)
}

// fold gives a letter or digit in its narrow upper-case form, and -1 for anything else.
func fold(r rune) rune {
	if r >= '！' && r <= '～' {
		r -= '！' - '!'
	}
	if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
		return -1
	}
	return unicode.ToUpper(r)
}

// plateCharacters maps the traditional form of each character on mainland plates to the one that is printed there:
// provinces, then what stands at the end or names an authority.
var plateCharacters = map[rune]rune{
	'滬': '沪', '雲': '云', '遼': '辽', '魯': '鲁', '蘇': '苏', '贛': '赣', '晉': '晋', '陝': '陕', '閩': '闽', '貴': '贵',
	'粵': '粤', '寧': '宁', '瓊': '琼',
	'學': '学', '領': '领', '臨': '临', '試': '试', '掛': '挂', '應': '应', '館': '馆', '軍': '军', '廣': '广', '蘭': '兰', '濟': '济',
}

// PlateKeys gives what a normalised plate is looked up by: the whole, its last three to six characters, and the last
// three to five of its digits alone, since that is what people remember. None for an empty plate.
func PlateKeys(normalized string) []string {
	if normalized == "" {
		return nil
	}
	digits := strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return r
		}
		return -1
	}, normalized)
	keys := []string{normalized}
	for _, key := range slices.Concat(endings(normalized, 3, 6), endings(digits, 3, 5)) {
		if !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

// endings gives the last shortest … longest characters of s, as far as it has so many.
func endings(s string, shortest, longest int) []string {
	runes := []rune(s)
	var found []string
	for n := shortest; n <= min(longest, len(runes)); n++ {
		found = append(found, string(runes[len(runes)-n:]))
	}
	return found
}
