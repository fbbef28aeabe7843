package git

import (
	"context"
	"errors"
	"slices"

	"github.com/backout-dev/backout/bot"
)

// Bounds on looking back for explanations. They decide how much is explained,
// never what a revert is.
const (
	maxLookBack = 5000 // first-parent commits
	maxSince    = 20   // commits named for one path
	maxUndoers  = 200  // commits that are tried as the one that took the change back
)

// later lists first-parent commits from onto back to the one that brought the
// oldest culprit, newest first, without it.
func (r *revert) later(ctx context.Context) ([]*commit, error) {
	culprit := r.steps[len(r.steps)-1].commit
	var chain []*commit
	reached := false
	err := r.store.walk(ctx, r.onto, func(c *commit) (bool, error) {
		if reached = c.Hash == culprit; !reached {
			chain = append(chain, c)
		}
		return !reached && len(chain) < maxLookBack, nil
	})
	if err != nil || reached {
		return chain, err
	}
	// The culprit came by a merge: the last commit that contains it brought it.
	var failed error
	without, _ := slices.BinarySearchFunc(chain, true, func(c *commit, _ bool) int {
		has, err := r.store.graph.contains(ctx, c.Hash, culprit)
		if err != nil {
			failed = err
		}
		if has {
			return -1
		}
		return 1
	})
	if without < len(chain) {
		without = max(without-1, 0)
	}
	return chain[:without], failed
}

// explain names the later commits behind each conflict, newest first.
func (r *revert) explain(ctx context.Context, conflicts []conflict) ([]bot.Conflict, error) {
	explained := make([]bot.Conflict, len(conflicts))
	watching := make(map[string][]int, len(conflicts)) // conflicts by watched path
	paths := make([]string, len(conflicts))
	for i, c := range conflicts {
		explained[i] = bot.Conflict{Path: c.path, Kind: c.kind}
		watching[c.watch], paths[i] = append(watching[c.watch], i), c.watch
	}
	chain, err := r.later(ctx)
	if err != nil {
		return nil, err
	}
	in, open := newScope(paths...), len(conflicts)
	for _, c := range chain {
		if open == 0 {
			break
		}
		if slices.ContainsFunc(r.steps, func(st step) bool { return st.commit == c.Hash }) {
			continue
		}
		before, err := r.store.parentTree(c, 1)
		if errors.Is(err, errShallow) {
			break // what was before is not known, and not needed for the answer
		}
		if err != nil {
			return nil, err
		}
		sha := toSHA(c.Hash)
		err = diffTrees(r.store, before, c.TreeHash, in, func(ch change) error {
			for _, path := range append(parents(ch.path), ch.path) {
				for _, i := range watching[path] {
					since := explained[i].Since
					if n := len(since); n < maxSince && (n == 0 || since[n-1] != sha) {
						explained[i].Since = append(since, sha)
						if n+1 == maxSince {
							open--
						}
					}
				}
			}
			return ctx.Err()
		})
		if err != nil {
			return nil, err
		}
	}
	return explained, nil
}

// undoneBy finds the commit that took the change back: the newest after which
// nothing was left to take back, while before it something was. What commits say
// of themselves proves nothing, so each is tried.
func (r *revert) undoneBy(ctx context.Context) (hash, error) {
	touched, err := r.paths()
	if err != nil || len(touched) == 0 {
		return hash{}, err
	}
	in := newScope(touched...)
	chain, err := r.later(ctx)
	if err != nil {
		return hash{}, err
	}
	tries := 0
	for _, c := range chain {
		touched, err := r.store.touches(c, in)
		if errors.Is(err, errShallow) {
			break
		}
		if err != nil {
			return hash{}, err
		}
		if !touched {
			continue
		}
		if tries++; tries > maxUndoers {
			break
		}
		before, err := r.store.parentTree(c, 1)
		if err != nil {
			return hash{}, err
		}
		trees, conflicts, err := r.merge(ctx, newOverlay(r.store), before)
		if err != nil {
			return hash{}, err
		}
		if len(conflicts) > 0 || trees[len(trees)-1] != before {
			return c.Hash, nil
		}
	}
	return hash{}, nil
}
