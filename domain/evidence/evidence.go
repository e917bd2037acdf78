// Package evidence is what makes a signed sheet provable, also against the one who runs the server.
//
// The way of a signature: Canonical makes the bytes that are signed, Digest names them, Append chains the events of the
// visit, Sign seals a Statement about all of it with the store's key, AttachFiles puts form and seal into the PDF, SignFile
// ends the PDF, NewCheckpoint gathers the seals of a day in a Merkle tree. The way back needs no storage and no network:
// VerifyPDF and VerifyBundle recompute everything and give a Verdict; VerifyChain names the first event that was touched.
//
// It may import the standard library, domain and gowebpki/jcs, and every room may import it.
package evidence

import (
	"encoding/json"
	"errors"
	"fmt"

	"example.com/walkaround/domain"
)

// The refusals of evidence, beside domain.CodeMalformed.
const (
	CodeNumberOutOfRange domain.Code = "number_out_of_range" // a number beyond ±2^53, where doubles lose integers
	CodeDuplicateKey     domain.Code = "duplicate_key"       // the same member twice in one object
	CodeLoneSurrogate    domain.Code = "lone_surrogate"      // half of a UTF-16 pair, written as \uD800 to \uDFFF
	CodeTooDeep          domain.Code = "too_deep"            // nested deeper than MaxDepth
)

// Why a proof does not hold. Match them with errors.Is.
var (
	ErrUnknownKey = errors.New("evidence: signed with a key that is not known")
	ErrForged     = errors.New("evidence: the signature or a hash does not fit")
)

// forged says what does not fit, as an ErrForged.
func forged(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrForged, fmt.Sprintf(format, args...))
}

// canonicalOf is the canonical form of a value of our own: what hashes and signatures are made over.
func canonicalOf(v any) ([]byte, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("evidence: %w", err)
	}
	return Canonical(raw)
}
