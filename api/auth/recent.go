package auth

import (
	"hash/maphash"
	"sync"
)

// generations remembers what was asked for lately and is bounded: when the young map is full it becomes the old one, and
// what nobody asked for meanwhile is forgotten. At most twice size entries are held.
type generations[K comparable, V any] struct {
	size       int
	young, old map[K]V
}

func newGenerations[K comparable, V any](size int) generations[K, V] {
	return generations[K, V]{size: size, young: map[K]V{}}
}

// get finds k and makes it young.
func (g *generations[K, V]) get(k K) (V, bool) {
	if v, ok := g.young[k]; ok {
		return v, true
	}
	v, ok := g.old[k]
	if ok {
		g.put(k, v)
	}
	return v, ok
}

func (g *generations[K, V]) put(k K, v V) {
	if _, ok := g.young[k]; !ok && len(g.young) >= g.size {
		g.old, g.young = g.young, make(map[K]V, g.size/8)
	}
	g.young[k] = v
	delete(g.old, k)
}

func (g *generations[K, V]) remove(k K) {
	delete(g.young, k)
	delete(g.old, k)
}

const shards = 16

// recent is generations for many goroutines.
type recent[K comparable, V any] struct {
	seed   maphash.Seed
	shards [shards]struct {
		mu  sync.RWMutex
		all generations[K, V]
	}
}

// newRecent remembers size to twice size entries.
func newRecent[K comparable, V any](size int) *recent[K, V] {
	r := &recent[K, V]{seed: maphash.MakeSeed()}
	for i := range r.shards {
		r.shards[i].all = newGenerations[K, V](max(1, size/shards))
	}
	return r
}

func (r *recent[K, V]) get(k K) (V, bool) {
	s := &r.shards[maphash.Comparable(r.seed, k)%shards]
	s.mu.RLock()
	v, ok := s.all.young[k]
	s.mu.RUnlock()
	if ok {
		return v, true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all.get(k)
}

// keep stores v unless k is known already, and returns what is known.
func (r *recent[K, V]) keep(k K, v V) V {
	s := &r.shards[maphash.Comparable(r.seed, k)%shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.all.get(k); ok {
		return known
	}
	s.all.put(k, v)
	return v
}
