package github_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/test/fakehub"
)

const reviewersRoute = "POST /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers"

func TestAskReview(t *testing.T) {
	ask := []string{"bob", "cat", "stranger", "backout[bot]", "Bob", "nobody-at-all", "ann", ""}
	for _, tt := range []struct {
		name     string
		logins   []string
		want     []string
		requests int
	}{
		{"all can be asked", []string{"bob", "cat"}, []string{"bob", "cat"}, 1},
		{"some can't", ask, []string{"bob", "cat", "ann"}, 6}, // all at once, then five alone
		{"one, and it can't", []string{"stranger"}, nil, 1},
		{"nobody", nil, nil, 0},
		{"bots alone", []string{"renovate[bot]"}, nil, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, p := opened(t)
			for _, login := range []string{"ann", "bob", "cat"} {
				must(t, w.repo.Grant(login, "write"))
			}
			w.hub.User("stranger")
			seen := w.since(func() { must(t, w.client.AskReview(t.Context(), repoName, p.Number, tt.logins)) })
			if len(seen) != tt.requests || !slices.Equal(w.pr(p.Number).Asked, tt.want) {
				t.Errorf("%d requests, asked %q; want %d and %q", len(seen), w.pr(p.Number).Asked, tt.requests, tt.want)
			}
			must(t, w.client.AskReview(t.Context(), repoName, p.Number, tt.logins)) // again changes nothing.
			if !slices.Equal(w.pr(p.Number).Asked, tt.want) {
				t.Errorf("asked %q the second time", w.pr(p.Number).Asked)
			}
		})
	}
}

func TestAskReviewCutOff(t *testing.T) {
	w, p := opened(t)
	must(t, w.repo.Grant("bob", "read"))
	w.hub.Fail(fakehub.Fault{Match: fakehub.MatchRoute(reviewersRoute), CutAfter: true})
	must(t, w.client.AskReview(t.Context(), repoName, p.Number, []string{"bob"}))
	must(t, w.repo.Grant("cat", "read"))
	w.hub.Fail(fakehub.Fault{Match: fakehub.MatchRoute(reviewersRoute), CutBefore: true})
	wantTrouble(t, w.client.AskReview(t.Context(), repoName, p.Number, []string{"bob", "cat"}), bot.TroubleTransient, "request reviews")
	if asked := w.pr(p.Number).Asked; !slices.Equal(asked, []string{"bob"}) {
		t.Errorf("asked %q", asked)
	}
}

func TestAskReviewForbidden(t *testing.T) {
	w, p := opened(t)
	w.hub.Fail(fakehub.Fault{
		Match: fakehub.MatchRoute(reviewersRoute), Status: http.StatusForbidden,
		Body: `{"message":"Resource not accessible by integration"}`, Header: http.Header{"X-Accepted-Github-Permissions": {"pull_requests=write"}},
	})
	wantTrouble(t, w.client.AskReview(t.Context(), repoName, p.Number, []string{"bob"}), bot.TroubleForbidden, "pull_requests: write")
	wantTrouble(t, w.client.AskReview(t.Context(), repoName, 99, []string{"bob"}), bot.TroubleNotFound)
}

// A person's approval counts, the author's can't be had, and our own PR is the
// App's: that is why a second person must be asked.
func TestReviewsOfAPull(t *testing.T) {
	w, p := opened(t)
	w.hub.SetLag(fakehub.Lag{Reads: -1})
	w.repo.Protect("main", fakehub.Protection{Approvals: 1, CodeOwners: []string{"cat"}, Conversations: true})
	for _, login := range []string{"bob", "cat"} {
		must(t, w.repo.Grant(login, "write"))
	}
	decision := func() string {
		t.Helper()
		g, err := w.client.Gate(t.Context(), repoName, p.Number)
		must(t, err)
		return g.ReviewDecision + " " + g.State
	}
	for _, step := range []struct {
		act  func() error
		want string
	}{
		{func() error { return nil }, "REVIEW_REQUIRED BLOCKED"},
		{func() error { return w.repo.Review(p.Number, "eve", "APPROVE", "") }, "REVIEW_REQUIRED BLOCKED"}, // may not write
		{func() error { return w.repo.Review(p.Number, "bob", "APPROVE", "") }, "REVIEW_REQUIRED BLOCKED"}, // no code owner
		{func() error { return w.repo.Review(p.Number, "cat", "REQUEST_CHANGES", "no") }, "CHANGES_REQUESTED BLOCKED"},
		{func() error { return w.repo.Discuss(p.Number, 1) }, "CHANGES_REQUESTED BLOCKED"},
		{func() error { return w.repo.Review(p.Number, "cat", "APPROVE", "") }, "APPROVED BLOCKED"}, // a conversation is open
		{func() error { return w.repo.Discuss(p.Number, -1) }, "APPROVED CLEAN"},
	} {
		must(t, step.act())
		if got := decision(); got != step.want {
			t.Errorf("gate is %s, want %s", got, step.want)
		}
	}
	b, err := w.client.Branch(t.Context(), repoName, "main")
	must(t, err)
	if !b.Protected || b.Reviews != 1 {
		t.Errorf("branch %+v", b)
	}
}
