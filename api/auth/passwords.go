package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"example.com/walkaround/domain/staff"
)

// cost is what one argon2id hash takes.
type cost struct {
	memory  uint32 // KiB
	passes  uint32
	threads uint8
}

// today is the cost of new hashes; what is stored with less is hashed anew at the next sign-in.
var today = cost{memory: 19 << 10, passes: 2, threads: 1}

// costliest bounds what a stored hash can make the server spend.
var costliest = cost{memory: 256 << 10, passes: 16, threads: 8}

const (
	saltBytes = 16
	hashBytes = 32
	maxQueue  = 64 // passwords that wait for their turn; more are turned away
	busyRetry = 2 * time.Second
)

// phc is how a hash is stored.
const phc = "$argon2id$v=%d$m=%d,t=%d,p=%d$"

var errHash = errors.New("auth: stored password hash is malformed")

// passwords hashes and checks passwords, few at a time: each takes 19 MiB and tens of milliseconds of a core, and a storm
// of sign-ins must not slow down everybody else.
type passwords struct {
	slots   chan struct{}
	waiting atomic.Int64
	random  io.Reader
	cost    cost
	dummy   string
}

// newPasswords makes the queue. The dummy hash is of no password: unknown user names are checked against it.
func newPasswords(random io.Reader, c cost) (*passwords, error) {
	noise := make([]byte, saltBytes+hashBytes)
	if _, err := io.ReadFull(rand.Reader, noise); err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	return &passwords{
		slots:  make(chan struct{}, max(1, runtime.NumCPU()/2)),
		random: random,
		cost:   c,
		dummy:  encodeHash(c, noise[:saltBytes], noise[saltBytes:]),
	}, nil
}

// normalisePassword is what is hashed: NFKC, so that the same keys on another tablet give the same password.
func normalisePassword(password string) string { return norm.NFKC.String(password) }

// hash hashes a new password. CodeBusy, the context's error.
func (p *passwords) hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltBytes)
	if _, err := io.ReadFull(p.random, salt); err != nil {
		return "", fmt.Errorf("auth: salt: %w", err)
	}
	var sum []byte
	err := p.turn(ctx, func() { sum = derive(normalisePassword(password), salt, p.cost, hashBytes) })
	if err != nil {
		return "", err
	}
	return encodeHash(p.cost, salt, sum), nil
}

// verify says whether password is the one that was hashed, and whether the hash is weaker than new ones. An empty hash
// is nobody's and costs the same. CodeBusy, the context's error.
func (p *passwords) verify(ctx context.Context, hash, password string) (fits, weak bool, err error) {
	if hash == "" {
		hash = p.dummy
	}
	c, salt, want, err := decodeHash(hash)
	if err != nil {
		return false, false, err
	}
	if len(password) > 4*staff.MaxPassword {
		password = "" // nobody's, and nothing to normalise and hash at length
	}
	var got []byte
	if err := p.turn(ctx, func() { got = derive(normalisePassword(password), salt, c, len(want)) }); err != nil {
		return false, false, err
	}
	fits = subtle.ConstantTimeCompare(got, want) == 1
	return fits, c.memory < p.cost.memory || c.passes < p.cost.passes || len(want) < hashBytes, nil
}

// turn runs work when a slot is free. A full queue is CodeBusy.
func (p *passwords) turn(ctx context.Context, work func()) error {
	if p.waiting.Add(1) > maxQueue {
		p.waiting.Add(-1)
		return retry(CodeBusy, busyRetry, "too many passwords are being checked; try again soon")
	}
	defer p.waiting.Add(-1)
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return fmt.Errorf("auth: waiting to check a password: %w", ctx.Err())
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("auth: waiting to check a password: %w", err)
	}
	work()
	return nil
}

func derive(password string, salt []byte, c cost, size int) []byte {
	return argon2.IDKey([]byte(password), salt, c.passes, c.memory, c.threads, uint32(size)) //nolint:gosec // at most 64, by decodeHash
}

func encodeHash(c cost, salt, sum []byte) string {
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf(phc, argon2.Version, c.memory, c.passes, c.threads) + b64(salt) + "$" + b64(sum)
}

// decodeHash reads a PHC string. What is not one of argon2id within costliest is errHash: the database is not trusted
// to make the server spend gigabytes.
func decodeHash(s string) (c cost, salt, sum []byte, err error) {
	parts := strings.Split(s, "$")
	if len(parts) != 6 {
		return c, nil, nil, errHash
	}
	var version int
	if _, err := fmt.Sscanf(strings.Join(parts[:4], "$")+"$", phc, &version, &c.memory, &c.passes, &c.threads); err != nil {
		return c, nil, nil, fmt.Errorf("%w: %w", errHash, err)
	}
	salt, err1 := base64.RawStdEncoding.Strict().DecodeString(parts[4])
	sum, err2 := base64.RawStdEncoding.Strict().DecodeString(parts[5])
	small := version != argon2.Version || c.memory < 8 || c.passes < 1 || c.threads < 1 || len(salt) < 8 || len(sum) < 16
	large := c.memory > costliest.memory || c.passes > costliest.passes || c.threads > costliest.threads || len(sum) > 64
	if err := errors.Join(err1, err2); err != nil || small || large {
		return c, nil, nil, errHash
	}
	return c, salt, sum, nil
}
