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
)

func advisor(change func(*NewAccount)) NewAccount {
	n := NewAccount{Username: "wei", Password: "four winter wiper blades", Name: "陳偉", Roles: []staff.Role{staff.Advisor}}
	change(&n)
	return n
}

func TestWhoMayCreateWhom(t *testing.T) {
	h := newHouse(t)
	as := func(chain bool, roles ...staff.Role) Principal {
		return Principal{StoreID: "main", Roles: roles, ChainWide: chain}
	}
	for name, tc := range map[string]struct {
		by     Principal
		change func(*NewAccount)
		want   domain.Code
	}{
		"supervisor an advisor":     {as(false, staff.Supervisor), func(n *NewAccount) { n.Username = "a1" }, ""},
		"supervisor an admin":       {as(false, staff.Supervisor), func(n *NewAccount) { n.Roles = []staff.Role{staff.Admin} }, staff.CodeRoleNotGrantable},
		"advisor an advisor":        {as(false, staff.Advisor), func(*NewAccount) {}, staff.CodeRoleNotGrantable},
		"admin a chain-wide admin":  {as(false, staff.Admin), func(n *NewAccount) { n.ChainWide = true }, staff.CodeRoleNotGrantable},
		"chain admin a chain admin": {as(true, staff.Admin), func(n *NewAccount) { n.Username, n.ChainWide = "a2", true }, ""},
		"admin in another store":    {as(false, staff.Admin), func(n *NewAccount) { n.StoreID = "north" }, domain.CodeNotFound},
		"chain admin elsewhere":     {as(true, staff.Admin), func(n *NewAccount) { n.StoreID = "north" }, ""},
		"weak password":             {as(true, staff.Admin), func(n *NewAccount) { n.Password = "password123" }, staff.CodePasswordWeak},
		"no roles":                  {as(true, staff.Admin), func(n *NewAccount) { n.Roles = nil }, domain.CodeInvalid},
		"no UUID":                   {as(true, staff.Admin), func(n *NewAccount) { n.ID = "../x" }, domain.CodeInvalid},
		"name in use":               {as(true, staff.Admin), func(n *NewAccount) { n.Username = "MEI" }, staff.CodeUsernameTaken},
	} {
		t.Run(name, func(t *testing.T) {
			_, created, err := h.CreateAccount(t.Context(), tc.by, advisor(tc.change))
			wantCode(t, err, tc.want)
			if created != (tc.want == "") {
				t.Errorf("created %v", created)
			}
		})
	}
}

func TestCreatingTwiceIsCreatingOnce(t *testing.T) {
	h := newHouse(t)
	n := advisor(func(n *NewAccount) { n.ID = domain.NewID() })
	first := h.create(t, n)
	again, created, err := h.CreateAccount(t.Context(), h.root, n)
	if err != nil || created || again.Value.ID != first.ID || again.Version != 1 {
		t.Fatalf("%+v, %v, %v", again.Value, created, err)
	}
	for name, change := range map[string]func(*NewAccount){
		"name":     func(n *NewAccount) { n.Name = "else" },
		"roles":    func(n *NewAccount) { n.Roles = []staff.Role{staff.Gate} },
		"password": func(n *NewAccount) { n.Password = "five winter wiper blades" },
	} {
		other := n
		change(&other)
		if _, _, err := h.CreateAccount(t.Context(), h.root, other); code(err) != domain.CodeIDTaken {
			t.Errorf("another %s: %v", name, err)
		}
	}
}

func TestOfManyWhoWantAUserNameOneGetsIt(t *testing.T) {
	h := newHouse(t)
	const n = 6
	results := make(chan error, n)
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			_, _, err := h.CreateAccount(context.Background(), h.root, advisor(func(*NewAccount) {}))
			results <- err
		})
	}
	wg.Wait()
	close(results)
	won := 0
	for err := range results {
		if err == nil {
			won++
		} else if c := code(err); c != staff.CodeUsernameTaken && c != domain.CodeIDTaken {
			t.Error(err)
		}
	}
	if won == 0 {
		t.Error("nobody got it")
	}
	page, err := h.accounts.FindValues(t.Context(), storage.Query{Key: "username", Equal: "main/wei", Limit: 10})
	if err != nil || len(page.Items) != 1 {
		t.Fatalf("%d accounts bear the name (%v)", len(page.Items), err)
	}
}

func TestANameReservedByACrashIsTakenOver(t *testing.T) {
	h := newHouse(t)
	crashed := staff.Username{StoreID: "main", Username: "wei", AccountID: domain.NewID(), CreatedAt: domain.At(h.clock.now())}
	if _, err := h.usernames.Insert(t.Context(), crashed); err != nil {
		t.Fatal(err)
	}
	own := advisor(func(n *NewAccount) { n.ID = domain.NewID() })
	_, _, err := h.CreateAccount(t.Context(), h.root, own)
	wantCode(t, err, staff.CodeUsernameTaken)

	if same := h.create(t, advisor(func(n *NewAccount) { n.Username = "ｗｅｉ" })); same.ID != crashed.AccountID {
		t.Errorf("without an id of its own the account is %s, not %s", same.ID, crashed.AccountID)
	}

	crashed.Username, own.Username = "li", "li"
	if _, err := h.usernames.Insert(t.Context(), crashed); err != nil {
		t.Fatal(err)
	}
	if _, err := h.usernames.Get(t.Context(), "main/li"); err != nil {
		t.Fatal(err)
	}
	h.clock.add(voidAfter)
	if _, _, err := h.CreateAccount(t.Context(), h.root, advisor(func(n *NewAccount) { n.ID, n.Username = own.ID, "li" })); err == nil {
		t.Error("a name whose account did come was taken over")
	}
}

func TestAVoidReservationFreesTheName(t *testing.T) {
	h := newHouse(t)
	crashed := staff.Username{StoreID: "main", Username: "wei", AccountID: domain.NewID(), CreatedAt: domain.At(h.clock.now())}
	if _, err := h.usernames.Insert(t.Context(), crashed); err != nil {
		t.Fatal(err)
	}
	h.clock.add(voidAfter)
	own := advisor(func(n *NewAccount) { n.ID = domain.NewID() })
	if made := h.create(t, own); made.ID != own.ID {
		t.Fatalf("made %s, want %s", made.ID, own.ID)
	}
	if _, err := h.Login(t.Context(), LoginRequest{Store: "main", Username: "wei", Password: own.Password}); err != nil {
		t.Fatal(err)
	}
}

func TestWhoMayChangeWhom(t *testing.T) {
	h := newHouse(t)
	boss := Principal{StoreID: "main", Roles: []staff.Role{staff.Supervisor}}
	for name, tc := range map[string]struct {
		by    Principal
		store string
		id    string
		c     AccountChange
		want  domain.Code
	}{
		"a supervisor renames":              {boss, "main", h.mei.ID, AccountChange{Name: new("林美玲")}, ""},
		"a supervisor grants admin":         {boss, "main", h.mei.ID, AccountChange{Roles: []staff.Role{staff.Admin}}, staff.CodeRoleNotGrantable},
		"a supervisor makes chain-wide":     {boss, "main", h.mei.ID, AccountChange{ChainWide: new(true)}, staff.CodeRoleNotGrantable},
		"a supervisor disables an admin":    {boss, "main", h.root.AccountID, AccountChange{Disabled: new(true)}, staff.CodeRoleNotGrantable},
		"a supervisor resets an admin":      {boss, "main", h.root.AccountID, AccountChange{Password: new("mine from now on!")}, staff.CodeRoleNotGrantable},
		"an advisor":                        {Principal{StoreID: "main", Roles: []staff.Role{staff.Advisor}}, "main", h.mei.ID, AccountChange{Name: new("x")}, staff.CodeRoleNotGrantable},
		"another store's supervisor":        {Principal{StoreID: "north", Roles: boss.Roles}, "main", h.mei.ID, AccountChange{Name: new("x")}, domain.CodeNotFound},
		"nobody there":                      {boss, "main", domain.NewID(), AccountChange{Name: new("x")}, domain.CodeNotFound},
		"no id":                             {boss, "main", "x/../y", AccountChange{Name: new("x")}, domain.CodeNotFound},
		"a wrong value":                     {boss, "main", h.mei.ID, AccountChange{Language: new("tlh")}, domain.CodeInvalid},
		"a weak password":                   {boss, "main", h.mei.ID, AccountChange{Password: new("mei")}, staff.CodePasswordWeak},
		"the last admin disables himself":   {h.root, "main", h.root.AccountID, AccountChange{Disabled: new(true)}, staff.CodeLastAdmin},
		"the last admin loses the role":     {h.root, "main", h.root.AccountID, AccountChange{Roles: []staff.Role{staff.Gate}}, staff.CodeLastAdmin},
		"the last chain admin steps down":   {h.root, "main", h.root.AccountID, AccountChange{ChainWide: new(false)}, staff.CodeLastAdmin},
		"the last admin takes another name": {h.root, "main", h.root.AccountID, AccountChange{Name: new("Root")}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := h.UpdateAccount(t.Context(), tc.by, tc.store, tc.id, tc.c)
			wantCode(t, err, tc.want)
		})
	}
}

func TestARefusedChangeChangesNothing(t *testing.T) {
	h := newHouse(t)
	g := h.login(t, "admin", rootPassword)
	before, err := h.accounts.Get(t.Context(), "main/"+h.root.AccountID)
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.UpdateAccount(t.Context(), h.root, "main", h.root.AccountID, AccountChange{Disabled: new(true)})
	wantCode(t, err, staff.CodeLastAdmin)
	after, err := h.accounts.Get(t.Context(), "main/"+h.root.AccountID)
	if err != nil || after.Version != before.Version {
		t.Fatalf("version %d became %d (%v)", before.Version, after.Version, err)
	}
	h.verified(t, g.AccessToken)
}

func TestTwoAdminsCannotDisableOneAnotherAtOnce(t *testing.T) {
	h := newHouse(t)
	other := h.create(t, advisor(func(n *NewAccount) { n.Roles, n.ChainWide = []staff.Role{staff.Admin}, true }))
	for range 5 {
		var wg sync.WaitGroup
		for _, id := range []string{h.root.AccountID, other.ID} {
			wg.Go(func() {
				_, err := h.UpdateAccount(context.Background(), h.root, "main", id, AccountChange{Disabled: new(true)})
				if err != nil && code(err) != staff.CodeLastAdmin {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		page, err := h.accounts.FindValues(t.Context(), storage.Query{Key: "admin", Equal: chainAdmin, Limit: 2})
		if err != nil || len(page.Items) == 0 {
			t.Fatalf("%d admins are left (%v)", len(page.Items), err)
		}
		for _, id := range []string{h.root.AccountID, other.ID} {
			if _, err := h.UpdateAccount(t.Context(), h.root, "main", id, AccountChange{Disabled: new(false)}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestAPreconditionIsAskedInTheSameReplace(t *testing.T) {
	h := newHouse(t)
	stale := errors.New("stale")
	c := AccountChange{Name: new("林美玲"), If: func(a staff.Account) error {
		if a.Revision != 1 {
			return stale
		}
		return nil
	}}
	saved, err := h.UpdateAccount(t.Context(), h.root, "main", h.mei.ID, c)
	if err != nil || saved.Value.Revision != 2 {
		t.Fatalf("revision %d, %v", saved.Value.Revision, err)
	}
	c.Name = new("again")
	if _, err := h.UpdateAccount(t.Context(), h.root, "main", h.mei.ID, c); !errors.Is(err, stale) {
		t.Fatalf("got %v", err)
	}
}

func TestSayingTheSameAgainWritesNothing(t *testing.T) {
	h := newHouse(t)
	saved, err := h.UpdateAccount(t.Context(), h.root, "main", h.mei.ID, AccountChange{Name: new("林美"), Disabled: new(false)})
	if err != nil || saved.Version != 1 || saved.Value.Revision != 1 {
		t.Fatalf("version %d, revision %d, %v", saved.Version, saved.Value.Revision, err)
	}
}

func TestAccountsAreListedByStoreAndName(t *testing.T) {
	h := newHouse(t)
	for _, name := range []string{"wei", "an", "bo"} {
		h.create(t, advisor(func(n *NewAccount) { n.Username = name }))
	}
	h.create(t, advisor(func(n *NewAccount) { n.StoreID = "main2" }))
	first, err := h.Accounts(t.Context(), h.root, "main", 3, "")
	if err != nil || len(first.Items) != 3 || first.Next == "" {
		t.Fatalf("%d items, %v", len(first.Items), err)
	}
	rest, err := h.Accounts(t.Context(), h.root, "main", 3, first.Next)
	if err != nil || len(rest.Items) != 2 || rest.Next != "" {
		t.Fatalf("%d items, %v", len(rest.Items), err)
	}
	if _, err := h.Accounts(t.Context(), Principal{StoreID: "main"}, "main2", 3, ""); code(err) != domain.CodeNotFound {
		t.Errorf("another store's: %v", err)
	}
	if _, err := h.Accounts(t.Context(), h.root, "main", 3, "nonsense"); !errors.Is(err, storage.ErrCursor) {
		t.Errorf("a cursor of nobody's: %v", err)
	}
}

func TestChangingThePasswordSignsOutTheOthers(t *testing.T) {
	h := newHouse(t)
	elsewhere := replica(t, h.engine, h.clock)
	mine, other := h.login(t, "mei", meiPassword), h.login(t, "mei", meiPassword)
	p := h.verified(t, mine.AccessToken)
	if _, err := elsewhere.Verify(t.Context(), mine.AccessToken); err != nil {
		t.Fatal(err)
	}
	_, err := elsewhere.Verify(t.Context(), other.AccessToken)
	wantCode(t, err, "")

	wantCode(t, h.ChangePassword(t.Context(), p, "not it at all", "eight new floor mats"), CodeCredentialsWrong)
	wantCode(t, h.ChangePassword(t.Context(), p, meiPassword, "short"), staff.CodePasswordWeak)
	if err := h.ChangePassword(t.Context(), p, meiPassword, "eight new floor mats"); err != nil {
		t.Fatal(err)
	}

	h.verified(t, mine.AccessToken)
	_, err = h.Verify(t.Context(), other.AccessToken)
	wantCode(t, err, CodeSessionRevoked)
	_, err = h.Refresh(t.Context(), other.RefreshToken)
	wantCode(t, err, CodeSessionRevoked)
	h.clock.add(5 * time.Second)
	if _, err := elsewhere.Verify(t.Context(), mine.AccessToken); err != nil {
		t.Errorf("elsewhere, mine: %v", err)
	}
	_, err = elsewhere.Verify(t.Context(), other.AccessToken)
	wantCode(t, err, CodeSessionRevoked)
	h.refreshed(t, mine.RefreshToken)
	h.login(t, "mei", "eight new floor mats")
}

func TestGuessingTheCurrentPasswordIsThrottled(t *testing.T) {
	h := newHouse(t)
	p := h.verified(t, h.login(t, "mei", meiPassword).AccessToken)
	var err error
	for range freeFailures + 2 {
		err = h.ChangePassword(t.Context(), p, "not it at all", "eight new floor mats")
	}
	wantCode(t, err, CodeThrottled)
}
