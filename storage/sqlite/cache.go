package sqlite

import (
	"bytes"
	"hash/maphash"
	"sync"

	"go.mongodb.org/mongo-driver/v2/bson"

	"example.com/walkaround/storage"
)

// cache holds the documents that were read or written lately, so that one which is asked for again costs no walk through
// SQLite. It is exact: nobody but the writer of this process changes the file (lockFolder sees to that), and the writer
// takes a document out before its commit and puts the new one in after it; meanwhile nobody else may put it in. A row that
// is damaged on the disk shows when it is next read from there; check always reads from there.
type cache struct {
	seed   maphash.Seed
	shards [cacheShards]cacheShard
}

// Ten thousand visits fit; a document that is larger than a whole walk-around is not worth its room.
const (
	cacheShards    = 16
	cacheBytes     = 64 << 20
	cachedDocument = 128 << 10
)

// cacheKey names a document.
type cacheKey struct{ collection, id string }

type cached struct {
	version int64
	doc     bson.Raw // never changed
}

// cacheShard keeps two generations: when the young one is full it becomes the old one, and what nobody asked for since
// then is forgotten.
type cacheShard struct {
	mu         sync.Mutex
	young, old map[cacheKey]cached
	bytes      int    // of the young generation
	turns      uint64 // how often a write began or ended
	open       int    // writes that have not ended
}

func newCache() *cache {
	return &cache{seed: maphash.MakeSeed()}
}

func (c *cache) shard(k cacheKey) *cacheShard {
	return &c.shards[maphash.Comparable(c.seed, k)%cacheShards]
}

// get fills r if the document is held; otherwise asked is what fill must be given with what was read instead.
func (c *cache) get(k cacheKey, r *storage.Record) (held bool, asked uint64) {
	s := c.shard(k)
	s.mu.Lock()
	d, held := s.find(k)
	asked = s.turns
	s.mu.Unlock()
	if held {
		r.Version, r.Doc = d.version, bytes.Clone(d.doc)
	}
	return held, asked
}

// fill keeps what was read, unless a write of the shard was under way at any moment since get.
func (c *cache) fill(k cacheKey, r storage.Record, asked uint64) {
	s := c.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == 0 && s.turns == asked {
		s.put(k, cached{r.Version, bytes.Clone(r.Doc)})
	}
}

// begin is called before a write can be seen by anybody.
func (c *cache) begin(k cacheKey) {
	s := c.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turns++
	s.open++
	s.drop(k)
}

// end is called when a write is done: with what is stored now, or with nil where that is not known or nothing. While other
// writes of the shard have not ended, which may be later ones of the same document, nothing is held.
func (c *cache) end(k cacheKey, stored *storage.Record) {
	s := c.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turns++
	s.open--
	s.drop(k)
	if stored != nil && s.open == 0 {
		s.put(k, cached{stored.Version, bytes.Clone(stored.Doc)})
	}
}

func (s *cacheShard) find(k cacheKey) (cached, bool) {
	if d, ok := s.young[k]; ok {
		return d, true
	}
	d, ok := s.old[k]
	if ok {
		s.put(k, d)
	}
	return d, ok
}

func (s *cacheShard) put(k cacheKey, d cached) {
	s.drop(k)
	if len(d.doc) > cachedDocument {
		return
	}
	if s.young == nil || s.bytes > cacheBytes/cacheShards/2 {
		s.old, s.young, s.bytes = s.young, map[cacheKey]cached{}, 0
	}
	s.young[k] = d
	s.bytes += d.cost(k)
}

func (s *cacheShard) drop(k cacheKey) {
	if d, ok := s.young[k]; ok {
		s.bytes -= d.cost(k)
		delete(s.young, k)
	}
	delete(s.old, k)
}

// cost is the room that an entry takes, with that of the map.
func (d cached) cost(k cacheKey) int { return len(d.doc) + len(k.id) + 120 }
