package checkpoints_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"example.com/walkaround/api"
	"example.com/walkaround/api/background/timestamp"
	"example.com/walkaround/domain/evidence"
	"example.com/walkaround/test/authority"
	"example.com/walkaround/test/harness"
)

// stamped demands that a checkpoint has the authority's time, by a token that verifies, and no other.
func stamped(t *testing.T, c evidence.Checkpoint, a *authority.Authority) {
	t.Helper()
	if c.TimestampState != evidence.TimestampVerified || c.Timestamp == nil {
		t.Fatalf("checkpoint %d: %s %v", c.Sequence, c.TimestampState, c.Timestamp)
	}
	at, name, err := timestamp.Verify(c.Timestamp.Token, c.Imprint(), a.Roots())
	if err != nil || !at.Equal(a.Clock) || !c.Timestamp.At.Equal(a.Clock) || name != c.Timestamp.Authority {
		t.Errorf("checkpoint %d: %s by %s, %v; said %s by %s", c.Sequence, at, name, err, c.Timestamp.At, c.Timestamp.Authority)
	}
}

// claimed is the checkpoint of a bundle with the timestamp that the bundle claims, which its verdict does not take for a fact.
func claimed(t *testing.T, v evidence.Verdict) evidence.Checkpoint {
	t.Helper()
	c := *v.Checkpoint
	if c.TimestampState != evidence.TimestampUnchecked || c.Timestamp != nil {
		t.Errorf("shown before it was verified: %s %v", c.TimestampState, c.Timestamp)
	}
	c.TimestampState, c.Timestamp = evidence.TimestampVerified, v.Claimed
	return c
}

func TestAnHonestAuthorityStampsEachCheckpoint(t *testing.T) {
	a := authority.New(t, authority.Proper())
	h := start(t, stamping(t, authority.Serve(t, a.Honest(t)).URL, a, patiently))
	v, digest := sign(t, h, "粤A10001")
	run(t, h.Server)
	list := points(t, h)
	if len(list) != 1 {
		t.Fatalf("%+v", list)
	}
	stamped(t, list[0], a)
	got := verified(t, h, digest)
	if got.Text("checkpoint.timestamp_state") != "verified" || got.Text("checkpoint.timestamped_at") != "2026-02-01T12:00:00.000Z" {
		t.Errorf("%s", got.Body)
	}
	stamped(t, claimed(t, bundled(t, h, v)), a)
	run(t, h.Server)
	if again := points(t, h); string(again[0].Timestamp.Token) != string(list[0].Timestamp.Token) {
		t.Error("what was stamped is stamped again")
	}
}

func TestATimestampStaysPendingUntilItVerifies(t *testing.T) {
	a, stranger := authority.New(t, authority.Proper()), authority.New(t, authority.Proper())
	var m moody
	h := start(t, stamping(t, authority.Serve(t, m.serve).URL, a, briefly))
	h.As("advisor")
	for i, c := range []struct {
		name   string
		answer http.HandlerFunc
		want   error
	}{
		{"lying", a.Lying(t), timestamp.ErrUntrusted},
		{"a stranger", stranger.Honest(t), timestamp.ErrUntrusted},
		{"flooding", authority.Flood, timestamp.ErrUntrusted},
		{"no protocol", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hello")) }, timestamp.ErrUntrusted},
		{"refusing", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }, timestamp.ErrRefused},
		{"hanging", authority.Hang, context.DeadlineExceeded},
		{"hanging up", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, io.EOF},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, digest := sign(t, h, fmt.Sprintf("粤A1000%d", i))
			m.be(c.answer)
			if err := h.Server.Checkpoint(t.Context()); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			list := points(t, h)
			if len(list) != i+1 || list[i].TimestampState != evidence.TimestampPending || list[i].Timestamp != nil {
				t.Fatalf("%+v", list)
			}
			got := verified(t, h, digest)
			if got.Text("checkpoint.timestamp_state") != "pending" || got.At("checkpoint.timestamped_at") != nil {
				t.Errorf("%s", got.Body)
			}
			m.be(a.Honest(t))
			run(t, h.Server)
			stamped(t, points(t, h)[i], a)
			stamped(t, claimed(t, bundled(t, h, v)), a)
		})
	}
}

func TestAnAuthorityOutOfReachStopsNoCheckpoint(t *testing.T) {
	a := authority.New(t, authority.Proper())
	h := start(t, stamping(t, "http://127.0.0.1:1", a, patiently))
	for i, plate := range []string{"粤A10001", "粤A10002"} {
		v, digest := sign(t, h, plate)
		if err := h.Server.Checkpoint(t.Context()); err == nil {
			t.Error("nothing is told")
		}
		if notes := bundled(t, h, v).Notes; len(notes) != 1 || notes[0].Code != evidence.NoteTimestampPending {
			t.Errorf("%+v", notes)
		}
		if got := verified(t, h, digest); got.Number("checkpoint.sequence") != float64(i+1) || got.Text("checkpoint.timestamp_state") != "pending" {
			t.Errorf("%s", got.Body)
		}
	}
}

func TestARefusedTimestampStopsNoOther(t *testing.T) {
	a := authority.New(t, authority.Proper())
	var m moody
	m.be(authority.Flood)
	h := start(t, stamping(t, authority.Serve(t, m.serve).URL, a, patiently))
	for _, plate := range []string{"粤A10001", "粤A10002", "粤A10003"} {
		sign(t, h, plate)
		if err := h.Server.Checkpoint(t.Context()); err == nil {
			t.Error("nothing is told")
		}
	}
	honest, asked := a.Honest(t), 0
	m.be(func(w http.ResponseWriter, r *http.Request) {
		if asked++; asked == 1 {
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		honest(w, r)
	})
	if err := h.Server.Checkpoint(t.Context()); !errors.Is(err, timestamp.ErrRefused) {
		t.Errorf("got %v", err)
	}
	list := points(t, h)
	if len(list) != 3 || list[0].TimestampState != evidence.TimestampPending {
		t.Fatalf("%+v", list)
	}
	stamped(t, list[1], a)
	stamped(t, list[2], a)
	run(t, h.Server)
	stamped(t, points(t, h)[0], a)
}

func TestACheckpointIsStampedOnceByServersThatRunAtOnce(t *testing.T) {
	a := authority.New(t, authority.Proper())
	var m moody
	var config api.Config
	h := start(t, stamping(t, authority.Serve(t, m.serve).URL, a, patiently), harness.Config(func(c *api.Config) { config = *c }))
	other, err := api.New(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	sign(t, h, "粤A10001")
	honest, nested := a.Honest(t), false
	m.be(func(w http.ResponseWriter, r *http.Request) {
		if !nested { // while one waits for its answer, the other asks and is done
			nested = true
			if err := other.Checkpoint(context.WithoutCancel(r.Context())); err != nil {
				t.Error(err)
			}
			a.Clock = a.Clock.Add(time.Hour)
		}
		honest(w, r)
	})
	run(t, h.Server)
	if got := points(t, h)[0]; !nested || !got.Timestamp.At.Equal(authority.Noon()) {
		t.Errorf("the token that was there first is gone for one of %s", got.Timestamp.At)
	}
}
