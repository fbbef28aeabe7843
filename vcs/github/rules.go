package github

import (
	"context"
	"slices"

	"github.com/backout-dev/backout/bot"
)

// ruleJSON is one rule of a ruleset that applies to a branch
// (https://docs.github.com/rest/repos/rules#get-rules-for-a-branch). go-github
// v60 refuses rules that it does not know, so it is decoded here; what we don't
// know is passed over.
type ruleJSON struct {
	Type       string `json:"type"`
	Parameters struct {
		// required_status_checks
		Checks []struct {
			Context string `json:"context"`
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

// add takes one rule up. A rule that merely asks for a pull request demands
// nothing of ours, because we always come with one.
func (d *demands) add(rule ruleJSON) {
	p := rule.Parameters
	switch rule.Type {
	case "required_status_checks":
		for _, c := range p.Checks {
			d.checks = append(d.checks, c.Context)
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

// classicDocument reads classic protection as far as it is shown to who can't
// administrate (https://docs.github.com/graphql/reference/objects#refupdaterule).
// REST shows such an App the required checks and nothing else.
const classicDocument = `
query Rule($owner: String!, $name: String!, $ref: String!) {
  repository(owner: $owner, name: $name) {
    ref(qualifiedName: $ref) {
      refUpdateRule {
        requiredApprovingReviewCount
        requiredStatusCheckContexts
        requiresCodeOwnerReviews
        requiresConversationResolution
        requiresLinearHistory
      }
    }
  }
}
`

// classic adds what classic protection demands. A host that does not show it
// leaves what REST showed: the branch then counts as less protected than it
// is, which only makes us ask a person more often.
func (r *repository) classic(ctx context.Context, branch string, d *demands) error {
	var answer struct {
		Repository *struct {
			Ref *struct {
				Rule *struct {
					Reviews      int       `json:"requiredApprovingReviewCount"`
					Checks       []*string `json:"requiredStatusCheckContexts"`
					CodeOwners   bool      `json:"requiresCodeOwnerReviews"`
					Conversation bool      `json:"requiresConversationResolution"`
					Linear       bool      `json:"requiresLinearHistory"`
				} `json:"refUpdateRule"`
			} `json:"ref"`
		} `json:"repository"`
	}
	vars := map[string]any{"owner": r.owner, "name": r.short, "ref": "refs/heads/" + branch}
	if err := r.graphql(ctx, classicDocument, vars, &answer); err != nil {
		if r.client.judge(err).Kind == bot.TroubleTransient || ctx.Err() != nil {
			return err
		}
		r.client.log.Info("classic branch protection is not shown to us", "repo", r.name, "branch", branch)
		return nil
	}
	if answer.Repository == nil || answer.Repository.Ref == nil || answer.Repository.Ref.Rule == nil {
		return nil
	}
	rule := answer.Repository.Ref.Rule
	for _, c := range rule.Checks {
		if c != nil {
			d.checks = append(d.checks, *c)
		}
	}
	d.reviews = max(d.reviews, rule.Reviews)
	d.other = d.other || rule.CodeOwners || rule.Conversation
	if rule.Linear {
		d.keep("squash", "rebase")
	}
	return nil
}
