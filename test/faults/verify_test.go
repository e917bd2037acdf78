package faults

import (
	"fmt"
	"net/http"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"example.com/walkaround/api"
	"example.com/walkaround/api/background/timestamp"
	"example.com/walkaround/domain"
	"example.com/walkaround/domain/evidence"
	"example.com/walkaround/domain/visit"
	"example.com/walkaround/test/authority"
	"example.com/walkaround/test/harness"
)

// TestVerifyBelievesNothingThatIsNotSealed changes what stands beside seals and events, and asks as anyone would.
func TestVerifyBelievesNothingThatIsNotSealed(t *testing.T) {
	s, tsa := seed(t), authority.New(t, authority.Proper())
	client, err := timestamp.New("http://127.0.0.1:1", tsa.Roots(), nil)
	if err != nil {
		t.Fatal(err)
	}
	trusting := harness.Config(func(c *api.Config) { c.Timestamps = client })
	token := func(imprint func(*evidence.Checkpoint) []byte) func(damage) {
		return checkpointed(2, func(c *evidence.Checkpoint) {
			made := stamped(t, tsa, imprint(c))
			c.TimestampState, c.Timestamp = evidence.TimestampVerified, &made
		})
	}
	right := token(func(c *evidence.Checkpoint) []byte { return c.Imprint() })
	wrong := token(func(*evidence.Checkpoint) []byte { return make([]byte, 32) })
	for _, c := range []struct {
		name   string
		digest string
		spoil  func(damage)
		houses []harness.Option
		want   map[string]any
	}{
		{
			"a sheet called superseded", s.digest, signature(s.first, func(g *visit.Signature) { g.Superseded = true }), nil,
			map[string]any{"superseded": false, "genuine": true},
		},
		{"a superseded sheet called current", s.replaced, visiting(s.twice, func(v *visit.Visit) {
			v.Signatures[0].Superseded, v.Signatures[1].Superseded = false, true
		}), nil, map[string]any{"superseded": true, "genuine": true}},
		{
			"a conflict that was none, and adopted", s.digest, signature(s.first, func(g *visit.Signature) { g.Conflict, g.AdoptedAt = true, &g.SealedAt }), nil,
			map[string]any{"conflict": false, "adopted": false, "genuine": true},
		},
		{
			"revision and time beside the seal", s.digest, signature(s.first, func(g *visit.Signature) { g.Revision, g.SealedAt = 9, domain.Time{} }), nil,
			map[string]any{"revision": 1.0, "genuine": true},
		},
		{"the seal of another visit", s.digest, func(d damage) {
			var other visit.Signature
			edit(d, "visits", "main/"+s.second, func(v *visit.Visit) { other = v.Signatures[0] })
			edit(d, "visits", "main/"+s.first, func(v *visit.Visit) { v.Signatures[0].Seal = other.Seal })
		}, nil, map[string]any{"genuine": false}},
		{"events made anew", s.digest, event(s.first, func(e []evidence.Event) []evidence.Event { return rechained(s.first, e) }), nil, map[string]any{
			"genuine": false, "faults": []any{"chain_broken"},
		}},
		{"a right timestamp", s.digest2, right, []harness.Option{trusting}, map[string]any{
			"genuine": true, "checkpoint.timestamp_state": "verified", "checkpoint.timestamped_at": "2026-02-01T12:00:00.000Z",
		}},
		{"a right timestamp of nobody who is trusted", s.digest2, right, nil, map[string]any{
			"genuine": true, "checkpoint.timestamp_state": "unchecked", "checkpoint.timestamped_at": nil,
		}},
		{"a timestamp of something else", s.digest2, wrong, []harness.Option{trusting}, map[string]any{
			"genuine": false, "faults": []any{"timestamp_forged"}, "checkpoint.timestamp_state": "forged", "checkpoint.timestamped_at": nil,
		}},
		{"a timestamp of something else, and nobody trusted", s.digest2, wrong, nil, map[string]any{
			"genuine": false, "checkpoint.timestamp_state": "forged", "checkpoint.timestamped_at": nil,
		}},
		{"a timestamp that is gone", s.digest2, func(d damage) {
			edit(d, "checkpoints", "main/000000000002", func(c *bson.M) { (*c)["timestamp_state"] = "verified" })
		}, nil, map[string]any{"genuine": false, "checkpoint.timestamp_state": "forged"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := s.copied(t)
			c.spoil(d)
			h := harness.Start(t, append(c.houses, harness.Folder(d.folder), harness.Idle())...)
			got := h.Anyone().Get("/v1/verify/" + c.digest).Want(http.StatusOK)
			for member, want := range c.want {
				if is := got.At(member); fmt.Sprint(is) != fmt.Sprint(want) {
					t.Errorf("%s is %v, want %v: %s", member, is, want, got.Body)
				}
			}
		})
	}
}
