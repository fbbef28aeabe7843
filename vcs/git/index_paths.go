package git

import (
	"encoding/binary"
	"hash/maphash"
	"strings"
)

// seed makes the places in tables different in each process, so that nobody can
// push commits or names that all fall into one.
var seed = maphash.MakeSeed()

// slots is a hash table of numbers whose keys are kept elsewhere.
type slots struct {
	at   []uint32 // number plus 1; 0 is free
	used int
}

// find returns the number whose key is the one sought.
func (s *slots) find(hash uint64, is func(uint32) bool) (uint32, bool) {
	if len(s.at) == 0 {
		return 0, false
	}
	for i := hash; ; i++ {
		switch n := s.at[i&uint64(len(s.at)-1)]; {
		case n == 0:
			return 0, false
		case is(n - 1):
			return n - 1, true
		}
	}
}

// add adds a number that is not there. hashOf is the hash of a number's key.
func (s *slots) add(hash uint64, n uint32, hashOf func(uint32) uint64) {
	if s.used++; s.used*3 > len(s.at)*2 {
		old := s.at
		s.at = make([]uint32, max(64, 2*len(old)))
		for _, n := range old {
			if n != 0 {
				s.put(hashOf(n-1), n-1)
			}
		}
	}
	s.put(hash, n)
}

func (s *slots) put(hash uint64, n uint32) {
	i := hash
	for s.at[i&uint64(len(s.at)-1)] != 0 {
		i++
	}
	s.at[i&uint64(len(s.at)-1)] = n + 1
}

// pathTable numbers paths. Number 0 is the root.
type pathTable struct {
	nodes []pathNode
	slots slots // nodes by parent and name

	// Each name is stored once, however many directories have it.
	text  []byte
	ends  []uint32 // of names in text
	named slots
}

// pathNode is a path: its directory's number and its name's.
type pathNode struct{ dir, name uint32 }

func newPathTable() pathTable { return pathTable{nodes: make([]pathNode, 1)} }

// size is about what the table takes, in bytes.
func (t *pathTable) size() int { return 16*len(t.nodes) + len(t.text) + 12*len(t.ends) }

// find returns a path's number.
func (t *pathTable) find(path string) (uint32, bool) {
	at := uint32(0)
	for name := range strings.SplitSeq(path, "/") {
		n, ok := t.name(name)
		if !ok {
			return 0, false
		}
		if at, ok = t.child(pathNode{at, n}); !ok {
			return 0, false
		}
	}
	return at, true
}

// add appends the numbers of a path and all directories above it to ids.
func (t *pathTable) add(ids []uint32, path string) []uint32 {
	at := uint32(0)
	for name := range strings.SplitSeq(path, "/") {
		n, ok := t.name(name)
		if !ok {
			n = t.addName(name)
		}
		node := pathNode{at, n}
		if at, ok = t.child(node); !ok {
			at = t.addNode(node)
		}
		ids = append(ids, at)
	}
	return ids
}

func (t *pathTable) child(node pathNode) (uint32, bool) {
	return t.slots.find(node.hash(), func(i uint32) bool { return t.nodes[i] == node })
}

func (t *pathTable) addNode(node pathNode) uint32 {
	i := uint32(len(t.nodes)) //nolint:gosec // Bounded by maxIndexBytes.
	t.nodes = append(t.nodes, node)
	t.slots.add(node.hash(), i, func(i uint32) uint64 { return t.nodes[i].hash() })
	return i
}

func (n pathNode) hash() uint64 {
	var b [8]byte
	binary.LittleEndian.PutUint32(b[:], n.dir)
	binary.LittleEndian.PutUint32(b[4:], n.name)
	return maphash.Bytes(seed, b[:])
}

func (t *pathTable) name(name string) (uint32, bool) {
	return t.named.find(maphash.String(seed, name), func(i uint32) bool { return string(t.text[t.start(i):t.ends[i]]) == name })
}

func (t *pathTable) start(i uint32) uint32 {
	if i == 0 {
		return 0
	}
	return t.ends[i-1]
}

func (t *pathTable) addName(name string) uint32 {
	i := uint32(len(t.ends)) //nolint:gosec // Bounded by maxIndexBytes.
	t.text = append(t.text, name...)
	t.ends = append(t.ends, uint32(len(t.text))) //nolint:gosec // Bounded by maxIndexBytes.
	t.named.add(maphash.String(seed, name), i, func(i uint32) uint64 {
		return maphash.Bytes(seed, t.text[t.start(i):t.ends[i]])
	})
	return i
}
