package model

import (
	"cmp"
	"crypto/sha1" // #nosec G505 -- git's object names
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/backout-dev/backout/bot"
)

// files are the contents of a tree by path.
type files map[string]string

// tree is the name of a tree: equal contents have equal names.
func (f files) tree() bot.SHA {
	var b strings.Builder
	for _, path := range slices.Sorted(maps.Keys(f)) {
		fmt.Fprintf(&b, "%d %s %d %s", len(path), path, len(f[path]), f[path])
	}
	return name("tree", b.String())
}

func name(kind, text string) bot.SHA {
	sum := sha1.Sum([]byte(kind + " " + text)) // #nosec G401 -- a name, no secret
	return bot.SHA(hex.EncodeToString(sum[:]))
}

// with returns a copy with some contents replaced; "" deletes a file.
func (f files) with(change map[string]string) files {
	out := maps.Clone(f)
	for path, text := range change {
		out[path] = text
		if text == "" {
			delete(out, path)
		}
	}
	return out
}

// differ lists the paths that differ between two trees, sorted.
func differ(a, b files) []string {
	seen := map[string]bool{}
	for path := range a {
		seen[path] = a[path] != b[path] || !has(b, path)
	}
	for path := range b {
		seen[path] = a[path] != b[path] || !has(a, path)
	}
	var out []string
	for path, differs := range seen {
		if differs {
			out = append(out, path)
		}
	}
	slices.Sort(out)
	return out
}

func has(f files, path string) bool { _, ok := f[path]; return ok }

// node is one commit.
type node struct {
	bot.Commit
	files files
	order int               // in which it was made
	past  map[bot.SHA]*node // itself and its ancestors
}

// repository is the git side of the one repository.
type repository struct {
	nodes map[bot.SHA]*node
	heads map[string]bot.SHA // branches
}

// commit adds a commit. Like real ones, two with the same contents have
// different names.
func (r *repository) commit(f files, author, message string, at time.Time, parents ...*node) *node {
	n := &node{files: f, order: len(r.nodes), past: map[bot.SHA]*node{}}
	n.Tree, n.Author, n.Email, n.When, n.Message = f.tree(), author, author+"@example.com", at, message
	n.Subject, _, _ = strings.Cut(message, "\n")
	text := fmt.Sprintf("%d %s %s", n.order, n.Tree, message)
	before := files{}
	for i, p := range parents {
		n.Parents = append(n.Parents, p.SHA)
		text += " " + string(p.SHA)
		maps.Copy(n.past, p.past)
		if i == 0 {
			before = p.files
		}
	}
	n.Paths = differ(before, f)
	n.SHA = name("commit", text)
	n.past[n.SHA] = n
	r.nodes[n.SHA] = n
	return n
}

func (r *repository) head(branch string) *node { return r.nodes[r.heads[branch]] }

func (r *repository) parent(n *node, mainline int) *node {
	if len(n.Parents) == 0 {
		return &node{files: files{}}
	}
	return r.nodes[n.Parents[max(mainline, 1)-1]]
}

// firstParents walks from a commit to the root.
func (r *repository) firstParents(from *node) []*node {
	var out []*node
	for n := from; n != nil; {
		out = append(out, n)
		if len(n.Parents) == 0 {
			break
		}
		n = r.nodes[n.Parents[0]]
	}
	return out
}

// base is the newest common ancestor.
func base(a, b *node) *node {
	var best *node
	for sha, n := range a.past {
		if b.past[sha] != nil && (best == nil || n.order > best.order) {
			best = n
		}
	}
	return best
}

// merge3 merges two trees by whole files and lists the paths that conflict.
func merge3(base, ours, theirs files) (files, []string) {
	out := maps.Clone(ours)
	var conflicts []string
	for _, path := range differ(base, theirs) {
		switch o := ours[path]; {
		case o == theirs[path] && has(ours, path) == has(theirs, path):
		case o == base[path] && has(ours, path) == has(base, path):
			out[path] = theirs[path]
			if !has(theirs, path) {
				delete(out, path)
			}
		default:
			conflicts = append(conflicts, path)
		}
	}
	return out, conflicts
}

// revert takes the commits of a change back, newest first.
func (r *repository) revert(onto *node, c bot.Change) (files, []string) {
	out := onto.files
	for _, sha := range c.Commits {
		n := r.nodes[sha]
		merged, conflicts := merge3(n.files, out, r.parent(n, c.Mainline).files)
		if len(conflicts) > 0 {
			return nil, conflicts
		}
		out = merged
	}
	return out, nil
}

// abbreviated finds the commits whose names begin with the digits.
func (r *repository) abbreviated(digits string) []*node {
	var found []*node
	for sha, n := range r.nodes {
		if strings.HasPrefix(string(sha), digits) {
			found = append(found, n)
		}
	}
	slices.SortFunc(found, func(a, b *node) int { return cmp.Compare(a.order, b.order) })
	return found
}
