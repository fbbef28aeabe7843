package fakehub_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-github/v60/github"

	"github.com/backout-dev/backout/test/fakehub"
)

// twoCommits opens a pull request with two commits while main moves on.
func (w *world) twoCommits() fakehub.PR {
	w.edit("topic", "apps/web.yaml", "replicas: 4\n")
	w.edit("topic", "apps/api.yaml", "replicas: 1\n")
	pr, err := w.repo.OpenPR("ann", "Scale up", "topic", "main", nil)
	must(w.t, err)
	w.edit("main", "other", "x")
	return pr
}

// TestMergeMethods holds what each method writes against what GitHub writes.
func TestMergeMethods(t *testing.T) {
	const github1 = "GitHub <noreply@github.com>"
	for method, want := range map[string]struct {
		messages  []string // of the first-parent history above main's old tip
		parents   int
		author    string
		committer string
		verified  bool
	}{
		"merge":  {[]string{"Merge pull request #1 from acme/topic\n\nScale up"}, 2, "backout[bot]", github1, true},
		"squash": {[]string{"Scale up (#1)\n\n* Change apps/web.yaml\n\n* Change apps/api.yaml"}, 1, "ann", github1, true},
		"rebase": {[]string{"Change apps/api.yaml\n", "Change apps/web.yaml\n"}, 1, "ann", "backout[bot]", false},
	} {
		t.Run(method, func(t *testing.T) {
			w := newWorld(t, setup{})
			pr := w.twoCommits()
			before := w.repo.Head("main")
			res, _, err := w.bot.PullRequests.Merge(t.Context(), "acme", "fleet", pr.Number, "", &github.PullRequestOptions{MergeMethod: method, SHA: pr.HeadSHA})
			must(t, err)
			if !res.GetMerged() || res.GetSHA() != w.repo.Head("main") {
				t.Errorf("answer is %v, main %s", res, w.repo.Head("main"))
			}
			log, err := w.repo.Log("main")
			must(t, err)
			var messages []string
			for _, c := range log {
				if c.SHA == before {
					break
				}
				messages = append(messages, c.Message)
			}
			if diff := cmp.Diff(want.messages, messages); diff != "" {
				t.Error(diff)
			}
			tip := log[0]
			if len(tip.Parents) != want.parents || !strings.HasPrefix(tip.Author, want.author+" ") || !strings.HasPrefix(tip.Committer, want.committer) || tip.Verified != want.verified {
				t.Errorf("tip is %+v", tip)
			}
			for path, text := range map[string]string{"apps/web.yaml": "replicas: 4\n", "apps/api.yaml": "replicas: 1\n", "other": "x"} {
				if got, _ := w.repo.File("main", path); got != text {
					t.Errorf("%s is %q", path, got)
				}
			}
			now, _ := w.repo.PR(pr.Number)
			if !now.Merged || now.State != "closed" || now.MergedBy != "backout[bot]" || now.MergeSHA != tip.SHA {
				t.Errorf("the pull request is %+v", now)
			}
			_, _, err = w.bot.PullRequests.Merge(t.Context(), "acme", "fleet", pr.Number, "", nil)
			wantStatus(t, err, http.StatusMethodNotAllowed, "not mergeable")
			merged, _, err := w.bot.PullRequests.IsMerged(t.Context(), "acme", "fleet", pr.Number)
			if err != nil || !merged {
				t.Errorf("is merged: %v %v", merged, err)
			}
			git(t, w.repo.Dir, "fsck", "--strict", "--no-dangling")
		})
	}
}

// TestSquashOfOne takes the commit's own words, as GitHub does by default.
func TestSquashOfOne(t *testing.T) {
	w := newWorld(t, setup{})
	text := "x"
	_, err := w.repo.Commit("topic", "ann", "Subject\n\nThe reason.", map[string]*string{"a": &text})
	must(t, err)
	pr, err := w.repo.OpenPR("ann", "Another title", "topic", "main", nil)
	must(t, err)
	_, err = w.repo.MergePR(pr.Number, "squash", "ann")
	must(t, err)
	log, err := w.repo.Log("main")
	must(t, err)
	if log[0].Message != "Subject (#1)\n\nThe reason." {
		t.Errorf("message is %q", log[0].Message)
	}
}

func TestMergeRefusals(t *testing.T) {
	w := newWorld(t, setup{repo: fakehub.RepoOptions{Methods: []string{"squash"}}})
	ctx := t.Context()
	pr := w.openPR("topic", "apps/web.yaml", "replicas: 4\n")
	_, _, err := w.bot.PullRequests.Merge(ctx, "acme", "fleet", 1, "", &github.PullRequestOptions{MergeMethod: "squash", SHA: w.repo.Head("main")})
	wantStatus(t, err, http.StatusConflict, "Head branch was modified. Review and try the merge again.")
	_, _, err = w.bot.PullRequests.Merge(ctx, "acme", "fleet", 1, "", nil)
	wantStatus(t, err, http.StatusMethodNotAllowed, "Merge commits are not allowed on this repository.")
	_, _, err = w.bot.PullRequests.Merge(ctx, "acme", "fleet", 1, "", &github.PullRequestOptions{MergeMethod: "octopus"})
	wantStatus(t, err, http.StatusUnprocessableEntity, "Validation Failed")
	_, _, err = w.bot.PullRequests.Merge(ctx, "acme", "fleet", 99, "", nil)
	wantStatus(t, err, http.StatusNotFound, "Not Found")
	errs := w.graphql(`mutation($id: ID!, $sha: GitObjectID!) { mergePullRequest(input: {pullRequestId: $id, mergeMethod: SQUASH, expectedHeadOid: $sha}) { clientMutationId } }`,
		map[string]any{"id": pr.NodeID, "sha": w.repo.Head("main")}, nil)
	if len(errs) != 1 || errs[0].Message != "Head branch was modified. Review and try the merge again." {
		t.Errorf("GraphQL: %+v", errs)
	}
	_, _, err = w.bot.PullRequests.Merge(ctx, "acme", "fleet", 1, "Why.", &github.PullRequestOptions{MergeMethod: "squash", CommitTitle: "Mine", SHA: pr.HeadSHA})
	must(t, err)
	log, err := w.repo.Log("main")
	must(t, err)
	if log[0].Message != "Mine\n\nWhy." {
		t.Errorf("message is %q", log[0].Message)
	}
}

// TestMergePR is the test's own merge: past protection, not past conflicts.
func TestMergePR(t *testing.T) {
	w := newWorld(t, setup{})
	w.openPR("one", "apps/web.yaml", "replicas: 4\n")
	w.openPR("two", "apps/web.yaml", "replicas: 5\n")
	w.repo.Protect("main", fakehub.Protection{Approvals: 2})
	_, err := w.repo.MergePR(1, "squash", "ann")
	must(t, err)
	for _, n := range []int{1, 2, 3} {
		if _, err := w.repo.MergePR(n, "squash", "ann"); err == nil {
			t.Errorf("merged %d", n)
		}
	}
}

// TestMergeWorkflow refuses to bring in a workflow without the permission.
func TestMergeWorkflow(t *testing.T) {
	w := newWorld(t, setup{})
	w.openPR("topic", ".github/workflows/ci.yaml", "on: push\n")
	_, _, err := w.bot.PullRequests.Merge(t.Context(), "acme", "fleet", 1, "", nil)
	wantStatus(t, err, http.StatusForbidden, "without `workflows` permission")
	_, _, err = w.as(w.hub.User("ann").Token).PullRequests.Merge(t.Context(), "acme", "fleet", 1, "", nil)
	must(t, err)
}

// TestDeleteBranchOnMerge closes nothing but the branch.
func TestDeleteBranchOnMerge(t *testing.T) {
	w := newWorld(t, setup{repo: fakehub.RepoOptions{DeleteBranchOnMerge: true}})
	w.openPR("topic", "apps/web.yaml", "replicas: 4\n")
	_, err := w.repo.MergePR(1, "merge", "ann")
	must(t, err)
	if now, _ := w.repo.PR(1); !now.Merged || w.repo.Head("topic") != "" {
		t.Errorf("it is %+v, topic at %q", now, w.repo.Head("topic"))
	}
}

func TestUpdateBranch(t *testing.T) {
	w := newWorld(t, setup{})
	ctx := t.Context()
	pr := w.openPR("topic", "apps/web.yaml", "replicas: 4\n")
	update := func(sha string) error {
		_, _, err := w.bot.PullRequests.UpdateBranch(ctx, "acme", "fleet", 1, &github.PullRequestBranchUpdateOptions{ExpectedHeadSHA: &sha})
		if _, ok := err.(*github.AcceptedError); ok { //nolint:errorlint // go-github returns it bare.
			return nil
		}
		return err
	}
	wantStatus(t, update(pr.HeadSHA), http.StatusUnprocessableEntity, "no new commits on the base branch")
	base := w.edit("main", "other", "x")
	wantStatus(t, update(base), http.StatusUnprocessableEntity, "expected head sha")
	must(t, update(pr.HeadSHA))
	log, err := w.repo.Log("topic")
	must(t, err)
	if diff := cmp.Diff([]string{pr.HeadSHA, base}, log[0].Parents); diff != "" || log[0].Subject != "Merge branch 'main' into topic" {
		t.Errorf("topic is at %+v", log[0])
	}
	if now, _ := w.repo.PR(1); now.HeadSHA != log[0].SHA {
		t.Error("the pull request did not follow")
	}
	w.edit("main", "apps/web.yaml", "replicas: 77\n")
	wantStatus(t, update(log[0].SHA), http.StatusUnprocessableEntity, "merge conflict")
}

// TestAutoMerge arms GitHub's own auto-merge, which is refused on what could
// be merged at once.
func TestAutoMerge(t *testing.T) {
	w := newWorld(t, setup{repo: fakehub.RepoOptions{AllowAutoMerge: true}})
	pr := w.openPR("topic", "apps/web.yaml", "replicas: 4\n")
	const arm = `mutation($id: ID!) { enablePullRequestAutoMerge(input: {pullRequestId: $id, mergeMethod: SQUASH}) { pullRequest { autoMergeRequest { enabledAt mergeMethod enabledBy { login } } } } }`
	const disarm = `mutation($id: ID!) { disablePullRequestAutoMerge(input: {pullRequestId: $id}) { pullRequest { autoMergeRequest { enabledAt } } } }`
	id := map[string]any{"id": pr.NodeID}
	if errs := w.graphql(arm, id, nil); len(errs) != 1 || errs[0].Message != "Pull request Pull request is in clean status" {
		t.Errorf("armed on clean: %+v", errs)
	}
	w.repo.Protect("main", fakehub.Protection{RequiredChecks: ci("ci")})
	var got struct {
		EnablePullRequestAutoMerge struct {
			PullRequest struct {
				AutoMergeRequest struct {
					EnabledAt, MergeMethod string
					EnabledBy              struct{ Login string }
				}
			}
		}
	}
	if errs := w.graphql(arm, id, &got); len(errs) > 0 || got.EnablePullRequestAutoMerge.PullRequest.AutoMergeRequest.MergeMethod != "SQUASH" {
		t.Fatalf("not armed: %+v %+v", errs, got)
	}
	if errs := w.graphql(disarm, id, nil); len(errs) > 0 {
		t.Fatal(errs)
	}
	must(t, w.repo.SetCheck(pr.HeadSHA, "ci", "failure", nil))
	if errs := w.graphql(arm, id, nil); len(errs) > 0 {
		t.Fatal(errs)
	}
	if now, _ := w.repo.PR(1); now.Merged || !now.Auto {
		t.Errorf("while blocked it is %+v", now)
	}
	must(t, w.repo.SetCheck(pr.HeadSHA, "ci", "success", nil))
	if now, _ := w.repo.PR(1); !now.Merged || now.MergedBy != "backout[bot]" {
		t.Errorf("when green it is %+v", now)
	}
	if errs := w.graphql(disarm, id, nil); len(errs) != 1 {
		t.Errorf("disarmed twice: %+v", errs)
	}
}

func TestAutoMergeOff(t *testing.T) {
	w := newWorld(t, setup{})
	w.repo.Protect("main", fakehub.Protection{RequiredChecks: ci("ci")})
	pr := w.openPR("topic", "apps/web.yaml", "replicas: 4\n")
	errs := w.graphql(`mutation($id: ID!) { enablePullRequestAutoMerge(input: {pullRequestId: $id}) { clientMutationId } }`, map[string]any{"id": pr.NodeID}, nil)
	if len(errs) != 1 || errs[0].Message != "Pull request Auto merge is not allowed for this repository" {
		t.Errorf("armed where it is off: %+v", errs)
	}
}

func TestMergeQueue(t *testing.T) {
	w := newWorld(t, setup{})
	w.repo.Protect("main", fakehub.Protection{MergeQueue: true, RequiredChecks: ci("ci")})
	one := w.openPR("one", "a", "1")
	two := w.openPR("two", "b", "1")
	const enter = `mutation($id: ID!, $sha: GitObjectID) { enqueuePullRequest(input: {pullRequestId: $id, expectedHeadOid: $sha}) { mergeQueueEntry { position state pullRequest { isInMergeQueue isMergeQueueEnabled } } } }`
	enqueue := func(pr fakehub.PR) (int, []gqlError) {
		var got struct {
			EnqueuePullRequest struct{ MergeQueueEntry struct{ Position int } }
		}
		errs := w.graphql(enter, map[string]any{"id": pr.NodeID, "sha": pr.HeadSHA}, &got)
		return got.EnqueuePullRequest.MergeQueueEntry.Position, errs
	}
	if _, errs := enqueue(one); len(errs) != 1 || !strings.Contains(errs[0].Message, "is expected") {
		t.Errorf("enqueued without its check: %+v", errs)
	}
	for _, pr := range []fakehub.PR{one, two} {
		must(t, w.repo.SetCheck(pr.HeadSHA, "ci", "success", nil))
	}
	_, _, err := w.bot.PullRequests.Merge(t.Context(), "acme", "fleet", 1, "", nil)
	wantStatus(t, err, http.StatusMethodNotAllowed, "merge queue")
	for i, pr := range []fakehub.PR{one, two} {
		if place, errs := enqueue(pr); place != i+1 || len(errs) > 0 {
			t.Errorf("place %d: %+v", place, errs)
		}
	}
	if errs := w.graphql(`mutation($id: ID!) { dequeuePullRequest(input: {id: $id}) { mergeQueueEntry { id } } }`, map[string]any{"id": one.NodeID}, nil); len(errs) > 0 {
		t.Fatal(errs)
	}
	must(t, w.repo.RunQueue("main"))
	a, _ := w.repo.PR(one.Number)
	b, _ := w.repo.PR(two.Number)
	if a.Merged || a.Queued || !b.Merged {
		t.Errorf("after the queue ran: %+v, %+v", a, b)
	}
}
