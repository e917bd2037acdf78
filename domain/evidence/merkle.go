package evidence

import (
	"crypto/sha256"
	"encoding/hex"
	"math/bits"
)

// The tree hashing of RFC 6962, section 2.1: leaves and nodes are hashed apart, so that none passes for the other.

// hash is a node of the tree.
type hash = [sha256.Size]byte

func leafHash(data []byte) hash { return sha256.Sum256(append([]byte{0}, data...)) }

func nodeHash(left, right hash) hash {
	buf := make([]byte, 0, 1+2*sha256.Size)
	buf = append(buf, 1)
	buf = append(buf, left[:]...)
	return sha256.Sum256(append(buf, right[:]...))
}

// treeHash is the root over leaf hashes.
func treeHash(leaves []hash) hash {
	switch n := len(leaves); n {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return leaves[0]
	default:
		k := split(n)
		return nodeHash(treeHash(leaves[:k]), treeHash(leaves[k:]))
	}
}

// auditPath is the path of RFC 6962, section 2.1.1, from the leaf up.
func auditPath(index int, leaves []hash) []hash {
	n := len(leaves)
	if n < 2 {
		return nil
	}
	k := split(n)
	if index < k {
		return append(auditPath(index, leaves[:k]), treeHash(leaves[k:]))
	}
	return append(auditPath(index-k, leaves[k:]), treeHash(leaves[:k]))
}

// climb computes the root that a leaf and its path lead to; false if the path hasn't the length that the tree's size asks.
func climb(leaf hash, index, size int64, path []hash) (hash, bool) {
	if index < 0 || index >= size {
		return hash{}, false
	}
	node, last := leaf, size-1
	for _, sibling := range path {
		if last == 0 {
			return hash{}, false
		}
		if index&1 == 1 || index == last {
			node = nodeHash(sibling, node)
			for index&1 == 0 { // a node without a right sibling rises untouched
				index, last = index>>1, last>>1
			}
		} else {
			node = nodeHash(node, sibling)
		}
		index, last = index>>1, last>>1
	}
	return node, last == 0
}

// split is the largest power of two below n, for n of 2 and more.
func split(n int) int { return 1 << (bits.Len(uint(n-1)) - 1) }

func written(h hash) string { return digestPrefix + hex.EncodeToString(h[:]) }

// hashes reads digests; false if one is none.
func hashes(digests []string) ([]hash, bool) {
	out := make([]hash, len(digests))
	for i, d := range digests {
		b, ok := digestBytes(d)
		if !ok {
			return nil, false
		}
		out[i] = hash(b)
	}
	return out, true
}
