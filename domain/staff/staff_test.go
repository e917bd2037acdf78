package staff_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/staff"
)

func account(change func(*staff.Account)) *staff.Account {
	a := &staff.Account{
		ID: "01902f6c-0000-7000-8000-000000000001", StoreID: "main", Username: "mei", Name: "林美",
		Roles: []staff.Role{staff.Advisor}, Language: "zh-Hant", Phone: "+86 138 0013 8000",
		CreatedAt: domain.At(time.Unix(1_700_000_000, 0)), PasswordHash: "$argon2id$…",
		PasswordChangedAt: domain.At(time.Unix(1_700_000_000, 0)),
	}
	change(a)
	a.Normalise()
	return a
}

func TestValidateNamesEachWrongValue(t *testing.T) {
	for name, tc := range map[string]struct {
		change  func(*staff.Account)
		pointer string
		code    domain.Code
	}{
		"sound":                  {func(*staff.Account) {}, "", ""},
		"Chinese user name":      {func(a *staff.Account) { a.Username = "林美" }, "", ""},
		"no id":                  {func(a *staff.Account) { a.ID = "1" }, "/id", domain.CodeMalformed},
		"no store":               {func(a *staff.Account) { a.StoreID = "" }, "/store_id", domain.CodeRequired},
		"no user name":           {func(a *staff.Account) { a.Username = "  " }, "/username", domain.CodeRequired},
		"long user name":         {func(a *staff.Account) { a.Username = strings.Repeat("a", 65) }, "/username", domain.CodeTooLong},
		"slash in user name":     {func(a *staff.Account) { a.Username = "a/b" }, "/username", domain.CodeMalformed},
		"space in user name":     {func(a *staff.Account) { a.Username = "a b" }, "/username", domain.CodeMalformed},
		"Cyrillic look-alike":    {func(a *staff.Account) { a.Username = "mеi" }, "/username", domain.CodeMalformed},
		"compatibility ideogram": {func(a *staff.Account) { a.Username = "\uf9f4" }, "/username", domain.CodeMalformed},
		"no name":                {func(a *staff.Account) { a.Name = "" }, "/name", domain.CodeRequired},
		"long name":              {func(a *staff.Account) { a.Name = strings.Repeat("林", 81) }, "/name", domain.CodeTooLong},
		"name of two lines":      {func(a *staff.Account) { a.Name = "a\nb" }, "/name", domain.CodeMalformed},
		"no role":                {func(a *staff.Account) { a.Roles = nil }, "/roles", domain.CodeRequired},
		"unknown role":           {func(a *staff.Account) { a.Roles = []staff.Role{"boss"} }, "/roles", domain.CodeUnknown},
		"letters in phone":       {func(a *staff.Account) { a.Phone = "call me" }, "/phone", domain.CodeMalformed},
		"long phone":             {func(a *staff.Account) { a.Phone = strings.Repeat("1", 33) }, "/phone", domain.CodeTooLong},
		"unknown language":       {func(a *staff.Account) { a.Language = "fr" }, "/language", domain.CodeUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			err := account(tc.change).Validate()
			if tc.code == "" {
				if err != nil {
					t.Fatalf("refused: %v", err)
				}
				return
			}
			var refusal *domain.Error
			if !errors.As(err, &refusal) || !slices.ContainsFunc(refusal.Fields, func(f domain.Field) bool {
				return f.Pointer == tc.pointer && f.Code == tc.code
			}) {
				t.Fatalf("got %+v, want %s at %s", err, tc.code, tc.pointer)
			}
		})
	}
}

func TestValidateListsAllFaultsAtOnce(t *testing.T) {
	err := account(func(a *staff.Account) { a.Username, a.Name, a.Roles = "", "", nil }).Validate()
	var refusal *domain.Error
	if !errors.As(err, &refusal) || len(refusal.Fields) != 3 {
		t.Fatalf("got %+v, want three fields", err)
	}
}

func TestNormaliseUsername(t *testing.T) {
	for in, want := range map[string]string{" Mei ": "mei", "ＭＥＩ．１": "mei.1", "mei＠main": "mei@main", "林美": "林美"} {
		if got := staff.NormaliseUsername(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

func TestNormaliseOrdersRolesEachOnce(t *testing.T) {
	given := []staff.Role{staff.Cashier, staff.Advisor, staff.Cashier}
	a := account(func(a *staff.Account) { a.Roles = given })
	if !slices.Equal(a.Roles, []staff.Role{staff.Advisor, staff.Cashier}) || given[0] != staff.Cashier {
		t.Fatalf("got %v; given became %v", a.Roles, given)
	}
}

func TestTheHashIsStoredAndNeverShown(t *testing.T) {
	a := account(func(*staff.Account) {})
	shown, err := json.Marshal(a)
	if err != nil || strings.Contains(string(shown), "argon2") {
		t.Fatalf("shown as %s (%v)", shown, err)
	}
	stored, err := bson.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	var back staff.Account
	if err := bson.Unmarshal(stored, &back); err != nil || back.PasswordHash != a.PasswordHash || back.CreatedAt != a.CreatedAt {
		t.Fatalf("came back as %+v (%v)", back, err)
	}
}

func TestReservationIsOneAStoreAndName(t *testing.T) {
	one := staff.Username{StoreID: "main", Username: "mei"}
	two := staff.Username{StoreID: "north", Username: "mei"}
	if one.ID() != "main/mei" || one.ID() == two.ID() {
		t.Fatalf("ids %q and %q", one.ID(), two.ID())
	}
}

func TestMayGrant(t *testing.T) {
	for _, tc := range []struct {
		grantor, target staff.Role
		may             bool
	}{
		{staff.Admin, staff.Admin, true},
		{staff.Admin, staff.Supervisor, true},
		{staff.Admin, staff.Gate, true},
		{staff.Supervisor, staff.Admin, false},
		{staff.Supervisor, staff.Supervisor, true},
		{staff.Supervisor, staff.Cashier, true},
		{staff.Advisor, staff.Advisor, false},
		{staff.Advisor, staff.Gate, false},
		{staff.Gate, staff.Gate, false},
		{staff.Technician, staff.Gate, false},
		{staff.Cashier, staff.Gate, false},
		{staff.FollowUp, staff.Admin, false},
	} {
		if staff.MayGrant([]staff.Role{tc.grantor}, []staff.Role{tc.target}) != tc.may {
			t.Errorf("%s granting %s: want %v", tc.grantor, tc.target, tc.may)
		}
	}
	if staff.MayGrant([]staff.Role{staff.Supervisor}, []staff.Role{staff.Advisor, staff.Admin}) {
		t.Error("a supervisor granted admin among other roles")
	}
	if staff.MayGrant(nil, nil) {
		t.Error("somebody without a role granted none")
	}
}

func TestMayManageKeepsChainWideAccountsToChainWideAdmins(t *testing.T) {
	chain := account(func(a *staff.Account) { a.ChainWide = true })
	for _, tc := range []struct {
		by  staff.Actor
		may bool
	}{
		{staff.Actor{Roles: []staff.Role{staff.Admin}, ChainWide: true}, true},
		{staff.Actor{Roles: []staff.Role{staff.Admin}}, false},
		{staff.Actor{Roles: []staff.Role{staff.Supervisor}, ChainWide: true}, false},
	} {
		err := staff.MayManage(tc.by, chain)
		var refusal *domain.Error
		if (err == nil) != tc.may || err != nil && (!errors.As(err, &refusal) || refusal.Code != staff.CodeRoleNotGrantable) {
			t.Errorf("%+v: %v", tc.by, err)
		}
	}
	if err := staff.MayManage(staff.Actor{Roles: []staff.Role{staff.Supervisor}}, account(func(*staff.Account) {})); err != nil {
		t.Errorf("a supervisor on an advisor: %v", err)
	}
}

// TestWhoMay is DESIGN section 4, "Who may", written out: A advisor, T technician, C cashier, F follow_up, S supervisor,
// X admin, G gate.
func TestWhoMay(t *testing.T) {
	letters := map[staff.Role]string{
		staff.Advisor: "A", staff.Technician: "T", staff.Cashier: "C", staff.FollowUp: "F", staff.Supervisor: "S", staff.Admin: "X", staff.Gate: "G",
	}
	want := map[staff.Area]string{
		staff.AreaAccount: "ATCFSXG", staff.AreaAnnounce: "ATCFSXG", staff.AreaReadVisits: "ATCFSX", staff.AreaCapture: "ATCFSX",
		staff.AreaEstimate: "AS", staff.AreaPrices: "ASX", staff.AreaJobs: "TS", staff.AreaPayments: "CS", staff.AreaCustomers: "FS",
		staff.AreaOwnCustomers: "AFS", staff.AreaBusiness: "SX", staff.AreaTemplates: "SX", staff.AreaManageStaff: "SX",
		staff.AreaManageStore: "SX", staff.AreaAdministration: "X", staff.AreaSupervise: "S",
	}
	for _, area := range staff.Areas() {
		got := ""
		for _, role := range staff.Roles() {
			if staff.Allows([]staff.Role{role}, area) {
				got += letters[role]
			}
		}
		if got != want[area] {
			t.Errorf("%s is open to %q, want %q", area, got, want[area])
		}
	}
	if len(want) != len(staff.Areas()) {
		t.Errorf("%d areas are expected, %d exist", len(want), len(staff.Areas()))
	}
	if staff.Allows(staff.Roles(), "unheard_of") {
		t.Error("an unknown area was open")
	}
}

func TestTheReceiverEstimatesAndSeesPricesOfHisVisit(t *testing.T) {
	for _, tc := range []struct {
		role     staff.Role
		area     staff.Area
		received bool
		may      bool
	}{
		{staff.Technician, staff.AreaPrices, true, true},
		{staff.Technician, staff.AreaPrices, false, false},
		{staff.Cashier, staff.AreaEstimate, true, true},
		{staff.Cashier, staff.AreaJobs, true, false},
		{staff.Gate, staff.AreaEstimate, true, false},
		{staff.Advisor, staff.AreaEstimate, false, true},
	} {
		if staff.AllowsReceiver([]staff.Role{tc.role}, tc.area, tc.received) != tc.may {
			t.Errorf("%+v", tc)
		}
	}
}

func TestCheckPassword(t *testing.T) {
	for password, good := range map[string]bool{
		"correct horse":            true,
		"洗車場的藍色水桶十二":               true,
		"short-one":                false,
		strings.Repeat("ab1!", 33): false,
		"mei.lin.2024":             false, // the user name below
		"MEI.LIN.2024":             false,
		"password123":              false,
		"Password123":              false,
		"1qaz2wsx3edc":             false,
		"aaaaaaaaaaaa":             false,
		"121212121212":             false,
		"woaini1314":               false,
		"123456789 walkaround":     true,
	} {
		err := staff.CheckPassword(password, "mei.lin.2024")
		var refusal *domain.Error
		if (err == nil) != good || err != nil && (!errors.As(err, &refusal) || refusal.Code != staff.CodePasswordWeak) {
			t.Errorf("%q: %v", password, err)
		}
	}
}

func TestApplyCountsWhatMustFollow(t *testing.T) {
	for name, tc := range map[string]struct {
		change                    func(*staff.Account)
		revision, token, sessions int64
	}{
		"nothing":        {func(*staff.Account) {}, 0, 0, 0},
		"the same roles": {func(a *staff.Account) { a.Roles = []staff.Role{staff.Advisor, staff.Advisor} }, 0, 0, 0},
		"another name":   {func(a *staff.Account) { a.Name = "林美玲" }, 1, 0, 0},
		"another role":   {func(a *staff.Account) { a.Roles = []staff.Role{staff.Cashier} }, 1, 1, 0},
		"chain-wide":     {func(a *staff.Account) { a.ChainWide = true }, 1, 1, 0},
		"disabled":       {func(a *staff.Account) { a.Disabled = true }, 1, 0, 1},
		"new password":   {func(a *staff.Account) { a.PasswordHash = "$argon2id$other" }, 1, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			a := account(func(*staff.Account) {})
			if changed := a.Apply(tc.change); changed != (tc.revision > 0) {
				t.Errorf("said changed: %v", changed)
			}
			if a.Revision != tc.revision || a.TokenEpoch != tc.token || a.SessionEpoch != tc.sessions {
				t.Errorf("counters %d %d %d", a.Revision, a.TokenEpoch, a.SessionEpoch)
			}
		})
	}
}

func TestEnablingAgainResurrectsNothing(t *testing.T) {
	a := account(func(*staff.Account) {})
	a.Apply(func(a *staff.Account) { a.Disabled = true })
	ended := a.SessionEpoch
	a.Apply(func(a *staff.Account) { a.Disabled = false })
	if a.SessionEpoch < ended || a.IsAdmin() {
		t.Fatalf("epoch fell from %d to %d", ended, a.SessionEpoch)
	}
}
