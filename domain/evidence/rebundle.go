package evidence

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
)

// exact writes the bundle again from what was understood of it: every byte of the file must be there for that.
func (c *trial) exact(u unpacked, r io.ReaderAt, size int64) bool {
	same := &sameBytes{r: r}
	if err := WriteBundle(same, u.again); err != nil || same.at != size {
		return c.fail(ReasonBundleUnreadable, "The file is not, byte for byte, the bundle of its parts: something else is in it, or it was packed again.")
	}
	return true
}

var errOtherBytes = errors.New("not the bytes that are there")

// sameBytes is a writer that takes only what a source already holds at the same place.
type sameBytes struct {
	r   io.ReaderAt
	at  int64
	buf [32 << 10]byte
}

// Write compares.
func (s *sameBytes) Write(p []byte) (int, error) {
	for chunk := range slices.Chunk(p, len(s.buf)) {
		there := s.buf[:len(chunk)]
		if n, err := s.r.ReadAt(there, s.at); n < len(there) {
			return 0, fmt.Errorf("read it again: %w", err)
		}
		if !bytes.Equal(there, chunk) {
			return 0, errOtherBytes
		}
		s.at += int64(len(chunk))
	}
	return len(p), nil
}

// published holds the keys in the bundle, which are nobody's word, against those that signed it and those that the caller
// trusts.
func (c *trial) published(u unpacked) bool {
	for _, id := range u.again.signerIDs() {
		if _, ok := u.again.Keys[id]; !ok {
			return c.fail(ReasonBundleIncomplete, "A key that signed something is not among those in the bundle.")
		}
	}
	for id, k := range u.again.Keys {
		trusted, known := c.keys[id]
		if k.StoreID != c.seal.Statement.StoreID || known && !k.like(trusted) {
			return c.fail(ReasonBundleMixed, "A key in the bundle is not what the store published.")
		}
	}
	return true
}

// like says whether two keys are one, apart from its retirement, which one of them may not know of yet.
func (k PublicKey) like(other PublicKey) bool {
	return k.ID == other.ID && k.StoreID == other.StoreID && k.Algorithm == other.Algorithm &&
		bytes.Equal(k.Public, other.Public) && k.NotBefore.Equal(other.NotBefore.Time)
}
