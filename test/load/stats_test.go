package main

import (
	"testing"
	"time"
)

func TestPercentileIsTheNearestRank(t *testing.T) {
	tests := map[string]struct {
		latencies []time.Duration
		p         int
		want      time.Duration
	}{
		"of none":              {nil, 99, 0},
		"of one":               {[]time.Duration{7}, 99, 7},
		"half of four":         {[]time.Duration{4, 1, 3, 2}, 50, 2},
		"half of five":         {[]time.Duration{5, 4, 1, 3, 2}, 50, 3},
		"99 of 100":            {upTo(100), 99, 99},
		"99 of 101":            {upTo(101), 99, 100},
		"all":                  {upTo(10), 100, 10},
		"none is the smallest": {upTo(10), 0, 1},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			s := sample{latencies: tc.latencies}
			if got := s.percentile(tc.p); got != tc.want {
				t.Errorf("percentile(%d) = %d, want %d", tc.p, got, tc.want)
			}
		})
	}
}

func upTo(n int) []time.Duration {
	list := make([]time.Duration, n)
	for i := range list {
		list[i] = time.Duration(n - i)
	}
	return list
}

func TestSamplesAddUp(t *testing.T) {
	var s sample
	s.add(sample{requests: 100, elapsed: time.Second, cpu: 10 * time.Millisecond, latencies: upTo(2)})
	s.add(sample{requests: 300, elapsed: time.Second, cpu: 30 * time.Millisecond, latencies: upTo(3)})
	if got := s.rate(); got != 200 {
		t.Errorf("rate = %v, want 200", got)
	}
	if got := s.cpuEach(); got != 100 {
		t.Errorf("cpuEach = %v µs, want 100", got)
	}
	if len(s.latencies) != 5 {
		t.Errorf("%d latencies, want 5", len(s.latencies))
	}
	var none sample
	if none.rate() != 0 || none.cpuEach() != 0 || ratio(1, 0) != 0 {
		t.Error("nothing measured is not 0")
	}
}

func TestCPUTimeIsReadBehindAnyName(t *testing.T) {
	tests := map[string]struct {
		stat string
		want time.Duration
		bad  bool
	}{
		"plain":       {"1 (load) S 1 1 1 0 -1 0 0 0 0 0 250 50 0 0 20", 3 * time.Second, false},
		"with spaces": {"1 (a ) b) S 1 1 1 0 -1 0 0 0 0 0 1 2 0 0 20", 30 * time.Millisecond, false},
		"cut short":   {"1 (load) S 1 1", 0, true},
		"no number":   {"1 (load) S 1 1 1 0 -1 0 0 0 0 0 x 50 0 0 20", 0, true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := parseCPU(tc.stat)
			if (err != nil) != tc.bad || err == nil && got != tc.want {
				t.Errorf("parseCPU = %v, %v; want %v", got, err, tc.want)
			}
		})
	}
}

func TestTargetsAreReachedFromTheirOwnSide(t *testing.T) {
	tests := map[string]struct {
		target target
		got    float64
		want   string
	}{
		"enough":       {atLeast(2), 2.1, "reached"},
		"just enough":  {atLeast(2), 2, "reached"},
		"too little":   {atLeast(2), 1.9, "missed"},
		"few":          {atMost(3), 2, "reached"},
		"just few":     {atMost(3), 3, "reached"},
		"too many":     {atMost(3), 3.1, "missed"},
		"only told of": {target{}, 1, ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := tc.target.verdict(tc.got); got != tc.want {
				t.Errorf("verdict = %q, want %q", got, tc.want)
			}
		})
	}
}

func TestCopiesOfAVisitDifferAndKeepTheirLength(t *testing.T) {
	seen := map[string]bool{}
	for n := range 1_000 {
		v := visitID(n)
		if len(v) != len(visitID(0)) || seen[v] || n > 0 && v <= visitID(n-1) {
			t.Fatalf("visit %d has the id %s", n, v)
		}
		seen[v] = true
		if len(number(n)) != len(number(0)) || seen[number(n)] {
			t.Fatalf("visit %d has the number %s", n, number(n))
		}
		seen[number(n)] = true
	}
}
