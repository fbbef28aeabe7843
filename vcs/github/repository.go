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
	http         *http.Client // authenticates as the App on this repository

	// turn is held while a token is minted, so that many callers mint one. It
	// is a channel because waiting must end with the context.
	turn chan struct{}

	mu           sync.Mutex
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
		turn: make(chan struct{}, 1), tokens: map[scope]token{}, pulls: map[int]string{},
	}
	r.http = &http.Client{Transport: &authorised{repo: r}, Timeout: requestTimeout, CheckRedirect: stayOnHost}
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
