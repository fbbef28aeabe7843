package fakehub_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-github/v60/github"
)

func TestComments(t *testing.T) {
	w := newWorld(t, setup{})
	ctx := t.Context()
	w.openPR("topic", "apps/web.yaml", "replicas: 4\n")
	anns, err := w.repo.Comment(1, "ann", "first")
	must(t, err)
	mine, _, err := w.bot.Issues.CreateComment(ctx, "acme", "fleet", 1, &github.IssueComment{Body: new("<!-- backout -->\nWorking.")})
	must(t, err)
	if mine.GetUser().GetLogin() != "backout[bot]" || mine.GetUser().GetType() != "Bot" || mine.GetUser().GetID() != w.app.BotID() {
		t.Errorf("author is %v", mine.GetUser())
	}
	list, _, err := w.bot.Issues.ListComments(ctx, "acme", "fleet", 1, nil)
	must(t, err)
	if len(list) != 2 || list[0].GetID() != anns || list[1].GetID() != mine.GetID() {
		t.Errorf("comments are %v", list)
	}
	edited, _, err := w.bot.Issues.EditComment(ctx, "acme", "fleet", mine.GetID(), &github.IssueComment{Body: new("Done.")})
	must(t, err)
	if edited.GetBody() != "Done." {
		t.Errorf("body is %q", edited.GetBody())
	}
	_, _, err = w.bot.Issues.EditComment(ctx, "acme", "fleet", anns, &github.IssueComment{Body: new("x")})
	wantStatus(t, err, http.StatusForbidden, "Resource not accessible")
	// A person who may write can edit what others wrote: why edited comments
	// are no commands.
	must(t, w.repo.Grant("bob", "write"))
	_, _, err = w.as(w.hub.User("bob").Token).Issues.EditComment(ctx, "acme", "fleet", anns, &github.IssueComment{Body: new("/rollback")})
	must(t, err)
	if got := w.repo.Comments(1)[0]; got.Body != "/rollback" || got.Author != "ann" {
		t.Errorf("comment is %+v", got)
	}
	_, err = w.bot.Issues.DeleteComment(ctx, "acme", "fleet", mine.GetID())
	must(t, err)
	_, _, err = w.bot.Issues.GetComment(ctx, "acme", "fleet", mine.GetID())
	wantStatus(t, err, http.StatusNotFound, "Not Found")
	for name, body := range map[string]string{"empty": "", "too long": strings.Repeat("x", 65537)} {
		if _, _, err := w.bot.Issues.CreateComment(ctx, "acme", "fleet", 1, &github.IssueComment{Body: &body}); status(err) != http.StatusUnprocessableEntity {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, _, err = w.bot.Issues.CreateComment(ctx, "acme", "fleet", 99, &github.IssueComment{Body: new("x")})
	wantStatus(t, err, http.StatusNotFound, "Not Found")
	must(t, w.repo.EditComment(anns, "ann", "again"))
	must(t, w.repo.DeleteComment(anns, "ann"))
	if got := w.repo.Comments(1); len(got) != 0 {
		t.Errorf("comments are %v", got)
	}
}

func TestCommentPages(t *testing.T) {
	w := newWorld(t, setup{})
	ctx := t.Context()
	n := w.repo.OpenIssue("ann", "Long", "")
	for range 5 {
		_, err := w.repo.Comment(n, "ann", "x")
		must(t, err)
	}
	var sizes []int
	for page := 1; page != 0; {
		list, res, err := w.bot.Issues.ListComments(ctx, "acme", "fleet", n, &github.IssueListCommentsOptions{ListOptions: github.ListOptions{Page: page, PerPage: 2}})
		must(t, err)
		sizes = append(sizes, len(list))
		if page == 2 && (res.FirstPage != 1 || res.PrevPage != 1 || res.LastPage != 3) {
			t.Errorf("links of page 2 are %v", res.Header.Get("Link"))
		}
		page = res.NextPage
	}
	if diff := cmp.Diff([]int{2, 2, 1}, sizes); diff != "" {
		t.Error(diff)
	}
	future := time.Now().Add(time.Hour)
	list, _, err := w.bot.Issues.ListComments(ctx, "acme", "fleet", n, &github.IssueListCommentsOptions{Since: &future})
	must(t, err)
	if len(list) != 0 {
		t.Errorf("since the future: %v", list)
	}
}

func TestReactions(t *testing.T) {
	w := newWorld(t, setup{})
	ctx := t.Context()
	w.openPR("topic", "apps/web.yaml", "replicas: 4\n")
	id, err := w.repo.Comment(1, "ann", "/rollback")
	must(t, err)
	eyes, res, err := w.bot.Reactions.CreateIssueCommentReaction(ctx, "acme", "fleet", id, "eyes")
	must(t, err)
	again, res2, err := w.bot.Reactions.CreateIssueCommentReaction(ctx, "acme", "fleet", id, "eyes")
	must(t, err)
	if res.StatusCode != http.StatusCreated || res2.StatusCode != http.StatusOK || eyes.GetID() != again.GetID() {
		t.Errorf("%d %v, then %d %v", res.StatusCode, eyes, res2.StatusCode, again)
	}
	_, _, err = w.bot.Reactions.CreateIssueCommentReaction(ctx, "acme", "fleet", id, "cow")
	wantStatus(t, err, http.StatusUnprocessableEntity, "Validation Failed")
	list, _, err := w.bot.Reactions.ListIssueCommentReactions(ctx, "acme", "fleet", id, nil)
	must(t, err)
	if len(list) != 1 || list[0].GetUser().GetLogin() != "backout[bot]" {
		t.Errorf("reactions are %v", list)
	}
	c, _, err := w.bot.Issues.GetComment(ctx, "acme", "fleet", id)
	must(t, err)
	if c.GetReactions().GetEyes() != 1 || c.GetReactions().GetTotalCount() != 1 {
		t.Errorf("summary is %v", c.GetReactions())
	}
	if diff := cmp.Diff([]string{"eyes by backout[bot]"}, w.repo.Comments(1)[0].Reactions); diff != "" {
		t.Error(diff)
	}
	_, err = w.bot.Reactions.DeleteIssueCommentReaction(ctx, "acme", "fleet", id, eyes.GetID())
	must(t, err)
	_, err = w.bot.Reactions.DeleteIssueCommentReaction(ctx, "acme", "fleet", id, eyes.GetID())
	wantStatus(t, err, http.StatusNotFound, "Not Found")
}

func TestIssues(t *testing.T) {
	w := newWorld(t, setup{})
	ctx := t.Context()
	w.openPR("topic", "apps/web.yaml", "replicas: 4\n")
	_, _, err := w.bot.Issues.Create(ctx, "acme", "fleet", &github.IssueRequest{Title: new("It broke")})
	wantStatus(t, err, http.StatusForbidden, "Resource not accessible")
	ann := w.as(w.hub.User("ann").Token)
	made, _, err := ann.Issues.Create(ctx, "acme", "fleet", &github.IssueRequest{Title: new("It broke"), Labels: &[]string{"bug"}})
	must(t, err)
	if made.GetNumber() != 2 || made.IsPullRequest() || made.Labels[0].GetName() != "bug" {
		t.Errorf("issue is %v", made)
	}
	closed, _, err := ann.Issues.Edit(ctx, "acme", "fleet", 2, &github.IssueRequest{State: new("closed"), Title: new("It was broken")})
	must(t, err)
	if closed.GetState() != "closed" || closed.GetTitle() != "It was broken" || closed.ClosedAt == nil {
		t.Errorf("issue is %v", closed)
	}
	asIssue, _, err := w.bot.Issues.Get(ctx, "acme", "fleet", 1)
	must(t, err)
	if !asIssue.IsPullRequest() || !strings.HasSuffix(asIssue.GetHTMLURL(), "/pull/1") {
		t.Errorf("the pull request as an issue is %v", asIssue)
	}
	_, _, err = w.bot.Issues.AddLabelsToIssue(ctx, "acme", "fleet", 1, []string{"revert", "revert"})
	must(t, err)
	labels, _, err := w.bot.Issues.ListLabelsByIssue(ctx, "acme", "fleet", 1, nil)
	must(t, err)
	if len(labels) != 1 || labels[0].GetName() != "revert" {
		t.Errorf("labels are %v", labels)
	}
	must(t, w.repo.Label(1, "incident"))
	if pr, _ := w.repo.PR(1); !cmp.Equal(pr.Labels, []string{"revert", "incident"}) {
		t.Errorf("labels are %v", pr.Labels)
	}
	_, _, err = w.bot.Issues.Edit(ctx, "acme", "fleet", 1, &github.IssueRequest{State: new("closed")})
	must(t, err)
	if pr, _ := w.repo.PR(1); pr.State != "closed" {
		t.Errorf("the pull request is %s", pr.State)
	}
}
