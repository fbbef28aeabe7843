package github

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/backout-dev/backout/bot"
)

// Identity is who the App is on this host.
type Identity struct {
	Slug  string // in URLs: github.com/apps/<slug>
	AppID int64
	Login string // under which it comments and commits: "<slug>[bot]"
}

// Identity asks GitHub who we are. It is read once and kept: a renamed App
// needs a restart.
func (c *Client) Identity(ctx context.Context) (Identity, error) {
	c.mu.Lock()
	id := c.identity
	c.mu.Unlock()
	if id.Slug != "" {
		return id, nil
	}
	var got struct {
		ID   int64  `json:"id"`
		Slug string `json:"slug"`
	}
	if _, err := call(ctx, c.rest(c.app), http.MethodGet, "app", nil, &got); err != nil {
		return Identity{}, c.trouble(err, "read the App's own page")
	}
	id = Identity{Slug: got.Slug, AppID: got.ID, Login: got.Slug + "[bot]"}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.identity = id
	return id, nil
}

// Installed lists the repositories that the App is installed on, in all
// accounts, by name. Suspended installations and archived repositories are
// left out: nothing can be done there.
func (c *Client) Installed(ctx context.Context) ([]bot.RepoName, error) {
	var all []installation
	err := eachPage(ctx, c.rest(c.app), "app/installations", func(page []installation) bool {
		all = append(all, page...)
		return true
	})
	if err != nil {
		return nil, c.trouble(err, "list the App's installations")
	}
	var names []bot.RepoName
	for _, in := range all {
		if in.SuspendedAt != nil {
			continue
		}
		list, err := c.installedIn(ctx, in)
		if err != nil {
			return nil, c.trouble(err, "list the repositories of %s", in.Account.Login)
		}
		names = append(names, list...)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// installedIn lists one installation with a token that can read names and
// nothing else.
func (c *Client) installedIn(ctx context.Context, in installation) ([]bot.RepoName, error) {
	ask := map[string]any{"permissions": map[string]string{"metadata": "read"}}
	var got struct {
		Token string `json:"token"`
	}
	path := fmt.Sprintf("app/installations/%d/access_tokens", in.ID)
	if _, err := call(ctx, c.rest(c.app), http.MethodPost, path, ask, &got); err != nil {
		return nil, err
	}
	c.minted(got.Token)
	type page struct {
		Repositories []struct {
			FullName string `json:"full_name"`
			Archived bool   `json:"archived"`
		} `json:"repositories"`
	}
	var names []bot.RepoName
	hc := &http.Client{Transport: readAgain{c.base}, Timeout: requestTimeout, CheckRedirect: stayOnHost}
	gh := c.rest(hc).WithAuthToken(got.Token)
	err := eachPage(ctx, gh, "installation/repositories", func(p page) bool {
		for _, r := range p.Repositories {
			if !r.Archived {
				names = append(names, bot.RepoName(r.FullName))
			}
		}
		return true
	})
	return names, err
}
