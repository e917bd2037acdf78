package api

import (
	"testing"

	"example.com/walkaround/domain/visit"
)

// TestIsHere holds every state to whether its customer's file is open to all advisors: on the day, and later.
func TestIsHere(t *testing.T) {
	want := map[visit.State][2]bool{
		visit.Arrived: {true, false}, visit.Inspected: {true, false}, visit.Approved: {true, true}, visit.InWorkshop: {true, true},
		visit.WorkDone: {true, true}, visit.Settled: {true, true}, visit.Paid: {true, true}, visit.Delivered: {}, visit.Cancelled: {},
	}
	for _, state := range visit.States() {
		if got := [2]bool{isHere(state, true), isHere(state, false)}; got != want[state] {
			t.Errorf("%s: %v", state, got)
		}
	}
	if len(want) != len(visit.States()) || isHere("", true) {
		t.Error("a state has no row")
	}
}
