package github

import (
	"context"
	"net/http"
	"reflect"
	"strconv"

	"github.com/google/go-github/v60/github"

	"github.com/backout-dev/backout/bot"
)

// call sends one REST request and decodes the answer into out, where out is
// not nil. It serves where go-github v60 lacks a method or a field.
func call(ctx context.Context, gh *github.Client, method, path string, in, out any) (*github.Response, error) {
	req, err := gh.NewRequest(method, path, in)
	if err != nil {
		return nil, err
	}
	return gh.Do(ctx, req, out)
}

// get reads one thing.
func (r *repository) get(ctx context.Context, path string, out any) error {
	_, err := call(ctx, r.api(), http.MethodGet, path, nil, out)
	return err
}

// pageSize is the most that GitHub gives at once
// (https://docs.github.com/rest/using-the-rest-api/using-pagination-in-the-rest-api).
const pageSize = 100

// maxPages bounds every listing: 10,000 things are more than any pull request
// has, and an endless "next" must not hold a flow.
const maxPages = 100

// eachPage reads a listing page by page, until it ends or each says that it
// has seen enough.
func eachPage[P any](ctx context.Context, gh *github.Client, path string, each func(page P) (more bool)) error {
	u, err := gh.BaseURL.Parse(path)
	if err != nil {
		return err
	}
	q := u.Query()
	q.Set("per_page", strconv.Itoa(pageSize))
	next := 1
	for range maxPages {
		q.Set("page", strconv.Itoa(next))
		u.RawQuery = q.Encode()
		var page P
		resp, err := call(ctx, gh, http.MethodGet, u.String(), nil, &page)
		if err != nil {
			return err
		}
		if reflect.ValueOf(page).IsZero() {
			// Nothing, where a listing was due: what it would have held is unknown.
			return bot.NewTrouble(bot.TroubleTransient, nil, "GitHub answered with no listing")
		}
		if !each(page) || resp.NextPage == 0 {
			return nil
		}
		next = resp.NextPage
	}
	return nil
}
