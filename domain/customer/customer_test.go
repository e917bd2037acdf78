package customer_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/customer"
)

const personID = "01900000-0000-7000-8000-000000000002"

func day(n int) domain.Time {
	return domain.At(time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC).AddDate(0, 0, n))
}

func chen(phone string) customer.Customer {
	return customer.New(personID, "main", customer.Typed{Name: " 陳大文 ", Salutation: "先生", Phone: phone, Language: "zh-Hant"}, "CN", day(0))
}

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

func TestE164(t *testing.T) {
	for _, c := range []struct{ phone, region, want string }{
		{"13800138000", "CN", "+8613800138000"},
		{"138 0013 8000", "CN", "+8613800138000"},
		{"１３８－００１３－８０００", "CN", "+8613800138000"},
		{"+86 138 0013 8000", "TW", "+8613800138000"},
		{"0086 13800138000", "CN", "+8613800138000"},
		{"(020) 8333-3333", "CN", "+862083333333"},
		{"0912-345-678", "TW", "+886912345678"},
		{"(02) 2345-6789", "TW", "+886223456789"},
		{"9123 4567", "HK", "+85291234567"},
		{"(212) 555-2368", "US", "+12125552368"},
		{"+852 9123 4567", "", "+85291234567"},
		{"9123 4567", "CN", ""},
		{"1380013800", "CN", ""},
		{"13800138000", "", ""},
		{"13800138000", "ZZ", ""},
		{"not told", "CN", ""},
		{"", "CN", ""},
		{"+", "CN", ""},
		{strings.Repeat("1", 300), "CN", ""},
	} {
		got, ok := customer.E164(c.phone, c.region)
		if got != c.want || ok != (c.want != "") {
			t.Errorf("E164(%q, %s) = %q, %v, want %q", c.phone, c.region, got, ok, c.want)
		}
	}
}

func TestMatchKeyKnowsAPersonHoweverTyped(t *testing.T) {
	const phone = "+8613800138000"
	same := [][]string{
		{"陳大文", " 陳 大文 ", "陳\u3000大文", "陳\u200b大文"},
		{"Tai Man CHAN", "tai  man chan", "Ｔａｉ Man Chan\t"},
		{"", "  "},
	}
	seen := map[string]string{}
	for _, names := range same {
		key := customer.MatchKey(names[0], phone)
		if len(key) != 64 || seen[key] != "" {
			t.Errorf("key of %q: %q, also of %q", names[0], key, seen[key])
		}
		seen[key] = names[0]
		for _, name := range names {
			if customer.MatchKey(name, phone) != key {
				t.Errorf("%q and %q are two", name, names[0])
			}
		}
	}
	if customer.MatchKey("陳大文", phone) == customer.MatchKey("陳大文", "+8613800138001") {
		t.Error("two numbers are one person")
	}
	if customer.MatchKey("TaiMan Chan", phone) == customer.MatchKey("Tai Man Chan", phone) {
		t.Error("two names are one person")
	}
}

func TestNameAloneIsNotOnePerson(t *testing.T) {
	if key := customer.MatchKey("陳大文", ""); key != "" {
		t.Errorf("%q", key)
	}
	c := chen("unknown")
	if c.MatchKey() != "" || c.PhoneE164 != "" || c.Phone != "unknown" {
		t.Errorf("%+v", c)
	}
}

func TestNewKeepsWhatWasTyped(t *testing.T) {
	c := chen("138 0013 8000")
	if c.Name != "陳大文" || c.Phone != "138 0013 8000" || c.PhoneE164 != "+8613800138000" || c.Revision != 1 {
		t.Errorf("%+v", c)
	}
	if c.MatchKey() != customer.MatchKey("陳大文", "+8613800138000") {
		t.Error("another key than the function's")
	}
	if err := c.Check(); err != nil {
		t.Error(err)
	}
}

func TestTypedEmpty(t *testing.T) {
	for _, c := range []struct {
		typed customer.Typed
		want  bool
	}{
		{customer.Typed{Salutation: "先生", Name: " "}, true},
		{customer.Typed{Name: "陳"}, false},
		{customer.Typed{Phone: "1"}, false},
	} {
		if c.typed.Empty() != c.want {
			t.Errorf("%+v", c)
		}
	}
}

func TestCheckNamesWhatIsWrong(t *testing.T) {
	for want, spoil := range map[string]func(*customer.Customer){
		"/id malformed":        func(c *customer.Customer) { c.ID = "x" },
		"/name too_long":       func(c *customer.Customer) { c.Name = strings.Repeat("名", 81) },
		"/salutation too_long": func(c *customer.Customer) { c.Salutation = strings.Repeat("先", 21) },
		"/phone too_long":      func(c *customer.Customer) { c.Phone = strings.Repeat("1", 41) },
		"/language unknown":    func(c *customer.Customer) { c.Language = "fr" },
		"/name required":       func(c *customer.Customer) { c.Name, c.Phone = "", "" },
		"":                     func(c *customer.Customer) { c.Name, c.Language = "", "" },
	} {
		c := chen("13800138000")
		spoil(&c)
		if got := faults(c.Check()); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestArrivalNeverOverwrites(t *testing.T) {
	c := chen("13800138000")
	if !c.SeenAt("car1", day(2)) || c.Revision != 2 {
		t.Fatalf("%+v", c)
	}
	if c.SeenAt("car1", day(2)) || c.SeenAt("", day(1)) || c.Revision != 2 {
		t.Error("told again, it changed")
	}
	if !c.SeenAt("car2", day(-1)) || c.LastVisitAt != day(2) || c.FirstSeenAt != day(-1) {
		t.Errorf("an earlier visit: %+v", c)
	}
	want := chen("13800138000")
	want.VehicleIDs, want.LastVisitAt, want.FirstSeenAt, want.Revision = []string{"car1", "car2"}, day(2), day(-1), 3
	if !reflect.DeepEqual(c, want) {
		t.Errorf("%+v", c)
	}
}

func TestVehiclesAreLimited(t *testing.T) {
	c := chen("13800138000")
	for i := range 510 {
		c.SeenAt("car"+strconv.Itoa(i), day(i))
	}
	if len(c.VehicleIDs) != 500 || c.VehicleIDs[499] != "car509" {
		t.Errorf("%d vehicles", len(c.VehicleIDs))
	}
}

func TestPatch(t *testing.T) {
	c := chen("13800138000")
	phone, name, wrong := "9123 4567", " 陳小文 ", "fr"
	if err := c.Apply(customer.Patch{Phone: &phone}, "HK"); err != nil {
		t.Fatal(err)
	}
	if c.Phone != phone || c.PhoneE164 != "+85291234567" || c.Name != "陳大文" || c.Revision != 2 {
		t.Errorf("%+v", c)
	}
	key := c.MatchKey()
	if err := c.Apply(customer.Patch{Name: &name, Salutation: new(string)}, "CN"); err != nil {
		t.Fatal(err)
	}
	if c.Name != "陳小文" || c.Salutation != "" || c.PhoneE164 != "+85291234567" || c.MatchKey() == key {
		t.Errorf("%+v", c)
	}
	before := c
	if got := faults(c.Apply(customer.Patch{Name: new(string), Language: &wrong}, "CN")); got != "/language unknown" || !reflect.DeepEqual(c, before) {
		t.Errorf("%q: %+v", got, c)
	}
}

func TestPhoneKeys(t *testing.T) {
	for phone, want := range map[string][]string{
		"138 0013 8000": {"+8613800138000", "8000"},
		"內線 ５６７８９":      {"56789", "6789"},
		"110":           {"110"},
		"none":          nil,
		"":              nil,
	} {
		c := chen(phone)
		if got := c.PhoneKeys(); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", phone, got, want)
		}
	}
}

func TestPhoneEnding(t *testing.T) {
	for phone, want := range map[string]string{"138 0013 8000": "8000", "內線 ５６７８９": "6789", "110": "110", "none": "", "": ""} {
		c := chen(phone)
		if got := c.PhoneEnding(); got != want {
			t.Errorf("%q: %q, want %q", phone, got, want)
		}
	}
}

func TestNameKeys(t *testing.T) {
	for name, want := range map[string][]string{
		"陳 大文":                  {"陳大文"},
		"Tai Man CHAN":          {"tai man chan", "man", "chan"},
		"a b c d e f g h i j k": {"a b c d e f g h i j k", "b", "c", "d", "e", "f"},
		"陳大文 Peter":             {"陳大文peter"},
		"":                      nil,
		"\u200b":                nil,
	} {
		c := customer.Customer{Name: name}
		if got := c.NameKeys(); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func FuzzFoldName(f *testing.F) {
	for _, seed := range []string{"陳 大文", "Ｔａｉ Man", "ß ſ İ ı", "\xff 陳", "\u200f😀 a", "ǅ"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		once := customer.FoldName(name)
		if again := customer.FoldName(once); again != once {
			t.Errorf("%q became %q, then %q", name, once, again)
		}
	})
}

func FuzzE164(f *testing.F) {
	for _, seed := range []string{"138 0013 8000", "+886-912", "0086", "ext. 5", "\x00", "tel:+1;phone-context=+1"} {
		f.Add(seed, "CN")
	}
	f.Fuzz(func(t *testing.T, phone, region string) {
		number, ok := customer.E164(phone, region)
		if !ok {
			return
		}
		if again, _ := customer.E164(number, "TW"); again != number {
			t.Errorf("%q became %q, then %q", phone, number, again)
		}
	})
}

func TestDocumentSurvivesStorageAndShowsListsNotNull(t *testing.T) {
	c := chen("13800138000")
	raw, err := bson.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var back customer.Customer
	if err := bson.Unmarshal(raw, &back); err != nil || !reflect.DeepEqual(back, c) {
		t.Errorf("%v: %+v", err, back)
	}
	if shown, err := json.Marshal(c); err != nil || strings.Contains(string(shown), "null") {
		t.Errorf("%s", shown)
	}
}
