package webhooks

import (
	"encoding/json"
	"errors"

	"github.com/google/go-github/v60/github"

	"github.com/backout-dev/backout/bot"
)

// commentNews reads a comment. What can't be a person's command is ignored
// here: edited ones, since somebody else may have edited them; those of bots,
// since bots that command bots end in loops.
func commentNews(e *github.IssueCommentEvent, body []byte) (news, error) {
	// go-github has no such field.
	var more struct {
		Comment struct {
			Via *struct{} `json:"performed_via_github_app"`
		} `json:"comment"`
	}
	if err := json.Unmarshal(body, &more); err != nil {
		return news{}, err
	}
	author := e.GetComment().GetUser()
	switch {
	case e.GetAction() != "created":
		return news{ignored: "only new comments count"}, nil
	case e.GetIssue().GetPullRequestLinks() == nil:
		return news{ignored: "a comment on an issue"}, nil
	case author == nil || author.GetLogin() == "":
		return news{ignored: "a comment without an author"}, nil
	case author.GetType() != "User" || e.GetSender().GetType() != "User" || more.Comment.Via != nil:
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
