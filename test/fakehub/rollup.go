package fakehub

// rollup is everything that speaks of one commit: GitHub's
// statusCheckRollup.
type rollup struct {
	state    string // SUCCESS, FAILURE, ERROR, PENDING, or "" where nothing speaks
	runs     []*checkRun
	statuses []*status
}

func (r *Repo) rollup(sha string) rollup {
	all := rollup{runs: r.latestRuns(sha), statuses: r.latestStatuses(sha)}
	worst := func(state string) {
		rank := map[string]int{"": 0, "SUCCESS": 1, "PENDING": 2, "FAILURE": 3, "ERROR": 4}
		if rank[state] > rank[all.state] {
			all.state = state
		}
	}
	for _, run := range all.runs {
		worst(run.state())
	}
	for _, s := range all.statuses {
		worst(s.rollupState())
	}
	return all
}

// state folds a run's status and conclusion into a StatusState.
func (run *checkRun) state() string {
	if run.status != "completed" {
		return "PENDING"
	}
	switch run.conclusion {
	case "success", "neutral", "skipped":
		return "SUCCESS"
	}
	return "FAILURE"
}

func (s *status) rollupState() string {
	return map[string]string{"success": "SUCCESS", "failure": "FAILURE", "error": "ERROR", "pending": "PENDING"}[s.state]
}

// checkState is how a required check stands for a commit: SUCCESS, PENDING,
// FAILURE, or "" where nobody has reported it.
func (r *Repo) checkState(sha string, want RequiredCheck) string {
	state := ""
	for _, run := range r.latestRuns(sha) {
		if run.name == want.Context && (want.App == nil || want.App == run.suite.app) {
			state = run.state()
		}
	}
	for _, s := range r.latestStatuses(sha) {
		if s.context == want.Context && (want.App == nil || want.App.bot == s.creator) {
			if state = s.rollupState(); state == "ERROR" {
				state = "FAILURE"
			}
		}
	}
	return state
}

// isRequired tells whether a branch's rules ask for this check of this App. A
// check of the same name by another App than the one that is asked for is not
// required.
func (r *Repo) isRequired(branch, name string, by *account) bool {
	for _, c := range r.rules(branch).required() {
		if c.Context == name && (c.App == nil || c.App.bot == by) {
			return true
		}
	}
	return false
}

// suiteState folds a suite's runs into the suite's status and conclusion.
func (r *Repo) suiteState(s *checkSuite) (state, conclusion string) {
	conclusion = "success"
	for _, run := range r.latestRuns(s.sha) {
		if run.suite != s {
			continue
		}
		if run.status != "completed" {
			return run.status, ""
		}
		if run.state() == "FAILURE" {
			conclusion = "failure"
		}
	}
	return "completed", conclusion
}
