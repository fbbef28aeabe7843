package fakehub

import (
	"encoding/json"
	"maps"
	"slices"
)

// eventNeeds is the permission without which an App never gets an event, of
// those that the hub sends.
// See https://docs.github.com/webhooks/webhook-events-and-payloads.
var eventNeeds = map[string]string{
	"issue_comment":       "issues=read",
	"pull_request":        "pull_requests=read",
	"pull_request_review": "pull_requests=read",
	"push":                "contents=read",
	"check_run":           "checks=read",
	"check_suite":         "checks=read",
	"status":              "statuses=read",
	"merge_group":         "merge_queues=read",
}

// emit queues an event of a repository for every App that is installed on it,
// subscribes to it and may see it. The payload is fixed now.
func (r *Repo) emit(event, action string, by *account, payload obj) {
	for _, in := range r.hub.installs {
		if !in.repos[r] || !in.suspended.IsZero() || !slices.Contains(in.app.events, event) ||
			!grants(in.app.perms, eventNeeds[event]) {
			continue
		}
		body := maps.Clone(payload)
		body["repository"] = r.repoJSON()
		if event == "push" {
			r.pushRepository(body["repository"].(obj))
		}
		if r.owner.kind == "Organization" {
			body["organization"] = r.hub.orgJSON(r.owner)
		}
		body["installation"] = obj{"id": in.id, "node_id": nodeID("MDIzOkludGVncmF0aW9uSW5zdGFsbGF0aW9u", in.id)}
		r.hub.deliver(in, r, event, action, by, body)
	}
}

// pushRepository bends a repository to the form that push events have.
func (r *Repo) pushRepository(repo obj) {
	repo["created_at"], repo["pushed_at"] = r.created.Unix(), r.pushed.Unix()
	repo["stargazers"], repo["master_branch"] = 0, r.defaultBranch
	owner := repo["owner"].(obj)
	owner["name"], owner["email"] = r.owner.login, r.owner.email
}

// emitInstallation queues an event about an installation, which needs neither
// a subscription nor a permission.
func (h *Hub) emitInstallation(in *installation, event, action string, payload obj) {
	payload["installation"] = in.installationJSON()
	h.deliver(in, nil, event, action, in.account, payload)
}

func (h *Hub) deliver(in *installation, r *Repo, event, action string, by *account, body obj) {
	if in.app.hook.url == "" {
		return
	}
	body["sender"] = h.userJSON(by)
	if action != "" {
		body["action"] = action
	}
	raw, err := json.Marshal(body)
	if err != nil {
		h.log.Error("encode event", "event", event, "error", err)
		return
	}
	d := &Delivery{
		ID: h.nextID(), GUID: newGUID(), App: in.app.slug, Event: event, Action: action,
		Installation: in.id, Payload: raw, app: in.app,
	}
	if r != nil {
		d.Repository = r.id
	}
	d.sign(in.app.hook, in.app.id)
	h.outbox.put(d)
}

// Deliveries lists the App's deliveries, oldest first, each attempt on its
// own.
func (a *App) Deliveries() []Delivery {
	a.hub.lock()
	defer a.hub.unlock()
	var list []Delivery
	for _, d := range a.log {
		list = append(list, *d)
	}
	return list
}

// Redeliver sends a logged delivery again, with the same GUID.
func (a *App) Redeliver(id int64) bool {
	a.hub.lock()
	defer a.hub.unlock()
	return a.redeliver(id)
}

func (a *App) redeliver(id int64) bool {
	i := slices.IndexFunc(a.log, func(d *Delivery) bool { return d.ID == id })
	if i < 0 {
		return false
	}
	d := *a.log[i]
	d.ID, d.Redelivery, d.Response = a.hub.nextID(), true, nil
	d.sign(a.hook, a.id)
	a.hub.outbox.put(&d)
	return true
}
