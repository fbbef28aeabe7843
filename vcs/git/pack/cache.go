package pack

import "sync"

// made is an object that was unpacked. It is shared and must not be changed.
type made struct {
	kind    Kind
	content []byte
	name    Name // that it was compared with; zero before
}

// cache keeps objects that are bases of deltas, or were asked for, up to about twice
// its limit in bytes: what was not used during one generation goes with the next.
type cache struct {
	limit int

	mu         sync.Mutex
	cost       int
	young, old map[cacheKey]made
}

// cacheKey is a place in a pack.
type cacheKey struct {
	pack uint32
	at   int64
}

func newCache(limit int) *cache {
	return &cache{limit: limit, young: make(map[cacheKey]made)}
}

func (c *cache) get(pack uint32, at int64) (made, bool) {
	k := cacheKey{pack, at}
	c.mu.Lock()
	defer c.mu.Unlock()
	if m, ok := c.young[k]; ok {
		return m, true
	}
	m, ok := c.old[k]
	if ok {
		c.keep(k, m)
	}
	return m, ok
}

// overhead is what an object costs beside its bytes.
const overhead = 100

func (c *cache) put(pack uint32, at int64, m made) {
	if len(m.content) > c.limit/8 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keep(cacheKey{pack, at}, m)
}

func (c *cache) keep(k cacheKey, m made) {
	before, known := c.young[k]
	if !known {
		c.cost += overhead + len(m.content)
	} else if m.name == (Name{}) && before.name != m.name {
		return
	}
	if c.cost > c.limit {
		c.old, c.young, c.cost = c.young, make(map[cacheKey]made), overhead+len(m.content)
	}
	c.young[k] = m
}
