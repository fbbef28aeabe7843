package git

import (
	"context"
	"errors"
)

// maxPairs bounds the question whether some file may be a renamed other: pairs
// that are looked at before the answer is "perhaps".
const maxPairs = 20000

// doubtRenames adds a conflict wherever git's rename detection could make of this
// merge something else than a merge path by path does. Git pairs what a side
// removed with what the same side added when they are half alike. That matters
//
//   - for a path gone in both sides: renamed in one, it is a rename/delete;
//   - for a directory gone in one side and added to in the other: if it was renamed,
//     git takes the addition to belong elsewhere and reports a conflict.
//
// Everything else that renames could change is a conflict already when paths are
// merged one by one: to matter, the other side must have changed the renamed file,
// and that is a modify/delete here.
func (m *merge) doubtRenames(ctx context.Context) error {
	d := &doubts{merge: m, sketches: make(map[hash]sketch)}
	if err := d.removedTwice(ctx); err != nil {
		return err
	}
	if err := d.addedToRemoved(ctx); err != nil {
		return err
	}
	return d.removedUnderAdded(ctx)
}

// doubts is one search for renames.
type doubts struct {
	*merge
	pairs    int
	sketches map[hash]sketch
	listed   bool
	oursAdds []change
}

// removedTwice doubts paths gone in both sides.
func (d *doubts) removedTwice(ctx context.Context) error {
	for _, gone := range d.bothRemoved {
		targets, err := d.oursAdded(ctx)
		if err != nil {
			return err
		}
		targets = append(targets[:len(targets):len(targets)], d.added...)
		alike, err := d.anyAlike(ctx, []change{gone}, targets)
		if err != nil {
			return err
		}
		if alike {
			d.conflict(gone.path, kindRenameDelete)
		}
	}
	return nil
}

// removedUnderAdded doubts what theirs adds to a directory that ours has removed.
func (d *doubts) removedUnderAdded(ctx context.Context) error {
	asked := map[string]bool{"": true}
	for _, c := range d.added {
		dir, err := d.removedParent(c.path, d.ours)
		if err != nil {
			return err
		}
		if asked[dir] {
			continue
		}
		asked[dir] = true
		targets, err := d.oursAdded(ctx)
		if err != nil {
			return err
		}
		if err := d.directory(ctx, c.path, dir, targets); err != nil {
			return err
		}
	}
	return nil
}

// addedToRemoved doubts directories that theirs removed and ours has added to.
func (d *doubts) addedToRemoved(ctx context.Context) error {
	asked := map[string]bool{"": true}
	for _, c := range d.removed {
		dir, err := d.removedParent(c.path, d.theirs)
		if err != nil {
			return err
		}
		if asked[dir] || len(d.added) == 0 {
			continue
		}
		asked[dir] = true
		grown, err := added(ctx, d.objects, d.base, d.ours, newScope(dir))
		if err != nil {
			return err
		}
		if len(grown) == 0 {
			continue
		}
		if err := d.directory(ctx, grown[0].path, dir, d.added); err != nil {
			return err
		}
	}
	return nil
}

// directory doubts path if anything that base has in dir may have been renamed to
// a target.
func (d *doubts) directory(ctx context.Context, path, dir string, targets []change) error {
	sources, err := changes(d.objects, d.base, emptyTree, newScope(dir))
	if err != nil {
		return err
	}
	alike, err := d.anyAlike(ctx, sources, targets)
	if alike {
		d.conflicts = append(d.conflicts, conflict{path, kindRenameDelete, dir})
	}
	return err
}

// anyAlike reports whether some source may have been renamed to some target, or
// whether there are too many to tell.
func (d *doubts) anyAlike(ctx context.Context, sources, targets []change) (bool, error) {
	for _, s := range sources {
		for _, t := range targets {
			if err := ctx.Err(); err != nil {
				return false, err
			}
			if d.pairs++; d.pairs > maxPairs {
				return true, nil
			}
			if alike, err := d.alike(s.before, t.after); alike || err != nil {
				return alike, err
			}
		}
	}
	return false, nil
}

// removedParent is the topmost directory above path that base has and side has
// not; "" when there is none.
func (d *doubts) removedParent(path string, side hash) (string, error) {
	for _, dir := range parents(path) {
		before, err := lookup(d.objects, d.base, dir)
		if err != nil || !before.isTree() {
			return "", err
		}
		after, err := lookup(d.objects, side, dir)
		if err != nil {
			return "", err
		}
		if !after.isTree() {
			return dir, nil
		}
	}
	return "", nil
}

// oursAdded lists what ours added, once. It is the only thing here that costs
// what happened since the culprit rather than what the culprit did.
func (d *doubts) oursAdded(ctx context.Context) (_ []change, err error) {
	if !d.listed {
		d.oursAdds, err = added(ctx, d.objects, d.base, d.ours, nil)
		d.listed = err == nil
	}
	return d.oursAdds, err
}

// added lists the paths in scope that b has and a has not.
func added(ctx context.Context, from objects, a, b hash, in *scope) ([]change, error) {
	var all []change
	err := diffTrees(from, a, b, in, func(c change) error {
		if c.before.absent() {
			all = append(all, c)
		}
		return ctx.Err()
	})
	return all, err
}

// alike reports whether git's rename detection may pair two entries.
func (d *doubts) alike(source, target entry) (bool, error) {
	switch {
	case source.hash == emptyBlob || target.hash == emptyBlob:
		return false, nil // git never follows empty files in merges
	case source.hash == target.hash:
		return source.mode.kind() == target.mode.kind(), nil
	case !source.mode.regular() || !target.mode.regular():
		return false, nil
	}
	var sizes [2]int64
	for i, e := range []entry{source, target} {
		var err error
		if sizes[i], err = d.objects.size(e.hash); err != nil {
			return false, err
		}
	}
	if 2*min(sizes[0], sizes[1]) < max(sizes[0], sizes[1]) {
		return false, nil // spares reading most files
	}
	var sketches [2]sketch
	for i, e := range []entry{source, target} {
		var err error
		sketches[i], err = d.sketch(e.hash)
		if errors.Is(err, errTooBig) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
	return halfAlike(sketches[0], sketches[1]), nil
}
