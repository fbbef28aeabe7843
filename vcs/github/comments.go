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
//
// A request whose sender died may take effect at any time, also between our
// look and our write. So we look again after a write that followed a look, keep
// the oldest of what is ours, and delete the others. A post that is Final does
// so in any case.
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
	p.Body = clipBody(p.Body, p.Marker)
	gone := int64(0)
	if p.ID != 0 && !p.Final {
		err := r.editComment(ctx, p.ID, p.Body)
		if !isGone(err) {
			return p.ID, err
		}
		// Somebody deleted it. A new one may be there already: an earlier try can
		// have written it and lost the answer.
		gone = p.ID
	}
	old, err := r.keepOldest(ctx, p, gone)
	if err != nil {
		return 0, err
	}
	if old.ID != 0 && old.says(p.Body) {
		return old.ID, nil
	}
	id, err := r.writeComment(ctx, p, old.ID, gone)
	if err != nil {
		return 0, err
	}
	switch now, err := r.keepOldest(ctx, p, gone); {
	case err != nil:
		return 0, err
	case now.ID == 0: // a list that lags must not make us write twice
		return id, nil
	case now.says(p.Body):
		return now.ID, nil
	default:
		return now.ID, r.editComment(ctx, now.ID, p.Body)
	}
}

// writeComment edits the comment with that ID, or creates one where it is 0 or
// was deleted just now.
func (r *repository) writeComment(ctx context.Context, p bot.Post, id, gone int64) (int64, error) {
	if id != 0 {
		if err := r.editComment(ctx, id, p.Body); !isGone(err) {
			return id, err
		}
		gone = id
	}
	made, err := r.createComment(ctx, p.Number, p.Body)
	if err != nil && ctx.Err() == nil && !refused(err) {
		// It may have been written: the world knows.
		if found, lookErr := r.keepOldest(ctx, p, gone); lookErr == nil && found.ID != 0 {
			return found.ID, nil
		}
	}
	return made, err
}

// isGone tells that what was to be changed is not there any more.
func isGone(err error) bool {
	code := status(err)
	return code == http.StatusNotFound || code == http.StatusGone
}

// keepOldest finds our comment with the marker, the zero one where there is
// none. Where there are several it deletes all but the oldest.
func (r *repository) keepOldest(ctx context.Context, p bot.Post, gone int64) (commentJSON, error) {
	ours, err := r.findComments(ctx, p, gone)
	if err != nil || len(ours) == 0 {
		return commentJSON{}, err
	}
	for _, c := range ours[1:] {
		_, err := call(ctx, r.api(), http.MethodDelete, r.path("/issues/comments/%d", c.ID), nil, nil)
		if err != nil && !isGone(err) {
			return commentJSON{}, err
		}
	}
	return ours[0], nil
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

// findComments lists our comments with the marker, the oldest first, without
// the one that is known to be gone. A marker that somebody else quotes or
// forges counts for nothing.
func (r *repository) findComments(ctx context.Context, p bot.Post, gone int64) ([]commentJSON, error) {
	var found []commentJSON
	var unsure error
	err := eachPage(ctx, r.api(), r.path("/issues/%d/comments", p.Number), func(page []commentJSON) bool {
		for _, c := range page {
			if c.ID == gone || !strings.Contains(c.Body, p.Marker) {
				continue
			}
			ours, err := r.client.wrote(ctx, c)
			if err != nil {
				unsure = err
				return false
			}
			if ours {
				found = append(found, c)
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
