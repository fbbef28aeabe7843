package github

import (
	"context"
	"net/url"
	"slices"
)

// ruleJSON is one rule of a ruleset that applies to a branch
// (https://docs.github.com/rest/repos/rules#get-rules-for-a-branch). go-github
// v60 refuses rules that it does not know, so it is decoded here; what we don't
// know is passed over.
type ruleJSON struct {
	Type       string `json:"type"`
	Ruleset    int64  `json:"ruleset_id"`
	Parameters struct {
		// required_status_checks; without a source, anybody may report it.
		Checks []struct {
			Context string `json:"context"`
			App     int64  `json:"integration_id"`
		} `json:"required_status_checks"`
		Strict bool `json:"strict_required_status_checks_policy"`
		// pull_request
		Reviews      int      `json:"required_approving_review_count"`
		CodeOwners   bool     `json:"require_code_owner_review"`
		LastPush     bool     `json:"require_last_push_approval"`
		Conversation bool     `json:"required_review_thread_resolution"`
		Methods      []string `json:"allowed_merge_methods"`
	} `json:"parameters"`
}

// rules reads the rules of rulesets that a branch is under, whatever level they
// come from.
func (r *repository) rules(ctx context.Context, branch string) ([]ruleJSON, error) {
	var rules []ruleJSON
	err := eachPage(ctx, r.api(), r.path("/rules/branches/%s", url.PathEscape(branch)), func(page []ruleJSON) bool {
		rules = append(rules, page...)
		return true
	})
	return rules, err
}

// add takes one rule up. A rule that merely asks for a pull request demands
// nothing of ours, because we always come with one.
func (d *demands) add(rule ruleJSON) {
	p := rule.Parameters
	switch rule.Type {
	case "required_status_checks":
		for _, c := range p.Checks {
			d.check(c.Context, c.App)
		}
		d.strict = d.strict || p.Strict
	case "pull_request":
		d.reviews = max(d.reviews, p.Reviews)
		d.other = d.other || p.CodeOwners || p.LastPush || p.Conversation
		if len(p.Methods) > 0 {
			d.keep(p.Methods...)
		}
	case "merge_queue":
		d.queue = true
	case "required_linear_history":
		d.keep("squash", "rebase")
	case "workflows", "code_scanning", "code_quality", "required_deployments":
		d.other = true
	}
}

// keep drops the merge methods that a rule does not allow.
func (d *demands) keep(methods ...string) {
	d.methods = slices.DeleteFunc(slices.Clone(d.methods), func(m string) bool { return !slices.Contains(methods, m) })
}
