// Package timestamp asks an RFC 3161 authority for the time, and believes only what it can verify.
//
// New makes a Client, Client.Stamp gets a token over a SHA-256, and Verify checks a token again, years later and without the
// authority. The package may import the standard library, domain, evidence, and digitorus/timestamp for the request alone: what
// comes back is read here, since that library accepts trailing bytes, several signers and any kind of signed content, ties
// neither the certificate to the signature (RFC 5816) nor its purpose to time-stamping, and counts in an unguarded global.
package timestamp

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"mime"
	"net/http"
	"net/url"
	"time"

	rfc3161 "github.com/digitorus/timestamp"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/evidence"
)

const (
	// Timeout is how long an authority may take for the whole answer.
	Timeout = 10 * time.Second

	// MaxAnswer is how many bytes an answer may have.
	MaxAnswer = 64 << 10

	nonceBits  = 64
	queryType  = "application/timestamp-query"
	answerType = "application/timestamp-reply"
)

// Why there is no token. Match them with errors.Is; any other error means that the authority could not be reached.
var (
	ErrRefused   = errors.New("timestamp: the authority refused")
	ErrUntrusted = errors.New("timestamp: the token does not verify")
)

// Client asks one authority. It may be used by many goroutines.
type Client struct {
	address string
	roots   *x509.CertPool
	http    http.Client
	timeout time.Duration
}

// New makes a client of the authority at an http or https address, whose certificate must lead to one of the roots. A nil base
// is a plain client; of a given one, all but its way with redirects and cookies is used: an authority answers itself or not.
func New(address string, roots *x509.CertPool, base *http.Client) (*Client, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("timestamp: the authority's address must be an http or https URL")
	}
	if roots == nil {
		return nil, errors.New("timestamp: the authority's root certificates are missing")
	}
	c := &Client{address: address, roots: roots, timeout: Timeout}
	if base != nil {
		c.http = *base
	}
	c.http.Jar = nil
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c, nil
}

// ParseRoots reads PEM certificates; it is an error if there is none.
func ParseRoots(pem []byte) (*x509.CertPool, error) {
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, errors.New("timestamp: no PEM certificate found")
	}
	return roots, nil
}

// Stamp asks for a token over a SHA-256 and verifies it: the authority granted it, for this digest and this request (by a nonce),
// and Verify holds. The error is an ErrRefused, an ErrUntrusted, or one of the way there.
func (c *Client) Stamp(ctx context.Context, digest []byte) (evidence.TimestampToken, error) {
	nonce, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), nonceBits))
	if err != nil {
		return evidence.TimestampToken{}, fmt.Errorf("timestamp: %w", err)
	}
	answer, err := c.ask(ctx, digest, nonce)
	if err != nil {
		return evidence.TimestampToken{}, err
	}
	token, err := granted(answer)
	if err != nil {
		return evidence.TimestampToken{}, err
	}
	s, err := verify(token, digest, c.roots)
	if err != nil {
		return evidence.TimestampToken{}, err
	}
	if s.info.Nonce == nil || s.info.Nonce.Cmp(nonce) != 0 {
		return evidence.TimestampToken{}, untrusted("it answers another request")
	}
	return evidence.TimestampToken{Token: token, Authority: s.authority(), At: domain.At(s.info.Time)}, nil
}

// Verify checks a token over a SHA-256: made by one signer whose certificate was valid at the token's time, is for time-stamping
// alone and leads to one of the roots. It gives the authority's time and the subject of its certificate; an ErrUntrusted
// otherwise. It is as good in ten years as today: certificates are judged at the token's time.
func Verify(token, digest []byte, roots *x509.CertPool) (at time.Time, authority string, err error) {
	s, err := verify(token, digest, roots)
	if err != nil {
		return time.Time{}, "", err
	}
	return s.info.Time.UTC(), s.authority(), nil
}

// VerifyToken is Verify of a token that was kept, with all that was kept beside it: authority and time are the token's own. A nil
// roots leaves out whether the certificate leads to one, and no more: a token that is of something else, or that was changed, is an
// ErrUntrusted all the same.
func VerifyToken(kept evidence.TimestampToken, digest []byte, roots *x509.CertPool) error {
	s, err := consistent(kept.Token, digest)
	switch {
	case err != nil:
		return err
	case s.authority() != kept.Authority || !domain.At(s.info.Time).Equal(kept.At.Time):
		return untrusted("another authority or time is kept beside it than it says")
	case roots == nil:
		return nil
	}
	return s.checkChain(roots)
}

// Roots are the certificates that the authority's must lead to; nil without a client.
func (c *Client) Roots() *x509.CertPool {
	if c == nil {
		return nil
	}
	return c.roots
}

// ask sends the request and reads an answer of the right kind and size.
func (c *Client) ask(ctx context.Context, digest []byte, nonce *big.Int) (answer []byte, err error) {
	if len(digest) != sha256.Size {
		return nil, fmt.Errorf("timestamp: a SHA-256 has %d bytes, not %d", sha256.Size, len(digest))
	}
	query := rfc3161.Request{HashAlgorithm: crypto.SHA256, HashedMessage: digest, Certificates: true, Nonce: nonce}
	body, err := query.Marshal()
	if err != nil {
		return nil, fmt.Errorf("timestamp: write the request: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.address, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("timestamp: %w", err)
	}
	req.Header.Set("Content-Type", queryType)
	req.Header.Set("Accept", answerType)
	res, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("timestamp: ask the authority: %w", err)
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	return read(res)
}

// read takes the body of an answer that is one.
func read(res *http.Response) ([]byte, error) {
	kind, _, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	switch {
	case res.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%w: HTTP status %d", ErrRefused, res.StatusCode)
	case err != nil || kind != answerType:
		return nil, untrusted("the answer is not of the type %s", answerType)
	}
	answer, err := io.ReadAll(io.LimitReader(res.Body, MaxAnswer+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("timestamp: read the answer: %w", err)
	case len(answer) > MaxAnswer:
		return nil, untrusted("the answer is longer than %d bytes", MaxAnswer)
	}
	return answer, nil
}

// untrusted says what is wrong with a token, as an ErrUntrusted.
func untrusted(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrUntrusted, fmt.Sprintf(format, args...))
}
