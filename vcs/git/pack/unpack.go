package pack

import "errors"

// Bounds on what is unpacked on the way to an object: how long its chain of deltas
// may be, which is git's own limit, and how large a base or all deltas together.
const (
	maxDepth = 4095
	maxBase  = 128 << 20
)

// object unpacks the entry at a place: down the chain of deltas to an object that is
// whole or in the cache, and back up.
func (f *file) object(c *cache, at, limit int64) (made, error) {
	if m, ok := c.get(f.id, at); ok {
		return m, nil
	}
	z := inflaters.Get().(*inflater)
	defer z.free()
	var few [64]link
	m, links, err := f.descend(c, z, at, limit, few[:0])
	for i := len(links) - 1; i >= 0 && err == nil; i-- {
		l, most := links[i], int64(maxBase)
		if i == 0 {
			most = limit
		}
		m.name = Name{}
		m.content, err = patch(m.content, z.deltas[l.lo:l.hi], most)
		var big *TooBig
		switch {
		case i > 0 && errors.As(err, &big):
			// It is not the object that was asked for.
			err = corrupt("a base of %d bytes is too big", big.Bytes)
		case i > 0 && err == nil:
			c.put(f.id, l.at, m)
		}
	}
	return m, err
}

// link is a delta of a chain.
type link struct {
	at     int64
	lo, hi int // in the inflater's deltas
}

// descend goes down the chain of deltas from a place. It returns the object that they
// build upon and the deltas, unpacked, the first one being that at the place.
func (f *file) descend(c *cache, z *inflater, at, limit int64, links []link) (made, []link, error) {
	z.deltas = z.deltas[:0]
	for base := at; ; {
		if m, ok := c.get(f.id, base); ok {
			return m, links, nil
		}
		e, rest, err := f.entry(z, base)
		if err == nil {
			err = e.check(base == at, limit, len(z.deltas), len(links))
		}
		if err == nil {
			err = z.start(f.pack, e.data, f.end, rest, e.size)
		}
		if err != nil {
			return made{}, nil, err
		}
		if e.kind < offsetDelta {
			m := made{kind: e.kind, content: make([]byte, e.size)}
			err := z.fill(m.content)
			if err == nil && len(links) > 0 {
				c.put(f.id, base, m)
			}
			return m, links, err
		}
		lo := len(z.deltas)
		z.deltas = append(z.deltas, make([]byte, e.size)...)
		if err := z.fill(z.deltas[lo:]); err != nil {
			return made{}, nil, err
		}
		links = append(links, link{base, lo, len(z.deltas)})
		base = e.base
	}
}

// check says whether an entry may be unpacked: the one that is asked for, which is to
// have no more than limit bytes, or one that it builds upon, after so many deltas of so
// many bytes.
func (e entry) check(asked bool, limit int64, bytes, deltas int) error {
	switch {
	case e.kind < offsetDelta && asked && e.size > limit:
		return errTooBig(e.size)
	case e.size > maxBase, e.kind >= offsetDelta && (int64(bytes)+e.size > maxBase || deltas == maxDepth):
		return corrupt("entry of %d bytes after %d deltas", e.size, deltas)
	}
	return nil
}

// size is the size of the object at a place.
func (f *file) size(c *cache, at int64) (int64, error) {
	if m, ok := c.get(f.id, at); ok {
		return int64(len(m.content)), nil
	}
	z := inflaters.Get().(*inflater)
	defer z.free()
	e, rest, err := f.entry(z, at)
	if err != nil || e.kind < offsetDelta {
		return e.size, err
	}
	var head [maxSizes]byte
	part := head[:min(e.size, maxSizes)]
	// As if it were no longer than its head: that is all that is read.
	if err := z.start(f.pack, e.data, f.end, rest, int64(len(part))); err != nil {
		return 0, err
	}
	if err := z.fill(part); err != nil {
		return 0, err
	}
	return resultSize(part)
}
