package api

import (
	"testing"
	"time"

	"example.com/walkaround/domain/store"
)

func TestWhatWasLoadedBeforeAChangeIsNotRemembered(t *testing.T) {
	var remembering templates
	now := time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC)
	loads := 0
	read := func(name string, meanwhile func()) string {
		t.Helper()
		value, err := recall(&remembering, &remembering.stores, "main", now, func() (store.Store, error) {
			loads++
			meanwhile()
			return store.Store{Name: name}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return value.Name
	}
	nothing := func() {}
	if got := read("before", func() { remembering.forget("main") }); got != "before" {
		t.Error(got)
	}
	if got := read("after", nothing); got != "after" {
		t.Errorf("what was there before the change: %q", got)
	}
	if got := read("never asked", nothing); got != "after" || loads != 2 {
		t.Errorf("%q after %d loads", got, loads)
	}
}
