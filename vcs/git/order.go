package git

import "slices"

// Git's choice among renames that are equally good depends on the order in which it
// meets files. That is the order of the trees, except that it puts off directories
// that only one side has changed, added or removed, and then enters these in the
// order of a hash table of their names.

// postponed lists the directories whose entering git puts off when it looks for the
// renames of one side, in the order in which it enters them at last. ok is false where a name is
// a file in one tree and a directory in another: the order is not known then.
func postponed(from objects, base, side, other hash) (dirs []string, ok bool, err error) {
	w := &orderWalk{from: from}
	top := func(h hash) entry { return entry{mode: modeTree, hash: h} }
	err = w.dir("", top(base), top(side), top(other), false)
	return hashOrder(w.found), !w.mixed, err
}

type orderWalk struct {
	from  objects
	found []string
	mixed bool
}

// dir visits a directory, which may be absent in some trees. In a directory with
// all set nothing is put off: what the other side added to it makes all of it
// relevant.
func (w *orderWalk) dir(prefix string, base, side, other entry, all bool) error {
	var lists [3][]entry
	for i, e := range []entry{base, side, other} {
		if e.absent() {
			continue
		}
		var err error
		if lists[i], err = w.from.tree(e.hash); err != nil {
			return err
		}
	}
	isFile := make(map[string]bool)
	for _, l := range lists {
		for _, e := range l {
			if !e.isTree() {
				isFile[e.name] = true
			}
		}
	}
	all = all || gained(base, side, lists[0], lists[2]) || gained(base, other, lists[0], lists[1])
	for _, at := range zip(lists) {
		b, s, o := at[0], at[1], at[2]
		name := prefix + at.name()
		isTree := slices.ContainsFunc(at[:], entry.isTree)
		if s.same(b) && o.same(b) || !isTree {
			continue
		}
		if isFile[at.name()] {
			w.mixed = true
			return nil
		}
		put := !b.absent() && o.same(b) || b.absent() && o.absent()
		otherPut := !b.absent() && s.same(b) || b.absent() && s.absent()
		switch {
		case put && !all:
			w.found = append(w.found, name)
		case otherPut && !all:
			// The other side's, which says nothing about this one.
		default:
			if err := w.dir(name+"/", b, s, o, all); err != nil || w.mixed {
				return err
			}
		}
	}
	return nil
}

// gained reports whether a directory of base that one side has removed got a new
// file on the other.
func gained(base, gone entry, before, after []entry) bool {
	if base.absent() || !gone.absent() {
		return false
	}
	return slices.ContainsFunc(after, func(e entry) bool { return !e.isTree() && find(before, e.name).absent() })
}

// triad is what three directories have under one name.
type triad [3]entry

func (t triad) name() string {
	for _, e := range t {
		if !e.absent() {
			return e.name
		}
	}
	return ""
}

// zip lines up three directories by name.
func zip(lists [3][]entry) []triad {
	var all []triad
	for {
		var first entry
		for _, l := range lists {
			if len(l) > 0 && (first.absent() || compareEntries(l[0], first) < 0) {
				first = l[0]
			}
		}
		if first.absent() {
			return all
		}
		var t triad
		for i, l := range lists {
			if len(l) > 0 && l[0].name == first.name && l[0].isTree() == first.isTree() {
				t[i], lists[i] = l[0], l[1:]
			}
		}
		all = append(all, t)
	}
}

// hashOrder puts names in the order in which git's hash table of strings lists
// them: FNV-1, 64 buckets that become four times as many when four fifths full, the
// newest of a bucket first.
func hashOrder(names []string) []string {
	table := make([][]string, 64)
	put := func(to [][]string, name string) {
		b := fnv1(name) & uint32(len(to)-1)
		to[b] = slices.Insert(to[b], 0, name)
	}
	for n, name := range names {
		put(table, name)
		if n+1 > len(table)*80/100 {
			grown := make([][]string, 4*len(table))
			for _, bucket := range table {
				for _, name := range bucket {
					put(grown, name)
				}
			}
			table = grown
		}
	}
	return slices.Concat(table...)
}

func fnv1(s string) uint32 {
	h := uint32(0x811c9dc5)
	for i := range len(s) {
		h = h*0x01000193 ^ uint32(s[i])
	}
	return h
}

// ranks tells for each path when git meets it: 0 in the first pass, n for what lies
// in the n-th directory that it put off.
func ranks(dirs []string) func(path string) int {
	rank := make(map[string]int, len(dirs))
	for i, d := range dirs {
		rank[d] = i + 1
	}
	return func(path string) int {
		for i := range len(path) {
			if path[i] != '/' {
				continue
			}
			if n := rank[path[:i]]; n > 0 {
				return n
			}
		}
		return 0
	}
}
