package git

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// The kinds of conflicts (bot.Conflict).
const (
	kindContent      = "content"
	kindModifyDelete = "modify/delete"
	kindRenameDelete = "rename/delete"
	kindAddAdd       = "add/add"
	kindMode         = "mode"
	kindBinary       = "binary"
	kindSubmodule    = "submodule"
	kindAttributes   = "attributes"
)

// conflict is a path that can't be merged, and the path whose history explains
// it: usually the same.
type conflict struct {
	path, kind string
	watch      string
}

// merge is one three-way merge of trees. The judge is git merge-tree: what is
// clean here is clean there with the same tree. The other direction does not
// hold. Renames are not followed; where following them could change git's answer,
// the answer here is a conflict.
//
// It looks only at what theirs changed, since the rest of ours stays as it is.
type merge struct {
	objects            *overlay
	base, ours, theirs hash
	attributes         *attributes

	edits     edits
	conflicts []conflict
	// Facts for the question of renames.
	added, removed []change // by theirs
	bothRemoved    []change // by theirs, and ours lacks it too
}

// mergeTrees merges theirs into ours, where both descend from base. With
// conflicts there is no tree.
func mergeTrees(ctx context.Context, o *overlay, base, ours, theirs hash) (hash, []conflict, error) {
	m := &merge{
		objects: o, base: base, ours: ours, theirs: theirs,
		attributes: newAttributes(o, ours, theirs),
		edits:      make(edits),
	}
	all, err := changes(o, base, theirs, nil)
	if err != nil {
		return hash{}, nil, err
	}
	for i, c := range all {
		if i%checkEvery == 0 && ctx.Err() != nil {
			return hash{}, nil, ctx.Err()
		}
		if err := m.path(c); err != nil {
			return hash{}, nil, err
		}
	}
	tree, clashes, err := o.apply(ours, m.edits)
	if err != nil {
		return hash{}, nil, err
	}
	for _, path := range clashes {
		m.conflict(path, kindAddAdd)
	}
	if len(m.conflicts) == 0 {
		if err := m.doubtRenames(ctx); err != nil {
			return hash{}, nil, err
		}
	}
	if len(m.conflicts) > 0 {
		return hash{}, m.conflicts, nil
	}
	return tree, nil, nil
}

func (m *merge) conflict(path, kind string) {
	m.conflicts = append(m.conflicts, conflict{path, kind, path})
}

// path merges one path that theirs changed.
func (m *merge) path(c change) error {
	ours, err := lookup(m.objects, m.ours, c.path)
	if err != nil {
		return err
	}
	switch {
	case c.before.absent():
		m.added = append(m.added, c)
	case c.after.absent():
		m.removed = append(m.removed, c)
	}
	if ours.isTree() {
		// A file here and a directory there: apply finds out whether the directory
		// goes away at the same time. As a file, ours has nothing here.
		ours = entry{}
	}
	switch {
	case ours.same(c.before):
		m.edits[c.path] = c.after
	case ours.same(c.after):
		if ours.absent() {
			m.bothRemoved = append(m.bothRemoved, c)
		}
	case ours.absent(), c.after.absent():
		m.conflict(c.path, kindModifyDelete)
	default:
		return m.file(c, ours)
	}
	return nil
}

// file merges a file that is different in both sides, and in base if it is there.
func (m *merge) file(c change, ours entry) error {
	kind := kindContent
	if c.before.absent() {
		kind = kindAddAdd
	}
	switch base := c.before; {
	case ours.mode.kind() != c.after.mode.kind(), !base.absent() && base.mode.kind() != ours.mode.kind():
		m.conflict(c.path, kindMode)
		return nil
	case ours.mode == modeModule:
		m.conflict(c.path, kindSubmodule)
		return nil
	case !ours.mode.regular():
		m.conflict(c.path, kind)
		return nil
	}
	merged := entry{hash: c.after.hash}
	switch {
	case ours.mode == c.after.mode, ours.mode == c.before.mode:
		merged.mode = c.after.mode
	case c.after.mode == c.before.mode:
		merged.mode = ours.mode
	default:
		m.conflict(c.path, kindMode)
		return nil
	}
	switch ours.hash {
	case c.before.hash, c.after.hash:
	default:
		if c.after.hash == c.before.hash {
			merged.hash = ours.hash
			break
		}
		h, trouble, err := m.content(c, ours, kind)
		if err != nil {
			return err
		}
		if trouble != "" {
			m.conflict(c.path, trouble)
			return nil
		}
		merged.hash = h
	}
	m.edits[c.path] = merged
	return nil
}

// content merges three versions of a file, of which base may be absent. It
// returns the kind of conflict, "" for none.
func (m *merge) content(c change, ours entry, kind string) (merged hash, conflict string, err error) {
	if driven, err := m.attributes.govern(c.path); err != nil || driven {
		return hash{}, kindAttributes, err
	}
	var texts [3][]byte
	for i, e := range []entry{c.before, ours, c.after} {
		if e.absent() {
			continue
		}
		texts[i], err = m.objects.blob(e.hash)
		if errors.Is(err, errTooBig) {
			return hash{}, kind, nil
		}
		if err != nil {
			return hash{}, "", fmt.Errorf("merge %q: %w", c.path, err)
		}
	}
	if slices.ContainsFunc(texts[:], isBinary) {
		return hash{}, kindBinary, nil
	}
	text, ok := mergeContent(texts[0], texts[1], texts[2])
	if !ok {
		return hash{}, kind, nil
	}
	return m.objects.addBlob(text), "", nil
}

// parents lists the directories above a path, topmost first.
func parents(path string) []string {
	var dirs []string
	for i, r := range path {
		if r == '/' {
			dirs = append(dirs, path[:i])
		}
	}
	return dirs
}
