package store_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/store"
)

var now = domain.At(time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC))

func later(hours int) domain.Time { return domain.At(now.Add(time.Duration(hours) * time.Hour)) }

// faults lists the pointers and codes of a refused value.
func faults(err error) string {
	var refused *domain.Error
	if !errors.As(err, &refused) {
		return ""
	}
	var all []string
	for _, f := range refused.Fields {
		all = append(all, f.Pointer+" "+string(f.Code))
	}
	return strings.Join(all, ", ")
}

func TestNewStorePassesItsOwnCheck(t *testing.T) {
	s := store.New("main", "得佳店", now)
	if err := s.Check(); err != nil {
		t.Error(err)
	}
	if s.WaitingLimitMinutes != 10 || s.Market != "CN" || s.Language != domain.ZhHant || len(s.Languages) != 3 || s.Revision != 1 {
		t.Errorf("%+v", s)
	}
}

func TestCheckNamesWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		want  string
		spoil func(*store.Store)
	}{
		{"", func(s *store.Store) { s.ID = strings.Repeat("a", 32) }},
		{"", func(s *store.Store) { s.Market, s.TimeZone, s.Currency = "TW", "Asia/Taipei", "TWD" }},
		{"", func(s *store.Store) { s.Names = map[domain.Language]string{domain.English: "Dejia"} }},
		{"/id malformed", func(s *store.Store) { s.ID = "" }},
		{"/id malformed", func(s *store.Store) { s.ID = strings.Repeat("a", 33) }},
		{"/id malformed", func(s *store.Store) { s.ID = "a/b" }},
		{"/id malformed", func(s *store.Store) { s.ID = "Main" }},
		{"/id malformed", func(s *store.Store) { s.ID = "-a" }},
		{"/name required", func(s *store.Store) { s.Name = "  " }},
		{"/name too_long", func(s *store.Store) { s.Name = strings.Repeat("店", 81) }},
		{"/names/en too_long", func(s *store.Store) { s.Names = map[domain.Language]string{domain.English: strings.Repeat("x", 81)} }},
		{"/names unknown", func(s *store.Store) { s.Names = map[domain.Language]string{"fr": "x"} }},
		{"/address too_long", func(s *store.Store) { s.Address = strings.Repeat("x", 301) }},
		{"/phone too_long", func(s *store.Store) { s.Phone = strings.Repeat("1", 41) }},
		{"/market malformed", func(s *store.Store) { s.Market = "China" }},
		{"/currency malformed", func(s *store.Store) { s.Currency = "元" }},
		{"/time_zone unknown", func(s *store.Store) { s.TimeZone = "Asia/Nowhere" }},
		{"/time_zone unknown", func(s *store.Store) { s.TimeZone = "" }},
		{"/time_zone unknown", func(s *store.Store) { s.TimeZone = "Local" }},
		{"/time_zone unknown", func(s *store.Store) { s.TimeZone = "../../etc/passwd" }},
		{"/waiting_limit_minutes out_of_range", func(s *store.Store) { s.WaitingLimitMinutes = 0 }},
		{"/waiting_limit_minutes out_of_range", func(s *store.Store) { s.WaitingLimitMinutes = 1441 }},
		{"/languages required, /language unknown", func(s *store.Store) { s.Languages = nil }},
		{"/languages unknown", func(s *store.Store) { s.Languages = append(s.Languages, "fr") }},
		{"/languages/3 duplicate", func(s *store.Store) { s.Languages = append(s.Languages, domain.English) }},
		{"/language unknown", func(s *store.Store) { s.Languages = []domain.Language{domain.English} }},
	} {
		s := store.New("main", "得佳店", now)
		c.spoil(&s)
		if got := faults(s.Check()); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestLocalDayIsThatOfTheStore(t *testing.T) {
	for _, c := range []struct{ zone, at, want string }{
		{"Asia/Shanghai", "2026-11-23T15:59:59Z", "20261123"},
		{"Asia/Shanghai", "2026-11-23T16:00:00Z", "20261124"},
		{"America/New_York", "2026-11-23T04:59:59Z", "20261122"},
		{"America/New_York", "2026-07-01T04:00:00Z", "20260701"},
		{"UTC", "2026-12-31T23:59:59Z", "20261231"},
		{"Asia/Nowhere", "2026-11-23T23:00:00Z", "20261123"},
		{"Local", "2026-11-23T23:00:00Z", "20261123"},
	} {
		s := store.New("main", "x", now)
		s.TimeZone = c.zone
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.LocalDay(at); got != c.want {
			t.Errorf("%s in %s is %s, want %s", c.at, c.zone, got, c.want)
		}
		s.LoadZone()
		if got := s.LocalDay(at); got != c.want {
			t.Errorf("%s in %s, loaded, is %s, want %s", c.at, c.zone, got, c.want)
		}
	}
}

func TestLoadedZoneFollowsTheSetting(t *testing.T) {
	s := store.New("main", "x", now)
	s.LoadZone()
	zone := "America/New_York"
	if err := s.Apply(store.Patch{TimeZone: &zone}, now); err != nil {
		t.Fatal(err)
	}
	if got := s.LocalDay(now.Add(-5 * time.Hour)); got != "20261122" {
		t.Errorf("still the zone before: %s", got)
	}
}

func TestNameIn(t *testing.T) {
	s := store.New("main", "得佳店", now)
	s.Names = map[domain.Language]string{domain.English: "Dejia"}
	if s.NameIn(domain.English) != "Dejia" || s.NameIn(domain.ZhHans) != "得佳店" {
		t.Error(s.NameIn(domain.English), s.NameIn(domain.ZhHans))
	}
}

func TestPatchChangesWhatItNamesAlone(t *testing.T) {
	var p store.Patch
	body := `{"name":"北豐","names":{"en":"Beifeng"},"address":"a","phone":"1","market":"HK","time_zone":"Asia/Hong_Kong",
		"languages":["en","zh-Hant"],"language":"en","currency":"HKD","waiting_limit_minutes":5,"vin_check_digit":false}`
	if err := json.Unmarshal([]byte(body), &p); err != nil {
		t.Fatal(err)
	}
	s := store.New("main", "得佳店", now)
	if err := s.Apply(p, later(1)); err != nil {
		t.Fatal(err)
	}
	want := store.Store{
		ID: "main", Name: "北豐", Names: map[domain.Language]string{domain.English: "Beifeng"}, Address: "a", Phone: "1",
		Market: "HK", TimeZone: "Asia/Hong_Kong", Languages: []domain.Language{domain.English, domain.ZhHant}, Language: domain.English,
		Currency: "HKD", WaitingLimitMinutes: 5, Revision: 2, CreatedAt: now, UpdatedAt: later(1),
	}
	if !reflect.DeepEqual(s, want) {
		t.Errorf("%+v", s)
	}
	if err := s.Apply(store.Patch{}, later(2)); err != nil {
		t.Fatal(err)
	}
	want.Revision, want.UpdatedAt = 3, later(2)
	if !reflect.DeepEqual(s, want) {
		t.Errorf("an empty patch changed %+v", s)
	}
	zone := "Mars"
	if got := faults(s.Apply(store.Patch{TimeZone: &zone}, later(3))); got != "/time_zone unknown" || !reflect.DeepEqual(s, want) {
		t.Errorf("%q: %+v", got, s)
	}
}

func TestDocumentsSurviveStorageAndShowListsNotNull(t *testing.T) {
	phrases := store.NewPhrases("main")
	if err := phrases.Set(store.StepGreeting, domain.ZhHant, "早安！", now); err != nil {
		t.Fatal(err)
	}
	for _, doc := range []any{store.New("main", "得佳店", now), store.DefaultChecklist("main", now), phrases} {
		raw, err := bson.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		back := reflect.New(reflect.TypeOf(doc))
		if err := bson.Unmarshal(raw, back.Interface()); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(back.Elem().Interface(), doc) {
			t.Errorf("%+v\n%+v", back.Elem(), doc)
		}
		if shown, err := json.Marshal(doc); err != nil || strings.Contains(string(shown), "null") {
			t.Errorf("%s", shown)
		}
	}
}

func BenchmarkLocalDay(b *testing.B) {
	s := store.New("main", "x", now)
	for b.Loop() {
		s.LocalDay(now.Time)
	}
}
