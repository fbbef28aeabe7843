package github_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/test/fakehub"
)

func TestGateShowsEveryCheck(t *testing.T) {
	w, p := opened(t)
	head := string(p.Head)
	w.hub.SetLag(fakehub.Lag{Reads: -1})
	w.repo.Protect("main", fakehub.Protection{
		RequiredChecks: []fakehub.RequiredCheck{{Context: "lint"}, {Context: "deploy/preview"}}, Approvals: 1,
	})
	must(t, w.repo.SetCheck(head, "lint", "success", nil))
	must(t, w.repo.SetCheck(head, "flaky", "failure", nil))
	must(t, w.repo.SetCheck(head, "slow", "", nil))
	must(t, w.repo.SetCheck(head, "skips", "skipped", nil))
	must(t, w.repo.SetCheck(head, "backout", "neutral", w.app))
	must(t, w.repo.SetStatus(head, "deploy/preview", "pending", "ann"))
	must(t, w.repo.SetStatus(head, "old-ci", "error", "ann"))
	got, err := w.client.Gate(t.Context(), repoName, p.Number)
	must(t, err)
	actions := appOf(got, "lint")
	if actions == 0 || actions == w.app.ID() {
		t.Errorf("lint is reported by App %d, want that of Actions", actions)
	}
	want := bot.Gate{
		Open: true, State: "BLOCKED", Head: p.Head, Tree: p.Tree, BaseHead: bot.SHA(w.repo.Head("main")),
		ReviewDecision: "REVIEW_REQUIRED",
		Checks: []bot.GateCheck{
			{Name: "backout", Done: true, Passed: true, Ours: true, App: w.app.ID()},
			{Name: "deploy/preview", Required: true},
			{Name: "flaky", Done: true, App: actions},
			{Name: "lint", Required: true, Done: true, Passed: true, App: actions},
			{Name: "old-ci", Done: true},
			{Name: "skips", Done: true, Passed: true, App: actions},
			{Name: "slow", App: actions},
		},
	}
	byName := cmpopts.SortSlices(func(a, b bot.GateCheck) bool { return a.Name < b.Name })
	if diff := cmp.Diff(want, got, byName); diff != "" {
		t.Errorf("gate (-want +got):\n%s", diff)
	}
}

// appOf is who reports a check.
func appOf(g bot.Gate, name string) int64 {
	for _, c := range g.Checks {
		if c.Name == name {
			return c.App
		}
	}
	return 0
}

func TestGateReadsBeyondAHundredChecks(t *testing.T) {
	w, p := opened(t)
	for i := range 205 {
		must(t, w.repo.SetCheck(string(p.Head), fmt.Sprintf("job %03d", i), "success", nil))
	}
	seen := w.since(func() {
		g, err := w.client.Gate(t.Context(), repoName, p.Number)
		must(t, err)
		names := map[string]bool{}
		for _, c := range g.Checks {
			names[c.Name] = true
		}
		if len(names) != 205 {
			t.Errorf("%d checks, want 205", len(names))
		}
	})
	if len(seen) != 3 {
		t.Errorf("%d requests, want 3", len(seen))
	}
}

func TestGateOfAMergedOne(t *testing.T) {
	w, p := opened(t)
	merged, err := w.client.Merge(t.Context(), mergeOf(p))
	must(t, err)
	must(t, w.client.DeleteBranch(t.Context(), repoName, p.Branch))
	g, err := w.client.Gate(t.Context(), repoName, p.Number)
	must(t, err)
	if g.Open || !g.Merged || g.MergeCommit != merged.Commit || g.Head != p.Head || g.Tree != p.Tree {
		t.Errorf("gate %+v", g)
	}
}

func TestGateOfNothing(t *testing.T) {
	w := newWorld(t, nil)
	_, err := w.client.Gate(t.Context(), repoName, 99)
	wantTrouble(t, err, bot.TroubleNotFound, "pull request 99")
}

// Which checks are required can't be asked before the number is known, so a
// revert on which checks reported at once must be looked at again.
func TestOpenWithChecksMustBeReadAgain(t *testing.T) {
	w := newWorld(t, nil)
	w.bad()
	w.hub.SetLag(fakehub.Lag{Reads: -1})
	w.repo.CI(func(string) []fakehub.CIResult { return []fakehub.CIResult{{Name: "lint", Conclusion: "failure"}} })
	w.repo.Protect("main", fakehub.Protection{RequiredChecks: []fakehub.RequiredCheck{{Context: "lint"}}})
	p, err := w.client.Open(t.Context(), w.webBack())
	must(t, err)
	if p.Gate.State != "UNKNOWN" {
		t.Errorf("gate %+v, want it unknown", p.Gate)
	}
	g, err := w.client.Gate(t.Context(), repoName, p.Number)
	must(t, err)
	if g.State != "BLOCKED" || len(g.Checks) != 1 || !g.Checks[0].Required {
		t.Errorf("gate %+v", g)
	}
}
