package github

import (
	"context"
	"net/url"
	"time"

	"github.com/backout-dev/backout/bot"
)

var _ bot.Talk = (*Client)(nil)

// Comments implements bot.Talk
// (https://docs.github.com/rest/issues/comments#list-issue-comments).
func (c *Client) Comments(ctx context.Context, name bot.RepoName, number int, since time.Time) ([]bot.Comment, error) {
	r, err := c.repo(name)
	if err != nil {
		return nil, err
	}
	type comment struct {
		commentJSON
		Created time.Time `json:"created_at"`
		Updated time.Time `json:"updated_at"`
	}
	var out []bot.Comment
	path := r.path("/issues/%d/comments", number) + "?since=" + url.QueryEscape(since.UTC().Format(time.RFC3339))
	err = eachPage(ctx, r.api(), path, func(page []comment) bool {
		for _, x := range page {
			one := bot.Comment{Repo: name, Number: number, ID: x.ID, Body: x.Body, AuthorIsBot: true, Written: x.Created.UTC(), Edited: x.Updated.After(x.Created)}
			if x.User != nil {
				one.Author, one.AuthorIsBot = x.User.Login, x.User.Type != "User" || x.Via != nil
			}
			out = append(out, one)
		}
		return true
	})
	return out, r.trouble(err, "read the comments on %s#%d", name, number)
}
