package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"sync"
	"testing"

	"example.com/walkaround/domain/staff"
)

func TestNewHashesTakeTheCostThatIsPromised(t *testing.T) {
	s, err := New(t.Context(), Config{Engine: newEngine(t), Secret: testSecret, Now: newClock().now})
	if err != nil {
		t.Fatal(err)
	}
	hash, err := s.passwords.hash(t.Context(), meiPassword)
	if err != nil || !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatalf("%s, %v", hash, err)
	}
	other, err := s.passwords.hash(t.Context(), meiPassword)
	if err != nil || other == hash {
		t.Fatalf("the same salt twice (%v)", err)
	}
	for password, want := range map[string]bool{meiPassword: true, meiPassword + " ": false, "": false} {
		fits, weak, err := s.passwords.verify(t.Context(), hash, password)
		if err != nil || fits != want || weak {
			t.Errorf("%q: fits %v, weak %v, %v", password, fits, weak, err)
		}
	}
	if !strings.HasPrefix(s.passwords.dummy, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("an unknown user costs %s", s.passwords.dummy)
	}
	if n := cap(s.passwords.slots); n < 1 {
		t.Errorf("%d slots", n)
	}
}

func testPasswords(t *testing.T, c cost) *passwords {
	t.Helper()
	p, err := newPasswords(rand.Reader, c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestTheSameKeysOnAnotherTabletGiveTheSamePassword(t *testing.T) {
	p := testPasswords(t, cheap)
	hash, err := p.hash(t.Context(), "ｐａｓｓ café blue")
	if err != nil {
		t.Fatal(err)
	}
	if fits, _, err := p.verify(t.Context(), hash, "pass cafe\u0301 blue"); !fits || err != nil {
		t.Fatalf("fits %v, %v", fits, err)
	}
}

func TestUnknownUsersAndEndlessPasswordsFitNothing(t *testing.T) {
	p := testPasswords(t, cheap)
	for _, password := range []string{"", "anything", strings.Repeat("x", 1<<20)} {
		if fits, _, err := p.verify(t.Context(), "", password); fits || err != nil {
			t.Errorf("%d letters: fits %v, %v", len(password), fits, err)
		}
	}
}

func TestAStoredHashThatIsMalformedOrRuinousIsRefused(t *testing.T) {
	p := testPasswords(t, cheap)
	sound, err := p.hash(t.Context(), meiPassword)
	if err != nil {
		t.Fatal(err)
	}
	for name, hash := range map[string]string{
		"no PHC":         "secret",
		"argon2i":        strings.Replace(sound, "argon2id", "argon2i", 1),
		"other version":  strings.Replace(sound, "v=19", "v=16", 1),
		"no memory":      strings.Replace(sound, "m=64", "m=0", 1),
		"gigabytes":      strings.Replace(sound, "m=64", "m=4194304", 1),
		"endless passes": strings.Replace(sound, "t=1", "t=1000000", 1),
		"no passes":      strings.Replace(sound, "t=1", "t=0", 1),
		"short sum":      sound[:strings.LastIndex(sound, "$")+1] + "AAAA",
		"no base64":      sound[:strings.LastIndex(sound, "$")+1] + "!!!!",
	} {
		if _, _, err := p.verify(t.Context(), hash, meiPassword); !errors.Is(err, errHash) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAWeakHashIsMadeAnewAtTheNextSignIn(t *testing.T) {
	h := newHouse(t)
	g := h.login(t, "mei", meiPassword)
	stronger := testPasswords(t, cost{memory: 128, passes: 2, threads: 1})
	h.passwords = stronger
	h.login(t, "mei", meiPassword)
	saved, err := h.accounts.Get(t.Context(), accountID(&h.mei))
	if err != nil || !strings.Contains(saved.Value.PasswordHash, "m=128,t=2") {
		t.Fatalf("hash %s, %v", saved.Value.PasswordHash, err)
	}
	if saved.Value.Revision != 1 {
		t.Error("the ETag moved though nothing that is shown did")
	}
	h.verified(t, g.AccessToken)
	h.login(t, "mei", meiPassword)
}

func TestAFullQueueIsBusyAndAWaiterMayLeave(t *testing.T) {
	p := testPasswords(t, cheap)
	hold, entered := make(chan struct{}), make(chan struct{}, cap(p.slots))
	var wg sync.WaitGroup
	for range cap(p.slots) {
		wg.Go(func() {
			err := p.turn(context.Background(), func() {
				entered <- struct{}{}
				<-hold
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	for range cap(p.slots) {
		<-entered
	}
	left, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.turn(left, func() { t.Error("ran after its context ended") }); !errors.Is(err, context.Canceled) {
		t.Errorf("a waiter that left: %v", err)
	}
	p.waiting.Add(maxQueue)
	err := p.turn(t.Context(), func() { t.Error("ran beyond the queue") })
	wantCode(t, err, CodeBusy)
	if r, is := errors.AsType[*RetryError](err); !is || r.After <= 0 {
		t.Errorf("no time to come again: %v", err)
	}
	p.waiting.Add(-maxQueue)
	close(hold)
	wg.Wait()
	if n := p.waiting.Load(); n != 0 {
		t.Errorf("%d are said to wait", n)
	}
}

func TestAPasswordIsNeverStoredOrShown(t *testing.T) {
	h := newHouse(t)
	saved, err := h.accounts.Get(t.Context(), accountID(&h.mei))
	if err != nil {
		t.Fatal(err)
	}
	if shown := string(saved.Doc.AppendJSON(nil)); strings.Contains(shown, "argon2id") || strings.Contains(shown, "epoch") {
		t.Errorf("shown as %s", shown)
	}
	if strings.Contains(string(saved.Doc.Bytes()), meiPassword) {
		t.Error("the password lies in the document")
	}
	if err := staff.CheckPassword(meiPassword, "mei"); err != nil {
		t.Error(err)
	}
}
