package paper

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

func TestEachWordIsThereInEachLanguageWithGlyphs(t *testing.T) {
	f, err := typeface()
	if err != nil {
		t.Fatal(err)
	}
	for key, in := range words {
		for language, word := range in {
			if strings.TrimSpace(word) == "" {
				t.Errorf("%q has no word in language %d", key, language)
			}
			for _, r := range word {
				if _, ok := f.width(r); !ok {
					t.Errorf("%q: no glyph for %q of %q", key, r, word)
				}
			}
		}
		if strings.Count(in[hant], "%") != strings.Count(in[english], "%") || strings.Count(in[hans], "%") != strings.Count(in[english], "%") {
			t.Errorf("%q takes different arguments in its languages", key)
		}
	}
}

// Each literal that is given to say, or as a label or key, must be in the table, and nothing else may be.
func TestEachKeyInTheCodeHasAWord(t *testing.T) {
	used := make(map[string]bool)
	for _, file := range []string{"press.go", "table.go", "paper.go", "masthead.go", "figure.go", "lists.go", "pictures.go", "proof.go"} {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				s, _ := strconv.Unquote(lit.Value)
				used[s] = true
			}
			if call, ok := n.(*ast.CallExpr); ok {
				checkSay(t, call)
			}
			return true
		})
	}
	for key := range words {
		if _, _, enumerated := strings.Cut(key, "."); !enumerated && !used[key] {
			t.Errorf("the word %q is not used", key)
		}
	}
}

func checkSay(t *testing.T, call *ast.CallExpr) {
	t.Helper()
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || (f.Sel.Name != "say" && f.Sel.Name != "heading") {
		return
	}
	lit, ok := call.Args[0].(*ast.BasicLit)
	if !ok {
		return
	}
	key, _ := strconv.Unquote(lit.Value)
	if _, ok := words[key]; !ok && !strings.HasSuffix(key, ".") {
		t.Errorf("%q is not in the table of words", key)
	}
}

func TestEveryValueOfEachEnumerationHasAWord(t *testing.T) {
	for set, values := range map[string]string{
		"view": "front rear left right top interior", "kind": "scratch dent chip crack rust stain missing other",
		"severity": "minor moderate severe", "status": "new same worse repaired", "result": "ok attention urgent not_applicable",
		"kept": "left_in_car taken_by_customer held_by_us", "relation": "owner family driver employee",
	} {
		for value := range strings.FieldsSeq(values) {
			if _, ok := words[set+"."+value]; !ok {
				t.Errorf("%s %q has no word", set, value)
			}
		}
	}
	p := &press{lang: english}
	if got := p.name("relation", "哥哥"); got != "哥哥" {
		t.Errorf("a value that is not known prints as %q", got)
	}
}

func TestTheFontHasWhatTheMarketsWrite(t *testing.T) {
	f, err := typeface()
	if err != nil {
		t.Fatal(err)
	}
	missing := func(r rune) bool { _, ok := f.width(r); return !ok }
	for r := rune(' '); r <= '~'; r++ {
		if missing(r) {
			t.Errorf("ASCII: no glyph for %q", r)
		}
	}
	sets := []struct {
		name      string
		encoding  encoding.Encoding
		from, end byte
		second    byte
	}{
		{"GB 2312", simplifiedchinese.GBK, 0xB0, 0xF7, 0xA1},
		{"Big5", traditionalchinese.Big5, 0xA4, 0xF9, 0x40},
	}
	for _, set := range sets {
		count := 0
		for lead := set.from; lead <= set.end; lead++ {
			for second := int(set.second); second <= 0xFE; second++ {
				text, err := set.encoding.NewDecoder().Bytes([]byte{lead, byte(second)})
				r := []rune(string(text))
				if err != nil || len(r) != 1 || r[0] < 0x4E00 || r[0] > 0x9FA5 {
					continue
				}
				if count++; missing(r[0]) {
					t.Errorf("%s: no glyph for %q", set.name, r[0])
				}
			}
		}
		if count < 6_700 {
			t.Errorf("%s: only %d characters were looked at", set.name, count)
		}
	}
}
