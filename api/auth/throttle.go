package auth

import (
	"net/netip"
	"sync"
	"time"
)

// What sign-in takes before it slows down.
const (
	freeFailures  = 3                // of one account from one place, before delays begin
	firstDelay    = time.Second      // doubled with each failure
	longestDelay  = 15 * time.Minute // and never longer
	forgetAfter   = time.Hour        // quiet time after which a place starts anew
	accountBurst  = 20               // failures of one account from all places that it never signed in from
	accountRefill = 1.0 / 60         // … a second
	addressBurst  = 100              // failures from one address, whatever the accounts
	addressRefill = 1.0 / 10         // … a second
	throttleKeys  = 16384            // remembered, to twice as many
)

// throttle slows down the guessing of passwords without locking out who knows his. An attempt is judged by three
// measures: the pair of account and address (delays that double), all that strangers tried on the account, and all that
// the address tried. Who signed in to the account from this device or address before is judged by the pair alone, and a
// known device by a pair of its own: so an attacker who uses up the measures of an account stops only strangers.
//
// It lives in this process: bounded, forgotten at a restart, and with n replicas n times as generous.
type throttle struct {
	mu        sync.Mutex
	pairs     generations[string, *delay]
	accounts  generations[string, *bucket]
	addresses generations[string, *bucket]
}

type delay struct {
	failures int
	until    time.Time
	before   time.Time // what until was before the last attempt
}

// attempt is one sign-in that was let through and counts as failed until it is told otherwise.
type attempt struct {
	t                *throttle
	pair             string
	account, address *bucket
}

func newThrottle() *throttle {
	return &throttle{
		pairs:     newGenerations[string, *delay](throttleKeys),
		accounts:  newGenerations[string, *bucket](throttleKeys),
		addresses: newGenerations[string, *bucket](throttleKeys),
	}
}

// stranger judges an attempt by all three measures. The wait is 0 when it is let through.
func (t *throttle) stranger(account, address string, now time.Time) (*attempt, time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	byAccount, byAddress := bucketOf(&t.accounts, account), bucketOf(&t.addresses, address)
	byAccount.fill(now, accountRefill, accountBurst)
	byAddress.fill(now, addressRefill, addressBurst)
	pair := account + "\n" + address
	d := t.delayOf(pair, now)
	if wait := max(d.until.Sub(now), byAccount.wait(accountRefill), byAddress.wait(addressRefill)); wait > 0 {
		return nil, wait
	}
	byAccount.tokens--
	byAddress.tokens--
	d.charge(now)
	return &attempt{t: t, pair: pair, account: byAccount, address: byAddress}, 0
}

// known judges an attempt from a device or address that the account signed in from before.
func (t *throttle) known(account, place string, now time.Time) (*attempt, time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	pair := account + "\n" + place
	d := t.delayOf(pair, now)
	if wait := d.until.Sub(now); wait > 0 {
		return nil, wait
	}
	d.charge(now)
	return &attempt{t: t, pair: pair}, 0
}

// delayOf finds the delay of a pair. One that a clock stepping back put far into the future is cut.
func (t *throttle) delayOf(pair string, now time.Time) *delay {
	d, ok := t.pairs.get(pair)
	if !ok {
		d = &delay{}
		t.pairs.put(pair, d)
	}
	if d.failures > 0 && now.Sub(d.until) > forgetAfter {
		*d = delay{}
	}
	if d.until.Sub(now) > longestDelay {
		d.until = now.Add(longestDelay)
	}
	return d
}

func (d *delay) charge(now time.Time) {
	d.before = d.until
	d.until = now
	if d.failures >= freeFailures {
		d.until = now.Add(min(firstDelay<<min(d.failures-freeFailures, 16), longestDelay))
	}
	d.failures++
}

// succeeded forgets the failures of the pair and gives back what strangers and the address were charged.
func (a *attempt) succeeded() {
	a.t.mu.Lock()
	defer a.t.mu.Unlock()
	a.t.pairs.remove(a.pair)
	a.refund()
}

// unjudged takes the attempt back: nobody learned whether the password was right.
func (a *attempt) unjudged() {
	a.t.mu.Lock()
	defer a.t.mu.Unlock()
	if d, ok := a.t.pairs.get(a.pair); ok && d.failures > 0 {
		d.failures--
		d.until = d.before
	}
	a.refund()
}

func (a *attempt) refund() {
	for _, b := range []*bucket{a.account, a.address} {
		if b != nil {
			b.tokens++
		}
	}
}

func bucketOf(all *generations[string, *bucket], key string) *bucket {
	b, ok := all.get(key)
	if !ok {
		b = &bucket{}
		all.put(key, b)
	}
	return b
}

// network is the address as it is counted: an IPv6 host owns its /64. What is no address counts as it is written.
func network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is6() {
		return netip.PrefixFrom(ip, 64).Masked().String()
	}
	return ip.String()
}
