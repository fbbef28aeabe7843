package fakehub_test

import (
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-github/v60/github"
)

// revertDocument is the one document of docs/design.md: ref, commit and pull
// request in one request, and what the merge gate needs in the answer.
const revertDocument = `
mutation Revert($repo: ID!, $ref: String!, $base: GitObjectID!, $branch: CommittableBranch!, $changes: FileChanges!, $head: String!) {
  createRef(input: {repositoryId: $repo, name: $ref, oid: $base}) { ref { name target { oid } } }
  createCommitOnBranch(input: {branch: $branch, expectedHeadOid: $base, message: {headline: "Revert \"Bad\"", body: "It broke."}, fileChanges: $changes}) {
    commit { oid tree { oid } parents(first: 2) { nodes { oid } } signature { isValid } }
  }
  createPullRequest(input: {repositoryId: $repo, baseRefName: "main", headRefName: $head, title: "Revert \"Bad\"", body: "b"}) {
    pullRequest { id number headRefOid mergeable mergeStateStatus state author { __typename login } }
  }
}`

type revertAnswer struct {
	CreateRef struct {
		Ref struct {
			Name   string
			Target struct{ Oid string }
		}
	}
	CreateCommitOnBranch *struct {
		Commit struct {
			Oid       string
			Tree      struct{ Oid string }
			Parents   struct{ Nodes []struct{ Oid string } }
			Signature struct{ IsValid bool }
		}
	}
	CreatePullRequest *struct {
		PullRequest struct {
			ID, HeadRefOid, Mergeable, MergeStateStatus, State string
			Number                                             int
			Author                                             struct {
				Typename string `json:"__typename"`
				Login    string
			}
		}
	}
}

func (w *world) revertVars(branch, base string) map[string]any {
	repo, _, err := w.bot.Repositories.Get(w.t.Context(), "acme", "fleet")
	must(w.t, err)
	return map[string]any{
		"repo": repo.GetNodeID(), "ref": "refs/heads/" + branch, "base": base, "head": branch,
		"branch": map[string]any{"repositoryNameWithOwner": "acme/fleet", "branchName": branch},
		"changes": map[string]any{"additions": []any{
			map[string]any{"path": "apps/web.yaml", "contents": base64.StdEncoding.EncodeToString([]byte("replicas: 3\nimage: web:1\n"))},
		}},
	}
}

// TestRevertStory is what the bot does all day: a command comes in by
// webhook, is acknowledged, a revert is made in one document, and merged.
func TestRevertStory(t *testing.T) {
	var mu sync.Mutex
	var events []any
	w := newWorld(t, setup{hook: func(_ http.ResponseWriter, r *http.Request) {
		body, err := github.ValidatePayload(r, []byte(hookSecret))
		if err != nil {
			t.Error(err)
		}
		event, err := github.ParseWebHook(github.WebHookType(r), body)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		events = append(events, event)
	}})
	ctx := t.Context()
	bad := w.openPR("bad", "apps/web.yaml", "replicas: 3\nimage: web:2\n")
	merged, err := w.repo.MergePR(bad.Number, "squash", "ann")
	must(t, err)
	id, err := w.repo.Comment(bad.Number, "ann", "/rollback")
	must(t, err)
	w.flush()
	mu.Lock()
	last, ok := events[len(events)-1].(*github.IssueCommentEvent)
	mu.Unlock()
	if !ok || last.GetComment().GetID() != id || !last.GetIssue().IsPullRequest() || last.GetInstallation().GetID() != w.inst ||
		last.GetSender().GetLogin() != "ann" || last.GetRepo().GetFullName() != "acme/fleet" {
		t.Fatalf("last event is %v", events[len(events)-1])
	}
	_, _, err = w.bot.Reactions.CreateIssueCommentReaction(ctx, "acme", "fleet", id, "rocket")
	must(t, err)

	vars := w.revertVars("backout/revert-1", merged)
	var got revertAnswer
	if errs := w.graphql(revertDocument, vars, &got); len(errs) > 0 {
		t.Fatal(errs)
	}
	commit, pr := got.CreateCommitOnBranch.Commit, got.CreatePullRequest.PullRequest
	if commit.Parents.Nodes[0].Oid != merged || !commit.Signature.IsValid || pr.HeadRefOid != commit.Oid {
		t.Errorf("commit %+v, pull request %+v", commit, pr)
	}
	if pr.Mergeable != "UNKNOWN" || pr.Author.Login != "backout" || pr.Author.Typename != "Bot" || pr.State != "OPEN" {
		t.Errorf("pull request %+v", pr)
	}
	read, _, err := w.bot.PullRequests.Get(ctx, "acme", "fleet", pr.Number)
	must(t, err)
	if !read.GetMergeable() || read.GetMergeableState() != "clean" || read.GetUser().GetLogin() != "backout[bot]" {
		t.Errorf("mergeable %v, state %q", read.Mergeable, read.GetMergeableState())
	}
	var merge struct {
		MergePullRequest struct {
			PullRequest struct {
				Merged      bool
				MergeCommit struct{ Oid string }
			}
		}
	}
	errs := w.graphql(`mutation($id: ID!, $head: GitObjectID!) { mergePullRequest(input: {pullRequestId: $id, expectedHeadOid: $head, mergeMethod: SQUASH}) {
		pullRequest { merged mergeCommit { oid } } } }`, map[string]any{"id": pr.ID, "head": commit.Oid}, &merge)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if text, _ := w.repo.File("main", "apps/web.yaml"); text != "replicas: 3\nimage: web:1\n" {
		t.Errorf("main has %q", text)
	}
	if w.repo.Head("main") != merge.MergePullRequest.PullRequest.MergeCommit.Oid {
		t.Error("the merge commit is not the head")
	}
	if got := w.hub.CountWrites("backout[bot]"); got != 5 {
		t.Errorf("%d content writes, want 5: %v", got, w.hub.ContentWrites())
	}
}

// TestClone fetches and pushes with the real git and an installation token.
func TestClone(t *testing.T) {
	w := newWorld(t, setup{})
	dir := t.TempDir()
	url := remote(w.repo.CloneURL(), "x-access-token", w.token())
	git(t, dir, "clone", "--quiet", url, "work")
	work := dir + "/work"
	git(t, work, "checkout", "--quiet", "-b", "topic")
	git(t, work, "commit", "--quiet", "--allow-empty", "-m", "Empty")
	git(t, work, "push", "--quiet", "origin", "topic")
	if got := git(t, work, "rev-parse", "HEAD"); got != w.repo.Head("topic") {
		t.Errorf("topic is %s, pushed %s", w.repo.Head("topic"), got)
	}
	out, err := tryGit(t, dir, "clone", "--quiet", w.repo.CloneURL(), "anonymous")
	if err == nil || !strings.Contains(out, "could not read Username") {
		t.Errorf("anonymous clone of a private repository: %v %s", err, out)
	}
	res, err := http.Get(w.repo.CloneURL() + "/info/refs?service=git-upload-pack") //nolint:noctx // one request.
	must(t, err)
	defer res.Body.Close()        //nolint:errcheck // it was read.
	io.Copy(io.Discard, res.Body) //nolint:errcheck // to reuse the connection.
	if res.StatusCode != http.StatusUnauthorized {
		t.Errorf("anonymous fetch answered %s", res.Status)
	}
}
