package git

import (
	"encoding/binary"
	"hash/maphash"
	"slices"
	"sync"
)

// index remembers of first-parent commits what walks ask for: the first parent, the
// date, and all paths, files and the directories above them, at which the commit
// differs from its first parent. All that follows from a commit's name, so an entry
// is right for ever, in whatever history its commit stands; nothing is kept of
// commits whose parents a shallow clone has left out.
//
// It fills as commits are asked for: the first question about a commit's paths looks
// along these paths only, the second one lists all. A mirror has it filled after
// each fetch (index_build.go), and keeps it in a file (index_file.go).
type index struct {
	mu    sync.RWMutex
	limit int // bytes, about
	full  bool
	rows  []row
	slots slots // rows by hash
	paths pathTable
	lists []byte // of ids of paths, each as its length and differences in varints
	// unsaved counts the lists that the file does not have.
	unsaved int
	era     int // counts how often all was dropped
}

// row is one commit.
type row struct {
	hash  hash
	below uint32 // row of the first parent, plus 1; 0 for a root
	when  int64  // committer date in Unix seconds
	// list is one of the states below, or where in lists the paths are.
	list uint32
	// whole says that all below is listed too, or was left out for want of room.
	whole bool
}

// What is known of a commit that has no list.
const (
	rowNamed uint32 = iota // only that it is a commit's parent
	rowMet                 // the parent and the date
	rowAsked               // as well, and its paths were asked for once
	rowWide                // as well, and it touched more paths than a list holds
	rowLists               // the first place of a list
)

// maxIndexBytes bounds the index of a repository, in memory and on disk. It is
// enough for some 250,000 commits.
const maxIndexBytes = 32 << 20

// maxListed is how many files a commit may have touched to have a list. What
// touched more (a first import, a repository turned inside out) is compared along
// the paths asked for, each time.
const maxListed = 1000

func newIndex() *index {
	return &index{limit: maxIndexBytes, lists: make([]byte, rowLists), paths: newPathTable()}
}

// size is about what the index takes, in bytes.
func (x *index) size() int {
	const rowBytes = 40 + 8 // with its slots
	return rowBytes*len(x.rows) + len(x.lists) + x.paths.size()
}

// room reports whether something more may be kept.
func (x *index) room() bool {
	x.full = x.full || x.size() >= x.limit
	return !x.full
}

func (x *index) find(h hash) (uint32, bool) {
	return x.slots.find(hashOf(h), func(i uint32) bool { return x.rows[i].hash == h })
}

// add finds the row of a commit, or makes one.
func (x *index) add(h hash) uint32 {
	i, ok := x.find(h)
	if !ok {
		i = uint32(len(x.rows)) //nolint:gosec // Bounded by maxIndexBytes.
		x.rows = append(x.rows, row{hash: h})
		x.slots.add(hashOf(h), i, func(i uint32) uint64 { return hashOf(x.rows[i].hash) })
	}
	return i
}

// hashOf spreads the names of commits; they are as good as random.
func hashOf(h hash) uint64 { return maphash.Bytes(seed, h[:]) }

// meet notes a commit's parent and date. again says that its paths were asked for
// before, and still are not listed.
func (x *index) meet(h hash, head *header, asking bool) (again bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.room() {
		return false
	}
	i := x.add(h)
	if x.rows[i].list == rowNamed {
		below := uint32(0)
		if first := head.first(); !first.IsZero() {
			below = x.add(first) + 1
		}
		r := &x.rows[i]
		r.below, r.when, r.list = below, head.when, rowMet
	}
	r := &x.rows[i]
	if again = r.list == rowAsked; asking && r.list == rowMet {
		r.list = rowAsked
	}
	return again && asking
}

// put stores what a commit touched. The commit must have been met.
func (x *index) put(h hash, touched []string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	i, ok := x.find(h)
	if !ok || !x.room() {
		return false
	}
	if x.rows[i].list >= rowWide {
		return x.rows[i].list > rowWide // somebody else was faster
	}
	x.unsaved++
	if len(touched) > maxListed {
		x.rows[i].list = rowWide
		return false
	}
	var ids []uint32
	for _, path := range touched {
		ids = x.paths.add(ids, path)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	x.rows[i].list = uint32(len(x.lists)) //nolint:gosec // Bounded by maxIndexBytes.
	x.lists = binary.AppendUvarint(x.lists, uint64(len(ids)))
	last := uint32(0)
	for _, id := range ids {
		x.lists = binary.AppendUvarint(x.lists, uint64(id-last))
		last = id
	}
	return true
}

// runLength is how many commits are passed before others may write.
const runLength = 1 << 14

// run moves a trail over commits whose paths the index knows, until one counts.
// known is false where it knows nothing of the next one.
func (x *index) run(t *trail) (found, known bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	i, ok := x.find(t.at)
	if !ok {
		return false, false
	}
	if t.ask != nil {
		t.ask.resolve(&x.paths, x.era)
	}
	for n := range runLength {
		r := &x.rows[i]
		if r.list == rowNamed || t.ask != nil && r.list < rowLists {
			return false, n > 0
		}
		found = t.ask == nil || x.touches(r.list, t)
		if r.below == 0 {
			t.pass(hash{}, r.when)
			return found, true
		}
		i = r.below - 1
		t.pass(x.rows[i].hash, r.when)
		if found || t.done() {
			return found, true
		}
	}
	return false, true
}

// touches reports whether a list has a path that is asked for.
func (x *index) touches(list uint32, t *trail) bool {
	b := x.lists[list:]
	n, w := binary.Uvarint(b)
	b = b[max(w, 0):]
	found := false
	t.hits = t.hits[:0]
	for id := uint64(0); n > 0 && len(b) > 0 && id < t.ask.end; n-- {
		d, w := uint64(b[0]), 1
		if d >= 0x80 {
			if d, w = binary.Uvarint(b); w <= 0 {
				return found
			}
		}
		id, b = id+d, b[w:]
		if !t.ask.wanted.has(uint32(id)) { //nolint:gosec // Below end.
			continue
		}
		found = true
		if !t.which {
			break
		}
		t.hits = append(t.hits, t.ask.path(uint32(id))) //nolint:gosec // Of the table.
	}
	return found
}
