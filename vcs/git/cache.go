package git

import "sync"

// cache keeps the values used most recently, up to about twice its limit in cost:
// what was not asked for during one generation is dropped with the next. Values
// are shared between callers, who must not change them.
type cache[V any] struct {
	limit int

	mu         sync.Mutex
	cost       int
	young, old map[hash]V
}

func newCache[V any](limit int) *cache[V] {
	return &cache[V]{limit: limit, young: make(map[hash]V)}
}

func (c *cache[V]) get(h hash) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if v, ok := c.young[h]; ok {
		return v, true
	}
	v, ok := c.old[h]
	if ok {
		// Counted as free: its cost was counted when it came, and a generation
		// that only lives from the last one must still end.
		c.young[h] = v
		c.cost++
	}
	return v, ok
}

func (c *cache[V]) put(h hash, v V, cost int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cost += cost; c.cost > c.limit {
		c.old, c.young, c.cost = c.young, make(map[hash]V), cost
	}
	c.young[h] = v
}
