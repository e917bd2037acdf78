package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// row is a figure as it is reported.
type row struct {
	name   string
	target target
	ratio  float64
	ours   sample // nothing where a figure is no rate
	floor  sample
	note   string
}

// target is what a figure should reach. The zero target is none.
type target struct {
	bound float64
	most  bool
}

func atLeast(x float64) target { return target{bound: x} }
func atMost(x float64) target  { return target{bound: x, most: true} }

func (t target) String() string {
	switch {
	case t.bound == 0:
		return "–"
	case t.most:
		return fmt.Sprintf("≤ %g", t.bound)
	default:
		return fmt.Sprintf("≥ %g", t.bound)
	}
}

func (t target) verdict(got float64) string {
	switch {
	case t.bound == 0:
		return ""
	case t.most == (got <= t.bound) || got == t.bound:
		return "reached"
	default:
		return "missed"
	}
}

// report writes the rows as one Markdown table.
func report(w io.Writer, rows []row) error {
	var b strings.Builder
	b.WriteString("| figure | ratio | target | requests/s, ours and floor | p50/p99 ms, ours | p50/p99 ms, floor | server CPU µs a request, ours and floor | verdict | |\n")
	b.WriteString("| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s | %.2f | %s |", r.name, r.ratio, r.target)
		if r.ours.requests == 0 {
			b.WriteString(" | | | |")
		} else {
			fmt.Fprintf(&b, " %.0f, %.0f | %s | %s | %.0f, %.0f |",
				r.ours.rate(), r.floor.rate(), r.ours.times(), r.floor.times(), r.ours.cpuEach(), r.floor.cpuEach())
		}
		fmt.Fprintf(&b, " %s | %s |\n", r.target.verdict(r.ratio), r.note)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (s *sample) times() string {
	return fmt.Sprintf("%.2f / %.2f", inMS(s.percentile(50)), inMS(s.percentile(99)))
}

func inMS(d time.Duration) float64 { return float64(d.Microseconds()) / 1_000 }
