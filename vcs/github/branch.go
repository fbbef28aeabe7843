package github

import (
	"cmp"
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
	var rule classicRule
	var rules []ruleJSON
	var bypass string
	group, gctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		if err = r.get(gctx, r.path("/branches/%s", url.PathEscape(branch)), &b); err == nil && b.Protection.Enabled {
			rule, err = r.classic(gctx, b.Name)
		}
		return err
	})
	group.Go(func() (err error) {
		if rules, err = r.rules(gctx, branch); err == nil {
			bypass, err = r.bypass(gctx, rules)
		}
		return err
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
		d.addShown(b)
		d.addClassic(rule)
	}
	out := d.branch(b)
	out.Bypass = bypass
	return out, nil
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
			// Checks are the same with their sources; older hosts leave them out.
			Checks []struct {
				Context string `json:"context"`
				App     int64  `json:"app_id"` // null or -1: anybody
			} `json:"checks"`
		} `json:"required_status_checks"`
	} `json:"protection"`
}

// demands gathers what rules ask for before a merge.
type demands struct {
	checks  []bot.RequiredCheck
	reviews int
	strict  bool
	queue   bool
	other   bool // something is demanded that has no field of its own
	methods []string
}

// check takes up one required check; app is its source, or no App's ID where
// anybody may report it.
func (d *demands) check(name string, app int64) {
	if name != "" {
		d.checks = append(d.checks, bot.RequiredCheck{Name: name, App: max(app, 0)})
	}
}

// addShown takes up what the branch itself shows of classic protection.
func (d *demands) addShown(b branchJSON) {
	for _, c := range b.Protection.Checks.Checks {
		d.check(c.Context, c.App)
	}
	for _, name := range b.Protection.Checks.Contexts {
		d.check(name, 0)
	}
}

// required lists each check once. One that a source must report stands for the
// same name from anybody too: when that source passes it, both are met.
func (d *demands) required() []bot.RequiredCheck {
	sourced := map[string]bool{}
	for _, c := range d.checks {
		sourced[c.Name] = sourced[c.Name] || c.App != 0
	}
	list := slices.DeleteFunc(slices.Clone(d.checks), func(c bot.RequiredCheck) bool { return c.App == 0 && sourced[c.Name] })
	slices.SortFunc(list, func(a, b bot.RequiredCheck) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.App, b.App))
	})
	return slices.Compact(list)
}

func (d *demands) branch(b branchJSON) bot.Branch {
	return bot.Branch{
		Name:           b.Name,
		Head:           b.Commit.SHA,
		Protected:      len(d.checks) > 0 || d.reviews > 0 || d.queue || d.other,
		RequiredChecks: d.required(),
		Reviews:        d.reviews,
		Strict:         d.strict,
		MergeQueue:     d.queue,
		Methods:        d.methods,
	}
}
