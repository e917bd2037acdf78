package paper

import (
	"slices"
	"strings"
	"testing"
)

func testSetter(tb testing.TB) *setter {
	tb.Helper()
	f, err := typeface()
	if err != nil {
		tb.Fatal(err)
	}
	return newSetter(f)
}

func asStrings(lines []line) []string {
	out := make([]string, len(lines))
	for i, l := range lines {
		for _, a := range l {
			if a.boxed {
				out[i] += "[" + boxName(a.r) + "]"
			} else {
				out[i] += string(a.r)
			}
		}
	}
	return out
}

func TestWrap(t *testing.T) {
	tests := []struct {
		name  string
		text  string
		width float64 // at size 10: a Han character takes 10
		want  []string
	}{
		{"nothing", "", 100, nil},
		{"only spaces", " \n \t ", 100, nil},
		{"Han breaks anywhere", "一二三四五六七", 30, []string{"一二三", "四五六", "七"}},
		{"exactly full", "一二三", 30, []string{"一二三"}},
		{"a comma never begins a line", "一二三，四五", 30, []string{"一二", "三，四", "五"}},
		{"an opening bracket never ends a line", "一二「三四」", 30, []string{"一二", "「三", "四」"}},
		{"only punctuation still breaks", "，，，，，，", 30, []string{"，，，", "，，，"}},
		{"Latin breaks at spaces", "ab cd ef", 28, []string{"ab cd", "ef"}},
		{"a long word breaks where it must", "abcdefgh", 28, []string{"abcde", "fgh"}},
		{"a long word begins behind a break", "一 abcdefgh", 28, []string{"一", "abcde", "fgh"}},
		{"Han beside Latin", "檢查ABS燈", 25, []string{"檢查", "ABS", "燈"}},
		{"a line end is kept", "一\r\n二\r三\u2028四", 100, []string{"一", "二", "三", "四"}},
		{"of empty lines one is kept", "一\n\n\n\n二", 100, []string{"一", "", "二"}},
		{"tab and strange spaces are spaces", "a\tb\u00a0c\u2003d", 100, []string{"a b c d"}},
		{"invisible marks go", "a\u200b\u202e\u2066b\ufe0f\u00ad\ufeff\U000e0041c", 100, []string{"abc"}},
		{"combining marks are composed", "e\u0301", 100, []string{"é"}},
		{"control characters are boxed", "a\x00\x1bb", 100, []string{"a[U+0000][U+001B]b"}},
		{"no glyph is boxed", "陳😀", 100, []string{"陳[U+1F600]"}},
		{"a box may stand alone", "陳😀大", 31, []string{"陳", "[U+1F600]", "大"}},
		{"right to left is boxed", "שלום", 50, []string{"[U+05E9]", "[U+05DC]", "[U+05D5]", "[U+05DD]"}},
		{"beyond the basic plane", "𠮷", 100, []string{"[U+20BB7]"}},
		{"bytes that are no UTF-8", "a\xff", 100, []string{"a\ufffd"}},
		{"addresses break behind a slash", "http://ab/cd", 50, []string{"http://ab/", "cd"}},
		{"narrower than anything", "一二", 1, []string{"一", "二"}},
	}
	set := testSetter(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := asStrings(set.wrap(test.text, 10, test.width)); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// Whatever the width, a line is no wider than it and no character is lost or doubled.
func TestWrapLosesNothing(t *testing.T) {
	set := testSetter(t)
	text := strings.Repeat("右後輪（1.8 bar）胎側有釘，see photo 12/34、煞車片「剩」2 mm；😀 非常長averyveryverylongword。", 5)
	bare := strings.ReplaceAll(strings.Join(asStrings(set.wrap(text, 10, 1e6)), ""), " ", "")
	for width := 12.0; width < 300; width += 7.3 {
		lines := set.wrap(text, 10, width)
		if got := strings.ReplaceAll(strings.Join(asStrings(lines), ""), " ", ""); got != bare {
			t.Fatalf("at %g the text became %q", width, got)
		}
		for _, l := range lines {
			if w := float64(l.width()) / 100; w > width && len(l) > 1 {
				t.Errorf("at %g a line is %g wide: %q", width, w, asStrings([]line{l}))
			}
		}
	}
}

func TestClipEndsWithAnEllipsis(t *testing.T) {
	p := &press{set: testSetter(t)}
	if got := asStrings(p.clip("一二三四五六七八九", 10, 40, 2)); !slices.Equal(got, []string{"一二三四", "五六七…"}) {
		t.Errorf("got %q", got)
	}
	if got := asStrings(p.clip("一二三", 10, 40, 2)); !slices.Equal(got, []string{"一二三"}) {
		t.Errorf("got %q", got)
	}
	if got := p.fit("", 10, 40); got != nil {
		t.Errorf("nothing became %q", asStrings([]line{got}))
	}
}

func TestColumnsAreBalanced(t *testing.T) {
	for name, test := range map[string]struct {
		items []item
		want  float64
	}{
		"one":                    {[]item{{height: 10}}, 10},
		"two":                    {[]item{{height: 10}, {height: 10}}, 10},
		"three":                  {[]item{{height: 10}, {height: 10}, {height: 10}}, 20},
		"the lower of two":       {[]item{{height: 14}, {height: 26}, {height: 26}, {height: 26}}, 40},
		"what is joined is kept": {[]item{{height: 10}, {height: 10, joined: true}, {height: 10}, {height: 10}}, 30},
	} {
		if got := balanced(test.items); got < test.want || got > test.want+0.1 {
			t.Errorf("%s: got %g, want %g", name, got, test.want)
		}
	}
	joined := []item{{height: 10}, {height: 10, joined: true}, {height: 10}}
	if n := upTo(joined, 25); n != 1 {
		t.Errorf("%d lines were taken, which parts the joined ones", n)
	}
	if n := upTo([]item{{height: 50}}, 10); n != 1 {
		t.Errorf("%d lines were taken of one that never fits", n)
	}
}

func TestCustomersAreAddressedAsTheirLanguageDoes(t *testing.T) {
	for want, c := range map[string]Customer{
		"陳大文 先生":          {Name: "陳大文", Salutation: "先生"},
		"Mr David Miller": {Name: "David Miller", Salutation: "Mr"},
		"David Miller":    {Name: "David Miller"},
	} {
		if got := c.address(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
