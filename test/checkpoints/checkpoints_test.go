package checkpoints_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"example.com/walkaround/api"
	"example.com/walkaround/domain"
	"example.com/walkaround/domain/evidence"
	"example.com/walkaround/test/harness"
)

func TestEverySealComesIntoACheckpoint(t *testing.T) {
	h := start(t)
	first, one := sign(t, h, "粤A10001")
	second, two := sign(t, h, "粤A10002")
	if got := verified(t, h, one); got.At("checkpoint") != nil {
		t.Errorf("in a checkpoint before there is one: %s", got.Body)
	}
	if v := bundled(t, h, first); v.Checkpoint != nil {
		t.Errorf("%+v", v.Checkpoint)
	}
	run(t, h.Server)
	if list := points(t, h); len(list) != 1 || list[0].Size != 2 || list[0].TimestampState != evidence.TimestampNone {
		t.Fatalf("%+v", list)
	}
	third, three := sign(t, h, "粤A10003")
	run(t, h.Server)
	run(t, h.Server) // with nothing that waits
	if list := points(t, h); len(list) != 2 || list[1].Size != 1 || list[1].Previous == "" {
		t.Fatalf("%+v", list)
	}
	for i, c := range []struct {
		visit    harness.Visit
		digest   string
		sequence int64
	}{{first, one, 1}, {second, two, 1}, {third, three, 2}} {
		if got := verified(t, h, c.digest); got.Number("checkpoint.sequence") != float64(c.sequence) || got.Text("checkpoint.timestamp_state") != "none" {
			t.Errorf("sheet %d: %s", i, got.Body)
		}
		if v := bundled(t, h, c.visit); v.Checkpoint == nil || v.Checkpoint.Sequence != c.sequence {
			t.Errorf("bundle %d: %+v", i, v)
		}
	}
}

func TestARunningServerMakesCheckpointsByItself(t *testing.T) {
	var config api.Config
	h := start(t, harness.Config(func(c *api.Config) { config = *c }))
	_, digest := sign(t, h, "粤A10001")
	other, err := api.New(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	other.Start(t.Context())
	t.Cleanup(func() {
		if err := other.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	harness.Eventually(t, "a checkpoint holds the seal", func() bool {
		return verified(t, h, digest).Number("checkpoint.sequence") == 1
	})
}

func TestACrashBeforeTheMarksTakesNoSealTwice(t *testing.T) {
	h := start(t)
	_, one := sign(t, h, "粤A10001")
	_, two := sign(t, h, "粤A10002")
	run(t, h.Server)
	forget(t, h, one, two)
	// More seals than one look sees stand before those that were taken: their clock was behind.
	insert(t, h, "main", 230, h.Clock.Now().Add(-time.Hour))
	run(t, h.Server)
	list := points(t, h)
	if len(list) != 3 || list[0].Size != 2 || list[1].Size+list[2].Size != 230 {
		t.Errorf("%d checkpoints", len(list))
	}
	for _, digest := range []string{one, two} {
		if got := verified(t, h, digest); got.Number("checkpoint.sequence") != 1 {
			t.Errorf("%s", got.Body)
		}
	}
	if n := waiting(t.Context(), t, h); n != 0 {
		t.Errorf("%d seals still wait", n)
	}
}

func TestServersThatRunAtOnceTakeEachSealOnce(t *testing.T) {
	var config api.Config
	h := start(t, harness.Config(func(c *api.Config) { config = *c }))
	servers := []*api.Server{h.Server}
	for range 2 {
		other, err := api.New(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		servers = append(servers, other)
	}
	leaves := insert(t, h, "main", 450, h.Clock.Now())
	var wait sync.WaitGroup
	for _, s := range servers {
		wait.Go(func() {
			if err := s.Checkpoint(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	held := map[string]bool{}
	for _, c := range points(t, h) { // which also refuses a leaf in two
		for _, leaf := range c.Leaves {
			held[leaf] = true
		}
	}
	for _, leaf := range leaves {
		if !held[leaf] {
			t.Errorf("%s is lost", leaf)
		}
	}
	if n := waiting(t.Context(), t, h); n != 0 || len(held) != len(leaves) {
		t.Errorf("%d seals still wait, %d are held", n, len(held))
	}
}

func TestAClockThatStepsBackForgesNothing(t *testing.T) {
	h := start(t)
	first, _ := sign(t, h, "粤A10001") // the store's key is made now
	h.Clock.Move(72 * time.Hour)
	second, _ := sign(t, h, "粤A10002")
	h.Clock.Move(-60 * time.Hour)
	run(t, h.Server)
	third, _ := sign(t, h, "粤A10003")
	run(t, h.Server)
	if list := points(t, h); len(list) != 2 || list[1].CreatedAt.Before(list[0].CreatedAt.Time) {
		t.Errorf("%+v", list)
	}
	for i, v := range []harness.Visit{first, second, third} {
		if got := bundled(t, h, v); got.Checkpoint == nil {
			t.Errorf("bundle %d: %+v", i, got)
		}
	}
}

func TestTroubleInOneStoreStopsNoOther(t *testing.T) {
	h := start(t)
	admin := h.As("admin").In(t)
	for _, id := range []string{"aaa", "zzz"} {
		admin.Do(http.MethodPost, "/v1/stores", harness.Map{"id": id, "name": id}).Want(http.StatusCreated)
	}
	put(t, h, row{Digest: evidence.Digest([]byte("broken")), StoreID: "aaa", Leaf: "no digest", SealedAt: domain.At(h.Clock.Now())})
	insert(t, h, "main", 1, h.Clock.Now())
	insert(t, h, "zzz", 1, h.Clock.Now())
	if err := h.Server.Checkpoint(t.Context()); err == nil {
		t.Error("the trouble is not told")
	}
	for _, id := range []string{"main", "zzz"} {
		if got := admin.Get("/v1/checkpoints", "Walkaround-Store", id).Want(http.StatusOK); len(got.List("items")) != 1 {
			t.Errorf("%s: %s", id, got.Body)
		}
	}
}
