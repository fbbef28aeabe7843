package git

import (
	"bytes"
	"container/heap"
	"context"
	"fmt"
	"strconv"
	"sync"

	"github.com/go-git/go-git/v5/plumbing"
)

// graph answers questions of ancestry. What it has read it keeps: commits never
// change, and an answer that must see a whole history should do so only once.
type graph struct {
	store *store
	// quick is how many commits are tried, newest first, before generations are
	// worked out. Most questions are about the last days.
	quick int

	mu    sync.Mutex
	nodes map[hash]*node
}

// node is a commit as far as ancestry goes.
type node struct {
	parents []hash
	when    int64 // committer date; only ever used to look in likely places first
	// generation is one more than the highest among the parents, 0 while unknown.
	// An ancestor's is always lower, which no date can promise.
	generation int
}

// checkEvery is how many commits are visited between looks at the context.
const checkEvery = 256

// contains reports whether commit is tip or an ancestor of it.
func (g *graph) contains(ctx context.Context, tip, commit hash) (bool, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	found, complete, err := g.search(ctx, tip, commit, 0, g.quick)
	if err != nil || found || complete {
		return found, err
	}
	for _, h := range []hash{commit, tip} {
		if err := g.number(ctx, h); err != nil {
			return false, err
		}
	}
	found, _, err = g.search(ctx, tip, commit, g.nodes[commit].generation, 0)
	return found, err
}

// search looks for commit among tip and its ancestors, newest first, skipping what
// is not above the floor generation. complete is false when it stopped at limit.
func (g *graph) search(ctx context.Context, tip, commit hash, floor, limit int) (found, complete bool, err error) {
	seen := map[hash]bool{tip: true}
	queue := &newestFirst{}
	push := func(h hash) error {
		n, err := g.node(h)
		if err == nil && (floor == 0 || n.generation > floor || h == commit) {
			heap.Push(queue, queued{h, n})
		}
		return err
	}
	if err := push(tip); err != nil {
		return false, false, err
	}
	for visited := 0; queue.Len() > 0; visited++ {
		if limit > 0 && visited == limit {
			return false, false, nil
		}
		if visited%checkEvery == 0 && ctx.Err() != nil {
			return false, false, ctx.Err()
		}
		q := heap.Pop(queue).(queued)
		if q.hash == commit {
			return true, true, nil
		}
		for _, p := range q.parents {
			if seen[p] {
				continue
			}
			seen[p] = true
			if err := push(p); err != nil {
				return false, false, err
			}
		}
	}
	return false, true, nil
}

// number works out the generation of h and of all its ancestors.
func (g *graph) number(ctx context.Context, h hash) error {
	stack := []hash{h}
	for visited := 0; len(stack) > 0; visited++ {
		if visited%checkEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		n, err := g.node(stack[len(stack)-1])
		if err != nil {
			return err
		}
		highest, waiting := 0, false
		for _, p := range n.parents {
			parent, err := g.node(p)
			if err != nil {
				return err
			}
			if parent.generation == 0 {
				stack, waiting = append(stack, p), true
			}
			highest = max(highest, parent.generation)
		}
		if !waiting {
			n.generation = highest + 1
			stack = stack[:len(stack)-1]
		}
	}
	return nil
}

// node reads a commit's node.
func (g *graph) node(h hash) (*node, error) {
	if n, ok := g.nodes[h]; ok {
		return n, nil
	}
	raw, err := g.store.object(plumbing.CommitObject, h, maxBlob)
	if err != nil {
		return nil, err
	}
	n, err := parseNode(raw)
	if err != nil {
		return nil, fmt.Errorf("read commit %s: %w", h, err)
	}
	if g.store.cut[h] {
		n.parents = nil
	}
	if g.nodes == nil {
		g.nodes = make(map[hash]*node)
	}
	g.nodes[h] = n
	return n, nil
}

// parseNode reads the few header lines that ancestry needs. A date that can't be
// read counts as 0, the oldest: it only orders the search.
func parseNode(raw []byte) (*node, error) {
	n := &node{}
	for line := range bytes.Lines(raw) {
		line = bytes.TrimSuffix(line, []byte{'\n'})
		key, value, _ := bytes.Cut(line, []byte{' '})
		switch string(key) {
		case "":
			return n, nil
		case "parent":
			if len(value) != 2*len(hash{}) {
				return nil, fmt.Errorf("malformed parent %q", value)
			}
			n.parents = append(n.parents, plumbing.NewHash(string(value)))
		case "committer":
			if f := bytes.Fields(value); len(f) >= 2 {
				n.when, _ = strconv.ParseInt(string(f[len(f)-2]), 10, 64)
			}
		}
	}
	return n, nil
}

type queued struct {
	hash hash
	*node
}

// newestFirst is a heap of commits by committer date.
type newestFirst []queued

func (q newestFirst) Len() int           { return len(q) }
func (q newestFirst) Less(i, j int) bool { return q[i].when > q[j].when }
func (q newestFirst) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *newestFirst) Push(x any)        { *q = append(*q, x.(queued)) }
func (q *newestFirst) Pop() any {
	old := *q
	last := old[len(old)-1]
	*q = old[:len(old)-1]
	return last
}
