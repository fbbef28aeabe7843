package github_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/test/fakehub"
)

// opened is a world with an open revert in it.
func opened(t *testing.T) (*world, bot.RevertPull) {
	t.Helper()
	w := newWorld(t, nil)
	w.bad()
	w.warm()
	got, err := w.client.Open(t.Context(), w.webBack())
	must(t, err)
	return w, got
}

func mergeOf(p bot.RevertPull) bot.MergeRequest {
	return bot.MergeRequest{
		Repo: repoName, Number: p.Number, Head: p.Head, Method: "merge",
		Title: `Revert "Roll out web 2" (#2)`, Message: "Verified by Backout.",
	}
}

const mergeRoute = "PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge"

func TestMerge(t *testing.T) {
	for _, method := range []string{"merge", "squash", "rebase"} {
		t.Run(method, func(t *testing.T) {
			w, p := opened(t)
			req := mergeOf(p)
			req.Method = method
			var got bot.Merged
			seen := w.since(func() {
				var err error
				got, err = w.client.Merge(t.Context(), req)
				must(t, err)
			})
			tip := w.tip("main")
			if len(seen) != 1 || !got.Merged || got.Commit != bot.SHA(tip.SHA) || bot.SHA(tip.Tree) != p.Tree {
				t.Errorf("answer %+v after %v, main at %+v", got, seen, tip)
			}
			if method != "rebase" && (tip.Subject != req.Title || tip.Message != req.Title+"\n\n"+req.Message) {
				t.Errorf("message %q", tip.Message)
			}
			again, err := w.newClient(nil).Merge(t.Context(), req)
			must(t, err)
			if again != got {
				t.Errorf("a replay answered %+v after %+v", again, got)
			}
		})
	}
}

func TestMergeCutOff(t *testing.T) {
	w, p := opened(t)
	w.hub.Fail(fakehub.Fault{Match: fakehub.MatchRoute(mergeRoute), CutBefore: true})
	_, err := w.client.Merge(t.Context(), mergeOf(p))
	wantTrouble(t, err, bot.TroubleTransient, "merge pull request")
	w.hub.Fail(fakehub.Fault{Match: fakehub.MatchRoute(mergeRoute), CutAfter: true})
	got, err := w.client.Merge(t.Context(), mergeOf(p))
	must(t, err)
	if !got.Merged || got.Commit != bot.SHA(w.repo.Head("main")) {
		t.Errorf("answer %+v, main at %s", got, w.repo.Head("main"))
	}
}

func TestMergeOfAHeadThatMoved(t *testing.T) {
	w, p := opened(t)
	_, err := w.repo.Commit(p.Branch, "eve", "One more", map[string]*string{"evil": fakehub.Text("x")})
	must(t, err)
	main := w.repo.Head("main")
	got, err := w.client.Merge(t.Context(), mergeOf(p))
	must(t, err)
	if got.Merged || !got.Stale || got.Refusal == "" || w.repo.Head("main") != main {
		t.Errorf("answer %+v, main moved: %v", got, w.repo.Head("main") != main)
	}
	_, err = w.repo.MergePR(p.Number, "merge", "eve")
	must(t, err)
	got, err = w.client.Merge(t.Context(), mergeOf(p))
	must(t, err)
	if got.Merged || !got.Stale {
		t.Errorf("a merge of another head counts as ours: %+v", got)
	}
}

func TestMergeRefused(t *testing.T) {
	w, p := opened(t)
	w.repo.Protect("main", fakehub.Protection{Approvals: 1})
	got, err := w.client.Merge(t.Context(), mergeOf(p))
	must(t, err)
	if got.Merged || got.Stale || got.Refusal == "" {
		t.Errorf("answer %+v", got)
	}
	w.repo.Unprotect("main")
	must(t, w.repo.ClosePR(p.Number, "ann"))
	got, err = w.client.Merge(t.Context(), mergeOf(p))
	must(t, err)
	if got.Merged || got.Refusal != "the pull request is closed" {
		t.Errorf("answer %+v", got)
	}
}

// A repository that allows one method says so, and the others are refused for
// good: looking again won't help.
func TestMergeWhereOneMethodIsAllowed(t *testing.T) {
	for _, only := range []string{"merge", "squash", "rebase"} {
		t.Run(only, func(t *testing.T) {
			w, p := opened(t)
			w.repo.Configure(func(o *fakehub.RepoOptions) { o.Methods = []string{only} })
			b, err := w.client.Branch(t.Context(), repoName, "main")
			must(t, err)
			if !slices.Equal(b.Methods, []string{only}) {
				t.Errorf("methods %q", b.Methods)
			}
			for _, method := range []string{"merge", "squash", "rebase"} {
				if method == only {
					continue
				}
				req := mergeOf(p)
				req.Method = method
				got, err := w.client.Merge(t.Context(), req)
				must(t, err)
				if got.Merged || got.Stale || !strings.Contains(got.Refusal, "not allowed on this repository") {
					t.Errorf("%s: %+v", method, got)
				}
			}
			req := mergeOf(p)
			req.Method = only
			got, err := w.client.Merge(t.Context(), req)
			must(t, err)
			if !got.Merged || string(got.Commit) != w.repo.Head("main") {
				t.Errorf("%+v, main at %s", got, w.repo.Head("main"))
			}
		})
	}
}

// Whoever merges past the queue is told where to go instead.
func TestMergeBeforeAQueue(t *testing.T) {
	w, p := queueing(t)
	got, err := w.client.Merge(t.Context(), mergeOf(p))
	must(t, err)
	if got.Merged || got.Stale || got.Refusal != "Changes must be made through the merge queue" {
		t.Errorf("%+v", got)
	}
}

func TestMergeBaseWasModified(t *testing.T) {
	w, p := opened(t)
	w.hub.Fail(fakehub.Fault{
		Match: fakehub.MatchRoute(mergeRoute), Status: 405,
		Body: `{"message":"Base branch was modified. Review and try the merge again."}`,
	})
	got, err := w.client.Merge(t.Context(), mergeOf(p))
	must(t, err)
	if got.Merged || !got.Stale {
		t.Errorf("answer %+v, want it stale", got)
	}
}

func TestMergeNeverWithoutAHead(t *testing.T) {
	w, p := opened(t)
	req := mergeOf(p)
	req.Head = ""
	_, err := w.client.Merge(t.Context(), req)
	wantTrouble(t, err, bot.TroubleInvalid)
	if pr, _ := w.repo.PR(p.Number); pr.Merged {
		t.Error("it merged whatever the head was")
	}
}

func TestUpdate(t *testing.T) {
	w, p := opened(t)
	w.push("Meanwhile", map[string]*string{"other.yaml": fakehub.Text("x\n")})
	must(t, w.client.Update(t.Context(), repoName, p.Number, p.Head))
	g, err := w.client.Gate(t.Context(), repoName, p.Number)
	must(t, err)
	if g.Head == p.Head || g.BaseHead != bot.SHA(w.repo.Head("main")) {
		t.Errorf("gate %+v after the update", g)
	}
	if err := w.newClient(nil).Update(t.Context(), repoName, p.Number, p.Head); err != nil {
		t.Errorf("a replay of the update: %v", err)
	}
	if now, err := w.client.Gate(t.Context(), repoName, p.Number); err != nil || now.Head != g.Head {
		t.Errorf("a replay updated again: %v, %v", now.Head, err)
	}
	if err := w.client.Update(t.Context(), repoName, p.Number, g.Head); err != nil {
		t.Errorf("an update with nothing to do: %v", err)
	}
}

func TestUpdateOfAHeadThatMoved(t *testing.T) {
	w, p := opened(t)
	_, err := w.repo.Commit(p.Branch, "eve", "One more", map[string]*string{"evil": fakehub.Text("x")})
	must(t, err)
	wantTrouble(t, w.client.Update(t.Context(), repoName, p.Number, p.Head), bot.TroubleStale, "head moved")
}

func TestUpdateWithConflict(t *testing.T) {
	w, p := opened(t)
	w.push("Web 3", map[string]*string{"apps/web.yaml": fakehub.Text("image: web:3\n")})
	wantTrouble(t, w.client.Update(t.Context(), repoName, p.Number, p.Head), bot.TroubleInvalid, "conflict")
}

func TestAbandon(t *testing.T) {
	w, p := opened(t)
	must(t, w.client.Abandon(t.Context(), repoName, p.Number, p.Branch))
	pr, _ := w.repo.PR(p.Number)
	if pr.State != "closed" || pr.Merged || w.repo.Head(p.Branch) != "" {
		t.Errorf("pull request %+v, branch %q", pr, w.repo.Head(p.Branch))
	}
	if err := w.newClient(nil).Abandon(t.Context(), repoName, p.Number, p.Branch); err != nil {
		t.Errorf("a replay: %v", err)
	}
}

func TestAbandonOfAMergedOne(t *testing.T) {
	w, p := opened(t)
	_, err := w.client.Merge(t.Context(), mergeOf(p))
	must(t, err)
	must(t, w.client.Abandon(t.Context(), repoName, p.Number, p.Branch))
	if pr, _ := w.repo.PR(p.Number); !pr.Merged || w.repo.Head(p.Branch) != "" {
		t.Errorf("pull request %+v, branch %q", pr, w.repo.Head(p.Branch))
	}
}

func TestDeleteBranch(t *testing.T) {
	w, p := opened(t)
	must(t, w.client.DeleteBranch(t.Context(), repoName, p.Branch))
	if w.repo.Head(p.Branch) != "" {
		t.Error("the branch is still there")
	}
	if err := w.client.DeleteBranch(t.Context(), repoName, p.Branch); err != nil {
		t.Errorf("a branch that is gone: %v", err)
	}
	for _, branch := range []string{"main", "feature/backout/x", "backout", "backout/", "backout/../main", ""} {
		seen := w.since(func() {
			wantTrouble(t, w.client.DeleteBranch(t.Context(), repoName, branch), bot.TroubleInvalid)
			wantTrouble(t, w.client.Abandon(t.Context(), repoName, p.Number, branch), bot.TroubleInvalid)
		})
		if len(seen) != 0 {
			t.Errorf("branch %q: requests %v were sent", branch, seen)
		}
	}
}
