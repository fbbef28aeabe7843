package github

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/google/go-github/v60/github"

	"github.com/backout-dev/backout/bot"
)

// Limits of a check run's output, in characters
// (https://docs.github.com/rest/checks/runs#create-a-check-run).
const (
	maxCheckTitle   = 255
	maxCheckSummary = 65535
)

// Check writes our check run on a commit, once: it updates the one with the
// same external ID. Where the head has moved, the caller asks with the new
// head and no ID, because a check run never changes its commit.
func (c *Client) Check(ctx context.Context, run bot.CheckRun) (int64, error) {
	r, err := c.repo(run.Repo)
	if err != nil {
		return 0, err
	}
	id, err := r.writeCheck(ctx, run)
	if err != nil {
		return 0, r.trouble(err, "write check %q on %s in %s", run.Name, run.Head.Short(), run.Repo)
	}
	return id, nil
}

func (r *repository) writeCheck(ctx context.Context, run bot.CheckRun) (int64, error) {
	id := run.ID
	if id == 0 {
		found, err := r.findCheck(ctx, run)
		if err != nil {
			return 0, err
		}
		id = found
	}
	if id != 0 {
		err := r.updateCheck(ctx, id, run)
		if status(err) != http.StatusNotFound {
			return id, err
		}
	}
	id, err := r.createCheck(ctx, run)
	if err != nil && ctx.Err() == nil && !refused(err) {
		if made, lookErr := r.findCheck(ctx, run); lookErr == nil && made != 0 {
			return made, nil
		}
	}
	return id, err
}

// findCheck looks for our run by its external ID, 0 when there is none.
func (r *repository) findCheck(ctx context.Context, run bot.CheckRun) (int64, error) {
	type page struct {
		Runs []struct {
			ID         int64  `json:"id"`
			ExternalID string `json:"external_id"`
			App        *struct {
				ID int64 `json:"id"`
			} `json:"app"`
		} `json:"check_runs"`
	}
	q := url.Values{"filter": {"all"}, "check_name": {run.Name}, "app_id": {strconv.FormatInt(r.client.appID, 10)}}
	var id int64
	err := eachPage(ctx, r.api(), r.path("/commits/%s/check-runs?%s", run.Head, q.Encode()), func(p page) bool {
		for _, c := range p.Runs {
			// Older servers don't filter by App.
			if c.ExternalID == run.ExternalID && c.App != nil && c.App.ID == r.client.appID {
				id = c.ID
				return false
			}
		}
		return true
	})
	return id, err
}

func (r *repository) createCheck(ctx context.Context, run bot.CheckRun) (int64, error) {
	state, conclusion := checkState(run)
	made, _, err := r.api().Checks.CreateCheckRun(ctx, r.owner, r.short, github.CreateCheckRunOptions{
		Name:       run.Name,
		HeadSHA:    string(run.Head),
		ExternalID: optional(run.ExternalID),
		DetailsURL: optional(run.DetailsURL),
		Status:     state,
		Conclusion: conclusion,
		Output:     checkOutput(run),
	})
	return made.GetID(), err
}

func (r *repository) updateCheck(ctx context.Context, id int64, run bot.CheckRun) error {
	state, conclusion := checkState(run)
	_, _, err := r.api().Checks.UpdateCheckRun(ctx, r.owner, r.short, id, github.UpdateCheckRunOptions{
		Name:       run.Name,
		ExternalID: optional(run.ExternalID),
		DetailsURL: optional(run.DetailsURL),
		Status:     state,
		Conclusion: conclusion,
		Output:     checkOutput(run),
	})
	return err
}

// checkState is the pair that GitHub wants: a conclusion only when completed.
func checkState(run bot.CheckRun) (state, conclusion *string) {
	if !run.Done {
		return github.String("in_progress"), nil
	}
	return github.String("completed"), github.String(run.Conclusion)
}

func checkOutput(run bot.CheckRun) *github.CheckRunOutput {
	if run.Title == "" {
		return nil // GitHub wants a title with every summary.
	}
	return &github.CheckRunOutput{
		Title:   github.String(clip(run.Title, maxCheckTitle, "…")),
		Summary: github.String(clip(run.Summary, maxCheckSummary, bodyTail)),
	}
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
