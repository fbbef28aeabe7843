package git

import (
	"cmp"
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
	kindRenameRename = "rename/rename"
	kindLocation     = "file-location" // its directory was renamed
	kindRename       = "rename"        // where it went is not certain
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
// clean here is clean there with the same tree. The other direction holds as far
// as git's choice of renames can be told (pairing.go).
//
// It looks only at what theirs changed, since the rest of ours stays as it is;
// where a rename could matter, also at what ours removed and added.
type merge struct {
	objects            *overlay
	base, ours, theirs hash
	attributes         *attributes

	changed   []sides
	settled   map[string]bool // paths that a rename has dealt with
	edits     edits
	conflicts []conflict
}

// sides is one path that theirs changed, and what ours has there: as a file, so a
// directory counts as nothing.
type sides struct {
	change
	ours entry
	// was is where a renamed file is in ours, if not at path.
	was string
}

// clash notes that the sides can't be merged.
func (m *merge) clash(s sides, kind string) {
	m.conflicts = append(m.conflicts, conflict{s.path, kind, cmp.Or(s.was, s.path)})
}

// mergeTrees merges theirs into ours, where both descend from base. With
// conflicts there is no tree.
func mergeTrees(ctx context.Context, o *overlay, base, ours, theirs hash) (hash, []conflict, error) {
	m := &merge{
		objects: o, base: base, ours: ours, theirs: theirs,
		attributes: newAttributes(o, ours, theirs),
		settled:    make(map[string]bool),
		edits:      make(edits),
	}
	if err := m.compare(ctx); err != nil {
		return hash{}, nil, err
	}
	if err := m.followRenames(ctx); err != nil {
		return hash{}, nil, err
	}
	for i, s := range m.changed {
		if i%checkEvery == 0 && ctx.Err() != nil {
			return hash{}, nil, ctx.Err()
		}
		if m.settled[s.path] {
			continue
		}
		if err := m.path(s); err != nil {
			return hash{}, nil, err
		}
	}
	if len(m.conflicts) > 0 {
		return hash{}, m.conflicts, nil
	}
	tree, clashes, err := o.apply(ours, m.edits)
	if err != nil {
		return hash{}, nil, err
	}
	for _, path := range clashes {
		m.conflict(path, kindAddAdd)
	}
	if len(m.conflicts) > 0 {
		return hash{}, m.conflicts, nil
	}
	return tree, nil, nil
}

// compare lists what theirs changed.
func (m *merge) compare(ctx context.Context) error {
	return diffTrees(m.objects, m.base, m.theirs, nil, func(c change) error {
		ours, err := lookup(m.objects, m.ours, c.path)
		if err != nil {
			return err
		}
		if ours.isTree() {
			// A file here and a directory there: apply finds out whether the directory
			// goes away at the same time.
			ours = entry{}
		}
		m.changed = append(m.changed, sides{change: c, ours: ours})
		return ctx.Err()
	})
}

func (m *merge) conflict(path, kind string) {
	m.conflicts = append(m.conflicts, conflict{path, kind, path})
}

// path merges one path that theirs changed.
func (m *merge) path(s sides) error {
	switch {
	case s.ours.same(s.before):
		m.edits[s.path] = s.after
	case s.ours.same(s.after):
	case s.ours.absent(), s.after.absent():
		m.conflict(s.path, kindModifyDelete)
	default:
		return m.file(s)
	}
	return nil
}

// file merges a file that is different in both sides, and in base if it is there.
func (m *merge) file(s sides) error {
	c, ours := s.change, s.ours
	switch {
	case ours.same(c.after), c.after.same(c.before):
		m.edits[c.path] = ours
		return nil
	case ours.same(c.before):
		m.edits[c.path] = c.after
		return nil
	}
	kind := kindContent
	if c.before.absent() {
		kind = kindAddAdd
	}
	switch base := c.before; {
	case ours.mode.kind() != c.after.mode.kind(), !base.absent() && base.mode.kind() != ours.mode.kind():
		m.clash(s, kindMode)
		return nil
	case ours.mode == modeModule:
		m.clash(s, kindSubmodule)
		return nil
	case !ours.mode.regular():
		m.clash(s, kind)
		return nil
	}
	merged := entry{hash: c.after.hash}
	switch {
	case ours.mode == c.after.mode, ours.mode == c.before.mode:
		merged.mode = c.after.mode
	case c.after.mode == c.before.mode:
		merged.mode = ours.mode
	default:
		m.clash(s, kindMode)
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
			m.clash(s, trouble)
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
