package git

import (
	"context"
	"slices"

	"github.com/backout-dev/backout/bot"
)

// TakenBack is a revert computed in a repository of somebody's own. Revert is as
// from Mirrors.Revert, without Files; Tree is also set when nothing was left to
// take back.
type TakenBack struct {
	bot.Revert
	// Changed are the paths that differ from onto, sorted; none unless clean.
	Changed []string
	// Merges are the merge commits among those taken back, and Mainline the parent
	// that they were taken back against, from 1.
	Merges   []bot.SHA
	Mainline int

	repo    *Repository
	revert  *revert
	outcome *outcome
}

// Revert computes what takes c.Commits back from onto, in their order: newest
// first, unless the caller knows better. Nothing is written.
func (r *Repository) Revert(ctx context.Context, onto bot.SHA, c bot.Change) (*TakenBack, error) {
	if len(c.Commits) == 0 {
		return nil, bot.NewTrouble(bot.TroubleInvalid, nil, "no commit to take back")
	}
	t := &TakenBack{Mainline: max(c.Mainline, 1), repo: r}
	t.revert = &revert{store: r.store, onto: toHash(onto)}
	for _, sha := range c.Commits {
		if err := t.revert.takeBack(toHash(sha), c.Mainline); err != nil {
			return nil, r.failed("revert "+sha.Short(), err)
		}
		if culprit, err := r.store.commit(toHash(sha)); err == nil && len(culprit.ParentHashes) > 1 {
			t.Merges = append(t.Merges, sha)
		}
	}
	act := "revert " + c.Commits[0].Short()
	var err error
	if t.outcome, err = t.revert.outcome(ctx); err != nil {
		return nil, r.failed(act, err)
	}
	t.Revert = t.outcome.Revert
	if t.Status == bot.RevertConflict {
		return t, nil
	}
	t.Tree = toSHA(t.outcome.tree())
	err = diffTrees(t.outcome.made, t.outcome.from, t.outcome.tree(), nil, func(ch change) error {
		if n := len(t.Changed); n == 0 || t.Changed[n-1] != ch.path {
			t.Changed = append(t.Changed, ch.path)
		}
		return ctx.Err()
	})
	return t, r.failed(act, err)
}

// Contents are the files that differ from onto, whole, with both contents.
func (t *TakenBack) Contents(ctx context.Context) ([]bot.FileChange, error) {
	if t.Status != bot.RevertClean {
		return nil, nil
	}
	files, err := t.outcome.files(ctx)
	return files, t.repo.failed("read the result", err)
}

// Smallest is the smallest set of commits found that contains those asked for and
// reverts cleanly, newest first; none when there is no conflict or no such set.
func (t *TakenBack) Smallest(ctx context.Context) ([]bot.SHA, error) {
	if t.Status != bot.RevertConflict {
		return nil, nil
	}
	set, err := t.revert.smallest(ctx, t.Conflicts)
	var shas []bot.SHA
	for _, h := range set {
		shas = append(shas, toSHA(h))
	}
	return shas, t.repo.failed("look for commits to take back together", err)
}

// Subject is the first line of a commit's message.
func (r *Repository) Subject(sha bot.SHA) (string, error) {
	c, err := r.store.commit(toHash(sha))
	if err != nil {
		return "", r.failed("read "+sha.Short(), err)
	}
	return subject(c), nil
}

// Mainline is the number of a commit's parent, from 1. TroubleInvalid when it is
// not one.
func (r *Repository) Mainline(sha, parent bot.SHA) (int, error) {
	c, err := r.store.commit(toHash(sha))
	if err != nil {
		return 0, r.failed("read "+sha.Short(), err)
	}
	n := slices.Index(c.ParentHashes, toHash(parent)) + 1
	if n == 0 {
		return 0, bot.NewTrouble(bot.TroubleInvalid, nil, "%s is not a parent of %s", parent.Short(), sha.Short())
	}
	return n, nil
}
