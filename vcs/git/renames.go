package git

import (
	"context"
	"errors"
	"path"
	"slices"
)

// followRenames finds the renames that can change the outcome, and merges the
// files concerned. Git pairs what a side removed with what the same side added
// when they are half alike. That matters
//
//   - for a file gone in one side and touched by the other: its changes belong where
//     it went;
//   - for a file gone in both sides: renamed in one, it is a conflict, unless both
//     took it to the same place;
//   - for a directory gone in one side and added to in the other: if it was renamed,
//     git takes the addition to belong elsewhere and reports a conflict.
func (m *merge) followRenames(ctx context.Context) error {
	theirs, err := m.theirSources()
	if err != nil {
		return err
	}
	ours, err := m.ourSources()
	if err != nil {
		return err
	}
	inTheirs, err := theirs.find(ctx)
	if err == nil {
		var inOurs map[string]file
		if inOurs, err = ours.find(ctx); err == nil {
			return m.moveFiles(inOurs, inTheirs)
		}
	}
	var unclear *unclearRename
	if errors.As(err, &unclear) {
		m.conflicts = append(m.conflicts, unclear.conflict)
		return nil
	}
	return err
}

// unclearRename says that git reports a conflict because of a rename, or that it
// can't be told which renames git would see.
type unclearRename struct{ conflict }

func (u *unclearRename) Error() string { return "unclear rename of " + u.path }

// renameSearch is the question where the files went that one side removed.
type renameSearch struct {
	*merge
	side, other hash
	// touched are sources whose content the other side has touched.
	touched map[string]bool
	// regions are directories that this side removed, each with a path that the
	// other side added to it.
	regions map[string]string
}

// theirSources asks about what theirs removed.
func (m *merge) theirSources() (*renameSearch, error) {
	s := &renameSearch{merge: m, side: m.theirs, other: m.ours, touched: make(map[string]bool), regions: make(map[string]string)}
	asked := map[string]bool{"": true}
	for _, c := range m.changed {
		if !c.after.absent() {
			continue
		}
		if !c.ours.same(c.before) {
			s.touched[c.path] = true
		}
		top, err := m.removedParent(c.path, m.theirs)
		if err != nil {
			return nil, err
		}
		if asked[top] {
			continue
		}
		asked[top] = true
		if err := s.addedBelow(top, m.ours); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// ourSources asks about what ours removed.
func (m *merge) ourSources() (*renameSearch, error) {
	s := &renameSearch{merge: m, side: m.ours, other: m.theirs, touched: make(map[string]bool), regions: make(map[string]string)}
	asked := map[string]bool{"": true}
	for _, c := range m.changed {
		if !c.before.absent() {
			if c.ours.absent() {
				s.touched[c.path] = true
			}
			continue
		}
		top, err := m.removedParent(c.path, m.ours)
		if err != nil {
			return nil, err
		}
		if asked[top] {
			continue
		}
		asked[top] = true
		if err := s.addedBelow(top, m.theirs); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// removedParent is the topmost directory above path that base has and side has
// not; "" when there is none.
func (m *merge) removedParent(path string, side hash) (string, error) {
	for _, dir := range parents(path) {
		before, err := lookup(m.objects, m.base, dir)
		if err != nil || !before.isTree() {
			return "", err
		}
		after, err := lookup(m.objects, side, dir)
		if err != nil {
			return "", err
		}
		if !after.isTree() {
			return dir, nil
		}
	}
	return "", nil
}

// arrange puts files in the order in which git meets them.
func (s *renameSearch) arrange(p *pairing) error {
	dirs, known, err := postponed(s.objects, s.base, s.side, s.other)
	if err != nil || !known {
		return err
	}
	p.ordered = true
	if len(dirs) > 0 {
		rank := ranks(dirs)
		p.sources = byRank(p.sources, func(f source) int { return rank(f.path) })
		p.targets = byRank(p.targets, func(f file) int { return rank(f.path) })
	}
	return nil
}

// byRank sorts files by a number that takes some work to tell, and is asked for once.
func byRank[F any](files []F, rank func(F) int) []F {
	type ranked struct {
		file F
		rank int
	}
	all := make([]ranked, len(files))
	for i, f := range files {
		all[i] = ranked{f, rank(f)}
	}
	slices.SortStableFunc(all, func(a, b ranked) int { return a.rank - b.rank })
	for i, r := range all {
		files[i] = r.file
	}
	return files
}

// find returns where touched sources went.
func (s *renameSearch) find(ctx context.Context) (map[string]file, error) {
	if len(s.touched) == 0 && len(s.regions) == 0 {
		return nil, nil
	}
	p := &pairing{likeness: newLikeness(s.objects), moved: s.removed}
	relevant := false
	err := diffTrees(s.objects, s.base, s.side, nil, func(c change) error {
		switch {
		case c.before.absent():
			p.targets = append(p.targets, file{c.path, c.after})
		case c.after.absent():
			r := s.touched[c.path] || s.grown(path.Dir(c.path)) != ""
			p.sources = append(p.sources, source{file{c.path, c.before}, r})
			relevant = relevant || r
		}
		return ctx.Err()
	})
	if err != nil || !relevant {
		return nil, err
	}
	if err := s.arrange(p); err != nil {
		return nil, err
	}
	pairs, err := p.find(ctx)
	if errors.Is(err, errUnsure) {
		for _, f := range p.sources {
			if f.relevant {
				return nil, &unclearRename{conflict{f.path, kindRename, f.path}}
			}
		}
	}
	if err != nil {
		return nil, err
	}
	return s.targets(p, pairs)
}

// targets tells where touched sources went. It is an unclearRename where git
// reports that a directory was renamed to which the other side has added.
func (s *renameSearch) targets(p *pairing, pairs renames) (map[string]file, error) {
	went := make(map[string]file)
	moved := make(map[string]string) // directories below which something was added
	for i, f := range p.sources {
		t, found := pairs[i]
		if !found {
			continue
		}
		to := p.targets[t]
		if s.touched[f.path] {
			went[f.path] = to
		}
		from, dir := path.Dir(f.path), path.Dir(to.path)
		added := s.carried(from, dir)
		if grown := s.grown(from); grown != "" && added == "" {
			// Git also stops where such a directory was split, even if nothing was
			// added to that very directory.
			if before, ok := moved[from]; ok && before != dir {
				added = grown
			}
			moved[from] = dir
		}
		if added != "" {
			return nil, &unclearRename{conflict{added, kindLocation, from}}
		}
	}
	return went, nil
}

// removed reports whether the side removed a directory.
func (s *renameSearch) removed(dir string) (bool, error) {
	before, err := lookup(s.objects, s.base, dir)
	if err != nil || !before.isTree() {
		return false, err
	}
	after, err := lookup(s.objects, s.side, dir)
	return !after.isTree(), err
}
