package auth

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/staff"
	"example.com/walkaround/storage"
)

func (h *house) refreshed(t *testing.T, token string) Grant {
	t.Helper()
	g, err := h.Refresh(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestALostAnswerIsGivenAgain(t *testing.T) {
	h := newHouse(t)
	first := h.login(t, "mei", meiPassword)
	lost := h.refreshed(t, first.RefreshToken)
	again := h.refreshed(t, first.RefreshToken)
	if lost.RefreshToken != again.RefreshToken || lost.RefreshToken == first.RefreshToken {
		t.Fatal("the successor is not the same one")
	}
	third := h.refreshed(t, again.RefreshToken)
	h.refreshed(t, again.RefreshToken)
	h.verified(t, h.refreshed(t, third.RefreshToken).AccessToken)
}

func TestATokenUsedAfterItsSuccessorRevokesTheFamily(t *testing.T) {
	for name, use := range map[string]int{"its successor": 1, "long after": 5} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			first := h.login(t, "mei", meiPassword)
			last := h.refreshed(t, first.RefreshToken)
			for range use {
				last = h.refreshed(t, last.RefreshToken)
			}
			_, err := h.Refresh(t.Context(), first.RefreshToken)
			wantCode(t, err, CodeSessionRevoked)
			_, err = h.Refresh(t.Context(), last.RefreshToken)
			wantCode(t, err, CodeSessionRevoked)
			_, err = h.Verify(t.Context(), last.AccessToken)
			wantCode(t, err, CodeSessionRevoked)
		})
	}
}

func TestConcurrentRefreshesGetTheSameSuccessor(t *testing.T) {
	h := newHouse(t)
	token := h.refreshed(t, h.login(t, "mei", meiPassword).RefreshToken).RefreshToken
	got := make(chan string, 16)
	var wg sync.WaitGroup
	for range cap(got) {
		wg.Go(func() {
			g, err := h.Refresh(context.Background(), token)
			if err != nil {
				t.Error(err)
			}
			got <- g.RefreshToken
		})
	}
	wg.Wait()
	close(got)
	seen := map[string]bool{}
	for s := range got {
		seen[s] = true
	}
	if len(seen) != 1 {
		t.Fatalf("%d different successors", len(seen))
	}
}

func TestWhatIsNoRefreshTokenIsRefusedAndRevokesNothing(t *testing.T) {
	h := newHouse(t)
	g := h.login(t, "mei", meiPassword)
	other := refreshToken{}.String()
	for _, token := range []string{"", "wrt_", "x", g.AccessToken, other, g.RefreshToken + "A", strings.TrimPrefix(g.RefreshToken, "wrt_")} {
		_, err := h.Refresh(t.Context(), token)
		wantCode(t, err, CodeTokenInvalid)
	}
	h.refreshed(t, g.RefreshToken)
}

func TestRefreshTokensAreStoredAsHashesOnly(t *testing.T) {
	h := newHouse(t)
	g := h.login(t, "mei", meiPassword)
	saved, err := h.sessions.Get(t.Context(), g.SessionID)
	if err != nil {
		t.Fatal(err)
	}
	token, _ := parseRefresh(g.RefreshToken)
	stored := saved.Doc.Bytes().String() + fmt.Sprintf("%x", []byte(saved.Doc.Bytes()))
	for _, secret := range []string{g.RefreshToken, string(token.secret[:]), fmt.Sprintf("%x", token.secret), fmt.Sprintf("%x", token.family), "192.0.2.1"} {
		if strings.Contains(stored, secret) {
			t.Errorf("%q lies in the stored session", secret)
		}
	}
	var fields bson.M
	if err := bson.Unmarshal(saved.Doc.Bytes(), &fields); err != nil || fields["live"] != token.hash() {
		t.Errorf("live is %v (%v)", fields["live"], err)
	}
}

func TestASessionEndsWhenIdleAndWhenOld(t *testing.T) {
	day := 24 * time.Hour
	for name, tc := range map[string]struct {
		every time.Duration
		times int
		ends  bool
	}{
		"refreshed daily for 89 days": {day, 89, false},
		"refreshed daily for 91 days": {day, 91, true},
		"idle for 29 days, twice":     {29 * day, 2, false},
		"idle for 31 days":            {31 * day, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			g := h.login(t, "mei", meiPassword)
			for i := range tc.times {
				h.clock.add(tc.every)
				next, err := h.Refresh(t.Context(), g.RefreshToken)
				if last := i == tc.times-1; last && tc.ends {
					wantCode(t, err, CodeSessionExpired)
					return
				}
				if err != nil && !tc.ends {
					t.Fatalf("after %d: %v", i+1, err)
				}
				if err == nil {
					g = next
				}
			}
		})
	}
}

func TestUsingTheSameTokenAgainAlsoKeepsTheSessionAlive(t *testing.T) {
	h := newHouse(t)
	g := h.login(t, "mei", meiPassword)
	for range 2 { // each answer is lost
		h.clock.add(29 * 24 * time.Hour)
		h.refreshed(t, g.RefreshToken)
	}
}

func TestAnAccessTokenDoesNotOutliveItsSession(t *testing.T) {
	h := newHouse(t)
	g := h.login(t, "mei", meiPassword)
	for range 89 {
		h.clock.add(24 * time.Hour)
		g = h.refreshed(t, g.RefreshToken)
	}
	h.clock.add(24*time.Hour - 5*time.Minute)
	if g = h.refreshed(t, g.RefreshToken); g.ExpiresIn != 5*time.Minute {
		t.Fatalf("lives for %v", g.ExpiresIn)
	}
}

func TestSigningOutEndsAllTokensOfTheSessionAlone(t *testing.T) {
	h := newHouse(t)
	one, two := h.login(t, "mei", meiPassword), h.login(t, "mei", meiPassword)
	p := h.verified(t, one.AccessToken)
	for range 2 {
		if err := h.Logout(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	_, err := h.Verify(t.Context(), one.AccessToken)
	wantCode(t, err, CodeSessionRevoked)
	_, err = h.Refresh(t.Context(), one.RefreshToken)
	wantCode(t, err, CodeSessionRevoked)
	h.verified(t, two.AccessToken)
}

// TestOtherReplicasFollowWithinFiveSeconds has two services on one engine: what one ends, the other may not take for
// longer than 5 s.
func TestOtherReplicasFollowWithinFiveSeconds(t *testing.T) {
	for name, tc := range map[string]struct {
		end  func(*testing.T, *house, Principal)
		code domain.Code
	}{
		"signed out": {func(t *testing.T, h *house, p Principal) {
			t.Helper()
			if err := h.Logout(t.Context(), p); err != nil {
				t.Fatal(err)
			}
		}, CodeSessionRevoked},
		"disabled":     {changing(AccountChange{Disabled: new(true)}), CodeSessionRevoked},
		"new password": {changing(AccountChange{Password: new("another pair of gloves")}), CodeSessionRevoked},
		"other roles":  {changing(AccountChange{Roles: []staff.Role{staff.Gate}}), CodeTokenExpired},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			other := replica(t, h.engine, h.clock)
			g := h.login(t, "mei", meiPassword)
			p := h.verified(t, g.AccessToken)
			if _, err := other.Verify(t.Context(), g.AccessToken); err != nil {
				t.Fatal(err)
			}
			tc.end(t, h, p)
			_, err := h.Verify(t.Context(), g.AccessToken)
			wantCode(t, err, tc.code)
			if _, err := other.Verify(t.Context(), g.AccessToken); err != nil {
				t.Errorf("the other replica read at once: each request would cost a reading (%v)", err)
			}
			h.clock.add(5 * time.Second)
			_, err = other.Verify(t.Context(), g.AccessToken)
			wantCode(t, err, tc.code)
		})
	}
}

func TestAnotherReplicaTakesARefreshTokenAtOnce(t *testing.T) {
	h := newHouse(t)
	other := replica(t, h.engine, h.clock)
	g, err := other.Refresh(t.Context(), h.login(t, "mei", meiPassword).RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	h.verified(t, g.AccessToken)
}

func TestRefreshingTellsTheRolesOfNow(t *testing.T) {
	h := newHouse(t)
	g := h.login(t, "mei", meiPassword)
	changing(AccountChange{Roles: []staff.Role{staff.Cashier}})(t, h, h.root)
	_, err := h.Verify(t.Context(), g.AccessToken)
	wantCode(t, err, CodeTokenExpired)
	if p := h.verified(t, h.refreshed(t, g.RefreshToken).AccessToken); len(p.Roles) != 1 || p.Roles[0] != staff.Cashier {
		t.Fatalf("roles %v", p.Roles)
	}
}

func TestEnabledAgainHasToSignInAgain(t *testing.T) {
	h := newHouse(t)
	g := h.login(t, "mei", meiPassword)
	changing(AccountChange{Disabled: new(true)})(t, h, h.root)
	changing(AccountChange{Disabled: new(false)})(t, h, h.root)
	_, err := h.Refresh(t.Context(), g.RefreshToken)
	wantCode(t, err, CodeSessionRevoked)
	_, err = h.Verify(t.Context(), g.AccessToken)
	wantCode(t, err, CodeSessionRevoked)
	h.verified(t, h.login(t, "mei", meiPassword).AccessToken)
}

func TestEndedSessionsAreForgottenAfterADay(t *testing.T) {
	h := newHouse(t)
	old := h.login(t, "mei", meiPassword)
	h.clock.add(20 * 24 * time.Hour)
	young := h.login(t, "mei", meiPassword)
	h.clock.add(12 * 24 * time.Hour)
	if err := h.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := h.sessions.Get(t.Context(), old.SessionID); unless(err, storage.ErrNotFound) != nil || err == nil {
		t.Errorf("the ended one: %v", err)
	}
	h.refreshed(t, young.RefreshToken)
}

func TestWhatCannotBeReadIsNotTaken(t *testing.T) {
	h := newHouse(t)
	g := h.login(t, "mei", meiPassword)
	h.verified(t, g.AccessToken)
	h.clock.add(6 * time.Second)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.Verify(ctx, g.AccessToken); err == nil || code(err) == CodeSessionRevoked {
		t.Fatalf("got %v", err)
	}
	h.verified(t, g.AccessToken)
}

func changing(c AccountChange) func(*testing.T, *house, Principal) {
	return func(t *testing.T, h *house, _ Principal) {
		t.Helper()
		if _, err := h.UpdateAccount(t.Context(), h.root, "main", h.mei.ID, c); err != nil {
			t.Fatal(err)
		}
	}
}
