package trial

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/backout-dev/backout/bot"
)

// derive changes fields of the last example of an event and action: the newest
// form.
func derive(t *testing.T, event, action string, changes map[string]any) example {
	t.Helper()
	list, err := examples()
	must(t, err)
	for _, e := range slices.Backward(list) {
		if e.event == event && e.text("action") == action {
			return example{event, changed(e.payload, changes)}
		}
	}
	t.Fatalf("no example of %s %s", event, action)
	return example{}
}

// changed copies a payload with other values in named fields: "a.b" is a field
// within a field.
func changed(payload map[string]any, changes map[string]any) map[string]any {
	out := maps.Clone(payload)
	for path, v := range changes {
		name, rest, deep := strings.Cut(path, ".")
		if deep {
			inner, _ := out[name].(map[string]any)
			v = changed(inner, map[string]any{rest: v})
		}
		out[name] = v
	}
	return out
}

// judge holds a derived payload against the published schema.
func judge(t *testing.T, e example) {
	t.Helper()
	body, err := json.Marshal(e.payload)
	must(t, err)
	c := newCourt(t)
	c.payload(hookName(e.event, e.text("action")), body)
	c.pronounce(t, false)
}

// TestACommentOnAPullRequest is derived, since no published example is a
// comment on a pull request.
func TestACommentOnAPullRequest(t *testing.T) {
	e := derive(t, "issue_comment", "created", map[string]any{
		"comment.body":       "It broke checkout.\r\n\r\n/rollback\r\n",
		"issue.pull_request": pullLinks,
	})
	judge(t, e)
	got := deliver(t, e)
	if got.status != http.StatusAccepted || got.answer != "accepted" || len(got.accepted) != 1 {
		t.Fatalf("%d %q: %+v", got.status, got.answer, got.accepted)
	}
	written, err := time.Parse(time.RFC3339, e.text("comment.created_at"))
	must(t, err)
	want := bot.Comment{
		Repo: bot.RepoName(e.text("repository.full_name")), Number: int(e.number("issue.number")), ID: e.number("comment.id"),
		Author: e.text("sender.login"), Body: e.text("comment.body"), Written: written,
	}
	if c := got.accepted[0].Comment; c == nil || *c != want {
		t.Errorf("comment %+v, want %+v", c, want)
	}
	// The same on an issue, and without a command, is none.
	for path, v := range map[string]any{"issue.pull_request": nil, "comment.body": "It broke checkout."} {
		if got := deliver(t, example{e.event, changed(e.payload, map[string]any{path: v})}); got.status != http.StatusAccepted || len(got.accepted) != 0 {
			t.Errorf("with %s %v: %d %+v", path, v, got.status, got.accepted)
		}
	}
}

var pullLinks = map[string]any{
	"url":       "https://api.github.com/repos/Codertocat/Hello-World/pulls/1",
	"html_url":  "https://github.com/Codertocat/Hello-World/pull/1",
	"diff_url":  "https://github.com/Codertocat/Hello-World/pull/1.diff",
	"patch_url": "https://github.com/Codertocat/Hello-World/pull/1.patch",
	"merged_at": nil,
}

// TestAMergedPullRequest is derived, since no published example is merged.
func TestAMergedPullRequest(t *testing.T) {
	const merge = "f95f852bd8fca8fcc58a9a2d6c842781e32a215e"
	e := derive(t, "pull_request", "closed", map[string]any{
		"pull_request.merged": true, "pull_request.merged_at": "2019-05-15T15:20:33Z", "pull_request.state": "closed",
		"pull_request.merge_commit_sha": merge,
	})
	e.payload = changed(e.payload, map[string]any{"pull_request.merged_by": e.at("sender")})
	judge(t, e)
	got := deliver(t, e)
	want := bot.Hint{
		Repo: bot.RepoName(e.text("repository.full_name")), Number: int(e.number("pull_request.number")), Head: bot.SHA(e.text("pull_request.head.sha")),
	}
	if got.status != http.StatusAccepted || got.answer != "seen" || len(got.hints) != 1 || got.hints[0] != want || len(got.accepted) != 0 {
		t.Errorf("%d %q: hints %+v, want %+v", got.status, got.answer, got.hints, want)
	}
}
