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
	act := "log from " + q.From.Short()
	t := r.store.trail(toHash(q.From), newScope(q.Paths...))
	if q.Good != "" {
		newer, met, err := r.store.beyond(ctx, t.at, toHash(q.Good))
		if err != nil || met && len(newer) == 0 {
			return nil, 0, r.failed(act, err)
		}
		if met {
			t.limit = len(newer)
		}
	}
	for more := true; more && (q.Limit == 0 || len(found) < q.Limit); {
		if more, err = t.next(ctx); more && err == nil {
			var one bot.Commit
			one, err = r.store.describeAt(t.hash)
			found = append(found, one)
		}
		if err != nil {
			return nil, t.walked, r.failed(act, err)
		}
	}
	return found, t.walked, nil
}

// Before is the newest first-parent commit of a line that was committed by a
// moment; empty when there is none.
func (r *Repository) Before(ctx context.Context, from bot.SHA, at time.Time) (bot.SHA, error) {
	t := r.store.trail(toHash(from), nil)
	for {
		more, err := t.next(ctx)
		if err == nil && !more && t.end {
			err = errShallow
		}
		switch {
		case err != nil:
			return "", r.failed("log from "+from.Short(), err)
		case !more:
			return "", nil
		case !time.Unix(t.when, 0).After(at):
			return toSHA(t.hash), nil
		}
	}
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
