package demodata

import (
	"context"
	"encoding/base64"
	"errors"
	"image/png"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"example.com/walkaround/api"
	"example.com/walkaround/domain/staff"
	"example.com/walkaround/domain/vehicle"
	"example.com/walkaround/domain/visit"
	"example.com/walkaround/storage/open"
)

// folder is a data folder, opened.
func folder(t *testing.T, at string) api.Config {
	t.Helper()
	engine, blobs, err := open.Open(t.Context(), open.Config{Folder: at, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(engine.Close(), blobs.Close()); err != nil {
			t.Error(err)
		}
	})
	return api.Config{
		Engine: engine, Blobs: blobs, Secret: []byte(strings.Repeat("s", 32)), PublicURL: "http://127.0.0.1:8080", Now: time.Now,
		Log: slog.New(slog.DiscardHandler), Version: "test",
	}
}

// reader asks a server on the seeded folder with the real clock.
func reader(t *testing.T, c api.Config) *teller {
	t.Helper()
	s, err := api.New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(context.WithoutCancel(t.Context())) })
	now := time.Now()
	return &teller{ctx: t.Context(), client: &http.Client{Transport: inProcess{s.Handler()}}, now: now, at: now, tokens: map[string]token{}}
}

func TestSeedTellsTheWholeStory(t *testing.T) {
	c := folder(t, t.TempDir())
	var said []string
	if err := Seed(t.Context(), c, func(line string) { said = append(said, line) }); err != nil {
		t.Fatal(err)
	}
	if len(said) != 1 {
		t.Errorf("it says %q", said)
	}
	r := reader(t, c)
	t.Run("everybody signs in", func(t *testing.T) { everybody(t, r) })
	t.Run("visits stand at each step", func(t *testing.T) { everyStep(t, r) })
	t.Run("the ledger has history", func(t *testing.T) { history(t, r) })
	t.Run("a revision waits", func(t *testing.T) { revisions(t, r) })
	t.Run("a second start adds nothing", func(t *testing.T) { again(t, r, c) })
}

func everybody(t *testing.T, r *teller) {
	t.Helper()
	roles := map[staff.Role]bool{}
	for _, a := range Accounts() {
		var me api.StaffMember
		if err := r.read(a.Username, "/v1/me", &me); err != nil || me.Name != a.Name {
			t.Errorf("%s: %q %v", a.Username, me.Name, err)
		}
		roles[a.Role] = true
	}
	for _, role := range staff.Roles() {
		if !roles[role] {
			t.Errorf("nobody is %s", role)
		}
	}
}

func visits(t *testing.T, r *teller) api.VisitList {
	t.Helper()
	var list api.VisitList
	if err := r.read("mei", "/v1/visits", &list); err != nil {
		t.Fatal(err)
	}
	return list
}

func everyStep(t *testing.T, r *teller) {
	t.Helper()
	list, seen := visits(t, r), map[string]int{}
	if len(list.Items) != len(stays()) {
		t.Errorf("%d visits, want %d", len(list.Items), len(stays()))
	}
	for _, v := range list.Items {
		seen[string(v.State)]++
		count(seen, "waiting", v.Waiting)
		count(seen, "over the limit", v.OverLimit)
		count(seen, "by the gate", v.AnnouncedBy != nil)
		count(seen, "ready to sign", v.State == visit.Arrived && v.MissingCount == 0)
		if len(v.Model) > 0 && v.HasWarnings {
			t.Errorf("%s has warnings", v.Plate)
		}
	}
	for what, least := range map[string]int{
		"arrived": 8, "inspected": 5, "cancelled": 1, "waiting": 4, "over the limit": 1, "by the gate": 1, "ready to sign": 1,
	} {
		if seen[what] < least {
			t.Errorf("%s: %d, want at least %d", what, seen[what], least)
		}
	}
}

func count(seen map[string]int, what string, is bool) {
	if is {
		seen[what]++
	}
}

func history(t *testing.T, r *teller) {
	t.Helper()
	var v visit.Visit
	var damage api.DamageList
	err := r.read("mei", "/v1/visits/"+visitID("accord"), &v)
	if err == nil {
		err = r.read("mei", "/v1/vehicles/"+v.VehicleID+"/damage", &damage)
	}
	if len(damage.Items) != 3 {
		t.Fatalf("%d marks (%v)", len(damage.Items), err)
	}
	if first := damage.Items[0]; len(first.History) != 2 || first.Change != vehicle.ChangeWorse || first.FirstSeenAt.Equal(first.LastSeenAt.Time) {
		t.Errorf("%+v", first)
	}
}

func revisions(t *testing.T, r *teller) {
	t.Helper()
	for name, want := range map[string]struct {
		signatures int
		frozen     bool
	}{"byd": {2, true}, "camry": {1, false}, "accord": {1, true}} {
		var v visit.Visit
		if err := r.read("mei", "/v1/visits/"+visitID(name), &v); err != nil {
			t.Fatal(err)
		}
		if len(v.Signatures) != want.signatures || v.Sections.Inspection.Frozen != want.frozen {
			t.Errorf("%s: %d signatures, frozen %v", name, len(v.Signatures), v.Sections.Inspection.Frozen)
		}
	}
}

func again(t *testing.T, r *teller, c api.Config) {
	t.Helper()
	err := Seed(t.Context(), c, func(line string) { t.Errorf("it says %q", line) })
	if err != nil || len(visits(t, r).Items) != len(stays()) {
		t.Errorf("%d visits: %v", len(visits(t, r).Items), err)
	}
}

func TestSeedLeavesARealStoreAlone(t *testing.T) {
	c := folder(t, t.TempDir())
	s, err := api.New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.EnsureFirst(t.Context(), "a-password-of-theirs"); err != nil {
		t.Fatal(err)
	}
	if err := Seed(t.Context(), c, func(string) {}); !errors.Is(err, ErrForeign) {
		t.Errorf("it says %v", err)
	}
}

func TestAStoryThatBrokeOffIsNotGoneOnWith(t *testing.T) {
	c := folder(t, t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	err := Seed(ctx, c, func(string) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if err := Seed(t.Context(), c, func(string) {}); !errors.Is(err, ErrUnfinished) {
		t.Errorf("it says %v", err)
	}
}

func TestCarsAreRealEnough(t *testing.T) {
	for _, s := range stays() {
		if code := vehicle.CheckVIN(s.car.vin, true); code != "" {
			t.Errorf("%s: %s: %s", s.name, s.car.vin, code)
		}
		if phone := s.who.Phone; phone != "" && !strings.HasPrefix(phone, "+86 138 0013 80") {
			t.Errorf("%s: %s might be somebody's number", s.name, phone)
		}
	}
}

func TestThingsHappenInOrder(t *testing.T) {
	steps := timeline(stays(), nil)
	for i, s := range steps {
		if i > 0 && s.ago > steps[i-1].ago || s.ago <= 0 || s.ago >= began {
			t.Errorf("%s of %s is %v before the end", s.what, s.of, s.ago)
		}
	}
}

func TestInkIsWhatItsStrokesSay(t *testing.T) {
	s, err := signature(7, 3)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(base64.NewDecoder(base64.StdEncoding, strings.NewReader(strings.TrimPrefix(s.image, "data:image/png;base64,"))))
	if err != nil {
		t.Fatal(err)
	}
	for _, points := range s.strokes {
		for _, p := range points {
			if _, _, _, alpha := img.At(int(p[0]), int(p[1])).RGBA(); alpha == 0 {
				t.Fatalf("no ink at %v", p)
			}
		}
	}
}
