package evidence_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/evidence"
)

func leavesOf(n int) []string {
	leaves := []string{}
	for i := range n {
		leaves = append(leaves, evidence.Digest(fmt.Append(nil, i)))
	}
	return leaves
}

func checkpointOf(tb testing.TB, key evidence.SigningKey, previous *evidence.Checkpoint, leaves []string) evidence.Checkpoint {
	tb.Helper()
	c, err := evidence.NewCheckpoint(key, previous, leaves, noon)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// naiveRoot follows the recursive definition of RFC 6962, section 2.1, word for word.
func naiveRoot(leaves [][]byte) []byte {
	switch len(leaves) {
	case 0:
		sum := sha256.Sum256(nil)
		return sum[:]
	case 1:
		sum := sha256.Sum256(append([]byte{0}, leaves[0]...))
		return sum[:]
	}
	k := 1
	for k*2 < len(leaves) {
		k *= 2
	}
	sum := sha256.Sum256(bytes.Join([][]byte{{1}, naiveRoot(leaves[:k]), naiveRoot(leaves[k:])}, nil))
	return sum[:]
}

func TestRootIsThatOfRFC6962AndEveryLeafHasAWay(t *testing.T) {
	key := keyOf(storeA, 1)
	for n := range 36 {
		leaves := leavesOf(n)
		c := checkpointOf(t, key, nil, leaves)
		var raw [][]byte
		for i := range leaves {
			sum := sha256.Sum256(fmt.Append(nil, i))
			raw = append(raw, sum[:])
		}
		if want := fmt.Sprintf("sha256:%x", naiveRoot(raw)); c.Root != want {
			t.Fatalf("%d leaves: root %s, want %s", n, c.Root, want)
		}
		bare := c
		bare.Leaves = nil
		for i, leaf := range leaves {
			way, err := c.Proof(leaf)
			if err != nil || way.Index != int64(i) {
				t.Fatal(err)
			}
			if err := way.Verify(leaf, bare); err != nil {
				t.Errorf("leaf %d of %d: %v", i, n, err)
			}
			if err := way.Verify(evidence.Digest([]byte("other")), bare); !errors.Is(err, evidence.ErrForged) {
				t.Errorf("another leaf at %d of %d: %v", i, n, err)
			}
		}
	}
}

func TestInclusionRefusesEveryOtherWay(t *testing.T) {
	c := checkpointOf(t, keyOf(storeA, 1), nil, leavesOf(7))
	leaf := c.Leaves[2]
	way, err := c.Proof(leaf)
	if err != nil {
		t.Fatal(err)
	}
	changes := map[string]func(i *evidence.Inclusion, c *evidence.Checkpoint){
		"another place":    func(i *evidence.Inclusion, _ *evidence.Checkpoint) { i.Index = 3 },
		"behind the end":   func(i *evidence.Inclusion, _ *evidence.Checkpoint) { i.Index = 7 },
		"before the start": func(i *evidence.Inclusion, _ *evidence.Checkpoint) { i.Index = -1 },
		"a longer way":     func(i *evidence.Inclusion, _ *evidence.Checkpoint) { i.Path = append(i.Path, leaf) },
		"a shorter way":    func(i *evidence.Inclusion, _ *evidence.Checkpoint) { i.Path = i.Path[:2] },
		"no digest":        func(i *evidence.Inclusion, _ *evidence.Checkpoint) { i.Path[1] = "x" },
		"turned round":     func(i *evidence.Inclusion, _ *evidence.Checkpoint) { i.Path[0], i.Path[1] = i.Path[1], i.Path[0] },
		"another size":     func(_ *evidence.Inclusion, c *evidence.Checkpoint) { c.Size = 3 },
		"another one":      func(_ *evidence.Inclusion, c *evidence.Checkpoint) { c.Sequence = 2 },
	}
	for name, change := range changes {
		i, point := way, c
		i.Path = append([]string{}, way.Path...)
		change(&i, &point)
		if err := i.Verify(leaf, point); !errors.Is(err, evidence.ErrForged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := way.Verify("x", c); !errors.Is(err, evidence.ErrForged) {
		t.Errorf("a leaf that is no digest: %v", err)
	}
	var refusal *domain.Error
	if _, err := c.Proof(evidence.Digest([]byte("other"))); !errors.As(err, &refusal) || refusal.Code != domain.CodeNotFound {
		t.Errorf("a leaf that is not there: %v", err)
	}
}

func TestCheckpointsFollowEachOther(t *testing.T) {
	key := keyOf(storeA, 1)
	first := checkpointOf(t, key, nil, leavesOf(3))
	second := checkpointOf(t, keyOf(storeA, 2), &first, leavesOf(2)) // the key was changed in between
	keys := pinned(key, keyOf(storeA, 2))
	if err := first.Verify(keys, nil); err != nil {
		t.Error(err)
	}
	if err := second.Verify(keys, &first); err != nil || second.Sequence != 2 {
		t.Errorf("second: %v", err)
	}
	if err := second.Verify(pinned(key), &first); !errors.Is(err, evidence.ErrUnknownKey) {
		t.Errorf("without its key: %v", err)
	}
	other := checkpointOf(t, key, nil, leavesOf(4))
	if err := second.Verify(keys, &other); !errors.Is(err, evidence.ErrForged) {
		t.Errorf("after another first: %v", err)
	}
	third := checkpointOf(t, key, &second, nil)
	if err := third.Verify(keys, &first); !errors.Is(err, evidence.ErrForged) {
		t.Errorf("one left out: %v", err)
	}
	if _, err := evidence.NewCheckpoint(keyOf(storeB, 3), &first, nil, noon); err == nil {
		t.Error("one store follows another")
	}
}

func TestCheckpointNoticesEveryChange(t *testing.T) {
	key := keyOf(storeA, 1)
	first := checkpointOf(t, key, nil, leavesOf(3))
	changes := map[string]func(*evidence.Checkpoint){
		"format":        func(c *evidence.Checkpoint) { c.Format = "x" },
		"store":         func(c *evidence.Checkpoint) { c.StoreID = storeB },
		"sequence":      func(c *evidence.Checkpoint) { c.Sequence++ },
		"size":          func(c *evidence.Checkpoint) { c.Size++ },
		"root":          func(c *evidence.Checkpoint) { c.Root = evidence.Digest(nil) },
		"previous":      func(c *evidence.Checkpoint) { c.Previous = evidence.Digest(nil) },
		"time":          func(c *evidence.Checkpoint) { c.CreatedAt.Time = c.CreatedAt.Add(time.Second) },
		"leaf added":    func(c *evidence.Checkpoint) { c.Leaves = append(c.Leaves, evidence.Digest(nil)) },
		"leaf removed":  func(c *evidence.Checkpoint) { c.Leaves = c.Leaves[1:] },
		"leaf changed":  func(c *evidence.Checkpoint) { c.Leaves = append([]string{evidence.Digest(nil)}, c.Leaves[1:]...) },
		"leaf no more":  func(c *evidence.Checkpoint) { c.Leaves = []string{} },
		"leaf nonsense": func(c *evidence.Checkpoint) { c.Leaves = []string{"a", "b"} },
		"signature":     func(c *evidence.Checkpoint) { c.Signature = c.Signature[1:] },
	}
	for name, change := range changes {
		c := checkpointOf(t, key, &first, leavesOf(2))
		change(&c)
		if err := c.Verify(pinned(key), &first); !errors.Is(err, evidence.ErrForged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := evidence.NewCheckpoint(key, nil, []string{"x"}, noon); err == nil {
		t.Error("a leaf that is no digest is taken")
	}
	if _, err := evidence.NewCheckpoint(evidence.SigningKey{StoreID: storeA}, nil, nil, noon); err == nil {
		t.Error("a checkpoint without a key")
	}
}

func TestClockThatStepsBackBreaksNoCheckpoint(t *testing.T) {
	key := keyOf(storeA, 1)
	first := checkpointOf(t, key, nil, nil)
	for back, good := range map[time.Duration]bool{time.Hour: true, 72 * time.Hour: false} {
		second, err := evidence.NewCheckpoint(key, &first, nil, domain.At(noon.Add(-back)))
		if err != nil {
			t.Fatal(err)
		}
		k := key.Public(domain.At(noon.Add(-100 * time.Hour)))
		if err := second.Verify(evidence.PublicKeys{k.ID: k}, &first); (err == nil) != good {
			t.Errorf("%s back: %v", back, err)
		}
	}
}

func TestImprintIsOfTheSignedPartAlone(t *testing.T) {
	c := checkpointOf(t, keyOf(storeA, 1), nil, leavesOf(2))
	before := c.Imprint()
	c.TimestampState, c.Timestamp = evidence.TimestampVerified, &evidence.TimestampToken{Token: []byte{1}, Authority: "a", At: noon}
	if len(before) != sha256.Size || !bytes.Equal(c.Imprint(), before) {
		t.Error("the token changes what it stamps")
	}
	c.Signature = bytes.Clone(c.Signature)
	c.Signature[0] ^= 1
	if bytes.Equal(c.Imprint(), before) {
		t.Error("the signature isn't stamped")
	}
}

func TestCheckpointSurvivesBSONAndJSON(t *testing.T) {
	key := keyOf(storeA, 1)
	c := checkpointOf(t, key, nil, leavesOf(3))
	c.Timestamp = &evidence.TimestampToken{Token: []byte{1, 2}, Authority: "CN=time", At: noon}
	raw, err := bson.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var fromBSON, fromJSON evidence.Checkpoint
	if err := errors.Join(bson.Unmarshal(raw, &fromBSON), json.Unmarshal(text, &fromJSON)); err != nil {
		t.Fatal(err)
	}
	for _, back := range []evidence.Checkpoint{fromBSON, fromJSON} {
		if err := back.Verify(pinned(key), nil); err != nil || !bytes.Equal(back.Imprint(), c.Imprint()) || !bytes.Equal(back.Timestamp.Token, c.Timestamp.Token) {
			t.Errorf("%+v: %v", back, err)
		}
	}
}
