package api

import (
	"time"

	"example.com/walkaround/api/auth"
	"example.com/walkaround/domain"
)

// limits hold callers to a rate. Each is bounded in the number of callers it remembers.
type limits struct {
	accounts  *auth.Limiter
	strangers *auth.Limiter
	verifiers *auth.Limiter
}

func newLimits(perAccount int) limits {
	return limits{
		accounts:  auth.NewLimiter(float64(perAccount), perAccount, 10_000),
		strangers: auth.NewLimiter(50, 200, 10_000),
		verifiers: auth.NewLimiter(1, 30, 10_000),
	}
}

// account holds an account to the configured rate.
func (l limits) account(id string, now time.Time) error { return held(l.accounts, id, now) }

// stranger holds an address without an account.
func (l limits) stranger(address string, now time.Time) error { return held(l.strangers, address, now) }

// verify holds an address that asks about digests: strictly, for it can't be asked who it is.
func (l limits) verify(address string, now time.Time) error { return held(l.verifiers, address, now) }

func held(l *auth.Limiter, who string, now time.Time) error {
	if after, ok := l.Allow(who, now); !ok {
		return retry{domain.Refuse(codeRateLimited, "too many requests; wait as long as Retry-After says"), after}
	}
	return nil
}
