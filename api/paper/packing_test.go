package paper

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// pageOf is the page on which a text begins a piece; 0 is nowhere.
func pageOf(t *testing.T, all [][]printed, text string) int {
	t.Helper()
	wanted := glyphs(t, text)
	return 1 + slices.IndexFunc(all, func(page []printed) bool {
		return slices.ContainsFunc(page, func(p printed) bool { return strings.HasPrefix(p.glyphs, wanted) })
	})
}

// Wherever the page ends: sentence, signature and proof stand together, and no row of a table alone.
func TestWhatBelongsTogetherStaysOnOnePage(t *testing.T) {
	for n := range 40 {
		s := sample(t)
		s.Language = "zh-Hant"
		for i := range n {
			s.Belongings = append(s.Belongings, Belonging{Description: fmt.Sprint("雨傘", i), Quantity: 1})
		}
		all := pages(t, render(t, s))
		want := pageOf(t, all, words["signature"][hant])
		for _, text := range []string{"本人已在場", words["signer"][hant], words["witness"][hant], words["verify"][hant]} {
			if got := pageOf(t, all, text); got != want {
				t.Errorf("%d belongings: %q is on page %d, the signature on %d", n, text, got, want)
			}
		}
		if n > 1 && pageOf(t, all, fmt.Sprint("雨傘", n-1)) != pageOf(t, all, fmt.Sprint("雨傘", n-2)) {
			t.Errorf("%d belongings: the last row stands alone", n)
		}
	}
}

func TestADrawingThatDoesNotFitLeavesNoGap(t *testing.T) {
	s := sample(t)
	s.Language = "zh-Hant"
	for range 7 {
		s.Requests = append(s.Requests, Request{Words: "換機油"})
	}
	all := pages(t, render(t, s))
	if pageOf(t, all, words["reception"][hant]) != 1 || pageOf(t, all, words["drawing"][hant]) != 2 {
		t.Error("the first page stays empty below the requests")
	}
}
