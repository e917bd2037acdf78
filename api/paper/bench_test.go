package paper

import (
	"fmt"
	"io"
	"testing"
)

// BenchmarkRender prints a sheet with 8 photos of 1,280 by 960 pixels.
func BenchmarkRender(b *testing.B) {
	s := sample(b)
	for i := range 8 {
		s.Photos = append(s.Photos, photoOf(fmt.Sprint(i), "", drawnPhoto(b, i, 1280, 960)))
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := Render(b.Context(), io.Discard, s, nil); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkParseFont is what a process pays once.
func BenchmarkParseFont(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := parseFont(); err != nil {
			b.Fatal(err)
		}
	}
}
