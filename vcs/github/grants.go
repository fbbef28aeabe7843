package github

import (
	"context"
	"slices"
)

// Grant is a permission that the App asks for: what it is for, and what does
// not work without it.
type Grant struct {
	Name, Level string // as in X-Accepted-GitHub-Permissions: "contents", "write"
	Why         string
	Without     string
	// Optional is one that serves a single feature.
	Optional bool
}

// Grants are all permissions that the App uses. docs/security.md has the same
// list, and a test that they agree.
func Grants() []Grant {
	return []Grant{
		{
			"metadata", "read", "GitHub gives it to every App: names, collaborators' permissions, rules of branches",
			"nothing can be asked", false,
		},
		{
			"contents", "write", "mirrors; the revert's branch and commit; the merge, which GitHub counts as writing contents",
			"no revert can be written or merged; without reading it, no culprit is found", false,
		},
		{
			"pull_requests", "write", "the revert's pull request; comments on pull requests and reactions to them",
			"no revert is opened, nobody is answered, and nothing is reported on pull requests", false,
		},
		{
			"issues", "read", "comments on pull requests are issue comments: their webhooks and their listing; the freeze label",
			"commands do not arrive; the freeze label can't be read", false,
		},
		{
			"checks", "write", "the gate reads others' check runs; our own check run on the revert",
			"the gate can't be read, so nothing merges; with read alone, our check run is missing", false,
		},
		{
			"statuses", "read", "the gate reads commit statuses, and their webhooks end a wait at once",
			"the gate can't be read where CI reports statuses; a change of them is noticed by polling", false,
		},
		{
			"merge_queues", "read", "the webhooks of merge groups",
			"what a merge queue does is noticed by polling", false,
		},
		{
			"members", "read", "whether a person is in a team that a policy names",
			"teams in commanders and approvers count for nobody", true,
		},
	}
}

// Events are the webhooks that the App subscribes to.
func Events() []string {
	return []string{
		"check_run", "check_suite", "issue_comment", "merge_group", "pull_request", "pull_request_review", "push", "status",
	}
}

// Lack is what one account has not granted.
type Lack struct {
	Owner string
	Grant

	Has string // "read" where "write" is asked for, else ""
	// Event is set instead of a Grant where the App is not subscribed to it.
	Event string
}

// Lacking compares what the App was granted, account by account, with what it
// uses. Optional permissions are not missed.
func (c *Client) Lacking(ctx context.Context) ([]Lack, error) {
	var all []installation
	err := eachPage(ctx, c.rest(c.app), "app/installations", func(page []installation) bool {
		all = append(all, page...)
		return true
	})
	if err != nil {
		return nil, c.trouble(err, "list the App's installations")
	}
	var out []Lack
	for _, in := range all {
		if in.SuspendedAt == nil {
			out = append(out, in.lacks()...)
		}
	}
	return out, nil
}

func (in installation) lacks() []Lack {
	var out []Lack
	for _, g := range Grants() {
		have := in.Permissions[g.Name]
		if !g.Optional && (have == "" || g.Level == "write" && have == "read") {
			out = append(out, Lack{Owner: in.Account.Login, Grant: g, Has: have})
		}
	}
	for _, event := range Events() {
		if !slices.Contains(in.Events, event) {
			out = append(out, Lack{Owner: in.Account.Login, Event: event})
		}
	}
	return out
}
