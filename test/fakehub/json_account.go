package fakehub

import (
	"fmt"
	"maps"
	neturl "net/url"
	"slices"
	"strings"
)

// userJSON is simple-user.
func (h *Hub) userJSON(a *account) obj {
	if a == nil {
		return nil
	}
	url := h.apiBase() + "/users/" + neturl.PathEscape(a.login)
	return obj{
		"login": a.login, "id": a.id, "node_id": a.nodeID(), "type": a.kind, "site_admin": false,
		"avatar_url": fmt.Sprintf("%s/avatars/u/%d?v=4", h.url, a.id), "gravatar_id": "",
		"url": url, "html_url": h.profile(a), "user_view_type": "public",
		"followers_url": url + "/followers", "following_url": url + "/following{/other_user}",
		"gists_url": url + "/gists{/gist_id}", "starred_url": url + "/starred{/owner}{/repo}",
		"subscriptions_url": url + "/subscriptions", "organizations_url": url + "/orgs",
		"repos_url": url + "/repos", "events_url": url + "/events{/privacy}",
		"received_events_url": url + "/received_events",
	}
}

// profile is the page of an account; a bot's is its App's.
func (h *Hub) profile(a *account) string {
	if a.kind == "Bot" {
		return h.url + "/apps/" + strings.TrimSuffix(a.login, "[bot]")
	}
	return h.url + "/" + a.login
}

// userOrNil keeps a missing account from becoming an empty object.
func (h *Hub) userOrNil(a *account) any {
	if a == nil {
		return nil
	}
	return h.userJSON(a)
}

// orgJSON is organization-simple, as webhooks carry it.
func (h *Hub) orgJSON(a *account) obj {
	url := h.apiBase() + "/orgs/" + a.login
	return obj{
		"login": a.login, "id": a.id, "node_id": a.nodeID(), "url": url, "description": "",
		"avatar_url": fmt.Sprintf("%s/avatars/u/%d?v=4", h.url, a.id),
		"repos_url":  url + "/repos", "events_url": url + "/events", "hooks_url": url + "/hooks",
		"issues_url": url + "/issues", "members_url": url + "/members{/member}",
		"public_members_url": url + "/public_members{/member}",
	}
}

// appJSON is integration.
func (a *App) appJSON() obj {
	h := a.hub
	return obj{
		"id": a.id, "slug": a.slug, "node_id": nodeID("A", a.id), "client_id": a.ClientID(),
		"owner": h.userJSON(a.owner), "name": a.slug, "description": "", "external_url": h.url,
		"html_url": h.url + "/apps/" + a.slug, "created_at": stamp(a.created), "updated_at": stamp(a.created),
		"permissions": maps.Clone(a.perms), "events": append([]string{}, a.events...),
	}
}

// installationJSON is installation.
func (in *installation) installationJSON() obj {
	h := in.app.hub
	url := fmt.Sprintf("%s/app/installations/%d", h.apiBase(), in.id)
	body := obj{
		"id": in.id, "account": h.userJSON(in.account), "repository_selection": "selected",
		"client_id":         in.app.ClientID(),
		"access_tokens_url": url + "/access_tokens", "repositories_url": h.apiBase() + "/installation/repositories",
		"html_url": fmt.Sprintf("%s/organizations/%s/settings/installations/%d", h.url, in.account.login, in.id),
		"app_id":   in.app.id, "app_slug": in.app.slug, "target_id": in.account.id, "target_type": in.account.kind,
		"permissions": maps.Clone(in.app.perms), "events": append([]string{}, in.app.events...),
		"created_at": stamp(in.created), "updated_at": stamp(in.created), "single_file_name": nil,
		"has_multiple_single_files": false, "single_file_paths": []string{},
		"suspended_by": nil, "suspended_at": stampOrNil(in.suspended),
	}
	if !in.suspended.IsZero() {
		body["suspended_by"] = h.userJSON(in.account)
	}
	return body
}

// briefRepos is how installation events list repositories.
func briefRepos(repos []*Repo) []obj {
	list := []obj{}
	for _, r := range repos {
		list = append(list, obj{
			"id": r.id, "node_id": r.nodeID(), "name": r.name, "full_name": r.FullName(), "private": !r.public,
		})
	}
	return list
}

// permissionsJSON is what a collaborator may do, as booleans.
func permissionsJSON(role string) obj {
	rank := roleRank(role)
	may := obj{}
	for _, p := range []struct{ name, role string }{
		{"pull", "read"}, {"triage", "triage"}, {"push", "write"}, {"maintain", "maintain"}, {"admin", "admin"},
	} {
		may[p.name] = rank >= roleRank(p.role)
	}
	return may
}

func labelJSON(r *Repo, name string) obj {
	id := int64(len(name))
	for _, c := range name {
		id = id*31 + int64(c)
	}
	id = 1_000_000 + id%1_000_000_000
	return obj{
		"id": id, "node_id": nodeID("LA", r.id, id), "url": r.apiURL() + "/labels/" + neturl.PathEscape(name), "name": name,
		"description": nil, "color": "ededed", "default": slices.Contains([]string{"bug", "documentation"}, name),
	}
}
