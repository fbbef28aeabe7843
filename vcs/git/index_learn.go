package git

import (
	"errors"
	"fmt"

	"github.com/go-git/go-git/v5/plumbing"
)

// learn lists all paths that a commit touched, for the index. learned is false when
// they are too many, or the index is full.
func (t *trail) learn(h hash, head *header, before hash) (learned bool, err error) {
	if t.passing.store == nil {
		t.passing = passing{t.store, newCache[[]entry](passingBytes)}
	}
	var touched []string
	err = diffTrees(t.passing, before, head.tree, nil, func(ch change) error {
		if n := len(touched); n == 0 || touched[n-1] != ch.path {
			touched = append(touched, ch.path)
		}
		if len(touched) > maxListed {
			return errStop
		}
		return nil
	})
	if err != nil && !errors.Is(err, errStop) {
		return false, err
	}
	return t.store.index.put(h, touched), nil
}

// passing reads the trees of a history as a walk comes by them. They are not kept
// with those that are asked for again: most are never seen a second time.
type passing struct {
	*store
	recent *cache[[]entry]
}

const passingBytes = 1 << 20

func (p passing) tree(h hash) ([]entry, error) {
	if h == emptyTree {
		return nil, nil
	}
	if t, ok := p.recent.get(h); ok {
		return t, nil
	}
	raw, err := p.object(plumbing.TreeObject, h, maxBlob)
	if err != nil {
		return nil, err
	}
	t, err := parseTree(raw)
	if err != nil {
		return nil, fmt.Errorf("read tree %s: %w", h, err)
	}
	p.recent.put(h, t, 100+3*len(raw))
	return t, nil
}
