package fakehub

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// thePull is the pull request that the path names.
func (c *call) thePull() (*pull, error) {
	if p := c.repo.pull(int(c.intArg("pull_number"))); p != nil {
		return p, nil
	}
	return nil, errNotFound()
}

func (c *call) listPulls() (int, any, error) {
	state := c.query("state")
	if state == "" {
		state = "open"
	}
	list := []obj{}
	all := c.repo.pulls()
	if c.query("direction") != "asc" {
		slices.Reverse(all)
	}
	for _, p := range all {
		head, base := c.query("head"), c.query("base")
		label := p.headRepo.owner.login + ":" + p.headRef
		// A head without its owner is no filter, as on GitHub.
		if state != "all" && p.state != state || base != "" && p.baseRef != base ||
			strings.Contains(head, ":") && !strings.EqualFold(head, label) {
			continue
		}
		list = append(list, c.repo.pullJSON(p))
	}
	return http.StatusOK, page(c, list), nil
}

func (c *call) createPull() (int, any, error) {
	var req struct {
		Title, Body, Head, Base string
		Draft                   bool
	}
	if err := c.decode(&req); err != nil {
		return 0, nil, err
	}
	p, err := c.repo.newPull(c.actor.account, pullInput{title: req.Title, body: req.Body, head: req.Head, base: req.Base, draft: req.Draft})
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, c.repo.fullPullJSON(p, c.seen.state(p)), nil
}

func (c *call) getPull() (int, any, error) {
	p, err := c.thePull()
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, c.repo.fullPullJSON(p, c.seen.state(p)), nil
}

func (c *call) updatePull() (int, any, error) {
	p, err := c.thePull()
	if err != nil {
		return 0, nil, err
	}
	var req struct{ Title, Body, State, Base *string }
	if err := c.decode(&req); err != nil {
		return 0, nil, err
	}
	if err := c.repo.editPull(c.actor.account, p, pullEdit{req.Title, req.Body, req.State, req.Base}); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, c.repo.fullPullJSON(p, c.seen.state(p)), nil
}

type pullEdit struct{ title, body, state, base *string }

// editPull changes what is given.
func (r *Repo) editPull(by *account, p *pull, e pullEdit) error {
	changes := obj{}
	if e.base != nil && *e.base != p.baseRef {
		if r.git.branch(*e.base) == "" {
			return errInvalid("PullRequest", "base", "Base ref must be a branch")
		}
		changes["base"] = obj{"ref": obj{"from": p.baseRef}, "sha": obj{"from": p.baseSHA}}
		r.leave(by, p, leftRules)
		p.baseRef, p.baseSHA = *e.base, r.git.branch(*e.base)
		p.unknown()
		r.disarm(by, p, "Base branch was changed")
	}
	for _, f := range []struct {
		name string
		to   *string
		at   *string
	}{{"title", e.title, &p.title}, {"body", e.body, &p.body}} {
		if f.to != nil && *f.to != *f.at {
			changes[f.name] = obj{"from": *f.at}
			*f.at = *f.to
		}
	}
	if len(changes) > 0 {
		p.updated = r.hub.now()
		payload := r.pullPayload(p)
		payload["changes"] = changes
		r.emit("pull_request", "edited", by, payload)
	}
	switch {
	case e.state == nil || *e.state == p.state:
	case *e.state == "closed":
		r.closePull(by, p)
	case *e.state == "open":
		return r.reopenPull(by, p)
	default:
		return errInvalid("PullRequest", "state", "state is invalid")
	}
	return nil
}

func (c *call) pullCommits() (int, any, error) {
	p, err := c.thePull()
	if err != nil {
		return 0, nil, err
	}
	commits, err := c.repo.git.between(p.baseSHA, p.headSHA)
	if err != nil {
		return 0, nil, err
	}
	list := []obj{}
	for _, x := range commits {
		list = append(list, c.repo.commitJSON(x))
	}
	return http.StatusOK, page(c, list), nil
}

func (c *call) pullFiles() (int, any, error) {
	p, err := c.thePull()
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, page(c, c.repo.filesJSON(c.repo.git.mergeBase(p.baseSHA, p.headSHA), p.headSHA)), nil
}

// filesJSON is a list of diff-entry, without patches.
func (r *Repo) filesJSON(base, head string) []obj {
	list := []obj{}
	for _, f := range r.diff(base, head) {
		body := obj{
			"sha": f.sha, "filename": f.path, "status": f.status, "additions": f.additions, "deletions": f.deletions,
			"changes": f.additions + f.deletions, "blob_url": r.HTMLURL() + "/blob/" + head + "/" + f.path,
			"raw_url": r.HTMLURL() + "/raw/" + head + "/" + f.path, "contents_url": r.apiURL() + "/contents/" + f.path + "?ref=" + head,
		}
		if f.from != "" {
			body["previous_filename"] = f.from
		}
		list = append(list, body)
	}
	return list
}

func (c *call) isMerged() (int, any, error) {
	p, err := c.thePull()
	if err != nil || !p.merged {
		return 0, nil, errNotFound()
	}
	return http.StatusNoContent, nil, nil
}

func (c *call) mergePull() (int, any, error) {
	p, err := c.thePull()
	if err != nil {
		return 0, nil, err
	}
	var req struct {
		SHA           string `json:"sha"`
		MergeMethod   string `json:"merge_method"`
		CommitTitle   string `json:"commit_title"`
		CommitMessage string `json:"commit_message"`
	}
	if err := c.decode(&req); err != nil {
		return 0, nil, err
	}
	if req.MergeMethod == "" {
		req.MergeMethod = "merge"
	}
	sha, err := c.merge(p, mergeInput{method: req.MergeMethod, head: req.SHA, title: req.CommitTitle, message: req.CommitMessage})
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, obj{"sha": sha, "merged": true, "message": "Pull Request successfully merged"}, nil
}

// merge merges for the caller, unless that would bring in a workflow which
// the caller may not write.
func (c *call) merge(p *pull, in mergeInput) (string, error) {
	if !c.actor.mayWorkflows() {
		for _, f := range p.repo.diff(p.repo.git.mergeBase(p.baseSHA, p.headSHA), p.headSHA) {
			if strings.HasPrefix(f.path, workflowsDir) || strings.HasPrefix(f.from, workflowsDir) {
				e := errForbidden("workflows=write")
				e.message = fmt.Sprintf("refusing to allow a GitHub App to create or update workflow `%s` without `workflows` permission", f.path)
				return "", e
			}
		}
	}
	return p.repo.merge(c.actor.account, p, in)
}

func (c *call) updatePullBranch() (int, any, error) {
	p, err := c.thePull()
	if err != nil {
		return 0, nil, err
	}
	var req struct {
		ExpectedHeadSHA string `json:"expected_head_sha"`
	}
	if err := c.decode(&req); err != nil {
		return 0, nil, err
	}
	if req.ExpectedHeadSHA != "" && req.ExpectedHeadSHA != p.headSHA {
		return 0, nil, errUnprocessable("expected head sha didn’t match current head ref.")
	}
	if err := c.repo.updateBranch(c.actor.account, p); err != nil {
		return 0, nil, err
	}
	return http.StatusAccepted, obj{"message": "Updating pull request branch.", "url": p.htmlURL()}, nil
}

func (c *call) listReviews() (int, any, error) {
	p, err := c.thePull()
	if err != nil {
		return 0, nil, err
	}
	list := []obj{}
	for _, v := range p.reviews {
		list = append(list, c.repo.reviewJSON(p, v, false))
	}
	return http.StatusOK, page(c, list), nil
}

func (c *call) createReview() (int, any, error) {
	p, err := c.thePull()
	if err != nil {
		return 0, nil, err
	}
	var req struct{ Event, Body string }
	if err := c.decode(&req); err != nil {
		return 0, nil, err
	}
	v, err := c.repo.addReview(p, c.actor.account, req.Event, req.Body)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, c.repo.reviewJSON(p, v, false), nil
}

func (c *call) listRequested() (int, any, error) {
	p, err := c.thePull()
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, obj{"users": c.h.usersJSON(p.requested), "teams": []obj{}}, nil
}

func (c *call) requestReviewers() (int, any, error) {
	p, err := c.thePull()
	if err != nil {
		return 0, nil, err
	}
	var req struct{ Reviewers []string }
	if err := c.decode(&req); err != nil {
		return 0, nil, err
	}
	var users []*account
	for _, login := range req.Reviewers {
		a := c.h.accounts[strings.ToLower(login)]
		if a == nil {
			a = &account{login: login}
		}
		users = append(users, a)
	}
	if err := c.repo.requestReviews(c.actor.account, p, users); err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, c.repo.pullJSON(p), nil
}
