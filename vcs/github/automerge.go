package github

import (
	"context"
	"strings"

	"github.com/shurcooL/githubv4"

	"github.com/backout-dev/backout/bot"
)

// armDocument is https://docs.github.com/graphql/reference/mutations#enablepullrequestautomerge.
const armDocument = `
mutation Arm($input: EnablePullRequestAutoMergeInput!) {
  enablePullRequestAutoMerge(input: $input) { pullRequest { id } }
}
`

// disarmDocument is https://docs.github.com/graphql/reference/mutations#disablepullrequestautomerge.
const disarmDocument = `
mutation Disarm($input: DisablePullRequestAutoMergeInput!) {
  disablePullRequestAutoMerge(input: $input) { pullRequest { id } }
}
`

// Arm lets GitHub merge a pull request by itself once it may, if its head is
// still the given one. Once armed, nothing of ours is read again before the
// merge, and a push by somebody with write access does not disarm it
// (https://docs.github.com/pull-requests/collaborating-with-pull-requests/incorporating-changes-from-a-pull-request/automatically-merging-a-pull-request):
// whoever arms must watch the head. One that is armed already, or was merged
// meanwhile, is accepted, as is one that this put into a merge queue.
func (c *Client) Arm(ctx context.Context, req bot.MergeRequest) (bot.Queued, error) {
	r, err := c.repo(req.Repo)
	if err != nil {
		return bot.Queued{}, err
	}
	out, err := r.arm(ctx, req)
	if err != nil {
		return bot.Queued{}, r.trouble(err, "arm auto-merge of pull request %d in %s", req.Number, req.Repo)
	}
	return out, nil
}

func (r *repository) arm(ctx context.Context, req bot.MergeRequest) (bot.Queued, error) {
	if err := wholeHead(req); err != nil {
		return bot.Queued{}, err
	}
	id, _, err := r.pullID(ctx, req.Number)
	if err != nil {
		return bot.Queued{}, err
	}
	return r.hand(ctx, handover{
		document: armDocument,
		field:    "enablePullRequestAutoMerge",
		in:       armInput(id, req),
		stands:   func(g bot.Gate) bool { return g.Armed || g.InQueue },
		judge:    armRefusal,
	}, req)
}

func armInput(id string, req bot.MergeRequest) githubv4.EnablePullRequestAutoMergeInput {
	head := githubv4.GitObjectID(req.Head)
	in := githubv4.EnablePullRequestAutoMergeInput{PullRequestID: id, ExpectedHeadOid: &head}
	if req.Method != "" {
		method := githubv4.PullRequestMergeMethod(strings.ToUpper(req.Method))
		in.MergeMethod = &method
	}
	if req.Title != "" {
		in.CommitHeadline = githubv4.NewString(githubv4.String(req.Title))
	}
	if req.Message != "" {
		in.CommitBody = githubv4.NewString(githubv4.String(req.Message))
	}
	return in
}

// armRefusal tells what will stay refused until somebody changes a setting
// from what is of a moment. The sentences are documented nowhere; they are
// those that people report:
//
//   - "Pull request is in clean status", "… in unstable status": nothing that is
//     required is missing, so it can be merged at once
//     (https://github.com/peter-evans/enable-pull-request-automerge/issues/343, 355);
//   - "Protected branch rules not configured for this branch": likewise, since
//     nothing is required (https://github.com/iterative/cml/pull/955);
//   - "Auto merge is not allowed for this repository": a setting;
//   - "User is not authorized for this protected branch": we are not among those
//     who may push (https://github.com/grafana/loki/commit/f937d021b608);
//   - "Merge method … is not allowed": as for a merge.
func armRefusal(said string) refusal {
	low := strings.ToLower(said)
	switch {
	case strings.Contains(low, "not allowed for this repository"):
		return refusal{text: "auto-merge is switched off in this repository: " +
			`turn on "Allow auto-merge" in its settings, under General, Pull Requests`}
	case strings.Contains(low, "not authorized"), strings.Contains(low, "method"):
		return refusal{text: said}
	}
	return refusal{text: said, stale: true}
}

// Disarm takes auto-merge back; where it is not armed, it is no error.
func (c *Client) Disarm(ctx context.Context, name bot.RepoName, number int) error {
	r, err := c.repo(name)
	if err != nil {
		return err
	}
	return r.trouble(r.disarm(ctx, number), "disarm auto-merge of pull request %d in %s", number, name)
}

func (r *repository) disarm(ctx context.Context, number int) error {
	id, g, err := r.pullID(ctx, number)
	if err != nil {
		return err
	}
	if g != nil && !g.Armed {
		return nil
	}
	return r.take(ctx, handover{
		document: disarmDocument,
		field:    "disablePullRequestAutoMerge",
		in:       githubv4.DisablePullRequestAutoMergeInput{PullRequestID: id},
		stands:   func(g bot.Gate) bool { return g.Armed },
	}, number)
}
