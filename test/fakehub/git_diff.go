package fakehub

import (
	"slices"
	"strconv"
	"strings"
)

// change is one path that differs between two trees. Renames are a removal
// and an addition, as in push events.
type change struct {
	path     string
	old, new *entry
}

func (c change) status() string {
	switch {
	case c.old == nil:
		return "added"
	case c.new == nil:
		return "removed"
	}
	return "modified"
}

// changes compares two trees file by file, reading only folders that differ.
func (g *gitRepo) changes(a, b, prefix string) []change {
	if a == b {
		return nil
	}
	left, _ := g.tree(a)
	right, _ := g.tree(b)
	sides := map[string][2]*entry{}
	for _, e := range left {
		sides[e.name] = [2]*entry{&e, nil}
	}
	for _, e := range right {
		s := sides[e.name]
		s[1] = &e
		sides[e.name] = s
	}
	sub := func(e *entry) string {
		if e != nil && e.isDir() {
			return e.oid
		}
		return emptyTree
	}
	file := func(e *entry) *entry {
		if e != nil && e.isDir() {
			return nil
		}
		return e
	}
	var list []change
	for name, s := range sides {
		list = append(list, g.changes(sub(s[0]), sub(s[1]), prefix+name+"/")...)
		old, new := file(s[0]), file(s[1])
		if old != nil && new != nil && *old == *new || old == nil && new == nil {
			continue
		}
		list = append(list, change{path: prefix + name, old: old, new: new})
	}
	slices.SortFunc(list, func(x, y change) int { return strings.Compare(x.path, y.path) })
	return list
}

// changesOf is what a commit changed against its first parent.
func (r *Repo) changesOf(c *commit) []change {
	base := emptyTree
	if len(c.parents) > 0 {
		p, err := r.git.commit(c.parents[0])
		if err != nil {
			return nil
		}
		base = p.tree
	}
	return r.git.changes(base, c.tree, "")
}

// maxPushCommits is how many commits a push event lists.
const maxPushCommits = 2048

// broughtBy lists the commits that a push brought, oldest first.
func (r *Repo) broughtBy(u refUpdate) []*commit {
	base := u.old
	if base == "" {
		base = r.git.branch(r.defaultBranch)
	}
	list, err := r.git.between(base, u.new)
	if err != nil {
		return nil
	}
	return list[max(0, len(list)-maxPushCommits):]
}

// pullStats are the counts that a pull request shows.
type pullStats struct{ commits, files, additions, deletions int }

func (r *Repo) stats(p *pull) pullStats {
	base := r.git.mergeBase(p.baseSHA, p.headSHA)
	if base == p.headSHA { // merged: what it brought is what the API keeps showing.
		return pullStats{}
	}
	key := [2]string{base, p.headSHA}
	if s, ok := r.pullStats[key]; ok {
		return s
	}
	var s pullStats
	if list, err := r.git.between(p.baseSHA, p.headSHA); err == nil {
		s.commits = len(list)
	}
	for _, f := range r.diff(base, p.headSHA) {
		s.files++
		s.additions += f.additions
		s.deletions += f.deletions
	}
	r.pullStats[key] = s
	return s
}

// fileDiff is one file of a diff, with renames found.
type fileDiff struct {
	path, from           string // from is set for renames
	status               string // added, removed, modified, renamed, changed
	sha                  string
	additions, deletions int
}

// diff compares two commits, or a commit with nothing when base is "".
func (r *Repo) diff(base, head string) []fileDiff {
	if base == "" {
		base = emptyTree
	}
	out, err := r.git.run("", "diff", "--raw", "--numstat", "-z", "-M", "--no-abbrev", base, head)
	if err != nil {
		return nil
	}
	fields := strings.Split(strings.TrimSuffix(out, "\x00"), "\x00")
	var list []fileDiff
	byPath := map[string]int{}
	for i := 0; i < len(fields); i++ {
		if raw, ok := strings.CutPrefix(fields[i], ":"); ok {
			w := strings.Fields(raw)
			f := fileDiff{path: fields[i+1], sha: w[3], status: map[byte]string{
				'A': "added", 'D': "removed", 'M': "modified", 'R': "renamed", 'T': "changed",
			}[w[4][0]]}
			if f.status == "renamed" {
				f.from, f.path = fields[i+1], fields[i+2]
				i++
			}
			if f.status == "removed" {
				f.sha = w[2]
			}
			i++
			byPath[f.path] = len(list)
			list = append(list, f)
			continue
		}
		w := strings.SplitN(fields[i], "\t", 3)
		if len(w) != 3 {
			continue
		}
		path := w[2]
		if path == "" { // a rename: the two names follow.
			path = fields[i+2]
			i += 2
		}
		if at, ok := byPath[path]; ok {
			list[at].additions, _ = strconv.Atoi(w[0])
			list[at].deletions, _ = strconv.Atoi(w[1])
		}
	}
	return list
}
