package github

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/backout-dev/backout/bot"
)

var _ bot.Authorship = (*Client)(nil)

// maxAuthored is how many commits of a change are looked at; a longer one has
// authors that are not known.
const maxAuthored = 250

// authored is a commit of a listing, with the accounts that GitHub found for its
// author and committer by their e-mail addresses; null where it found none.
type authored struct {
	SHA       bot.SHA      `json:"sha"`
	Author    *accountJSON `json:"author"`
	Committer *accountJSON `json:"committer"`
}

type accountJSON struct {
	Login string `json:"login"`
}

// webFlow is who commits what is done on GitHub's pages: nobody's hand.
const webFlow = "web-flow"

// Authors implements bot.Authorship. Of a pull request it is who opened it and
// the authors and committers of its own commits, which a squash does not show.
func (c *Client) Authors(ctx context.Context, name bot.RepoName, ch bot.Change) (bot.Authors, error) {
	r, err := c.repo(name)
	if err != nil {
		return bot.Authors{}, err
	}
	var out bot.Authors
	var commits []authored
	if ch.PR != 0 {
		var p pullJSON
		if err := r.get(ctx, r.path("/pulls/%d", ch.PR), &p); err != nil {
			return out, r.trouble(err, "read pull request %d in %s", ch.PR, name)
		}
		add(&out, p.User.Login)
		err = eachPage(ctx, r.api(), r.path("/pulls/%d/commits", ch.PR), func(page []authored) bool {
			commits = append(commits, page...)
			return true
		})
	} else {
		commits, err = r.authoredOf(ctx, ch.Commits)
	}
	if err != nil {
		return out, r.trouble(err, "read who wrote %s in %s", ch.Head().Short(), name)
	}
	if len(commits) >= maxAuthored || len(commits) == 0 {
		out.Unknown++ // GitHub lists no more
	}
	for _, x := range commits {
		if x.Author == nil || x.Author.Login == "" {
			out.Unknown++
		} else {
			add(&out, x.Author.Login)
		}
		if x.Committer != nil {
			add(&out, x.Committer.Login)
		}
	}
	return out, nil
}

// authoredOf reads commits one by one, the newest maxDirect of them: a change
// without a pull request is one commit, or few.
func (r *repository) authoredOf(ctx context.Context, commits []bot.SHA) ([]authored, error) {
	var out []authored
	for i, sha := range commits {
		if i == maxDirect {
			return append(out, authored{}), nil
		}
		var one authored
		err := r.get(ctx, r.path("/commits/%s", sha), &one)
		if code := status(err); code == http.StatusNotFound || code == http.StatusUnprocessableEntity {
			err = nil // an author that is not known
		}
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

const maxDirect = 10

func add(a *bot.Authors, login string) {
	same := func(l string) bool { return strings.EqualFold(l, login) }
	if login != "" && login != webFlow && !slices.ContainsFunc(a.Logins, same) {
		a.Logins = append(a.Logins, login)
	}
}
