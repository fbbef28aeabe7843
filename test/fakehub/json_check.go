package fakehub

import (
	"fmt"
	"maps"
)

// runJSON is check-run.
func (r *Repo) runJSON(run *checkRun) obj {
	url := fmt.Sprintf("%s/check-runs/%d", r.apiURL(), run.id)
	html := fmt.Sprintf("%s/runs/%d", r.HTMLURL(), run.id)
	details := run.detailsURL
	if details == "" {
		details = html
	}
	return obj{
		"id": run.id, "name": run.name, "node_id": nodeID("CR", r.id, run.id), "head_sha": run.suite.sha,
		"external_id": run.externalID, "url": url, "html_url": html, "details_url": details, "status": run.status,
		"conclusion": textOrNil(run.conclusion), "started_at": stamp(run.started), "completed_at": stampOrNil(run.completed),
		"output": obj{
			"title": textOrNil(run.title), "summary": textOrNil(run.summary), "text": textOrNil(run.text),
			"annotations_count": 0, "annotations_url": url + "/annotations",
		},
		"check_suite": obj{"id": run.suite.id}, "app": run.suite.app.appJSON(), "pull_requests": r.pullsOf(run.suite.sha),
	}
}

// suiteJSON is check-suite.
func (r *Repo) suiteJSON(s *checkSuite, webhook bool) obj {
	state, conclusion := r.suiteState(s)
	url := fmt.Sprintf("%s/check-suites/%d", r.apiURL(), s.id)
	n := 0
	for _, run := range r.latestRuns(s.sha) {
		if run.suite == s {
			n++
		}
	}
	body := obj{
		"id": s.id, "node_id": nodeID("CS", r.id, s.id), "head_branch": textOrNil(s.branch), "head_sha": s.sha,
		"status": state, "conclusion": textOrNil(conclusion), "url": url, "before": zeroOID, "after": s.sha,
		"pull_requests": r.pullsOf(s.sha), "app": s.app.appJSON(), "created_at": stamp(s.created),
		"updated_at": stamp(s.updated), "latest_check_runs_count": n, "check_runs_url": url + "/check-runs",
	}
	if c, err := r.git.commit(s.sha); err == nil {
		body["head_commit"] = simpleCommitJSON(c)
	}
	if !webhook {
		body["repository"] = r.minimalRepoJSON()
	}
	return body
}

// simpleStatusJSON is simple-commit-status.
func (r *Repo) simpleStatusJSON(s *status) obj {
	return obj{
		"id": s.id, "node_id": nodeID("SC", r.id, s.id), "state": s.state, "context": s.context,
		"description": textOrNil(s.description), "target_url": textOrNil(s.targetURL),
		"avatar_url": fmt.Sprintf("%s/avatars/u/%d?v=4", r.hub.url, s.creator.id),
		"url":        r.apiURL() + "/statuses/" + s.sha, "created_at": stamp(s.created), "updated_at": stamp(s.created),
	}
}

// statusJSON is status.
func (r *Repo) statusJSON(s *status) obj {
	body := r.simpleStatusJSON(s)
	body["creator"] = r.hub.userJSON(s.creator)
	return body
}

// statusPayload is the part of a status event that is its own.
func (r *Repo) statusPayload(s *status) obj {
	body := obj{
		"id": s.id, "sha": s.sha, "name": r.FullName(), "context": s.context, "state": s.state,
		"description": textOrNil(s.description), "target_url": textOrNil(s.targetURL), "branches": []obj{},
		"avatar_url": fmt.Sprintf("%s/avatars/u/%d?v=4", r.hub.url, s.creator.id),
		"created_at": stamp(s.created), "updated_at": stamp(s.created),
	}
	if c, err := r.git.commit(s.sha); err == nil {
		body["commit"] = r.commitJSON(c)
	}
	if b := r.branchOf(s.sha); b != "" {
		body["branches"] = []obj{r.shortBranchJSON(b)}
	}
	return body
}

func (r *Repo) shortBranchJSON(branch string) obj {
	sha := r.git.branch(branch)
	return obj{
		"name": branch, "protected": r.rules(branch) != nil,
		"commit": obj{"sha": sha, "url": r.apiURL() + "/commits/" + sha},
	}
}

// branchJSON is branch-with-protection. Classic protection shows its required
// checks here, to anybody who may read; a ruleset shows only that there is
// something.
func (r *Repo) branchJSON(branch string) (obj, error) {
	c, err := r.git.commit(r.git.branch(branch))
	if err != nil {
		return nil, err
	}
	url := r.apiURL() + "/branches/" + branch
	checks := obj{"enforcement_level": "off", "contexts": []string{}, "checks": []obj{}}
	protection := obj{"enabled": false, "required_status_checks": checks}
	if rules := r.classic(branch); rules != nil {
		protection["enabled"] = true
		if len(rules.RequiredChecks) > 0 {
			checks["enforcement_level"] = "non_admins"
			contexts, list := rules.checksJSON()
			maps.Copy(checks, obj{"contexts": contexts, "checks": list})
		}
	}
	return obj{
		"name": branch, "commit": r.commitJSON(c), "protected": r.rules(branch) != nil, "protection": protection,
		"protection_url": url + "/protection", "_links": obj{"self": url, "html": r.HTMLURL() + "/tree/" + branch},
	}, nil
}

func (p *protection) checksJSON() (contexts []string, checks []obj) {
	contexts, checks = []string{}, []obj{}
	for _, c := range p.RequiredChecks {
		contexts = append(contexts, c.Context)
		var app any
		if c.App != nil {
			app = c.App.id
		}
		checks = append(checks, obj{"context": c.Context, "app_id": app})
	}
	return contexts, checks
}
