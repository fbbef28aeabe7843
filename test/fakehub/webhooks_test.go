package fakehub_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-github/v60/github"

	"github.com/backout-dev/backout/test/fakehub"
)

// inbox is a receiver that keeps what it gets, and checks each signature.
type inbox struct {
	t    *testing.T
	mu   sync.Mutex
	got  []*http.Request
	raw  [][]byte
	code func(event string) int
}

func (b *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		b.t.Error(err)
	}
	for _, h := range []string{"X-Hub-Signature-256", "X-Hub-Signature"} {
		if err := github.ValidateSignature(r.Header.Get(h), raw, []byte(hookSecret)); err != nil {
			b.t.Errorf("%s: %v", h, err)
		}
	}
	b.mu.Lock()
	b.got, b.raw = append(b.got, r), append(b.raw, raw)
	b.mu.Unlock()
	if b.code != nil {
		w.WriteHeader(b.code(r.Header.Get("X-GitHub-Event")))
	}
}

// take returns what has come since it was last called, as "event action by".
func (b *inbox) take() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var list []string
	for i, r := range b.got {
		var p struct {
			Action string
			Sender struct{ Login string }
		}
		if err := json.Unmarshal(b.raw[i], &p); err != nil {
			b.t.Error(err)
		}
		if _, err := github.ParseWebHook(r.Header.Get("X-GitHub-Event"), b.raw[i]); err != nil {
			b.t.Errorf("%s: %v", r.Header.Get("X-GitHub-Event"), err)
		}
		list = append(list, strings.Join(strings.Fields(r.Header.Get("X-GitHub-Event")+" "+p.Action+" "+p.Sender.Login), " "))
	}
	b.got, b.raw = nil, nil
	return list
}

func withInbox(t *testing.T, s setup) (*world, *inbox) {
	b := &inbox{t: t}
	s.hook = b.ServeHTTP
	w := newWorld(t, s)
	w.flush()
	b.take()
	return w, b
}

// TestEvents has each act send what GitHub sends.
func TestEvents(t *testing.T) {
	w, b := withInbox(t, setup{repo: fakehub.RepoOptions{AllowAutoMerge: true}})
	ctx := t.Context()
	var comment int64
	var pr fakehub.PR
	for _, step := range []struct {
		act  func()
		want []string
	}{
		{func() { w.edit("main", "x", "y") }, []string{"push ann"}},
		{func() { pr = w.openPR("topic", "apps/web.yaml", "replicas: 4\n") }, []string{"push ann", "pull_request opened ann"}},
		{func() { w.edit("topic", "apps/web.yaml", "replicas: 5\n") }, []string{"push ann", "pull_request synchronize ann"}},
		{func() { comment, _ = w.repo.Comment(1, "ann", "hi") }, []string{"issue_comment created ann"}},
		{func() { must(t, w.repo.EditComment(comment, "bob", "ho")) }, []string{"issue_comment edited bob"}},
		{func() { must(t, w.repo.DeleteComment(comment, "ann")) }, []string{"issue_comment deleted ann"}},
		{func() {
			_, _, err := w.bot.Issues.CreateComment(ctx, "acme", "fleet", 1, &github.IssueComment{Body: new("x")})
			must(t, err)
		}, []string{"issue_comment created backout[bot]"}},
		{func() { must(t, w.repo.SetCheck(w.repo.Head("topic"), "ci", "", nil)) }, []string{"check_run created github-actions[bot]"}},
		{func() { must(t, w.repo.SetCheck(w.repo.Head("topic"), "ci", "success", nil)) }, []string{
			"check_run completed github-actions[bot]", "check_suite completed github-actions[bot]",
		}},
		{func() { must(t, w.repo.SetStatus(w.repo.Head("topic"), "old", "success", "ann")) }, []string{"status ann"}},
		{func() { must(t, w.repo.Review(1, "bob", "COMMENT", "nice")) }, []string{"pull_request_review submitted bob"}},
		{func() {
			must(t, w.repo.Grant("cat", "write"))
			_, _, err := w.bot.PullRequests.RequestReviewers(ctx, "acme", "fleet", 1, github.ReviewersRequest{Reviewers: []string{"cat"}})
			must(t, err)
		}, []string{"pull_request review_requested backout[bot]"}},
		{func() {
			_, _, err := w.bot.PullRequests.Edit(ctx, "acme", "fleet", 1, &github.PullRequest{Title: new("New")})
			must(t, err)
		}, []string{"pull_request edited backout[bot]"}},
		{func() {
			_, _, err := w.bot.PullRequests.Merge(ctx, "acme", "fleet", pr.Number, "", nil)
			must(t, err)
		}, []string{"pull_request closed backout[bot]", "push backout[bot]"}},
		{func() { must(t, w.repo.DeleteBranch("ann", "topic")) }, []string{"push ann"}},
		{func() { w.openPR("other", "z", "1") }, []string{"push ann", "pull_request opened ann"}},
		{func() { must(t, w.repo.DeleteBranch("ann", "other")) }, []string{"push ann", "pull_request closed ann"}},
		{func() {
			_, err := w.hub.CreateRepo("acme/two", fakehub.RepoOptions{Files: map[string]string{"a": "b"}})
			must(t, err)
		}, nil},
		{func() { _, err := w.hub.Install(w.app, "acme/two"); must(t, err) }, []string{"installation_repositories added acme"}},
		{func() { must(t, w.hub.Uninstall(w.app, "acme", "acme/two")) }, []string{"installation_repositories removed acme"}},
		{func() { must(t, w.hub.Suspend(w.app, "acme", true)) }, []string{"installation suspend acme"}},
		{func() { w.edit("main", "q", "y") }, nil},
		{func() { must(t, w.hub.Suspend(w.app, "acme", false)) }, []string{"installation unsuspend acme"}},
		{func() { must(t, w.hub.Uninstall(w.app, "acme")) }, []string{"installation deleted acme"}},
	} {
		step.act()
		w.flush()
		if diff := cmp.Diff(step.want, b.take()); diff != "" {
			t.Error(diff)
		}
	}
}

// TestPayloads reads payloads with go-github as the product will.
func TestPayloads(t *testing.T) {
	var mu sync.Mutex
	last := map[string]any{}
	w := newWorld(t, setup{hook: func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		event, err := github.ParseWebHook(github.WebHookType(r), body)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		last[github.WebHookType(r)] = event
	}})
	before := w.repo.Head("main")
	bad := w.openPR("topic", "apps/web.yaml", "replicas: 4\n")
	merged, err := w.repo.MergePR(1, "squash", "ann")
	must(t, err)
	issue := w.repo.OpenIssue("ann", "It broke", "")
	_, err = w.repo.Comment(issue, "ann", "help")
	must(t, err)
	must(t, w.repo.SetCheck(merged, "ci", "failure", nil))
	must(t, w.repo.SetStatus(merged, "old", "error", "ann"))
	w.flush()
	mu.Lock()
	defer mu.Unlock()
	push := last["push"].(*github.PushEvent)
	if push.GetRef() != "refs/heads/main" || push.GetBefore() != before || push.GetAfter() != merged || len(push.Commits) != 1 ||
		!cmp.Equal(push.Commits[0].Modified, []string{"apps/web.yaml"}) || push.GetRepo().GetFullName() != "acme/fleet" || push.GetInstallation().GetID() != w.inst {
		t.Errorf("push is %v", push)
	}
	pull := last["pull_request"].(*github.PullRequestEvent)
	if pull.GetAction() != "closed" || !pull.GetPullRequest().GetMerged() || pull.GetPullRequest().GetMergeCommitSHA() != merged || pull.GetNumber() != bad.Number || pull.GetPullRequest().GetMergedBy().GetLogin() != "ann" {
		t.Errorf("pull_request is %v", pull)
	}
	comment := last["issue_comment"].(*github.IssueCommentEvent)
	if comment.GetIssue().IsPullRequest() || comment.GetComment().GetBody() != "help" || comment.GetComment().GetAuthorAssociation() != "COLLABORATOR" {
		t.Errorf("issue_comment is %v", comment)
	}
	suite := last["check_suite"].(*github.CheckSuiteEvent)
	if suite.GetCheckSuite().GetHeadSHA() != merged || suite.GetCheckSuite().GetConclusion() != "failure" || suite.GetCheckSuite().GetHeadBranch() != "main" {
		t.Errorf("check_suite is %v", suite)
	}
	state := last["status"].(*github.StatusEvent)
	if state.GetSHA() != merged || state.GetState() != "error" || len(state.Branches) != 1 {
		t.Errorf("status is %v", state)
	}
	in := last["installation"].(*github.InstallationEvent)
	if in.GetAction() != "created" || len(in.Repositories) != 1 || in.GetInstallation().GetAppID() != w.app.ID() {
		t.Errorf("installation is %v", in)
	}
}

// TestSubscription: an event needs a subscription and a permission.
func TestSubscription(t *testing.T) {
	w, b := withInbox(t, setup{app: fakehub.AppOptions{
		Events: []string{"issue_comment", "push"}, Permissions: map[string]string{"contents": "read", "pull_requests": "write"},
	}})
	w.openPR("topic", "apps/web.yaml", "replicas: 4\n")
	_, err := w.repo.Comment(1, "ann", "hi")
	must(t, err)
	w.flush()
	// issue_comment takes issues:read, even on pull requests.
	if diff := cmp.Diff([]string{"push ann"}, b.take()); diff != "" {
		t.Error(diff)
	}
	w.app.SetWebhook("", "")
	w.edit("main", "a", "b")
	w.flush()
	if got := b.take(); got != nil {
		t.Errorf("with no webhook: %v", got)
	}
}

func TestDeliveryHeaders(t *testing.T) {
	w, b := withInbox(t, setup{})
	w.edit("main", "a", "b")
	w.flush()
	h := b.got[0].Header
	for name, want := range map[string]string{
		"X-GitHub-Event": "push", "Content-Type": "application/json", "X-GitHub-Hook-Installation-Target-Type": "integration",
		"X-GitHub-Hook-Installation-Target-ID": fmt.Sprint(w.app.ID()),
	} {
		if got := h.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if len(h.Get("X-GitHub-Delivery")) != 36 || h.Get("X-GitHub-Hook-ID") == "" || !strings.HasPrefix(h.Get("User-Agent"), "GitHub-Hookshot/") {
		t.Errorf("headers are %v", h)
	}
}

// TestDeliveryLog finds what failed and sends it again under the same GUID.
func TestDeliveryLog(t *testing.T) {
	w, b := withInbox(t, setup{})
	ctx := t.Context()
	b.code = func(event string) int {
		if event == "issue_comment" {
			return http.StatusServiceUnavailable
		}
		return http.StatusAccepted
	}
	n := w.repo.OpenIssue("ann", "x", "")
	_, err := w.repo.Comment(n, "ann", "/rollback")
	must(t, err)
	w.edit("main", "a", "b")
	w.hub.LoseWebhook(func(d fakehub.Delivery) bool { return d.Event == "push" })
	w.edit("main", "a", "c")
	w.flush()
	b.code = nil
	log := func(status string) []*github.HookDelivery {
		req, err := w.jwt.NewRequest(http.MethodGet, "app/hook/deliveries?status="+status, nil)
		must(t, err)
		var list []*github.HookDelivery
		_, err = w.jwt.Do(ctx, req, &list)
		must(t, err)
		return list
	}
	failed := log("failure")
	var got []string
	for _, d := range failed {
		got = append(got, fmt.Sprintf("%s %d %s", d.GetEvent(), d.GetStatusCode(), d.GetStatus()))
	}
	if diff := cmp.Diff([]string{"push 504 timed out", "issue_comment 503 Invalid HTTP Response: 503"}, got); diff != "" {
		t.Fatal(diff)
	}
	if ok := log("success"); len(ok) != 3 || ok[0].GetEvent() != "push" { // installation, push of the setup's commits
		t.Logf("deliveries that went well are %v", ok)
	}
	one, _, err := w.jwt.Apps.GetHookDelivery(ctx, failed[1].GetID())
	must(t, err)
	if event, err := one.ParseRequestPayload(); err != nil || event.(*github.IssueCommentEvent).GetComment().GetBody() != "/rollback" {
		t.Errorf("payload is %v %v", event, err)
	}
	b.take()
	_, _, err = w.jwt.Apps.RedeliverHookDelivery(ctx, failed[1].GetID())
	if _, ok := err.(*github.AcceptedError); err != nil && !ok { //nolint:errorlint // go-github returns it bare.
		t.Fatal(err)
	}
	w.flush()
	if b.got[0].Header.Get("X-GitHub-Delivery") != failed[1].GetGUID() {
		t.Error("it came again under another GUID")
	}
	deliveries := w.app.Deliveries()
	if last := deliveries[len(deliveries)-1]; !last.Redelivery || last.GUID != failed[1].GetGUID() || last.StatusCode != http.StatusOK || last.ID == failed[1].GetID() {
		t.Errorf("the log ends with %+v", last)
	}
	if !w.app.Redeliver(failed[0].GetID()) || w.app.Redeliver(1) {
		t.Error("Redeliver finds the wrong ones")
	}
	_, _, err = w.jwt.Apps.RedeliverHookDelivery(ctx, 1)
	wantStatus(t, err, http.StatusNotFound, "Not Found")
	w.flush()
}

func TestDeliveryPages(t *testing.T) {
	w, _ := withInbox(t, setup{})
	n := w.repo.OpenIssue("ann", "x", "")
	for range 5 {
		_, err := w.repo.Comment(n, "ann", "x")
		must(t, err)
	}
	w.flush()
	var ids []int64
	opts := &github.ListCursorOptions{PerPage: 2}
	for {
		list, res, err := w.jwt.Apps.ListHookDeliveries(t.Context(), opts)
		must(t, err)
		for _, d := range list {
			ids = append(ids, d.GetID())
		}
		if res.Cursor == "" {
			break
		}
		opts.Cursor = res.Cursor
	}
	if len(ids) != len(w.app.Deliveries()) || !slices.IsSortedFunc(ids, func(a, b int64) int { return int(b - a) }) {
		t.Errorf("%d of %d deliveries: %v", len(ids), len(w.app.Deliveries()), ids)
	}
}

// TestNobodyListens logs what GitHub logs when it can't connect.
func TestNobodyListens(t *testing.T) {
	w := newWorld(t, setup{})
	srv := httptest.NewServer(http.NotFoundHandler())
	srv.Close()
	w.app.SetWebhook(srv.URL, hookSecret)
	w.edit("main", "a", "b")
	w.flush()
	log := w.app.Deliveries()
	if len(log) != 1 || log[0].StatusCode != http.StatusBadGateway || log[0].Status != "failed to connect to host" {
		t.Errorf("log is %+v", log)
	}
}

// TestHoldAndShuffle delivers late and in the wrong order.
func TestHoldAndShuffle(t *testing.T) {
	w, b := withInbox(t, setup{})
	release := w.hub.HoldWebhooks()
	n := w.repo.OpenIssue("ann", "x", "")
	for _, body := range []string{"one", "two"} {
		_, err := w.repo.Comment(n, "ann", body)
		must(t, err)
	}
	w.edit("main", "a", "b")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := w.hub.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("flush of held webhooks: %v", err)
	}
	if got := b.take(); got != nil {
		t.Errorf("held, and yet came %v", got)
	}
	w.hub.Shuffle()
	release()
	release()
	w.flush()
	if diff := cmp.Diff([]string{"push ann", "issue_comment created ann", "issue_comment created ann"}, b.take()); diff != "" {
		t.Error(diff)
	}
}

// TestFlushWaitsForEchoes: an answer that causes more is waited for too.
func TestFlushWaitsForEchoes(t *testing.T) {
	var w *world
	var mu sync.Mutex
	var bodies []string
	w = newWorld(t, setup{hook: func(_ http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		if r.Header.Get("X-GitHub-Event") != "issue_comment" {
			return
		}
		var e github.IssueCommentEvent
		if err := json.Unmarshal(raw, &e); err != nil {
			t.Error(err)
		}
		mu.Lock()
		bodies = append(bodies, e.GetComment().GetBody())
		n := len(bodies)
		mu.Unlock()
		if n < 4 {
			if _, err := w.repo.Comment(e.GetIssue().GetNumber(), "ann", fmt.Sprint(n)); err != nil {
				t.Error(err)
			}
		}
	}})
	n := w.repo.OpenIssue("ann", "x", "")
	_, err := w.repo.Comment(n, "ann", "0")
	must(t, err)
	w.flush()
	if diff := cmp.Diff([]string{"0", "1", "2", "3"}, bodies); diff != "" {
		t.Error(diff)
	}
}
