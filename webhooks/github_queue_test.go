package webhooks

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/backout-dev/backout/bot"
)

// Everything that GitHub tells of a merge queue, of auto-merge or of a push to
// a pull request wakes the flow that waits on that pull request.
func TestQueueHints(t *testing.T) {
	const group = "refs/heads/gh-readonly-queue/release/1.x/pr-12-f95f852bd8fca8fcc58a9a2d6c842781e32a215e"
	pull := []bot.Hint{{Repo: "acme/fleet", Number: 12, Head: head}}
	queue := []bot.Hint{{Repo: "acme/fleet", Number: 12, Ref: "main", Head: head}}
	push := []bot.Hint{{Repo: "acme/fleet", Number: 12, Ref: group[len("refs/heads/"):], Head: head}}
	tests := []struct {
		event, action string
		changes       map[string]any
		want          []bot.Hint
	}{
		{"pull_request", "enqueued", nil, pull},
		{"pull_request", "dequeued", map[string]any{"reason": "CI_FAILURE"}, pull},
		{"pull_request", "auto_merge_enabled", nil, pull},
		{"pull_request", "auto_merge_disabled", map[string]any{"reason": "Base branch was changed"}, pull},
		{"pull_request", "synchronize", map[string]any{"before": string(head), "after": string(head)}, pull},
		{"pull_request", "edited", nil, pull},
		{"pull_request", "converted_to_draft", nil, pull},
		{"pull_request", "closed", nil, pull},
		{"pull_request_review", "submitted", nil, pull},
		{"pull_request_review", "dismissed", nil, pull},
		{"merge_group", "checks_requested", nil, queue},
		{"merge_group", "destroyed", map[string]any{"reason": "merged"}, queue},
		{"merge_group", "destroyed", map[string]any{"reason": "dequeued"}, queue},
		{"merge_group", "destroyed", map[string]any{"reason": "invalidated"}, queue},
		{"push", "", map[string]any{"ref": group}, push},
	}
	for _, tt := range tests {
		t.Run(tt.event+" "+tt.action, func(t *testing.T) {
			h := newHarness(t)
			changes := map[string]any{}
			if tt.action != "" {
				changes["action"] = tt.action
			}
			for k, v := range tt.changes {
				changes[k] = v
			}
			resp := h.do(delivered(tt.event, fixture(t, "github/"+tt.event, changes)))
			if resp.StatusCode/100 != 2 {
				t.Fatalf("%s: %s", resp.Status, resp.Text)
			}
			if diff := cmp.Diff(tt.want, h.engine.hints); diff != "" {
				t.Errorf("hints (-want +got):\n%s", diff)
			}
		})
	}
}

// A group's branch is nothing to fetch: a busy queue pushes and deletes many.
func TestAGroupOfTheQueueIsNotFetched(t *testing.T) {
	for ref, fetched := range map[string]bool{
		"refs/heads/main": true,
		"refs/heads/gh-readonly-queue/main/pr-12-f95f852bd8fca8fcc58a9a2d6c842781e32a215e": false,
		"refs/heads/gh-readonly-queue/other":                                               true, // a name that a person chose
	} {
		n, err := decodeGitHub("push", fixture(t, "github/push", map[string]any{"ref": ref}), 0)
		if err != nil {
			t.Fatal(err)
		}
		if (n.pushed != "") != fetched {
			t.Errorf("push to %s: pushed %q", ref, n.pushed)
		}
	}
}
