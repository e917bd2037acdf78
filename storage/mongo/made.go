package mongo

import (
	"sync"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// made remembers of the records that were read or written last by which write they were made: only so can a change whose
// answer was lost be sent again. It is no cache: what it says is compared with the stored document, and nothing is wrong
// where it knows nothing.
type made struct {
	mu    sync.Mutex
	heads map[string]head // by id
}

type head struct {
	version int64
	write   bson.ObjectID
}

// mostHeads bounds what is remembered of a collection: far more records than are being changed at a time.
const mostHeads = 1024

// note remembers the version that was seen last.
func (m *made) note(id string, version int64, write bson.ObjectID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.heads == nil || len(m.heads) >= mostHeads {
		m.heads = map[string]head{}
	}
	m.heads[id] = head{version: version, write: write}
}

// by is the write that made a version; zero where that is not remembered.
func (m *made) by(id string, version int64) bson.ObjectID {
	m.mu.Lock()
	defer m.mu.Unlock()
	if h := m.heads[id]; h.version == version {
		return h.write
	}
	return bson.ObjectID{}
}
