package fakehub

import (
	"fmt"
	"slices"
	"time"
)

// issue is an issue or, when pull is set, the conversation of a pull request.
type issue struct {
	id       int64
	repo     *Repo
	number   int
	title    string
	body     string
	author   *account
	state    string // open, closed
	labels   []string
	events   []*issueEvent
	locked   bool
	created  time.Time
	updated  time.Time
	closed   time.Time
	comments []*comment
	pull     *pull
}

// comment is a comment in the conversation of an issue or pull request.
type comment struct {
	id        int64
	issue     *issue
	author    *account
	app       *App // that wrote it, for performed_via_github_app
	body      string
	created   time.Time
	updated   time.Time
	reactions []*reaction
}

type reaction struct {
	id      int64
	by      *account
	content string // +1, -1, laugh, confused, heart, hooray, rocket, eyes
	created time.Time
}

// Comment is a comment as it stands.
type Comment struct {
	ID        int64
	NodeID    string
	Number    int // of the issue or pull request
	Author    string
	Body      string
	Created   time.Time
	Updated   time.Time
	Reactions []string // "+1 by ann"
}

func (i *issue) nodeID() string {
	if i.pull != nil {
		return i.pull.nodeID()
	}
	return nodeID("I", i.repo.id, i.id)
}

func (c *comment) nodeID() string { return nodeID("IC", c.issue.repo.id, c.id) }

func (c *comment) snapshot() Comment {
	s := Comment{
		ID: c.id, NodeID: c.nodeID(), Number: c.issue.number, Author: c.author.login,
		Body: c.body, Created: c.created, Updated: c.updated,
	}
	for _, r := range c.reactions {
		s.Reactions = append(s.Reactions, r.content+" by "+r.by.login)
	}
	return s
}

// OpenIssue opens an issue that is no pull request and returns its number.
func (r *Repo) OpenIssue(author, title, body string) int {
	r.hub.lock()
	defer r.hub.unlock()
	return r.newIssue(r.hub.person(author), title, body).number
}

func (r *Repo) newIssue(author *account, title, body string) *issue {
	now := r.hub.now()
	i := &issue{
		id: r.hub.nextID(), repo: r, number: r.number(), title: title, body: body,
		author: author, state: "open", created: now, updated: now,
	}
	r.issues[i.number] = i
	r.hub.nodes[i.nodeID()] = i
	return i
}

// Comment writes a comment as a user and returns its ID.
func (r *Repo) Comment(number int, author, body string) (int64, error) {
	r.hub.lock()
	defer r.hub.unlock()
	i := r.issues[number]
	if i == nil {
		return 0, fmt.Errorf("comment on %s#%d: there is none", r.FullName(), number)
	}
	return r.addComment(i, r.hub.person(author), nil, body).id, nil
}

// EditComment changes a comment's text as a user, not always its author:
// people with write access can.
func (r *Repo) EditComment(id int64, editor, body string) error {
	r.hub.lock()
	defer r.hub.unlock()
	c := r.comments[id]
	if c == nil {
		return fmt.Errorf("edit comment %d in %s: there is none", id, r.FullName())
	}
	r.editComment(c, r.hub.person(editor), body)
	return nil
}

// DeleteComment removes a comment as a user.
func (r *Repo) DeleteComment(id int64, by string) error {
	r.hub.lock()
	defer r.hub.unlock()
	c := r.comments[id]
	if c == nil {
		return fmt.Errorf("delete comment %d in %s: there is none", id, r.FullName())
	}
	r.deleteComment(c, r.hub.person(by))
	return nil
}

// Comments lists the conversation of an issue or pull request, oldest first.
func (r *Repo) Comments(number int) []Comment {
	r.hub.lock()
	defer r.hub.unlock()
	var list []Comment
	if i := r.issues[number]; i != nil {
		for _, c := range i.comments {
			list = append(list, c.snapshot())
		}
	}
	return list
}

func (r *Repo) addComment(i *issue, by *account, app *App, body string) *comment {
	now := r.hub.now()
	c := &comment{id: r.hub.nextID(), issue: i, author: by, app: app, body: body, created: now, updated: now}
	i.comments = append(i.comments, c)
	i.updated = now
	r.comments[c.id] = c
	r.hub.nodes[c.nodeID()] = c
	r.emit("issue_comment", "created", by, r.commentPayload(c))
	return c
}

func (r *Repo) editComment(c *comment, by *account, body string) {
	before := c.body
	c.body, c.updated = body, r.hub.now()
	payload := r.commentPayload(c)
	payload["changes"] = obj{"body": obj{"from": before}}
	r.emit("issue_comment", "edited", by, payload)
}

func (r *Repo) deleteComment(c *comment, by *account) {
	c.issue.comments = slices.DeleteFunc(c.issue.comments, func(x *comment) bool { return x == c })
	delete(r.comments, c.id)
	delete(r.hub.nodes, c.nodeID())
	r.emit("issue_comment", "deleted", by, r.commentPayload(c))
}

// react adds a reaction; a second one of the same kind by the same account is
// the first one again, and created is false.
func (c *comment) react(by *account, content string) (r *reaction, created bool) {
	for _, r := range c.reactions {
		if r.by == by && r.content == content {
			return r, false
		}
	}
	hub := c.issue.repo.hub
	r = &reaction{id: hub.nextID(), by: by, content: content, created: hub.now()}
	c.reactions = append(c.reactions, r)
	return r, true
}
