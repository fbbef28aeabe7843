package fakehub_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-github/v60/github"

	"github.com/backout-dev/backout/test/fakehub"
)

// TestFaults has each kind of misbehaviour once, and the hub well again after.
func TestFaults(t *testing.T) {
	w := newWorld(t, setup{})
	ctx := t.Context()
	w.openPR("topic", "apps/web.yaml", "replicas: 4\n")
	say := func(body string) error {
		return second(w.bot.Issues.CreateComment(ctx, "acme", "fleet", 1, &github.IssueComment{Body: &body}))
	}
	comments := func() int { return len(w.repo.Comments(1)) }
	const route = "POST /repos/{owner}/{repo}/issues/{issue_number}/comments"
	for name, tt := range map[string]struct {
		fault fakehub.Fault
		check func(err error) bool
		done  bool // the act was performed all the same
	}{
		"5xx": {fakehub.Fault{Status: 502}, func(err error) bool { return status(err) == 502 }, false},
		"401": {fakehub.Fault{Status: 401}, func(err error) bool { return status(err) == 401 }, false},
		"secondary limit": {fakehub.Fault{Status: 403, RetryAfter: 90 * time.Second, Header: http.Header{"X-Test": {"1"}}}, func(err error) bool {
			var limit *github.AbuseRateLimitError
			return errors.As(err, &limit) && limit.GetRetryAfter() == 90*time.Second
		}, false},
		"own words": {fakehub.Fault{Status: 405, Body: `{"message":"Base branch was modified. Review and try the merge again."}`}, func(err error) bool {
			return status(err) == 405 && strings.Contains(err.Error(), "Base branch was modified")
		}, false},
		"cut before": {fakehub.Fault{CutBefore: true}, func(err error) bool { return err != nil && status(err) == 0 }, false},
		"cut after":  {fakehub.Fault{CutAfter: true}, func(err error) bool { return err != nil && status(err) == 0 }, true},
		"slow":       {fakehub.Fault{Delay: time.Millisecond}, func(err error) bool { return err == nil }, true},
	} {
		before := comments()
		tt.fault.Match = fakehub.MatchRoute(route)
		w.hub.Fail(tt.fault)
		must(t, second(w.bot.PullRequests.Get(ctx, "acme", "fleet", 1))) // not matched.
		// A client of its own: a limit that go-github was told, it keeps to.
		w.bot = w.as(w.token())
		if err := say(name); !tt.check(err) {
			t.Errorf("%s: %v", name, err)
		}
		if got := comments() - before; (got == 1) != tt.done {
			t.Errorf("%s: %d comments", name, got)
		}
		w.bot = w.as(w.token())
		must(t, say("after "+name))
	}
	w.hub.Fail(fakehub.Fault{Status: 500, Times: -1})
	for range 3 {
		if err := say("always"); status(err) != 500 {
			t.Errorf("always: %v", err)
		}
	}
	w.hub.Behave()
	must(t, say("well"))
}

// TestGraphQLFaults cuts the connection after a merge: it has happened, and
// only a look tells.
func TestGraphQLFaults(t *testing.T) {
	w := newWorld(t, setup{})
	pr := w.openPR("topic", "apps/web.yaml", "replicas: 4\n")
	w.token()
	w.hub.Fail(fakehub.Fault{Match: fakehub.MatchField("mergePullRequest"), CutAfter: true})
	body := fmt.Sprintf(`{"query":"mutation { mergePullRequest(input: {pullRequestId: \"%s\"}) { clientMutationId } }"}`, pr.NodeID)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.hub.GraphQLURL(), strings.NewReader(body))
	must(t, err)
	req.Header.Set("Authorization", "bearer "+w.token())
	if res, err := http.DefaultClient.Do(req); err == nil {
		must(t, res.Body.Close())
		t.Errorf("the connection was not cut: %s", res.Status)
	}
	if now, _ := w.repo.PR(1); !now.Merged {
		t.Error("it was not merged")
	}
	last := w.hub.Requests()
	if r := last[len(last)-1]; r.Status != 0 || r.Writes != 1 {
		t.Errorf("the log has %+v", r)
	}
}

// TestGitFaults: a push whose answer is lost has arrived.
func TestGitFaults(t *testing.T) {
	w := newWorld(t, setup{})
	dir := w.checkout("ann", w.hub.User("ann").Token)
	write(t, dir, "a", "b")
	receive := func(r fakehub.Request) bool {
		return r.Kind == "git" && r.Method == http.MethodPost && strings.HasSuffix(r.Path, "git-receive-pack")
	}
	w.hub.Fail(fakehub.Fault{Match: receive, CutAfter: true})
	if out, err := tryGit(t, dir, "push", "origin", "main:topic"); err == nil {
		t.Errorf("the push heard of its success: %s", out)
	}
	if w.repo.Head("topic") != git(t, dir, "rev-parse", "HEAD") {
		t.Error("the push did not arrive")
	}
	w.hub.Fail(fakehub.Fault{Match: receive, CutBefore: true, Times: -1}) // curl tries again.
	if out, err := tryGit(t, dir, "push", "origin", "main:other"); err == nil || w.repo.Head("other") != "" {
		t.Errorf("the push arrived: %s", out)
	}
	w.hub.Behave()
	w.hub.Fail(fakehub.Fault{Match: func(r fakehub.Request) bool { return r.Kind == "git" }, Status: 503})
	if out, err := tryGit(t, dir, "fetch", "origin"); err == nil || !strings.Contains(out, "503") {
		t.Errorf("fetch: %v %s", err, out)
	}
	git(t, dir, "fetch", "--quiet", "origin")
}

// TestJournal counts requests and content writes, and finds the chain.
func TestJournal(t *testing.T) {
	w := newWorld(t, setup{})
	ctx := t.Context()
	pr := w.openPR("topic", "apps/web.yaml", "replicas: 4\n")
	w.token()
	from := time.Now()
	first := len(w.hub.Requests())
	must(t, second(w.bot.PullRequests.Get(ctx, "acme", "fleet", 1)))
	must(t, second(w.bot.Issues.CreateComment(ctx, "acme", "fleet", 1, &github.IssueComment{Body: new("x")})))
	w.graphql(`mutation($id: ID!) { a: addComment(input: {subjectId: $id, body: "1"}) { clientMutationId } b: addComment(input: {subjectId: $id, body: "2"}) { clientMutationId } }`, map[string]any{"id": pr.NodeID}, nil)
	w.graphql(`{ viewer { login } }`, nil, nil)
	_, _, err := w.jwt.Apps.CreateInstallationToken(ctx, w.inst, nil)
	must(t, err)
	var got []string
	for _, r := range w.hub.Requests()[first:] {
		got = append(got, fmt.Sprintf("%s by %s: %d, %d writes", r, r.Actor, r.Status, r.Writes))
	}
	want := []string{
		"GET /repos/acme/fleet/pulls/1 by backout[bot]: 200, 0 writes",
		"POST /repos/acme/fleet/issues/1/comments by backout[bot]: 201, 1 writes",
		"POST /api/graphql mutation{addComment addComment} by backout[bot]: 200, 2 writes",
		"POST /api/graphql query{viewer} by backout[bot]: 200, 0 writes",
		fmt.Sprintf("POST /app/installations/%d/access_tokens by app:backout: 201, 0 writes", w.inst),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if n := len(w.hub.Sequential(from, time.Now())); n != 5 {
		t.Errorf("the chain has %d requests", n)
	}
	if w.hub.CountWrites("backout[bot]") != 3 || w.hub.CountWrites("ann") != 0 || w.hub.CountWrites("") != 3 || len(w.hub.ContentWrites()) != 2 {
		t.Errorf("content writes are %v", w.hub.ContentWrites())
	}
	from = time.Now()
	release := make(chan struct{})
	w.hub.Fail(fakehub.Fault{Times: 4, Match: func(fakehub.Request) bool { <-release; return false }})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { w.bot.PullRequests.Get(ctx, "acme", "fleet", 1) }) //nolint:errcheck // only its time counts.
	}
	close(release)
	wg.Wait()
	w.hub.Behave()
	if n := len(w.hub.Sequential(from, time.Now())); n < 1 || n > 4 {
		t.Errorf("the chain has %d requests", n)
	}
	if n := len(w.hub.Sequential(time.Now(), time.Now())); n != 0 {
		t.Errorf("the chain of nothing has %d requests", n)
	}
}

// TestExchange hands both sides of a request to who wants to check them.
func TestExchange(t *testing.T) {
	var mu sync.Mutex
	var seen []fakehub.Exchange
	w := newWorld(t, setup{opts: fakehub.Options{OnExchange: func(e fakehub.Exchange) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, e)
	}}})
	must(t, second(w.bot.Repositories.Get(t.Context(), "acme", "fleet")))
	mu.Lock()
	defer mu.Unlock()
	last := seen[len(seen)-1]
	if last.Route != "GET /repos/{owner}/{repo}" || !strings.Contains(string(last.Response), `"full_name":"acme/fleet"`) || last.Status != 200 {
		t.Errorf("saw %+v", last)
	}
}

// TestConcurrency lets many do the same at once: one branch is made, one
// merge happens, nothing races.
func TestConcurrency(t *testing.T) {
	w := newWorld(t, setup{})
	ctx := t.Context()
	w.openPR("topic", "apps/web.yaml", "replicas: 4\n")
	base := w.repo.Head("main")
	var made, merged, said sync.Map
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			if _, _, err := w.bot.Git.CreateRef(ctx, "acme", "fleet", ref("refs/heads/lock", base)); err == nil {
				made.Store(i, true)
			}
			if _, _, err := w.bot.PullRequests.Merge(ctx, "acme", "fleet", 1, "", nil); err == nil {
				merged.Store(i, true)
			}
			if _, err := w.repo.Comment(1, "ann", "x"); err == nil {
				said.Store(i, true)
			}
			w.repo.PRs()
			w.hub.Requests()
		})
	}
	wg.Wait()
	count := func(m *sync.Map) (n int) {
		m.Range(func(any, any) bool { n++; return true })
		return n
	}
	if count(&made) != 1 || count(&merged) != 1 || count(&said) != 8 {
		t.Errorf("made %d, merged %d, said %d", count(&made), count(&merged), count(&said))
	}
}
