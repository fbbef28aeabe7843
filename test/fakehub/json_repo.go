package fakehub

import (
	"maps"
	"slices"
	"strings"
)

func (r *Repo) apiURL() string { return r.hub.apiBase() + "/repos/" + r.FullName() }

// repoURLs are the links that every form of a repository carries, most of
// them templates. Of these the hub answers only what its routes list.
var repoURLs = map[string]string{
	"archive_url": "/{archive_format}{/ref}", "assignees_url": "/assignees{/user}", "blobs_url": "/git/blobs{/sha}",
	"branches_url": "/branches{/branch}", "collaborators_url": "/collaborators{/collaborator}",
	"comments_url": "/comments{/number}", "commits_url": "/commits{/sha}", "compare_url": "/compare/{base}...{head}",
	"contents_url": "/contents/{+path}", "contributors_url": "/contributors", "deployments_url": "/deployments",
	"downloads_url": "/downloads", "events_url": "/events", "forks_url": "/forks", "git_commits_url": "/git/commits{/sha}",
	"git_refs_url": "/git/refs{/sha}", "git_tags_url": "/git/tags{/sha}", "hooks_url": "/hooks",
	"issue_comment_url": "/issues/comments{/number}", "issue_events_url": "/issues/events{/number}",
	"issues_url": "/issues{/number}", "keys_url": "/keys{/key_id}", "labels_url": "/labels{/name}",
	"languages_url": "/languages", "merges_url": "/merges", "milestones_url": "/milestones{/number}",
	"notifications_url": "/notifications{?since,all,participating}", "pulls_url": "/pulls{/number}",
	"releases_url": "/releases{/id}", "stargazers_url": "/stargazers", "statuses_url": "/statuses/{sha}",
	"subscribers_url": "/subscribers", "subscription_url": "/subscription", "tags_url": "/tags", "teams_url": "/teams",
	"trees_url": "/git/trees{/sha}",
}

// minimalRepoJSON is minimal-repository.
func (r *Repo) minimalRepoJSON() obj {
	body := obj{
		"id": r.id, "node_id": r.nodeID(), "name": r.name, "full_name": r.FullName(),
		"owner": r.hub.userJSON(r.owner), "private": !r.public, "html_url": r.HTMLURL(),
		"description": nil, "fork": r.parent != nil, "url": r.apiURL(),
	}
	for name, tail := range repoURLs {
		body[name] = r.apiURL() + tail
	}
	return body
}

// repoJSON is repository, as lists, pull requests and webhooks carry it.
func (r *Repo) repoJSON() obj {
	body := r.minimalRepoJSON()
	host := strings.TrimPrefix(r.hub.url, "http://")
	open := 0
	for _, i := range r.issues {
		if i.state == "open" {
			open++
		}
	}
	visibility := "private"
	if r.public {
		visibility = "public"
	}
	more := obj{
		"git_url": "git://" + host + "/" + r.FullName() + ".git", "ssh_url": "git@" + host + ":" + r.FullName() + ".git",
		"clone_url": r.CloneURL(), "svn_url": r.HTMLURL(), "mirror_url": nil, "homepage": nil, "language": nil,
		"license": nil, "topics": []string{}, "visibility": visibility, "default_branch": r.defaultBranch,
		"forks_count": 0, "forks": 0, "stargazers_count": 0, "watchers_count": 0, "watchers": 0, "size": 1,
		"open_issues_count": open, "open_issues": open, "has_issues": true, "has_projects": false, "has_wiki": false,
		"has_pages": false, "has_downloads": true, "has_discussions": false, "archived": false, "disabled": false,
		"is_template": false, "allow_forking": true, "web_commit_signoff_required": false,
		"pushed_at": stamp(r.pushed), "created_at": stamp(r.created), "updated_at": stamp(r.pushed),
	}
	maps.Copy(body, more)
	return body
}

// fullRepoJSON is full-repository; the merge settings are there for who may
// push.
func (r *Repo) fullRepoJSON(a *actor) obj {
	body := r.repoJSON()
	body["subscribers_count"], body["network_count"] = 0, 0
	role := r.role(a.account)
	if a.token != nil {
		role = "read"
		if grants(a.token.perms, "contents=write") {
			role = "write"
		}
	}
	body["permissions"] = permissionsJSON(role)
	if roleRank(role) >= roleRank("write") {
		body["allow_merge_commit"] = r.allows("merge")
		body["allow_squash_merge"] = r.allows("squash")
		body["allow_rebase_merge"] = r.allows("rebase")
		body["allow_auto_merge"] = r.opts.AllowAutoMerge
		body["allow_update_branch"] = false
		body["delete_branch_on_merge"] = r.opts.DeleteBranchOnMerge
		body["squash_merge_commit_title"] = "COMMIT_OR_PR_TITLE"
		body["squash_merge_commit_message"] = "COMMIT_MESSAGES"
		body["merge_commit_title"] = "MERGE_MESSAGE"
		body["merge_commit_message"] = "PR_TITLE"
	}
	if r.parent != nil {
		body["parent"], body["source"] = r.parent.repoJSON(), r.parent.repoJSON()
	}
	return body
}

func (r *Repo) allows(method string) bool { return slices.Contains(r.opts.Methods, method) }
