package store_test

import (
	"reflect"
	"strings"
	"testing"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/store"
)

func TestStandardSpeaksAtEveryStepInEveryLanguage(t *testing.T) {
	p := store.NewPhrases("main")
	all := p.All()
	if len(all) != len(store.Steps())*len(domain.Languages()) {
		t.Fatalf("%d phrases", len(all))
	}
	for _, phrase := range all {
		if err := phrase.Check(); err != nil {
			t.Errorf("%s %s: %v", phrase.Step, phrase.Language, err)
		}
		if phrase.UpdatedAt != nil {
			t.Errorf("%s %s: not the standard's own", phrase.Step, phrase.Language)
		}
	}
	if all[0].Step != store.StepGreeting || all[0].Language != domain.ZhHant || all[1].Language != domain.ZhHans {
		t.Errorf("order: %+v", all[:2])
	}
}

// The sentences of the service standard, its section 售后服務部統一禮貌用語, with the names filled in.
func TestStandardSentences(t *testing.T) {
	names := store.Names{Advisor: "林美", Customer: "陳大文", Salutation: "先生", Store: "廣州本田得佳店"}
	p := store.NewPhrases("main")
	for step, want := range map[store.Step]string{
		store.StepGreeting:       "您好，我是林美，很高興為您服務！",
		store.StepWaiting:        "不好意思，陳大文先生，讓您久等了！",
		store.StepFarewell:       "感謝您光臨廣州本田得佳店，祝您駕車愉快！",
		store.StepTelephone:      "您好，廣州本田得佳店，有什麼可以幫到您？",
		store.StepKeepOut:        "對不起！陳大文先生，車間危險，請您到休息室休息。",
		store.StepAskAtReception: "對不起，陳大文先生，跟您講話會影響到保養/修理好您的愛車。請您到前臺諮詢。",
	} {
		if got := store.Fill(p.Text(step, domain.ZhHant), names); got != want {
			t.Errorf("%s: %s", step, got)
		}
	}
}

func TestFill(t *testing.T) {
	full := store.Names{Advisor: "Mei", Customer: "Chan", Salutation: "Mr", Store: "Dejia"}
	for _, c := range []struct {
		name, text string
		names      store.Names
		want       string
	}{
		{"English order", "Sorry, {salutation} {customer}!", full, "Sorry, Mr Chan!"},
		{"English salutation in a Chinese phrase", "不好意思，{customer}{salutation}，讓您久等了！", full, "不好意思，Mr Chan，讓您久等了！"},
		{"Chinese salutation in an English phrase", "Sorry, {salutation} {customer}!", store.Names{Customer: "陳大文", Salutation: "小姐"}, "Sorry, 陳大文小姐!"},
		{"name without salutation", "不好意思，{customer}{salutation}，讓您久等了！", store.Names{Customer: "陳大文"}, "不好意思，陳大文，讓您久等了！"},
		{"name without salutation in English", "Sorry, {salutation} {customer}!", store.Names{Customer: "Chan"}, "Sorry, Chan!"},
		{"salutation without name", "不好意思，{customer}{salutation}，讓您久等了！", store.Names{Salutation: "先生"}, "不好意思，讓您久等了！"},
		{"nobody in the middle", "對不起！{customer}{salutation}，車間危險。", store.Names{}, "對不起！車間危險。"},
		{"nobody at the start", "{salutation} {customer}, the workshop is dangerous.", store.Names{}, "The workshop is dangerous."},
		{"nobody at the start of a later sentence", "Excuse me! {salutation} {customer}, please wait.", store.Names{}, "Excuse me! Please wait."},
		{"nobody at the end", "Sorry to have kept you waiting, {salutation} {customer}! Please come in.", store.Names{}, "Sorry to have kept you waiting! Please come in."},
		{"nobody at the end in Chinese", "謝謝，{customer}！慢走。", store.Names{}, "謝謝！慢走。"},
		{"a whole sentence of nobody", "{customer}! welcome. 你好。", store.Names{}, "welcome. 你好。"},
		{"nobody anywhere", "{customer}，{advisor}！", store.Names{}, ""},
		{"advisor unknown", "您好，我是{advisor}，很高興為您服務！", store.Names{}, "您好，很高興為您服務！"},
		{"store unknown", "感謝您光臨{store}，祝您駕車愉快！", store.Names{}, "祝您駕車愉快！"},
		{"salutation alone", "您好，{salutation}！", store.Names{Salutation: "先生"}, "您好，先生！"},
		{"salutation alone and unknown", "您好，{salutation}！", store.Names{Customer: "陳"}, "您好！"},
		{"apart", "{customer}您好，{store}的{advisor}為您服務。", full, "Chan您好，Dejia的Mei為您服務。"},
		{"names that look like placeholders", "您好，{customer}{salutation}，我是{advisor}。", store.Names{Customer: "{store}{}", Salutation: "{advisor}", Advisor: "{customer}", Store: "x"}, "您好，{advisor} {store}{}，我是{customer}。"},
		{"a comma inside a name", "Hello, {customer}!", store.Names{Customer: "Chan, Tai Man."}, "Hello, Chan, Tai Man.!"},
		{"nothing to fill", "請稍候。", store.Names{}, "請稍候。"},
		{"empty", "", full, ""},
	} {
		if got := store.Fill(c.text, c.names); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestStandardSentencesStayWholeWithoutNames(t *testing.T) {
	p := store.NewPhrases("main")
	for _, phrase := range p.All() {
		got := store.Fill(phrase.Text, store.Names{})
		if got == "" || strings.ContainsAny(got, "{}") || strings.ContainsAny(got[:1], "，, !") || strings.Contains(got, "  ") {
			t.Errorf("%s %s: %q", phrase.Step, phrase.Language, got)
		}
	}
}

func TestSetAndReset(t *testing.T) {
	p := store.NewPhrases("main")
	for i, text := range []string{"早安，我是{advisor}。", "您早，我是{advisor}。"} {
		if err := p.Set(store.StepGreeting, domain.ZhHant, text, later(i)); err != nil {
			t.Fatal(err)
		}
		if got := p.Text(store.StepGreeting, domain.ZhHant); got != text || p.Revision != int64(i+2) || len(p.Overrides) != 1 {
			t.Fatalf("%q at revision %d", got, p.Revision)
		}
	}
	if first := p.All()[0]; first.UpdatedAt == nil || *first.UpdatedAt != later(1) {
		t.Errorf("%+v", first)
	}
	if strings.Contains(p.Text(store.StepGreeting, domain.ZhHans), "您早") {
		t.Error("another language changed")
	}
	p.Reset(store.StepGreeting, domain.ZhHant)
	standard := store.NewPhrases("main")
	if p.Text(store.StepGreeting, domain.ZhHant) != standard.Text(store.StepGreeting, domain.ZhHant) || p.Revision != 4 || len(p.Overrides) != 0 {
		t.Errorf("%+v", p)
	}
	p.Reset(store.StepGreeting, domain.ZhHant)
	if p.Revision != 4 {
		t.Error("a reset of nothing moved the revision")
	}
}

func TestSetRefuses(t *testing.T) {
	for _, c := range []struct {
		want     string
		step     store.Step
		language domain.Language
		text     string
	}{
		{"/step unknown", "dance", domain.ZhHant, "x"},
		{"/language unknown", store.StepGreeting, "fr", "x"},
		{"/text required", store.StepGreeting, domain.ZhHant, " \n"},
		{"/text too_long", store.StepGreeting, domain.ZhHant, strings.Repeat("字", store.MaxPhrase+1)},
		{"/text unknown", store.StepGreeting, domain.ZhHant, "我是{adviser}"},
		{"/text unknown", store.StepGreeting, domain.ZhHant, "我是{}"},
		{"/text unknown", store.StepGreeting, domain.ZhHant, "我是{advisor"},
		{"/text unknown", store.StepGreeting, domain.ZhHant, "我是advisor}"},
		{"/text unknown, /text unknown", store.StepGreeting, domain.ZhHant, "我是{{advisor}}"},
		{"/text malformed", store.StepGreeting, domain.ZhHant, "x\x00"},
	} {
		p := store.NewPhrases("main")
		if got := faults(p.Set(c.step, c.language, c.text, now)); got != c.want || !reflect.DeepEqual(p, store.NewPhrases("main")) {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
	}
}

func TestTextOfAnUnknownStepIsEmpty(t *testing.T) {
	p := store.NewPhrases("main")
	if p.Text("dance", domain.ZhHant) != "" || p.Text(store.StepGreeting, "fr") != "" {
		t.Error("a phrase for an unknown step or language")
	}
}

func FuzzFill(f *testing.F) {
	f.Add("{salutation} {customer}, the workshop is dangerous. {store}!", "Chan", "先生")
	f.Add("{}{customer}，。{advisor", "", "")
	f.Fuzz(func(t *testing.T, text, customer, salutation string) {
		store.Fill(text, store.Names{Customer: customer, Salutation: salutation})
		if whole := store.Fill(text, store.Names{Advisor: "a", Customer: "c", Salutation: "s", Store: "t"}); len(text) > 0 && !strings.Contains(text, "{") && whole != strings.TrimSpace(text) {
			t.Errorf("%q became %q", text, whole)
		}
	})
}
