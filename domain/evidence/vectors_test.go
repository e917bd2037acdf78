package evidence_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"testing"

	"example.com/walkaround/domain/evidence"
)

// proof is the published example of a whole visit.
type proof struct {
	Key struct {
		Seed     string          `json:"seed_hex"`
		ID       string          `json:"id"`
		Document json.RawMessage `json:"document"`
	} `json:"key"`
	Chain struct {
		Subject string           `json:"subject"`
		Events  []evidence.Event `json:"events"`
	} `json:"chain"`
	Form struct {
		Canonical string `json:"canonical"`
		Digest    string `json:"digest"`
	} `json:"form"`
	Seal struct {
		Seal      evidence.Seal `json:"seal"`
		Canonical string        `json:"canonical"`
		Leaf      string        `json:"leaf"`
	} `json:"seal"`
	File struct {
		Body    string `json:"body"`
		Trailer string `json:"trailer"`
	} `json:"file"`
	Checkpoint struct {
		Checkpoint evidence.Checkpoint `json:"checkpoint"`
		Hash       string              `json:"hash"`
		Imprint    string              `json:"imprint_hex"`
		Inclusions []struct {
			Leaf      string             `json:"leaf"`
			Inclusion evidence.Inclusion `json:"inclusion"`
		} `json:"inclusions"`
	} `json:"checkpoint"`
}

// published reads the example and the key that signs it.
func published(t *testing.T) (proof, evidence.SigningKey, evidence.PublicKeys) {
	t.Helper()
	var p proof
	readVectors(t, "proof.json", &p)
	seed, err := hex.DecodeString(p.Key.Seed)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := evidence.ParseKeys(p.Key.Document)
	if err != nil {
		t.Fatal(err)
	}
	return p, evidence.NewSigningKey(storeA, [32]byte(seed)), keys
}

func TestChainFollowsThePublishedVectors(t *testing.T) {
	p, key, keys := published(t)
	if key.ID != p.Key.ID || !bytes.Equal(keys[key.ID].Public, key.Public(noon).Public) {
		t.Errorf("key %s", key.ID)
	}
	if err := evidence.VerifyChain(p.Chain.Subject, p.Chain.Events); err != nil {
		t.Error(err)
	}
	var again []evidence.Event
	for _, e := range p.Chain.Events {
		again = evidence.Append(p.Chain.Subject, again, e)
	}
	if got, want := evidence.HeadOf(again), evidence.HeadOf(p.Chain.Events); got != want {
		t.Errorf("head %v, want %v", got, want)
	}
}

func TestSealFollowsThePublishedVectors(t *testing.T) {
	p, key, keys := published(t)
	if evidence.Digest([]byte(p.Form.Canonical)) != p.Form.Digest || p.Seal.Seal.Statement.Digest != p.Form.Digest {
		t.Error("the form has another digest")
	}
	if err := p.Seal.Seal.Verify(keys); err != nil {
		t.Error(err)
	}
	made := sealOf(t, key, p.Seal.Seal.Statement)
	if string(sealFile(t, made)) != p.Seal.Canonical || made.Leaf() != p.Seal.Leaf {
		t.Errorf("got  %s\nwant %s", sealFile(t, made), p.Seal.Canonical)
	}
	if got := evidence.SignFile(key, []byte(p.File.Body)); string(got) != p.File.Body+p.File.Trailer {
		t.Errorf("file %q", got)
	}
}

func TestCheckpointFollowsThePublishedVectors(t *testing.T) {
	p, key, keys := published(t)
	want := p.Checkpoint.Checkpoint
	if err := want.Verify(keys, nil); err != nil {
		t.Error(err)
	}
	made, err := evidence.NewCheckpoint(key, nil, want.Leaves, want.CreatedAt)
	if err != nil {
		t.Fatal(err)
	}
	hash, err := made.Hash()
	if err != nil || hash != p.Checkpoint.Hash || hex.EncodeToString(made.Imprint()) != p.Checkpoint.Imprint || !bytes.Equal(made.Signature, want.Signature) {
		t.Errorf("%+v, %v", made, err)
	}
	for _, i := range p.Checkpoint.Inclusions {
		if err := i.Inclusion.Verify(i.Leaf, want); err != nil {
			t.Errorf("leaf %d: %v", i.Inclusion.Index, err)
		}
	}
}
