package paper

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Point is a place on a view's drawing: 0,0 is its top left and 1,1 its bottom right corner.
type Point struct{ X, Y float64 }

// Tone says how a shape is painted.
type Tone int

// The tones of a drawing, from the back to the front of what they mean.
const (
	Shell  Tone = iota // bodywork: filled, with a strong outline
	Glass              // filled
	Lamp               // filled
	Tyre               // filled dark
	Rim                // filled light
	Trim               // seats, handles, grille: filled, with a fine outline
	Crease             // an open line
)

// Shape is one closed area or, for Crease, one open line. Shapes are painted in their order.
type Shape struct {
	Tone   Tone
	Points []Point
}

// View is one side of the car. Damage is marked on it by x and y from 0 to 1.
type View struct {
	Name          string  // front, rear, left, right, top, interior
	Width, Height float64 // millimetres that the drawing spans: its proportions
	Shapes        []Shape
}

// The extent of the drawings in millimetres.
const (
	carLength = 4800
	carWidth  = 2000
	carHeight = 1560
)

// Views are the six drawings of a car, made anew at each call.
func Views() []View {
	left := View{Name: "left", Width: carLength, Height: carHeight, Shapes: shapes(sideParts, carLength, carHeight)}
	return []View{
		{Name: "front", Width: carWidth, Height: carHeight, Shapes: shapes(frontParts, carWidth, carHeight)},
		{Name: "rear", Width: carWidth, Height: carHeight, Shapes: shapes(rearParts, carWidth, carHeight)},
		left,
		{Name: "right", Width: carLength, Height: carHeight, Shapes: flip(left.Shapes)},
		{Name: "top", Width: carWidth, Height: carLength, Shapes: shapes(topParts, carWidth, carLength)},
		{Name: "interior", Width: carWidth, Height: carLength, Shapes: shapes(cabinParts, carWidth, carLength)},
	}
}

// DrawingSVG is the drawing of a view as an SVG document whose view box is the drawing's extent, so that a mark at x, y
// stands at x times its width and y times its height. It is empty for a view that there is not.
func DrawingSVG(view string) string {
	views := Views()
	i := slices.IndexFunc(views, func(v View) bool { return v.Name == view })
	if i < 0 {
		return ""
	}
	v := views[i]
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g" stroke-linejoin="round" stroke-linecap="round">`, v.Width, v.Height)
	for _, s := range v.Shapes {
		b.WriteString(s.svg(v))
	}
	return b.String() + "</svg>\n"
}

// svg is the shape as an element, in whole millimetres.
func (s Shape) svg(v View) string {
	element, paint := "polygon", tones[s.Tone]
	fill := hexColor(paint.fill)
	if s.Tone == Crease {
		element, fill = "polyline", "none"
	}
	points := make([]string, len(s.Points))
	for i, p := range s.Points {
		points[i] = strconv.Itoa(int(p.X*v.Width)) + "," + strconv.Itoa(int(p.Y*v.Height))
	}
	return fmt.Sprintf(`<%s points="%s" fill="%s" stroke="%s" stroke-width="%g"/>`,
		element, strings.Join(points, " "), fill, hexColor(paint.line), paint.width*22)
}

func hexColor(c rgb) string { return fmt.Sprintf("#%02x%02x%02x", c.r, c.g, c.b) }

// paint is how a tone looks; width is in points on the sheet.
type paint struct {
	fill, line rgb
	width      float64
}

var tones = map[Tone]paint{
	Shell:  {rgb{240, 243, 246}, rgb{70, 84, 99}, 0.9},
	Glass:  {rgb{213, 224, 233}, rgb{116, 131, 146}, 0.5},
	Lamp:   {rgb{255, 255, 255}, rgb{116, 131, 146}, 0.5},
	Tyre:   {rgb{82, 93, 105}, rgb{60, 70, 82}, 0.5},
	Rim:    {rgb{222, 228, 234}, rgb{116, 131, 146}, 0.4},
	Trim:   {rgb{226, 232, 238}, rgb{116, 131, 146}, 0.5},
	Crease: {white, rgb{141, 154, 168}, 0.5},
}

// shapes turns parts into shapes on a drawing of the given extent.
func shapes(parts []part, width, height float64) []Shape {
	var out []Shape
	for _, part := range parts {
		for _, points := range part.outlines(width) {
			for i := range points {
				points[i].X /= width
				points[i].Y /= height
			}
			out = append(out, Shape{Tone: part.tone, Points: points})
		}
	}
	return out
}

func flip(list []Shape) []Shape {
	out := make([]Shape, len(list))
	for i, s := range list {
		out[i] = Shape{Tone: s.Tone, Points: make([]Point, len(s.Points))}
		for j, p := range s.Points {
			out[i].Points[j] = Point{1 - p.X, p.Y}
		}
	}
	return out
}

// symmetry says what the middle axis of a drawing does to a part.
type symmetry int

const (
	single symmetry = iota // drawn as it is
	twin                   // drawn a second time, mirrored
	folded                 // the right half, from axis to axis: its mirror image completes it
)

// part is a piece of a drawing: its path in millimetres, with the commands of SVG: "M x y", "L x y", "C x1 y1 x2 y2 x y";
// O cx cy r is a circle.
type part struct {
	tone     Tone
	symmetry symmetry
	path     string
}

func (p part) outlines(width float64) [][]Point {
	points := flatten(p.path)
	if p.symmetry == single {
		return [][]Point{points}
	}
	mirrored := make([]Point, len(points))
	for i, q := range points {
		mirrored[i] = Point{width - q.X, q.Y}
	}
	if p.symmetry == twin {
		return [][]Point{points, mirrored}
	}
	slices.Reverse(mirrored)
	return [][]Point{append(points, mirrored...)}
}

// flatten makes a path's curves into short straight pieces. The paths are constants of this package: a word that is no
// number counts as 0, and a test looks at each.
func flatten(path string) []Point {
	var out []Point
	fields := strings.Fields(path)
	for len(fields) > 0 {
		n := map[string]int{"M": 2, "L": 2, "C": 6, "O": 3}[fields[0]]
		if n == 0 || len(fields) <= n {
			return out
		}
		var v [6]float64
		for i := range n {
			v[i], _ = strconv.ParseFloat(fields[i+1], 64)
		}
		switch fields[0] {
		case "C":
			out = append(out, curve(out[len(out)-1], v)...)
		case "O":
			out = append(out, ring(v[0], v[1], v[2])...)
		default:
			out = append(out, Point{v[0], v[1]})
		}
		fields = fields[n+1:]
	}
	return out
}

// curve is a cubic Bézier curve from a point on, as twelve straight pieces.
func curve(from Point, v [6]float64) []Point {
	const pieces = 12
	out := make([]Point, pieces)
	for i := range out {
		t := float64(i+1) / pieces
		u := 1 - t
		a, b, c, d := u*u*u, 3*u*u*t, 3*u*t*t, t*t*t
		out[i] = Point{a*from.X + b*v[0] + c*v[2] + d*v[4], a*from.Y + b*v[1] + c*v[3] + d*v[5]}
	}
	return out
}

func ring(x, y, radius float64) []Point {
	out := make([]Point, 0, 29)
	for _, p := range circle(x, y, radius) {
		out = append(out, Point{p.X, p.Y})
	}
	return append(out, out[0])
}
