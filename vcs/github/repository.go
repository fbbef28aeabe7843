package github

import (
	"fmt"
	"net/http"
	"net/url"
	"sync"

	"github.com/google/go-github/v60/github"

	"github.com/backout-dev/backout/bot"
)

// repository is one repository as the App sees it.
type repository struct {
	client       *Client
	name         bot.RepoName
	owner, short string
	// Both authenticate as the App on this repository: REST with the token of
	// what is asked, GraphQL with the one that changes.
	http, graph *http.Client

	mu           sync.Mutex
	turns        map[scope]chan struct{}
	installation installation
	nodeID       string
	pulls        map[int]string // node IDs of pull requests that were seen
	tokens       map[scope]token
}

// repo returns the handle of a repository; it is made once and keeps the
// repository's tokens.
func (c *Client) repo(name bot.RepoName) (*repository, error) {
	owner, short := name.Split()
	if owner == "" {
		return nil, bot.NewTrouble(bot.TroubleInvalid, nil, "%q is not a repository name", string(name)).
			WithAdvice("write it as owner/name")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.repos[name]; r != nil {
		return r, nil
	}
	r := &repository{
		client: c, name: name, owner: owner, short: short,
		turns: map[scope]chan struct{}{}, tokens: map[scope]token{}, pulls: map[int]string{},
	}
	as := func(sc scope) *http.Client {
		return &http.Client{Transport: &authorised{repo: r, as: sc}, Timeout: requestTimeout, CheckRedirect: stayOnHost}
	}
	r.http, r.graph = as(""), as(scopeChange)
	c.repos[name] = r
	return r, nil
}

// note remembers the node ID of a pull request, which never changes: mutations
// name pull requests by it.
func (r *repository) note(p *pullNode) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p.ID != "" {
		r.pulls[p.Number] = p.ID
	}
}

// noted is the node ID of a pull request, "" when it was not seen yet.
func (r *repository) noted(number int) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.pulls[number]
}

// path is the repository's REST path with a tail.
func (r *repository) path(format string, args ...any) string {
	return "repos/" + url.PathEscape(r.owner) + "/" + url.PathEscape(r.short) + fmt.Sprintf(format, args...)
}

// api is go-github on this repository.
func (r *repository) api() *github.Client { return r.client.rest(r.http) }
