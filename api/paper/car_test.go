package paper

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/signintech/gopdf"
)

func TestViewsAreSixDrawingsWithinTheirExtent(t *testing.T) {
	var names []string
	for _, v := range Views() {
		names = append(names, v.Name)
		if len(v.Shapes) < 5 {
			t.Errorf("%s has only %d shapes", v.Name, len(v.Shapes))
		}
		for i, s := range v.Shapes {
			if len(s.Points) < 2 {
				t.Errorf("%s: shape %d has %d points", v.Name, i, len(s.Points))
			}
			if _, ok := tones[s.Tone]; !ok {
				t.Errorf("%s: shape %d has no tone", v.Name, i)
			}
			for _, q := range s.Points {
				if q.X < 0 || q.X > 1 || q.Y < 0 || q.Y > 1 {
					t.Errorf("%s: shape %d leaves the drawing at %v", v.Name, i, q)
				}
			}
		}
	}
	if want := []string{"front", "rear", "left", "right", "top", "interior"}; !slices.Equal(names, want) {
		t.Errorf("the views are %v", names)
	}
}

func TestRightIsLeftMirrored(t *testing.T) {
	views := Views()
	left, right := views[2].Shapes[0].Points[0], views[3].Shapes[0].Points[0]
	if right.X != 1-left.X || right.Y != left.Y {
		t.Errorf("left %v, right %v", left, right)
	}
}

// A slip in a path would show as a crippled car and no error, so the paths are read word by word.
func TestPathsAreWhole(t *testing.T) {
	arguments := map[string]int{"M": 2, "L": 2, "C": 6, "O": 3}
	for name, parts := range map[string][]part{"side": sideParts, "front": frontParts, "rear": rearParts, "top": topParts, "cabin": cabinParts} {
		for i, part := range parts {
			fields := strings.Fields(part.path)
			for len(fields) > 0 {
				n := arguments[fields[0]]
				if n == 0 || len(fields) <= n {
					t.Fatalf("%s %d: %q is cut or unknown", name, i, fields)
				}
				for _, v := range fields[1 : n+1] {
					if _, err := strconv.Atoi(v); err != nil {
						t.Fatalf("%s %d: %q is no number", name, i, v)
					}
				}
				fields = fields[n+1:]
			}
		}
	}
}

func TestDrawingSVG(t *testing.T) {
	for _, v := range Views() {
		svg := DrawingSVG(v.Name)
		decoder := xml.NewDecoder(strings.NewReader(svg))
		elements := 0
		for {
			token, err := decoder.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", v.Name, err)
			}
			if _, ok := token.(xml.StartElement); ok {
				elements++
			}
		}
		if elements != 1+len(v.Shapes) {
			t.Errorf("%s has %d elements for %d shapes", v.Name, elements, len(v.Shapes))
		}
	}
	if !strings.Contains(DrawingSVG("left"), `viewBox="0 0 4800 1560"`) {
		t.Error("the view box is not the drawing's extent")
	}
	if DrawingSVG("under") != "" {
		t.Error("a view that there is not has a drawing")
	}
}

func TestMarksDoNotHideEachOther(t *testing.T) {
	at := frame{200, 300, 100, 80}.at(Point{0.5, 0.5})
	var taken []gopdf.Point
	for range 30 {
		place := freePlace(at, taken)
		if !isFree(place, taken) {
			t.Fatalf("mark %d hides another at %v", len(taken)+1, place)
		}
		taken = append(taken, place)
	}
	if taken[0] != at {
		t.Errorf("a mark alone stands at %v, not at its place %v", taken[0], at)
	}
}

func TestPlacesOutsideOfADrawingComeToItsEdge(t *testing.T) {
	for in, want := range map[float64]float64{-1: 0, 0.25: 0.25, 7: 1, math.Inf(1): 1} {
		if got := within(in); got != want {
			t.Errorf("%g became %g", in, got)
		}
	}
	if within(math.NaN()) != 0 {
		t.Error("no number stays no number")
	}
}
