package fakehub

import (
	"fmt"
	"slices"
)

// reactionKinds are the contents that GitHub allows.
var reactionKinds = []string{"+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"}

func reactionsJSON(url string, list []*reaction) obj {
	body := obj{"url": url + "/reactions", "total_count": len(list)}
	for _, kind := range reactionKinds {
		body[kind] = 0
	}
	for _, r := range list {
		body[r.content] = body[r.content].(int) + 1
	}
	return body
}

func (i *issue) labelsJSON() []obj {
	list := []obj{}
	for _, l := range i.labels {
		list = append(list, labelJSON(i.repo, l))
	}
	return list
}

// issueJSON is issue. A pull request is an issue with `pull_request` set.
func (r *Repo) issueJSON(i *issue) obj {
	url := fmt.Sprintf("%s/issues/%d", r.apiURL(), i.number)
	html := fmt.Sprintf("%s/issues/%d", r.HTMLURL(), i.number)
	body := obj{
		"id": i.id, "node_id": i.nodeID(), "url": url, "repository_url": r.apiURL(), "labels_url": url + "/labels{/name}",
		"comments_url": url + "/comments", "events_url": url + "/events", "html_url": html, "number": i.number,
		"state": i.state, "state_reason": nil, "title": i.title, "body": textOrNil(i.body),
		"user": r.hub.userJSON(i.author), "labels": i.labelsJSON(), "assignee": nil, "assignees": []obj{},
		"milestone": nil, "locked": i.locked, "active_lock_reason": nil, "comments": len(i.comments),
		"closed_at": stampOrNil(i.closed), "created_at": stamp(i.created), "updated_at": stamp(i.updated),
		"author_association": r.association(i.author), "reactions": reactionsJSON(url, nil),
		"timeline_url": url + "/timeline", "performed_via_github_app": nil,
	}
	if p := i.pull; p != nil {
		body["html_url"], body["draft"] = p.htmlURL(), p.draft
		body["pull_request"] = obj{
			"url": fmt.Sprintf("%s/pulls/%d", r.apiURL(), i.number), "html_url": p.htmlURL(),
			"diff_url": p.htmlURL() + ".diff", "patch_url": p.htmlURL() + ".patch", "merged_at": stampOrNil(p.mergedAt),
		}
	}
	return body
}

func (c *comment) htmlURL() string {
	r := c.issue.repo
	page := "issues"
	if c.issue.pull != nil {
		page = "pull"
	}
	return fmt.Sprintf("%s/%s/%d#issuecomment-%d", r.HTMLURL(), page, c.issue.number, c.id)
}

// commentJSON is issue-comment.
func (r *Repo) commentJSON(c *comment) obj {
	url := fmt.Sprintf("%s/issues/comments/%d", r.apiURL(), c.id)
	body := obj{
		"id": c.id, "node_id": c.nodeID(), "url": url, "html_url": c.htmlURL(),
		"body": c.body, "user": r.hub.userJSON(c.author), "created_at": stamp(c.created), "updated_at": stamp(c.updated),
		"issue_url": fmt.Sprintf("%s/issues/%d", r.apiURL(), c.issue.number), "author_association": r.association(c.author),
		"reactions": reactionsJSON(url, c.reactions), "performed_via_github_app": nil,
	}
	if c.app != nil {
		body["performed_via_github_app"] = c.app.appJSON()
	}
	return body
}

func (c *comment) reactionJSON(x *reaction) obj {
	r := c.issue.repo
	return obj{
		"id": x.id, "node_id": nodeID("REA", r.id, x.id), "user": r.hub.userJSON(x.by),
		"content": x.content, "created_at": stamp(x.created),
	}
}

// commentPayload is the part of an issue_comment event that is its own.
func (r *Repo) commentPayload(c *comment) obj {
	return obj{"issue": r.issueJSON(c.issue), "comment": r.commentJSON(c)}
}

// pullPayload is the part of a pull_request event that is its own.
func (r *Repo) pullPayload(p *pull) obj {
	return obj{"number": p.number, "pull_request": r.fullPullJSON(p, unknownState)}
}

func validReaction(content string) bool { return slices.Contains(reactionKinds, content) }
