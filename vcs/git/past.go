package git

import (
	"context"
	"fmt"
	"io/fs"
	"time"

	"github.com/backout-dev/backout/bot"
)

// PastQuery selects first-parent commits of a repository.
type PastQuery struct {
	From bot.SHA // newest commit of the walk
	// Good ends the walk before the first commit that it contains; empty walks to
	// the root.
	Good bot.SHA
	// Paths keeps only commits that changed one of them; all when empty.
	Paths []string
	Limit int // 0 means no limit
}

// Log walks first parents as [Mirrors.Log] does, and counts the commits that it
// looked at.
func (r *Repository) Log(ctx context.Context, q PastQuery) (found []bot.Commit, walked int, err error) {
	in := newScope(q.Paths...)
	err = r.store.walk(ctx, toHash(q.From), func(c *commit) (bool, error) {
		if q.Good != "" {
			has, err := r.store.graph.contains(ctx, toHash(q.Good), c.Hash)
			if err != nil || has {
				return false, err
			}
		}
		walked++
		touched, err := r.store.touches(c, in)
		if err != nil {
			return false, err
		}
		if touched {
			described, err := r.store.describe(c)
			if err != nil {
				return false, err
			}
			found = append(found, described)
		}
		if r.shallow[c.Hash] && (q.Limit == 0 || len(found) < q.Limit) {
			return false, fmt.Errorf("parent of %s: %w", c.Hash, errShallow)
		}
		return len(found) != q.Limit || q.Limit == 0, nil
	})
	return found, walked, r.failed("log from "+q.From.Short(), err)
}

// Before is the newest first-parent commit of a line that was committed by a
// moment; empty when there is none.
func (r *Repository) Before(ctx context.Context, from bot.SHA, at time.Time) (bot.SHA, error) {
	var found bot.SHA
	err := r.store.walk(ctx, toHash(from), func(c *commit) (bool, error) {
		if !c.Committer.When.After(at) {
			found = toSHA(c.Hash)
		}
		if found == "" && r.shallow[c.Hash] {
			return false, errShallow
		}
		return found == "", nil
	})
	return found, r.failed("log from "+from.Short(), err)
}

// Tree is the tree of a commit, as [Mirrors.Tree] has it.
func (r *Repository) Tree(rev bot.SHA) (fs.FS, error) {
	c, err := r.store.commit(toHash(rev))
	if err != nil {
		return nil, r.failed("tree "+rev.Short(), err)
	}
	return &treeFS{r.store, c.TreeHash, c.Committer.When.UTC()}, nil
}

// Diff lists the files that differ between two commits, as [Mirrors.Diff] does.
func (r *Repository) Diff(ctx context.Context, from, to bot.SHA, paths []string) ([]bot.FileChange, error) {
	files, err := r.store.diff(ctx, toHash(from), toHash(to), newScope(paths...))
	if err != nil {
		return nil, r.failed(fmt.Sprintf("diff %s..%s", from.Short(), to.Short()), err)
	}
	return files, nil
}
