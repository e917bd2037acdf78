package vehicle

import (
	"regexp"
	"strings"

	"example.com/walkaround/domain"
)

// What an advisor should look at in a VIN. Neither refuses anything: old and imported cars have such numbers.
const (
	WarnVINForm       domain.Code = "vin_form"        // not 17 of A–Z and 0–9 without I, O and Q
	WarnVINCheckDigit domain.Code = "vin_check_digit" // the ninth character does not fit the others
)

// MaxVIN is the most characters of a VIN as typed.
const MaxVIN = 32

// NormalizeVIN gives the form under which a VIN is filed: ASCII, upper case, nothing but letters and digits.
func NormalizeVIN(s string) string { return strings.Map(fold, s) }

var (
	vinForm = regexp.MustCompile(`^[A-HJ-NPR-Z0-9]{17}$`)
	// Makers of North America (1–5, 7) and China (L) must set a check digit (49 CFR 565, GB 16735); ISO 3779 itself
	// does not demand one.
	checkedMakers = regexp.MustCompile(`^[1-57L]`)
)

// CheckVIN gives the warning that a VIN deserves, or none. The check digit is looked at where the maker's market demands
// one; with everywhere it is expected of every VIN, as in a store that sees only cars made for such markets. An empty
// VIN deserves none.
func CheckVIN(vin string, everywhere bool) domain.Code {
	vin = NormalizeVIN(vin)
	switch {
	case vin == "":
		return ""
	case !vinForm.MatchString(vin):
		return WarnVINForm
	case (everywhere || checkedMakers.MatchString(vin)) && vin[8] != checkDigit(vin):
		return WarnVINCheckDigit
	default:
		return ""
	}
}

// checkDigit computes the ninth character from the other sixteen (GB 16735, appendix A). The form was checked before.
func checkDigit(vin string) byte {
	weights := [17]int{8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2}
	sum := 0
	for i, weight := range weights {
		sum += weight * vinValue(vin[i])
	}
	return "0123456789X"[sum%11]
}

func vinValue(c byte) int {
	switch {
	case c <= '9':
		return int(c - '0')
	case c <= 'H':
		return int(c-'A') + 1
	case c <= 'R':
		return int(c-'J') + 1
	default:
		return int(c-'S') + 2
	}
}
