package webhooks

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

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

// oldDate is a date as GitHub's published examples of check_run have it, which
// go-github does not read: "2018-04-25 20:42:10".
var oldDate = regexp.MustCompile(`"([0-9]{4}-[0-9]{2}-[0-9]{2}) ([0-9]{2}:[0-9]{2}:[0-9]{2})"`)

// decodeGitHub reads the payload of a known event. Pure. self is our App's ID,
// and allowed are the slugs of other Apps whose comments may command.
func decodeGitHub(event string, body []byte, self int64, allowed ...string) (news, error) {
	parsed, err := github.ParseWebHook(event, body)
	if date := (*time.ParseError)(nil); errors.As(err, &date) {
		parsed, err = github.ParseWebHook(event, oldDate.ReplaceAll(body, []byte(`"${1}T${2}Z"`)))
	}
	if err != nil {
		return news{}, fmt.Errorf("decode event %s: %w", event, err)
	}
	var n news
	switch e := parsed.(type) {
	case *github.IssueCommentEvent:
		n, err = commentNews(e, body, self, allowed)
	case *github.PullRequestEvent:
		n.hints, err = pullHints(e.GetRepo(), e.GetPullRequest())
	case *github.PullRequestReviewEvent:
		n.hints, err = pullHints(e.GetRepo(), e.GetPullRequest())
	case *github.PushEvent:
		n, err = pushNews(e)
	case *github.CheckSuiteEvent:
		if suite := e.GetCheckSuite(); suite != nil {
			n, err = checkNews(e.GetRepo(), suite.GetApp().GetID(), self, suite.GetHeadSHA(), suite.PullRequests)
		} else {
			err = errNoCheck
		}
	case *github.CheckRunEvent:
		if run := e.GetCheckRun(); run != nil {
			n, err = checkNews(e.GetRepo(), run.GetApp().GetID(), self, run.GetHeadSHA(), run.PullRequests)
		} else {
			err = errNoCheck
		}
	case *github.StatusEvent:
		n, err = checkNews(e.GetRepo(), 0, self, e.GetSHA(), nil)
	case *github.MergeGroupEvent:
		n.hints, err = queueHints(e)
	case *github.InstallationEvent:
		n.installation, err = installationOf(e.GetInstallation(), e.GetAction())
		if err == nil {
			switch e.GetAction() {
			case "created":
				n.installation.Added, err = repoNames(e.Repositories)
			case "deleted":
				n.installation.Removed, err = repoNames(e.Repositories)
			}
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

func installationOf(i *github.Installation, action string) (*Installation, error) {
	if i.GetID() <= 0 {
		return nil, errors.New("the installation has no ID")
	}
	return &Installation{ID: i.GetID(), Account: i.GetAccount().GetLogin(), Action: action}, nil
}
