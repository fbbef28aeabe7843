package git

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/backout-dev/backout/bot"
)

// Commit reads one commit, with the paths it changed against its first parent.
func (ms *Mirrors) Commit(ctx context.Context, repo bot.RepoName, sha bot.SHA) (bot.Commit, error) {
	s, err := ms.read(ctx, repo, sha)
	if err != nil {
		return bot.Commit{}, err
	}
	c, err := s.commit(toHash(sha))
	if err != nil {
		return bot.Commit{}, ms.failed("commit "+sha.Short(), repo, s, err)
	}
	described, err := s.describe(c)
	return described, ms.failed("commit "+sha.Short(), repo, s, err)
}

// Log walks first parents from q.From, newest first, until q.Until or the root. A
// merge commit counts as what it brought to its first parent; a root commit as
// adding all that it has. Each commit comes with the paths it changed.
func (ms *Mirrors) Log(ctx context.Context, q bot.LogQuery) ([]bot.Commit, error) {
	s, err := ms.read(ctx, q.Repo, q.From)
	if err != nil {
		return nil, err
	}
	t := s.trail(toHash(q.From), newScope(q.Paths...))
	t.until = toHash(q.Until)
	var found []bot.Commit
	for more := true; more && (q.Limit == 0 || len(found) < q.Limit); {
		if more, err = t.next(ctx); more && err == nil {
			var one bot.Commit
			one, err = s.describeAt(t.hash)
			found = append(found, one)
		}
		if err != nil {
			return nil, ms.failed("log from "+q.From.Short(), q.Repo, s, err)
		}
	}
	return found, nil
}

// Contains reports whether commit is tip or an ancestor of it.
func (ms *Mirrors) Contains(ctx context.Context, repo bot.RepoName, tip, commit bot.SHA) (bool, error) {
	s, err := ms.read(ctx, repo, tip, commit)
	if err != nil {
		return false, err
	}
	is, err := s.graph.contains(ctx, toHash(tip), toHash(commit))
	return is, ms.failed("ancestry of "+tip.Short(), repo, s, err)
}

// parentTree is the tree of a commit's n-th parent, from 1; empty for a root.
func (s *store) parentTree(c *commit, n int) (hash, error) {
	if len(c.ParentHashes) == 0 {
		return emptyTree, nil
	}
	if s.cut[c.Hash] {
		return hash{}, fmt.Errorf("parent of %s: %w", c.Hash, errShallow)
	}
	p, err := s.commit(c.ParentHashes[n-1])
	if err != nil {
		return hash{}, err
	}
	return p.TreeHash, nil
}

// errStop ends a comparison whose answer is known.
var errStop = errors.New("stop")

// describeAt describes the commit of a name.
func (s *store) describeAt(h hash) (bot.Commit, error) {
	c, err := s.commit(h)
	if err != nil {
		return bot.Commit{}, err
	}
	return s.describe(c)
}

// describe turns a commit into the bot's words.
func (s *store) describe(c *commit) (bot.Commit, error) {
	before, err := s.parentTree(c, 1)
	if err != nil {
		return bot.Commit{}, err
	}
	b := bot.Commit{
		SHA:     toSHA(c.Hash),
		Tree:    toSHA(c.TreeHash),
		Author:  strings.ToValidUTF8(c.Author.Name, "\uFFFD"),
		Email:   strings.ToValidUTF8(c.Author.Email, "\uFFFD"),
		When:    sane(c.Committer.When),
		Message: strings.ToValidUTF8(c.Message, "\uFFFD"),
	}
	b.Subject, _, _ = strings.Cut(strings.TrimLeft(b.Message, "\n"), "\n")
	for _, p := range c.ParentHashes {
		b.Parents = append(b.Parents, toSHA(p))
	}
	err = diffTrees(s, before, c.TreeHash, nil, func(ch change) error {
		if n := len(b.Paths); n == 0 || b.Paths[n-1] != ch.path {
			b.Paths = append(b.Paths, ch.path)
		}
		return nil
	})
	return b, err
}

// sane moves a date that nobody can write down (git takes any number) to the
// nearest that JSON takes.
func sane(t time.Time) time.Time {
	t = t.UTC()
	first, last := time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
	switch {
	case t.Before(first):
		return first
	case t.After(last):
		return last
	}
	return t
}
