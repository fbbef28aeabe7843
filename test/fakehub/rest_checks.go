package fakehub

import (
	"net/http"
	"slices"
	"time"
)

// runInput is what may be said of a check run.
type runInput struct {
	Name        *string
	HeadSHA     string `json:"head_sha"`
	Status      *string
	Conclusion  *string
	DetailsURL  *string    `json:"details_url"`
	ExternalID  *string    `json:"external_id"`
	StartedAt   *time.Time `json:"started_at"`
	CompletedAt *time.Time `json:"completed_at"`
	Output      *struct{ Title, Summary, Text *string }
}

// conclusions are what an App may report; stale is GitHub's own.
var conclusions = []string{"success", "failure", "neutral", "cancelled", "skipped", "timed_out", "action_required"}

func (in runInput) check() error {
	if in.Status != nil && !slices.Contains([]string{"queued", "in_progress", "completed"}, *in.Status) {
		return errInvalid("CheckRun", "status", "status is invalid")
	}
	if in.Conclusion != nil && !slices.Contains(conclusions, *in.Conclusion) {
		return errInvalid("CheckRun", "conclusion", "conclusion is invalid")
	}
	if in.Status != nil && *in.Status == "completed" && in.Conclusion == nil {
		return errInvalid("CheckRun", "conclusion", "conclusion is missing")
	}
	if o := in.Output; o != nil && (o.Title == nil || o.Summary == nil) {
		return errUnprocessable("Invalid request.\n\nFor 'properties/output', \"title\" or \"summary\" wasn't supplied.")
	}
	return nil
}

// apply writes what is given. A conclusion completes the run.
func (in runInput) apply(run *checkRun, now time.Time) {
	set := func(to *string, from *string) {
		if from != nil {
			*to = *from
		}
	}
	set(&run.name, in.Name)
	set(&run.status, in.Status)
	set(&run.conclusion, in.Conclusion)
	set(&run.detailsURL, in.DetailsURL)
	set(&run.externalID, in.ExternalID)
	if in.StartedAt != nil {
		run.started = *in.StartedAt
	}
	if in.Conclusion != nil {
		run.status, run.completed = "completed", now
	} else if in.Status != nil {
		run.conclusion, run.completed = "", time.Time{}
	}
	if in.CompletedAt != nil {
		run.completed = *in.CompletedAt
	}
	if o := in.Output; o != nil {
		set(&run.title, o.Title)
		set(&run.summary, o.Summary)
		set(&run.text, o.Text)
	}
}

func (c *call) createRun() (int, any, error) {
	var in runInput
	if err := c.decode(&in); err != nil {
		return 0, nil, err
	}
	if in.Name == nil || *in.Name == "" {
		return 0, nil, errUnprocessable("Invalid request.\n\n\"name\" wasn't supplied.")
	}
	if err := in.check(); err != nil {
		return 0, nil, err
	}
	x, err := c.repo.git.commit(in.HeadSHA)
	if err != nil || x.oid != in.HeadSHA {
		return 0, nil, errUnprocessable("No commit found for SHA: " + in.HeadSHA)
	}
	run := c.repo.newRun(c.actor.bot(), in.HeadSHA, *in.Name)
	in.apply(run, c.h.now())
	c.repo.runChanged(run, true)
	return http.StatusCreated, c.repo.runJSON(run), nil
}

func (c *call) theRun() (*checkRun, error) {
	for _, run := range c.repo.runs {
		if run.id == c.intArg("check_run_id") {
			return run, nil
		}
	}
	return nil, errNotFound()
}

func (c *call) getRun() (int, any, error) {
	run, err := c.theRun()
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, c.repo.runJSON(run), nil
}

// updateRun lets an App change its own runs only.
func (c *call) updateRun() (int, any, error) {
	run, err := c.theRun()
	if err != nil {
		return 0, nil, err
	}
	if run.suite.app != c.actor.bot() {
		e := errForbidden("checks=write")
		e.message = "Invalid app_id `" + c.actor.name() + "` - check run can only be modified by the GitHub App that created it."
		return 0, nil, e
	}
	var in runInput
	if err := c.decode(&in); err != nil {
		return 0, nil, err
	}
	if err := in.check(); err != nil {
		return 0, nil, err
	}
	in.apply(run, c.h.now())
	c.repo.runChanged(run, false)
	return http.StatusOK, c.repo.runJSON(run), nil
}

func (c *call) commitRuns() (int, any, error) {
	x, err := c.theCommit()
	if err != nil {
		return 0, nil, err
	}
	runs := c.repo.latestRuns(x.oid)
	if c.query("filter") == "all" {
		runs = slices.DeleteFunc(slices.Clone(c.repo.runs), func(run *checkRun) bool { return run.suite.sha != x.oid })
	}
	list := []obj{}
	for _, run := range runs {
		if name := c.query("check_name"); name != "" && name != run.name {
			continue
		}
		if s := c.query("status"); s != "" && s != run.status {
			continue
		}
		list = append(list, c.repo.runJSON(run))
	}
	return http.StatusOK, obj{"total_count": len(list), "check_runs": page(c, list)}, nil
}

func (c *call) commitSuites() (int, any, error) {
	x, err := c.theCommit()
	if err != nil {
		return 0, nil, err
	}
	list := []obj{}
	for _, s := range c.repo.suites {
		if s.sha == x.oid {
			list = append(list, c.repo.suiteJSON(s, false))
		}
	}
	return http.StatusOK, obj{"total_count": len(list), "check_suites": page(c, list)}, nil
}

func (c *call) getSuite() (int, any, error) {
	for _, s := range c.repo.suites {
		if s.id == c.intArg("check_suite_id") {
			return http.StatusOK, c.repo.suiteJSON(s, false), nil
		}
	}
	return 0, nil, errNotFound()
}

func (c *call) createStatus() (int, any, error) {
	var req struct {
		State, Context, Description string
		TargetURL                   string `json:"target_url"`
	}
	if err := c.decode(&req); err != nil {
		return 0, nil, err
	}
	if !slices.Contains([]string{"success", "failure", "error", "pending"}, req.State) {
		return 0, nil, errInvalid("Status", "state", "state is invalid")
	}
	x, err := c.repo.git.commit(c.arg("sha"))
	if err != nil {
		return 0, nil, errUnprocessable("No commit found for SHA: " + c.arg("sha"))
	}
	if req.Context == "" {
		req.Context = "default"
	}
	s := c.repo.addStatus(&status{
		sha: x.oid, context: req.Context, state: req.State, description: req.Description, targetURL: req.TargetURL,
		creator: c.actor.account,
	})
	return http.StatusCreated, c.repo.statusJSON(s), nil
}

func (c *call) combinedStatus() (int, any, error) {
	x, err := c.theCommit()
	if err != nil {
		return 0, nil, err
	}
	state := "success"
	list := []obj{}
	for _, s := range c.repo.latestStatuses(x.oid) {
		list = append(list, c.repo.simpleStatusJSON(s))
		switch {
		case s.state == "failure" || s.state == "error":
			state = "failure"
		case s.state == "pending" && state == "success":
			state = "pending"
		}
	}
	if len(list) == 0 {
		state = "pending"
	}
	return http.StatusOK, obj{
		"state": state, "statuses": page(c, list), "sha": x.oid, "total_count": len(list),
		"repository": c.repo.minimalRepoJSON(), "commit_url": c.repo.apiURL() + "/commits/" + x.oid,
		"url": c.repo.apiURL() + "/commits/" + x.oid + "/status",
	}, nil
}

func (c *call) listStatuses() (int, any, error) {
	x, err := c.theCommit()
	if err != nil {
		return 0, nil, err
	}
	list := []obj{}
	for _, s := range slices.Backward(c.repo.statuses) {
		if s.sha == x.oid {
			list = append(list, c.repo.statusJSON(s))
		}
	}
	return http.StatusOK, page(c, list), nil
}
