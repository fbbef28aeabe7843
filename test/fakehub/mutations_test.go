package fakehub_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/backout-dev/backout/test/fakehub"
)

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// TestSerialMutation has every way that the one revert document can fail in
// the middle: what failed is null, what comes later still runs.
func TestSerialMutation(t *testing.T) {
	for name, tt := range map[string]struct {
		arrange func(w *world, vars map[string]any)
		errors  []gqlError
		commit  bool // made
		pull    bool // opened
	}{
		"all well": {func(*world, map[string]any) {}, nil, true, true},
		"the ref is there, where it should be": {func(w *world, _ map[string]any) {
			must(w.t, w.repo.CreateBranch("ann", "revert", "main"))
		}, []gqlError{
			{Type: "UNPROCESSABLE", Path: []any{"createRef"}, Message: `A ref named "refs/heads/revert" already exists in the repository.`},
		}, true, true},
		"the ref is there, elsewhere": {func(w *world, vars map[string]any) {
			w.edit("revert", "x", "y")
		}, []gqlError{
			{Type: "UNPROCESSABLE", Path: []any{"createRef"}, Message: `A ref named "refs/heads/revert" already exists in the repository.`},
			{Type: "STALE_DATA", Path: []any{"createCommitOnBranch"}, Message: `Expected branch to point to "BASE" but it did not.  Pull and try again.`},
		}, false, true},
		"it was all done before": {func(w *world, vars map[string]any) {
			if errs := w.graphql(revertDocument, vars, nil); len(errs) > 0 {
				w.t.Fatal(errs)
			}
		}, []gqlError{
			{Type: "UNPROCESSABLE", Path: []any{"createRef"}, Message: `A ref named "refs/heads/revert" already exists in the repository.`},
			{Type: "STALE_DATA", Path: []any{"createCommitOnBranch"}, Message: `Expected branch to point to "BASE" but it did not.  Pull and try again.`},
			{Type: "UNPROCESSABLE", Path: []any{"createPullRequest"}, Message: "A pull request already exists for acme:revert."},
		}, false, false},
		"a path is gone": {func(_ *world, vars map[string]any) {
			vars["changes"] = map[string]any{"deletions": []any{map[string]any{"path": "nothing"}}}
		}, []gqlError{
			{Type: "NOT_FOUND", Path: []any{"createCommitOnBranch"}, Message: "A path was requested for deletion which does not exist as of commit oid `BASE`"},
			{Type: "UNPROCESSABLE", Path: []any{"createPullRequest"}, Message: "No commits between main and revert"},
		}, false, false},
		"a workflow": {func(_ *world, vars map[string]any) {
			vars["changes"] = map[string]any{"additions": []any{map[string]any{"path": ".github/workflows/x.yaml", "contents": b64("on: push")}}}
		}, []gqlError{
			{Type: "FORBIDDEN", Path: []any{"createCommitOnBranch"}, Message: "Resource not accessible by integration"},
			{Type: "UNPROCESSABLE", Path: []any{"createPullRequest"}, Message: "No commits between main and revert"},
		}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, setup{})
			base := w.edit("main", "apps/web.yaml", "bad\n")
			vars := w.revertVars("revert", base)
			tt.arrange(w, vars)
			var got revertAnswer
			errs := w.graphql(revertDocument, vars, &got)
			for i := range tt.errors {
				tt.errors[i].Message = strings.ReplaceAll(tt.errors[i].Message, "BASE", base)
			}
			if diff := cmp.Diff(tt.errors, errs); diff != "" {
				t.Error(diff)
			}
			if (got.CreateCommitOnBranch != nil) != tt.commit || (got.CreatePullRequest != nil) != tt.pull {
				t.Errorf("commit %v, pull request %v", got.CreateCommitOnBranch, got.CreatePullRequest)
			}
		})
	}
}

const commitDoc = `mutation($branch: CommittableBranch!, $head: GitObjectID!, $changes: FileChanges!) {
	createCommitOnBranch(input: {branch: $branch, expectedHeadOid: $head, message: {headline: "Change", body: "Why."}, fileChanges: $changes}) {
		commit { oid message author { name email user { login } } committer { name } tree { oid entries { name mode type } } } ref { name }
	} }`

func (w *world) commitVars(branch string, additions map[string]string, deletions ...string) map[string]any {
	var add, del []any
	for path, text := range additions {
		add = append(add, map[string]any{"path": path, "contents": b64(text)})
	}
	for _, path := range deletions {
		del = append(del, map[string]any{"path": path})
	}
	return map[string]any{
		"branch":  map[string]any{"repositoryNameWithOwner": "acme/fleet", "branchName": branch},
		"head":    w.repo.Head(branch),
		"changes": map[string]any{"additions": add, "deletions": del},
	}
}

type commitAnswer struct {
	CreateCommitOnBranch struct {
		Commit struct {
			Oid, Message string
			Author       struct {
				Name, Email string
				User        *struct{ Login string }
			}
			Committer struct{ Name string }
			Tree      struct {
				Oid     string
				Entries []struct {
					Name, Type string
					Mode       int
				}
			}
		}
		Ref struct{ Name string }
	}
}

func TestCreateCommitOnBranch(t *testing.T) {
	w := newWorld(t, setup{})
	dir := w.checkout("ann", w.hub.User("ann").Token)
	write(t, dir, "run.sh", "#!/bin/sh\n")
	git(t, dir, "update-index", "--chmod=+x", "run.sh")
	git(t, dir, "commit", "--quiet", "-m", "Executable")
	git(t, dir, "push", "--quiet", "origin", "main")
	var got commitAnswer
	errs := w.graphql(commitDoc, w.commitVars("main", map[string]string{"run.sh": "new", "dir/fresh": "a"}, "README.md"), &got)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	c := got.CreateCommitOnBranch.Commit
	if c.Message != "Change\n\nWhy." || c.Author.Name != "backout[bot]" || c.Committer.Name != "GitHub" || w.repo.Head("main") != c.Oid || got.CreateCommitOnBranch.Ref.Name != "main" {
		t.Errorf("commit is %+v", c)
	}
	var entries []string
	for _, e := range c.Tree.Entries {
		entries = append(entries, fmt.Sprintf("%o %s %s", e.Mode, e.Type, e.Name))
	}
	if diff := cmp.Diff([]string{"40000 tree apps", "40000 tree dir", "100755 blob run.sh"}, entries); diff != "" {
		t.Error(diff)
	}
	log, err := w.repo.Log("main")
	must(t, err)
	if !log[0].Verified || log[1].Verified {
		t.Errorf("verified: %v, %v", log[0].Verified, log[1].Verified)
	}
}

func TestCommitRefusals(t *testing.T) {
	w := newWorld(t, setup{})
	with := func(vars map[string]any, k string, v any) map[string]any {
		vars[k] = v
		return vars
	}
	ok := map[string]string{"a": "b"}
	for name, tt := range map[string]struct {
		vars map[string]any
		kind string
	}{
		"no branch":     {with(w.commitVars("nothing", ok), "head", w.repo.Head("main")), "NOT_FOUND"},
		"no repository": {with(w.commitVars("main", ok), "branch", map[string]any{"repositoryNameWithOwner": "acme/none", "branchName": "main"}), "NOT_FOUND"},
		"not Base64":    {with(w.commitVars("main", ok), "changes", map[string]any{"additions": []any{map[string]any{"path": "a", "contents": "?"}}}), "UNPROCESSABLE"},
		"climbs out":    {w.commitVars("main", map[string]string{"../a": "b"}), "UNPROCESSABLE"},
		"a folder":      {w.commitVars("main", map[string]string{"apps": "b"}), "UNPROCESSABLE"},
		"gone twice":    {w.commitVars("main", nil, "apps"), "NOT_FOUND"},
	} {
		if errs := w.graphql(commitDoc, tt.vars, nil); len(errs) != 1 || errs[0].Type != tt.kind {
			t.Errorf("%s: %+v", name, errs)
		}
	}
	w.repo.Protect("main", fakehub.Protection{Approvals: 1, RequiredChecks: ci("ci")})
	errs := w.graphql(commitDoc, w.commitVars("main", ok), nil)
	if len(errs) != 1 || errs[0].Message != `Changes must be made through a pull request. Required status check "ci" is expected.` {
		t.Errorf("protected: %+v", errs)
	}
	w.repo.Protect("main", fakehub.Protection{Approvals: 1, Bypass: []string{"backout[bot]"}})
	if errs := w.graphql(commitDoc, w.commitVars("main", ok), nil); len(errs) > 0 {
		t.Errorf("on the bypass list: %+v", errs)
	}
	w.app.SetPermissions(map[string]string{"contents": "read"})
	token, err := w.hub.Token(w.app, "acme")
	must(t, err)
	if errs := w.graphqlAs(token, commitDoc, w.commitVars("main", ok), nil); len(errs) != 1 || errs[0].Type != "FORBIDDEN" {
		t.Errorf("contents:read: %+v", errs)
	}
}

// TestConversationByGraphQL: comments, reactions, reviews, closing.
func TestConversationByGraphQL(t *testing.T) {
	w := newWorld(t, setup{})
	pr := w.openPR("topic", "apps/web.yaml", "replicas: 4\n")
	must(t, w.repo.Grant("bob", "write"))
	var added struct {
		AddComment struct {
			CommentEdge struct{ Node struct{ ID, Body string } }
		}
		RequestReviews struct {
			PullRequest struct {
				ReviewRequests struct {
					Nodes []struct{ RequestedReviewer struct{ Login string } }
				}
			}
		}
		UpdatePullRequest struct{ PullRequest struct{ Title string } }
	}
	bob, _, err := w.bot.Users.Get(t.Context(), "bob")
	must(t, err)
	errs := w.graphql(`mutation($id: ID!, $bob: ID!) {
		addComment(input: {subjectId: $id, body: "one", clientMutationId: "7"}) { clientMutationId commentEdge { node { id body viewerDidAuthor } } }
		requestReviews(input: {pullRequestId: $id, userIds: [$bob], union: true}) { pullRequest { reviewRequests(first: 5) { nodes { requestedReviewer { ... on User { login } } } } } }
		updatePullRequest(input: {pullRequestId: $id, title: "New", state: OPEN}) { pullRequest { title } }
	}`, map[string]any{"id": pr.NodeID, "bob": bob.GetNodeID()}, &added)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if n := added.RequestReviews.PullRequest.ReviewRequests.Nodes; len(n) != 1 || n[0].RequestedReviewer.Login != "bob" || added.UpdatePullRequest.PullRequest.Title != "New" {
		t.Errorf("answer is %+v", added)
	}
	var changed struct {
		UpdateIssueComment struct{ IssueComment struct{ Body string } }
		AddReaction        struct {
			Reaction struct{ Content string }
			Subject  struct {
				ReactionGroups []struct {
					Content          string
					ViewerHasReacted bool
				}
			}
		}
		ClosePullRequest struct {
			PullRequest struct {
				State  string
				Closed bool
			}
		}
	}
	errs = w.graphql(`mutation($c: ID!, $id: ID!) {
		updateIssueComment(input: {id: $c, body: "two"}) { issueComment { body } }
		addReaction(input: {subjectId: $c, content: THUMBS_UP}) { reaction { content } subject { reactionGroups { content viewerHasReacted } } }
		closePullRequest(input: {pullRequestId: $id}) { pullRequest { state closed } }
	}`, map[string]any{"c": added.AddComment.CommentEdge.Node.ID, "id": pr.NodeID}, &changed)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if g := changed.AddReaction.Subject.ReactionGroups[0]; g.Content != "THUMBS_UP" || !g.ViewerHasReacted || changed.UpdateIssueComment.IssueComment.Body != "two" || changed.ClosePullRequest.PullRequest.State != "CLOSED" {
		t.Errorf("answer is %+v", changed)
	}
	anns, err := w.repo.Comment(1, "ann", "mine")
	must(t, err)
	id := w.repo.Comments(1)[1].NodeID
	for _, doc := range []string{
		`mutation($c: ID!) { updateIssueComment(input: {id: $c, body: "x"}) { clientMutationId } }`,
		`mutation($c: ID!) { deleteIssueComment(input: {id: $c}) { clientMutationId } }`,
	} {
		if errs := w.graphql(doc, map[string]any{"c": id}, nil); len(errs) != 1 || errs[0].Type != "FORBIDDEN" {
			t.Errorf("comment %d: %+v", anns, errs)
		}
	}
	if errs := w.graphql(`mutation($c: ID!) { deleteIssueComment(input: {id: $c}) { clientMutationId } }`, map[string]any{"c": added.AddComment.CommentEdge.Node.ID}, nil); len(errs) > 0 || len(w.repo.Comments(1)) != 1 {
		t.Errorf("deleting our own: %+v", errs)
	}
	if errs := w.graphql(`mutation($c: ID!) { addComment(input: {subjectId: $c, body: ""}) { clientMutationId } }`, map[string]any{"c": pr.NodeID}, nil); len(errs) != 1 || errs[0].Message != "Body can't be blank" {
		t.Errorf("an empty comment: %+v", errs)
	}
}

func TestRefsByGraphQL(t *testing.T) {
	w := newWorld(t, setup{})
	old := w.repo.Head("main")
	head := w.edit("topic", "a", "b")
	var got struct {
		Repository struct{ Ref struct{ ID string } }
	}
	w.graphql(`{ repository(owner: "acme", name: "fleet") { ref(qualifiedName: "refs/heads/topic") { id } } }`, nil, &got)
	vars := map[string]any{"id": got.Repository.Ref.ID, "oid": old}
	const update = `mutation($id: ID!, $oid: GitObjectID!, $force: Boolean) { updateRef(input: {refId: $id, oid: $oid, force: $force}) { ref { target { oid } } } }`
	if errs := w.graphql(update, vars, nil); len(errs) != 1 || errs[0].Message != "Update is not a fast forward" {
		t.Errorf("back without force: %+v", errs)
	}
	vars["force"] = true
	if errs := w.graphql(update, vars, nil); len(errs) > 0 || w.repo.Head("topic") != old {
		t.Errorf("back by force: %+v, at %s, was %s", errs, w.repo.Head("topic"), head)
	}
	const remove = `mutation($id: ID!) { deleteRef(input: {refId: $id}) { clientMutationId } }`
	if errs := w.graphql(remove, vars, nil); len(errs) > 0 || w.repo.Head("topic") != "" {
		t.Errorf("delete: %+v", errs)
	}
	if errs := w.graphql(remove, vars, nil); len(errs) != 1 {
		t.Errorf("delete again: %+v", errs)
	}
}

func TestUpdateBranchByGraphQL(t *testing.T) {
	w := newWorld(t, setup{})
	pr := w.openPR("topic", "apps/web.yaml", "replicas: 4\n")
	w.edit("main", "other", "x")
	const doc = `mutation($id: ID!, $head: GitObjectID) { updatePullRequestBranch(input: {pullRequestId: $id, expectedHeadOid: $head}) { pullRequest { headRefOid } } }`
	if errs := w.graphql(doc, map[string]any{"id": pr.NodeID, "head": w.repo.Head("main")}, nil); len(errs) != 1 {
		t.Errorf("with the wrong head: %+v", errs)
	}
	var got struct {
		UpdatePullRequestBranch struct{ PullRequest struct{ HeadRefOid string } }
	}
	if errs := w.graphql(doc, map[string]any{"id": pr.NodeID, "head": pr.HeadSHA}, &got); len(errs) > 0 || got.UpdatePullRequestBranch.PullRequest.HeadRefOid == pr.HeadSHA {
		t.Errorf("answer %+v %+v", got, errs)
	}
}

func TestClosingIssues(t *testing.T) {
	w := newWorld(t, setup{})
	n := w.repo.OpenIssue("ann", "It broke", "")
	w.edit("topic", "a", "b")
	repo, _, err := w.bot.Repositories.Get(t.Context(), "acme", "fleet")
	must(t, err)
	var got struct {
		CreatePullRequest struct {
			PullRequest struct {
				ClosingIssuesReferences struct{ Nodes []struct{ Number int } }
			}
		}
	}
	errs := w.graphql(`mutation($repo: ID!, $body: String) { createPullRequest(input: {repositoryId: $repo, baseRefName: "main", headRefName: "topic", title: "x", body: $body}) {
		pullRequest { closingIssuesReferences(first: 5) { nodes { number } } } } }`,
		map[string]any{"repo": repo.GetNodeID(), "body": fmt.Sprintf("Fixes #%d, see #%d, closes #99", n, n)}, &got)
	if len(errs) > 0 || len(got.CreatePullRequest.PullRequest.ClosingIssuesReferences.Nodes) != 1 {
		t.Errorf("%+v %+v", got, errs)
	}
}
