package fakehub_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/shurcooL/githubv4"

	"github.com/backout-dev/backout/test/fakehub"
)

// TestQueryShapes reads the same things by every way GraphQL has to say it.
func TestQueryShapes(t *testing.T) {
	w := newWorld(t, setup{opts: fakehub.Options{Lag: fakehub.Lag{Reads: -1}}})
	pr := w.openPR("topic", "apps/web.yaml", "replicas: 4\n")
	must(t, w.repo.SetCheck(pr.HeadSHA, "ci", "success", nil))
	must(t, w.repo.SetStatus(pr.HeadSHA, "legacy", "pending", "ann"))
	w.repo.Protect("main", fakehub.Protection{RequiredChecks: ci("ci")})
	var got map[string]any
	errs := w.graphql(`
query Gate($owner: String!, $n: Int!, $deep: Boolean = true, $skip: Boolean!) {
  repository(owner: $owner, name: "fleet") {
    nameWithOwner
    pr: pullRequest(number: $n) {
      ...gate
      __typename
      title @skip(if: $skip)
      commits(last: 1) { totalCount nodes { commit { oid
        statusCheckRollup @include(if: $deep) { state contexts(first: 10) { totalCount pageInfo { hasNextPage } nodes {
          __typename
          ... on CheckRun { name status conclusion isRequired(pullRequestNumber: $n) checkSuite { app { slug } } }
          ... on StatusContext { context state isRequired(pullRequestNumber: $n) }
        } } } } } }
    }
    ref(qualifiedName: "refs/heads/main") { name prefix target { oid ... on Commit { tree { oid } messageHeadline } } }
    object(expression: "main:apps/web.yaml") { ... on Blob { text byteSize } ... on Commit { messageHeadline } }
    missing: object(expression: "main:nothing") { oid }
  }
}
fragment gate on PullRequest { number mergeStateStatus author { ...who } author { url } isDraft autoMergeRequest { enabledAt } }
fragment who on Actor { __typename login ... on User { databaseId } }`,
		map[string]any{"owner": "acme", "n": 1, "skip": true}, &got)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	repo := got["repository"].(map[string]any)
	p := repo["pr"].(map[string]any)
	ann := w.hub.User("ann")
	want := map[string]any{
		"__typename": "PullRequest", "number": 1.0, "mergeStateStatus": "UNSTABLE", "isDraft": false, "autoMergeRequest": nil,
		"author": map[string]any{"__typename": "User", "login": "ann", "databaseId": float64(ann.ID), "url": w.hub.URL() + "/ann"},
		"commits": map[string]any{"totalCount": 1.0, "nodes": []any{map[string]any{"commit": map[string]any{
			"oid": pr.HeadSHA,
			"statusCheckRollup": map[string]any{"state": "PENDING", "contexts": map[string]any{
				"totalCount": 2.0, "pageInfo": map[string]any{"hasNextPage": false},
				"nodes": []any{
					map[string]any{"__typename": "CheckRun", "name": "ci", "status": "COMPLETED", "conclusion": "SUCCESS", "isRequired": true,
						"checkSuite": map[string]any{"app": map[string]any{"slug": "github-actions"}}},
					map[string]any{"__typename": "StatusContext", "context": "legacy", "state": "PENDING", "isRequired": false},
				},
			}},
		}}}},
	}
	if diff := cmp.Diff(want, p); diff != "" {
		t.Error(diff)
	}
	text, _ := w.repo.File("main", "apps/web.yaml")
	if diff := cmp.Diff(map[string]any{"text": text, "byteSize": float64(len(text))}, repo["object"]); diff != "" {
		t.Error(diff)
	}
	if repo["missing"] != nil {
		t.Errorf("what is not there is %v", repo["missing"])
	}
	ref := repo["ref"].(map[string]any)
	if ref["name"] != "main" || ref["prefix"] != "refs/heads/" || ref["target"].(map[string]any)["messageHeadline"] != "Initial commit" {
		t.Errorf("ref is %v", ref)
	}
}

// TestTypedClient reads with the library that the product uses.
func TestTypedClient(t *testing.T) {
	w := newWorld(t, setup{})
	w.openPR("topic", "apps/web.yaml", "replicas: 4\n")
	c := githubv4.NewEnterpriseClient(w.hub.GraphQLURL(), w.bot.Client())
	var q struct {
		Viewer     struct{ Login githubv4.String }
		Repository struct {
			PullRequest struct {
				ID    githubv4.ID
				State githubv4.PullRequestState
			} `graphql:"pullRequest(number: $n)"`
		} `graphql:"repository(owner: \"acme\", name: \"fleet\")"`
		RateLimit struct{ Remaining githubv4.Int }
	}
	must(t, c.Query(t.Context(), &q, map[string]any{"n": githubv4.Int(1)}))
	if q.Viewer.Login != "backout[bot]" || q.Repository.PullRequest.State != githubv4.PullRequestStateOpen || q.RateLimit.Remaining > 5000 {
		t.Errorf("read %+v", q)
	}
	var m struct {
		AddComment struct {
			CommentEdge struct{ Node struct{ URL githubv4.URI } }
			Subject     struct{ ID githubv4.ID }
		} `graphql:"addComment(input: $input)"`
	}
	must(t, c.Mutate(t.Context(), &m, githubv4.AddCommentInput{SubjectID: q.Repository.PullRequest.ID, Body: "hi"}, nil))
	if m.AddComment.Subject.ID != q.Repository.PullRequest.ID || len(w.repo.Comments(1)) != 1 {
		t.Errorf("wrote %+v", m)
	}
	err := c.Query(context.Background(), &q, map[string]any{"n": githubv4.Int(99)})
	if err == nil || !strings.Contains(err.Error(), "Could not resolve to a PullRequest with the number of 99.") {
		t.Errorf("error is %v", err)
	}
}

// TestDocumentErrors: nothing runs of a document that is not valid.
func TestDocumentErrors(t *testing.T) {
	w := newWorld(t, setup{})
	for name, tt := range map[string]struct {
		doc, says string
	}{
		"unknown field":      {`{ repository(owner: "acme", name: "fleet") { stargazerCount } }`, "Field 'stargazerCount' doesn't exist on type 'Repository'"},
		"unknown top field":  {`mutation { mergeBranch(input: {}) { clientMutationId } }`, "Field 'mergeBranch' doesn't exist on type 'Mutation'"},
		"no selection":       {`{ viewer }`, "must have a selection"},
		"missing argument":   {`{ repository(name: "fleet") { id } }`, "owner"},
		"unknown variable":   {`{ repository(owner: $o, name: "fleet") { id } }`, `"$o" is not defined`},
		"wrong enum":         {`mutation { mergePullRequest(input: {pullRequestId: "x", mergeMethod: OCTOPUS}) { clientMutationId } }`, "OCTOPUS"},
		"missing input":      {`mutation { addComment(input: {body: "x"}) { clientMutationId } }`, "subjectId"},
		"not GraphQL":        {`{ viewer { login }`, "Expected Name"},
		"variable not given": {`query($n: Int!) { repository(owner: "acme", name: "fleet") { pullRequest(number: $n) { id } } }`, "n"},
		"wrong type":         {`{ repository(owner: "acme", name: 5) { id } }`, "5"},
	} {
		var data map[string]any
		errs := w.graphql(tt.doc, nil, &data)
		if len(errs) == 0 || !strings.Contains(errs[0].Message, tt.says) || data != nil {
			t.Errorf("%s: %+v %v", name, errs, data)
		}
	}
	errs := w.graphql(`{ viewer { shoeSize } }`, nil, nil)
	if want := map[string]any{"code": "undefinedField", "typeName": "User", "fieldName": "shoeSize"}; !cmp.Equal(errs[0].Extensions, want) {
		t.Errorf("extensions are %v", errs[0].Extensions)
	}
}

// TestFieldErrors: what fails is null with a type and a path, and the rest is
// answered.
func TestFieldErrors(t *testing.T) {
	w := newWorld(t, setup{})
	w.openPR("topic", "apps/web.yaml", "replicas: 4\n")
	_, err := w.hub.CreateRepo("acme/hidden", fakehub.RepoOptions{})
	must(t, err)
	var data map[string]any
	errs := w.graphql(`{
		hidden: repository(owner: "acme", name: "hidden") { id }
		ok: repository(owner: "acme", name: "fleet") {
			id99: pullRequest(number: 99) { id }
			issue(number: 1) { id }
			pullRequest(number: 1) { commits { nodes { id } } }
		}
		node(id: "PR_nothing") { id }
	}`, nil, &data)
	want := []gqlError{
		{Type: "NOT_FOUND", Path: []any{"hidden"}, Message: "Could not resolve to a Repository with the name 'acme/hidden'."},
		{Type: "NOT_FOUND", Path: []any{"ok", "id99"}, Message: "Could not resolve to a PullRequest with the number of 99."},
		{Type: "NOT_FOUND", Path: []any{"ok", "issue"}, Message: "Could not resolve to an Issue with the number of 1."},
		{Type: "MISSING_PAGINATION_BOUNDARIES", Path: []any{"ok", "pullRequest", "commits"}, Message: "You must provide a `first` or `last` value to properly paginate the `commits` connection."},
		{Type: "NOT_FOUND", Path: []any{"node"}, Message: "Could not resolve to a node with the global id of 'PR_nothing'"},
	}
	if diff := cmp.Diff(want, errs); diff != "" {
		t.Error(diff)
	}
	// commits can't be null, so the pull request is.
	if diff := cmp.Diff(map[string]any{
		"hidden": nil, "node": nil, "ok": map[string]any{"id99": nil, "issue": nil, "pullRequest": nil},
	}, data); diff != "" {
		t.Error(diff)
	}
}

func TestGraphQLPages(t *testing.T) {
	w := newWorld(t, setup{})
	w.openPR("topic", "apps/web.yaml", "replicas: 4\n")
	for range 3 {
		_, err := w.repo.Comment(1, "ann", "x")
		must(t, err)
	}
	var ids []float64
	after := any(nil)
	for {
		var got struct {
			Repository struct {
				PullRequest struct {
					Comments struct {
						Nodes    []struct{ DatabaseID float64 }
						PageInfo struct {
							HasNextPage bool
							EndCursor   string
						}
					}
				}
			}
		}
		errs := w.graphql(`query($after: String) { repository(owner: "acme", name: "fleet") { pullRequest(number: 1) {
			comments(first: 2, after: $after) { nodes { databaseId } pageInfo { hasNextPage endCursor } } } } }`, map[string]any{"after": after}, &got)
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		page := got.Repository.PullRequest.Comments
		for _, n := range page.Nodes {
			ids = append(ids, n.DatabaseID)
		}
		if !page.PageInfo.HasNextPage {
			break
		}
		after = page.PageInfo.EndCursor
	}
	if len(ids) != 3 || ids[0] >= ids[1] || ids[1] >= ids[2] {
		t.Errorf("comments are %v", ids)
	}
}

func TestNodes(t *testing.T) {
	w := newWorld(t, setup{})
	pr := w.openPR("topic", "apps/web.yaml", "replicas: 4\n")
	id, err := w.repo.Comment(1, "ann", "hi")
	must(t, err)
	n := w.repo.OpenIssue("ann", "It broke", "")
	issue, _, err := w.bot.Issues.Get(t.Context(), "acme", "fleet", n)
	must(t, err)
	var seen struct {
		Repository struct {
			ID  string
			Ref struct {
				ID     string
				Target struct{ ID string }
			}
		}
	}
	w.graphql(`{ repository(owner: "acme", name: "fleet") { id ref(qualifiedName: "main") { id target { id } } } }`, nil, &seen)
	ids := []string{pr.NodeID, w.repo.Comments(1)[0].NodeID, issue.GetNodeID(), seen.Repository.ID, seen.Repository.Ref.ID, seen.Repository.Ref.Target.ID}
	var got struct {
		Nodes []struct {
			Typename string `json:"__typename"`
			ID       string
		}
	}
	errs := w.graphql(`query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }`, map[string]any{"ids": ids}, &got)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	var kinds []string
	for i, n := range got.Nodes {
		kinds = append(kinds, n.Typename)
		if n.ID != ids[i] {
			t.Errorf("%s came back as %s", ids[i], n.ID)
		}
	}
	if diff := cmp.Diff([]string{"PullRequest", "IssueComment", "Issue", "Repository", "Ref", "Commit"}, kinds); diff != "" {
		t.Error(diff)
	}
	if id == 0 {
		t.Error("no comment")
	}
}

func TestGraphQLAuth(t *testing.T) {
	w := newWorld(t, setup{})
	for token, want := range map[string]int{"": 401, "ghs_nobody": 401} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.hub.URL()+"/graphql", strings.NewReader(`{"query":"{viewer{login}}"}`))
		must(t, err)
		if token != "" {
			req.Header.Set("Authorization", "bearer "+token)
		}
		res, err := http.DefaultClient.Do(req)
		must(t, err)
		must(t, res.Body.Close())
		if res.StatusCode != want {
			t.Errorf("token %q: %s", token, res.Status)
		}
	}
	w.app.SetPermissions(map[string]string{"contents": "read"})
	token, err := w.hub.Token(w.app, "acme")
	must(t, err)
	w.openPR("topic", "apps/web.yaml", "replicas: 4\n")
	errs := w.graphqlAs(token, `{ repository(owner: "acme", name: "fleet") { pullRequest(number: 1) { id } } }`, nil, nil)
	if len(errs) != 1 || errs[0].Type != "FORBIDDEN" || errs[0].Message != "Resource not accessible by integration" {
		t.Errorf("without pull_requests: %+v", errs)
	}
}

// TestProtectionByGraphQL: who can't administer is still told what to wait for.
func TestProtectionByGraphQL(t *testing.T) {
	w := newWorld(t, setup{})
	must(t, w.repo.Grant("root", "admin"))
	w.repo.Protect("main", fakehub.Protection{RequiredChecks: ci("ci"), Approvals: 1, Strict: true})
	const doc = `{ repository(owner: "acme", name: "fleet") { defaultBranchRef {
		refUpdateRule { requiredStatusCheckContexts requiredApprovingReviewCount }
		branchProtectionRule { pattern requiresStrictStatusChecks requiredStatusCheckContexts } } } }`
	var got map[string]any
	errs := w.graphqlAs(w.hub.User("root").Token, doc, nil, &got)
	want := map[string]any{"repository": map[string]any{"defaultBranchRef": map[string]any{
		"refUpdateRule":        map[string]any{"requiredStatusCheckContexts": []any{"ci"}, "requiredApprovingReviewCount": 1.0},
		"branchProtectionRule": map[string]any{"pattern": "main", "requiresStrictStatusChecks": true, "requiredStatusCheckContexts": []any{"ci"}},
	}}}
	if diff := cmp.Diff(want, got); diff != "" || len(errs) > 0 {
		t.Error(diff, errs)
	}
	if errs := w.graphql(doc, nil, nil); len(errs) != 1 || errs[0].Type != "FORBIDDEN" {
		t.Errorf("the App: %+v", errs)
	}
}
