package git

import "slices"

// asked is what a trail asks of the index.
type asked struct {
	paths  []string
	ids    []uint32 // in the order of paths, 0 while the index has never seen one
	wanted bits     // the same
	end    uint64   // above all ids
	// names and era are of the index when they were looked up.
	names, era int
}

func newAsked(in *scope) *asked {
	a := &asked{}
	for _, p := range in.sorted {
		a.paths = append(a.paths, p[:len(p)-1])
	}
	a.ids = make([]uint32, len(a.paths))
	return a
}

// resolve looks the paths up, unless that would find nothing new.
func (a *asked) resolve(t *pathTable, era int) {
	if a.era != era {
		*a = asked{paths: a.paths, ids: make([]uint32, len(a.paths)), era: era}
	}
	if a.names == len(t.nodes) {
		return
	}
	a.names = len(t.nodes)
	for i, p := range a.paths {
		if a.ids[i] != 0 {
			continue
		}
		id, ok := t.find(p)
		if !ok {
			continue
		}
		a.ids[i] = id
		a.wanted.add(id)
		a.end = max(a.end, uint64(id)+1)
	}
}

func (a *asked) path(id uint32) string { return a.paths[slices.Index(a.ids, id)] }

// bits are a set of small numbers.
type bits []uint64

func (b bits) has(n uint32) bool { return int(n/64) < len(b) && b[n/64]&(1<<(n%64)) != 0 }

func (b *bits) add(n uint32) {
	if more := int(n/64) + 1 - len(*b); more > 0 {
		*b = append(*b, make([]uint64, more)...)
	}
	(*b)[n/64] |= 1 << (n % 64)
}
