package git

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// narrow follows a few paths from tree to tree. Moving on to the next tree reads
// its root, and below that only directories on the way to a path which are not what
// they were: about one object for each commit of a history. After an error it is of no use.
type narrow struct {
	store *store
	in    *scope
	root  spot
	tree  hash // what the spots stand for
}

// spot is a directory on the way to a path that is followed, or its end.
type spot struct {
	name  string
	end   bool
	entry entry  // what the tree has here
	below []spot // sorted by name
}

// newNarrow follows the paths of a scope that is not everything.
func newNarrow(s *store, in *scope) *narrow {
	n := &narrow{store: s, in: in}
	for _, path := range in.sorted {
		at := &n.root
		for name := range strings.SplitSeq(strings.TrimSuffix(path, "/"), "/") {
			at = at.child(name)
		}
		at.end = true
	}
	return n
}

// child is the spot of a name below, made where there is none.
func (sp *spot) child(name string) *spot {
	i, ok := sp.place(name)
	if !ok {
		sp.below = slices.Insert(sp.below, i, spot{name: name})
	}
	return &sp.below[i]
}

func (sp *spot) place(name string) (int, bool) {
	return slices.BinarySearchFunc(sp.below, name, func(s spot, name string) int { return cmp.Compare(s.name, name) })
}

// differs compares two trees. With visit it calls that for each change in scope.
func (n *narrow) differs(before, after hash, visit func(change) error) (bool, error) {
	if _, err := n.move(after); err != nil {
		return false, err
	}
	// Two directories of different names may still hold the same, if old tools
	// wrote one of them. That is rare, so it is looked into only here.
	if moved, err := n.move(before); err != nil || !moved {
		return false, err
	}
	found := false
	err := diffTrees(n.store, before, after, n.in, func(ch change) error {
		found = true
		if visit == nil {
			return errStop
		}
		return visit(ch)
	})
	if err == errStop { //nolint:errorlint // Ours, unwrapped.
		err = nil
	}
	return found, err
}

// move makes the spots stand for another tree, and reports whether any path's end
// has something else now.
func (n *narrow) move(to hash) (bool, error) {
	if n.tree == to {
		return false, nil
	}
	moved, err := n.put(&n.root, entry{mode: modeTree, hash: to})
	n.tree = to
	return moved, err
}

func (n *narrow) put(sp *spot, e entry) (moved bool, err error) {
	if e.same(sp.entry) {
		return false, nil
	}
	sp.entry = e
	if len(sp.below) == 0 {
		return sp.end, nil
	}
	found, err := n.list(sp, e)
	if err != nil {
		return false, err
	}
	moved = sp.end
	for i := range sp.below {
		m, err := n.put(&sp.below[i], found[i])
		if err != nil {
			return false, err
		}
		moved = moved || m
	}
	return moved, nil
}

// list looks up what a directory has at the spots below.
func (n *narrow) list(sp *spot, e entry) ([]entry, error) {
	found := make([]entry, len(sp.below))
	if !e.isTree() || e.hash == emptyTree {
		return found, nil
	}
	if entries, ok := n.store.trees.get(e.hash); ok {
		for i := range sp.below {
			found[i] = find(entries, sp.below[i].name)
		}
		return found, nil
	}
	raw, err := n.store.object(plumbing.TreeObject, e.hash, maxBlob)
	if err != nil {
		return nil, err
	}
	for left := len(found); len(raw) > 0 && left > 0; {
		var name []byte
		var one entry
		if name, one, raw, err = cutEntry(raw); err != nil {
			return nil, err
		}
		if i, ok := sp.spotAt(name); ok && found[i].absent() {
			found[i] = one
			left--
		}
	}
	return found, nil
}

func (sp *spot) spotAt(name []byte) (int, bool) {
	if len(sp.below) == 1 {
		return 0, string(name) == sp.below[0].name
	}
	return slices.BinarySearchFunc(sp.below, name, func(s spot, name []byte) int { return cmp.Compare(s.name, string(name)) })
}

// cutEntry takes the first entry off a tree object, without its name in the entry.
func cutEntry(raw []byte) (name []byte, e entry, rest []byte, err error) {
	digits := 0
	for digits < len(raw) && raw[digits] != ' ' {
		digits++
	}
	end := digits
	for end < len(raw) && raw[end] != 0 {
		end++
	}
	if end <= digits+1 || len(raw) < end+1+len(hash{}) {
		return nil, e, nil, errMalformed
	}
	m, err := strconv.ParseUint(string(raw[:digits]), 8, 32)
	if err != nil || m == 0 {
		return nil, e, nil, errMalformed
	}
	e.mode = mode(m).canonical()
	copy(e.hash[:], raw[end+1:])
	return raw[digits+1 : end], e, raw[end+1+len(hash{}):], nil
}
