package auth

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

func (h *house) try(t *testing.T, password, address, client string) error {
	t.Helper()
	_, err := h.Login(t.Context(), LoginRequest{Store: "main", Username: "mei", Password: password, Address: address, ClientID: client})
	return err
}

func after(t *testing.T, err error) time.Duration {
	t.Helper()
	r, is := errors.AsType[*RetryError](err)
	if !is {
		t.Fatalf("got %v", err)
	}
	return r.After
}

func TestGuessingFromOnePlaceSlowsDownByDoubling(t *testing.T) {
	h := newHouse(t)
	for range freeFailures + 1 {
		wantCode(t, h.try(t, "wrong", "192.0.2.9", ""), CodeCredentialsWrong)
	}
	for want := time.Second; want <= 64*time.Second; want *= 2 {
		err := h.try(t, meiPassword, "192.0.2.9", "")
		wantCode(t, err, CodeThrottled)
		if got := after(t, err); got != want {
			t.Fatalf("waits %v, want %v", got, want)
		}
		h.clock.add(want)
		wantCode(t, h.try(t, "wrong", "192.0.2.9", ""), CodeCredentialsWrong)
	}
	h.clock.add(128 * time.Second)
	if err := h.try(t, meiPassword, "192.0.2.9", ""); err != nil {
		t.Fatalf("the right password in time: %v", err)
	}
	for range freeFailures {
		wantCode(t, h.try(t, "wrong", "192.0.2.9", ""), CodeCredentialsWrong)
	}
}

func TestAStormFromEverywhereDoesNotLockOutTheOwner(t *testing.T) {
	h := newHouse(t)
	if err := h.try(t, meiPassword, "192.0.2.1", "tablet-of-mei"); err != nil {
		t.Fatal(err)
	}
	for i := range accountBurst {
		wantCode(t, h.try(t, "wrong", fmt.Sprintf("198.51.100.%d", i), ""), CodeCredentialsWrong)
	}
	wantCode(t, h.try(t, meiPassword, "203.0.113.1", ""), CodeThrottled)
	if err := h.try(t, meiPassword, "192.0.2.1", ""); err != nil {
		t.Errorf("from the known address: %v", err)
	}
	if err := h.try(t, meiPassword, "203.0.113.2", "tablet-of-mei"); err != nil {
		t.Errorf("on the known device elsewhere: %v", err)
	}
	restarted := &house{Service: replica(t, h.engine, h.clock), engine: h.engine, clock: h.clock}
	for i := range accountBurst {
		wantCode(t, restarted.try(t, "wrong", fmt.Sprintf("198.51.100.%d", i), ""), CodeCredentialsWrong)
	}
	if err := restarted.try(t, meiPassword, "192.0.2.1", ""); err != nil {
		t.Errorf("after a restart: %v", err)
	}
}

func TestANeighbourAtTheSameAddressDoesNotLockOutAKnownDevice(t *testing.T) {
	h := newHouse(t)
	if err := h.try(t, meiPassword, "192.0.2.1", "tablet-of-mei"); err != nil {
		t.Fatal(err)
	}
	for range 2 * freeFailures { // the address is known, so it is judged twice: as a stranger's and as a known one
		if err := h.try(t, "wrong", "192.0.2.1", ""); code(err) != CodeCredentialsWrong && code(err) != CodeThrottled {
			t.Fatal(err)
		}
	}
	for range 3 {
		_ = h.try(t, "wrong", "192.0.2.1", "")
	}
	wantCode(t, h.try(t, meiPassword, "192.0.2.1", ""), CodeThrottled)
	if err := h.try(t, meiPassword, "192.0.2.1", "tablet-of-mei"); err != nil {
		t.Errorf("the known device: %v", err)
	}
}

func TestAKnownDeviceIsThrottledByItself(t *testing.T) {
	h := newHouse(t)
	if err := h.try(t, meiPassword, "192.0.2.1", "tablet-of-mei"); err != nil {
		t.Fatal(err)
	}
	var err error
	for range 4 * freeFailures {
		err = h.try(t, "wrong", "192.0.2.1", "tablet-of-mei")
	}
	wantCode(t, err, CodeThrottled)
}

func TestAnAddressThatTriesManyAccountsIsStopped(t *testing.T) {
	th, now := newThrottle(), newClock().now()
	for i := range addressBurst {
		if try, _ := th.stranger(fmt.Sprintf("main/%d", i), "192.0.2.1", now); try == nil {
			t.Fatalf("stopped at %d", i)
		}
	}
	if try, wait := th.stranger("main/mei", "192.0.2.1", now); try != nil || wait <= 0 {
		t.Fatal("not stopped")
	}
	if try, _ := th.stranger("main/mei", "192.0.2.2", now); try == nil {
		t.Fatal("another address was stopped")
	}
	if try, _ := th.stranger("main/mei", "192.0.2.1", now.Add(10*time.Second)); try == nil {
		t.Fatal("the budget does not fill again")
	}
}

func TestASuccessCostsTheAddressNothing(t *testing.T) {
	th, now := newThrottle(), newClock().now()
	for i := range 3 * addressBurst {
		try, _ := th.stranger(fmt.Sprintf("main/%d", i%5), "192.0.2.1", now)
		if try == nil {
			t.Fatalf("stopped at %d", i)
		}
		try.succeeded()
	}
}

func TestWhatWasNotJudgedDoesNotCount(t *testing.T) {
	th, now := newThrottle(), newClock().now()
	for i := range 3 * addressBurst {
		try, _ := th.stranger("main/mei", "192.0.2.1", now)
		if try == nil {
			t.Fatalf("stopped at %d", i)
		}
		try.unjudged()
	}
}

func TestDelaysAreBoundedAndForgotten(t *testing.T) {
	th, c := newThrottle(), newClock()
	for range 100 {
		if try, wait := th.known("main/mei", "x", c.now()); try == nil {
			if wait > longestDelay {
				t.Fatalf("waits %v", wait)
			}
			c.add(wait)
		}
	}
	c.add(-10 * time.Hour)
	if _, wait := th.known("main/mei", "x", c.now()); wait > longestDelay {
		t.Fatalf("after the clock stepped back: %v", wait)
	}
	c.add(longestDelay + forgetAfter + time.Second)
	for i := range freeFailures + 1 {
		if try, _ := th.known("main/mei", "x", c.now()); try == nil {
			t.Fatalf("attempt %d after a quiet time was stopped", i+1)
		}
	}
}

func TestNetworkIsAnAddressOrAPrefix(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
		"fe80::1%eth0": "fe80::/64", "": "", "pipe": "pipe",
	} {
		if got := network(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestLimiterLetsThroughItsRate(t *testing.T) {
	l, c := NewLimiter(2, 3, 100), newClock()
	take := func(key string) bool {
		_, ok := l.Allow(key, c.now())
		return ok
	}
	for range 3 {
		if !take("a") {
			t.Fatal("the burst was cut")
		}
	}
	if wait, ok := l.Allow("a", c.now()); ok || wait != 500*time.Millisecond {
		t.Fatalf("beyond the burst: %v, %v", ok, wait)
	}
	if !take("b") {
		t.Fatal("another key was stopped")
	}
	c.add(time.Second)
	for i, want := range []bool{true, true, false} {
		if take("a") != want {
			t.Fatalf("request %d in a second of two", i+1)
		}
	}
	c.add(-time.Hour)
	if take("a") {
		t.Fatal("a clock stepping back gave a token")
	}
	if c.add(time.Second); !take("a") {
		t.Fatal("a clock stepping back stopped the key")
	}
}

func TestLimiterIsBounded(t *testing.T) {
	l, now := NewLimiter(1, 1, 160), newClock().now()
	for i := range 10_000 {
		l.Allow(fmt.Sprint(i), now)
	}
	held := 0
	for i := range l.shards {
		held += len(l.shards[i].buckets.young) + len(l.shards[i].buckets.old)
	}
	if held > 2*160 {
		t.Fatalf("%d keys are held", held)
	}
}

func TestRecentKeepsWhatIsAskedForAndIsBounded(t *testing.T) {
	r := newRecent[int, int](160)
	r.keep(-1, 7)
	for i := range 10_000 {
		r.keep(i, i)
		if v, ok := r.get(-1); !ok || v != 7 {
			t.Fatalf("forgot what is always asked for, after %d", i)
		}
	}
	if _, ok := r.get(0); ok {
		t.Error("what nobody asked for is still there")
	}
	if r.keep(-1, 8) != 7 {
		t.Error("what is known was replaced")
	}
	held := 0
	for i := range r.shards {
		held += len(r.shards[i].all.young) + len(r.shards[i].all.old)
	}
	if held > 2*160 {
		t.Errorf("%d entries are held", held)
	}
}
