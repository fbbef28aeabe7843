package github_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/test/fakehub"
)

func TestOpenIsOneRequest(t *testing.T) {
	w := newWorld(t, nil)
	w.bad()
	w.warm()
	req := w.revert(
		edit("apps/web.yaml", "image: web:2\n", "image: web:1\n"),
		add("apps/ünïcode \"x\".yaml", "a: 1\r\nno newline", "100644"),
		remove("README.md"),
	)
	var got bot.RevertPull
	seen := w.since(func() {
		var err error
		got, err = w.client.Open(t.Context(), req)
		must(t, err)
	})
	if len(seen) != 1 || seen[0].Writes != 3 {
		t.Errorf("requests %v, want one document of three fields", seen)
	}
	tip := w.tip(req.Branch)
	if !tip.Verified || bot.SHA(tip.Tree) != req.Tree || len(tip.Parents) != 1 || bot.SHA(tip.Parents[0]) != req.Onto {
		t.Errorf("commit %+v, want it verified, with tree %s on %s", tip, req.Tree, req.Onto)
	}
	if strings.TrimSpace(tip.Message) != strings.TrimSpace(req.Message) {
		t.Errorf("message %q, want %q", tip.Message, req.Message)
	}
	pr, _ := w.repo.PR(got.Number)
	if pr.Title != req.Title || pr.Body != req.Body || pr.Base != "main" || pr.Head != req.Branch || pr.Draft || pr.Author != "backout[bot]" {
		t.Errorf("pull request %+v", pr)
	}
	if got.Found || got.URL != pr.URL || got.Branch != req.Branch || got.Head != bot.SHA(tip.SHA) || got.Tree != req.Tree {
		t.Errorf("answer %+v", got)
	}
	if g := got.Gate; !g.Open || g.Merged || g.Head != got.Head || g.Tree != req.Tree || g.BaseHead != req.Onto || g.State == "" {
		t.Errorf("gate %+v", g)
	}
}

func TestOpenDraft(t *testing.T) {
	w := newWorld(t, nil)
	w.bad()
	req := w.webBack()
	req.Draft = true
	got, err := w.client.Open(t.Context(), req)
	must(t, err)
	if pr, _ := w.repo.PR(got.Number); !pr.Draft {
		t.Errorf("pull request %+v is no draft", pr)
	}
}

// A replay after a crash comes to the same end, wherever the crash was.
func TestOpenAgain(t *testing.T) {
	for _, tt := range []struct {
		name   string
		before func(w *world, req bot.RevertRequest)
	}{
		{"all of it was there", func(w *world, req bot.RevertRequest) {
			_, err := w.client.Open(w.Context(), req)
			must(w.T, err)
		}},
		{"only the branch", func(w *world, req bot.RevertRequest) {
			must(w.T, w.repo.CreateBranch("backout[bot]", req.Branch, string(req.Onto)))
		}},
		{"branch and commit", func(w *world, req bot.RevertRequest) {
			files := map[string]*string{}
			for _, f := range req.Files {
				files[f.Path] = fakehub.Text(string(f.After))
			}
			_, err := w.repo.Commit(req.Branch, "backout[bot]", req.Message, files)
			must(w.T, err)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, nil)
			w.bad()
			req := w.webBack()
			tt.before(w, req)
			w.client = w.newClient(nil)
			got, err := w.client.Open(t.Context(), req)
			must(t, err)
			again, err := w.newClient(nil).Open(t.Context(), req)
			must(t, err)
			if !got.Found || !again.Found || got.Number != again.Number || got.Head != again.Head {
				t.Errorf("first %+v, then %+v: want the same, found", got, again)
			}
			if prs := w.repo.PRs(); len(prs) != 1 || prs[0].State != "open" {
				t.Errorf("pull requests %+v, want one", prs)
			}
			if tip := w.tip(req.Branch); bot.SHA(tip.Tree) != req.Tree || bot.SHA(tip.SHA) != got.Head {
				t.Errorf("branch at %+v, want %+v", tip, got)
			}
		})
	}
}

func TestOpenCutOff(t *testing.T) {
	t.Run("after the act", func(t *testing.T) {
		w := newWorld(t, nil)
		w.bad()
		req := w.webBack()
		w.hub.Fail(fakehub.Fault{Match: fakehub.MatchField("createRef"), CutAfter: true})
		got, err := w.client.Open(t.Context(), req)
		must(t, err)
		if len(w.repo.PRs()) != 1 || got.Number != w.repo.PRs()[0].Number || !got.Found {
			t.Errorf("answer %+v with pull requests %+v", got, w.repo.PRs())
		}
	})
	for name, fault := range map[string]fakehub.Fault{
		"before the act":  {CutBefore: true},
		"by a broken hub": {Status: 502},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			w.bad()
			fault.Match = fakehub.MatchField("createRef")
			w.hub.Fail(fault)
			_, err := w.client.Open(t.Context(), w.webBack())
			wantTrouble(t, err, bot.TroubleTransient, "open the revert")
			if len(w.repo.PRs()) != 0 {
				t.Errorf("pull requests %+v", w.repo.PRs())
			}
		})
	}
}

func TestOpenLeavesOthersWorkAlone(t *testing.T) {
	w := newWorld(t, nil)
	w.bad()
	req := w.webBack()
	sha, err := w.repo.Commit(req.Branch, "eve", "My own idea", map[string]*string{"apps/web.yaml": fakehub.Text("image: evil\n")})
	must(t, err)
	_, err = w.client.Open(t.Context(), req)
	wantTrouble(t, err, bot.TroubleInvalid, sha[:12], "My own idea", "eve", req.Branch)
	if w.repo.Head(req.Branch) != sha {
		t.Error("the branch was touched")
	}
	if len(w.openPRs()) != 0 {
		t.Errorf("a pull request of somebody else's commit stays open: %+v", w.openPRs())
	}
}

func TestOpenAfterAPersonDecided(t *testing.T) {
	open := func(t *testing.T) (*world, bot.RevertRequest, bot.RevertPull) {
		w := newWorld(t, nil)
		w.bad()
		req := w.webBack()
		first, err := w.client.Open(t.Context(), req)
		must(t, err)
		return w, req, first
	}
	t.Run("closed", func(t *testing.T) {
		w, req, first := open(t)
		must(t, w.repo.ClosePR(first.Number, "ann"))
		got, err := w.client.Open(t.Context(), req)
		must(t, err)
		if got.Number != first.Number || got.Gate.Open || !got.Found || len(w.openPRs()) != 0 {
			t.Errorf("answer %+v, open %+v: want the closed one and none open", got, w.openPRs())
		}
	})
	t.Run("merged", func(t *testing.T) {
		w, req, first := open(t)
		sha, err := w.repo.MergePR(first.Number, "merge", "ann")
		must(t, err)
		got, err := w.client.Open(t.Context(), req)
		must(t, err)
		if got.Number != first.Number || !got.Gate.Merged || got.Gate.MergeCommit != bot.SHA(sha) {
			t.Errorf("answer %+v, want it merged as %s", got, sha)
		}
	})
	t.Run("merged and the branch deleted", func(t *testing.T) {
		w, req, first := open(t)
		_, err := w.repo.MergePR(first.Number, "merge", "ann")
		must(t, err)
		must(t, w.repo.DeleteBranch("ann", req.Branch))
		w.clock.advance(time.Minute)
		_, err = w.client.Open(t.Context(), req)
		wantTrouble(t, err, bot.TroubleStale, "main moved")
		if len(w.openPRs()) != 0 || w.repo.Head(req.Branch) != "" {
			t.Errorf("open %+v, branch %q: want nothing left", w.openPRs(), w.repo.Head(req.Branch))
		}
	})
}

func TestOpenOnABaseThatMoved(t *testing.T) {
	w := newWorld(t, nil)
	w.bad()
	req := w.webBack()
	w.push("Meanwhile", map[string]*string{"other.yaml": fakehub.Text("x\n")})
	_, err := w.client.Open(t.Context(), req)
	wantTrouble(t, err, bot.TroubleStale, "main moved", req.Onto.Short())
	if w.repo.Head(req.Branch) != "" || len(w.openPRs()) != 0 {
		t.Error("something was left behind")
	}
}

// A process that was paused while another one went on must not take down what
// the other one waits for.
func TestOpenAgainOnABaseThatMoved(t *testing.T) {
	w := newWorld(t, nil)
	w.bad()
	req := w.webBack()
	first, err := w.client.Open(t.Context(), req)
	must(t, err)
	w.push("Meanwhile", map[string]*string{"other.yaml": fakehub.Text("x\n")})
	got, err := w.newClient(nil).Open(t.Context(), req)
	must(t, err)
	if !got.Found || got.Number != first.Number || got.Gate.BaseHead != bot.SHA(w.repo.Head("main")) || len(w.openPRs()) != 1 {
		t.Errorf("answer %+v, open %+v", got, w.openPRs())
	}
}

func TestOpenWithAnotherTree(t *testing.T) {
	w := newWorld(t, nil)
	w.bad()
	req := w.webBack()
	req.Tree = bot.SHA(w.tip("main").Tree)
	_, err := w.client.Open(t.Context(), req)
	wantTrouble(t, err, bot.TroubleInvalid, "tree")
	if w.repo.Head(req.Branch) != "" || len(w.openPRs()) != 0 {
		t.Error("a commit with an unwanted tree was left behind")
	}
}

// What could not be deleted at once is recognised as ours and deleted later.
func TestOpenDeletesAWrongTreeInTheEnd(t *testing.T) {
	w := newWorld(t, nil)
	w.bad()
	req := w.webBack()
	req.Tree = bot.SHA(w.tip("main").Tree)
	w.hub.Fail(fakehub.Fault{Status: 503, Match: func(r fakehub.Request) bool { return r.Method == "DELETE" }})
	_, err := w.client.Open(t.Context(), req)
	wantTrouble(t, err, bot.TroubleTransient, "could not be deleted")
	_, err = w.newClient(nil).Open(t.Context(), req)
	wantTrouble(t, err, bot.TroubleInvalid, "tree")
	if w.repo.Head(req.Branch) != "" || len(w.openPRs()) != 0 {
		t.Error("a commit with an unwanted tree was left behind")
	}
}

func TestOpenWithoutPermission(t *testing.T) {
	for permission, advice := range map[string]string{"pull_requests": "pull_requests: write", "contents": "contents: write"} {
		t.Run(permission, func(t *testing.T) {
			w := newWorld(t, nil)
			w.bad()
			req := w.webBack()
			less := fakehub.DefaultPermissions()
			less[permission] = "read"
			w.app.SetPermissions(less)
			_, err := w.client.Open(t.Context(), req)
			wantTrouble(t, err, bot.TroubleForbidden, advice)
			if w.repo.Head(req.Branch) != "" || len(w.openPRs()) != 0 {
				t.Error("something was left behind")
			}
			w.app.SetPermissions(fakehub.DefaultPermissions())
			if _, err := w.client.Open(t.Context(), req); err != nil {
				t.Errorf("a permission granted now does not count: %v", err)
			}
		})
	}
}

func TestOpenRefusesWhatIsNotOurs(t *testing.T) {
	w := newWorld(t, nil)
	w.bad()
	good := w.webBack()
	for name, spoil := range map[string]func(*bot.RevertRequest){
		"branch": func(r *bot.RevertRequest) { r.Branch = "main" },
		"onto":   func(r *bot.RevertRequest) { r.Onto = "main" },
		"tree":   func(r *bot.RevertRequest) { r.Tree = "" },
		"files":  func(r *bot.RevertRequest) { r.Files = nil },
		"base":   func(r *bot.RevertRequest) { r.Base = "" },
	} {
		req := good
		spoil(&req)
		seen := w.since(func() {
			_, err := w.client.Open(t.Context(), req)
			wantTrouble(t, err, bot.TroubleInvalid)
		})
		if len(seen) != 0 {
			t.Errorf("%s: requests %v were sent", name, seen)
		}
	}
}

func TestOpenRaces(t *testing.T) {
	w := newWorld(t, nil)
	w.bad()
	req := w.webBack()
	var group sync.WaitGroup
	results := make([]bot.RevertPull, 6)
	errs := make([]error, len(results))
	for i := range results {
		c := w.newClient(nil)
		group.Go(func() { results[i], errs[i] = c.Open(t.Context(), req) })
	}
	group.Wait()
	fresh := 0
	for i, r := range results {
		must(t, errs[i])
		if !r.Found {
			fresh++
		}
		if r.Number != results[0].Number {
			t.Errorf("answers %+v", results)
		}
	}
	if fresh != 1 || len(w.repo.PRs()) != 1 {
		t.Errorf("%d say they made it, %d pull requests", fresh, len(w.repo.PRs()))
	}
}

// lateAnswer is what a document answers whose branch and commit exist already
// and whose pull request GitHub does not see its way to make yet.
const lateAnswer = `{"data":{"createRef":null,"createCommitOnBranch":null,"createPullRequest":null},"errors":[
	{"type":"UNPROCESSABLE","path":["createRef"],"message":"A ref named \"refs/heads/x\" already exists in the repository."},
	{"type":"STALE_DATA","path":["createCommitOnBranch"],"message":"Expected branch to point to \"x\" but it did not. Pull and try again."},
	{"type":"UNPROCESSABLE","path":["createPullRequest"],"message":"Head sha can't be blank"}]}`

func TestOpenWhereGitHubLagsBehindItself(t *testing.T) {
	for times, wantOpen := range map[int]int{1: 1, 2: 0} {
		w := newWorld(t, nil)
		w.bad()
		req := w.webBack()
		_, err := w.repo.Commit(req.Branch, "backout[bot]", req.Message, map[string]*string{"apps/web.yaml": fakehub.Text("image: web:1\n")})
		must(t, err)
		w.hub.Fail(fakehub.Fault{Match: fakehub.MatchField("createPullRequest"), Status: 200, Body: lateAnswer, Times: times})
		_, err = w.client.Open(t.Context(), req)
		if wantOpen == 1 {
			must(t, err)
		} else {
			wantTrouble(t, err, bot.TroubleInvalid, "Head sha")
		}
		if len(w.openPRs()) != wantOpen || (w.repo.Head(req.Branch) != "") != (wantOpen == 1) {
			t.Errorf("after %d late answers: open %+v, branch %q", times, w.openPRs(), w.repo.Head(req.Branch))
		}
	}
}

func TestOpenRefusedForAWorkflow(t *testing.T) {
	w := newWorld(t, nil)
	w.bad()
	for name, req := range map[string]bot.RevertRequest{
		"one document": w.revert(add(".github/workflows/ci.yaml", "on: push\n", "100644")),
		"data path":    w.revert(add(".github/workflows/ci.sh", "true\n", "100755")),
	} {
		_, err := w.client.Open(t.Context(), req)
		if !bot.IsTrouble(err, bot.TroubleForbidden) && !bot.IsTrouble(err, bot.TroubleInvalid) {
			t.Errorf("%s: %v", name, err)
		}
		if w.repo.Head(req.Branch) != "" || len(w.repo.PRs()) != 0 {
			t.Errorf("%s: something was left behind", name)
		}
	}
}
