package audit

import (
	"context"

	"github.com/backout-dev/backout/bot"
)

// reverts records what is done to branches and pull requests.
type reverts struct {
	bot.Reverts // what only looks

	log *Log
}

// request is a RevertRequest without contents.
type request struct {
	Base    string   `json:"base"`
	Branch  string   `json:"branch"`
	Onto    bot.SHA  `json:"onto"`
	Tree    bot.SHA  `json:"tree"`
	Title   string   `json:"title"`
	Draft   bool     `json:"draft,omitempty"`
	Message text     `json:"message"`
	Body    text     `json:"body"`
	Files   []string `json:"files"`
}

// Open implements bot.Reverts.
func (p reverts) Open(ctx context.Context, r bot.RevertRequest) (bot.RevertPull, error) {
	in := request{
		Base: r.Base, Branch: r.Branch, Onto: r.Onto, Tree: r.Tree, Title: r.Title, Draft: r.Draft,
		Message: textOf(r.Message), Body: textOf(r.Body),
	}
	for _, f := range r.Files {
		in.Files = append(in.Files, f.Path)
	}
	x := effect{act: "open revert", repo: r.Repo, what: in}
	return do(ctx, p.log, x, func() (bot.RevertPull, error) { return p.Reverts.Open(ctx, r) })
}

// merge is what is merged, queued or armed.
type merge struct {
	Number int     `json:"number"`
	Head   bot.SHA `json:"head,omitempty"`
	Method string  `json:"method,omitempty"`
	Branch string  `json:"branch,omitempty"`
}

func mergeOf(r bot.MergeRequest) merge {
	return merge{Number: r.Number, Head: r.Head, Method: r.Method}
}

// Merge implements bot.Reverts.
func (p reverts) Merge(ctx context.Context, r bot.MergeRequest) (bot.Merged, error) {
	x := effect{act: "merge", repo: r.Repo, what: mergeOf(r)}
	return do(ctx, p.log, x, func() (bot.Merged, error) { return p.Reverts.Merge(ctx, r) })
}

// Enqueue implements bot.Reverts.
func (p reverts) Enqueue(ctx context.Context, r bot.MergeRequest) (bot.Queued, error) {
	x := effect{act: "enqueue", repo: r.Repo, what: mergeOf(r)}
	return do(ctx, p.log, x, func() (bot.Queued, error) { return p.Reverts.Enqueue(ctx, r) })
}

// Arm implements bot.Reverts.
func (p reverts) Arm(ctx context.Context, r bot.MergeRequest) (bot.Queued, error) {
	x := effect{act: "arm auto-merge", repo: r.Repo, what: mergeOf(r)}
	return do(ctx, p.log, x, func() (bot.Queued, error) { return p.Reverts.Arm(ctx, r) })
}

// Dequeue implements bot.Reverts.
func (p reverts) Dequeue(ctx context.Context, repo bot.RepoName, number int) error {
	x := effect{act: "dequeue", repo: repo, what: merge{Number: number}, anyway: true}
	_, err := do(ctx, p.log, x, nothing(func() error { return p.Reverts.Dequeue(ctx, repo, number) }))
	return err
}

// Disarm implements bot.Reverts.
func (p reverts) Disarm(ctx context.Context, repo bot.RepoName, number int) error {
	x := effect{act: "disarm auto-merge", repo: repo, what: merge{Number: number}, anyway: true}
	_, err := do(ctx, p.log, x, nothing(func() error { return p.Reverts.Disarm(ctx, repo, number) }))
	return err
}

// AskReview implements bot.Reverts.
func (p reverts) AskReview(ctx context.Context, repo bot.RepoName, number int, logins []string) error {
	in := struct {
		Number int      `json:"number"`
		Logins []string `json:"logins"`
	}{number, logins}
	x := effect{act: "ask for review", repo: repo, what: in, anyway: true}
	_, err := do(ctx, p.log, x, nothing(func() error { return p.Reverts.AskReview(ctx, repo, number, logins) }))
	return err
}

// Update implements bot.Reverts.
func (p reverts) Update(ctx context.Context, repo bot.RepoName, number int, head bot.SHA) error {
	x := effect{act: "update branch", repo: repo, what: merge{Number: number, Head: head}}
	_, err := do(ctx, p.log, x, nothing(func() error { return p.Reverts.Update(ctx, repo, number, head) }))
	return err
}

// Abandon implements bot.Reverts.
func (p reverts) Abandon(ctx context.Context, repo bot.RepoName, number int, branch string) error {
	x := effect{act: "close revert", repo: repo, what: merge{Number: number, Branch: branch}, anyway: true}
	_, err := do(ctx, p.log, x, nothing(func() error { return p.Reverts.Abandon(ctx, repo, number, branch) }))
	return err
}

// DeleteBranch implements bot.Reverts.
func (p reverts) DeleteBranch(ctx context.Context, repo bot.RepoName, branch string) error {
	x := effect{act: "delete branch", repo: repo, what: merge{Branch: branch}, anyway: true}
	_, err := do(ctx, p.log, x, nothing(func() error { return p.Reverts.DeleteBranch(ctx, repo, branch) }))
	return err
}

// board records what people are told.
type board struct {
	bot.Board

	log *Log
}

// React implements bot.Board.
func (p board) React(ctx context.Context, repo bot.RepoName, comment int64, reaction string) error {
	in := struct {
		Comment  int64  `json:"comment"`
		Reaction string `json:"reaction"`
	}{comment, reaction}
	x := effect{act: "react", repo: repo, what: in, anyway: true}
	_, err := do(ctx, p.log, x, nothing(func() error { return p.Board.React(ctx, repo, comment, reaction) }))
	return err
}

// Post implements bot.Board.
func (p board) Post(ctx context.Context, post bot.Post) (int64, error) {
	in := struct {
		Number int   `json:"number"`
		ID     int64 `json:"id,omitempty"`
		Body   text  `json:"body"`
	}{post.Number, post.ID, textOf(post.Body)}
	x := effect{act: "comment", repo: post.Repo, what: in, anyway: true}
	return do(ctx, p.log, x, func() (int64, error) { return p.Board.Post(ctx, post) })
}

// Check implements bot.Board.
func (p board) Check(ctx context.Context, c bot.CheckRun) (int64, error) {
	in := struct {
		Head       bot.SHA `json:"head"`
		Name       string  `json:"name"`
		Done       bool    `json:"done,omitempty"`
		Conclusion string  `json:"conclusion,omitempty"`
		Title      string  `json:"title,omitempty"`
		Summary    text    `json:"summary"`
	}{c.Head, c.Name, c.Done, c.Conclusion, c.Title, textOf(c.Summary)}
	x := effect{act: "check run", repo: c.Repo, what: in, anyway: true}
	return do(ctx, p.log, x, func() (int64, error) { return p.Board.Check(ctx, c) })
}
