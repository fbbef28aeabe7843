package webhooks

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/google/go-github/v60/github"

	"github.com/backout-dev/backout/bot"
)

// known reports whether Backout uses an event.
func known(event string) bool {
	return slices.Contains([]string{
		"issue_comment", "pull_request", "pull_request_review", "push", "check_suite", "check_run", "status",
		"merge_group", "installation", "installation_repositories", "ping",
	}, event)
}

// news is what a delivery tells: one of ignored, comment, installation, or
// hints, possibly with a push.
type news struct {
	installed int64 // the installation that it was sent for, 0 for none
	app       int64 // the App of that installation, 0 when it is not said

	ignored      string // why it tells nothing
	comment      *bot.Comment
	installation *Installation
	hints        []bot.Hint
	pushed       bot.RepoName
}

// decodeGitHub reads the payload of a known event. Pure. self is our App's ID.
func decodeGitHub(event string, body []byte, self int64) (news, error) {
	parsed, err := github.ParseWebHook(event, body)
	if err != nil {
		return news{}, fmt.Errorf("decode event %s: %w", event, err)
	}
	var n news
	switch e := parsed.(type) {
	case *github.IssueCommentEvent:
		n, err = commentNews(e, body)
	case *github.PullRequestEvent:
		n.hints, err = pullHints(e.GetRepo(), e.GetPullRequest())
	case *github.PullRequestReviewEvent:
		n.hints, err = pullHints(e.GetRepo(), e.GetPullRequest())
	case *github.PushEvent:
		n, err = pushNews(e)
	case *github.CheckSuiteEvent:
		suite := e.GetCheckSuite()
		n, err = checkNews(e.GetRepo(), suite.GetApp().GetID(), self, suite.GetHeadSHA(), suite.PullRequests)
	case *github.CheckRunEvent:
		run := e.GetCheckRun()
		n, err = checkNews(e.GetRepo(), run.GetApp().GetID(), self, run.GetHeadSHA(), run.PullRequests)
	case *github.StatusEvent:
		n, err = checkNews(e.GetRepo(), 0, self, e.GetSHA(), nil)
	case *github.MergeGroupEvent:
		n.hints, err = queueHints(e)
	case *github.InstallationEvent:
		n.installation, err = installationOf(e.GetInstallation(), e.GetAction())
		if err == nil && e.GetAction() == "created" {
			n.installation.Added, err = repoNames(e.Repositories)
		}
	case *github.InstallationRepositoriesEvent:
		n.installation, err = installationOf(e.GetInstallation(), e.GetAction())
		if err == nil {
			var err1, err2 error
			n.installation.Added, err1 = repoNames(e.RepositoriesAdded)
			n.installation.Removed, err2 = repoNames(e.RepositoriesRemoved)
			err = errors.Join(err1, err2)
		}
	default:
		return news{}, fmt.Errorf("decode event %s: it has the type %T", event, parsed)
	}
	if err != nil {
		return news{}, fmt.Errorf("decode event %s: %w", event, err)
	}
	if e, ok := parsed.(interface{ GetInstallation() *github.Installation }); ok {
		n.installed, n.app = e.GetInstallation().GetID(), e.GetInstallation().GetAppID()
	}
	return n, nil
}

// repository is what the repositories of all events have in common.
type repository interface{ GetFullName() string }

func repoName(r repository) (bot.RepoName, error) {
	name := bot.RepoName(r.GetFullName())
	if owner, _ := name.Split(); owner == "" {
		return "", fmt.Errorf("%q is not the name of a repository", string(name))
	}
	return name, nil
}

func repoNames(list []*github.Repository) ([]bot.RepoName, error) {
	var out []bot.RepoName
	for _, r := range list {
		name, err := repoName(r)
		if err != nil {
			return nil, err
		}
		out = append(out, name)
	}
	return out, nil
}

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
	case !e.GetIssue().IsPullRequest():
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
	c := &bot.Comment{Repo: repo, Number: e.GetIssue().GetNumber(), ID: e.GetComment().GetID(), Author: author.GetLogin(), Body: e.GetComment().GetBody()}
	if c.Number <= 0 || c.ID <= 0 {
		return news{}, errors.New("the comment or its pull request has no number")
	}
	return news{comment: c}, nil
}

func pullHints(r *github.Repository, p *github.PullRequest) ([]bot.Hint, error) {
	repo, err := repoName(r)
	if err != nil {
		return nil, err
	}
	return []bot.Hint{{Repo: repo, Number: p.GetNumber(), Head: sha(p.GetHead().GetSHA())}}, nil
}

// pushNews reads a push. One to a tag is none of ours.
func pushNews(e *github.PushEvent) (news, error) {
	repo, err := repoName(e.GetRepo())
	if err != nil {
		return news{}, err
	}
	branch, ok := strings.CutPrefix(e.GetRef(), "refs/heads/")
	if !ok {
		return news{ignored: "not a push to a branch"}, nil
	}
	return news{pushed: repo, hints: []bot.Hint{{Repo: repo, Ref: branch, Head: sha(e.GetAfter())}}}, nil
}

// checkNews reads what a check or status tells. Our own check tells us nothing
// new, and to wake by it could go in circles.
func checkNews(r *github.Repository, app, self int64, head string, pulls []*github.PullRequest) (news, error) {
	repo, err := repoName(r)
	if err != nil {
		return news{}, err
	}
	if self != 0 && app == self {
		return news{ignored: "our own check"}, nil
	}
	n := news{hints: []bot.Hint{{Repo: repo, Head: sha(head)}}}
	// A check on a fork's branch names no pull requests; none has many.
	const most = 20
	for _, p := range pulls[:min(len(pulls), most)] {
		n.hints = append(n.hints, bot.Hint{Repo: repo, Number: p.GetNumber(), Head: sha(head)})
	}
	return n, nil
}

// queued finds the pull request in the name of a merge queue's branch:
// refs/heads/gh-readonly-queue/main/pr-104-<sha>.
var queued = regexp.MustCompile(`^refs/heads/gh-readonly-queue/.+/pr-([0-9]{1,9})-[0-9a-f]{40}$`)

func queueHints(e *github.MergeGroupEvent) ([]bot.Hint, error) {
	repo, err := repoName(e.GetRepo())
	if err != nil {
		return nil, err
	}
	g := e.GetMergeGroup()
	h := bot.Hint{Repo: repo, Ref: strings.TrimPrefix(g.GetBaseRef(), "refs/heads/"), Head: sha(g.GetHeadSHA())}
	if m := queued.FindStringSubmatch(g.GetHeadRef()); m != nil {
		h.Number, _ = strconv.Atoi(m[1]) // nine digits at most
	}
	return []bot.Hint{h}, nil
}

func installationOf(i *github.Installation, action string) (*Installation, error) {
	if i.GetID() <= 0 {
		return nil, errors.New("the installation has no ID")
	}
	return &Installation{ID: i.GetID(), Account: i.GetAccount().GetLogin(), Action: action}, nil
}

// sha is a commit, or unknown when it is none: GitHub writes zeros where a
// branch was deleted.
func sha(s string) bot.SHA {
	if c := bot.SHA(s); c.Valid() && strings.Trim(s, "0") != "" {
		return c
	}
	return ""
}
