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
//
// A run that is Final is looked for again when it is written. A request of a
// process that died can have made a second one, or put it back to what it was.
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
	if run.ID != 0 && !run.Final {
		if err := r.updateCheck(ctx, run.ID, run); status(err) != http.StatusNotFound {
			return run.ID, err
		}
	}
	found, err := r.findChecks(ctx, run)
	if err != nil {
		return 0, err
	}
	id, err := r.updateOrCreate(ctx, run, found)
	if err != nil || !run.Final {
		return id, err
	}
	// A request of a process that died may have taken effect meanwhile.
	found, err = r.findChecks(ctx, run)
	if err != nil {
		return 0, err
	}
	for _, c := range found {
		if c.tells(run) {
			continue
		}
		if err := r.updateCheck(ctx, c.ID, run); err != nil {
			return 0, err
		}
	}
	return id, nil
}

// updateOrCreate updates every run that is there, since a run can't be deleted
// and none may be left that says something else, or creates one.
func (r *repository) updateOrCreate(ctx context.Context, run bot.CheckRun, found []checkJSON) (int64, error) {
	for _, c := range found {
		if err := r.updateCheck(ctx, c.ID, run); err != nil {
			return 0, err
		}
	}
	if len(found) > 0 {
		return found[0].ID, nil
	}
	id, err := r.createCheck(ctx, run)
	if err != nil && ctx.Err() == nil && !refused(err) {
		if made, lookErr := r.findChecks(ctx, run); lookErr == nil && len(made) > 0 {
			return made[0].ID, nil
		}
	}
	return id, err
}

// checkJSON is a check run as far as we compare it.
type checkJSON struct {
	ID         int64  `json:"id"`
	ExternalID string `json:"external_id"`
	Status     string `json:"status"`
	Conclusion string `json:"conclusion"`
	App        *struct {
		ID int64 `json:"id"`
	} `json:"app"`
}

// tells reports whether a run that is there has the state of the given one.
func (c checkJSON) tells(run bot.CheckRun) bool {
	state, conclusion := checkState(run)
	return c.Status == *state && (conclusion == nil || c.Conclusion == *conclusion)
}

// findChecks lists our runs with the external ID.
func (r *repository) findChecks(ctx context.Context, run bot.CheckRun) ([]checkJSON, error) {
	type page struct {
		Runs []checkJSON `json:"check_runs"`
	}
	q := url.Values{"filter": {"all"}, "check_name": {run.Name}, "app_id": {strconv.FormatInt(r.client.appID, 10)}}
	var found []checkJSON
	err := eachPage(ctx, r.api(), r.path("/commits/%s/check-runs?%s", run.Head, q.Encode()), func(p page) bool {
		for _, c := range p.Runs {
			// Older servers don't filter by App.
			if c.ExternalID == run.ExternalID && c.App != nil && c.App.ID == r.client.appID {
				found = append(found, c)
			}
		}
		return true
	})
	return found, err
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
