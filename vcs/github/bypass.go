package github

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/backout-dev/backout/bot"
)

// maxRulesets bounds how many rulesets are asked for one branch. A repository
// may have 75 and its organization as many
// (https://docs.github.com/repositories/configuring-branches-and-merges-in-your-repository/managing-rulesets/about-rulesets);
// few of them apply to one branch.
const maxRulesets = 20

// concernsMerge leaves out the rules that no merge can break: to be let past
// them is no way to merge what a person could not.
func concernsMerge(rule ruleJSON) bool {
	return rule.Type != "creation" && rule.Type != "deletion" && rule.Type != "non_fast_forward"
}

// bypass names a ruleset past which we could merge, "" when there is none that
// we know of. A ruleset tells everybody who may read it how it binds them
// (https://docs.github.com/rest/repos/rules#get-a-repository-ruleset); one that
// we are not shown, or that an older server does not tell it of, counts as
// binding us. The bypass lists of classic protection take the permission to
// administrate the repository, which we never have, so they remain unknown:
// that no App of the name stands on them is for who installs it to see.
func (r *repository) bypass(ctx context.Context, rules []ruleJSON) (string, error) {
	var ids []int64
	for _, rule := range rules {
		if rule.Ruleset != 0 && concernsMerge(rule) && !slices.Contains(ids, rule.Ruleset) {
			ids = append(ids, rule.Ruleset)
		}
	}
	slices.Sort(ids)
	ids = ids[:min(len(ids), maxRulesets)]
	found := make([]string, len(ids))
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(5)
	for i, id := range ids {
		group.Go(func() (err error) {
			found[i], err = r.bypassOf(gctx, id)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return "", err
	}
	for _, name := range found {
		if name != "" {
			return name, nil
		}
	}
	return "", nil
}

// bypassOf is the name of a ruleset if it lets us past.
func (r *repository) bypassOf(ctx context.Context, id int64) (string, error) {
	var set struct {
		Name string `json:"name"`
		// always, pull_requests_only, exempt, never; "" where it is not told.
		Bypass string `json:"current_user_can_bypass"`
	}
	err := r.get(ctx, r.path("/rulesets/%d", id), &set)
	switch code := status(err); {
	case code == http.StatusNotFound, code == http.StatusForbidden && r.client.judge(err).Kind == bot.TroubleForbidden:
		return "", nil
	case err != nil:
		return "", err
	case set.Bypass == "" || set.Bypass == "never":
		return "", nil
	}
	return fmt.Sprintf("ruleset %q", tidy(set.Name)), nil
}
