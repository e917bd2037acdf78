package e2e_test

import (
	"bytes"
	"encoding/base64"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"example.com/walkaround/test/harness"
)

const (
	loginPath   = "/v1/auth/login"
	refreshPath = "/v1/auth/refresh"
)

func bearer(a harness.Answer) []string {
	return []string{"Authorization", "Bearer " + a.Text("access_token")}
}

func TestLoginTellsNothingToWhoGuesses(t *testing.T) {
	h := harness.Start(t)
	h.As("advisor")
	try := func(username, password, store string) harness.Answer {
		return h.Anyone().Do(http.MethodPost, loginPath, object{"username": username, "password": password, "store": store})
	}
	ok := try("ADVISOR", harness.Password, "main").Want(http.StatusOK)
	if ok.Text("token_type") != "Bearer" || ok.Number("expires_in") != 900 || ok.Text("staff.store_id") != "main" || ok.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%s", ok.Body)
	}
	var told string
	for _, guess := range [][3]string{{"advisor", "not the password", "main"}, {"nobody", harness.Password, "main"}, {"advisor", harness.Password, "north"}, {"a/b", "x", "main"}, {"advisor", "", "main"}} {
		got := try(guess[0], guess[1], guess[2]).WantProblem(http.StatusUnauthorized, "credentials_wrong")
		detail := got.Text("title") + got.Text("detail")
		if told != "" && detail != told {
			t.Errorf("%v is told apart: %s", guess, got.Body)
		}
		told = detail
	}
	try("", harness.Password, "").WantProblem(http.StatusUnprocessableEntity, "invalid")
}

func TestTokensThatAreNone(t *testing.T) {
	h := harness.Start(t)
	good := h.As("advisor").Token()
	parts := strings.Split(good, ".")
	encode := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	for name, header := range map[string]string{
		"of another scheme": "Basic " + good,
		"without a scheme":  good,
		"empty":             "Bearer ",
		"of noise":          "Bearer abc",
		"without signature": "Bearer " + encode(`{"alg":"none","typ":"JWT"}`) + "." + parts[1] + ".",
		"signed by nobody":  "Bearer " + parts[0] + "." + parts[1] + "." + encode(strings.Repeat("x", 64)),
		"with other claims": "Bearer " + parts[0] + "." + encode(`{"sub":"x","roles":["admin"]}`) + "." + parts[2],
		"a refresh token":   "Bearer " + h.As("advisor").Refresh(),
		"with a tail":       "Bearer " + good + "x",
		"of five kilobytes": "Bearer " + strings.Repeat("x", 5_000),
	} {
		got := h.Anyone().Get("/v1/me", "Authorization", header).Want(http.StatusUnauthorized)
		if code := got.Text("code"); code != "unauthenticated" && code != "token_invalid" || got.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: %s", name, got.Body)
		}
	}
	h.Clock.Move(16 * time.Minute)
	h.Anyone().Get("/v1/me", "Authorization", "Bearer "+good).WantProblem(http.StatusUnauthorized, "token_expired")
	h.As("advisor").Get("/v1/me", "Authorization", "bearer "+h.As("advisor").Token()).Want(http.StatusOK)
}

// TestRefreshTokensRotate loses an answer, and then has the token stolen.
func TestRefreshTokensRotate(t *testing.T) {
	h := harness.Start(t)
	login := h.As("advisor").Login()
	refresh := func(token string) harness.Answer {
		return h.Anyone().Do(http.MethodPost, refreshPath, object{"refresh_token": token})
	}
	first := refresh(login.Text("refresh_token")).Want(http.StatusOK)
	lost := refresh(login.Text("refresh_token")).Want(http.StatusOK)
	if first.Text("refresh_token") != lost.Text("refresh_token") || first.Text("refresh_token") == login.Text("refresh_token") {
		t.Error("a lost answer must give the same successor")
	}
	second := refresh(first.Text("refresh_token")).Want(http.StatusOK)
	h.Anyone().Get("/v1/me", bearer(second)...).Want(http.StatusOK)
	refresh(login.Text("refresh_token")).WantProblem(http.StatusUnauthorized, "session_revoked")
	refresh(second.Text("refresh_token")).WantProblem(http.StatusUnauthorized, "session_revoked")
	for _, a := range []harness.Answer{login, first, second} {
		h.Anyone().Get("/v1/me", bearer(a)...).WantProblem(http.StatusUnauthorized, "session_revoked")
	}
	refresh("wrt_abc").WantProblem(http.StatusUnauthorized, "token_invalid")
	refresh("").WantProblem(http.StatusUnauthorized, "token_invalid")
	idle := h.As("advisor").Login().Text("refresh_token")
	h.Clock.Move(31 * 24 * time.Hour)
	refresh(idle).WantProblem(http.StatusUnauthorized, "session_expired")
}

func TestLogoutKillsAtOnce(t *testing.T) {
	h := harness.Start(t)
	one, two := h.As("advisor").Login(), h.As("advisor").Login()
	h.Anyone().Do(http.MethodPost, "/v1/auth/logout", nil, bearer(one)...).Want(http.StatusNoContent)
	h.Anyone().Get("/v1/me", bearer(one)...).WantProblem(http.StatusUnauthorized, "session_revoked")
	h.Anyone().Do(http.MethodPost, refreshPath, object{"refresh_token": one.Text("refresh_token")}).WantProblem(http.StatusUnauthorized, "session_revoked")
	h.Anyone().Get("/v1/me", bearer(two)...).Want(http.StatusOK)
}

func TestDisabledAccountsAreDeadAtOnce(t *testing.T) {
	h := harness.Start(t)
	admin, login := h.As("admin"), h.As("cashier").Login()
	at := "/v1/staff/" + h.As("cashier").AccountID
	patch := func(body object) harness.Answer {
		return admin.Do(http.MethodPatch, at, body, "If-Match", admin.Get(at).ETag())
	}
	patch(object{"disabled": true}).Want(http.StatusOK)
	h.Anyone().Get("/v1/me", bearer(login)...).WantProblem(http.StatusUnauthorized, "session_revoked")
	h.Anyone().Do(http.MethodPost, refreshPath, object{"refresh_token": login.Text("refresh_token")}).WantProblem(http.StatusUnauthorized, "session_revoked")
	credentials := object{"username": "cashier", "password": harness.Password, "store": "main"}
	h.Anyone().Do(http.MethodPost, loginPath, credentials).WantProblem(http.StatusForbidden, "account_disabled")
	credentials["password"] = "not the password"
	h.Anyone().Do(http.MethodPost, loginPath, credentials).WantProblem(http.StatusUnauthorized, "credentials_wrong")
	patch(object{"disabled": false}).Want(http.StatusOK)
	h.Anyone().Get("/v1/me", bearer(login)...).WantProblem(http.StatusUnauthorized, "session_revoked")

	// Whose roles change has to refresh, and has the new ones then.
	login = h.As("cashier").Login()
	patch(object{"roles": []string{"gate"}}).Want(http.StatusOK)
	h.Anyone().Get("/v1/visits", bearer(login)...).WantProblem(http.StatusUnauthorized, "token_expired")
	fresh := h.Anyone().Do(http.MethodPost, refreshPath, object{"refresh_token": login.Text("refresh_token")}).Want(http.StatusOK)
	h.Anyone().Get("/v1/visits", bearer(fresh)...).WantProblem(http.StatusForbidden, "forbidden")
}

func TestPasswordChangeEndsOtherSessions(t *testing.T) {
	h := harness.Start(t)
	mine, other := h.As("advisor").Login(), h.As("advisor").Login()
	const next = "an umbrella behind the door"
	change := func(current, fresh string) harness.Answer {
		return h.Anyone().Do(http.MethodPut, "/v1/me/password", object{"current": current, "new": fresh}, bearer(mine)...)
	}
	change("not the password", next).WantProblem(http.StatusUnauthorized, "credentials_wrong")
	change(harness.Password, "short").WantProblem(http.StatusUnprocessableEntity, "password_weak")
	h.Anyone().Get("/v1/me", bearer(other)...).Want(http.StatusOK)
	change(harness.Password, next).Want(http.StatusNoContent)
	h.Anyone().Get("/v1/me", bearer(other)...).WantProblem(http.StatusUnauthorized, "session_revoked")
	h.Anyone().Get("/v1/me", bearer(mine)...).Want(http.StatusOK)
	h.Anyone().Do(http.MethodPost, loginPath, object{"username": "advisor", "password": harness.Password, "store": "main"}).Want(http.StatusUnauthorized)
	h.Anyone().Do(http.MethodPost, loginPath, object{"username": "advisor", "password": next, "store": "main"}).Want(http.StatusOK)
	if bytes.Contains([]byte(h.Log.String()), []byte(next)) {
		t.Error("the log holds a password")
	}
}

// TestGuessingIsSlowedButTheOwnerGetsIn guesses until nothing is taken any more; the owner's tablet still gets in.
func TestGuessingIsSlowedButTheOwnerGetsIn(t *testing.T) {
	h := harness.Start(t)
	h.As("advisor")
	body := object{"username": "advisor", "password": "a guess", "store": "main"}
	var last harness.Answer
	for range 10 {
		if last = h.Anyone().Do(http.MethodPost, loginPath, body); last.Status != http.StatusUnauthorized {
			break
		}
	}
	last.WantProblem(http.StatusTooManyRequests, "throttled")
	if last.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	body["password"] = harness.Password
	h.Anyone().Do(http.MethodPost, loginPath, body).WantProblem(http.StatusTooManyRequests, "throttled")
	h.As("advisor").Login() // on a tablet that it signed in from before
	h.Anyone().Do(http.MethodPost, loginPath, object{"username": "admin", "password": harness.AdminPassword, "store": "main"}).Want(http.StatusOK)
}

func TestNobodyGrantsAboveHisOwnRoles(t *testing.T) {
	h := harness.Start(t)
	boss, admin := h.As("supervisor"), h.As("admin")
	hire := func(c *harness.Client, name string, extra object) harness.Answer {
		body := object{"username": name, "password": harness.Password, "name": name, "roles": []string{"advisor"}}
		maps.Copy(body, extra)
		return c.Do(http.MethodPost, "/v1/staff", body)
	}
	hire(boss, "a", object{"roles": []string{"advisor", "admin"}}).WantProblem(http.StatusForbidden, "role_not_grantable")
	hire(boss, "b", object{"chain_wide": true}).WantProblem(http.StatusForbidden, "role_not_grantable")
	hire(boss, "c", nil).Want(http.StatusCreated)
	hire(boss, "C", nil).WantProblem(http.StatusConflict, "username_taken")
	hire(boss, "d", object{"roles": []string{"king"}}).WantProblem(http.StatusUnprocessableEntity, "invalid")
	hire(boss, "e", object{"roles": []string{}}).WantProblem(http.StatusUnprocessableEntity, "invalid")
	hire(boss, "f", object{"password": "123"}).WantProblem(http.StatusUnprocessableEntity, "password_weak")
	me := "/v1/staff/" + admin.AccountID
	tag := admin.Get(me).ETag()
	boss.Do(http.MethodPatch, me, object{"disabled": true}, "If-Match", tag).WantProblem(http.StatusForbidden, "role_not_grantable")
	admin.Do(http.MethodPatch, me, object{"disabled": true}, "If-Match", tag).WantProblem(http.StatusConflict, "last_admin")
	admin.Do(http.MethodPatch, me, object{"name": "x"}).WantProblem(http.StatusPreconditionRequired, "precondition_required")
	admin.Do(http.MethodPatch, me, object{"name": "x"}, "If-Match", `"99-"`).WantProblem(http.StatusPreconditionFailed, "precondition_failed")
}

func TestPublishedKeys(t *testing.T) {
	h := harness.Start(t)
	admin := h.As("admin")
	v := h.As("advisor").ReadyVisit("粵A·12345")
	signed := v.Sign().Want(http.StatusCreated)
	keys := func() int {
		return len(h.Anyone().Get("/.well-known/walkaround-keys.json").Want(http.StatusOK).List("keys"))
	}
	was := keys()
	for range 2 {
		admin.Do(http.MethodPost, "/v1/store-keys", nil, "Idempotency-Key", "rotate").Want(http.StatusNoContent)
	}
	if now := keys(); now != was+1 {
		t.Errorf("%d keys, then %d: one rotation sent twice", was, now)
	}
	next := h.As("advisor").ReadyVisit("粵A·54321")
	again := next.Sign().Want(http.StatusCreated)
	proveSheet(t, v, signed.Text("digest"), signed.Text("pdf"))
	proveSheet(t, next, again.Text("digest"), again.Text("pdf"))
	verify := func(digest string) string { return h.Anyone().Get("/v1/verify/" + digest).Text("key_id") }
	if verify(signed.Text("digest")) == verify(again.Text("digest")) {
		t.Error("the key was not rotated")
	}
	if jwks := h.Anyone().Get("/.well-known/jwks.json").Want(http.StatusOK); len(jwks.List("keys")) == 0 || jwks.At("keys.0.d") != nil {
		t.Errorf("%s", jwks.Body)
	}
}
