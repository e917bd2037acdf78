// Package tour holds the README to its word: the curl lines of its tour are run as they stand there, against the demo.
//
// Script gives them; the test does the rest. It may import the standard library only, and knows the server by the binary
// that it builds.
package tour

import (
	"errors"
	"strings"
)

// ErrNoTour says that the text has no tour, or none that ends.
var ErrNoTour = errors.New("tour: no lines between tour:begin and tour:end")

// Script joins the bash blocks between the marks of a tour.
func Script(markdown string) (string, error) {
	_, rest, begun := strings.Cut(markdown, "<!-- tour:begin -->")
	tour, _, ended := strings.Cut(rest, "<!-- tour:end -->")
	if !begun || !ended {
		return "", ErrNoTour
	}
	var script strings.Builder
	for _, block := range strings.Split(tour, "\n```bash\n")[1:] {
		lines, _, closed := strings.Cut(block, "\n```")
		if !closed {
			return "", ErrNoTour
		}
		script.WriteString(lines + "\n")
	}
	if script.Len() == 0 {
		return "", ErrNoTour
	}
	return script.String(), nil
}
