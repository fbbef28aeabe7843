package webhooks

import (
	"errors"
	"regexp"
	"strconv"
	"strings"

	"github.com/google/go-github/v60/github"

	"github.com/backout-dev/backout/bot"
)

func pullHints(r *github.Repository, p *github.PullRequest) ([]bot.Hint, error) {
	repo, err := repoName(r)
	if err != nil {
		return nil, err
	}
	if p.GetNumber() <= 0 {
		return nil, errors.New("the pull request has no number")
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
	h := bot.Hint{Repo: repo, Ref: branch, Head: sha(e.GetAfter())}
	if n := queuedNumber(e.GetRef()); n != 0 {
		// A group of the merge queue was built or deleted. It comes to nobody's
		// mirror: what it brings is pushed to the base once it has passed.
		h.Number = n
		return news{hints: []bot.Hint{h}}, nil
	}
	return news{pushed: repo, hints: []bot.Hint{h}}, nil
}

var errNoCheck = errors.New("the check is missing")

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
	if sha(head) == "" {
		return news{}, errors.New("the check has no commit")
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

// queuedNumber is the number of that pull request, 0 for other branches.
func queuedNumber(ref string) int {
	m := queued.FindStringSubmatch(ref)
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(m[1]) // nine digits at most
	return n
}

// queueHints reads that a group wants checks, or was destroyed: merged,
// dequeued, or invalidated by what happened ahead of it. Each pull request in
// the queue has a group of its own, so one number is all.
func queueHints(e *github.MergeGroupEvent) ([]bot.Hint, error) {
	repo, err := repoName(e.GetRepo())
	if err != nil {
		return nil, err
	}
	g := e.GetMergeGroup()
	if sha(g.GetHeadSHA()) == "" {
		return nil, errors.New("the merge group has no commit")
	}
	return []bot.Hint{{
		Repo: repo, Number: queuedNumber(g.GetHeadRef()),
		Ref: strings.TrimPrefix(g.GetBaseRef(), "refs/heads/"), Head: sha(g.GetHeadSHA()),
	}}, nil
}

// sha is a commit, or unknown when it is none: GitHub writes zeros where a
// branch was deleted.
func sha(s string) bot.SHA {
	if c := bot.SHA(s); c.Valid() && strings.Trim(s, "0") != "" {
		return c
	}
	return ""
}
