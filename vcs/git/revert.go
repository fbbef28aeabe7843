package git

import (
	"context"
	"fmt"

	"github.com/backout-dev/backout/bot"
)

// Revert computes what takes a change back from the tree of onto: for each of its
// commits, newest first, a three-way merge with the commit as base and its parent
// as theirs. A merge commit is taken back against c.Mainline, or against its first
// parent when that is 0.
//
// A clean revert comes with the resulting root tree and all files that differ from
// onto's, whole. Blob is set where the repository has the resulting file already;
// for a submodule it is the submodule's commit. A conflict names the paths, and the
// later first-parent commits that touched them. When nothing is left to take back,
// By names the commit after which that was so, if there is one. The same arguments
// give the same answer for ever: commits don't change.
func (ms *Mirrors) Revert(ctx context.Context, repo bot.RepoName, onto bot.SHA, c bot.Change) (bot.Revert, error) {
	if len(c.Commits) == 0 {
		return bot.Revert{}, bot.NewTrouble(bot.TroubleInvalid, nil, "a change without commits can't be reverted")
	}
	s, err := ms.read(ctx, repo, append([]bot.SHA{onto}, c.Commits...)...)
	if err != nil {
		return bot.Revert{}, err
	}
	r := &revert{store: s, onto: toHash(onto)}
	for _, sha := range c.Commits {
		if err := r.takeBack(toHash(sha), c.Mainline); err != nil {
			return bot.Revert{}, ms.failed("revert "+sha.Short(), repo, s, err)
		}
	}
	computed, err := r.compute(ctx)
	return computed, ms.failed("revert "+c.Head().Short(), repo, s, err)
}

// revert is one computation.
type revert struct {
	store *store
	onto  hash
	steps []step // newest culprit first
}

// step takes one commit back.
type step struct {
	commit        hash
	tree, without hash // with the commit, and without it
}

// takeBack adds a step.
func (r *revert) takeBack(h hash, mainline int) error {
	c, err := r.store.commit(h)
	if err != nil {
		return err
	}
	n := max(mainline, 1)
	switch parents := len(c.ParentHashes); {
	case parents > 1 && n > parents:
		return bot.NewTrouble(bot.TroubleInvalid, nil, "merge %s has %d parents, not %d", toSHA(h).Short(), parents, n)
	case parents < 2 && n > 1:
		return bot.NewTrouble(bot.TroubleInvalid, nil, "%s is not a merge, so it has no mainline %d", toSHA(h).Short(), n)
	}
	without, err := r.store.parentTree(c, n)
	r.steps = append(r.steps, step{h, c.TreeHash, without})
	return err
}

func (r *revert) compute(ctx context.Context) (bot.Revert, error) {
	computed := bot.Revert{Onto: toSHA(r.onto)}
	onto, err := r.store.commit(r.onto)
	if err != nil {
		return computed, err
	}
	made := newOverlay(r.store)
	tree, conflicts, err := r.merge(ctx, made, onto.TreeHash)
	switch {
	case err != nil:
		return computed, err
	case len(conflicts) > 0:
		computed.Status = bot.RevertConflict
		computed.Conflicts, err = r.explain(ctx, conflicts)
		return computed, err
	case tree == onto.TreeHash:
		computed.Status = bot.RevertEmpty
		by, err := r.undoneBy(ctx)
		if !by.IsZero() {
			computed.Status, computed.By = bot.RevertAlready, toSHA(by)
		}
		return computed, err
	}
	computed.Status, computed.Tree = bot.RevertClean, toSHA(tree)
	computed.Files, err = fileChanges(ctx, made, onto.TreeHash, tree, nil, maxBlob)
	for i := range computed.Files {
		// A submodule's commit is elsewhere by nature.
		if f := &computed.Files[i]; f.AfterMode != modeModule.String() && !r.store.has(toHash(f.Blob)) {
			f.Blob = ""
		}
	}
	return computed, err
}

// merge takes all steps on top of a tree.
func (r *revert) merge(ctx context.Context, made *overlay, tree hash) (hash, []conflict, error) {
	for _, st := range r.steps {
		merged, conflicts, err := mergeTrees(ctx, made, st.tree, tree, st.without)
		if err != nil {
			return hash{}, nil, fmt.Errorf("take back %s: %w", st.commit, err)
		}
		if len(conflicts) > 0 {
			return hash{}, conflicts, nil
		}
		tree = merged
	}
	return tree, nil, nil
}

// paths are all paths that the change touched; none when it changed nothing.
func (r *revert) paths() ([]string, error) {
	var touched []string
	for _, st := range r.steps {
		all, err := changes(r.store, st.without, st.tree, nil)
		if err != nil {
			return nil, err
		}
		for _, c := range all {
			touched = append(touched, c.path)
		}
	}
	return touched, nil
}
