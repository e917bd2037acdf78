package background

import "time"

// Hurry shortens the leases of a relay, before it is started.
func (r *Relay) Hurry(lease time.Duration) { r.lease = lease }

// FalseHits adds names that stand in documents to the filter of so many blobs, and counts those of others that seem to be
// there.
func FalseHits(blobs int64, added, others []string) (hits int) {
	n := newNameSet(blobs)
	for _, name := range added {
		n.add([]byte(name))
	}
	for _, name := range others {
		if n.has("main/" + name) {
			hits++
		}
	}
	return hits
}
