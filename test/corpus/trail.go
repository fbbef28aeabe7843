package corpus

import (
	"context"
	"path"
	"strings"

	"github.com/backout-dev/backout/bot"
)

// trail keeps the first-parent commits of one repository that were walked, so
// that hundreds of questions cost one walk.
type trail struct {
	history bot.History
	repo    bot.RepoName
	commits map[bot.SHA]*bot.Commit
}

// chunk is how many commits are read at once.
const chunk = 400

func newTrail(h bot.History, repo bot.RepoName) *trail {
	return &trail{h, repo, map[bot.SHA]*bot.Commit{}}
}

// at is one commit.
func (t *trail) at(ctx context.Context, sha bot.SHA) (*bot.Commit, error) {
	if c, ok := t.commits[sha]; ok {
		return c, nil
	}
	commits, err := t.history.Log(ctx, bot.LogQuery{Repo: t.repo, From: sha, Limit: chunk})
	if err != nil {
		return nil, err
	}
	for i := range commits {
		if t.commits[commits[i].SHA] != nil {
			break
		}
		commits[i].Message = commits[i].Message[:min(4000, len(commits[i].Message))]
		t.commits[commits[i].SHA] = &commits[i]
	}
	return t.commits[sha], nil
}

// walk visits head and its first parents until visit says no more.
func (t *trail) walk(ctx context.Context, head bot.SHA, visit func(*bot.Commit) bool) error {
	for sha := head; ; {
		c, err := t.at(ctx, sha)
		if err != nil {
			return err
		}
		if !visit(c) || len(c.Parents) == 0 {
			return nil
		}
		sha = c.Parents[0]
	}
}

// newest are up to limit commits from head that touched one of the paths, newest
// first.
func (t *trail) newest(ctx context.Context, head bot.SHA, paths []string, limit int) ([]bot.Commit, error) {
	var out []bot.Commit
	err := t.walk(ctx, head, func(c *bot.Commit) bool {
		if touches(c.Paths, paths) {
			out = append(out, *c)
		}
		return len(out) < limit
	})
	return out, err
}

func touches(changed, paths []string) bool {
	for _, c := range changed {
		for _, p := range paths {
			if p = path.Clean(p); p == "." || c == p || strings.HasPrefix(c, p+"/") {
				return true
			}
		}
	}
	return false
}
