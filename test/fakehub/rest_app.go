package fakehub

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (c *call) getApp() (int, any, error) {
	body := c.actor.app.appJSON()
	n := 0
	for _, in := range c.h.installs {
		if in.app == c.actor.app {
			n++
		}
	}
	body["installations_count"] = n
	return http.StatusOK, body, nil
}

func (c *call) listInstallations() (int, any, error) {
	list := []obj{}
	for _, in := range slices.SortedFunc(maps.Values(c.h.installs), func(a, b *installation) int { return cmp.Compare(a.id, b.id) }) {
		if in.app == c.actor.app {
			list = append(list, in.installationJSON())
		}
	}
	return http.StatusOK, page(c, list), nil
}

// mine is the installation that the path names, if it is the App's own.
func (c *call) mine() (*installation, error) {
	in := c.h.installs[c.intArg("installation_id")]
	if in == nil || in.app != c.actor.app {
		return nil, errNotFound()
	}
	return in, nil
}

func (c *call) getInstallation() (int, any, error) {
	in, err := c.mine()
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, in.installationJSON(), nil
}

func (c *call) repoInstallation() (int, any, error) {
	if c.repo != nil {
		if in := c.h.installationOn(c.actor.app, c.repo.owner); in != nil && in.repos[c.repo] {
			return http.StatusOK, in.installationJSON(), nil
		}
	}
	return 0, nil, errNotFound()
}

// createToken mints an installation token, narrowed to what was asked for.
// Asking for more than the App has is refused.
func (c *call) createToken() (int, any, error) {
	in, err := c.mine()
	if err != nil {
		return 0, nil, err
	}
	var req struct {
		Repositories  []string          `json:"repositories"`
		RepositoryIDs []int64           `json:"repository_ids"`
		Permissions   map[string]string `json:"permissions"`
	}
	if err := c.decode(&req); err != nil {
		return 0, nil, err
	}
	if !in.suspended.IsZero() {
		return 0, nil, &apiError{status: http.StatusForbidden, message: "This installation has been suspended"}
	}
	repos, err := in.narrow(req.Repositories, req.RepositoryIDs)
	if err != nil {
		return 0, nil, err
	}
	perms := in.app.perms
	if len(req.Permissions) > 0 {
		perms = map[string]string{"metadata": "read"}
		for name, level := range req.Permissions {
			if !grants(in.app.perms, name+"="+level) {
				return 0, nil, errUnprocessable("The permissions requested are not granted to this installation.")
			}
			perms[name] = level
		}
	}
	t := c.h.mint(in, repos, perms)
	body := obj{
		"token": t.secret, "expires_at": stamp(t.expires), "permissions": t.perms, "repository_selection": "selected",
	}
	if repos != nil {
		list := []obj{}
		for _, r := range in.list() {
			if repos[r] {
				list = append(list, r.repoJSON())
			}
		}
		body["repositories"] = list
	}
	return http.StatusCreated, body, nil
}

// narrow picks repositories of an installation by name or ID; nil is all.
func (in *installation) narrow(names []string, ids []int64) (map[*Repo]bool, error) {
	if len(names)+len(ids) == 0 {
		return nil, nil //nolint:nilnil // all of them.
	}
	picked := map[*Repo]bool{}
	for r := range in.repos {
		named := slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, r.name) })
		if named || slices.Contains(ids, r.id) {
			picked[r] = true
		}
	}
	if len(picked) < len(names) || len(picked) < len(ids) {
		return nil, errUnprocessable("There is at least one repository that does not exist or is not accessible to the parent installation.")
	}
	return picked, nil
}

func (c *call) listInstallationRepos() (int, any, error) {
	list := []obj{}
	for _, r := range c.actor.token.in.list() {
		if c.actor.token.covers(r) {
			list = append(list, r.repoJSON())
		}
	}
	return http.StatusOK, obj{"total_count": len(list), "repositories": page(c, list), "repository_selection": "selected"}, nil
}

func (c *call) revokeToken() (int, any, error) {
	delete(c.h.tokens, c.actor.token.secret)
	return http.StatusNoContent, nil, nil
}

func (c *call) rateLimit() (int, any, error) {
	u := c.h.usage[c.actor.name()]
	one := func(resource string) obj {
		return obj{"limit": hourly, "used": u.used[resource], "remaining": max(0, hourly-u.used[resource]), "reset": u.reset.Unix()}
	}
	u.used["core"]-- // asking is free.
	return http.StatusOK, obj{
		"resources": obj{"core": one("core"), "graphql": one("graphql"), "search": one("search")}, "rate": one("core"),
	}, nil
}

func (c *call) getUser() (int, any, error) {
	a := c.h.accounts[strings.ToLower(c.arg("username"))]
	if a == nil {
		return 0, nil, errNotFound()
	}
	body := c.h.userJSON(a)
	maps.Copy(body, obj{
		"name": a.login, "company": nil, "blog": "", "location": nil, "email": nil, "hireable": nil, "bio": nil,
		"twitter_username": nil, "public_repos": 0, "public_gists": 0, "followers": 0, "following": 0,
		"created_at": "2020-01-01T00:00:00Z", "updated_at": "2020-01-01T00:00:00Z",
	})
	return http.StatusOK, body, nil
}

// teamMembership needs members:read of the organization.
func (c *call) teamMembership() (int, any, error) {
	if t := c.actor.token; t == nil || !strings.EqualFold(t.in.account.login, c.arg("org")) {
		return 0, nil, errNotFound()
	} else if !grants(t.perms, "members=read") {
		return 0, nil, errForbidden("members=read")
	}
	team := c.h.teams[strings.ToLower(c.arg("org")+"/"+c.arg("team_slug"))]
	active, invited := team[strings.ToLower(c.arg("username"))]
	if !invited {
		return 0, nil, errNotFound()
	}
	state := "pending"
	if active {
		state = "active"
	}
	url := fmt.Sprintf("%s/orgs/%s/teams/%s/memberships/%s", c.h.apiBase(), c.arg("org"), c.arg("team_slug"), c.arg("username"))
	return http.StatusOK, obj{"url": url, "role": "member", "state": state}, nil
}

func deliveryJSON(d *Delivery) obj {
	body := obj{
		"id": d.ID, "guid": d.GUID, "delivered_at": d.At.Format("2006-01-02T15:04:05.000Z"), "redelivery": d.Redelivery,
		"duration": d.Duration.Seconds(), "status": d.Status, "status_code": d.StatusCode, "event": d.Event,
		"action": textOrNil(d.Action), "installation_id": d.Installation, "repository_id": nil, "throttled_at": nil,
	}
	if d.Repository != 0 {
		body["repository_id"] = d.Repository
	}
	return body
}

// deliveryRetention is how long GitHub keeps deliveries
// (https://docs.github.com/webhooks/testing-and-troubleshooting-webhooks/viewing-webhook-deliveries).
const deliveryRetention = 3 * 24 * time.Hour

// deliveries are what the App's log still holds, newest first.
func (c *call) deliveries() []*Delivery {
	oldest := c.h.now().Add(-deliveryRetention)
	var list []*Delivery
	for _, d := range slices.Backward(c.actor.app.log) {
		if !d.At.Before(oldest) {
			list = append(list, d)
		}
	}
	return list
}

// listDeliveries lists the App's deliveries, newest first. `status` filters
// by the code, success below 400 and failure from there; the cursor is where a
// page begins and is known from the Link header only.
func (c *call) listDeliveries() (int, any, error) {
	size, _ := strconv.Atoi(c.query("per_page"))
	if size <= 0 || size > 100 {
		size = 30
	}
	status := c.query("status")
	if !slices.Contains([]string{"", "success", "failure"}, status) {
		return 0, nil, errUnprocessable("Invalid status: it is success or failure.")
	}
	cursor, isCursor := strings.CutPrefix(c.query("cursor"), "v1_")
	before, err := strconv.ParseInt(cursor, 10, 64)
	if c.query("cursor") != "" && (!isCursor || err != nil) {
		return 0, nil, errUnprocessable("Invalid cursor.")
	}
	list := []obj{}
	for _, d := range c.deliveries() {
		outcome := "success"
		if d.StatusCode >= http.StatusBadRequest {
			outcome = "failure"
		}
		if before > 0 && d.ID >= before || status != "" && status != outcome {
			continue
		}
		if len(list) == size {
			q := c.r.URL.Query()
			q.Set("cursor", fmt.Sprintf("v1_%d", list[size-1]["id"]))
			c.out.Set("Link", fmt.Sprintf(`<%s/app/hook/deliveries?%s>; rel="next"`, c.h.apiBase(), q.Encode()))
			break
		}
		list = append(list, deliveryJSON(d))
	}
	return http.StatusOK, list, nil
}

func (c *call) delivery() *Delivery {
	for _, d := range c.deliveries() {
		if d.ID == c.intArg("delivery_id") {
			return d
		}
	}
	return nil
}

func (c *call) getDelivery() (int, any, error) {
	d := c.delivery()
	if d == nil {
		return 0, nil, errNotFound()
	}
	headers := obj{}
	for k := range d.Request {
		headers[k] = d.Request.Get(k)
	}
	body := deliveryJSON(d)
	body["url"] = d.url
	body["request"] = obj{"headers": headers, "payload": rawJSON(d.Payload)}
	body["response"] = obj{"headers": obj{}, "payload": string(d.Response)}
	return http.StatusOK, body, nil
}

func (c *call) redeliver() (int, any, error) {
	if c.delivery() == nil || !c.actor.app.redeliver(c.intArg("delivery_id")) {
		return 0, nil, errNotFound()
	}
	return http.StatusAccepted, obj{}, nil
}
