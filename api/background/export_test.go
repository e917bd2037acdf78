package background

import "time"

// Hurry shortens the leases of a relay, before it is started.
func (r *Relay) Hurry(lease time.Duration) { r.lease = lease }
