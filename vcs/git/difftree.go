package git

import (
	"path"
	"slices"
	"strings"
)

// change is one path at which two trees differ. Directories never appear: a file
// that became a directory is a file gone and files come.
type change struct {
	path          string
	before, after entry // absent where the path does not exist
}

// scope limits a comparison to some paths, files or directories. The nil scope is
// everything.
type scope struct {
	paths  map[string]bool
	sorted []string // the same, each with a slash at its end
}

// newScope cleans paths given by callers; without any, or with "." among them, it
// is everything.
func newScope(paths ...string) *scope {
	if len(paths) == 0 {
		return nil
	}
	s := &scope{paths: make(map[string]bool, len(paths))}
	for _, p := range paths {
		p = strings.Trim(path.Clean("/"+p), "/")
		if p == "" {
			return nil
		}
		if !s.paths[p] {
			s.paths[p] = true
			s.sorted = append(s.sorted, p+"/")
		}
	}
	slices.Sort(s.sorted)
	return s
}

// covers reports whether p is one of the paths or lies below one.
func (s *scope) covers(p string) bool {
	if s == nil || s.paths[p] {
		return true
	}
	for i := range len(p) {
		if p[i] == '/' && s.paths[p[:i]] {
			return true
		}
	}
	return false
}

// leads reports whether a comparison has to look into the directory p.
func (s *scope) leads(p string) bool {
	if s.covers(p) {
		return true
	}
	p += "/"
	i, _ := slices.BinarySearch(s.sorted, p)
	return i < len(s.sorted) && strings.HasPrefix(s.sorted[i], p)
}

// diffTrees calls visit for each path in scope at which the trees a and b differ,
// in git's order. Equal subtrees are never opened, so it costs what differs.
func diffTrees(from objects, a, b hash, in *scope, visit func(change) error) error {
	d := treeDiff{from, in, visit}
	return d.trees("", entry{mode: modeTree, hash: a}, entry{mode: modeTree, hash: b})
}

type treeDiff struct {
	from  objects
	in    *scope
	visit func(change) error
}

// trees compares two directories, either of which may be absent.
func (d *treeDiff) trees(dir string, a, b entry) error {
	if a.same(b) {
		return nil
	}
	before, err := d.list(a)
	if err != nil {
		return err
	}
	after, err := d.list(b)
	if err != nil {
		return err
	}
	for len(before) > 0 || len(after) > 0 {
		var x, y entry
		order := 0
		switch {
		case len(before) == 0:
			order = 1
		case len(after) == 0:
			order = -1
		default:
			order = compareEntries(before[0], after[0])
		}
		if order <= 0 {
			x, before = before[0], before[1:]
		}
		if order >= 0 {
			y, after = after[0], after[1:]
		}
		if err := d.entries(dir, x, y); err != nil {
			return err
		}
	}
	return nil
}

func (d *treeDiff) list(e entry) ([]entry, error) {
	if e.absent() {
		return nil, nil
	}
	return d.from.tree(e.hash)
}

// entries compares what two directories have under one name.
func (d *treeDiff) entries(dir string, x, y entry) error {
	if x.same(y) {
		return nil
	}
	p := dir + x.name
	if x.absent() {
		p = dir + y.name
	}
	if x.isTree() || y.isTree() {
		if !d.in.leads(p) {
			return nil
		}
		return d.trees(p+"/", x, y)
	}
	if !d.in.covers(p) {
		return nil
	}
	return d.visit(change{p, x, y})
}

// changes collects what diffTrees visits.
func changes(from objects, a, b hash, in *scope) ([]change, error) {
	var all []change
	err := diffTrees(from, a, b, in, func(c change) error {
		all = append(all, c)
		return nil
	})
	return all, err
}
