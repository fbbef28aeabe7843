package github

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/google/go-github/v60/github"

	"github.com/backout-dev/backout/bot"
)

// Merge merges a pull request if its head is still the given one
// (https://docs.github.com/rest/pulls/pulls#merge-a-pull-request). A refusal
// is an answer. Where the answer is lost, or may be that of a second attempt,
// the pull request itself says what happened.
func (c *Client) Merge(ctx context.Context, req bot.MergeRequest) (bot.Merged, error) {
	r, err := c.repo(req.Repo)
	if err != nil {
		return bot.Merged{}, err
	}
	out, err := r.merge(ctx, req)
	if err != nil {
		return bot.Merged{}, r.trouble(err, "merge pull request %d in %s", req.Number, req.Repo)
	}
	return out, nil
}

func (r *repository) merge(ctx context.Context, req bot.MergeRequest) (bot.Merged, error) {
	if !req.Head.Valid() {
		// Without it GitHub would merge whatever the head is now.
		return bot.Merged{}, bot.NewTrouble(bot.TroubleInvalid, nil, "head %q is not an object name", req.Head)
	}
	got, _, err := r.api().PullRequests.Merge(ctx, r.owner, r.short, req.Number, req.Message, &github.PullRequestOptions{
		SHA:         string(req.Head),
		MergeMethod: req.Method,
		CommitTitle: req.Title,
	})
	if err == nil && got.GetMerged() && got.GetSHA() != "" {
		return bot.Merged{Merged: true, Commit: bot.SHA(got.GetSHA())}, nil
	}
	code := status(err)
	refusal := code == http.StatusMethodNotAllowed || code == http.StatusConflict
	if refused(err) && !refusal {
		return bot.Merged{}, err
	}
	g, _, lookErr := r.gate(ctx, req.Number)
	switch {
	case lookErr != nil:
		return bot.Merged{}, lookErr
	case g.Merged:
		return mergedBefore(g, req)
	case refusal:
		return refusedMerge(message(err), g, req), nil
	case err == nil:
		err = bot.NewTrouble(bot.TroubleTransient, nil, "GitHub said yes, and it is not merged")
	}
	return bot.Merged{}, err
}

// mergedBefore judges a merge that we find done: by us, when it merged the
// head that we meant to merge.
func mergedBefore(g bot.Gate, req bot.MergeRequest) (bot.Merged, error) {
	switch {
	case g.Head != req.Head:
		return bot.Merged{
			Refusal: "it was merged already, with head " + g.Head.Short() + " and not " + req.Head.Short(),
			Stale:   true,
		}, nil
	case g.MergeCommit == "":
		return bot.Merged{}, bot.NewTrouble(bot.TroubleTransient, nil, "it is merged, and GitHub does not name the merge commit yet")
	}
	return bot.Merged{Merged: true, Commit: g.MergeCommit}, nil
}

// refusedMerge is GitHub's refusal. "Was modified" means that head or base
// moved between our look and our merge; "is not mergeable" is also what it says
// while it still computes.
func refusedMerge(said string, g bot.Gate, req bot.MergeRequest) bot.Merged {
	out := bot.Merged{Refusal: said, Stale: g.Head != req.Head || strings.Contains(said, "was modified") || strings.Contains(said, "is not mergeable")}
	if !g.Open {
		out.Refusal = "the pull request is closed"
	}
	return out
}

// Update merges the base into the head branch, if the head is still the given
// one (https://docs.github.com/rest/pulls/pulls#update-a-pull-request-branch).
// GitHub does it a moment later: the new head shows in the gate. A head that
// moved is TroubleStale, unless what moved it was this very update.
func (c *Client) Update(ctx context.Context, name bot.RepoName, number int, head bot.SHA) error {
	r, err := c.repo(name)
	if err != nil {
		return err
	}
	return r.trouble(r.update(ctx, number, head), "update the branch of pull request %d in %s", number, name)
}

func (r *repository) update(ctx context.Context, number int, head bot.SHA) error {
	if !head.Valid() {
		return bot.NewTrouble(bot.TroubleInvalid, nil, "head %q is not an object name", head)
	}
	in := map[string]string{"expected_head_sha": string(head)}
	_, err := call(ctx, r.api(), http.MethodPut, r.path("/pulls/%d/update-branch", number), in, nil)
	if err == nil || isAccepted(err) {
		return nil
	}
	said := strings.ToLower(message(err))
	switch {
	case strings.Contains(said, "no new commits"):
		return nil
	case refused(err) && !strings.Contains(said, "expected head sha"):
		return err
	}
	g, now, lookErr := r.gate(ctx, number)
	switch {
	case lookErr != nil:
		return lookErr
	case updated(now, head):
		return nil
	case g.Head != head:
		return bot.NewTrouble(bot.TroubleStale, nil, "the head moved from %s to %s", head.Short(), g.Head.Short())
	}
	return err
}

// updated tells whether a head is what updating the given one made of it: a
// merge whose first parent it is.
func updated(now headNode, from bot.SHA) bool {
	parents := now.Parents.Nodes
	return len(parents) == 2 && parents[0].OID == from
}

// isAccepted tells the answer 202, which go-github reports as an error.
func isAccepted(err error) bool {
	var accepted *github.AcceptedError
	return errors.As(err, &accepted)
}
