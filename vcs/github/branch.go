package github

import (
	"context"
	"net/url"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/backout-dev/backout/bot"
)

// Branch reads a branch, the rules that stand before a merge into it, and how
// the repository merges. What demands something comes from three places:
// classic protection as the branch shows it, classic protection as GraphQL
// shows it to who is no administrator, and rulesets.
func (c *Client) Branch(ctx context.Context, name bot.RepoName, branch string) (bot.Branch, error) {
	r, err := c.repo(name)
	if err != nil {
		return bot.Branch{}, err
	}
	out, err := r.branch(ctx, branch)
	if err != nil {
		if branch == "" {
			branch = "(default)"
		}
		return bot.Branch{}, r.trouble(err, "read branch %s of %s", branch, name)
	}
	return out, nil
}

func (r *repository) branch(ctx context.Context, branch string) (bot.Branch, error) {
	var repo repoJSON
	if branch == "" {
		if err := r.get(ctx, r.path(""), &repo); err != nil {
			return bot.Branch{}, err
		}
		branch = repo.DefaultBranch
	}
	var b branchJSON
	var rules []ruleJSON
	group, gctx := errgroup.WithContext(ctx)
	group.Go(func() error { return r.get(gctx, r.path("/branches/%s", url.PathEscape(branch)), &b) })
	group.Go(func() error {
		return eachPage(gctx, r.api(), r.path("/rules/branches/%s", url.PathEscape(branch)), func(page []ruleJSON) bool {
			rules = append(rules, page...)
			return true
		})
	})
	if repo.DefaultBranch == "" {
		group.Go(func() error { return r.get(gctx, r.path(""), &repo) })
	}
	if err := group.Wait(); err != nil {
		return bot.Branch{}, err
	}
	d := demands{methods: repo.methods()}
	for _, rule := range rules {
		d.add(rule)
	}
	if b.Protection.Enabled {
		d.checks = append(d.checks, b.Protection.Checks.Contexts...)
		if err := r.classic(ctx, b.Name, &d); err != nil {
			return bot.Branch{}, err
		}
	}
	return d.branch(b), nil
}

// repoJSON is a repository. The merge methods are shown to Apps with
// contents:write only; an Enterprise Server may leave them out.
type repoJSON struct {
	DefaultBranch string `json:"default_branch"`
	Merge         *bool  `json:"allow_merge_commit"`
	Squash        *bool  `json:"allow_squash_merge"`
	Rebase        *bool  `json:"allow_rebase_merge"`
}

// methods lists what is allowed; all where GitHub does not say, since a merge
// by a method that is not allowed is refused anyway.
func (r repoJSON) methods() []string {
	if r.Merge == nil && r.Squash == nil && r.Rebase == nil {
		return []string{"merge", "squash", "rebase"}
	}
	var list []string
	for _, m := range []struct {
		name    string
		allowed *bool
	}{{"merge", r.Merge}, {"squash", r.Squash}, {"rebase", r.Rebase}} {
		if m.allowed != nil && *m.allowed {
			list = append(list, m.name)
		}
	}
	return list
}

// branchJSON is a branch with what it shows of classic protection
// (https://docs.github.com/rest/branches/branches#get-a-branch).
type branchJSON struct {
	Name   string `json:"name"`
	Commit struct {
		SHA bot.SHA `json:"sha"`
	} `json:"commit"`
	Protection struct {
		Enabled bool `json:"enabled"`
		Checks  struct {
			Contexts []string `json:"contexts"`
		} `json:"required_status_checks"`
	} `json:"protection"`
}

// demands gathers what rules ask for before a merge.
type demands struct {
	checks  []string
	reviews int
	strict  bool
	queue   bool
	other   bool // something is demanded that has no field of its own
	methods []string
}

func (d *demands) branch(b branchJSON) bot.Branch {
	slices.Sort(d.checks)
	d.checks = slices.Compact(d.checks)
	var required []bot.RequiredCheck
	for _, name := range d.checks {
		required = append(required, bot.RequiredCheck{Name: name})
	}
	return bot.Branch{
		Name:           b.Name,
		Head:           b.Commit.SHA,
		Protected:      len(d.checks) > 0 || d.reviews > 0 || d.queue || d.other,
		RequiredChecks: required,
		Reviews:        d.reviews,
		Strict:         d.strict,
		MergeQueue:     d.queue,
		Methods:        d.methods,
	}
}
