package github

import (
	"context"
	"strings"

	"github.com/shurcooL/githubv4"

	"github.com/backout-dev/backout/bot"
)

// enqueueDocument: the queue decides how it merges, so it takes no method
// (https://docs.github.com/graphql/reference/mutations#enqueuepullrequest).
const enqueueDocument = `
mutation Enqueue($input: EnqueuePullRequestInput!) {
  enqueuePullRequest(input: $input) { mergeQueueEntry { id } }
}
`

// dequeueDocument names the pull request and not the entry, whatever the name
// of the input's field
// (https://docs.github.com/graphql/reference/input-objects#dequeuepullrequestinput).
const dequeueDocument = `
mutation Dequeue($input: DequeuePullRequestInput!) {
  dequeuePullRequest(input: $input) { mergeQueueEntry { id } }
}
`

// Enqueue puts a pull request into its base branch's merge queue, if its head
// is still the given one. GitHub takes it only when nothing but the queue
// stands between it and the base; a refusal is therefore Stale, so that the
// gate is read again and names what is missing. One that is queued already, or
// came through meanwhile, is accepted.
func (c *Client) Enqueue(ctx context.Context, req bot.MergeRequest) (bot.Queued, error) {
	r, err := c.repo(req.Repo)
	if err != nil {
		return bot.Queued{}, err
	}
	out, err := r.enqueue(ctx, req)
	if err != nil {
		return bot.Queued{}, r.trouble(err, "queue pull request %d in %s", req.Number, req.Repo)
	}
	return out, nil
}

func (r *repository) enqueue(ctx context.Context, req bot.MergeRequest) (bot.Queued, error) {
	if err := wholeHead(req); err != nil {
		return bot.Queued{}, err
	}
	id, _, err := r.pullID(ctx, req.Number)
	if err != nil {
		return bot.Queued{}, err
	}
	head := githubv4.GitObjectID(req.Head)
	return r.hand(ctx, handover{
		document: enqueueDocument,
		field:    "enqueuePullRequest",
		in:       githubv4.EnqueuePullRequestInput{PullRequestID: id, ExpectedHeadOid: &head},
		stands:   inQueue,
		judge:    queueRefusal,
	}, req)
}

func inQueue(g bot.Gate) bool { return g.InQueue }

// queueRefusal: a branch without a queue stays without one; everything else
// that GitHub may say ("Required status check … is expected.") is of a moment.
func queueRefusal(said string) refusal {
	return refusal{text: said, stale: !strings.Contains(strings.ToLower(said), "not enabled")}
}

// Dequeue takes a pull request out of the merge queue; where it is in none, it
// is no error. GitHub has been seen to answer "Failed to remove PR" for one
// that had left by itself
// (https://github.com/vanillagreencom/kendex/issues/1289), so the gate decides.
func (c *Client) Dequeue(ctx context.Context, name bot.RepoName, number int) error {
	r, err := c.repo(name)
	if err != nil {
		return err
	}
	return r.trouble(r.dequeue(ctx, number), "take pull request %d in %s out of the merge queue", number, name)
}

func (r *repository) dequeue(ctx context.Context, number int) error {
	id, g, err := r.pullID(ctx, number)
	if err != nil {
		return err
	}
	if g != nil && !g.InQueue {
		return nil
	}
	return r.take(ctx, handover{
		document: dequeueDocument,
		field:    "dequeuePullRequest",
		in:       githubv4.DequeuePullRequestInput{ID: id},
		stands:   inQueue,
	}, number)
}
