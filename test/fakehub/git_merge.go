package fakehub

import (
	"fmt"
	"slices"
	"strings"
)

// mergeTree merges two commits as git's ort does, without a work tree. clean
// is false where they conflict.
func (g *gitRepo) mergeTree(ours, theirs string) (tree string, clean bool, err error) {
	out, err := g.run("", "merge-tree", "--write-tree", "--no-messages", ours, theirs)
	switch {
	case err == nil:
		return strings.TrimSpace(out), true, nil
	case exitCode(err) == 1:
		return "", false, nil
	case strings.Contains(err.Error(), "unrelated histories"):
		return "", false, nil
	}
	return "", false, err
}

// pickTree applies what one commit changed onto another commit. git 2.39 has
// no --merge-base, so the target's tree is first dressed as a child of the
// picked commit's parent, which makes that parent the merge base.
func (g *gitRepo) pickTree(onto string, picked *commit) (tree string, clean bool, err error) {
	target, err := g.commit(onto)
	if err != nil {
		return "", false, err
	}
	if len(picked.parents) != 1 {
		return "", false, fmt.Errorf("pick %s: it has %d parents", picked.oid, len(picked.parents))
	}
	dressed, err := g.writeCommit(commit{
		tree: target.tree, parents: picked.parents,
		author: target.author, committer: target.committer, message: "fakehub: rebase\n",
	}, false)
	if err != nil {
		return "", false, err
	}
	return g.mergeTree(dressed, picked.oid)
}

// nearby is how many commits the hub looks at by itself before it asks git:
// a process takes longer than all of a test's small history.
const nearby = 200

// isAncestor tells whether old is reachable from new (or is it).
func (g *gitRepo) isAncestor(old, new string) bool {
	seen := map[string]bool{new: true}
	for queue := []string{new}; len(seen) <= nearby; queue = queue[1:] {
		if len(queue) == 0 {
			return false
		}
		if queue[0] == old {
			return true
		}
		c, err := g.commit(queue[0])
		if err != nil {
			return false
		}
		for _, p := range c.parents {
			if !seen[p] {
				seen[p] = true
				queue = append(queue, p)
			}
		}
	}
	_, err := g.run("", "merge-base", "--is-ancestor", old, new)
	return err == nil
}

// mergeBase returns the best common ancestor, or "".
func (g *gitRepo) mergeBase(a, b string) string {
	switch {
	case g.isAncestor(a, b):
		return a
	case g.isAncestor(b, a):
		return b
	}
	out, err := g.run("", "merge-base", a, b)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(out)
}

// line is the history from base to head where it is short and has no merges.
func (g *gitRepo) line(base, head string) (list []*commit, ok bool) {
	for at := head; len(list) < nearby; {
		if at == base {
			slices.Reverse(list)
			return list, true
		}
		c, err := g.commit(at)
		if err != nil || len(c.parents) != 1 {
			return nil, false
		}
		list = append(list, c)
		at = c.parents[0]
	}
	return nil, false
}

// between lists the commits in head and not in base, oldest first.
func (g *gitRepo) between(base, head string) ([]*commit, error) {
	if list, ok := g.line(base, head); ok {
		return list, nil
	}
	args := []string{"rev-list", "--topo-order", "--reverse", head}
	if base != "" {
		args = append(args, "^"+base)
	}
	out, err := g.run("", args...)
	if err != nil {
		return nil, err
	}
	var list []*commit
	for sha := range strings.FieldsSeq(out) {
		c, err := g.commit(sha)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}
