package fakehub

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// issueEvent is one line of an issue's history: a label put on or taken off.
type issueEvent struct {
	id    int64
	kind  string // labeled, unlabeled
	by    *account
	label string
	at    time.Time
}

// Label adds labels to an issue or pull request, as the owner of the repository.
func (r *Repo) Label(number int, labels ...string) error {
	return r.LabelAs(r.owner.login, number, labels...)
}

// LabelAs is Label as a user.
func (r *Repo) LabelAs(login string, number int, labels ...string) error {
	r.hub.lock()
	defer r.hub.unlock()
	i := r.issues[number]
	if i == nil {
		return fmt.Errorf("label %s#%d: there is none", r.FullName(), number)
	}
	i.addLabels(r.hub.person(login), labels)
	return nil
}

// Unlabel takes a label off as a user.
func (r *Repo) Unlabel(login string, number int, label string) error {
	r.hub.lock()
	defer r.hub.unlock()
	i := r.issues[number]
	if i == nil || !slices.Contains(i.labels, label) {
		return fmt.Errorf("unlabel %s#%d: it has no label %s", r.FullName(), number, label)
	}
	i.labels = slices.DeleteFunc(i.labels, func(l string) bool { return l == label })
	i.happened("unlabeled", r.hub.person(login), label)
	return nil
}

// CloseIssue closes an issue as a user.
func (r *Repo) CloseIssue(number int) error {
	r.hub.lock()
	defer r.hub.unlock()
	i := r.issues[number]
	if i == nil || i.pull != nil {
		return fmt.Errorf("close %s#%d: there is no such issue", r.FullName(), number)
	}
	i.state, i.closed = "closed", r.hub.now()
	i.updated = i.closed
	return nil
}

func (i *issue) addLabels(by *account, labels []string) {
	for _, l := range labels {
		if !slices.Contains(i.labels, l) {
			i.labels = append(i.labels, l)
			i.happened("labeled", by, l)
		}
	}
	i.updated = i.repo.hub.now()
}

func (i *issue) happened(kind string, by *account, label string) {
	now := i.repo.hub.now()
	i.events = append(i.events, &issueEvent{id: i.repo.hub.nextID(), kind: kind, by: by, label: label, at: now})
	i.updated = now
}

// listIssues lists issues and pull requests, the newest first, by state and
// labels.
func (c *call) listIssues() (int, any, error) {
	state := c.query("state")
	var want []string
	if l := c.query("labels"); l != "" {
		want = strings.Split(l, ",")
	}
	var found []*issue
	for _, i := range c.repo.issues {
		has := func(name string) bool {
			return slices.ContainsFunc(i.labels, func(l string) bool { return strings.EqualFold(l, name) })
		}
		if state != "all" && i.state != "open" && state != i.state || !all(want, has) {
			continue
		}
		found = append(found, i)
	}
	slices.SortFunc(found, func(a, b *issue) int { return b.number - a.number })
	list := []obj{}
	for _, i := range found {
		list = append(list, c.repo.issueJSON(i))
	}
	return http.StatusOK, page(c, list), nil
}

func all(names []string, has func(string) bool) bool {
	return !slices.ContainsFunc(names, func(n string) bool { return !has(n) })
}

// listIssueEvents lists an issue's history, oldest first.
func (c *call) listIssueEvents() (int, any, error) {
	i, err := c.theIssue()
	if err != nil {
		return 0, nil, err
	}
	list := []obj{}
	for _, e := range i.events {
		list = append(list, obj{
			"id": e.id, "node_id": nodeID("LE", c.repo.id, e.id), "url": fmt.Sprintf("%s/issues/events/%d", c.repo.apiURL(), e.id),
			"actor": c.h.userJSON(e.by), "event": e.kind, "commit_id": nil, "commit_url": nil, "created_at": stamp(e.at),
			"label": obj{"name": e.label, "color": "ededed"}, "performed_via_github_app": nil,
		})
	}
	return http.StatusOK, page(c, list), nil
}
