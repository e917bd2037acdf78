package api

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestContentDigest(t *testing.T) {
	short, long := strings.Repeat("\x01", sha256.Size), strings.Repeat("\xfb", sha512.Size)
	s256 := "sha-256=:" + base64.StdEncoding.EncodeToString([]byte(short)) + ":"
	s512 := "sha-512=:" + base64.StdEncoding.EncodeToString([]byte(long)) + ":"
	const want256, none = "01", ""
	for name, c := range map[string]struct {
		header           []string
		want256, want512 string
		refused          string
	}{
		"not sent":                 {nil, none, none, none},
		"sha-256":                  {[]string{s256}, want256, none, none},
		"sha-512":                  {[]string{s512}, none, "fb", none},
		"both":                     {[]string{s512 + " ,\t" + s256}, want256, "fb", none},
		"in two lines":             {[]string{s512, s256}, want256, "fb", none},
		"beside one not known":     {[]string{"md5=:AAAA:, " + s256}, want256, none, none},
		"without its padding":      {[]string{strings.TrimRight(s256, "=:") + ":"}, want256, none, none},
		"empty":                    {[]string{""}, none, none, "is a list"},
		"spaces":                   {[]string{" "}, none, none, "is a list"},
		"none that is known":       {[]string{"md5=:AAAA:, crc32c=:AA==:"}, none, none, "no algorithm"},
		"twice the same":           {[]string{s256 + ", " + s256}, none, none, "twice"},
		"twice in two lines":       {[]string{s256, s256}, none, none, "twice"},
		"an unknown one twice":     {[]string{"md5=:AAAA:, md5=:AAAA:, " + s256}, none, none, "twice"},
		"capital letters":          {[]string{strings.ToUpper(s256[:7]) + s256[7:]}, none, none, "is a list"},
		"too short":                {[]string{"sha-256=:AAAA:"}, none, none, "length"},
		"of the other's length":    {[]string{"sha-256" + s512[7:]}, none, none, "length"},
		"not base64":               {[]string{"sha-256=:!:"}, none, none, "is a list"},
		"nothing between":          {[]string{"sha-256=::"}, none, none, "length"},
		"one colon":                {[]string{"sha-256=:"}, none, none, "is a list"},
		"in hex":                   {[]string{"sha-256=" + strings.Repeat("01", 32)}, none, none, "is a list"},
		"no colons":                {[]string{"sha-256=" + base64.StdEncoding.EncodeToString([]byte(short))}, none, none, "is a list"},
		"no value":                 {[]string{"sha-256"}, none, none, "is a list"},
		"an empty member":          {[]string{s256 + ","}, none, none, "is a list"},
		"something after it":       {[]string{s256 + " x"}, none, none, "is a list"},
		"malformed beside a sound": {[]string{"md5=AAAA, " + s256}, none, none, "is a list"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := contentDigest(http.Header{"Content-Digest": c.header})
			if c.refused != "" {
				if told(t, err) != "bad_header" || !strings.Contains(err.Error(), c.refused) {
					t.Errorf("%v", err)
				}
				return
			}
			if err != nil || got.sha256 != strings.Repeat(c.want256, 32) || got.sha512 != strings.Repeat(c.want512, 64) {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

func TestBodyIsHeldToItsDigests(t *testing.T) {
	short, long := sha256.Sum256([]byte("body")), sha512.Sum512([]byte("body"))
	right := digests{hex.EncodeToString(short[:]), hex.EncodeToString(long[:])}
	other := strings.Repeat("0", 64)
	for name, c := range map[string]struct {
		want  digests
		holds bool
	}{
		"nothing announced":    {digests{}, true},
		"both right":           {right, true},
		"sha-512 alone, right": {digests{"", right.sha512}, true},
		"sha-256 wrong":        {digests{other, right.sha512}, false},
		"sha-512 wrong":        {digests{right.sha256, other + other}, false},
	} {
		h := c.want.hashing(strings.NewReader("body"), 4)
		if b, err := io.ReadAll(h); err != nil || string(b) != "body" || h.holds(right.sha256) != c.holds {
			t.Errorf("%s: %q, %v", name, b, err)
		}
		if sum, size := h.Declared(); sum != c.want.sha256 || size != 4 {
			t.Errorf("%s: storage is told %q, %d", name, sum, size)
		}
	}
}
