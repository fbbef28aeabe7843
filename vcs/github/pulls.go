package github

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/backout-dev/backout/bot"
)

// pullJSON is a pull request of the REST API, whole or as a list shows it
// (https://docs.github.com/rest/pulls/pulls#get-a-pull-request).
type pullJSON struct {
	Number         int        `json:"number"`
	Title          string     `json:"title"`
	URL            string     `json:"html_url"`
	State          string     `json:"state"`
	MergedAt       *time.Time `json:"merged_at"`
	MergeCommitSHA bot.SHA    `json:"merge_commit_sha"`
	User           struct {
		Login string `json:"login"`
		Type  string `json:"type"`
	} `json:"user"`
	Head struct {
		Ref  string  `json:"ref"`
		SHA  bot.SHA `json:"sha"`
		Repo *struct {
			ID int64 `json:"id"`
		} `json:"repo"` // null when a fork was deleted
	} `json:"head"`
	Base struct {
		Ref  string `json:"ref"`
		Repo struct {
			ID            int64  `json:"id"`
			DefaultBranch string `json:"default_branch"`
		} `json:"repo"`
	} `json:"base"`
}

func (p pullJSON) pull(subjects []string) bot.Pull {
	out := bot.Pull{
		Number:      p.Number,
		Title:       p.Title,
		URL:         p.URL,
		Open:        p.State == "open",
		Merged:      p.MergedAt != nil,
		Base:        p.Base.Ref,
		Head:        p.Head.Ref,
		HeadSHA:     p.Head.SHA,
		Author:      p.User.Login,
		AuthorIsBot: p.User.Type == "Bot",
		Fork:        p.Head.Repo == nil || p.Head.Repo.ID != p.Base.Repo.ID,
		Subjects:    subjects,
	}
	if p.MergedAt != nil {
		// Before the merge it names a trial merge that is on no branch.
		out.MergeCommit, out.MergedAt = p.MergeCommitSHA, *p.MergedAt
	}
	return out
}

// commitJSON is a commit as lists show it.
type commitJSON struct {
	SHA    bot.SHA `json:"sha"`
	Commit struct {
		Message string `json:"message"`
	} `json:"commit"`
}

func (c commitJSON) subject() string {
	line, _, _ := strings.Cut(c.Commit.Message, "\n")
	return line
}

func subjectsOf(commits []commitJSON) []string {
	var list []string
	for _, c := range commits {
		list = append(list, c.subject())
	}
	return list
}

// Pull reads a pull request and the subjects of its commits, of which GitHub
// lists 250 at most.
func (c *Client) Pull(ctx context.Context, name bot.RepoName, number int) (bot.Pull, error) {
	r, err := c.repo(name)
	if err != nil {
		return bot.Pull{}, err
	}
	var p pullJSON
	var commits []commitJSON
	group, gctx := errgroup.WithContext(ctx)
	group.Go(func() error { return r.get(gctx, r.path("/pulls/%d", number), &p) })
	group.Go(func() (err error) {
		commits, err = r.commitsOf(gctx, number)
		return err
	})
	if err := group.Wait(); err != nil {
		return bot.Pull{}, r.trouble(err, "read pull request %d in %s", number, name)
	}
	return p.pull(subjectsOf(commits)), nil
}

// PullOf finds the merged pull request that brought a commit to a branch
// (https://docs.github.com/rest/commits/commits#list-pull-requests-associated-with-a-commit).
// GitHub's list also holds pull requests that merely contain the commit, so
// each has to prove itself: by its merge commit, by its own commits, or, after
// a rebase merge, by the commits that it left on the base.
func (c *Client) PullOf(ctx context.Context, name bot.RepoName, commit bot.SHA) (bot.Pull, bool, error) {
	r, err := c.repo(name)
	if err != nil {
		return bot.Pull{}, false, err
	}
	p, ok, err := r.pullOf(ctx, commit)
	if err != nil {
		return bot.Pull{}, false, r.trouble(err, "find the pull request of commit %s in %s", commit.Short(), name)
	}
	return p, ok, nil
}

func (r *repository) pullOf(ctx context.Context, commit bot.SHA) (bot.Pull, bool, error) {
	var merged []pullJSON
	err := eachPage(ctx, r.api(), r.path("/commits/%s/pulls", commit), func(page []pullJSON) bool {
		for _, p := range page {
			if p.MergedAt != nil {
				merged = append(merged, p)
			}
		}
		return true
	})
	if code := status(err); code == http.StatusNotFound || code == http.StatusUnprocessableEntity {
		return bot.Pull{}, false, nil // GitHub has no such commit.
	}
	if err != nil {
		return bot.Pull{}, false, err
	}
	slices.SortStableFunc(merged, func(a, b pullJSON) int { return cmp.Compare(rank(a, commit), rank(b, commit)) })
	for _, p := range merged {
		commits, err := r.commitsOf(ctx, p.Number)
		if err != nil {
			return bot.Pull{}, false, err
		}
		brought := p.MergeCommitSHA == commit ||
			slices.ContainsFunc(commits, func(c commitJSON) bool { return c.SHA == commit })
		if !brought {
			if brought, err = r.rebased(ctx, p, commits, commit); err != nil {
				return bot.Pull{}, false, err
			}
		}
		if brought {
			return p.pull(subjectsOf(commits)), true, nil
		}
	}
	return bot.Pull{}, false, nil
}

// rank sorts the surest first: the merge commit itself, then what went into
// the default branch, then the rest.
func rank(p pullJSON, commit bot.SHA) int {
	switch {
	case p.MergeCommitSHA == commit:
		return 0
	case p.Base.Ref == p.Base.Repo.DefaultBranch:
		return 1
	}
	return 2
}

// rebased tells whether a pull request was merged by rebase and the commit is
// one of the copies: then the newest commits of the base, up to what the merge
// left, are its own commits under new names.
func (r *repository) rebased(ctx context.Context, p pullJSON, own []commitJSON, commit bot.SHA) (bool, error) {
	if len(own) < 2 || len(own) > pageSize {
		return false, nil
	}
	var landed []commitJSON // newest first
	path := r.path("/commits?sha=%s&per_page=%d", p.MergeCommitSHA, len(own))
	if err := r.get(ctx, path, &landed); err != nil {
		return false, err
	}
	if len(landed) != len(own) {
		return false, nil
	}
	found := false
	for i, c := range landed {
		if c.subject() != own[len(own)-1-i].subject() {
			return false, nil
		}
		found = found || c.SHA == commit
	}
	return found, nil
}

// commitsOf lists the commits of a pull request, oldest first.
func (r *repository) commitsOf(ctx context.Context, number int) ([]commitJSON, error) {
	var all []commitJSON
	err := eachPage(ctx, r.api(), r.path("/pulls/%d/commits", number), func(page []commitJSON) bool {
		all = append(all, page...)
		return true
	})
	return all, err
}
