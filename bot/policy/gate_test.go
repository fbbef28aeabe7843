package policy

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/backout-dev/backout/bot"
)

// ready is a gate on a protected branch that is open, asked for by a person.
func ready() bot.GateCase {
	return bot.GateCase{
		Gate:     bot.Gate{State: "CLEAN", Open: true, Head: "head", Tree: "tree", Checks: []bot.GateCheck{{Name: "ci", Required: true, Done: true, Passed: true}}},
		Branch:   bot.Branch{Name: "main", Protected: true, RequiredChecks: []bot.RequiredCheck{{Name: "ci"}}},
		Policy:   Default(),
		Command:  true,
		Verb:     bot.VerbAct,
		WantHead: "head", WantTree: "tree",
	}
}

// bare is the same on a branch that nothing protects.
func bare() bot.GateCase {
	g := ready()
	g.Branch, g.Gate.Checks = bot.Branch{Name: "main"}, nil
	return g
}

// TestGate goes through the merge gate table of docs/design.md, row by row.
func TestGate(t *testing.T) {
	state := func(s string) func(*bot.GateCase) { return func(g *bot.GateCase) { g.Gate.State = s } }
	checks := func(state string, cs ...bot.GateCheck) func(*bot.GateCase) {
		return func(g *bot.GateCase) { g.Gate.State, g.Gate.Checks = state, cs }
	}
	running, red := bot.GateCheck{Name: "lint"}, bot.GateCheck{Name: "lint", Done: true}
	ours := bot.GateCheck{Name: "Backout", Ours: true}
	tests := []struct {
		name   string
		from   func() bot.GateCase
		change func(*bot.GateCase)
		do     string
		reason string
		text   string // the whole sentence, where people are told something particular
	}{
		// CLEAN, HAS_HOOKS, UNSTABLE by non-required checks only: merge.
		{"clean", ready, state("CLEAN"), bot.GateMerge, "green", ""},
		{"hooks", ready, state("HAS_HOOKS"), bot.GateMerge, "green", ""},
		{"unstable by a failed check that is not required", ready, checks("UNSTABLE", red), bot.GateMerge, "green", ""},
		{"unstable by a running check that is not required", ready, checks("UNSTABLE", running), bot.GateMerge, "green", ""},
		{"unstable by our own check", ready, checks("UNSTABLE", ours), bot.GateMerge, "green", ""},
		{"clean, though a required check failed", ready, checks("CLEAN", bot.GateCheck{Name: "x", Required: true, Done: true}), bot.GateWait, "required", "Waiting: check x failed."},
		{"unstable by a required check", ready, checks("UNSTABLE", bot.GateCheck{Name: "ci", Done: true}), bot.GateWait, "required", "Waiting: check ci failed."},
		{"unstable by a required check that runs", ready, checks("UNSTABLE", bot.GateCheck{Name: "ci"}), bot.GateWait, "required", "Waiting: check ci is running."},
		{"clean, though a reviewer asked for changes", ready, func(g *bot.GateCase) { g.Gate.ReviewDecision = "CHANGES_REQUESTED" }, bot.GateWait, "required", "Waiting: a reviewer asked for changes."},
		{"clean and approved", ready, func(g *bot.GateCase) { g.Gate.ReviewDecision = "APPROVED" }, bot.GateMerge, "green", ""},
		{"clean, whatever protects the branch and whoever asks", ready, func(g *bot.GateCase) { g.Command, g.Policy.Unprotected = false, "none" }, bot.GateMerge, "green", ""},

		// Nothing required, others' checks still running: settle 2 min.
		{"others' checks run", bare, checks("UNSTABLE", running), bot.GateWait, "settling", "main requires nothing before a merge; giving lint time to finish."},
		{"almost settled", bare, func(g *bot.GateCase) { g.Gate.Checks, g.Waited = []bot.GateCheck{running}, 2*time.Minute-1 }, bot.GateWait, "settling", ""},
		{"settled", bare, func(g *bot.GateCase) { g.Gate.Checks, g.Waited = []bot.GateCheck{running}, 2*time.Minute }, bot.GateMerge, "unprotected", ""},
		{"settled, and the policy merges nothing here", bare, func(g *bot.GateCase) {
			g.Gate.Checks, g.Waited, g.Policy.Unprotected = []bot.GateCheck{running}, 2*time.Minute, "none"
		}, bot.GateStop, "unprotected", ""},
		{"our own check runs", bare, checks("UNSTABLE", ours), bot.GateMerge, "unprotected", ""},
		{"others' checks are done", bare, checks("UNSTABLE", red), bot.GateMerge, "unprotected", ""},

		// Nothing protects the branch: as the policy says.
		{"unprotected, commands, a person's", bare, nil, bot.GateMerge, "unprotected", "Nothing protects main; it is merged because a person asked for it."},
		{"unprotected, commands, an alert's", bare, func(g *bot.GateCase) { g.Command = false }, bot.GateStop, "unprotected", "Nothing protects main, and the policy merges there only for a person's command."},
		{"unprotected, all, an alert's", bare, func(g *bot.GateCase) { g.Command, g.Policy.Unprotected = false, "all" }, bot.GateMerge, "unprotected", "Nothing protects main, and the policy merges there all the same."},
		{"unprotected, none", bare, func(g *bot.GateCase) { g.Policy.Unprotected = "none" }, bot.GateStop, "unprotected", "Nothing protects main, and the policy does not merge there."},
		{"unprotected, a word that is not known", bare, func(g *bot.GateCase) { g.Policy.Unprotected = "sure" }, bot.GateStop, "unprotected", ""},
		{"unprotected, no word", bare, func(g *bot.GateCase) { g.Policy.Unprotected = "" }, bot.GateStop, "unprotected", ""},

		// BLOCKED: name what is missing, wait.
		{"blocked by a check that has not begun", ready, checks("BLOCKED"), bot.GateWait, "blocked", "Waiting: check ci has not begun."},
		{"blocked by a running check", ready, checks("BLOCKED", bot.GateCheck{Name: "ci"}), bot.GateWait, "blocked", "Waiting: check ci is running."},
		{"blocked by a failed check", ready, checks("BLOCKED", bot.GateCheck{Name: "ci", Done: true}), bot.GateWait, "blocked", "Waiting: check ci failed."},
		{"blocked by a check that only GitHub calls required", ready, checks("BLOCKED", bot.GateCheck{Name: "x", Required: true}, bot.GateCheck{Name: "ci", Done: true, Passed: true}), bot.GateWait, "blocked", "Waiting: check x is running."},
		{"blocked by a review", ready, func(g *bot.GateCase) { g.Gate.State, g.Gate.ReviewDecision = "BLOCKED", "REVIEW_REQUIRED" }, bot.GateWait, "blocked", "Waiting: an approving review is required."},
		{"blocked by a reviewer", ready, func(g *bot.GateCase) { g.Gate.State, g.Gate.ReviewDecision = "BLOCKED", "CHANGES_REQUESTED" }, bot.GateWait, "blocked", "Waiting: a reviewer asked for changes."},
		{"blocked by several", ready, func(g *bot.GateCase) {
			g.Gate.State, g.Gate.ReviewDecision, g.Gate.Checks = "BLOCKED", "REVIEW_REQUIRED", nil
		}, bot.GateWait, "blocked", "Waiting: check ci has not begun; an approving review is required."},
		{"blocked by our own check", ready, func(g *bot.GateCase) {
			g.Gate.State, g.Gate.Checks, g.Branch.RequiredChecks = "BLOCKED", []bot.GateCheck{ours}, []bot.RequiredCheck{{Name: "Backout"}}
		}, bot.GateWait, "blocked", "Waiting: check Backout is Backout's own and ends after the merge: take it off the required checks."},
		{"blocked without a reason", ready, state("BLOCKED"), bot.GateWait, "blocked", "GitHub blocks the merge without saying why; see the pull request."},

		// BEHIND, DIRTY, UNKNOWN and what GitHub may say one day.
		{"behind", ready, state("BEHIND"), bot.GateUpdate, "behind", ""},
		{"dirty", ready, state("DIRTY"), bot.GateRecompute, "dirty", ""},
		{"draft", ready, state("DRAFT"), bot.GateStop, "draft", ""},
		{"unknown", ready, state("UNKNOWN"), bot.GateWait, "unknown", ""},
		{"no state", ready, state(""), bot.GateWait, "unknown", ""},
		{"a state of the future", ready, state("MERGEABLE_AT_DAWN"), bot.GateWait, "unknown", ""},
		{"clean in small letters is not what GitHub says", ready, state("clean"), bot.GateWait, "unknown", ""},

		// What was verified, and nothing else.
		{"another head", ready, func(g *bot.GateCase) { g.Gate.Head = "pushed" }, bot.GateStop, "pushed", ""},
		{"another tree", ready, func(g *bot.GateCase) { g.Gate.Tree = "pushed" }, bot.GateStop, "pushed", ""},
		{"no head", ready, func(g *bot.GateCase) { g.Gate.Head, g.Gate.Tree = "", "" }, bot.GateStop, "pushed", ""},
		{"nothing was pinned", ready, func(g *bot.GateCase) { g.Gate.Head, g.Gate.Tree, g.WantHead, g.WantTree = "", "", "", "" }, bot.GateStop, "unpinned", ""},

		// Required by name and source.
		{"a check of the same name by somebody else fails", ready, func(g *bot.GateCase) {
			g.Branch.RequiredChecks[0].App = 7
			g.Gate.Checks = []bot.GateCheck{{Name: "ci", App: 7, Done: true, Passed: true}, {Name: "ci", App: 8, Required: true, Done: true}}
		}, bot.GateMerge, "green", ""},
		{"only somebody else's check of that name passed", ready, func(g *bot.GateCase) {
			g.Branch.RequiredChecks[0].App, g.Gate.State = 7, "BLOCKED"
			g.Gate.Checks = []bot.GateCheck{{Name: "ci", App: 8, Required: true, Done: true, Passed: true}}
		}, bot.GateWait, "blocked", "Waiting: check ci has not begun."},
		{"a commit status does not tell its source", ready, func(g *bot.GateCase) {
			g.Branch.RequiredChecks[0].App, g.Branch.MergeQueue, g.Gate.State = 7, true, "BLOCKED"
			g.Gate.Checks = []bot.GateCheck{{Name: "ci", Required: true, Done: true, Passed: true}}
		}, bot.GateEnqueue, "queue", ""},
		{"the source's own failed", ready, func(g *bot.GateCase) {
			g.Branch.RequiredChecks[0].App = 7
			g.Gate.Checks = []bot.GateCheck{{Name: "ci", App: 7, Done: true}, {Name: "ci", App: 8, Done: true, Passed: true}}
		}, bot.GateWait, "required", "Waiting: check ci failed."},

		// A merge queue.
		{"a queue, all green", ready, func(g *bot.GateCase) { g.Branch.MergeQueue = true }, bot.GateEnqueue, "queue", ""},
		{"a queue blocks direct merges", ready, func(g *bot.GateCase) { g.Branch.MergeQueue, g.Gate.State = true, "BLOCKED" }, bot.GateEnqueue, "queue", ""},
		{"a queue, and a check runs", ready, func(g *bot.GateCase) {
			g.Branch.MergeQueue, g.Gate.State, g.Gate.Checks = true, "BLOCKED", []bot.GateCheck{{Name: "ci"}}
		}, bot.GateWait, "blocked", "Waiting: check ci is running."},
		{"queued", ready, func(g *bot.GateCase) { g.Branch.MergeQueue, g.Gate.InQueue = true, true }, bot.GateWait, "queued", "It is in the merge queue of main."},
		{"queued, and computing", ready, func(g *bot.GateCase) { g.Gate.InQueue, g.Gate.State = true, "UNKNOWN" }, bot.GateWait, "queued", ""},
		{"queued, and pushed to", ready, func(g *bot.GateCase) { g.Gate.InQueue, g.Gate.Head = true, "pushed" }, bot.GateStop, "pushed", ""},

		// GitHub's own auto-merge.
		{"auto-merge where something is missing", ready, func(g *bot.GateCase) { g.Policy.Merge, g.Gate.State, g.Gate.Checks = "github-auto", "BLOCKED", nil }, bot.GateArm, "auto-merge", "GitHub merges it once nothing is missing. Waiting: check ci has not begun."},
		{"auto-merge, armed", ready, func(g *bot.GateCase) {
			g.Policy.Merge, g.Gate.Armed, g.Gate.State, g.Gate.Checks = "github-auto", true, "BLOCKED", nil
		}, bot.GateWait, "armed", "GitHub merges it once nothing is missing. Waiting: check ci has not begun."},
		{"auto-merge where nothing is missing", ready, func(g *bot.GateCase) { g.Policy.Merge = "github-auto" }, bot.GateMerge, "green", ""},
		{"auto-merge where GitHub does not say what is missing", ready, func(g *bot.GateCase) { g.Policy.Merge, g.Gate.State = "github-auto", "BLOCKED" }, bot.GateWait, "blocked", ""},
		{"auto-merge where nothing protects", bare, func(g *bot.GateCase) { g.Policy.Merge = "github-auto" }, bot.GateMerge, "unprotected", ""},
		{"auto-merge with a queue", ready, func(g *bot.GateCase) { g.Policy.Merge, g.Branch.MergeQueue = "github-auto", true }, bot.GateEnqueue, "queue", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := tt.from()
			if tt.change != nil {
				tt.change(&g)
			}
			got := rulesOf(t, Settings{}).Gate(g)
			if got.Do != tt.do || got.Reason.Name != tt.reason || got.Reason.Text == "" {
				t.Errorf("gate says %s (%s: %s), want %s (%s)", got.Do, got.Reason.Name, got.Reason.Text, tt.do, tt.reason)
			}
			if tt.text != "" {
				if diff := cmp.Diff(tt.text, got.Reason.Text); diff != "" {
					t.Errorf("text (-want +got):\n%s", diff)
				}
			}
		})
	}
}

// TestPushedStopsInEveryState: not even a state that would update or recompute
// touches a branch that somebody pushed to.
func TestPushedStopsInEveryState(t *testing.T) {
	for _, state := range []string{"CLEAN", "HAS_HOOKS", "UNSTABLE", "BLOCKED", "BEHIND", "DIRTY", "DRAFT", "UNKNOWN", ""} {
		g := ready()
		g.Gate.State, g.Gate.Head = state, "pushed"
		if got := rulesOf(t, Settings{}).Gate(g); got.Do != bot.GateStop {
			t.Errorf("%s: %+v", state, got)
		}
	}
}
