package webhooks

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/google/go-github/v60/github"

	"github.com/backout-dev/backout/bot"
)

// through is the App by which a comment was written.
type through struct {
	ID   int64  `json:"id"`
	Slug string `json:"slug"`
}

// commentNews reads a comment. What can't be a person's command is ignored
// here: edits of old ones, since somebody else may have made them; those of
// bots, since bots that command bots end in loops, but for Apps that the owners
// of this server allow. Our own App is never among them.
func commentNews(e *github.IssueCommentEvent, body []byte, self int64, allowed []string) (news, error) {
	// go-github has no such field.
	var more struct {
		Comment struct {
			Via *through `json:"performed_via_github_app"`
		} `json:"comment"`
	}
	if err := json.Unmarshal(body, &more); err != nil {
		return news{}, err
	}
	author := e.GetComment().GetUser()
	person := author.GetType() == "User" && e.GetSender().GetType() == "User" && more.Comment.Via == nil
	app := ""
	if !person {
		app = allowedApp(author, e.GetSender(), more.Comment.Via, self, allowed)
	}
	switch {
	case e.GetAction() != "created":
		return news{ignored: "only new comments count"}, nil
	case e.GetIssue().GetPullRequestLinks() == nil:
		return news{ignored: "a comment on an issue"}, nil
	case author == nil || author.GetLogin() == "":
		return news{ignored: "a comment without an author"}, nil
	case !person && app == "":
		return news{ignored: "a comment by a bot"}, nil
	case author.GetLogin() != e.GetSender().GetLogin():
		return news{ignored: "a comment in another's name"}, nil
	}
	repo, err := repoName(e.GetRepo())
	if err != nil {
		return news{}, err
	}
	c := &bot.Comment{
		Repo: repo, Number: e.GetIssue().GetNumber(), ID: e.GetComment().GetID(), Author: author.GetLogin(),
		Body: e.GetComment().GetBody(), Written: e.GetComment().GetCreatedAt().UTC(),
		// GitHub shows the text as it stands when it sends. Who edited it is not
		// said, so it may not be the author's.
		Edited: e.GetComment().GetUpdatedAt().After(e.GetComment().GetCreatedAt().Time), Via: app,
	}
	if c.Number <= 0 || c.ID <= 0 {
		return news{}, errors.New("the comment or its pull request has no number")
	}
	if c.Written.IsZero() {
		// By its date a command that is sent again long after is told.
		return news{}, errors.New("the comment has no date")
	}
	return news{comment: c}, nil
}

// allowedApp is the slug of the App by which a comment was written, if it may
// command; "" otherwise. An App writes as a bot of its own ("slug[bot]"), or on
// behalf of a person who has let it.
func allowedApp(author, sender *github.User, via *through, self int64, allowed []string) string {
	slug := ""
	if author.GetType() == "Bot" {
		slug, _ = strings.CutSuffix(author.GetLogin(), "[bot]")
	}
	switch kind := author.GetType(); {
	case kind != "User" && kind != "Bot", kind != sender.GetType():
		return ""
	case via != nil && (via.ID == self || via.Slug == "" || slug != "" && via.Slug != slug):
		return ""
	case via != nil:
		slug = via.Slug
	}
	if slug == "" || !slices.Contains(allowed, slug) {
		return ""
	}
	return slug
}
