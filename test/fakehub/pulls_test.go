package fakehub_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-github/v60/github"

	"github.com/backout-dev/backout/test/fakehub"
)

func TestCreatePull(t *testing.T) {
	w := newWorld(t, setup{})
	ctx := t.Context()
	w.edit("topic", "apps/web.yaml", "replicas: 4\n")
	must(t, w.repo.CreateBranch("ann", "same", "main"))
	create := func(head, base, title string) (*github.PullRequest, error) {
		pr, _, err := w.bot.PullRequests.Create(ctx, "acme", "fleet", &github.NewPullRequest{
			Title: &title, Head: &head, Base: &base, Body: new("Body."),
		})
		return pr, err
	}
	pr, err := create("topic", "main", "Scale")
	must(t, err)
	if pr.GetNumber() != 1 || pr.GetHead().GetRef() != "topic" || pr.GetHead().GetSHA() != w.repo.Head("topic") || pr.GetBase().GetSHA() != w.repo.Head("main") ||
		pr.GetHead().GetLabel() != "acme:topic" || pr.GetCommits() != 1 || pr.GetChangedFiles() != 1 || pr.GetAdditions() != 1 || pr.GetDeletions() != 2 {
		t.Errorf("it is %v", pr)
	}
	for name, tt := range map[string]struct{ head, base, title, says string }{
		"again":      {"topic", "main", "x", "A pull request already exists for acme:topic."},
		"by owner":   {"acme:topic", "main", "x", "already exists"},
		"no commits": {"same", "main", "x", "No commits between main and same"},
		"no head":    {"nothing", "main", "x", "field:head"},
		"no base":    {"topic", "nothing", "x", "field:base"},
		"no title":   {"topic", "same", "", "field:title"},
		"no fork":    {"eve:topic", "main", "x", "field:head"},
	} {
		_, err := create(tt.head, tt.base, tt.title)
		e, ok := err.(*github.ErrorResponse) //nolint:errorlint // go-github returns it bare.
		if !ok || e.Response.StatusCode != http.StatusUnprocessableEntity || e.Message != "Validation Failed" || len(e.Errors) != 1 {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := e.Errors[0]; got.Message != tt.says && "field:"+got.Field != tt.says && name != "by owner" {
			t.Errorf("%s: %+v", name, got)
		}
	}
	// Once it is closed, the same head may be proposed again.
	must(t, w.repo.ClosePR(1, "ann"))
	if _, err := create("topic", "main", "Scale again"); err != nil {
		t.Error(err)
	}
}

func TestListPulls(t *testing.T) {
	w := newWorld(t, setup{})
	ctx := t.Context()
	must(t, w.repo.CreateBranch("ann", "stable", "main"))
	w.openPR("one", "a", "1")
	w.openPR("two", "b", "1")
	text := "1"
	_, err := w.repo.OpenPR("ann", "Third", "three", "stable", map[string]*string{"c": &text})
	must(t, err)
	must(t, w.repo.ClosePR(1, "ann"))
	for name, tt := range map[string]struct {
		opts github.PullRequestListOptions
		want []int
	}{
		"open":          {github.PullRequestListOptions{}, []int{3, 2}},
		"closed":        {github.PullRequestListOptions{State: "closed"}, []int{1}},
		"all, oldest":   {github.PullRequestListOptions{State: "all", Direction: "asc"}, []int{1, 2, 3}},
		"base":          {github.PullRequestListOptions{Base: "stable"}, []int{3}},
		"head":          {github.PullRequestListOptions{Head: "acme:two"}, []int{2}},
		"bare head":     {github.PullRequestListOptions{Head: "two"}, []int{3, 2}},
		"head, no such": {github.PullRequestListOptions{Head: "acme:nothing"}, nil},
		"first page":    {github.PullRequestListOptions{ListOptions: github.ListOptions{PerPage: 1}}, []int{3}},
	} {
		list, _, err := w.bot.PullRequests.List(ctx, "acme", "fleet", &tt.opts)
		must(t, err)
		var got []int
		for _, pr := range list {
			got = append(got, pr.GetNumber())
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestEditPull(t *testing.T) {
	w := newWorld(t, setup{})
	ctx := t.Context()
	must(t, w.repo.CreateBranch("ann", "stable", "main"))
	w.openPR("topic", "apps/web.yaml", "replicas: 4\n")
	edit := func(pr *github.PullRequest) (*github.PullRequest, error) {
		got, _, err := w.bot.PullRequests.Edit(ctx, "acme", "fleet", 1, pr)
		return got, err
	}
	pr, err := edit(&github.PullRequest{Title: new("New"), Body: new("Text"), Base: &github.PullRequestBranch{Ref: new("stable")}})
	must(t, err)
	if pr.GetTitle() != "New" || pr.GetBody() != "Text" || pr.GetBase().GetRef() != "stable" {
		t.Errorf("it is %v", pr)
	}
	_, err = edit(&github.PullRequest{Base: &github.PullRequestBranch{Ref: new("nothing")}})
	wantStatus(t, err, http.StatusUnprocessableEntity, "Validation Failed")
	pr, err = edit(&github.PullRequest{State: new("closed")})
	must(t, err)
	if pr.GetState() != "closed" || pr.ClosedAt == nil || pr.GetMerged() {
		t.Errorf("closed it is %v", pr)
	}
	pr, err = edit(&github.PullRequest{State: new("open")})
	must(t, err)
	if pr.GetState() != "open" || pr.ClosedAt != nil {
		t.Errorf("reopened it is %v", pr)
	}
	must(t, w.repo.DeleteBranch("ann", "topic"))
	_, err = edit(&github.PullRequest{State: new("open")})
	wantStatus(t, err, http.StatusUnprocessableEntity, "Validation Failed")
}

func TestPullContents(t *testing.T) {
	w := newWorld(t, setup{})
	ctx := t.Context()
	pr := w.twoCommits()
	commits, _, err := w.bot.PullRequests.ListCommits(ctx, "acme", "fleet", 1, nil)
	must(t, err)
	if len(commits) != 2 || commits[1].GetSHA() != pr.HeadSHA || commits[0].GetAuthor().GetLogin() != "ann" {
		t.Errorf("commits are %v", commits)
	}
	files, _, err := w.bot.PullRequests.ListFiles(ctx, "acme", "fleet", 1, nil)
	must(t, err)
	var got []string
	for _, f := range files {
		got = append(got, f.GetStatus()+" "+f.GetFilename())
	}
	if diff := cmp.Diff([]string{"added apps/api.yaml", "modified apps/web.yaml"}, got); diff != "" {
		t.Error(diff)
	}
	merged, err := w.repo.MergePR(1, "merge", "ann")
	must(t, err)
	for _, sha := range []string{pr.HeadSHA, merged, commits[0].GetSHA()} {
		prs, _, err := w.bot.PullRequests.ListPullRequestsWithCommit(ctx, "acme", "fleet", sha, nil)
		must(t, err)
		if len(prs) != 1 || prs[0].GetNumber() != 1 || prs[0].GetMergeCommitSHA() != merged {
			t.Errorf("%s belongs to %v", sha, prs)
		}
	}
	// What it brought is still told after the merge.
	commits, _, err = w.bot.PullRequests.ListCommits(ctx, "acme", "fleet", 1, nil)
	must(t, err)
	if len(commits) != 2 {
		t.Errorf("after the merge it has %d commits", len(commits))
	}
}

// TestTestMerge: merge_commit_sha of an open pull request is a trap.
func TestTestMerge(t *testing.T) {
	w := newWorld(t, setup{})
	ctx := t.Context()
	w.openPR("topic", "apps/web.yaml", "replicas: 4\n")
	first, _, err := w.bot.PullRequests.Get(ctx, "acme", "fleet", 1)
	must(t, err)
	second, _, err := w.bot.PullRequests.Get(ctx, "acme", "fleet", 1)
	must(t, err)
	if first.MergeCommitSHA != nil || second.GetMergeCommitSHA() == "" || second.GetMergeCommitSHA() == w.repo.Head("main") {
		t.Errorf("before %v, after %v", first.MergeCommitSHA, second.MergeCommitSHA)
	}
	if second.MergedAt != nil {
		t.Error("it says it was merged")
	}
}

// TestForkByGraphQL names the head's repository by its node ID.
func TestForkByGraphQL(t *testing.T) {
	w := newWorld(t, setup{repo: fakehub.RepoOptions{Public: true}})
	fork, err := w.repo.Fork("eve")
	must(t, err)
	_, err = fork.Commit("patch", "eve", "Patch", map[string]*string{"a": new("b")})
	must(t, err)
	var ids struct {
		Base, Fork struct{ ID string }
	}
	w.graphql(`{ base: repository(owner: "acme", name: "fleet") { id } fork: repository(owner: "eve", name: "fleet") { id } }`, nil, &ids)
	const doc = `mutation($base: ID!, $fork: ID) { createPullRequest(input: {repositoryId: $base, headRepositoryId: $fork, headRefName: "patch", baseRefName: "main", title: "x", draft: true}) {
		pullRequest { number isDraft headRepositoryOwner { login } } } }`
	vars := map[string]any{"base": ids.Base.ID, "fork": ids.Fork.ID}
	if errs := w.graphql(doc, vars, nil); len(errs) > 0 {
		t.Fatal(errs)
	}
	if errs := w.graphql(doc, vars, nil); len(errs) != 1 || errs[0].Message != "A pull request already exists for eve:patch." {
		t.Errorf("again: %+v", errs)
	}
	if pr, _ := w.repo.PR(1); pr.HeadRepo != "eve/fleet" || !pr.Draft {
		t.Errorf("it is %+v", pr)
	}
}

// TestForcePush moves the head back; the pull request follows and is told.
func TestForcePush(t *testing.T) {
	w, b := withInbox(t, setup{})
	pr := w.openPR("topic", "apps/web.yaml", "replicas: 4\n")
	w.edit("topic", "apps/web.yaml", "replicas: 5\n")
	w.flush()
	b.take()
	must(t, w.repo.ForcePush("ann", "topic", pr.HeadSHA))
	w.flush()
	var push github.PushEvent
	b.mu.Lock()
	must(t, json.Unmarshal(b.raw[0], &push))
	b.mu.Unlock()
	if !push.GetForced() || push.GetAfter() != pr.HeadSHA {
		t.Errorf("push is %v", push)
	}
	if now, _ := w.repo.PR(1); now.HeadSHA != pr.HeadSHA {
		t.Errorf("head is %s", now.HeadSHA)
	}
}
