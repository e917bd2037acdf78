package move

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/walkaround/api/background"
	"example.com/walkaround/test/harness"
)

// Whatever kind of blob a store has, the sweeper sees that it is named: a hundred days later it finds only what a broken
// upload left.
func TestOnlyWhatABrokenUploadLeftIsUnnamed(t *testing.T) {
	folder, _ := lived(t)
	store := embedded(t, folder)
	list, err := store.Blobs.List(t.Context(), "main", "", 100)
	ok(t, err)
	if len(list) < 9 {
		t.Errorf("only %d blobs: not every kind is there", len(list))
	}
	left, err := store.Blobs.Put(t.Context(), "main", strings.NewReader("broken off"), 100, nil)
	ok(t, err)
	later := background.Sweeper{Engine: store.Engine, Blobs: store.Blobs, Now: func() time.Time { return time.Now().AddDate(0, 0, 100) }}
	var found []string
	ok(t, later.Look(t.Context(), func(u background.Unnamed) error {
		found = append(found, u.Key)
		return nil
	}))
	if !slices.Equal(found, []string{left.Key}) {
		t.Errorf("unnamed: %q, want %s alone", found, left.Key)
	}
}

// The running server sweeps by itself.
func TestTheServerSweeps(t *testing.T) {
	folder := t.TempDir()
	var key string
	for _, day := range []int{0, 2, 4} {
		t.Run(fmt.Sprintf("day %d", day), func(t *testing.T) {
			h := harness.Start(t, harness.Folder(folder), harness.Idle())
			h.Clock.Set(time.Now().AddDate(0, 0, day))
			if day == 0 {
				left, err := h.Blobs.Put(t.Context(), "main", strings.NewReader("broken off"), 100, nil)
				ok(t, err)
				key = left.Key
			}
			h.Server.Start(t.Context())
			switch day {
			case 2:
				harness.Eventually(t, "it is marked", func() bool {
					_, err := h.Engine.Get(t.Context(), "sweep_marks", key)
					return err == nil
				})
			case 4:
				harness.Eventually(t, "it is deleted", func() bool {
					_, err := h.Blobs.Stat(t.Context(), key)
					return err != nil
				})
			}
		})
	}
}
