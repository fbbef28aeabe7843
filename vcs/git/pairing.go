package git

import (
	"context"
	"errors"
	"path"
	"slices"
)

// errUnsure says that git's choice of renames can't be told from here.
var errUnsure = errors.New("renames are not certain")

// maxPairs bounds how many pairs of files are compared for renames.
const maxPairs = 2_000_000

// file is a file at a path.
type file struct {
	path  string
	entry entry
}

// pairing finds the renames of one side of a merge: which files that the side
// removed are which that it added. It follows git's merge-ort:
//
//  1. files with the same content, those with the same name first;
//  2. a file whose name is unique among what is left of both, or whose directory
//     can be seen to have moved, with the file of that name, if three quarters alike;
//  3. all the rest, best pairs first, if half alike.
//
// Steps 2 and 3 are for relevant sources only. Where git's choice depends on the
// order in which it meets files and that is not known, the answer is errUnsure.
type pairing struct {
	likeness *likeness
	sources  []source
	targets  []file
	// ordered says that git meets the files in this order.
	ordered bool
	// moved reports whether the side removed the directory.
	moved func(dir string) (bool, error)
}

// source is a file that the side removed.
type source struct {
	file
	relevant bool // the outcome may depend on where it went
}

// renames are target by source, as indexes.
type renames map[int]int

// find pairs sources with targets.
func (p *pairing) find(ctx context.Context) (renames, error) {
	p.sources = slices.DeleteFunc(p.sources, func(s source) bool { return s.entry.hash == emptyBlob })
	p.targets = slices.DeleteFunc(p.targets, func(t file) bool { return t.entry.hash == emptyBlob })
	var found renames
	for _, backwards := range [][2]bool{{false, false}, {true, true}, {true, false}, {false, true}} {
		r := &pairingRun{
			pairing: p, renames: make(renames),
			sourceOrder: order(len(p.sources), backwards[0]),
			targetOrder: order(len(p.targets), backwards[1]),
			taken:       make([]bool, len(p.targets)),
		}
		if err := r.run(ctx); err != nil {
			return nil, err
		}
		if found == nil {
			found = r.renames
			if p.ordered {
				break
			}
			continue
		}
		for i, s := range p.sources {
			if s.relevant && r.target(i) != (&pairingRun{renames: found}).target(i) {
				return nil, errUnsure
			}
		}
	}
	return found, nil
}

func order(n int, backwards bool) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	if backwards {
		slices.Reverse(all)
	}
	return all
}

// pairingRun is the search in one order of files.
type pairingRun struct {
	*pairing
	renames
	sourceOrder, targetOrder []int
	taken                    []bool // targets
}

// target is where a source went, -1 for nowhere.
func (r *pairingRun) target(source int) int {
	if t, ok := r.renames[source]; ok {
		return t
	}
	return -1
}

func (r *pairingRun) pair(source, target int) {
	r.renames[source] = target
	r.taken[target] = true
}

func (r *pairingRun) run(ctx context.Context) error {
	r.exact()
	if err := r.byName(); err != nil {
		return err
	}
	return r.best(ctx)
}

// exact pairs files with the same content.
func (r *pairingRun) exact() {
	bySum := make(map[hash][]int)
	for _, i := range r.sourceOrder {
		h := r.sources[i].entry.hash
		bySum[h] = append(bySum[h], i)
	}
	for _, t := range r.targetOrder {
		to := r.targets[t]
		best, rank := -1, -1
		for _, i := range bySum[to.entry.hash] {
			from := r.sources[i]
			same := from.entry.mode.regular() && to.entry.mode.regular() || from.entry.mode == to.entry.mode
			if _, used := r.renames[i]; used || !same {
				continue
			}
			n := 0
			if path.Base(from.path) == path.Base(to.path) {
				n = 1
			}
			if n > rank {
				best, rank = i, n
			}
		}
		if best >= 0 {
			r.pair(best, t)
		}
	}
}

// several marks a name that more than one file has.
const several = -1

// byName pairs files that kept their name.
func (r *pairingRun) byName() error {
	from, to := make(map[string]int), make(map[string]int)
	for _, i := range r.sourceOrder {
		if _, used := r.renames[i]; !used {
			note(from, r.sources[i].path, i)
		}
	}
	at := make(map[string]int)
	for _, t := range r.targetOrder {
		if !r.taken[t] {
			note(to, r.targets[t].path, t)
			at[r.targets[t].path] = t
		}
	}
	guesses := r.guesses()
	for _, i := range r.sourceOrder {
		s := r.sources[i]
		if _, used := r.renames[i]; used || !s.relevant {
			continue
		}
		name := path.Base(s.path)
		t, ok := to[name]
		if !ok {
			continue
		}
		if from[name] == several || t == several {
			dir, ok, err := guesses(path.Dir(s.path))
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			if t, ok = at[dir+"/"+name]; !ok {
				continue
			}
		}
		if r.taken[t] {
			continue
		}
		score, err := r.likeness.score(s.entry, r.targets[t].entry)
		if err != nil {
			return err
		}
		if score >= scoreBasename {
			r.pair(i, t)
		}
	}
	return nil
}

func note(names map[string]int, p string, i int) {
	name := path.Base(p)
	if _, ok := names[name]; ok {
		i = several
	}
	names[name] = i
}

// guesses tells where a directory that the side removed seems to have gone: where
// most of its files went unchanged.
func (r *pairingRun) guesses() func(dir string) (string, bool, error) {
	counts := make(map[string]map[string]int)
	for i, t := range r.renames {
		from, to := path.Dir(r.sources[i].path), path.Dir(r.targets[t].path)
		if counts[from] == nil {
			counts[from] = make(map[string]int)
		}
		counts[from][to]++
	}
	return func(dir string) (string, bool, error) {
		if dir == "." || len(counts[dir]) == 0 {
			return "", false, nil
		}
		moved, err := r.moved(dir)
		if err != nil || !moved {
			return "", false, err
		}
		best, tie := "", false
		for to, n := range counts[dir] {
			switch most := counts[dir][best]; {
			case n > most:
				best, tie = to, false
			case n == most:
				tie = true
			}
		}
		if tie || best == "." {
			return "", false, errUnsure
		}
		return best, true, nil
	}
}
