package staff

import (
	"strings"
	"unicode/utf8"

	"example.com/walkaround/domain"
)

// Limits of a password, in characters after NFKC.
const (
	MinPassword = 10
	MaxPassword = 128
)

// minDistinct is how many different characters a password needs: "aaaaaaaaaa" and "1212121212" are guessed at once.
const minDistinct = 4

// commonest are the passwords of at least MinPassword characters that lists of leaked ones begin with.
const commonest = ` 1234567890 0123456789 0987654321 9876543210 1234567891 12345678910 123456789a 123456789q a123456789 q123456789
 aa12345678 aa123456789 abc1234567 abc123456789 qwertyuiop qwerty1234 qwerty12345 qwerty123456 qwerty123456789 asdfghjkl1
 1q2w3e4r5t 1q2w3e4r5t6y q1w2e3r4t5 q1w2e3r4t5y6 1qaz2wsx3edc 1qazxsw23edc qazwsxedcrfv zaq12wsxcde3 !qaz2wsx3edc
 password12 password123 password1234 passw0rd123 p@ssw0rd123 p@ssword123 password123! password01 mypassword passwordpassword
 administrator admin12345 admin123456 adminadmin admin@1234 administrator1 root123456 changeme123 letmein123 welcome123
 welcome1234 iloveyou123 iloveyou12 woaini1314 woaini1314520 woaini520 5201314520 1314520520 asd123456789 zxcvbnm123 football123
 princess123 superman123 sunshine123 basketball 1029384756 1357924680 147258369a 159753456852 walkaround walkaround1 walkaround123 `

// CheckPassword refuses (CodePasswordWeak) a password that is easily guessed. It expects the password after NFKC, as it
// is hashed, and the normalised user name.
func CheckPassword(password, username string) error {
	switch n := utf8.RuneCountInString(password); {
	case n < MinPassword:
		return domain.Refuse(CodePasswordWeak, "a password has at least %d characters", MinPassword)
	case n > MaxPassword:
		return domain.Refuse(CodePasswordWeak, "a password has at most %d characters", MaxPassword)
	case NormaliseUsername(password) == username:
		return domain.Refuse(CodePasswordWeak, "a password is not the user name")
	case common(strings.ToLower(password)):
		return domain.Refuse(CodePasswordWeak, "this password is among the first that are guessed")
	default:
		return nil
	}
}

func common(password string) bool {
	distinct := make(map[rune]bool, minDistinct)
	for _, r := range password {
		distinct[r] = true
	}
	if len(distinct) < minDistinct {
		return true
	}
	return !strings.ContainsAny(password, " \n") && strings.Contains(strings.ReplaceAll(commonest, "\n", " "), " "+password+" ")
}
