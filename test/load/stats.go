package main

import (
	"slices"
	"time"
)

// sample is what was measured of one side.
type sample struct {
	requests  int
	elapsed   time.Duration // of its turns alone
	cpu       time.Duration // of its server
	latencies []time.Duration
}

func (s *sample) add(o sample) {
	s.requests += o.requests
	s.elapsed += o.elapsed
	s.cpu += o.cpu
	s.latencies = append(s.latencies, o.latencies...)
}

// rate is requests a second.
func (s *sample) rate() float64 {
	if s.elapsed <= 0 {
		return 0
	}
	return float64(s.requests) / s.elapsed.Seconds()
}

// cpuEach is the server's CPU time a request, in microseconds.
func (s *sample) cpuEach() float64 {
	if s.requests == 0 {
		return 0
	}
	return float64(s.cpu.Microseconds()) / float64(s.requests)
}

// percentile is the smallest latency that at least p of 100 requests did not exceed (nearest rank); 0 of none.
func (s *sample) percentile(p int) time.Duration {
	if len(s.latencies) == 0 {
		return 0
	}
	slices.Sort(s.latencies)
	rank := (p*len(s.latencies) + 99) / 100
	return s.latencies[max(rank, 1)-1]
}

// ratio is a of b; 0 where b is nothing.
func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}
