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
	steps []step          // newest culprit first
	lines map[hash][]hash // what later has found, by oldest culprit
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
	o, err := r.outcome(ctx)
	if err != nil || o.Status != bot.RevertClean {
		return o.Revert, err
	}
	o.Files, err = o.files(ctx)
	return o.Revert, err
}

// outcome is a computed revert and what it was made of. Files are left out.
type outcome struct {
	bot.Revert
	store *store
	made  *overlay
	from  hash   // the tree of onto
	trees []hash // after each step
}

func (r *revert) outcome(ctx context.Context) (*outcome, error) {
	o := &outcome{Revert: bot.Revert{Onto: toSHA(r.onto)}, store: r.store, made: newOverlay(r.store)}
	onto, err := r.store.commit(r.onto)
	if err != nil {
		return o, err
	}
	o.from = onto.TreeHash
	var conflicts []conflict
	o.trees, conflicts, err = r.merge(ctx, o.made, o.from)
	switch {
	case err != nil:
		return o, err
	case len(conflicts) > 0:
		o.Status = bot.RevertConflict
		o.Conflicts, err = r.explain(ctx, conflicts)
		return o, err
	case o.tree() == o.from:
		o.Status = bot.RevertEmpty
		by, err := r.undoneBy(ctx)
		if !by.IsZero() {
			o.Status, o.By = bot.RevertAlready, toSHA(by)
		}
		return o, err
	}
	o.Status, o.Tree = bot.RevertClean, toSHA(o.tree())
	return o, nil
}

// tree is the resulting root tree.
func (o *outcome) tree() hash { return o.trees[len(o.trees)-1] }

// files are the files that differ from onto's, whole.
func (o *outcome) files(ctx context.Context) ([]bot.FileChange, error) {
	files, err := fileChanges(ctx, o.made, o.from, o.tree(), nil, maxBlob)
	for i := range files {
		// A submodule's commit is elsewhere by nature.
		if f := &files[i]; f.AfterMode != modeModule.String() && !o.store.has(toHash(f.Blob)) {
			f.Blob = ""
		}
	}
	return files, err
}

// merge takes all steps on top of a tree, and returns the tree after each.
func (r *revert) merge(ctx context.Context, made *overlay, tree hash) ([]hash, []conflict, error) {
	trees := make([]hash, 0, len(r.steps))
	for _, st := range r.steps {
		merged, conflicts, err := mergeTrees(ctx, made, st.tree, tree, st.without)
		if err != nil {
			return nil, nil, fmt.Errorf("take back %s: %w", st.commit, err)
		}
		if len(conflicts) > 0 {
			return nil, conflicts, nil
		}
		tree = merged
		trees = append(trees, tree)
	}
	return trees, nil, nil
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
