package github_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/test/fakehub"
)

// change is an open pull request of ann's with two commits.
func (w *world) change() fakehub.PR {
	w.Helper()
	pr, err := w.repo.OpenPR("ann", "Roll out web 2", "web-2", "main", map[string]*string{"apps/web.yaml": fakehub.Text("image: web:2\n")})
	must(w.T, err)
	_, err = w.repo.Commit("web-2", "ann", "And its replicas\n\nWith a body.", map[string]*string{"apps/scale.yaml": fakehub.Text("replicas: 2\n")})
	must(w.T, err)
	pr, _ = w.repo.PR(pr.Number)
	return pr
}

func TestPull(t *testing.T) {
	w := newWorld(t, nil)
	pr := w.change()
	got, err := w.client.Pull(t.Context(), repoName, pr.Number)
	must(t, err)
	want := bot.Pull{
		Number: pr.Number, Title: "Roll out web 2", URL: pr.URL, Open: true, Base: "main", Head: "web-2",
		HeadSHA: bot.SHA(pr.HeadSHA), Author: "ann", Subjects: []string{"Roll out web 2", "And its replicas"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("open (-want +got):\n%s", diff)
	}
	sha, err := w.repo.MergePR(pr.Number, "squash", "ann")
	must(t, err)
	got, err = w.client.Pull(t.Context(), repoName, pr.Number)
	must(t, err)
	want.Open, want.Merged, want.MergeCommit = false, true, bot.SHA(sha)
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(bot.Pull{}, "MergedAt")); diff != "" || got.MergedAt.IsZero() {
		t.Errorf("merged at %v (-want +got):\n%s", got.MergedAt, diff)
	}
	_, err = w.client.Pull(t.Context(), repoName, 99)
	wantTrouble(t, err, bot.TroubleNotFound, "pull request 99")
}

func TestPullOfAForkAndOfABot(t *testing.T) {
	w := newWorld(t, nil)
	w.repo.SetPublic(true)
	fork, err := w.repo.Fork("eve")
	must(t, err)
	_, err = fork.Commit("idea", "eve", "Idea", map[string]*string{"x": fakehub.Text("x")})
	must(t, err)
	pr, err := w.repo.OpenPR("eve", "Idea", "eve:idea", "main", nil)
	must(t, err)
	got, err := w.client.Pull(t.Context(), repoName, pr.Number)
	must(t, err)
	if !got.Fork || got.AuthorIsBot {
		t.Errorf("pull request %+v, want a fork's", got)
	}
	w.bad()
	mine, err := w.client.Open(t.Context(), w.webBack())
	must(t, err)
	got, err = w.client.Pull(t.Context(), repoName, mine.Number)
	must(t, err)
	if got.Fork || !got.AuthorIsBot || got.Author != "backout[bot]" {
		t.Errorf("pull request %+v, want our own", got)
	}
}

func TestPullOf(t *testing.T) {
	for _, method := range []string{"merge", "squash", "rebase"} {
		t.Run(method, func(t *testing.T) {
			w := newWorld(t, nil)
			pr := w.change()
			direct := w.push("Straight to main", map[string]*string{"direct": fakehub.Text("x")})
			sha, err := w.repo.MergePR(pr.Number, method, "ann")
			must(t, err)
			got, ok, err := w.client.PullOf(t.Context(), repoName, bot.SHA(sha))
			must(t, err)
			if !ok || got.Number != pr.Number || len(got.Subjects) != 2 || got.MergeCommit != bot.SHA(sha) {
				t.Errorf("merge commit: %+v, %v", got, ok)
			}
			got, ok, err = w.client.PullOf(t.Context(), repoName, bot.SHA(pr.HeadSHA))
			must(t, err)
			if !ok || got.Number != pr.Number {
				t.Errorf("a commit of its own: %+v, %v", got, ok)
			}
			for name, commit := range map[string]bot.SHA{"direct": direct, "unknown": "1111111111111111111111111111111111111111"} {
				if got, ok, err := w.client.PullOf(t.Context(), repoName, commit); ok || err != nil {
					t.Errorf("%s commit: %+v, %v, %v", name, got, ok, err)
				}
			}
		})
	}
}

func TestPullOfAnOpenOne(t *testing.T) {
	w := newWorld(t, nil)
	pr := w.change()
	if got, ok, err := w.client.PullOf(t.Context(), repoName, bot.SHA(pr.HeadSHA)); ok || err != nil {
		t.Errorf("an open pull request counts: %+v, %v", got, err)
	}
}

func TestBranch(t *testing.T) {
	w := newWorld(t, nil)
	all := []string{"merge", "squash", "rebase"}
	protection := fakehub.Protection{
		RequiredChecks: []fakehub.RequiredCheck{{Context: "lint"}, {Context: "test"}}, Strict: true, Approvals: 2,
	}
	classic, ruleset, queue := protection, protection, protection
	classic.Approvals = 0
	ruleset.Ruleset = true
	queue.Ruleset, queue.MergeQueue, queue.LinearHistory = true, true, true
	for _, tt := range []struct {
		name    string
		protect *fakehub.Protection
		want    bot.Branch
	}{
		{"free", nil, bot.Branch{Methods: all}},
		// What only GraphQL shows of it is tested in TestBranchUnderClassicProtection.
		{"classic", &classic, bot.Branch{Protected: true, RequiredChecks: []bot.RequiredCheck{{Name: "lint"}, {Name: "test"}}, Methods: all}},
		{"ruleset", &ruleset, bot.Branch{Protected: true, RequiredChecks: []bot.RequiredCheck{{Name: "lint"}, {Name: "test"}}, Reviews: 2, Strict: true, Methods: all}},
		{"queue", &queue, bot.Branch{
			Protected: true, RequiredChecks: []bot.RequiredCheck{{Name: "lint"}, {Name: "test"}}, Reviews: 2, Strict: true, MergeQueue: true,
			Methods: []string{"squash", "rebase"},
		}},
		{"pull requests only", &fakehub.Protection{RequirePR: true, Ruleset: true}, bot.Branch{Methods: all}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w.repo.Unprotect("main")
			if tt.protect != nil {
				w.repo.Protect("main", *tt.protect)
			}
			tt.want.Name, tt.want.Head = "main", bot.SHA(w.repo.Head("main"))
			for _, name := range []string{"main", ""} {
				got, err := w.client.Branch(t.Context(), repoName, name)
				must(t, err)
				if diff := cmp.Diff(tt.want, got, cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("branch %q (-want +got):\n%s", name, diff)
				}
			}
		})
	}
	_, err := w.client.Branch(t.Context(), repoName, "no/such")
	wantTrouble(t, err, bot.TroubleNotFound, "branch no/such")
}

func TestBranchWithASlash(t *testing.T) {
	w := newWorld(t, nil)
	must(t, w.repo.CreateBranch("ann", "release/1.x", w.repo.Head("main")))
	w.repo.Protect("release/1.x", fakehub.Protection{Approvals: 1, Ruleset: true})
	got, err := w.client.Branch(t.Context(), repoName, "release/1.x")
	must(t, err)
	if got.Name != "release/1.x" || got.Reviews != 1 || !got.Protected {
		t.Errorf("branch %+v", got)
	}
}

func TestPermission(t *testing.T) {
	w := newWorld(t, nil)
	for login, role := range map[string]string{"rita": "read", "tom": "triage", "will": "write", "mia": "maintain", "ada": "admin"} {
		must(t, w.repo.Grant(login, role))
		got, err := w.client.Permission(t.Context(), repoName, login)
		if err != nil || string(got) != role {
			t.Errorf("%s: %q, %v; want %s", login, got, err, role)
		}
	}
	w.hub.User("stranger")
	for _, login := range []string{"stranger", "nobody-of-that-name", "dependabot[bot]", "../../x", ""} {
		if got, err := w.client.Permission(t.Context(), repoName, login); err != nil || got != bot.PermissionNone {
			t.Errorf("%q: %q, %v; want none", login, got, err)
		}
	}
	must(t, w.repo.Grant("will", "none"))
	if got, err := w.client.Permission(t.Context(), repoName, "will"); err != nil || got != bot.PermissionNone {
		t.Errorf("a permission taken away still counts: %q, %v", got, err)
	}
	w.hub.Fail(fakehub.Fault{Status: 500, Times: -1})
	if got, err := w.client.Permission(t.Context(), repoName, "ada"); err == nil || got != bot.PermissionNone {
		t.Errorf("fails open: %q, %v", got, err)
	}
}
