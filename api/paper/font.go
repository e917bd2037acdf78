package paper

import (
	"fmt"
	"strings"
	"sync"
	"unicode"

	"github.com/signintech/gopdf"
	"golang.org/x/text/unicode/norm"

	"example.com/walkaround/api/paper/font"
)

// family names the one font, under which it stands in the PDF as well.
const family = "WenQuanYiMicroHei"

// typeface is the parsed font: once a process, as it has 4.6 MB.
var typeface = sync.OnceValues(parseFont)

// face holds the font twice, both never changed after parsing: container hands it to documents, metrics answers widths.
type face struct {
	container gopdf.FontContainer
	metrics   gopdf.SubsetFontObj
}

func parseFont() (*face, error) {
	f := new(face)
	if err := f.container.AddTTFFontData(family, font.TTF); err != nil {
		return nil, fmt.Errorf("parse the font: %w", err)
	}
	if err := f.metrics.SetTTFData(font.TTF); err != nil {
		return nil, fmt.Errorf("parse the font for its widths: %w", err)
	}
	return f, nil
}

// width is a rune's advance in thousandths of the font size; false if the font has no glyph for it. For control characters
// it has some, empty ones.
func (f *face) width(r rune) (int, bool) {
	if unicode.IsControl(r) {
		return 0, false
	}
	glyph, err := f.metrics.CharCodeToGlyphIndex(r)
	if err != nil || glyph == 0 {
		return 0, false
	}
	return int(f.metrics.GlyphIndexToPdfWidth(glyph)), true
}

// atom is the smallest piece that a line is made of: a rune with a glyph, or the box that names one without.
type atom struct {
	r     rune
	width int // thousandths of the font size
	boxed bool
}

// boxScale is the size of a box's letters against the text around it.
const boxScale = 0.62

// boxMargin stands left and right inside and outside of a box's frame, in thousandths.
const boxMargin = 90

// setter turns strings into atoms; it remembers widths, so one belongs to one goroutine.
type setter struct {
	face *face
	seen map[rune]atom
}

func newSetter(f *face) *setter { return &setter{face: f, seen: make(map[rune]atom, 512)} }

func (s *setter) atom(r rune) atom {
	if a, ok := s.seen[r]; ok {
		return a
	}
	a := atom{r: r}
	var ok bool
	if a.width, ok = s.face.width(r); !ok {
		a.boxed = true
		a.width = int(float64(s.plain(boxName(r)))*boxScale) + 4*boxMargin
	}
	s.seen[r] = a
	return a
}

// plain is the width of text that the font has whole.
func (s *setter) plain(text string) int {
	sum := 0
	for _, r := range text {
		w, _ := s.face.width(r)
		sum += w
	}
	return sum
}

func boxName(r rune) string { return fmt.Sprintf("U+%04X", r) }

// paragraphs cuts text at its line ends and cleans each piece: tabs become spaces, invisible marks (zero width, direction,
// variation, soft hyphen) go, as they would print as nothing; other control characters stay and are boxed. Letters written
// with combining marks are composed. Of several empty lines one is kept.
func (s *setter) paragraphs(text string) [][]atom {
	if strings.ContainsFunc(text, unicode.IsMark) {
		text = norm.NFC.String(text)
	}
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n", "\t", " ").Replace(text)
	var out [][]atom
	for part := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		atoms := s.atoms(part)
		if len(atoms) == 0 && len(out) > 0 && len(out[len(out)-1]) == 0 {
			continue
		}
		out = append(out, atoms)
	}
	return out
}

func (s *setter) atoms(text string) []atom {
	var out []atom
	for _, r := range text {
		if !invisible(r) {
			out = append(out, s.atom(visible(r)))
		}
	}
	return out
}

// visible makes one space of the kinds of spaces that fonts lack.
func visible(r rune) rune {
	if unicode.Is(unicode.Zs, r) && r != '\u3000' {
		return ' '
	}
	return r
}

func invisible(r rune) bool {
	return unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Variation_Selector, r) || r == '\u034F' || r == '\u3164'
}
