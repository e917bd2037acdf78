package evidence

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"regexp"
)

// FileFormat is the kind under which whole files are signed.
const FileFormat = "walkaround-file/1"

const (
	trailerStart = "%walkaround-signature:1 "
	trailerBytes = len(trailerStart) + 2*keyIDBytes + 1 + 88 + 1 // 64 bytes are 88 in base64
)

var trailerLine = regexp.MustCompile(`^%walkaround-signature:1 ([0-9a-f]{32}) ([A-Za-z0-9+/]{86}==)\n$`)

// SignFile ends a PDF with one comment line, "%walkaround-signature:1 <key id> <base64>", that covers every byte before it. A
// file that doesn't end in a line break gets one first. The result is nil if the key isn't whole.
func SignFile(key SigningKey, pdf []byte) []byte {
	out := bytes.Clone(pdf)
	if !bytes.HasSuffix(out, []byte("\n")) {
		out = append(out, '\n')
	}
	signature, err := key.sign(FileFormat, fileMessage(out))
	if err != nil {
		return nil
	}
	return fmt.Appendf(out, "%s%s %s\n", trailerStart, key.ID, base64.StdEncoding.EncodeToString(signature))
}

// VerifyFile checks that line, which must be the very last, and gives the bytes that it covers and the key's id; both also
// with an ErrUnknownKey. Without the line, or with any byte changed, added or missing, it is an ErrForged. Whose key it is,
// the caller asks keys: this accepts any that is among them.
func VerifyFile(keys PublicKeys, b []byte) (body []byte, keyID string, err error) {
	body, keyID, signature, err := splitTrailer(b)
	if err != nil {
		return nil, "", err
	}
	key, ok := keys[keyID]
	switch {
	case !ok:
		return body, keyID, fmt.Errorf("%w: %q", ErrUnknownKey, keyID)
	case key.ID != keyID || key.Check() != nil:
		return nil, keyID, forged("key %q is not what it claims", keyID)
	case !ed25519.Verify(ed25519.PublicKey(key.Public), separated(FileFormat, fileMessage(body)), signature):
		return nil, keyID, forged("the file is not as key %s signed it", keyID)
	}
	return body, keyID, nil
}

// splitTrailer takes the last line off.
func splitTrailer(b []byte) (body []byte, keyID string, signature []byte, err error) {
	if len(b) < trailerBytes {
		return nil, "", nil, forged("the file does not end with a signature")
	}
	body = b[:len(b)-trailerBytes]
	m := trailerLine.FindSubmatch(b[len(body):])
	if m == nil || !bytes.HasSuffix(body, []byte("\n")) {
		return nil, "", nil, forged("the file does not end with a signature")
	}
	signature, err = base64.StdEncoding.Strict().DecodeString(string(m[2]))
	if err != nil {
		return nil, "", nil, forged("the file does not end with a signature")
	}
	return body, string(m[1]), signature, nil
}

// fileMessage is the hash of the file, so that a signer need not hold it twice.
func fileMessage(body []byte) []byte {
	sum := sha256.Sum256(body)
	return sum[:]
}
