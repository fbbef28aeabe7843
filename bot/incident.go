package bot

import (
	"slices"
	"time"
)

// Incident is why we act.
type Incident struct {
	Kind IncidentKind `json:"kind"`
	// ID is that of the event: of the comment, or the hash of an alert group.
	ID    string `json:"id"`
	Onset Onset  `json:"onset,omitzero"`
	// Requester is the login of the person who commanded it; empty for alerts.
	Requester string `json:"requester,omitempty"`
	Reason    string `json:"reason,omitempty"` // the person's words, untrusted
	// Via names the entry of the policy by which the requester commands who may
	// not write; empty for write permission.
	Via string `json:"via,omitempty"`
	// Forced is set when the command said --force: it asks to pass the guards that
	// the requester may pass.
	Forced bool `json:"forced,omitempty"`
	// Alerts are the first 200 that came, and at least one of each target App:
	// a storm must not make every look at a Rollback cost megabytes.
	Alerts []Alert `json:"alerts,omitempty"`
	// Received is when the webhook reached us.
	Received time.Time `json:"received"`
}

// IncidentKind tells who speaks.
type IncidentKind string

// The kinds of incidents.
const (
	IncidentCommand IncidentKind = "command"
	IncidentAlert   IncidentKind = "alert"
	IncidentRule    IncidentKind = "rule"
)

// Onset is when the trouble began: From equals To when Prometheus told us,
// else an interval that surely holds it.
type Onset struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Exact reports whether the onset is a moment and not an interval.
func (o Onset) Exact() bool { return o.From.Equal(o.To) }

// Alert is one alert of an Alertmanager group. Labels and annotations are
// untrusted text.
type Alert struct {
	Fingerprint  string            `json:"fingerprint"`
	Firing       bool              `json:"firing"`
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations,omitempty"`
	StartsAt     time.Time         `json:"starts_at"`
	EndsAt       time.Time         `json:"ends_at,omitzero"`
	GeneratorURL string            `json:"generator_url,omitempty"`
}

// Name is the alert's alertname label.
func (a Alert) Name() string { return a.Labels["alertname"] }

// maxAlerts bounds how many alerts of an incident are kept.
const maxAlerts = 200

// Take adds alerts by fingerprint and reports whether any was news. One that is
// there already is replaced when it has fired anew, so that an older resolution
// no longer counts for it. Of an App that is new to the Rollback the first alert
// is kept however many there are.
func (i *Incident) Take(alerts []Alert, newApp bool) bool {
	news := false
	for _, a := range alerts {
		at := slices.IndexFunc(i.Alerts, func(have Alert) bool { return have.Fingerprint == a.Fingerprint })
		switch {
		case at >= 0 && !a.StartsAt.After(i.Alerts[at].StartsAt):
		case at >= 0:
			i.Alerts[at], news = a, true
		case newApp || len(i.Alerts) < maxAlerts:
			i.Alerts, news, newApp = append(i.Alerts, a), true, false
		}
	}
	return news
}

// FiredLast is when the last of the alerts fired; zero when there is none.
func FiredLast(alerts []Alert) time.Time {
	var t time.Time
	for _, a := range alerts {
		if a.StartsAt.After(t) {
			t = a.StartsAt
		}
	}
	return t
}

// AlertGroup is one Alertmanager notification (webhook payload version 4).
type AlertGroup struct {
	GroupKey    string            `json:"group_key"`
	Receiver    string            `json:"receiver"`
	Status      string            `json:"status"` // firing or resolved
	ExternalURL string            `json:"external_url,omitempty"`
	GroupLabels map[string]string `json:"group_labels,omitempty"`
	Alerts      []Alert           `json:"alerts"`
	Truncated   int               `json:"truncated,omitempty"`
}

// Comment is a comment on a pull request as its webhook told it.
type Comment struct {
	Repo   RepoName `json:"repo"`
	Number int      `json:"number"` // of the pull request
	ID     int64    `json:"id"`
	Author string   `json:"author"`
	// AuthorIsBot is true for GitHub Apps and machine users marked as bots.
	AuthorIsBot bool   `json:"author_is_bot,omitempty"`
	Body        string `json:"body"`
	// Written is when it was written, by GitHub's clock. Zero in events that
	// were recorded before there was this field: they never count as late.
	Written time.Time `json:"written,omitzero"`
	// Edited is true when its text is not, or may not be, what was first written.
	Edited bool `json:"edited,omitempty"`
	// Via is the slug of the GitHub App that wrote it, or by which a person did,
	// where the configuration lets that App command. AuthorIsBot is false then.
	Via string `json:"via,omitempty"`
}

// Event is one accepted webhook: exactly one of its parts is set. Fields may
// be added, never renamed or reused: events in flight survive upgrades.
type Event struct {
	// ID makes the intake idempotent: host and number of the comment, or the
	// hash of groupKey, fingerprints and startsAt. It is made of what the sender
	// has signed. GitHub's delivery GUID is not, so with it whoever once saw a
	// signed body could send it again as news.
	ID string `json:"id"`
	// Received is when the webhook reached us, or should have.
	Received time.Time   `json:"received"`
	Comment  *Comment    `json:"comment,omitempty"`
	Alerts   *AlertGroup `json:"alerts,omitempty"`
	// Swept is true when it was found in GitHub's log and not sent to us.
	Swept bool `json:"swept,omitempty"`
}

// Hint is news that may let a waiting flow look earlier than its next poll. It
// carries no truth: the flow reads the world again, so a lost hint costs one
// poll interval and a false one costs nothing.
type Hint struct {
	Repo   RepoName
	Number int    // pull request, 0 when the news is about the repository
	Ref    string // branch of a push, "" otherwise
	Head   SHA    // commit of a check or status, "" otherwise
}
