package git

import (
	"context"
	"fmt"
	"slices"
)

// trail walks first parents, newest first, and stops at the commits that changed
// something in scope against their first parent: a merge counts as what it brought,
// a root as adding all it has. What the index knows costs nanoseconds; any other
// commit is compared along the paths in scope.
type trail struct {
	store *store
	in    *scope // nil: every commit counts, even one that changed nothing
	// until, if any, ends the walk before it, and limit, unless 0, after so many
	// commits.
	until hash
	limit int
	// which has hits filled.
	which bool

	// The commit at which the walk stopped last.
	hash hash
	when int64
	hits []string // the paths of the scope that it touched, if which
	// walked counts the commits looked at, with those that changed nothing in
	// scope. end is set at a commit whose parents a shallow clone left out.
	walked int
	end    bool

	at      hash // to look at next
	ask     *asked
	narrow  *narrow
	passing passing
	// spare is a commit that was read as another's parent.
	spare     *header
	spareName hash
}

func (s *store) trail(from hash, in *scope) *trail {
	t := &trail{store: s, in: in, at: from}
	if in != nil {
		t.ask = newAsked(in)
	}
	return t
}

// next goes on to the next commit that counts; false at the end. It is errShallow
// where what a commit changed can't be known.
func (t *trail) next(ctx context.Context) (bool, error) {
	for !t.done() {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		found, known := t.store.index.run(t)
		if found || known {
			if found {
				return true, nil
			}
			continue
		}
		found, err := t.step()
		if found || err != nil {
			return found, err
		}
	}
	return false, nil
}

func (t *trail) done() bool {
	return t.at.IsZero() || t.at == t.until || t.limit > 0 && t.walked >= t.limit
}

// pass leaves a commit behind.
func (t *trail) pass(first hash, when int64) {
	t.hash, t.when = t.at, when
	t.at = first
	t.walked++
}

// step looks at one commit of which the index does not know enough.
func (t *trail) step() (found bool, err error) {
	s, h := t.store, t.at
	head, err := t.read(h)
	if err != nil {
		return false, err
	}
	cut := s.cut[h]
	t.end = cut
	switch {
	case t.in == nil:
		if !cut {
			s.index.meet(h, head, false)
		}
		t.pass(head.first(), head.when)
		return true, nil
	case cut:
		return false, fmt.Errorf("parent of %s: %w", h, errShallow)
	}
	before, err := t.before(head)
	if err != nil {
		return false, err
	}
	if s.index.meet(h, head, true) { // Asked for again: worth knowing once for all.
		learned, err := t.learn(h, head, before)
		if learned || err != nil {
			return false, err
		}
	}
	found, err = t.compare(before, head.tree)
	t.pass(head.first(), head.when)
	return found, err
}

// read reads a commit, unless that was done.
func (t *trail) read(h hash) (*header, error) {
	if t.spare != nil && t.spareName == h {
		return t.spare, nil
	}
	return t.store.header(h)
}

// before is the tree of a commit's first parent.
func (t *trail) before(head *header) (hash, error) {
	if len(head.parents) == 0 {
		return emptyTree, nil
	}
	below, err := t.store.header(head.first())
	if err != nil {
		return hash{}, err
	}
	t.spare, t.spareName = below, head.first()
	return below.tree, nil
}

func (t *trail) compare(before, after hash) (bool, error) {
	if t.narrow == nil {
		t.narrow = newNarrow(t.store, t.in)
	}
	if !t.which {
		return t.narrow.differs(before, after, nil)
	}
	t.hits = t.hits[:0]
	found, err := t.narrow.differs(before, after, func(ch change) error {
		t.in.over(ch.path, func(path string) {
			if !slices.Contains(t.hits, path) {
				t.hits = append(t.hits, path)
			}
		})
		return nil
	})
	return found, err
}

// over calls visit for each path of the scope that is p or above it.
func (s *scope) over(p string, visit func(path string)) {
	for i := range len(p) {
		if p[i] == '/' && s.paths[p[:i]] {
			visit(p[:i])
		}
	}
	if s.paths[p] {
		visit(p)
	}
}

// boundary lists first parents of from, from itself on, up to where a property turns:
// it must not hold for newer commits, and hold for all older ones. It certainly
// turns at mark, if that is met; mark's date says where to try first. turned is
// false where limit commits, or history, were at an end before.
func (s *store) boundary(ctx context.Context, from, mark hash, limit int, holds func(hash) (bool, error)) (newer []hash, turned bool, err error) {
	marked, err := s.graph.header(mark)
	if err != nil {
		return nil, false, err
	}
	t := s.trail(from, nil)
	t.until, t.limit = mark, limit
	tested, stride := 0, 16 // for newer[:tested] it does not hold
	test := func() (bool, error) {
		if holds, err := holds(newer[len(newer)-1]); err != nil || !holds {
			tested, stride = len(newer), 2*stride
			return false, err
		}
		var failed error
		n, _ := slices.BinarySearchFunc(newer[tested:], true, func(h hash, _ bool) int {
			holds, err := holds(h)
			if err != nil {
				failed = err
			}
			if holds {
				return 1
			}
			return -1
		})
		newer = newer[:tested+n]
		return true, failed
	}
	for {
		more, err := t.next(ctx)
		if err != nil {
			return nil, false, err
		}
		if !more {
			break
		}
		newer = append(newer, t.hash)
		if t.when < marked.when && len(newer)-tested >= stride {
			if turned, err := test(); turned || err != nil {
				return newer, turned, err
			}
		}
	}
	if t.at == mark || len(newer) == tested {
		return newer, t.at == mark, nil
	}
	turned, err = test()
	return newer, turned, err
}

// beyond lists first parents of from, from itself on, that good does not contain.
// met is false where history was at an end before.
func (s *store) beyond(ctx context.Context, from, good hash) (newer []hash, met bool, err error) {
	return s.boundary(ctx, from, good, 0, func(h hash) (bool, error) { return s.graph.contains(ctx, good, h) })
}
