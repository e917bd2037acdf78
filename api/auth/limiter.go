package auth

import (
	"math"
	"sync"
	"time"
)

// bucket is a token bucket. It fills by itself, and a clock that steps back stops it only for that moment.
type bucket struct {
	tokens float64
	at     time.Time
}

// fill brings the bucket to now. The zero bucket is full.
func (b *bucket) fill(now time.Time, perSecond, burst float64) {
	switch passed := now.Sub(b.at).Seconds(); {
	case b.at.IsZero():
		b.tokens = burst
	case passed > 0:
		b.tokens = math.Min(burst, b.tokens+passed*perSecond)
	}
	b.at = now
}

// wait is how long until one token is there; 0 when one is.
func (b *bucket) wait(perSecond float64) time.Duration {
	if b.tokens >= 1 {
		return 0
	}
	return time.Duration((1 - b.tokens) / perSecond * float64(time.Second))
}

// Limiter lets each key through at a steady rate with bursts: 2,000 requests a second an account, a few a minute an
// address. It lives in this process and remembers a bounded number of keys: with n replicas the rate is n times as high,
// and a key that is pushed out by many others starts anew.
type Limiter struct {
	perSecond, burst float64
	shards           [shards]limiterShard
}

type limiterShard struct {
	mu      sync.Mutex
	buckets generations[string, *bucket]
}

// NewLimiter takes perSecond requests a second for each key, burst at once, and remembers keys to twice as many keys.
// perSecond is above 0, burst and keys are at least 1.
func NewLimiter(perSecond float64, burst, keys int) *Limiter {
	l := &Limiter{perSecond: perSecond, burst: float64(max(burst, 1))}
	for i := range l.shards {
		l.shards[i].buckets = newGenerations[string, *bucket](max(1, keys/shards))
	}
	return l
}

// Allow takes one request of key. When it is one too many, it says after which time the next one is taken.
func (l *Limiter) Allow(key string, now time.Time) (after time.Duration, ok bool) {
	s := &l.shards[shardOf(key)]
	s.mu.Lock()
	defer s.mu.Unlock()
	b, known := s.buckets.get(key)
	if !known {
		b = &bucket{}
		s.buckets.put(key, b)
	}
	b.fill(now, l.perSecond, l.burst)
	if after = b.wait(l.perSecond); after > 0 {
		return after, false
	}
	b.tokens--
	return 0, true
}

// shardOf spreads keys by FNV-1a.
func shardOf(key string) uint32 {
	h := uint32(2166136261)
	for i := range len(key) {
		h = (h ^ uint32(key[i])) * 16777619
	}
	return h % shards
}
