package github_test

import (
	"errors"
	"testing"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/test/fakehub"
)

// queueing is a revert on a branch with a merge queue, its required check
// passed, and the gate read once as the flow does.
func queueing(t *testing.T) (*world, bot.RevertPull) {
	t.Helper()
	w, p := opened(t)
	w.hub.SetLag(fakehub.Lag{Reads: -1})
	w.repo.Protect("main", fakehub.Protection{
		Ruleset: true, MergeQueue: true, RequiredChecks: []fakehub.RequiredCheck{{Context: "ci"}},
	})
	must(t, w.repo.SetCheck(string(p.Head), "ci", "success", nil))
	return w, p
}

func (w *world) pr(number int) fakehub.PR {
	w.Helper()
	pr, ok := w.repo.PR(number)
	if !ok {
		w.Fatalf("there is no pull request %d", number)
	}
	return pr
}

func wantAccepted(t *testing.T, got bot.Queued, err error) {
	t.Helper()
	if err != nil || !got.Accepted || got.Refusal != "" {
		t.Fatalf("answer %+v, error %v, want it accepted", got, err)
	}
}

func wantRefused(t *testing.T, got bot.Queued, err error, stale bool, text string) {
	t.Helper()
	if err != nil || got.Accepted || got.Stale != stale || got.Refusal != text {
		t.Fatalf("answer %+v, error %v, want it refused (stale %v): %q", got, err, stale, text)
	}
}

func TestEnqueueIsOneRequest(t *testing.T) {
	w, p := queueing(t)
	seen := w.since(func() {
		got, err := w.client.Enqueue(t.Context(), mergeOf(p))
		wantAccepted(t, got, err)
	})
	if len(seen) != 1 || !w.pr(p.Number).Queued {
		t.Errorf("%d requests, pull request %+v", len(seen), w.pr(p.Number))
	}
	g, err := w.client.Gate(t.Context(), repoName, p.Number)
	must(t, err)
	if !g.InQueue || g.Armed || g.State != "CLEAN" {
		t.Errorf("gate %+v, want it in the queue", g)
	}
	got, err := w.client.Enqueue(t.Context(), mergeOf(p))
	wantAccepted(t, got, err) // a repetition finds it queued.
	must(t, w.repo.RunQueue("main"))
	got, err = w.client.Enqueue(t.Context(), mergeOf(p))
	wantAccepted(t, got, err) // one that comes late finds it merged.
	if pr := w.pr(p.Number); !pr.Merged || pr.MergedBy != "github-merge-queue[bot]" {
		t.Errorf("pull request %+v", pr)
	}
}

// After a restart the node ID is not known: the gate tells it.
func TestEnqueueAfterARestart(t *testing.T) {
	w, p := queueing(t)
	w.client = w.newClient(nil)
	w.warm()
	seen := w.since(func() {
		got, err := w.client.Enqueue(t.Context(), mergeOf(p))
		wantAccepted(t, got, err)
	})
	if len(seen) != 2 {
		t.Errorf("%d requests, want the gate and the mutation", len(seen))
	}
}

func TestEnqueueRefused(t *testing.T) {
	for _, tt := range []struct {
		name  string
		world func(*world, bot.RevertPull)
		stale bool
		text  string
	}{
		{"a check is missing", func(w *world, p bot.RevertPull) {
			w.repo.Protect("main", fakehub.Protection{MergeQueue: true, RequiredChecks: []fakehub.RequiredCheck{{Context: "e2e"}}})
		}, true, `Required status check "e2e" is expected.`},
		{"the check is another App's", func(w *world, p bot.RevertPull) {
			w.repo.Protect("main", fakehub.Protection{MergeQueue: true, RequiredChecks: []fakehub.RequiredCheck{{Context: "ci", App: w.app}}})
		}, true, `Required status check "ci" is expected.`},
		{"a review is missing", func(w *world, p bot.RevertPull) {
			w.repo.Protect("main", fakehub.Protection{MergeQueue: true, Approvals: 1})
		}, true, "At least 1 approving review is required by reviewers with write access."},
		{"no queue", func(w *world, p bot.RevertPull) { w.repo.Unprotect("main") }, false, "Merge queue is not enabled on the base branch"},
		{"a conflict", func(w *world, p bot.RevertPull) {
			w.push("Roll out web 3", map[string]*string{"apps/web.yaml": fakehub.Text("image: web:3\n")})
		}, true, "Pull Request is not mergeable"},
		{"closed", func(w *world, p bot.RevertPull) { must(w.T, w.repo.ClosePR(p.Number, "ann")) }, false, "the pull request is closed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, p := queueing(t)
			tt.world(w, p)
			got, err := w.client.Enqueue(t.Context(), mergeOf(p))
			wantRefused(t, got, err, tt.stale, tt.text)
			if w.pr(p.Number).Queued {
				t.Error("it is queued all the same")
			}
		})
	}
}

// Whoever queued it: another head than ours is never taken for ours.
func TestEnqueueOfAnotherHead(t *testing.T) {
	w, p := queueing(t)
	sha, err := w.repo.Commit(p.Branch, "ann", "One more", map[string]*string{"x": fakehub.Text("y")})
	must(t, err)
	must(t, w.repo.SetCheck(sha, "ci", "success", nil))
	stale := "the head moved from " + p.Head.Short() + " to " + bot.SHA(sha).Short()
	got, err := w.client.Enqueue(t.Context(), mergeOf(p))
	wantRefused(t, got, err, true, stale)
	if w.pr(p.Number).Queued {
		t.Fatal("what was pushed is queued")
	}
	must(t, w.repo.Enqueue(p.Number, "ann"))
	got, err = w.client.Enqueue(t.Context(), mergeOf(p))
	wantRefused(t, got, err, true, stale)
	must(t, w.repo.RunQueue("main"))
	got, err = w.client.Enqueue(t.Context(), mergeOf(p))
	wantRefused(t, got, err, true, stale)
}

func TestEnqueueWithoutAHead(t *testing.T) {
	w, p := queueing(t)
	req := mergeOf(p)
	req.Head = ""
	_, err := w.client.Enqueue(t.Context(), req)
	wantTrouble(t, err, bot.TroubleInvalid, "head")
	_, err = w.client.Arm(t.Context(), req)
	wantTrouble(t, err, bot.TroubleInvalid, "head")
	if pr := w.pr(p.Number); pr.Queued || pr.Auto {
		t.Errorf("pull request %+v", pr)
	}
}

func TestDequeue(t *testing.T) {
	w, p := queueing(t)
	got, err := w.client.Enqueue(t.Context(), mergeOf(p))
	wantAccepted(t, got, err)
	seen := w.since(func() { must(t, w.client.Dequeue(t.Context(), repoName, p.Number)) })
	if len(seen) != 1 || w.pr(p.Number).Queued {
		t.Errorf("%d requests, pull request %+v", len(seen), w.pr(p.Number))
	}
	must(t, w.client.Dequeue(t.Context(), repoName, p.Number)) // nothing to undo.
	seen = w.since(func() { must(t, w.newClient(nil).Dequeue(t.Context(), repoName, p.Number)) })
	for _, r := range seen {
		if r.Route == "mutation" {
			t.Errorf("what is known not to be queued was dequeued: %v", r)
		}
	}
	must(t, w.repo.Enqueue(p.Number, "ann"))
	must(t, w.repo.RunQueue("main"))
	must(t, w.client.Dequeue(t.Context(), repoName, p.Number)) // merged.
}

// TestHandoverCutOff loses the answer of each mutation, once after the act and
// once before it.
func TestHandoverCutOff(t *testing.T) {
	for _, tt := range []struct {
		field  string
		before func(*world, bot.RevertPull) error // what must stand
		act    func(*world, bot.RevertPull) (bot.Queued, error)
		stands func(fakehub.PR) bool
	}{
		{"enqueuePullRequest", nothing, enqueue, func(pr fakehub.PR) bool { return pr.Queued }},
		{"dequeuePullRequest", func(w *world, p bot.RevertPull) error { return w.repo.Enqueue(p.Number, "ann") },
			func(w *world, p bot.RevertPull) (bot.Queued, error) {
				return bot.Queued{Accepted: true}, w.client.Dequeue(w.Context(), repoName, p.Number)
			}, func(pr fakehub.PR) bool { return !pr.Queued }},
		{"enablePullRequestAutoMerge", block, arm, func(pr fakehub.PR) bool { return pr.Auto }},
		{"disablePullRequestAutoMerge", func(w *world, p bot.RevertPull) error {
			return errors.Join(block(w, p), w.repo.Arm(p.Number, "merge", "ann"))
		}, func(w *world, p bot.RevertPull) (bot.Queued, error) {
			return bot.Queued{Accepted: true}, w.client.Disarm(w.Context(), repoName, p.Number)
		}, func(pr fakehub.PR) bool { return !pr.Auto }},
	} {
		for name, fault := range map[string]fakehub.Fault{
			"after": {CutAfter: true}, "before": {CutBefore: true}, "unavailable": {Status: 502},
		} {
			t.Run(tt.field+" "+name, func(t *testing.T) {
				w, p := queueing(t)
				must(t, tt.before(w, p))
				fault.Match, fault.Times = fakehub.MatchField(tt.field), -1
				w.hub.Fail(fault)
				got, err := tt.act(w, p)
				if name == "after" {
					wantAccepted(t, got, err)
				} else {
					wantTrouble(t, err, bot.TroubleTransient)
				}
				if done := tt.stands(w.pr(p.Number)); done != (name == "after") {
					t.Errorf("pull request %+v", w.pr(p.Number))
				}
				w.hub.Behave()
				got, err = tt.act(w, p) // the step comes again.
				wantAccepted(t, got, err)
				if !tt.stands(w.pr(p.Number)) {
					t.Errorf("pull request %+v", w.pr(p.Number))
				}
			})
		}
	}
}

func nothing(*world, bot.RevertPull) error { return nil }

func enqueue(w *world, p bot.RevertPull) (bot.Queued, error) {
	return w.client.Enqueue(w.Context(), mergeOf(p))
}

func arm(w *world, p bot.RevertPull) (bot.Queued, error) {
	return w.client.Arm(w.Context(), mergeOf(p))
}

// A missing permission is told with its name, and nothing is looked at.
func TestHandoverForbidden(t *testing.T) {
	w, p := queueing(t)
	perms := fakehub.DefaultPermissions()
	perms["contents"] = "read"
	w.app.SetPermissions(perms)
	w.client = w.newClient(nil)
	_, err := enqueue(w, p)
	wantTrouble(t, err, bot.TroubleForbidden, "queue pull request", "contents: write")
}
