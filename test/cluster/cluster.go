// Package cluster tries what only several processes can show: replicas of the program on one database and one bucket that
// are killed under load, servers that go away and come back, clocks that differ.
//
// Its tests run the real binary (see package process) on MongoDB, or the stand-in for it, and on MinIO. WALKAROUND_KILLS says how
// often replicas are killed, WALKAROUND_OUTAGE how long servers stay away, as 30s.
package cluster
