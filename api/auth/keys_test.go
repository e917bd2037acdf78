package auth

import (
	"crypto/ed25519"
	"encoding/base64"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/evidence"
	"example.com/walkaround/storage"
)

const day = 24 * time.Hour

func kid(t *testing.T, token string) string {
	t.Helper()
	parsed, _, err := jwt.NewParser().ParseUnverified(token, jwt.MapClaims{})
	if err != nil {
		t.Fatal(err)
	}
	id, _ := parsed.Header["kid"].(string)
	return id
}

func (h *house) kids(t *testing.T) string {
	t.Helper()
	var ids []string
	for _, k := range h.JWKS(t.Context()).Keys {
		ids = append(ids, k.KeyID)
	}
	return strings.Join(ids, " ")
}

func TestATokenKeyIsPublishedBeforeItSignsAndVerifiesAfterwards(t *testing.T) {
	h := newHouse(t)
	g := h.login(t, "mei", meiPassword)
	first := kid(t, g.AccessToken)

	h.clock.add(28 * day)
	rotated(t, h)
	if h.kids(t) != first {
		t.Fatalf("a next key is published two days early: %s", h.kids(t))
	}
	h.clock.add(day)
	rotated(t, h)
	rotated(t, h)
	ids := strings.Fields(h.kids(t))
	if len(ids) != 2 || ids[0] != first {
		t.Fatalf("published %v", ids)
	}
	g = h.refreshed(t, g.RefreshToken)
	if kid(t, g.AccessToken) != first {
		t.Fatal("the next key signs before its time")
	}
	h.clock.add(day - time.Minute)
	old := h.refreshed(t, g.RefreshToken)
	h.clock.add(2 * time.Minute)
	if g = h.refreshed(t, old.RefreshToken); kid(t, g.AccessToken) != ids[1] {
		t.Fatal("the next key does not sign when its time has come")
	}
	h.verified(t, old.AccessToken)
	h.clock.add(3 * time.Hour)
	if h.kids(t) != ids[1] {
		t.Fatalf("a key that nothing living was signed with is still published: %s", h.kids(t))
	}
	h.clock.add(2 * day)
	rotated(t, h)
	if page, err := h.vault.keys.FindValues(t.Context(), storage.Query{Key: "ring", Equal: kindToken, Limit: 10}); err != nil || len(page.Items) != 1 {
		t.Fatalf("%d keys are stored (%v)", len(page.Items), err)
	}
}

func rotated(t *testing.T, h *house) {
	t.Helper()
	if err := h.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestAnotherReplicaLearnsOfANewKeyFromItsFirstToken(t *testing.T) {
	h := newHouse(t)
	other := replica(t, h.engine, h.clock)
	h.clock.add(29 * day)
	rotated(t, h)
	other.JWKS(t.Context())
	h.clock.add(2 * day)
	if _, err := other.Verify(t.Context(), h.login(t, "mei", meiPassword).AccessToken); err != nil {
		t.Fatal(err)
	}
}

func TestAnInstallationThatSleptStillPublishesBeforeItSigns(t *testing.T) {
	h := newHouse(t)
	first := h.kids(t)
	h.clock.add(100 * day)
	rotated(t, h)
	if g := h.login(t, "mei", meiPassword); kid(t, g.AccessToken) != first {
		t.Fatal("the new key signs at once")
	}
	h.clock.add(day + time.Minute)
	if g := h.login(t, "mei", meiPassword); kid(t, g.AccessToken) == first {
		t.Fatal("the new key never signs")
	}
}

func TestManyReplicasRotateOnce(t *testing.T) {
	h := newHouse(t)
	h.clock.add(29 * day)
	var wg sync.WaitGroup
	for range 4 {
		other := replica(t, h.engine, h.clock)
		wg.Go(func() {
			if err := other.Rotate(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	h.clock.add(ringAge + time.Second)
	if n := len(h.JWKS(t.Context()).Keys); n != 2 {
		t.Fatalf("%d keys", n)
	}
}

func TestAClockThatStepsBackBreaksNothing(t *testing.T) {
	h := newHouse(t)
	g := h.login(t, "mei", meiPassword)
	h.clock.add(-50 * time.Second)
	h.verified(t, g.AccessToken)
	h.clock.add(-400 * day)
	_, err := h.Verify(t.Context(), g.AccessToken)
	wantCode(t, err, CodeTokenExpired) // so that the client refreshes, which works
	g = h.refreshed(t, g.RefreshToken)
	h.verified(t, g.AccessToken)
	h.verified(t, h.login(t, "mei", meiPassword).AccessToken)
	rotated(t, h)
}

func TestTokensThatAreNotOurs(t *testing.T) {
	h := newHouse(t)
	good := h.login(t, "mei", meiPassword).AccessToken
	key := h.vault.signer(t.Context(), h.clock.now())
	_, stranger, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	forge := func(method jwt.SigningMethod, private any, change func(*claims, map[string]any)) string {
		var c claims
		if _, _, err := jwt.NewParser().ParseUnverified(good, &c); err != nil {
			t.Fatal(err)
		}
		token := jwt.NewWithClaims(method, &c)
		token.Header["kid"] = key.KeyID
		change(&c, token.Header)
		signed, err := token.SignedString(private)
		if err != nil {
			t.Fatal(err)
		}
		return signed
	}
	same := func(*claims, map[string]any) {}
	ed := jwt.SigningMethodEdDSA
	for name, tc := range map[string]struct {
		token string
		want  domain.Code
	}{
		"ours":             {forge(ed, key.private, same), ""},
		"empty":            {"", CodeTokenInvalid},
		"noise":            {"a.b.c", CodeTokenInvalid},
		"endless":          {strings.Repeat("a", maxTokenBytes+1), CodeTokenInvalid},
		"stranger's key":   {forge(ed, stranger, same), CodeTokenInvalid},
		"alg none":         {forge(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, same), CodeTokenInvalid},
		"HMAC of the key":  {forge(jwt.SigningMethodHS256, key.Public, same), CodeTokenInvalid},
		"unknown kid":      {forge(ed, key.private, func(_ *claims, h map[string]any) { h["kid"] = "x" }), CodeTokenInvalid},
		"no kid":           {forge(ed, key.private, func(_ *claims, h map[string]any) { delete(h, "kid") }), CodeTokenInvalid},
		"critical header":  {forge(ed, key.private, func(_ *claims, h map[string]any) { h["crit"] = []string{"x"} }), CodeTokenInvalid},
		"other issuer":     {forge(ed, key.private, func(c *claims, _ map[string]any) { c.Issuer = "x" }), CodeTokenInvalid},
		"other audience":   {forge(ed, key.private, func(c *claims, _ map[string]any) { c.Audience = jwt.ClaimStrings{"x"} }), CodeTokenInvalid},
		"no end":           {forge(ed, key.private, func(c *claims, _ map[string]any) { c.ExpiresAt = nil }), CodeTokenInvalid},
		"no beginning":     {forge(ed, key.private, func(c *claims, _ map[string]any) { c.IssuedAt = nil }), CodeTokenInvalid},
		"no session":       {forge(ed, key.private, func(c *claims, _ map[string]any) { c.SessionID = "" }), CodeTokenInvalid},
		"unknown session":  {forge(ed, key.private, func(c *claims, _ map[string]any) { c.SessionID = "x" }), CodeSessionRevoked},
		"unknown account":  {forge(ed, key.private, func(c *claims, _ map[string]any) { c.Subject = "x" }), CodeSessionRevoked},
		"of the future":    {forge(ed, key.private, func(c *claims, _ map[string]any) { c.IssuedAt.Time = h.clock.now().Add(2 * time.Minute) }), CodeTokenExpired},
		"expired":          {forge(ed, key.private, func(c *claims, _ map[string]any) { c.ExpiresAt.Time = h.clock.now().Add(-time.Second) }), CodeTokenExpired},
		"a bit is flipped": {good[:len(good)-10] + "AAAAAAAAAA", CodeTokenInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			for range 2 { // the second time from memory
				_, err := h.Verify(t.Context(), tc.token)
				wantCode(t, err, tc.want)
			}
		})
	}
	h.clock.add(AccessLife)
	_, err = h.Verify(t.Context(), good)
	wantCode(t, err, CodeTokenExpired)
}

func TestTheKeySetVerifiesATokenElsewhere(t *testing.T) {
	h := newHouse(t)
	token := h.login(t, "mei", meiPassword).AccessToken
	key := h.JWKS(t.Context()).Keys[0]
	if key.KeyType != "OKP" || key.Curve != "Ed25519" || key.Algorithm != "EdDSA" || key.Use != "sig" {
		t.Errorf("%+v", key)
	}
	x, err := base64.RawURLEncoding.DecodeString(key.X)
	if err != nil {
		t.Fatal(err)
	}
	parser := jwt.NewParser(jwt.WithTimeFunc(h.clock.now))
	if _, err := parser.Parse(token, func(*jwt.Token) (any, error) { return ed25519.PublicKey(x), nil }); err != nil {
		t.Fatal(err)
	}
}

func TestSeedsAreSealedToTheirPlace(t *testing.T) {
	h := newHouse(t)
	if _, err := h.StoreKey(t.Context(), "main"); err != nil {
		t.Fatal(err)
	}
	saved, err := h.vault.keys.Get(t.Context(), "store/main/00000001")
	if err != nil {
		t.Fatal(err)
	}
	k, err := h.vault.open(saved.Value)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(saved.Doc.Bytes()), string(k.private.Seed())) {
		t.Error("the seed lies open")
	}
	for name, change := range map[string]func(*storedKey){
		"of another store": func(k *storedKey) { k.StoreID = "north" },
		"another number":   func(k *storedKey) { k.Sequence = 2 },
		"another id":       func(k *storedKey) { k.KeyID = "x" },
		"another public":   func(k *storedKey) { k.Public = make([]byte, 32) },
		"cut":              func(k *storedKey) { k.Sealed = k.Sealed[:8] },
	} {
		moved := saved.Value
		change(&moved)
		if _, err := h.vault.open(moved); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
}

func TestAStoreHasOneKeyHoweverManyAskFirst(t *testing.T) {
	h := newHouse(t)
	got := make(chan string, 8)
	var wg sync.WaitGroup
	for range cap(got) {
		other := replica(t, h.engine, h.clock)
		wg.Go(func() {
			k, err := other.StoreKey(t.Context(), "main")
			if err != nil || k.StoreID != "main" || evidence.KeyID(k.Private[32:]) != k.ID {
				t.Errorf("%s of %s, %v", k.ID, k.StoreID, err)
			}
			got <- k.ID
		})
	}
	wg.Wait()
	close(got)
	first := <-got
	for id := range got {
		if id != first {
			t.Fatal("two keys")
		}
	}
	if k, err := h.StoreKey(t.Context(), "north"); err != nil || k.ID == first {
		t.Fatalf("the stores share a key (%v)", err)
	}
}

func TestARotatedStoreKeyVerifiesForEver(t *testing.T) {
	h := newHouse(t)
	other := replica(t, h.engine, h.clock)
	old, err := h.StoreKey(t.Context(), "main")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.StoreKey(t.Context(), "main"); err != nil {
		t.Fatal(err)
	}
	rotatedAt := domain.At(h.clock.now())
	if err := h.RotateStoreKey(t.Context(), "main"); err != nil {
		t.Fatal(err)
	}
	fresh, err := h.StoreKey(t.Context(), "main")
	if err != nil || fresh.ID == old.ID {
		t.Fatalf("the key is still the old one (%v)", err)
	}
	if k, err := other.StoreKey(t.Context(), "main"); err != nil || k.ID != old.ID {
		t.Fatalf("another replica read at once (%v)", err)
	}
	h.clock.add(storeAge + time.Second)
	if k, err := other.StoreKey(t.Context(), "main"); err != nil || k.ID != fresh.ID {
		t.Fatalf("another replica never learns (%v)", err)
	}
	h.clock.add(10 * 365 * day)
	keys, err := h.PublicKeys(t.Context())
	if err != nil || len(keys) != 2 {
		t.Fatalf("%d keys, %v", len(keys), err)
	}
	end := keys[old.ID].NotAfter
	if end == nil || end.Sub(rotatedAt.Time) <= storeAge || keys[fresh.ID].NotAfter != nil {
		t.Errorf("old ends %v, new ends %v", end, keys[fresh.ID].NotAfter)
	}
	for _, k := range keys {
		if err := k.Check(); err != nil {
			t.Error(err)
		}
	}
	if document, err := evidence.MarshalKeys(keys); err != nil || !strings.Contains(string(document), fresh.ID) {
		t.Errorf("%s, %v", document, err)
	}
}

func BenchmarkVerifyRemembered(b *testing.B) {
	h := newHouse(b)
	token := h.login(b, "mei", meiPassword).AccessToken
	b.ReportMetric(float64(len(token)), "token-bytes")
	for b.Loop() {
		if _, err := h.Verify(b.Context(), token); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerifyEachTime(b *testing.B) {
	h := newHouse(b)
	token := h.login(b, "mei", meiPassword).AccessToken
	for b.Loop() {
		if _, err := h.tokens.parse(b.Context(), token, h.clock.now()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPassword(b *testing.B) {
	for b.Loop() {
		derive(meiPassword, make([]byte, saltBytes), today, hashBytes)
	}
}
