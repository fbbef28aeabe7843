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

// header is what walks need of a commit.
type header struct {
	tree    hash
	parents []hash // none where a shallow clone left them out
	when    int64  // committer date in Unix seconds
}

// first is the first parent; zero where there is none.
func (h *header) first() hash {
	if len(h.parents) == 0 {
		return hash{}
	}
	return h.parents[0]
}

// header reads a commit as far as walks need it, which is much cheaper than the
// whole.
func (s *store) header(h hash) (*header, error) {
	raw, err := s.object(plumbing.CommitObject, h, maxBlob)
	if err != nil {
		return nil, err
	}
	head, err := parseHeader(raw)
	if err != nil {
		return nil, fmt.Errorf("read commit %s: %w", h, err)
	}
	if s.cut[h] {
		head.parents = nil
	}
	return head, nil
}

// parseHeader reads the first lines of a commit. A date that can't be read counts
// as 0, as for git.
func parseHeader(raw []byte) (*header, error) {
	head := &header{}
	for len(raw) > 0 {
		line, rest, _ := bytes.Cut(raw, []byte{'\n'})
		key, value, _ := bytes.Cut(line, []byte{' '})
		switch string(key) {
		case "":
			return head, nil
		case "tree", "parent":
			if len(value) != 2*len(hash{}) {
				return nil, fmt.Errorf("malformed %s %q", key, value)
			}
			named := plumbing.NewHash(string(value))
			if len(key) == len("tree") {
				head.tree = named
			} else {
				head.parents = append(head.parents, named)
			}
		case "committer":
			if f := bytes.Fields(value); len(f) >= 2 {
				head.when, _ = strconv.ParseInt(string(f[len(f)-2]), 10, 64)
			}
			return head, nil // What follows is for people.
		}
		raw = rest
	}
	return head, nil
}

// maxHeaders is how many commits a graph remembers, some 10 MiB.
const maxHeaders = 1 << 16

// graph answers questions of ancestry. It remembers what it has read, since most
// questions are about the same last days.
type graph struct {
	store *store

	mu    sync.Mutex
	known map[hash]*header
}

func (g *graph) header(h hash) (*header, error) {
	g.mu.Lock()
	head, ok := g.known[h]
	g.mu.Unlock()
	if ok {
		return head, nil
	}
	head, err := g.store.header(h)
	if err != nil {
		return nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.known == nil || len(g.known) >= maxHeaders {
		g.known = make(map[hash]*header)
	}
	g.known[h] = head
	return head, nil
}

// checkEvery is how many commits are visited between looks at the context.
const checkEvery = 256

// contains reports whether commit is tip or an ancestor of it.
//
// Both are walked from, newest first, and each commit learns from which of them it
// can be reached. The end is where only common ancestors are left to look at: a
// commit on the way from tip to commit is never one, or history had a cycle. So the
// answer is right whatever the dates say, and costs about what lies between the two.
func (g *graph) contains(ctx context.Context, tip, commit hash) (bool, error) {
	p := painter{graph: g, at: make(map[hash]*painted)}
	if err := p.paint(tip, fromTip); err != nil || tip == commit {
		return tip == commit && err == nil, err
	}
	if err := p.paint(commit, fromCommit); err != nil {
		return false, err
	}
	for visited := 0; p.open > 0; visited++ {
		if visited%checkEvery == 0 && ctx.Err() != nil {
			return false, ctx.Err()
		}
		c := p.pop()
		for _, parent := range c.parents {
			if parent == commit { // Only what is not among its ancestors leads to it.
				return true, nil
			}
			if err := p.paint(parent, c.marks); err != nil {
				return false, err
			}
		}
	}
	return false, nil
}

// Where a commit was reached from.
const (
	fromTip uint8 = 1 << iota
	fromCommit
	fromBoth = fromTip | fromCommit
)

type painted struct {
	*header
	marks  uint8
	queued bool
}

// painter is one search for a commit.
type painter struct {
	graph *graph
	at    map[hash]*painted
	queue newestFirst
	open  int // commits in the queue that are not known to be common
}

// paint marks a commit, and has it looked at unless it had the marks.
func (p *painter) paint(h hash, marks uint8) error {
	c := p.at[h]
	if c == nil {
		head, err := p.graph.header(h)
		if err != nil {
			return err
		}
		c = &painted{header: head}
		p.at[h] = c
	}
	if c.marks|marks == c.marks {
		return nil
	}
	if c.queued && c.marks != fromBoth {
		p.open--
	}
	c.marks |= marks
	if c.marks != fromBoth {
		p.open++
	}
	if !c.queued {
		c.queued = true
		heap.Push(&p.queue, c)
	}
	return nil
}

func (p *painter) pop() *painted {
	c := heap.Pop(&p.queue).(*painted)
	c.queued = false
	if c.marks != fromBoth {
		p.open--
	}
	return c
}

// newestFirst is a heap of commits by committer date.
type newestFirst []*painted

func (q newestFirst) Len() int           { return len(q) }
func (q newestFirst) Less(i, j int) bool { return q[i].when > q[j].when }
func (q newestFirst) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *newestFirst) Push(x any)        { *q = append(*q, x.(*painted)) }
func (q *newestFirst) Pop() any {
	old := *q
	last := old[len(old)-1]
	*q = old[:len(old)-1]
	return last
}
