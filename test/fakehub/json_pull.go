package fakehub

import (
	"fmt"
	"maps"
	"strings"
)

// pullJSON is pull-request-simple, as lists carry it.
func (r *Repo) pullJSON(p *pull) obj {
	h := r.hub
	api := fmt.Sprintf("%s/pulls/%d", r.apiURL(), p.number)
	issue := fmt.Sprintf("%s/issues/%d", r.apiURL(), p.number)
	side := func(repo *Repo, ref, sha string) obj {
		return obj{
			"label": repo.owner.login + ":" + ref, "ref": ref, "sha": sha,
			"user": h.userJSON(repo.owner), "repo": repo.repoJSON(),
		}
	}
	urls := obj{
		"self": api, "html": p.htmlURL(), "issue": issue, "comments": issue + "/comments",
		"review_comments": api + "/comments", "review_comment": r.apiURL() + "/pulls/comments{/number}",
		"commits": api + "/commits", "statuses": r.apiURL() + "/statuses/" + p.headSHA,
	}
	links := obj{}
	for name, url := range urls {
		links[name] = obj{"href": url}
	}
	body := obj{
		"url": api, "id": p.prID, "node_id": p.nodeID(), "html_url": p.htmlURL(), "diff_url": p.htmlURL() + ".diff",
		"patch_url": p.htmlURL() + ".patch", "issue_url": issue, "commits_url": urls["commits"],
		"review_comments_url": urls["review_comments"], "review_comment_url": urls["review_comment"],
		"comments_url": urls["comments"], "statuses_url": urls["statuses"], "number": p.number, "state": p.state,
		"locked": p.locked, "title": p.title, "user": h.userJSON(p.author), "body": textOrNil(p.body),
		"labels": p.labelsJSON(), "milestone": nil, "active_lock_reason": nil, "created_at": stamp(p.created),
		"updated_at": stamp(p.updated), "closed_at": stampOrNil(p.closed), "merged_at": stampOrNil(p.mergedAt),
		"merge_commit_sha": textOrNil(p.mergeSHA), "assignee": nil, "assignees": []obj{},
		"requested_reviewers": h.usersJSON(p.requested), "requested_teams": []obj{},
		"head": side(p.headRepo, p.headRef, p.headSHA), "base": side(r, p.baseRef, p.baseSHA), "_links": links,
		"author_association": r.association(p.author), "auto_merge": nil, "draft": p.draft,
	}
	if a := p.autoMerge; a != nil {
		body["auto_merge"] = obj{
			"enabled_by": h.userJSON(a.by), "merge_method": a.method, "commit_title": a.title, "commit_message": a.message,
		}
	}
	return body
}

// fullPullJSON is pull-request. Reading it is what makes GitHub compute
// whether it can be merged, so the state comes from the request's reads.
func (r *Repo) fullPullJSON(p *pull, state mergeState) obj {
	body := r.pullJSON(p)
	s := r.stats(p)
	more := obj{
		"merged": p.merged, "mergeable": state.restMergeable(), "rebaseable": state.restMergeable(),
		"mergeable_state": state.restStatus(), "merged_by": r.hub.userOrNil(p.mergedBy),
		"comments": len(p.comments), "review_comments": 0, "maintainer_can_modify": false, "commits": s.commits,
		"additions": s.additions, "deletions": s.deletions, "changed_files": s.files,
	}
	if !p.merged && state.testMerge != "" {
		more["merge_commit_sha"] = state.testMerge
	}
	maps.Copy(body, more)
	return body
}

// briefPullJSON is pull-request-minimal, as check runs carry it.
func (r *Repo) briefPullJSON(p *pull) obj {
	side := func(repo *Repo, ref, sha string) obj {
		return obj{"ref": ref, "sha": sha, "repo": obj{"id": repo.id, "url": repo.apiURL(), "name": repo.name}}
	}
	return obj{
		"id": p.prID, "number": p.number, "url": fmt.Sprintf("%s/pulls/%d", r.apiURL(), p.number),
		"head": side(p.headRepo, p.headRef, p.headSHA), "base": side(r, p.baseRef, p.baseSHA),
	}
}

// pullsOf lists, briefly, the open pull requests from inside the repository
// whose head a commit is.
func (r *Repo) pullsOf(sha string) []obj {
	list := []obj{}
	for _, p := range r.openPulls() {
		if p.headSHA == sha && p.headRepo == r {
			list = append(list, r.briefPullJSON(p))
		}
	}
	return list
}

// reviewJSON is pull-request-review; webhooks say the state in lower case.
func (r *Repo) reviewJSON(p *pull, v *review, webhook bool) obj {
	html := fmt.Sprintf("%s#pullrequestreview-%d", p.htmlURL(), v.id)
	api := fmt.Sprintf("%s/pulls/%d", r.apiURL(), p.number)
	body := obj{
		"id": v.id, "node_id": nodeID("PRR", r.id, v.id), "user": r.hub.userJSON(v.author), "body": v.body,
		"state": v.state, "html_url": html, "pull_request_url": api,
		"_links":       obj{"html": obj{"href": html}, "pull_request": obj{"href": api}},
		"submitted_at": stamp(v.submitted), "commit_id": v.sha, "author_association": r.association(v.author),
	}
	if webhook {
		body["state"] = strings.ToLower(v.state)
		body["updated_at"] = stamp(v.submitted)
	}
	return body
}

func (h *Hub) usersJSON(list []*account) []obj {
	users := []obj{}
	for _, a := range list {
		users = append(users, h.userJSON(a))
	}
	return users
}

// textOrNil is null for an empty text.
func textOrNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}
