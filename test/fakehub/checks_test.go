package fakehub_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-github/v60/github"

	"github.com/backout-dev/backout/test/fakehub"
)

func TestCheckRuns(t *testing.T) {
	w := newWorld(t, setup{})
	ctx := t.Context()
	pr := w.openPR("topic", "apps/web.yaml", "replicas: 4\n")
	run, _, err := w.bot.Checks.CreateCheckRun(ctx, "acme", "fleet", github.CreateCheckRunOptions{
		Name: "backout", HeadSHA: pr.HeadSHA, Status: new("in_progress"), ExternalID: new("r1"),
		Output: &github.CheckRunOutput{Title: new("Rolling back"), Summary: new("…")},
	})
	must(t, err)
	if run.GetStatus() != "in_progress" || run.Conclusion != nil || run.GetApp().GetSlug() != "backout" || len(run.PullRequests) != 1 || run.GetExternalID() != "r1" {
		t.Errorf("run is %v", run)
	}
	if now, _ := w.repo.PR(1); now.Status != "UNSTABLE" {
		t.Errorf("our own running check leaves it %s", now.Status)
	}
	done, _, err := w.bot.Checks.UpdateCheckRun(ctx, "acme", "fleet", run.GetID(), github.UpdateCheckRunOptions{Name: "backout", Conclusion: new("neutral")})
	must(t, err)
	if done.GetStatus() != "completed" || done.CompletedAt == nil || done.GetOutput().GetTitle() != "Rolling back" {
		t.Errorf("run is %v", done)
	}
	if now, _ := w.repo.PR(1); now.Status != "CLEAN" {
		t.Errorf("a neutral check leaves it %s", now.Status)
	}
	got, _, err := w.bot.Checks.GetCheckRun(ctx, "acme", "fleet", run.GetID())
	must(t, err)
	if got.GetConclusion() != "neutral" {
		t.Errorf("run is %v", got)
	}
	must(t, w.repo.SetCheck(pr.HeadSHA, "ci", "failure", nil))
	must(t, w.repo.SetCheck(pr.HeadSHA, "ci", "success", nil))
	for name, tt := range map[string]struct {
		opts github.ListCheckRunsOptions
		want int
	}{
		"latest":   {github.ListCheckRunsOptions{}, 2},
		"all":      {github.ListCheckRunsOptions{Filter: new("all")}, 3},
		"one name": {github.ListCheckRunsOptions{CheckName: new("ci")}, 1},
		"queued":   {github.ListCheckRunsOptions{Status: new("queued")}, 0},
	} {
		list, _, err := w.bot.Checks.ListCheckRunsForRef(ctx, "acme", "fleet", "topic", &tt.opts)
		must(t, err)
		if list.GetTotal() != tt.want {
			t.Errorf("%s: %v", name, list)
		}
	}
	suites, _, err := w.bot.Checks.ListCheckSuitesForRef(ctx, "acme", "fleet", pr.HeadSHA, nil)
	must(t, err)
	if suites.GetTotal() != 2 || suites.CheckSuites[1].GetConclusion() != "success" || suites.CheckSuites[0].GetHeadBranch() != "topic" {
		t.Errorf("suites are %v", suites)
	}
	suite, _, err := w.bot.Checks.GetCheckSuite(ctx, "acme", "fleet", suites.CheckSuites[0].GetID())
	must(t, err)
	if suite.GetApp().GetSlug() != "backout" {
		t.Errorf("suite is %v", suite)
	}
}

func TestCheckRefusals(t *testing.T) {
	w := newWorld(t, setup{})
	ctx := t.Context()
	head := w.repo.Head("main")
	must(t, w.repo.SetCheck(head, "ci", "success", nil))
	theirs := w.repo.Checks(head)[0].ID
	_, _, err := w.bot.Checks.UpdateCheckRun(ctx, "acme", "fleet", theirs, github.UpdateCheckRunOptions{Name: "ci", Conclusion: new("failure")})
	wantStatus(t, err, http.StatusForbidden, "can only be modified by the GitHub App that created it")
	_, _, err = w.as(w.hub.User("ann").Token).Checks.CreateCheckRun(ctx, "acme", "fleet", github.CreateCheckRunOptions{Name: "x", HeadSHA: head})
	wantStatus(t, err, http.StatusForbidden, "authenticate via a GitHub App")
	create := func(o github.CreateCheckRunOptions) error {
		return second(w.bot.Checks.CreateCheckRun(ctx, "acme", "fleet", o))
	}
	for name, err := range map[string]error{
		"no name":       create(github.CreateCheckRunOptions{HeadSHA: head}),
		"a branch":      create(github.CreateCheckRunOptions{Name: "x", HeadSHA: "main"}),
		"no conclusion": create(github.CreateCheckRunOptions{Name: "x", HeadSHA: head, Status: new("completed")}),
		"bad status":    create(github.CreateCheckRunOptions{Name: "x", HeadSHA: head, Status: new("dancing")}),
		"bad end":       create(github.CreateCheckRunOptions{Name: "x", HeadSHA: head, Conclusion: new("stale")}),
		"no summary":    create(github.CreateCheckRunOptions{Name: "x", HeadSHA: head, Output: &github.CheckRunOutput{Title: new("x")}}),
	} {
		if status(err) != http.StatusUnprocessableEntity {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, _, err = w.bot.Checks.GetCheckRun(ctx, "acme", "fleet", 1)
	wantStatus(t, err, http.StatusNotFound, "Not Found")
	if err := w.repo.SetCheck("nothing", "x", "", nil); err == nil {
		t.Error("checked nothing")
	}
}

func TestStatuses(t *testing.T) {
	w := newWorld(t, setup{app: fakehub.AppOptions{Permissions: map[string]string{"statuses": "write", "contents": "read"}}})
	ctx := t.Context()
	head := w.repo.Head("main")
	combined := func() string {
		s, _, err := w.bot.Repositories.GetCombinedStatus(ctx, "acme", "fleet", "main", nil)
		must(t, err)
		return s.GetState()
	}
	got := []string{combined()}
	for _, s := range []struct{ context, state string }{{"a", "success"}, {"b", "pending"}, {"b", "error"}, {"b", "success"}} {
		made, _, err := w.bot.Repositories.CreateStatus(ctx, "acme", "fleet", head, &github.RepoStatus{Context: &s.context, State: &s.state})
		must(t, err)
		if made.GetCreator().GetLogin() != "backout[bot]" {
			t.Errorf("status is %v", made)
		}
		got = append(got, combined())
	}
	if diff := cmp.Diff([]string{"pending", "success", "pending", "failure", "success"}, got); diff != "" {
		t.Error(diff)
	}
	list, _, err := w.bot.Repositories.ListStatuses(ctx, "acme", "fleet", head, nil)
	must(t, err)
	if len(list) != 4 || list[0].GetState() != "success" {
		t.Errorf("statuses are %v", list)
	}
	_, _, err = w.bot.Repositories.CreateStatus(ctx, "acme", "fleet", head, &github.RepoStatus{State: new("maybe")})
	wantStatus(t, err, http.StatusUnprocessableEntity, "Validation Failed")
	must(t, w.repo.SetStatus(head, "c", "failure", "ann"))
	if combined() != "failure" {
		t.Error("a person's status does not count")
	}
}

// TestCI turns checks green by themselves: at once, or when their time has
// come by the clock that the test winds.
func TestCI(t *testing.T) {
	var due []func()
	w := newWorld(t, setup{opts: fakehub.Options{AfterFunc: func(_ time.Duration, f func()) { due = append(due, f) }}})
	w.repo.CI(func(string) []fakehub.CIResult {
		return []fakehub.CIResult{{Name: "fast", Conclusion: "success"}, {Name: "slow", Conclusion: "success", After: time.Minute}, {Name: "never"}}
	})
	pr := w.openPR("topic", "apps/web.yaml", "replicas: 4\n")
	states := func() map[string]string {
		got := map[string]string{}
		for _, c := range w.repo.Checks(pr.HeadSHA) {
			got[c.Name] = c.Status
		}
		return got
	}
	if diff := cmp.Diff(map[string]string{"fast": "completed", "slow": "in_progress", "never": "in_progress"}, states()); diff != "" {
		t.Error(diff)
	}
	for _, f := range due {
		f()
	}
	if got := states()["slow"]; got != "completed" {
		t.Errorf("slow is %s", got)
	}
}

// TestOnPR runs a hook that uses the hub before the request is answered.
func TestOnPR(t *testing.T) {
	w := newWorld(t, setup{})
	var heads []string
	w.hub.OnPR(func(pr fakehub.PR) {
		heads = append(heads, pr.HeadSHA)
		must(t, w.repo.SetCheck(pr.HeadSHA, "hook", "success", nil))
	})
	first := w.openPR("topic", "apps/web.yaml", "replicas: 4\n").HeadSHA
	head := w.edit("topic", "apps/web.yaml", "replicas: 5\n")
	if diff := cmp.Diff([]string{first, head}, heads); diff != "" {
		t.Error(diff)
	}
	if got := w.repo.Checks(head); len(got) != 1 || got[0].App != "github-actions" {
		t.Errorf("checks are %v", got)
	}
}
