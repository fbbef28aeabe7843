package fakehub_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/backout-dev/backout/test/fakehub"
)

func ci(names ...string) []fakehub.RequiredCheck {
	var list []fakehub.RequiredCheck
	for _, n := range names {
		list = append(list, fakehub.RequiredCheck{Context: n})
	}
	return list
}

// TestMergeState brings a pull request into every state that GitHub knows but
// HAS_HOOKS, and reads it by both APIs. The state is what a merge then meets.
func TestMergeState(t *testing.T) {
	const head = "apps/web.yaml"
	for name, tt := range map[string]struct {
		arrange   func(t *testing.T, w *world, pr fakehub.PR)
		mergeable string
		status    string
		refusal   int // of a merge; 0: it goes through
		says      string
	}{
		"clean": {func(*testing.T, *world, fakehub.PR) {}, "MERGEABLE", "CLEAN", 0, ""},
		"conflict": {func(_ *testing.T, w *world, _ fakehub.PR) {
			w.edit("main", head, "replicas: 99\n")
		}, "CONFLICTING", "DIRTY", 405, "Pull Request is not mergeable"},
		"behind, and nobody minds": {func(_ *testing.T, w *world, _ fakehub.PR) {
			w.edit("main", "other", "x")
			w.repo.Protect("main", fakehub.Protection{Strict: true})
		}, "MERGEABLE", "CLEAN", 0, ""},
		"behind": {func(t *testing.T, w *world, pr fakehub.PR) {
			w.edit("main", "other", "x")
			w.repo.Protect("main", fakehub.Protection{Strict: true, RequiredChecks: ci("ci")})
			must(t, w.repo.SetCheck(pr.HeadSHA, "ci", "success", nil))
		}, "MERGEABLE", "BEHIND", 405, "Head branch is out of date"},
		"check expected": {func(_ *testing.T, w *world, _ fakehub.PR) {
			w.repo.Protect("main", fakehub.Protection{RequiredChecks: ci("ci")})
		}, "MERGEABLE", "BLOCKED", 405, `Required status check "ci" is expected.`},
		"check pending": {func(t *testing.T, w *world, pr fakehub.PR) {
			w.repo.Protect("main", fakehub.Protection{RequiredChecks: ci("ci")})
			must(t, w.repo.SetCheck(pr.HeadSHA, "ci", "", nil))
		}, "MERGEABLE", "BLOCKED", 405, `Required status check "ci" is pending.`},
		"check failing": {func(t *testing.T, w *world, pr fakehub.PR) {
			w.repo.Protect("main", fakehub.Protection{RequiredChecks: ci("ci")})
			must(t, w.repo.SetCheck(pr.HeadSHA, "ci", "failure", nil))
		}, "MERGEABLE", "BLOCKED", 405, `Required status check "ci" is failing.`},
		"many checks": {func(t *testing.T, w *world, pr fakehub.PR) {
			w.repo.Protect("main", fakehub.Protection{RequiredChecks: ci("a", "b", "c")})
			must(t, w.repo.SetCheck(pr.HeadSHA, "a", "success", nil))
			must(t, w.repo.SetCheck(pr.HeadSHA, "b", "failure", nil))
		}, "MERGEABLE", "BLOCKED", 405, "2 of 3 required status checks have not succeeded: 1 expected and 1 failing."},
		"check by another App": {func(t *testing.T, w *world, pr fakehub.PR) {
			w.repo.Protect("main", fakehub.Protection{RequiredChecks: []fakehub.RequiredCheck{{Context: "ci", App: w.app}}})
			must(t, w.repo.SetCheck(pr.HeadSHA, "ci", "success", nil))
		}, "MERGEABLE", "BLOCKED", 405, "is expected"},
		"check by the App": {func(t *testing.T, w *world, pr fakehub.PR) {
			w.repo.Protect("main", fakehub.Protection{RequiredChecks: []fakehub.RequiredCheck{{Context: "ci", App: w.app}}})
			must(t, w.repo.SetCheck(pr.HeadSHA, "ci", "neutral", w.app))
		}, "MERGEABLE", "CLEAN", 0, ""},
		"required status": {func(t *testing.T, w *world, pr fakehub.PR) {
			w.repo.Protect("main", fakehub.Protection{RequiredChecks: ci("ci")})
			must(t, w.repo.SetStatus(pr.HeadSHA, "ci", "success", "ann"))
		}, "MERGEABLE", "CLEAN", 0, ""},
		"required status in error": {func(t *testing.T, w *world, pr fakehub.PR) {
			w.repo.Protect("main", fakehub.Protection{RequiredChecks: ci("ci")})
			must(t, w.repo.SetStatus(pr.HeadSHA, "ci", "error", "ann"))
		}, "MERGEABLE", "BLOCKED", 405, "is failing"},
		"optional check pending": {func(t *testing.T, w *world, pr fakehub.PR) {
			must(t, w.repo.SetCheck(pr.HeadSHA, "lint", "", nil))
		}, "MERGEABLE", "UNSTABLE", 0, ""},
		"optional check failing": {func(t *testing.T, w *world, pr fakehub.PR) {
			must(t, w.repo.SetCheck(pr.HeadSHA, "lint", "failure", nil))
		}, "MERGEABLE", "UNSTABLE", 0, ""},
		"optional check run again": {func(t *testing.T, w *world, pr fakehub.PR) {
			must(t, w.repo.SetCheck(pr.HeadSHA, "lint", "failure", nil))
			must(t, w.repo.SetCheck(pr.HeadSHA, "lint", "success", nil))
		}, "MERGEABLE", "CLEAN", 0, ""},
		"review missing": {func(_ *testing.T, w *world, _ fakehub.PR) {
			w.repo.Protect("main", fakehub.Protection{Approvals: 1})
		}, "MERGEABLE", "BLOCKED", 405, "At least 1 approving review is required by reviewers with write access."},
		"reviewed by a reader": {func(t *testing.T, w *world, pr fakehub.PR) {
			w.repo.Protect("main", fakehub.Protection{Approvals: 1})
			must(t, w.repo.Grant("rob", "triage"))
			must(t, w.repo.Review(pr.Number, "rob", "APPROVE", ""))
		}, "MERGEABLE", "BLOCKED", 405, "At least 1 approving review"},
		"approved": {func(t *testing.T, w *world, pr fakehub.PR) {
			w.repo.Protect("main", fakehub.Protection{Approvals: 1})
			must(t, w.repo.Grant("bob", "write"))
			must(t, w.repo.Review(pr.Number, "bob", "APPROVE", ""))
		}, "MERGEABLE", "CLEAN", 0, ""},
		"changes requested": {func(t *testing.T, w *world, pr fakehub.PR) {
			w.repo.Protect("main", fakehub.Protection{Approvals: 1})
			for _, who := range []string{"bob", "cat"} {
				must(t, w.repo.Grant(who, "write"))
			}
			must(t, w.repo.Review(pr.Number, "bob", "APPROVE", ""))
			must(t, w.repo.Review(pr.Number, "cat", "REQUEST_CHANGES", "no"))
		}, "MERGEABLE", "BLOCKED", 405, "Changes have been requested"},
		"ruleset": {func(_ *testing.T, w *world, _ fakehub.PR) {
			w.repo.Protect("main", fakehub.Protection{Approvals: 2, Ruleset: true})
		}, "MERGEABLE", "BLOCKED", 405, "Repository rule violations found"},
		"on the bypass list": {func(_ *testing.T, w *world, _ fakehub.PR) {
			w.repo.Protect("main", fakehub.Protection{Approvals: 2, Ruleset: true, Bypass: []string{"backout"}})
		}, "MERGEABLE", "BLOCKED", 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, setup{opts: fakehub.Options{Lag: fakehub.Lag{Reads: -1}}})
			pr := w.openPR("topic", head, "replicas: 4\n")
			tt.arrange(t, w, pr)
			var got struct {
				Repository struct {
					PullRequest struct{ Mergeable, MergeStateStatus string }
				}
			}
			w.graphql(`{ repository(owner: "acme", name: "fleet") { pullRequest(number: 1) { mergeable mergeStateStatus } } }`, nil, &got)
			if p := got.Repository.PullRequest; p.Mergeable != tt.mergeable || p.MergeStateStatus != tt.status {
				t.Errorf("GraphQL says %+v", p)
			}
			rest, _, err := w.bot.PullRequests.Get(t.Context(), "acme", "fleet", 1)
			must(t, err)
			if rest.GetMergeable() != (tt.mergeable == "MERGEABLE") || rest.GetMergeableState() != strings.ToLower(tt.status) {
				t.Errorf("REST says %v %s", rest.GetMergeable(), rest.GetMergeableState())
			}
			_, _, err = w.bot.PullRequests.Merge(t.Context(), "acme", "fleet", 1, "", nil)
			if tt.refusal == 0 {
				must(t, err)
				return
			}
			wantStatus(t, err, tt.refusal, tt.says)
			errs := w.graphql(`mutation($id: ID!) { mergePullRequest(input: {pullRequestId: $id}) { clientMutationId } }`, map[string]any{"id": pr.NodeID}, nil)
			if len(errs) != 1 || errs[0].Type != "UNPROCESSABLE" {
				t.Errorf("GraphQL merge: %+v", errs)
			}
		})
	}
}

func TestDraft(t *testing.T) {
	w := newWorld(t, setup{opts: fakehub.Options{Lag: fakehub.Lag{Reads: -1}}})
	w.edit("topic", "a", "b")
	pr, _, err := w.bot.PullRequests.Create(t.Context(), "acme", "fleet", &github.NewPullRequest{
		Title: new("Draft"), Head: new("topic"), Base: new("main"), Draft: new(true),
	})
	must(t, err)
	if pr.GetMergeableState() != "draft" {
		t.Errorf("state is %s", pr.GetMergeableState())
	}
	_, _, err = w.bot.PullRequests.Merge(t.Context(), "acme", "fleet", pr.GetNumber(), "", nil)
	wantStatus(t, err, http.StatusMethodNotAllowed, "still a draft")
}

// TestLag has `mergeable` unknown for the reads, and the time, that were set,
// again after every push to either branch.
func TestLag(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	w := newWorld(t, setup{opts: fakehub.Options{Now: func() time.Time { return now }, AuthNow: time.Now}})
	ctx := t.Context()
	read := func() (known bool) {
		t.Helper()
		pr, _, err := w.bot.PullRequests.Get(ctx, "acme", "fleet", 1)
		must(t, err)
		if (pr.Mergeable == nil) != (pr.GetMergeableState() == "unknown") {
			t.Errorf("mergeable is %v and the state %s", pr.Mergeable, pr.GetMergeableState())
		}
		return pr.Mergeable != nil
	}
	want := func(known ...bool) {
		t.Helper()
		for i, k := range known {
			if got := read(); got != k {
				t.Errorf("read %d: known is %v", i+1, got)
			}
		}
	}
	w.openPR("topic", "apps/web.yaml", "replicas: 4\n")
	want(false, true, true)
	w.edit("main", "other", "x")
	want(false, true)
	w.edit("topic", "apps/web.yaml", "replicas: 5\n")
	w.hub.SetLag(fakehub.Lag{Reads: 3})
	want(false, true)
	w.edit("topic", "apps/web.yaml", "replicas: 6\n")
	want(false, false, false, true)
	w.hub.SetLag(fakehub.Lag{Reads: -1, For: time.Minute})
	w.edit("topic", "apps/web.yaml", "replicas: 7\n")
	want(false, false)
	now = now.Add(time.Minute)
	want(true)
	// A list never tells, and one request is one read however often it asks.
	w.hub.SetLag(fakehub.Lag{Reads: 1})
	w.edit("topic", "apps/web.yaml", "replicas: 8\n")
	_, _, err := w.bot.PullRequests.List(ctx, "acme", "fleet", nil)
	must(t, err)
	var got struct {
		Repository struct {
			A, B struct{ Mergeable, MergeStateStatus string }
		}
	}
	w.graphql(`{ repository(owner: "acme", name: "fleet") {
		a: pullRequest(number: 1) { mergeable mergeStateStatus } b: pullRequest(number: 1) { mergeable mergeStateStatus } } }`, nil, &got)
	if got.Repository.A != got.Repository.B || got.Repository.A.Mergeable != "UNKNOWN" {
		t.Errorf("one request saw %+v", got)
	}
	want(true)
}

// TestMergeWhileUnknown: the lag is of what is shown; a merge computes.
func TestMergeWhileUnknown(t *testing.T) {
	w := newWorld(t, setup{})
	w.openPR("topic", "apps/web.yaml", "replicas: 4\n")
	_, _, err := w.bot.PullRequests.Merge(t.Context(), "acme", "fleet", 1, "", nil)
	must(t, err)
}

func TestReviews(t *testing.T) {
	w := newWorld(t, setup{})
	ctx := t.Context()
	w.repo.Protect("main", fakehub.Protection{Approvals: 1, DismissStale: true})
	pr := w.openPR("topic", "apps/web.yaml", "replicas: 4\n")
	must(t, w.repo.Grant("bob", "write"))
	decision := func() string {
		var got struct {
			Repository struct {
				PullRequest struct{ ReviewDecision string }
			}
		}
		w.graphql(`{ repository(owner: "acme", name: "fleet") { pullRequest(number: 1) { reviewDecision } } }`, nil, &got)
		return got.Repository.PullRequest.ReviewDecision
	}
	if err := w.repo.Review(pr.Number, "ann", "APPROVE", ""); err == nil {
		t.Error("the author approved")
	}
	if got := decision(); got != "REVIEW_REQUIRED" {
		t.Errorf("decision is %s", got)
	}
	review, _, err := w.as(w.hub.User("bob").Token).PullRequests.CreateReview(ctx, "acme", "fleet", 1, &github.PullRequestReviewRequest{Event: new("APPROVE")})
	must(t, err)
	if review.GetState() != "APPROVED" || decision() != "APPROVED" {
		t.Errorf("review is %v, decision %s", review, decision())
	}
	w.edit("topic", "apps/web.yaml", "replicas: 5\n")
	if got := decision(); got != "REVIEW_REQUIRED" {
		t.Errorf("after a push the decision is %s", got)
	}
	list, _, err := w.bot.PullRequests.ListReviews(ctx, "acme", "fleet", 1, nil)
	must(t, err)
	if len(list) != 1 || list[0].GetState() != "DISMISSED" {
		t.Errorf("reviews are %v", list)
	}
	// The bot's own pull request: it can't approve it.
	w.edit("other", "x", "y")
	own, _, err := w.bot.PullRequests.Create(ctx, "acme", "fleet", &github.NewPullRequest{Title: new("Own"), Head: new("other"), Base: new("main")})
	must(t, err)
	_, _, err = w.bot.PullRequests.CreateReview(ctx, "acme", "fleet", own.GetNumber(), &github.PullRequestReviewRequest{Event: new("APPROVE")})
	wantStatus(t, err, http.StatusUnprocessableEntity, "Can not approve your own pull request")
	_, _, err = w.bot.PullRequests.CreateReview(ctx, "acme", "fleet", own.GetNumber(), &github.PullRequestReviewRequest{Event: new("DANCE")})
	wantStatus(t, err, http.StatusUnprocessableEntity, "Unprocessable Entity")
	_, _, err = w.bot.PullRequests.RequestReviewers(ctx, "acme", "fleet", own.GetNumber(), github.ReviewersRequest{Reviewers: []string{"bob"}})
	must(t, err)
	asked, _, err := w.bot.PullRequests.ListReviewers(ctx, "acme", "fleet", own.GetNumber(), nil)
	must(t, err)
	if len(asked.Users) != 1 || asked.Users[0].GetLogin() != "bob" {
		t.Errorf("asked %v", asked.Users)
	}
	_, _, err = w.bot.PullRequests.RequestReviewers(ctx, "acme", "fleet", own.GetNumber(), github.ReviewersRequest{Reviewers: []string{"eve"}})
	wantStatus(t, err, http.StatusUnprocessableEntity, "not a collaborator")
	_, _, err = w.bot.PullRequests.RequestReviewers(ctx, "acme", "fleet", 1, github.ReviewersRequest{Reviewers: []string{"ann"}})
	wantStatus(t, err, http.StatusUnprocessableEntity, "pull request author")
}
