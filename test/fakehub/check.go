package fakehub

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// checkRun is a check run of the Checks API.
type checkRun struct {
	id         int64
	repo       *Repo
	suite      *checkSuite
	name       string
	status     string // queued, in_progress, completed
	conclusion string // success, failure, neutral, cancelled, skipped, timed_out, action_required
	started    time.Time
	completed  time.Time
	detailsURL string
	externalID string
	title      string
	summary    string
	text       string
}

// checkSuite gathers one App's runs for one commit.
type checkSuite struct {
	id               int64
	app              *App
	sha              string
	branch           string
	created, updated time.Time
}

// status is a commit status, the older way to say the same.
type status struct {
	id          int64
	sha         string
	context     string
	state       string // success, failure, error, pending
	description string
	targetURL   string
	creator     *account
	created     time.Time
}

// Check is a check run as it stands.
type Check struct {
	ID               int64
	App              string // slug
	Name             string
	SHA              string
	Status           string
	Conclusion       string
	Title, Summary   string
	Text             string
	DetailsURL       string
	Started, Written time.Time
}

// SetCheck reports a check run for a commit. The conclusion "" starts it; any
// other completes it. A nil App is GitHub Actions.
func (r *Repo) SetCheck(sha, name, conclusion string, as *App) error {
	r.hub.lock()
	defer r.hub.unlock()
	if _, err := r.git.commit(sha); err != nil {
		return fmt.Errorf("set check %s on %s: %w", name, sha, err)
	}
	r.setCheck(sha, name, conclusion, as)
	return nil
}

func (r *Repo) setCheck(sha, name, conclusion string, as *App) {
	if as == nil {
		as = r.hub.actionsApp()
	}
	run := r.latestRun(sha, name, as)
	fresh := run == nil || run.status == "completed"
	if fresh {
		run = r.newRun(as, sha, name)
	}
	run.status = "in_progress"
	if conclusion != "" {
		run.status, run.conclusion, run.completed = "completed", conclusion, r.hub.now()
	}
	r.runChanged(run, fresh)
}

// SetStatus reports a commit status as a user: "success", "failure", "error"
// or "pending".
func (r *Repo) SetStatus(sha, context, state, by string) error {
	r.hub.lock()
	defer r.hub.unlock()
	if _, err := r.git.commit(sha); err != nil {
		return fmt.Errorf("set status %s on %s: %w", context, sha, err)
	}
	r.addStatus(&status{sha: sha, context: context, state: state, creator: r.hub.person(by)})
	return nil
}

// CIResult is one check that a repository's CI reports.
type CIResult struct {
	Name       string
	Conclusion string        // "": it starts and never ends
	After      time.Duration // how long it runs, by Options.AfterFunc; 0: done at once
	App        *App          // nil: GitHub Actions
}

// CI lets a CI system watch the repository: f is asked about every commit
// that is pushed to a branch and says which checks it gets. f must not use
// the hub.
func (r *Repo) CI(f func(sha string) []CIResult) {
	r.hub.lock()
	defer r.hub.unlock()
	r.ci = append(r.ci, f)
}

func (r *Repo) runCI(sha string) {
	for _, f := range r.ci {
		for _, res := range f(sha) {
			if res.After <= 0 {
				r.setCheck(sha, res.Name, res.Conclusion, res.App)
				continue
			}
			r.setCheck(sha, res.Name, "", res.App)
			r.hub.opts.AfterFunc(res.After, func() {
				r.hub.lock()
				defer r.hub.unlock()
				r.setCheck(sha, res.Name, res.Conclusion, res.App)
			})
		}
	}
}

// Checks lists the latest run of each check for a commit.
func (r *Repo) Checks(sha string) []Check {
	r.hub.lock()
	defer r.hub.unlock()
	var list []Check
	for _, run := range r.latestRuns(sha) {
		list = append(list, Check{
			ID: run.id, App: run.suite.app.slug, Name: run.name, SHA: sha, Status: run.status,
			Conclusion: run.conclusion, Title: run.title, Summary: run.summary, Text: run.text,
			DetailsURL: run.detailsURL, Started: run.started, Written: run.completed,
		})
	}
	return list
}

// Runs counts the check runs of a name for a commit, those included that a
// later one of the same App hides, and those of them that are not completed.
func (r *Repo) Runs(sha, name string) (all, open int) {
	r.hub.lock()
	defer r.hub.unlock()
	for _, run := range r.runs {
		if run.suite.sha == sha && run.name == name {
			all++
			if run.status != "completed" {
				open++
			}
		}
	}
	return all, open
}

func (r *Repo) newRun(app *App, sha, name string) *checkRun {
	now := r.hub.now()
	i := slices.IndexFunc(r.suites, func(s *checkSuite) bool { return s.app == app && s.sha == sha })
	if i < 0 {
		i = len(r.suites)
		r.suites = append(r.suites, &checkSuite{id: r.hub.nextID(), app: app, sha: sha, branch: r.branchOf(sha), created: now})
	}
	run := &checkRun{id: r.hub.nextID(), repo: r, suite: r.suites[i], name: name, status: "queued", started: now}
	r.runs = append(r.runs, run)
	return run
}

// branchOf names a branch whose tip a commit is, for check suites.
func (r *Repo) branchOf(sha string) string {
	for _, p := range r.pulls() {
		if p.headSHA == sha {
			return p.headRef
		}
	}
	refs, err := r.git.refs("refs/heads/")
	if err != nil {
		return ""
	}
	for _, ref := range refs {
		if ref.new == sha {
			return ref.name[len("refs/heads/"):]
		}
	}
	return ""
}

// runChanged sends what follows from writing a check run: that it is there,
// when it is new, and that it and its suite are complete, when they are.
func (r *Repo) runChanged(run *checkRun, fresh bool) {
	run.suite.updated = r.hub.now()
	by := run.suite.app.bot
	if fresh {
		r.emit("check_run", "created", by, obj{"check_run": r.runJSON(run)})
	}
	if run.status != "completed" {
		return
	}
	r.emit("check_run", "completed", by, obj{"check_run": r.runJSON(run)})
	if state, _ := r.suiteState(run.suite); state == "completed" {
		r.emit("check_suite", "completed", by, obj{"check_suite": r.suiteJSON(run.suite, true)})
	}
	r.settle(run.suite.sha)
}

func (r *Repo) addStatus(s *status) *status {
	s.id, s.created = r.hub.nextID(), r.hub.now()
	r.statuses = append(r.statuses, s)
	r.emit("status", "", s.creator, r.statusPayload(s))
	r.settle(s.sha)
	return s
}

// latestRuns lists the newest run for each App and name.
func (r *Repo) latestRuns(sha string) []*checkRun {
	var list []*checkRun
	for _, run := range r.runs {
		if run.suite.sha != sha {
			continue
		}
		same := func(x *checkRun) bool { return x.name == run.name && x.suite == run.suite }
		if i := slices.IndexFunc(list, same); i >= 0 {
			list[i] = run
			continue
		}
		list = append(list, run)
	}
	slices.SortFunc(list, func(a, b *checkRun) int { return cmp.Compare(a.id, b.id) })
	return list
}

func (r *Repo) latestRun(sha, name string, app *App) *checkRun {
	for _, run := range r.latestRuns(sha) {
		if run.name == name && run.suite.app == app {
			return run
		}
	}
	return nil
}

// latestStatuses lists the newest status for each context, newest first.
func (r *Repo) latestStatuses(sha string) []*status {
	var list []*status
	for _, s := range slices.Backward(r.statuses) {
		if s.sha == sha && !slices.ContainsFunc(list, func(x *status) bool { return x.context == s.context }) {
			list = append(list, s)
		}
	}
	return list
}
