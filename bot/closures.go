package bot

import (
	"io/fs"
	"slices"
	"strings"
	"sync"
)

// closures remembers what the trees of a few commits reference. To weigh one
// alert, every App of the repository is asked for its closure, and the manifests
// of one are read for what the failing workload is made of; in a storm those are
// the same questions thousands of times. What a commit references never
// changes, so nothing here can be out of date.
type closures struct {
	mu    sync.Mutex
	trees []*treeClosures // the one used last is last
}

// maxTrees bounds how many commits are remembered: what runs, and the heads
// around it.
const maxTrees = 6

type treeClosures struct {
	repo  RepoName
	rev   SHA
	paths map[string][]string // by roots
	parts map[string]parts    // by closure and workload
}

// parts are what a workload is made of, as Ranker.Parts tells.
type parts struct{ files, objects map[string]string }

// closure is Ranker.Closure of the tree of a commit. The answer is shared:
// nobody may change it.
func (f *Flow) closure(repo RepoName, rev SHA, tree fs.FS, roots []string) []string {
	key := strings.Join(roots, "\x00")
	if known, ok := f.closures.get(repo, rev, key); ok {
		return known
	}
	paths := f.Ports.Ranker.Closure(tree, roots)
	// "Everything" is also the answer where the tree could not be read, and that
	// may pass.
	if !slices.Equal(paths, []string{"."}) {
		f.closures.put(repo, rev, key, paths)
	}
	return paths
}

// parts is Ranker.Parts of the tree of a commit. The answer is shared: nobody
// may change it.
func (f *Flow) parts(repo RepoName, rev SHA, tree fs.FS, closure []string, w Workload) (files, objects map[string]string) {
	key := strings.Join(closure, "\x00") + "\x00\x00" + w.Kind + "/" + w.Name
	if known, ok := f.closures.getParts(repo, rev, key); ok {
		return known.files, known.objects
	}
	var p parts
	p.files, p.objects = f.Ports.Ranker.Parts(tree, closure, w)
	// "Nothing" is also the answer where the tree could not be read.
	if len(p.files) > 0 {
		f.closures.putParts(repo, rev, key, p)
	}
	return p.files, p.objects
}

func (c *closures) getParts(repo RepoName, rev SHA, key string) (parts, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p, ok := c.tree(repo, rev).parts[key]
	return p, ok
}

func (c *closures) putParts(repo RepoName, rev SHA, key string, p parts) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tree(repo, rev).parts[key] = p
}

func (c *closures) get(repo RepoName, rev SHA, key string) ([]string, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	paths, ok := c.tree(repo, rev).paths[key]
	return paths, ok
}

func (c *closures) put(repo RepoName, rev SHA, key string, paths []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tree(repo, rev).paths[key] = paths
}

// tree is what is remembered of a commit. c.mu is held.
func (c *closures) tree(repo RepoName, rev SHA) *treeClosures {
	i := slices.IndexFunc(c.trees, func(t *treeClosures) bool { return t.repo == repo && t.rev == rev })
	var t *treeClosures
	switch {
	case i >= 0:
		t = c.trees[i]
		c.trees = slices.Delete(c.trees, i, i+1)
	case len(c.trees) == maxTrees:
		c.trees = slices.Delete(c.trees, 0, 1)
	}
	if t == nil {
		t = &treeClosures{repo: repo, rev: rev, paths: map[string][]string{}, parts: map[string]parts{}}
	}
	c.trees = append(c.trees, t)
	return t
}
