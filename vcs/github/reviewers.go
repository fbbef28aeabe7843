package github

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/backout-dev/backout/bot"
)

// maxReviewers is how many people GitHub lets be asked at once
// (https://docs.github.com/pull-requests/collaborating-with-pull-requests/proposing-changes-to-your-work-with-pull-requests/requesting-a-pull-request-review).
const maxReviewers = 15

// AskReview requests reviews of people
// (https://docs.github.com/rest/pulls/review-requests#request-reviewers-for-a-pull-request).
// GitHub refuses a request as a whole when one of them is the author or no
// collaborator; then each is asked alone and who can't be is passed over.
// Asking somebody again changes nothing.
func (c *Client) AskReview(ctx context.Context, name bot.RepoName, number int, logins []string) error {
	r, err := c.repo(name)
	if err != nil {
		return err
	}
	return r.trouble(r.askReview(ctx, number, logins), "request reviews of pull request %d in %s", number, name)
}

func (r *repository) askReview(ctx context.Context, number int, logins []string) error {
	who := people(logins)
	if len(who) == 0 {
		return nil
	}
	err := r.request(ctx, number, who...)
	switch {
	case status(err) != http.StatusUnprocessableEntity:
		return err
	case len(who) == 1:
		return nil
	}
	for _, login := range who {
		if err := r.request(ctx, number, login); err != nil && status(err) != http.StatusUnprocessableEntity {
			return err
		}
	}
	return nil
}

// request asks some people in one request. When the answer is lost, who is
// being asked tells whether it came through.
func (r *repository) request(ctx context.Context, number int, logins ...string) error {
	in := map[string][]string{"reviewers": logins}
	_, err := call(ctx, r.api(), http.MethodPost, r.path("/pulls/%d/requested_reviewers", number), in, nil)
	if err == nil || refused(err) {
		return err
	}
	type user struct {
		Login string `json:"login"`
	}
	var asked struct {
		Users []user `json:"users"`
	}
	if lookErr := r.get(ctx, r.path("/pulls/%d/requested_reviewers", number), &asked); lookErr != nil {
		return lookErr
	}
	for _, login := range logins {
		if !slices.ContainsFunc(asked.Users, func(u user) bool { return strings.EqualFold(u.Login, login) }) {
			return err
		}
	}
	return nil
}

// people drops what is no login of a person, and repetitions.
func people(logins []string) []string {
	var out []string
	for _, login := range logins {
		known := slices.ContainsFunc(out, func(o string) bool { return strings.EqualFold(o, login) })
		if login == "" || strings.HasSuffix(login, "[bot]") || known || len(out) == maxReviewers {
			continue
		}
		out = append(out, login)
	}
	return out
}
