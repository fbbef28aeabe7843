package github

import (
	"context"

	"github.com/backout-dev/backout/bot"
)

// classicDocument reads classic protection as far as it is shown to who can't
// administrate (https://docs.github.com/graphql/reference/objects#refupdaterule).
// REST shows such an App the required checks and nothing else.
const classicDocument = `
query Rule($owner: String!, $name: String!, $ref: String!, $branch: String!) {
  repository(owner: $owner, name: $name) {
    mergeQueue(branch: $branch) { id }
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

// classicRule is what classic protection demands.
type classicRule struct {
	Reviews      int       `json:"requiredApprovingReviewCount"`
	Checks       []*string `json:"requiredStatusCheckContexts"`
	CodeOwners   bool      `json:"requiresCodeOwnerReviews"`
	Conversation bool      `json:"requiresConversationResolution"`
	Linear       bool      `json:"requiresLinearHistory"`

	queue bool
}

// classic reads what classic protection demands, which may include a queue.
// What a host does not show us leaves what REST showed: the branch then counts
// as less protected than it is, which only makes us ask a person more often.
func (r *repository) classic(ctx context.Context, branch string) (classicRule, error) {
	var answer struct {
		Repository *struct {
			Queue *struct {
				ID string `json:"id"`
			} `json:"mergeQueue"`
			Ref *struct {
				Rule *classicRule `json:"refUpdateRule"`
			} `json:"ref"`
		} `json:"repository"`
	}
	vars := map[string]any{"owner": r.owner, "name": r.short, "ref": "refs/heads/" + branch, "branch": branch}
	if err := r.graphql(ctx, classicDocument, vars, &answer); err != nil {
		if r.client.judge(err).Kind == bot.TroubleTransient || ctx.Err() != nil {
			return classicRule{}, err
		}
		r.client.log.Info("classic branch protection is not wholly shown to us", "repo", r.name, "branch", branch)
	}
	var rule classicRule
	repo := answer.Repository
	if repo != nil && repo.Ref != nil && repo.Ref.Rule != nil {
		rule = *repo.Ref.Rule
	}
	rule.queue = repo != nil && repo.Queue != nil
	return rule, nil
}

// addClassic takes up what classic protection demands.
func (d *demands) addClassic(rule classicRule) {
	for _, c := range rule.Checks {
		if c != nil {
			d.check(*c, 0) // REST may name the source as well.
		}
	}
	d.reviews = max(d.reviews, rule.Reviews)
	d.other = d.other || rule.CodeOwners || rule.Conversation
	d.queue = d.queue || rule.queue
	if rule.Linear {
		d.keep("squash", "rebase")
	}
}
