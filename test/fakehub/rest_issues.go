package fakehub

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

// theIssue is the issue that the path names, if the actor reaches it.
func (c *call) theIssue() (*issue, error) {
	i := c.repo.issues[int(c.intArg("issue_number"))]
	if i == nil {
		return nil, errNotFound()
	}
	return i, c.actor.reachesTalk(i, c.r.Method != http.MethodGet)
}

// reachesTalk tells whether an actor may read or write a conversation. The
// documentation lets either permission do for either kind. What is enforced is
// stricter, and so is the hub: writing on a pull request takes pull_requests,
// on an issue issues; App tokens with issues:write alone get a 403 on pull
// requests, for comments and reactions alike.
// See https://github.com/NOFireAI/ravel/pull/347 and
// https://github.com/eneo-ai/eneo/pull/512.
func (a *actor) reachesTalk(i *issue, write bool) error {
	level, other := "=read", "issues=read"
	if write {
		level, other = "=write", "issues=write; pull_requests=write"
	}
	n := need{"issues" + level}
	if i.pull != nil {
		n = need{"pull_requests" + level}
		if !write {
			n = append(n, other)
		}
	}
	err := a.allow(i.repo, n)
	if e, ok := err.(*apiError); ok && write { //nolint:errorlint // allow returns it bare.
		e.accepts = other
	}
	return err
}

// theComment is the comment that the path names.
func (c *call) theComment() (*comment, error) {
	x := c.repo.comments[c.intArg("comment_id")]
	if x == nil {
		return nil, errNotFound()
	}
	return x, c.actor.reachesTalk(x.issue, c.r.Method != http.MethodGet)
}

func (c *call) createIssue() (int, any, error) {
	var req struct {
		Title, Body string
		Labels      []string
	}
	if err := c.decode(&req); err != nil {
		return 0, nil, err
	}
	if req.Title == "" {
		return 0, nil, errInvalid("Issue", "title", "Title can't be blank")
	}
	i := c.repo.newIssue(c.actor.account, req.Title, req.Body)
	i.addLabels(c.actor.account, req.Labels)
	return http.StatusCreated, c.repo.issueJSON(i), nil
}

func (c *call) getIssue() (int, any, error) {
	i, err := c.theIssue()
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, c.repo.issueJSON(i), nil
}

func (c *call) updateIssue() (int, any, error) {
	i, err := c.theIssue()
	if err != nil {
		return 0, nil, err
	}
	var req struct {
		Title, Body, State *string
		Labels             *[]string
	}
	if err := c.decode(&req); err != nil {
		return 0, nil, err
	}
	if req.Labels != nil {
		i.labels = nil
		i.addLabels(c.actor.account, *req.Labels)
	}
	if i.pull != nil {
		err := c.repo.editPull(c.actor.account, i.pull, pullEdit{title: req.Title, body: req.Body, state: req.State})
		return http.StatusOK, c.repo.issueJSON(i), err
	}
	if req.Title != nil {
		i.title = *req.Title
	}
	if req.Body != nil {
		i.body = *req.Body
	}
	i.updated = c.h.now()
	if req.State != nil {
		i.state, i.closed = *req.State, time.Time{}
		if i.state == "closed" {
			i.closed = i.updated
		}
	}
	return http.StatusOK, c.repo.issueJSON(i), nil
}

func (c *call) listComments() (int, any, error) {
	i, err := c.theIssue()
	if err != nil {
		return 0, nil, err
	}
	since, _ := time.Parse(time.RFC3339, c.query("since"))
	list := []obj{}
	for _, x := range i.comments {
		if !x.updated.Before(since) {
			list = append(list, c.repo.commentJSON(x))
		}
	}
	return http.StatusOK, page(c, list), nil
}

// maxComment is how many characters GitHub takes in a comment.
const maxComment = 65536

func checkComment(body string) error {
	if body == "" {
		return errInvalid("IssueComment", "body", "Body can't be blank")
	}
	if n := len([]rune(body)); n > maxComment {
		return errInvalid("IssueComment", "body", fmt.Sprintf("Body is too long (maximum is %d characters)", maxComment))
	}
	return nil
}

func (c *call) createComment() (int, any, error) {
	i, err := c.theIssue()
	if err != nil {
		return 0, nil, err
	}
	var req struct{ Body string }
	if err := c.decode(&req); err != nil {
		return 0, nil, err
	}
	if err := checkComment(req.Body); err != nil {
		return 0, nil, err
	}
	x := c.repo.addComment(i, c.actor.account, c.actor.bot(), req.Body)
	return http.StatusCreated, c.repo.commentJSON(x), nil
}

func (c *call) getComment() (int, any, error) {
	x, err := c.theComment()
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, c.repo.commentJSON(x), nil
}

func (c *call) updateComment() (int, any, error) {
	x, err := c.theComment()
	if err != nil {
		return 0, nil, err
	}
	var req struct{ Body string }
	if err := c.decode(&req); err != nil {
		return 0, nil, err
	}
	if err := c.mayEdit(x); err != nil {
		return 0, nil, err
	}
	if err := checkComment(req.Body); err != nil {
		return 0, nil, err
	}
	c.repo.editComment(x, c.actor.account, req.Body)
	return http.StatusOK, c.repo.commentJSON(x), nil
}

// mayEdit lets authors and, for users, people with write access change a
// comment; an App only its own.
func (c *call) mayEdit(x *comment) error {
	r := x.issue.repo
	if x.author == c.actor.account || c.actor.token == nil && roleRank(r.role(c.actor.account)) >= roleRank("write") {
		return nil
	}
	return errForbidden("issues=write; pull_requests=write")
}

func (c *call) removeComment() (int, any, error) {
	x, err := c.theComment()
	if err != nil {
		return 0, nil, err
	}
	if err := c.mayEdit(x); err != nil {
		return 0, nil, err
	}
	c.repo.deleteComment(x, c.actor.account)
	return http.StatusNoContent, nil, nil
}

func (c *call) listReactions() (int, any, error) {
	x, err := c.theComment()
	if err != nil {
		return 0, nil, err
	}
	list := []obj{}
	for _, r := range x.reactions {
		if want := c.query("content"); want == "" || want == r.content {
			list = append(list, x.reactionJSON(r))
		}
	}
	return http.StatusOK, page(c, list), nil
}

func (c *call) createReaction() (int, any, error) {
	x, err := c.theComment()
	if err != nil {
		return 0, nil, err
	}
	var req struct{ Content string }
	if err := c.decode(&req); err != nil {
		return 0, nil, err
	}
	if !validReaction(req.Content) {
		return 0, nil, errInvalid("Reaction", "content", "content is invalid")
	}
	r, created := x.react(c.actor.account, req.Content)
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	return status, x.reactionJSON(r), nil
}

func (c *call) deleteReaction() (int, any, error) {
	x, err := c.theComment()
	if err != nil {
		return 0, nil, err
	}
	n := len(x.reactions)
	x.reactions = slices.DeleteFunc(x.reactions, func(r *reaction) bool {
		return r.id == c.intArg("reaction_id") && r.by == c.actor.account
	})
	if len(x.reactions) == n {
		return 0, nil, errNotFound()
	}
	return http.StatusNoContent, nil, nil
}

func (c *call) listLabels() (int, any, error) {
	i, err := c.theIssue()
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, page(c, i.labelsJSON()), nil
}

func (c *call) addLabels() (int, any, error) {
	i, err := c.theIssue()
	if err != nil {
		return 0, nil, err
	}
	var req struct{ Labels []string }
	if err := c.decode(&req.Labels); err != nil {
		if err := c.decode(&req); err != nil {
			return 0, nil, err
		}
	}
	i.addLabels(c.actor.account, req.Labels)
	return http.StatusOK, i.labelsJSON(), nil
}
