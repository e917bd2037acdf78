package evidence

import (
	"fmt"
	"slices"

	"example.com/walkaround/domain"
)

// CheckpointFormat is the version of what a checkpoint says, and the kind under which it is signed.
const CheckpointFormat = "walkaround-checkpoint/1"

// The states of a checkpoint's timestamp.
const (
	TimestampNone     = "none"     // no authority is configured
	TimestampPending  = "pending"  // asked for, not there yet
	TimestampVerified = "verified" // there and verified

	// TimestampUnchecked is the state in a Verdict alone: a token is there, and nobody has verified it yet.
	TimestampUnchecked = "unchecked"
)

// TimestampToken is an RFC 3161 token over Checkpoint.Imprint.
type TimestampToken struct {
	Token     []byte      `bson:"token" json:"token"`         // DER, as the authority gave it
	Authority string      `bson:"authority" json:"authority"` // the subject of its certificate
	At        domain.Time `bson:"at" json:"at"`               // the authority's time
}

// Checkpoint gathers the seals that had none yet in a Merkle tree (RFC 6962) under the store's signature, and holds the hash
// of the checkpoint before: nobody can later add, change or drop a seal without breaking all that follow. What is signed is
// everything from Format to CreatedAt.
type Checkpoint struct {
	Format         string          `bson:"format" json:"format"`
	StoreID        string          `bson:"store_id" json:"store_id"`
	Sequence       int64           `bson:"sequence" json:"sequence"` // 1, 2, 3 …
	Size           int64           `bson:"size" json:"size"`         // how many leaves
	Root           string          `bson:"root" json:"root" pattern:"^sha256:[0-9a-f]{64}$"`
	Previous       string          `bson:"previous,omitempty" json:"previous,omitempty"` // Statement hash of the one before, its root inside
	CreatedAt      domain.Time     `bson:"created_at" json:"created_at"`
	KeyID          string          `bson:"key_id" json:"key_id"`
	Public         Base64URL       `bson:"public" json:"public"`
	Signature      Base64URL       `bson:"signature" json:"signature"`
	TimestampState string          `bson:"timestamp_state" json:"timestamp_state" enums:"none,pending,verified"`
	Timestamp      *TimestampToken `bson:"timestamp,omitempty" json:"timestamp,omitempty"`
	Leaves         []string        `bson:"leaves,omitempty" json:"leaves,omitempty"` // in the order they came; left out in a bundle
}

// checkpointStatement is what a checkpoint's signature covers.
type checkpointStatement struct {
	Format    string      `json:"format"`
	StoreID   string      `json:"store_id"`
	Sequence  int64       `json:"sequence"`
	Size      int64       `json:"size"`
	Root      string      `json:"root"`
	Previous  string      `json:"previous"`
	CreatedAt domain.Time `json:"created_at"`
}

// Inclusion is the way from one leaf to the root of a checkpoint.
type Inclusion struct {
	Sequence int64    `bson:"sequence" json:"sequence"` // of the checkpoint
	Index    int64    `bson:"index" json:"index"`
	Path     []string `bson:"path" json:"path"`
}

// NewCheckpoint makes the checkpoint after previous (nil for a store's first) over the leaves of the seals that have none yet.
// Its timestamp is TimestampNone until the caller sets it.
func NewCheckpoint(key SigningKey, previous *Checkpoint, leaves []string, at domain.Time) (Checkpoint, error) {
	c := Checkpoint{
		Format: CheckpointFormat, StoreID: key.StoreID, Size: int64(len(leaves)), CreatedAt: domain.At(at.Time),
		KeyID: key.ID, Public: key.public(), TimestampState: TimestampNone, Leaves: slices.Clone(leaves),
	}
	root, err := rootOf(leaves)
	if err != nil {
		return Checkpoint{}, err
	}
	c.Root = root
	if c.Sequence, c.Previous, err = after(previous, key.StoreID); err != nil {
		return Checkpoint{}, err
	}
	message, err := c.message()
	if err != nil {
		return Checkpoint{}, err
	}
	c.Signature, err = key.sign(CheckpointFormat, message)
	return c, err
}

// after gives number and link of the checkpoint that follows previous, or of a store's first.
func after(previous *Checkpoint, storeID string) (sequence int64, link string, err error) {
	if previous == nil {
		return 1, "", nil
	}
	if previous.StoreID != storeID {
		return 0, "", fmt.Errorf("evidence: a checkpoint of store %q can't follow one of %q", storeID, previous.StoreID)
	}
	link, err = previous.Hash()
	return previous.Sequence + 1, link, err
}

// Hash names the checkpoint's signed statement: what the next one holds as Previous.
func (c Checkpoint) Hash() (string, error) {
	message, err := c.message()
	if err != nil {
		return "", err
	}
	return Digest(message), nil
}

// Imprint is the SHA-256 that a timestamp authority is asked to stamp: of statement, key and signature. It is nil if the
// checkpoint can't be written.
func (c Checkpoint) Imprint() []byte {
	c.TimestampState, c.Timestamp, c.Leaves = "", nil, nil
	form, err := canonicalOf(c)
	if err != nil {
		return nil
	}
	return fileMessage(form)
}

// Verify recomputes the signature with the keys that the caller trusts; the root, if the leaves are there; and the link to
// previous, if one is given. The error is an ErrUnknownKey or an ErrForged.
func (c Checkpoint) Verify(keys PublicKeys, previous *Checkpoint) error {
	message, err := c.message()
	if err != nil {
		return err
	}
	if err := keys.verify(CheckpointFormat, message, c.Signature, c.KeyID, c.StoreID, c.CreatedAt); err != nil {
		return err
	}
	if c.Leaves != nil {
		if root, err := rootOf(c.Leaves); err != nil || root != c.Root || int64(len(c.Leaves)) != c.Size {
			return forged("checkpoint %d does not have the root of its leaves", c.Sequence)
		}
	}
	return c.verifyLink(previous)
}

// verifyLink checks that c stands where it says.
func (c Checkpoint) verifyLink(previous *Checkpoint) error {
	if c.Sequence < 1 || (c.Sequence == 1) != (c.Previous == "") {
		return forged("checkpoint %d does not stand where it says", c.Sequence)
	}
	if previous == nil {
		return nil
	}
	hash, err := previous.Hash()
	if err != nil || previous.StoreID != c.StoreID || previous.Sequence+1 != c.Sequence || hash != c.Previous {
		return forged("checkpoint %d does not follow the one before", c.Sequence)
	}
	if c.CreatedAt.Before(previous.CreatedAt.Add(-clockSlack)) {
		return forged("checkpoint %d is older than the one before", c.Sequence)
	}
	return nil
}

// Proof gives the way of a leaf to the root; a not_found refusal if the leaf isn't in this checkpoint.
func (c Checkpoint) Proof(leaf string) (Inclusion, error) {
	index := slices.Index(c.Leaves, leaf)
	if index < 0 {
		return Inclusion{}, domain.Refuse(domain.CodeNotFound, "the leaf is not in checkpoint %d", c.Sequence)
	}
	nodes, ok := leafHashes(c.Leaves)
	if !ok {
		return Inclusion{}, forged("checkpoint %d holds a leaf that is no digest", c.Sequence)
	}
	i := Inclusion{Sequence: c.Sequence, Index: int64(index), Path: []string{}}
	for _, h := range auditPath(index, nodes) {
		i.Path = append(i.Path, written(h))
	}
	return i, nil
}

// Verify says whether the leaf is in the checkpoint, whose leaves it doesn't need: an ErrForged if not. It doesn't look at the
// checkpoint's signature.
func (i Inclusion) Verify(leaf string, c Checkpoint) error {
	data, ok := digestBytes(leaf)
	path, okPath := hashes(i.Path)
	if !ok || !okPath || i.Sequence != c.Sequence {
		return forged("the inclusion is not of checkpoint %d", c.Sequence)
	}
	root, ok := climb(leafHash(data), i.Index, c.Size, path)
	if !ok || written(root) != c.Root {
		return forged("the path does not lead to the root of checkpoint %d", c.Sequence)
	}
	return nil
}

// message is what is signed.
func (c Checkpoint) message() ([]byte, error) {
	if c.Format != CheckpointFormat {
		return nil, forged("this is not a %s", CheckpointFormat)
	}
	return canonicalOf(checkpointStatement{c.Format, c.StoreID, c.Sequence, c.Size, c.Root, c.Previous, c.CreatedAt})
}

// ownKeys are the key that the checkpoint brings itself.
func (c Checkpoint) ownKeys() PublicKeys {
	return PublicKeys{c.KeyID: {ID: c.KeyID, StoreID: c.StoreID, Algorithm: AlgorithmEd25519, Public: c.Public}}
}

func rootOf(leaves []string) (string, error) {
	nodes, ok := leafHashes(leaves)
	if !ok {
		return "", fmt.Errorf("evidence: a leaf is no digest")
	}
	return written(treeHash(nodes)), nil
}

// leafHashes hashes the leaves' bytes; false if one is no digest.
func leafHashes(leaves []string) ([]hash, bool) {
	nodes, ok := hashes(leaves)
	for i := range nodes {
		nodes[i] = leafHash(nodes[i][:])
	}
	return nodes, ok
}
