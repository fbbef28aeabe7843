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
func (r *revert) later(ctx context.Context) ([]hash, error) {
	culprit := r.steps[len(r.steps)-1].commit
	if line, ok := r.lines[culprit]; ok {
		return line, nil
	}
	line, turned, err := r.store.boundary(ctx, r.onto, culprit, maxLookBack, func(h hash) (bool, error) {
		has, err := r.store.graph.contains(ctx, h, culprit)
		return !has, err
	})
	if err != nil {
		return nil, err
	}
	if n := len(line); turned && n > 0 {
		// Unless the culprit stands on the line itself, the last brought it.
		below, err := r.store.graph.header(line[n-1])
		if err != nil {
			return nil, err
		}
		if below.first() != culprit {
			line = line[:n-1]
		}
	}
	if r.lines == nil {
		r.lines = make(map[hash][]hash)
	}
	r.lines[culprit] = line
	return line, nil
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
	t, err := r.trail(ctx, paths)
	if err != nil {
		return nil, err
	}
	for open := len(conflicts); open > 0 && t != nil; {
		more, err := t.next(ctx)
		if errors.Is(err, errShallow) {
			break // what was before is not known, and not needed for the answer
		}
		if err != nil {
			return nil, err
		}
		if !more {
			break
		}
		if slices.ContainsFunc(r.steps, func(st step) bool { return st.commit == t.hash }) {
			continue
		}
		for _, path := range t.hits {
			for _, i := range watching[path] {
				if len(explained[i].Since) < maxSince {
					explained[i].Since = append(explained[i].Since, toSHA(t.hash))
					if len(explained[i].Since) == maxSince {
						open--
					}
				}
			}
		}
	}
	return explained, nil
}

// trail walks the later commits that touched some paths; nil when there are no later
// ones.
func (r *revert) trail(ctx context.Context, paths []string) (*trail, error) {
	line, err := r.later(ctx)
	if err != nil || len(line) == 0 {
		return nil, err
	}
	t := r.store.trail(r.onto, newScope(paths...))
	t.limit, t.which = len(line), true
	return t, nil
}

// undoneBy finds the commit that took the change back: the newest after which
// nothing was left to take back, while before it something was. What commits say
// of themselves proves nothing, so each is tried.
func (r *revert) undoneBy(ctx context.Context) (hash, error) {
	touched, err := r.paths()
	if err != nil || len(touched) == 0 {
		return hash{}, err
	}
	t, err := r.trail(ctx, touched)
	if err != nil || t == nil {
		return hash{}, err
	}
	t.which = false
	for range maxUndoers {
		more, err := t.next(ctx)
		if errors.Is(err, errShallow) || err == nil && !more {
			break
		}
		if err != nil {
			return hash{}, err
		}
		undone, err := r.undone(ctx, t.hash)
		if undone || err != nil {
			return t.hash, err
		}
	}
	return hash{}, nil
}

// undone reports whether something was left to take back before a commit.
func (r *revert) undone(ctx context.Context, h hash) (bool, error) {
	c, err := r.store.commit(h)
	if err != nil {
		return false, err
	}
	before, err := r.store.parentTree(c, 1)
	if err != nil {
		return false, err
	}
	trees, conflicts, err := r.merge(ctx, newOverlay(r.store), before)
	return err == nil && (len(conflicts) > 0 || trees[len(trees)-1] != before), err
}
