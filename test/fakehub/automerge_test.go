package fakehub_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-github/v60/github"

	"github.com/backout-dev/backout/test/fakehub"
)

// armed is a pull request of ann's, armed by bob, that waits for "ci".
func armed(t *testing.T) (*world, *inbox, fakehub.PR) {
	t.Helper()
	w, box := withInbox(t, setup{repo: fakehub.RepoOptions{AllowAutoMerge: true}})
	must(t, w.repo.Grant("bob", "write"))
	w.repo.Protect("main", fakehub.Protection{RequiredChecks: ci("ci"), Conversations: true})
	pr := w.openPR("topic", "a", "1")
	must(t, w.repo.Arm(pr.Number, "squash", "bob"))
	w.flush()
	box.take()
	return w, box, pr
}

// TestAutoMergeOutlivesPushes says who can disarm by what: only those who may
// not write, or a change of the base.
func TestAutoMergeOutlivesPushes(t *testing.T) {
	for _, tt := range []struct {
		name   string
		act    func(*world) error
		armed  bool
		reason string
	}{
		{"a push by a writer", func(w *world) error { _, err := w.repo.Commit("topic", "ann", "more", edits("x", "y")); return err }, true, ""},
		{"a push by somebody else", func(w *world) error { _, err := w.repo.Commit("topic", "eve", "more", edits("x", "y")); return err }, false, "write access"},
		{"another base", func(w *world) error {
			if err := w.repo.CreateBranch("ann", "release", "main"); err != nil {
				return err
			}
			errs := w.graphqlAs(w.hub.User("ann").Token, `mutation($id: ID!) { updatePullRequest(input: {pullRequestId: $id, baseRefName: "release"}) { clientMutationId } }`,
				map[string]any{"id": w.pr(1).NodeID}, nil)
			if len(errs) > 0 {
				w.t.Fatal(errs)
			}
			return nil
		}, false, "Base branch"},
		{"by hand", func(w *world) error { return w.repo.Disarm(1, "ann") }, false, ""},
		{"closed", func(w *world) error { return w.repo.ClosePR(1, "ann") }, false, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, box, _ := armed(t)
			must(t, tt.act(w))
			if now := w.pr(1); now.Auto != tt.armed || now.Merged {
				t.Errorf("pull request %+v", now)
			}
			w.flush()
			told := strings.Join(box.story(), "\n")
			if want := !tt.armed && tt.name != "closed"; strings.Contains(told, "auto_merge_disabled") != want || !strings.Contains(told, tt.reason) {
				t.Errorf("events:\n%s", told)
			}
		})
	}
}

func edits(path, text string) map[string]*string { return map[string]*string{path: &text} }

// TestAutoMergeWaitsForEverything merges when the last of several things is
// met, whichever it is, and by who armed it.
func TestAutoMergeWaitsForEverything(t *testing.T) {
	check := func(w *world, pr fakehub.PR) error { return w.repo.SetCheck(pr.HeadSHA, "ci", "success", nil) }
	review := func(w *world, pr fakehub.PR) error { return w.repo.Review(pr.Number, "bob", "APPROVE", "") }
	resolve := func(w *world, pr fakehub.PR) error { return w.repo.Discuss(pr.Number, -1) }
	type step = func(*world, fakehub.PR) error
	for name, steps := range map[string][]step{
		"the check last": {review, resolve, check}, "the review last": {check, resolve, review}, "the conversation last": {check, review, resolve},
	} {
		t.Run(name, func(t *testing.T) {
			w, box, pr := armed(t)
			w.repo.Protect("main", fakehub.Protection{RequiredChecks: ci("ci"), Approvals: 1, Conversations: true})
			must(t, w.repo.Discuss(pr.Number, 1))
			for i, act := range steps {
				must(t, act(w, pr))
				if now := w.pr(pr.Number); now.Merged != (i == len(steps)-1) {
					t.Fatalf("after step %d: %+v", i, now)
				}
			}
			if now := w.pr(pr.Number); now.MergedBy != "bob" || now.Auto {
				t.Errorf("pull request %+v", now)
			}
			w.wantStory(box, "pull_request closed 1")
		})
	}
}

// TestAutoMergeIntoAQueue queues instead of merging.
func TestAutoMergeIntoAQueue(t *testing.T) {
	w, _, pr := armed(t)
	w.repo.Protect("main", fakehub.Protection{RequiredChecks: ci("ci"), MergeQueue: true})
	must(t, w.repo.SetCheck(pr.HeadSHA, "ci", "success", nil))
	if now := w.pr(pr.Number); !now.Queued || now.Auto || now.Merged {
		t.Errorf("pull request %+v", now)
	}
	must(t, w.repo.RunQueue("main"))
	if now := w.pr(pr.Number); !now.Merged {
		t.Errorf("pull request %+v", now)
	}
	w.flush()
}

// TestRequiredCheckBySource takes a check only of the App that is asked for,
// as a run or as a status.
func TestRequiredCheckBySource(t *testing.T) {
	w := newWorld(t, setup{opts: fakehub.Options{Lag: fakehub.Lag{Reads: -1}}})
	w.repo.Protect("main", fakehub.Protection{RequiredChecks: []fakehub.RequiredCheck{{Context: "ci", App: w.app}}})
	pr := w.openPR("topic", "a", "1")
	for _, step := range []struct {
		act  func() error
		want string
	}{
		{func() error { return w.repo.SetCheck(pr.HeadSHA, "ci", "success", nil) }, "BLOCKED"},
		{func() error { return w.repo.SetStatus(pr.HeadSHA, "ci", "success", "ann") }, "BLOCKED"},
		{func() error { return w.repo.SetCheck(pr.HeadSHA, "ci", "success", w.app) }, "CLEAN"},
		{func() error { return w.repo.SetCheck(pr.HeadSHA, "ci", "failure", w.app) }, "BLOCKED"},
	} {
		must(t, step.act())
		if got := w.pr(1).Status; got != step.want {
			t.Errorf("status %s, want %s", got, step.want)
		}
	}
}

// TestRulesAddUp demands what classic protection and each ruleset demands, but
// for those that the one who merges may bypass.
func TestRulesAddUp(t *testing.T) {
	w := newWorld(t, setup{opts: fakehub.Options{Lag: fakehub.Lag{Reads: -1}}})
	w.repo.Protect("main", fakehub.Protection{RequiredChecks: ci("lint")})
	open := w.repo.AddRuleset("main", fakehub.Protection{Name: "tests", RequiredChecks: ci("test"), Bypass: []string{"backout"}, BypassMode: "pull_requests_only"})
	shut := w.repo.AddRuleset("main", fakehub.Protection{Name: "reviews", LinearHistory: true, Methods: []string{"squash"}})
	pr := w.openPR("topic", "a", "1")
	merge := func(method string) error {
		_, _, err := w.bot.PullRequests.Merge(t.Context(), "acme", "fleet", pr.Number, "", mergeBy(method))
		return err
	}
	wantStatus(t, merge("squash"), 405, `Required status check "lint" is expected.`) // the ruleset "tests" is bypassed.
	must(t, w.repo.SetCheck(pr.HeadSHA, "lint", "success", nil))
	if got := w.pr(1).Status; got != "BLOCKED" {
		t.Errorf("status %s, want BLOCKED by what others can't bypass", got)
	}
	wantStatus(t, merge("merge"), 405, "Merge commits are not allowed")
	wantStatus(t, merge("rebase"), 405, "Rebase merges are not allowed")
	told := map[int64]string{}
	for _, id := range []int64{open, shut} {
		set, _, err := w.bot.Repositories.GetRuleset(t.Context(), "acme", "fleet", id, true)
		must(t, err)
		told[id] = set.Name + " " + w.bypass(id)
	}
	if diff := cmp.Diff(map[int64]string{open: "tests pull_requests_only", shut: "reviews never"}, told); diff != "" {
		t.Errorf("rulesets: %s", diff)
	}
	must(t, merge("squash"))
}

// bypass is current_user_can_bypass, which go-github v60 does not know.
func (w *world) bypass(id int64) string {
	w.t.Helper()
	var got struct {
		Bypass string `json:"current_user_can_bypass"`
	}
	req, err := w.bot.NewRequest("GET", fmt.Sprintf("repos/acme/fleet/rulesets/%d", id), nil)
	must(w.t, err)
	_, err = w.bot.Do(w.t.Context(), req, &got)
	must(w.t, err)
	return got.Bypass
}

func mergeBy(method string) *github.PullRequestOptions {
	return &github.PullRequestOptions{MergeMethod: method}
}
