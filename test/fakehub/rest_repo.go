package fakehub

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
)

// rawJSON goes into an answer as it is.
func rawJSON(b []byte) json.RawMessage { return json.RawMessage(b) }

func (c *call) getRepo() (int, any, error) {
	return http.StatusOK, c.repo.fullRepoJSON(c.actor), nil
}

func (c *call) listBranches() (int, any, error) {
	refs, err := c.repo.git.refs("refs/heads/")
	if err != nil {
		return 0, nil, err
	}
	list := []obj{}
	for _, ref := range refs {
		list = append(list, c.repo.shortBranchJSON(strings.TrimPrefix(ref.name, "refs/heads/")))
	}
	return http.StatusOK, page(c, list), nil
}

func (c *call) getBranch() (int, any, error) {
	body, err := c.repo.branchJSON(c.arg("branch"))
	if err != nil {
		return 0, nil, &apiError{status: http.StatusNotFound, message: "Branch not found"}
	}
	return http.StatusOK, body, nil
}

func (c *call) getProtection() (int, any, error) {
	rules := c.repo.classic(c.arg("branch"))
	if rules == nil {
		return 0, nil, &apiError{status: http.StatusNotFound, message: "Branch not protected"}
	}
	url := c.repo.apiURL() + "/branches/" + c.arg("branch") + "/protection"
	on := func(v bool) obj { return obj{"enabled": v} }
	body := obj{
		"url": url, "required_linear_history": on(rules.LinearHistory), "allow_force_pushes": on(false), "allow_deletions": on(false),
		"enforce_admins": obj{"url": url + "/enforce_admins", "enabled": true}, "required_conversation_resolution": on(rules.Conversations),
		"required_signatures": obj{"url": url + "/required_signatures", "enabled": false},
	}
	if len(rules.RequiredChecks) > 0 {
		contexts, checks := rules.checksJSON()
		body["required_status_checks"] = obj{
			"url": url + "/required_status_checks", "strict": rules.Strict, "contexts": contexts, "checks": checks,
			"contexts_url": url + "/required_status_checks/contexts",
		}
	}
	if rules.wantsPR() {
		body["required_pull_request_reviews"] = obj{
			"url": url + "/required_pull_request_reviews", "dismiss_stale_reviews": rules.DismissStale,
			"require_code_owner_reviews": len(rules.CodeOwners) > 0, "required_approving_review_count": rules.Approvals, "require_last_push_approval": false,
		}
	}
	return http.StatusOK, body, nil
}

// branchRules lists the rules of rulesets that a branch is under. Classic
// protection is not among them.
func (c *call) branchRules() (int, any, error) {
	list := []obj{}
	for _, rules := range c.repo.rulesetsOf(c.arg("branch")) {
		for _, rule := range rules.rulesJSON() {
			maps.Copy(rule, obj{
				"ruleset_source_type": "Repository", "ruleset_source": c.repo.FullName(), "ruleset_id": rules.id,
			})
			list = append(list, rule)
		}
	}
	return http.StatusOK, page(c, list), nil
}

// rulesJSON is a protection as the rules of a ruleset.
func (p *protection) rulesJSON() []obj {
	list := []obj{{"type": "deletion"}, {"type": "non_fast_forward"}}
	if p.LinearHistory {
		list = append(list, obj{"type": "required_linear_history"})
	}
	if p.wantsPR() || p.Conversations || len(p.Methods) > 0 {
		params := obj{
			"required_approving_review_count": p.Approvals, "dismiss_stale_reviews_on_push": p.DismissStale,
			"require_code_owner_review": len(p.CodeOwners) > 0, "require_last_push_approval": false,
			"required_review_thread_resolution": p.Conversations,
		}
		if len(p.Methods) > 0 {
			params["allowed_merge_methods"] = p.Methods
		}
		list = append(list, obj{"type": "pull_request", "parameters": params})
	}
	if len(p.RequiredChecks) > 0 {
		checks := []obj{}
		for _, c := range p.RequiredChecks {
			check := obj{"context": c.Context}
			if c.App != nil {
				check["integration_id"] = c.App.id
			}
			checks = append(checks, check)
		}
		list = append(list, obj{"type": "required_status_checks", "parameters": obj{
			"strict_required_status_checks_policy": p.Strict, "required_status_checks": checks,
		}})
	}
	if p.MergeQueue {
		list = append(list, obj{"type": "merge_queue", "parameters": obj{
			"check_response_timeout_minutes": 60, "grouping_strategy": "ALLGREEN", "max_entries_to_build": 5,
			"max_entries_to_merge": 5, "merge_method": strings.ToUpper(cmp.Or(p.QueueMethod, "merge")), "min_entries_to_merge": 1, "min_entries_to_merge_wait_minutes": 5,
		}})
	}
	return list
}

// rulesetJSON is repository-ruleset. Who may bypass it is told only to those
// who may administer the repository; everybody is told about themselves.
func (c *call) rulesetJSON(branch string, p *protection) obj {
	return obj{
		"id": p.id, "name": cmp.Or(p.Name, branch), "target": "branch", "source_type": "Repository", "source": c.repo.FullName(),
		"enforcement": "active", "node_id": nodeID("RRS", p.id), "current_user_can_bypass": p.bypassFor(c.actor.account),
		"created_at": stamp(c.repo.created), "updated_at": stamp(c.repo.created),
		"_links": obj{"self": obj{"href": fmt.Sprintf("%s/rulesets/%d", c.repo.apiURL(), p.id)}},
	}
}

func (c *call) listRulesets() (int, any, error) {
	list := []obj{}
	sets, branches := c.repo.allRulesets()
	for _, p := range sets {
		list = append(list, c.rulesetJSON(branches[p.id], p))
	}
	return http.StatusOK, page(c, list), nil
}

func (c *call) getRuleset() (int, any, error) {
	sets, branches := c.repo.allRulesets()
	for _, p := range sets {
		if branch := branches[p.id]; p.id == c.intArg("ruleset_id") {
			body := c.rulesetJSON(branch, p)
			body["conditions"] = obj{"ref_name": obj{"include": []string{"refs/heads/" + branch}, "exclude": []string{}}}
			body["rules"] = p.rulesJSON()
			return http.StatusOK, body, nil
		}
	}
	return 0, nil, errNotFound()
}

// collaboratorPermission knows four permissions and six roles: triage counts
// as read, maintain as write.
func (c *call) collaboratorPermission() (int, any, error) {
	a := c.h.accounts[strings.ToLower(c.arg("username"))]
	if a == nil {
		return 0, nil, &apiError{status: http.StatusNotFound, message: c.arg("username") + " is not a user"}
	}
	role := c.repo.role(a)
	legacy := map[string]string{"triage": "read", "maintain": "write"}[role]
	if legacy == "" {
		legacy = role
	}
	user := c.h.userJSON(a)
	user["permissions"], user["role_name"] = permissionsJSON(role), role
	return http.StatusOK, obj{"permission": legacy, "role_name": role, "user": user}, nil
}

// getContents reads a file or lists a folder.
func (c *call) getContents() (int, any, error) {
	ref := c.query("ref")
	if ref == "" {
		ref = c.repo.defaultBranch
	}
	head, err := c.repo.git.commit(ref)
	if err != nil {
		return 0, nil, &apiError{status: http.StatusNotFound, message: "No commit found for the ref " + ref}
	}
	path := strings.Trim(c.arg("path"), "/")
	tree := head.tree
	if path != "" {
		e, ok := c.repo.git.lookup(head.tree, path)
		if !ok {
			return 0, nil, errNotFound()
		}
		if !e.isDir() {
			return c.fileContents(ref, path, e)
		}
		tree = e.oid
	}
	entries, err := c.repo.git.tree(tree)
	if err != nil {
		return 0, nil, err
	}
	list := []obj{}
	for _, e := range entries {
		list = append(list, c.contentJSON(ref, strings.TrimPrefix(path+"/"+e.name, "/"), e, 0))
	}
	return http.StatusOK, list, nil
}

func (c *call) fileContents(ref, path string, e entry) (int, any, error) {
	_, _, data, err := c.repo.git.read(e.oid)
	if err != nil {
		return 0, nil, err
	}
	if strings.Contains(c.r.Header.Get("Accept"), "raw") {
		return http.StatusOK, string(data), nil
	}
	body := c.contentJSON(ref, path, e, len(data))
	body["encoding"], body["content"] = "base64", base64.StdEncoding.EncodeToString(data)
	return http.StatusOK, body, nil
}

func (c *call) contentJSON(ref, path string, e entry, size int) obj {
	kind := map[string]string{"tree": "dir", "blob": "file", "commit": "submodule"}[e.kind()]
	url := c.repo.apiURL() + "/contents/" + path + "?ref=" + ref
	git := c.repo.apiURL() + "/git/" + e.kind() + "s/" + e.oid
	html := c.repo.HTMLURL() + "/blob/" + ref + "/" + path
	return obj{
		"type": kind, "name": path[strings.LastIndex(path, "/")+1:], "path": path, "sha": e.oid, "size": size, "url": url,
		"git_url": git, "html_url": html, "download_url": nil, "_links": obj{"self": url, "git": git, "html": html},
	}
}
