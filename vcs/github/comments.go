package github

import (
	"context"
	"net/http"
	"strings"

	"github.com/backout-dev/backout/bot"
)

// maxBody is how long a comment or a pull request's text may be, in
// characters.
const maxBody = 65536

// bodyTail ends a text that was cut.
const bodyTail = "\n\n*… this was too long for GitHub and is cut here.*\n"

// React adds a reaction to a comment; one that is there already stays as it is
// (https://docs.github.com/rest/reactions/reactions#create-reaction-for-an-issue-comment).
func (c *Client) React(ctx context.Context, name bot.RepoName, comment int64, reaction string) error {
	r, err := c.repo(name)
	if err != nil {
		return err
	}
	_, _, err = r.api().Reactions.CreateIssueCommentReaction(ctx, r.owner, r.short, comment, reaction)
	return r.trouble(err, "react to comment %d in %s", comment, name)
}

// Post writes the comment that carries the marker, once: it edits the one that
// is there, and creates one where there is none or where a person deleted it.
func (c *Client) Post(ctx context.Context, p bot.Post) (int64, error) {
	r, err := c.repo(p.Repo)
	if err != nil {
		return 0, err
	}
	id, err := r.postComment(ctx, p)
	if err != nil {
		return 0, r.trouble(err, "write the comment on %s#%d", p.Repo, p.Number)
	}
	return id, nil
}

func (r *repository) postComment(ctx context.Context, p bot.Post) (int64, error) {
	if p.Marker == "" || !strings.Contains(p.Body, p.Marker) {
		return 0, bot.NewTrouble(bot.TroubleInvalid, nil, "the text does not hold its marker, so it could not be found again")
	}
	body := clipBody(p.Body, p.Marker)
	if p.ID != 0 {
		err := r.editComment(ctx, p.ID, body)
		if code := status(err); code != http.StatusNotFound && code != http.StatusGone {
			return p.ID, err
		}
	} else {
		old, err := r.findComment(ctx, p)
		if err != nil {
			return 0, err
		}
		if old.ID != 0 {
			if old.says(body) {
				return old.ID, nil
			}
			return old.ID, r.editComment(ctx, old.ID, body)
		}
	}
	id, err := r.createComment(ctx, p.Number, body)
	if err != nil && ctx.Err() == nil && !refused(err) {
		// It may have been written: the world knows.
		if made, lookErr := r.findComment(ctx, p); lookErr == nil && made.ID != 0 {
			return made.ID, nil
		}
	}
	return id, err
}

// commentJSON is a comment of an issue or pull request. go-github v60 does not
// decode performed_via_github_app.
type commentJSON struct {
	ID   int64  `json:"id"`
	Body string `json:"body"`
	User *struct {
		Login string `json:"login"`
		Type  string `json:"type"`
	} `json:"user"`
	Via *struct {
		ID int64 `json:"id"`
	} `json:"performed_via_github_app"`
}

// says compares texts as GitHub stores them: with its own line ends.
func (c commentJSON) says(body string) bool {
	norm := func(s string) string { return strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n")) }
	return norm(c.Body) == norm(body)
}

// findComment looks for our comment with the marker. A marker that somebody
// else quotes or forges counts for nothing. The oldest counts.
func (r *repository) findComment(ctx context.Context, p bot.Post) (commentJSON, error) {
	var found commentJSON
	var unsure error
	err := eachPage(ctx, r.api(), r.path("/issues/%d/comments", p.Number), func(page []commentJSON) bool {
		for _, c := range page {
			if !strings.Contains(c.Body, p.Marker) {
				continue
			}
			ours, err := r.client.wrote(ctx, c)
			if err != nil {
				unsure = err
				return false
			}
			if ours {
				found = c
				return false
			}
		}
		return true
	})
	if err == nil {
		err = unsure
	}
	return found, err
}

// wrote tells whether a comment is our App's: by the App it names, or by the
// login of our bot where an older server names none.
func (c *Client) wrote(ctx context.Context, comment commentJSON) (bool, error) {
	switch {
	case comment.Via != nil:
		return comment.Via.ID == c.appID, nil
	case comment.User == nil || comment.User.Type != "Bot":
		return false, nil
	}
	me, err := c.Identity(ctx)
	return err == nil && comment.User.Login == me.Login, err
}

func (r *repository) createComment(ctx context.Context, number int, body string) (int64, error) {
	var made commentJSON
	in := map[string]string{"body": body}
	_, err := call(ctx, r.api(), http.MethodPost, r.path("/issues/%d/comments", number), in, &made)
	return made.ID, err
}

func (r *repository) editComment(ctx context.Context, id int64, body string) error {
	in := map[string]string{"body": body}
	_, err := call(ctx, r.api(), http.MethodPatch, r.path("/issues/comments/%d", id), in, nil)
	return err
}

// clipBody cuts a text to what GitHub takes and says so at its end. The marker
// stays, wherever it stood: without it the comment would be written twice.
func clipBody(body, marker string) string {
	cut := clip(body, maxBody, bodyTail)
	if marker == "" || strings.Contains(cut, marker) {
		return cut
	}
	return clip(body, maxBody, bodyTail+marker)
}
