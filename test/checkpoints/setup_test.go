// Package checkpoints_test holds the checkpoints to what they promise, through the front door: no seal is lost or taken
// twice, whatever crashes, lies or runs at the same time. Storage is only touched to make what a crash would leave.
package checkpoints_test

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"example.com/walkaround/api"
	"example.com/walkaround/api/background/timestamp"
	"example.com/walkaround/domain"
	"example.com/walkaround/domain/evidence"
	"example.com/walkaround/storage"
	"example.com/walkaround/test/authority"
	"example.com/walkaround/test/harness"
)

// start opens a house whose background work is done when the test says so.
func start(t *testing.T, options ...harness.Option) *harness.House {
	t.Helper()
	return harness.Start(t, append(options, harness.Idle())...)
}

// How long a house waits for its authority.
const (
	briefly   = time.Second
	patiently = 20 * time.Second
)

// stamping is the configuration of a house that asks an authority for the time.
func stamping(t *testing.T, address string, a *authority.Authority, patience time.Duration) harness.Option {
	t.Helper()
	client, err := timestamp.New(address, a.Roots(), &http.Client{Timeout: patience})
	if err != nil {
		t.Fatal(err)
	}
	return harness.Config(func(c *api.Config) { c.Timestamps = client })
}

// moody is an authority that answers as it is told, and may be told otherwise later.
type moody struct {
	answer atomic.Pointer[http.HandlerFunc]
}

func (m *moody) be(answer http.HandlerFunc) { m.answer.Store(&answer) }

func (m *moody) serve(w http.ResponseWriter, r *http.Request) { (*m.answer.Load())(w, r) }

// sign signs a new sheet and gives the visit and the digest.
func sign(t *testing.T, h *harness.House, plate string) (v harness.Visit, digest string) {
	t.Helper()
	v = h.As("advisor").In(t).ReadyVisit(plate)
	return v, v.Sign().Want(http.StatusCreated).Text("digest")
}

func run(t *testing.T, s *api.Server) {
	t.Helper()
	if err := s.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// points lists all checkpoints of the store, the oldest first, and verifies each with the one before.
func points(t *testing.T, h *harness.House) []evidence.Checkpoint {
	t.Helper()
	var list []evidence.Checkpoint
	for cursor := ""; ; {
		got := h.As("supervisor").In(t).Get("/v1/checkpoints?limit=200" + cursor).Want(http.StatusOK)
		var page struct{ Items []evidence.Checkpoint }
		got.JSON(&page)
		list = append(list, page.Items...)
		next := got.Text("next_cursor")
		if next == "" {
			break
		}
		cursor = "&cursor=" + next
	}
	slices.Reverse(list)
	var previous *evidence.Checkpoint
	keys, seen := published(t, h), map[string]bool{}
	for i, c := range list {
		if err := c.Verify(keys, previous); err != nil || c.Sequence != int64(i+1) || int(c.Size) != len(c.Leaves) {
			t.Fatalf("checkpoint %d as number %d: %v", c.Sequence, i+1, err)
		}
		for _, leaf := range c.Leaves {
			if seen[leaf] {
				t.Errorf("%s is in two checkpoints", leaf)
			}
			seen[leaf] = true
		}
		previous = &c
	}
	return list
}

// published are the keys that the house hands out.
func published(t *testing.T, h *harness.House) evidence.PublicKeys {
	t.Helper()
	keys, err := evidence.ParseKeys(h.Anyone().In(t).Get("/.well-known/walkaround-keys.json").Want(http.StatusOK).Body)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// verified asks as anyone, demands a genuine sheet, and gives the answer.
func verified(t *testing.T, h *harness.House, digest string) harness.Answer {
	t.Helper()
	got := h.Anyone().In(t).Get("/v1/verify/" + digest).Want(http.StatusOK)
	if got.At("genuine") != true {
		t.Fatalf("not genuine: %s", got.Body)
	}
	return got
}

// bundled reads the bundle of a visit and verifies it offline.
func bundled(t *testing.T, h *harness.House, v harness.Visit) evidence.Verdict {
	t.Helper()
	zip := h.As("advisor").In(t).Get(v.At("/documents/bundle.zip")).Want(http.StatusOK).Body
	verdict, err := evidence.VerifyBundle(published(t, h), bytes.NewReader(zip), int64(len(zip)))
	if err != nil || verdict.Result != evidence.Genuine {
		t.Fatalf("%+v, %v", verdict, err)
	}
	return verdict
}

// row is a proof as it is stored.
type row struct {
	Digest      string      `bson:"digest"`
	StoreID     string      `bson:"store_id"`
	VisitID     string      `bson:"visit_id"`
	SignatureID string      `bson:"signature_id"`
	SealedAt    domain.Time `bson:"sealed_at"`
	Leaf        string      `bson:"leaf"`
	Checkpoint  int64       `bson:"checkpoint"`
}

func rows(e storage.Engine) *storage.Collection[row] {
	return storage.NewCollection(e, storage.Shape[row]{
		Name: "proofs",
		ID:   func(r *row) string { return r.Digest },
		Keys: []storage.Key[row]{{Name: "unchecked", Values: func(r *row) []string {
			if r.Checkpoint > 0 {
				return nil
			}
			return []string{r.StoreID + "/" + r.SealedAt.String()}
		}}},
	})
}

// insert files n proofs of seals, one a second from at on, and gives their leaves.
func insert(t *testing.T, h *harness.House, storeID string, n int, at time.Time) []string {
	t.Helper()
	leaves := make([]string, n)
	for i := range leaves {
		name := storeID + at.String() + strconv.Itoa(i)
		leaves[i] = evidence.Digest([]byte("leaf" + name))
		put(t, h, row{
			Digest: evidence.Digest([]byte(name)), StoreID: storeID, Leaf: leaves[i], SealedAt: domain.At(at.Add(time.Duration(i) * time.Second)),
		})
	}
	return leaves
}

func put(t *testing.T, h *harness.House, r row) {
	t.Helper()
	if _, err := rows(h.Engine).Insert(t.Context(), r); err != nil {
		t.Fatal(err)
	}
}

// forget takes the mark off the proofs of a checkpoint: a crash came after it was inserted.
func forget(t *testing.T, h *harness.House, digests ...string) {
	t.Helper()
	for _, d := range digests {
		if _, err := rows(h.Engine).Update(t.Context(), d, func(r *row) error { r.Checkpoint = 0; return nil }); err != nil {
			t.Fatal(err)
		}
	}
}

// waiting counts the proofs of all stores that are in no checkpoint.
func waiting(ctx context.Context, t *testing.T, h *harness.House) int {
	t.Helper()
	page, err := rows(h.Engine).FindValues(ctx, storage.Query{Key: "unchecked", Limit: storage.MaxFind})
	if err != nil {
		t.Fatal(err)
	}
	return len(page.Items)
}
