package store_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/store"
)

func draft(codes ...string) store.Draft {
	d := store.Draft{Name: "環車檢查"}
	for _, code := range codes {
		d.Items = append(d.Items, store.ChecklistItem{Code: code, Section: "外觀", Label: "項目 " + code})
	}
	return d
}

func TestDefaultChecklistCoversWhatR5Names(t *testing.T) {
	c := store.DefaultChecklist("main", now)
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	if !domain.ValidID(c.ID) || c.ID != store.DefaultChecklistID("main") || c.ID == store.DefaultChecklistID("other") {
		t.Errorf("id %s", c.ID)
	}
	if len(c.Items) < 35 || len(c.Items) > 55 {
		t.Errorf("%d items", len(c.Items))
	}
	required := c.Required()
	for _, code := range []string{"window.all", "glass.windshield", "glass.side", "paint.body", "trunk.inside", "tyre.front_left", "lights.head"} {
		if !slices.Contains(required, code) {
			t.Errorf("%s is not required", code)
		}
	}
	if len(required) > 12 {
		t.Errorf("%d required items: a walk-around is no longer quick", len(required))
	}
}

func TestDefaultChecklistIsWrittenInEveryLanguage(t *testing.T) {
	c := store.DefaultChecklist("main", now)
	for _, l := range domain.Languages() {
		labels := map[string]bool{}
		local := c.Localized(l)
		for i, item := range local.Items {
			if item.Label == "" || item.Section == "" || labels[item.Label] {
				t.Errorf("%s: label %q of %s is empty or stands twice", l, item.Label, item.Code)
			}
			labels[item.Label] = true
			if item.Label != c.Items[i].Labels[l] || item.Code != c.Items[i].Code || item.Required != c.Items[i].Required {
				t.Errorf("%s: %+v", l, item)
			}
			if item.Labels != nil || item.SectionLabels != nil {
				t.Errorf("%s: translations stand beside %s", l, item.Code)
			}
		}
		if local.Name == "" || local.Names != nil {
			t.Errorf("%s: name %q", l, local.Name)
		}
	}
	if name := c.Localized(domain.English).Name; name != "Walk-around" {
		t.Errorf("name %q", name)
	}
}

func TestLocalizedFallsBackToWhatWasWritten(t *testing.T) {
	d := draft("a")
	d.Items[0].Labels = map[domain.Language]string{domain.English: "Item a"}
	c, err := store.NewChecklist(store.DefaultChecklistID("x"), "main", d, now)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Localized(domain.ZhHans).Items[0]; got.Label != "項目 a" || got.Section != "外觀" {
		t.Errorf("%+v", got)
	}
	if got := c.Localized(domain.English).Items[0]; got.Label != "Item a" || got.Section != "外觀" {
		t.Errorf("%+v", got)
	}
	if c.Items[0].Labels == nil {
		t.Error("showing a checklist took its translations away")
	}
}

func TestDraftIsChecked(t *testing.T) {
	many := make([]string, store.MaxChecklistItems)
	for i := range many {
		many[i] = fmt.Sprintf("item.n%d", i)
	}
	item := func(spoil func(*store.ChecklistItem)) store.Draft {
		d := draft("a")
		spoil(&d.Items[0])
		return d
	}
	long := strings.Repeat("字", 121)
	for _, c := range []struct {
		want  string
		draft store.Draft
	}{
		{"", draft("a", "a.b", "a_b.c_1", "0")},
		{"", draft(many...)},
		{"/items too_many", draft(slices.Concat(many, []string{"more"})...)},
		{"/items required", draft()},
		{"/items/1 duplicate", draft("a", "a")},
		{"/items/0/code malformed", draft("")},
		{"/items/0/code malformed", draft("A")},
		{"/items/0/code malformed", draft("a.")},
		{"/items/0/code malformed", draft("a..b")},
		{"/items/0/code malformed", draft("a-b")},
		{"/items/0/code malformed", draft("a\n")},
		{"/items/0/code too_long", draft(strings.Repeat("a", 81))},
		{"/name required", store.Draft{Items: draft("a").Items}},
		{"/name too_long", store.Draft{Name: long, Items: draft("a").Items}},
		{"/names/en too_long", store.Draft{Name: "x", Names: map[domain.Language]string{"en": long}, Items: draft("a").Items}},
		{"/items/0/label required", item(func(i *store.ChecklistItem) { i.Label = " " })},
		{"/items/0/label too_long", item(func(i *store.ChecklistItem) { i.Label = long })},
		{"/items/0/section too_long", item(func(i *store.ChecklistItem) { i.Section = long })},
		{"/items/0/labels unknown", item(func(i *store.ChecklistItem) { i.Labels = map[domain.Language]string{"xx": "x"} })},
		{"/items/0/labels/zh-Hans too_long", item(func(i *store.ChecklistItem) { i.Labels = map[domain.Language]string{domain.ZhHans: long} })},
		{"/items/0/section_labels/en too_long", item(func(i *store.ChecklistItem) { i.SectionLabels = map[domain.Language]string{"en": long} })},
	} {
		if got := faults(c.draft.Check()); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
		if _, err := store.NewChecklist("id", "main", c.draft, now); faults(err) != c.want {
			t.Errorf("NewChecklist: %v", err)
		}
	}
}

func TestEditMakesALaterVersionAndLeavesTheFrozenOneAlone(t *testing.T) {
	c := store.DefaultChecklist("main", now)
	c.Answers = domain.Answers{{Key: "k"}}
	first := c.Frozen()
	if first.Answers != nil || !reflect.DeepEqual(first.Items, c.Items) {
		t.Errorf("%+v", first)
	}
	if err := c.Edit(draft("a"), 2, later(1)); err != nil {
		t.Fatal(err)
	}
	if c.Version != 2 || c.Revision != 2 || len(c.Items) != 1 || c.UpdatedAt != later(1) || c.CreatedAt != now {
		t.Errorf("%+v", c)
	}
	if first.Version != 1 || len(first.Items) < 35 {
		t.Errorf("the frozen version changed: %+v", first)
	}
	if err := c.Edit(draft("b"), 5, later(2)); err != nil || c.Version != 5 || c.Revision != 3 {
		t.Errorf("a gap: %v, %+v", err, c)
	}
}

func TestRefusedEditChangesNothing(t *testing.T) {
	for want, edit := range map[string]func(*store.Checklist) error{
		"/version out_of_range": func(c *store.Checklist) error { return c.Edit(draft("a"), 1, later(1)) },
		"/items required":       func(c *store.Checklist) error { return c.Edit(draft(), 2, later(1)) },
	} {
		c := store.DefaultChecklist("main", now)
		if got := faults(edit(&c)); got != want || !reflect.DeepEqual(c, store.DefaultChecklist("main", now)) {
			t.Errorf("got %q, want %q; %+v", got, want, c.Version)
		}
	}
}

func TestVersionID(t *testing.T) {
	if got := store.VersionID("main", "abc", 3); got != "main/abc/3" {
		t.Error(got)
	}
}

func TestRequiredOfNothingIsAnEmptyList(t *testing.T) {
	var c store.Checklist
	if got := c.Required(); got == nil || len(got) != 0 {
		t.Errorf("%#v", got)
	}
}
