package auth

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/staff"
	"example.com/walkaround/storage"
	"example.com/walkaround/storage/sqlite"
)

const (
	rootPassword = "a blue bucket of water"
	meiPassword  = "seven dry chamois cloths"
)

var testSecret = []byte("a secret of thirty-two bytes ...")

// clock is the fake that tests turn.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func newEngine(tb testing.TB) storage.Engine {
	tb.Helper()
	e, err := sqlite.Open(tb.Context(), tb.TempDir())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := e.Close(); err != nil {
			tb.Error(err)
		}
	})
	if err := e.Declare(tb.Context(), Declarations()); err != nil {
		tb.Fatal(err)
	}
	return e
}

func replica(tb testing.TB, e storage.Engine, c *clock) *Service {
	tb.Helper()
	s, err := New(tb.Context(), Config{Engine: e, Secret: testSecret, Issuer: "walkaround", Audience: "walkaround-api", Now: c.now})
	if err != nil {
		tb.Fatal(err)
	}
	if s.passwords, err = newPasswords(s.random, cheap); err != nil {
		tb.Fatal(err)
	}
	return s
}

// cheap is a cost that lets tests sign in often; passwords_test.go holds the real one.
var cheap = cost{memory: 64, passes: 1, threads: 1}

// house is an installation with a chain-wide admin, root, and an advisor, mei.
type house struct {
	*Service
	engine storage.Engine
	clock  *clock
	root   Principal
	mei    staff.Account
}

func newHouse(tb testing.TB) *house {
	tb.Helper()
	h := &house{engine: newEngine(tb), clock: newClock()}
	h.Service = replica(tb, h.engine, h.clock)
	if created, _, err := h.EnsureFirstAccount(tb.Context(), "main", "admin", rootPassword); err != nil || !created {
		tb.Fatalf("first account: %v, %v", created, err)
	}
	h.root = h.verified(tb, h.login(tb, "admin", rootPassword).AccessToken)
	h.mei = h.create(tb, NewAccount{Username: "mei", Password: meiPassword, Name: "林美", Roles: []staff.Role{staff.Advisor}})
	return h
}

func (h *house) create(tb testing.TB, n NewAccount) staff.Account {
	tb.Helper()
	saved, _, err := h.CreateAccount(tb.Context(), h.root, n)
	if err != nil {
		tb.Fatal(err)
	}
	return saved.Value
}

func (h *house) login(tb testing.TB, username, password string) Grant {
	tb.Helper()
	g, err := h.Login(tb.Context(), LoginRequest{Store: "main", Username: username, Password: password, Address: "192.0.2.1"})
	if err != nil {
		tb.Fatal(err)
	}
	return g
}

func (h *house) verified(tb testing.TB, token string) Principal {
	tb.Helper()
	p, err := h.Verify(tb.Context(), token)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func code(err error) domain.Code {
	if refusal, is := errors.AsType[*domain.Error](err); is {
		return refusal.Code
	}
	if err != nil {
		return domain.Code("not a refusal: " + err.Error())
	}
	return ""
}

func wantCode(tb testing.TB, err error, want domain.Code) {
	tb.Helper()
	if got := code(err); got != want {
		tb.Fatalf("got %q, want %q", got, want)
	}
}

func TestSignInGivesWhoAsks(t *testing.T) {
	h := newHouse(t)
	g := h.login(t, " ＭＥＩ ", meiPassword)
	p := h.verified(t, g.AccessToken)
	if p.AccountID != h.mei.ID || p.StoreID != "main" || p.ChainWide || !p.Allows(staff.AreaEstimate) || p.Allows(staff.AreaManageStaff) {
		t.Errorf("principal %+v", p)
	}
	if g.ExpiresIn != AccessLife || g.Account.ID != h.mei.ID || p.SessionID != g.SessionID || len(p.Scopes) != 1 {
		t.Errorf("grant %+v of %+v", g, p)
	}
	if !h.root.ChainWide || !h.root.Reaches("north") || p.Reaches("north") {
		t.Error("only a chain-wide account reaches another store")
	}
}

func TestWrongCredentialsAreToldAlike(t *testing.T) {
	h := newHouse(t)
	var first error
	for name, r := range map[string]LoginRequest{
		"wrong password": {Store: "main", Username: "mei", Password: "not it at all"},
		"unknown user":   {Store: "main", Username: "nobody", Password: meiPassword},
		"other store":    {Store: "north", Username: "mei", Password: meiPassword},
		"empty":          {},
		"no id at all":   {Store: "main", Username: "a\x00b\xff", Password: meiPassword},
		"huge":           {Store: "main", Username: string(make([]byte, 100_000)), Password: string(make([]byte, 100_000))},
	} {
		_, err := h.Login(t.Context(), r)
		if first == nil {
			first = err
		}
		if code(err) != CodeCredentialsWrong || err.Error() != first.Error() {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDisabledIsToldOnlyToWhoKnowsThePassword(t *testing.T) {
	h := newHouse(t)
	if _, err := h.UpdateAccount(t.Context(), h.root, "main", h.mei.ID, AccountChange{Disabled: new(true)}); err != nil {
		t.Fatal(err)
	}
	_, err := h.Login(t.Context(), LoginRequest{Store: "main", Username: "mei", Password: "not it at all"})
	wantCode(t, err, CodeCredentialsWrong)
	_, err = h.Login(t.Context(), LoginRequest{Store: "main", Username: "mei", Password: meiPassword})
	wantCode(t, err, CodeAccountDisabled)
}

func TestAShortSecretStopsTheStart(t *testing.T) {
	_, err := New(t.Context(), Config{Engine: newEngine(t), Secret: []byte("short"), Now: newClock().now})
	if err == nil {
		t.Fatal("a short secret was taken")
	}
}

func TestAWrongSecretStopsTheStart(t *testing.T) {
	e, c := newEngine(t), newClock()
	replica(t, e, c)
	_, err := New(t.Context(), Config{Engine: e, Secret: []byte("another secret of many bytes"), Now: c.now})
	if !errors.Is(err, ErrSecret) {
		t.Fatalf("got %v", err)
	}
}

func TestReplicasThatStartAtOnceShareOneKeyAndOneFirstAccount(t *testing.T) {
	e, c := newEngine(t), newClock()
	const n = 6
	made := make(chan bool, n)
	services := make([]*Service, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			s, err := New(context.Background(), Config{Engine: e, Secret: testSecret, Issuer: "i", Audience: "a", Now: c.now})
			if err != nil {
				t.Error(err)
				return
			}
			services[i] = s
			created, password, err := s.EnsureFirstAccount(context.Background(), "main", "admin", "")
			if err != nil || created != (password != "") {
				t.Errorf("created %v, password of %d letters, %v", created, len(password), err)
			}
			made <- created
		})
	}
	wg.Wait()
	close(made)
	winners := 0
	for created := range made {
		if created {
			winners++
		}
	}
	if winners != 1 {
		t.Errorf("%d replicas made the first account", winners)
	}
	for _, s := range services {
		if keys := s.JWKS(t.Context()).Keys; len(keys) != 1 || keys[0] != services[0].JWKS(t.Context()).Keys[0] {
			t.Errorf("keys differ: %v", keys)
		}
	}
}

func TestTheMadeUpPasswordSignsIn(t *testing.T) {
	s := replica(t, newEngine(t), newClock())
	_, password, err := s.EnsureFirstAccount(t.Context(), "main", "admin", "")
	if err != nil {
		t.Fatal(err)
	}
	g, err := s.Login(t.Context(), LoginRequest{Store: "main", Username: "admin", Password: password})
	if err != nil || !g.Account.ChainWide || !g.Account.IsAdmin() {
		t.Fatalf("%+v, %v", g.Account, err)
	}
	if created, _, err := s.EnsureFirstAccount(t.Context(), "main", "admin", ""); created || err != nil {
		t.Fatalf("a second time: %v, %v", created, err)
	}
}

func TestTheFirstAccountIsMadeAfterACrashBetweenNameAndAccount(t *testing.T) {
	e, c := newEngine(t), newClock()
	s := replica(t, e, c)
	if _, _, err := s.EnsureFirstAccount(t.Context(), "main", "admin", rootPassword); err != nil {
		t.Fatal(err)
	}
	page, err := s.accounts.FindValues(t.Context(), storage.Query{Key: "username", Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.accounts.Delete(t.Context(), accountID(&page.Items[0].Value), 1); err != nil {
		t.Fatal(err)
	}
	if created, _, err := s.EnsureFirstAccount(t.Context(), "main", "admin", rootPassword); err != nil || !created {
		t.Fatalf("created %v, %v", created, err)
	}
}

func TestAWeakFirstPasswordIsRefused(t *testing.T) {
	s := replica(t, newEngine(t), newClock())
	_, _, err := s.EnsureFirstAccount(t.Context(), "main", "admin", "password123")
	wantCode(t, err, staff.CodePasswordWeak)
}
