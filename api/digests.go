package api

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"io"
	"net/http"
	"regexp"
	"strings"

	"example.com/walkaround/domain"
)

// digests are what a client announced of its body, in hex; empty is not announced.
type digests struct{ sha256, sha512 string }

// algorithm is a key of a dictionary of structured fields (RFC 9651 section 3.2).
var algorithm = regexp.MustCompile(`^[a-z*][a-z0-9_.*-]*$`)

// contentDigest reads Content-Digest (RFC 9530): a dictionary of byte sequences. Algorithms that are not known are passed
// over as long as one is. codeBadHeader for what is malformed, for an algorithm that stands twice (readers would choose
// differently), and for a header that would be checked by nothing.
func contentDigest(h http.Header) (digests, error) {
	var d digests
	lines := h.Values("Content-Digest")
	if len(lines) == 0 {
		return d, nil
	}
	seen := map[string]bool{}
	for member := range strings.SplitSeq(strings.Join(lines, ","), ",") {
		name, value, _ := strings.Cut(strings.Trim(member, " \t"), "=")
		sum, ok := byteSequence(value)
		if !ok || !algorithm.MatchString(name) {
			return d, domain.Refuse(codeBadHeader, "Content-Digest is a list of algorithm=:base64:, as sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:")
		}
		if seen[name] {
			return d, domain.Refuse(codeBadHeader, "Content-Digest names an algorithm twice")
		}
		seen[name] = true
		switch {
		case name == "sha-256" && len(sum) == sha256.Size:
			d.sha256 = hex.EncodeToString(sum)
		case name == "sha-512" && len(sum) == sha512.Size:
			d.sha512 = hex.EncodeToString(sum)
		case name == "sha-256" || name == "sha-512":
			return d, domain.Refuse(codeBadHeader, "Content-Digest: a digest of another length than its algorithm makes")
		}
	}
	if d == (digests{}) {
		return d, domain.Refuse(codeBadHeader, "Content-Digest names no algorithm that is checked here: send sha-256 or sha-512")
	}
	return d, nil
}

// byteSequence reads :base64: (RFC 9651 section 4.2.7), which may lack its padding.
func byteSequence(s string) ([]byte, bool) {
	if len(s) < 2 || s[0] != ':' || s[len(s)-1] != ':' {
		return nil, false
	}
	b, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(s[1:len(s)-1], "="))
	return b, err == nil
}

// hashing reads a body and holds it to what was announced of it. Storage makes the SHA-256 anyway.
type hashing struct {
	io.Reader
	want digests
	size int64 // as announced; -1 is not
	long hash.Hash
}

func (d digests) hashing(body io.Reader, size int64) *hashing {
	h := &hashing{Reader: body, want: d, size: size}
	if d.sha512 != "" {
		h.long = sha512.New()
		h.Reader = io.TeeReader(body, h.long)
	}
	return h
}

// Declared is the SHA-256 and the size that were announced, for a storage that can send on at once what it knows beforehand.
func (h *hashing) Declared() (sum string, size int64) { return h.want.sha256, h.size }

// holds says whether the body, read to its end, is the one that was announced; sum is its SHA-256 in hex.
func (h *hashing) holds(sum string) bool {
	if h.want.sha256 != "" && h.want.sha256 != sum {
		return false
	}
	return h.long == nil || hex.EncodeToString(h.long.Sum(nil)) == h.want.sha512
}
