package git

import (
	"path"
	"strings"
)

// Git takes it that what is added to a directory belongs where the other side has
// renamed the directory to, and reports a conflict. A region is a directory that one
// side of a merge has removed and to which the other has added a file.

// addedBelow notes the directories at and below dir, gone in this side, to which
// the other has added a file directly.
func (s *renameSearch) addedBelow(dir string, other hash) error {
	there, err := lookup(s.objects, other, dir)
	if err != nil || !there.isTree() {
		return err
	}
	return diffTrees(s.objects, s.base, other, newScope(dir), func(c change) error {
		if c.before.absent() {
			if at := path.Dir(c.path); s.regions[at] == "" {
				s.regions[at] = c.path
			}
		}
		return nil
	})
}

// grown is a path that the other side added to dir or to a directory above it that
// went away with it; "" when there is none.
func (s *renameSearch) grown(dir string) string {
	for ; dir != "."; dir = path.Dir(dir) {
		if added := s.regions[dir]; added != "" {
			return added
		}
	}
	return ""
}

// carried is a path that the other side added where the rename of a file from one
// directory to another suggests that the directory was renamed; "" when there is
// none. As in git, a directory above counts as renamed, too, as long as the names
// below it stayed the same.
func (s *renameSearch) carried(from, to string) string {
	if s.grown(from) == "" {
		return ""
	}
	first := ""
	for at, added := range s.regions {
		if (at == from || strings.HasPrefix(at, from+"/")) && (first == "" || added < first) {
			first = added
		}
	}
	if first != "" {
		return first
	}
	for to != "." && path.Base(from) == path.Base(to) {
		from, to = path.Dir(from), path.Dir(to)
		if added := s.regions[from]; added != "" {
			return added
		}
	}
	return ""
}
