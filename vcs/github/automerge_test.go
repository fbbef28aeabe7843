package github_test

import (
	"testing"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/test/fakehub"
)

// block makes the revert wait for a check on a branch without a queue, where
// auto-merge is allowed.
func block(w *world, _ bot.RevertPull) error {
	w.repo.Configure(func(o *fakehub.RepoOptions) { o.AllowAutoMerge = true })
	w.repo.Protect("main", fakehub.Protection{RequiredChecks: []fakehub.RequiredCheck{{Context: "e2e"}}})
	return nil
}

func TestArm(t *testing.T) {
	w, p := queueing(t)
	must(t, block(w, p))
	req := mergeOf(p)
	req.Method = "squash"
	seen := w.since(func() {
		got, err := w.client.Arm(t.Context(), req)
		wantAccepted(t, got, err)
	})
	if len(seen) != 1 {
		t.Errorf("%d requests, want one", len(seen))
	}
	g, err := w.client.Gate(t.Context(), repoName, p.Number)
	must(t, err)
	if !g.Armed || g.InQueue || g.State != "BLOCKED" {
		t.Errorf("gate %+v, want it armed", g)
	}
	got, err := w.client.Arm(t.Context(), req)
	wantAccepted(t, got, err)
	must(t, w.repo.SetCheck(string(p.Head), "e2e", "success", nil))
	pr := w.pr(p.Number)
	if tip := w.tip("main"); !pr.Merged || pr.MergedBy != "backout[bot]" || tip.SHA != pr.MergeSHA || tip.Subject != req.Title || len(tip.Parents) != 1 {
		t.Errorf("pull request %+v, main at %+v", pr, tip)
	}
	got, err = w.client.Arm(t.Context(), req)
	wantAccepted(t, got, err) // it came through.
	g, err = w.client.Gate(t.Context(), repoName, p.Number)
	must(t, err)
	if g.Armed || !g.Merged {
		t.Errorf("gate %+v, want it merged", g)
	}
	must(t, w.client.Disarm(t.Context(), repoName, p.Number))
}

func TestArmRefused(t *testing.T) {
	for _, tt := range []struct {
		name  string
		world func(*world, bot.RevertPull)
		stale bool
		text  string
	}{
		{"it can be merged", func(w *world, p bot.RevertPull) { w.repo.Unprotect("main") }, true, "Pull request is in clean status"},
		{"it can be merged, and some check fails", func(w *world, p bot.RevertPull) {
			w.repo.Unprotect("main")
			must(w.T, w.repo.SetCheck(string(p.Head), "flaky", "failure", nil))
		}, true, "Pull request is in unstable status"},
		{"it conflicts", func(w *world, p bot.RevertPull) {
			w.push("Roll out web 3", map[string]*string{"apps/web.yaml": fakehub.Text("image: web:3\n")})
		}, true, "Pull request is in dirty status"},
		{"the repository does not allow it", func(w *world, p bot.RevertPull) {
			w.repo.Configure(func(o *fakehub.RepoOptions) { o.AllowAutoMerge = false })
		}, false, `auto-merge is switched off in this repository: turn on "Allow auto-merge" in its settings, under General, Pull Requests`},
		{"the method is not allowed", func(w *world, p bot.RevertPull) {
			w.repo.Configure(func(o *fakehub.RepoOptions) { o.Methods = []string{"squash"} })
		}, false, "Merge method merge merging is not allowed on this repository"},
		{"closed", func(w *world, p bot.RevertPull) { must(w.T, w.repo.ClosePR(p.Number, "ann")) }, false, "the pull request is closed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, p := queueing(t)
			must(t, block(w, p))
			tt.world(w, p)
			got, err := w.client.Arm(t.Context(), mergeOf(p))
			wantRefused(t, got, err, tt.stale, tt.text)
			if pr := w.pr(p.Number); pr.Auto || pr.Merged {
				t.Errorf("pull request %+v", pr)
			}
		})
	}
}

// Where the base has a queue, arming is "merge when ready".
func TestArmBeforeAQueue(t *testing.T) {
	w, p := queueing(t)
	w.repo.Configure(func(o *fakehub.RepoOptions) { o.AllowAutoMerge = true })
	got, err := w.client.Arm(t.Context(), mergeOf(p))
	wantAccepted(t, got, err)
	if pr := w.pr(p.Number); !pr.Queued || pr.Auto {
		t.Errorf("pull request %+v, want it queued", pr)
	}
	got, err = w.client.Arm(t.Context(), mergeOf(p))
	wantAccepted(t, got, err)
}

// A push by somebody with write access leaves it armed: the head must be
// watched, and what is armed with another head is not ours.
func TestArmedAndPushedTo(t *testing.T) {
	w, p := queueing(t)
	must(t, block(w, p))
	must(t, w.repo.Grant("ann", "write"))
	got, err := w.client.Arm(t.Context(), mergeOf(p))
	wantAccepted(t, got, err)
	sha, err := w.repo.Commit(p.Branch, "ann", "One more", map[string]*string{"x": fakehub.Text("y")})
	must(t, err)
	g, err := w.client.Gate(t.Context(), repoName, p.Number)
	must(t, err)
	if !g.Armed || g.Head != bot.SHA(sha) || g.Tree == p.Tree {
		t.Errorf("gate %+v, want it armed with the new head", g)
	}
	got, err = w.client.Arm(t.Context(), mergeOf(p))
	wantRefused(t, got, err, true, "the head moved from "+p.Head.Short()+" to "+bot.SHA(sha).Short())
	seen := w.since(func() { must(t, w.client.Disarm(t.Context(), repoName, p.Number)) })
	if len(seen) != 1 || w.pr(p.Number).Auto {
		t.Errorf("%d requests, pull request %+v", len(seen), w.pr(p.Number))
	}
	must(t, w.client.Disarm(t.Context(), repoName, p.Number)) // nothing to undo.
	got, err = w.client.Arm(t.Context(), mergeOf(p))
	wantRefused(t, got, err, true, "the head moved from "+p.Head.Short()+" to "+bot.SHA(sha).Short())
	if w.pr(p.Number).Auto {
		t.Fatal("what was pushed is armed")
	}
	must(t, w.repo.SetCheck(sha, "e2e", "success", nil))
	if w.pr(p.Number).Merged {
		t.Error("what was disarmed merged itself")
	}
}
