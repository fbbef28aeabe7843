package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"
	"golang.org/x/sync/errgroup"

	"github.com/backout-dev/backout/bot"
)

// installation is the App on the account that owns a repository.
type installation struct {
	ID          int64             `json:"id"`
	Permissions map[string]string `json:"permissions"`
	Events      []string          `json:"events"`
	SuspendedAt *time.Time        `json:"suspended_at"`
	Account     struct {
		Login string `json:"login"`
	} `json:"account"`
}

// token is an installation access token. GitHub lets it live for an hour.
type token struct {
	secret       string
	expires      time.Time
	installation int64
}

// tokenMargin is how early a token is replaced, so that one handed to a slow
// clone or a chain of requests does not end in their middle.
const tokenMargin = 5 * time.Minute

// Token returns a token that can fetch the repository over HTTPS and nothing
// else; the user name to send with it is "x-access-token". It is good for at
// least five minutes.
func (c *Client) Token(ctx context.Context, name bot.RepoName) (string, error) {
	r, err := c.repo(name)
	if err != nil {
		return "", err
	}
	t, err := r.token(ctx, scopeClone)
	if err != nil {
		return "", r.trouble(err, "get a token to fetch %s", name)
	}
	return t.secret, nil
}

// Warm gets ready what opening and merging a revert needs, so that none of it
// is on the clock: the tokens and the repository's node ID.
func (c *Client) Warm(ctx context.Context, name bot.RepoName) error {
	r, err := c.repo(name)
	if err != nil {
		return err
	}
	var g errgroup.Group
	for _, sc := range []scope{scopeRead, scopeChange, scopeTell} {
		g.Go(func() error {
			_, err := r.token(ctx, sc)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return r.trouble(err, "get a token for %s", name)
	}
	if _, err := r.node(ctx); err != nil {
		return r.trouble(err, "read repository %s", name)
	}
	return nil
}

// token returns a token of the scope, from memory or newly minted.
func (r *repository) token(ctx context.Context, sc scope) (token, error) {
	if t, ok := r.cached(sc); ok {
		return t, nil
	}
	done, err := r.queue(ctx, sc)
	if err != nil {
		return token{}, err
	}
	defer done()
	if t, ok := r.cached(sc); ok {
		return t, nil
	}
	c, known := r.client, r.installed().ID != 0
	t, err := r.mint(ctx, sc)
	if err != nil && known && c.judge(err).Kind != bot.TroubleTransient {
		// The installation may have been replaced, or its permissions changed,
		// since we looked.
		r.forgetInstallation()
		t, err = r.mint(ctx, sc)
	}
	if err != nil && ctx.Err() == nil {
		// Judged here, or its status would be taken for that of the request
		// that the token is for.
		err = r.client.judge(err)
	}
	return t, err
}

// queue lets one caller at a time mint tokens of a scope, or look the
// installation up where the scope is empty: the others find the result. It is
// a channel because waiting must end with the context.
func (r *repository) queue(ctx context.Context, sc scope) (done func(), err error) {
	r.mu.Lock()
	turn := r.turns[sc]
	if turn == nil {
		turn = make(chan struct{}, 1)
		r.turns[sc] = turn
	}
	r.mu.Unlock()
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (r *repository) mint(ctx context.Context, sc scope) (token, error) {
	in, err := r.findInstallation(ctx)
	if err != nil {
		return token{}, err
	}
	ask := struct {
		Repositories []string          `json:"repositories"`
		Permissions  map[string]string `json:"permissions,omitempty"`
	}{[]string{r.short}, sc.asks(in.Permissions)}
	var got struct {
		Token        string    `json:"token"`
		ExpiresAt    time.Time `json:"expires_at"`
		Repositories []struct {
			NodeID string `json:"node_id"`
		} `json:"repositories"`
	}
	path := fmt.Sprintf("app/installations/%d/access_tokens", in.ID)
	resp, err := call(ctx, r.client.rest(r.client.app), http.MethodPost, path, ask, &got)
	if err != nil {
		return token{}, r.notInstalled(err)
	}
	if got.Token == "" {
		return token{}, errors.New("github: the answer holds no token")
	}
	r.client.minted(got.Token)
	t := token{secret: got.Token, expires: got.ExpiresAt, installation: in.ID}
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		// By our own clock: one that runs an hour ahead would ask for a token
		// before each request.
		t.expires = r.client.now().Add(got.ExpiresAt.Sub(date))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tokens[sc] = t
	if len(got.Repositories) == 1 {
		r.nodeID = got.Repositories[0].NodeID
	}
	return t, nil
}

func (r *repository) findInstallation(ctx context.Context) (installation, error) {
	if in := r.installed(); in.ID != 0 {
		return in, nil
	}
	done, err := r.queue(ctx, "")
	if err != nil {
		return installation{}, err
	}
	defer done()
	if in := r.installed(); in.ID != 0 {
		return in, nil
	}
	var in installation
	_, err = call(ctx, r.client.rest(r.client.app), http.MethodGet, r.path("/installation"), nil, &in)
	if err != nil {
		return in, r.notInstalled(err)
	}
	if in.SuspendedAt != nil {
		return in, bot.NewTrouble(bot.TroubleForbidden, nil, "the App's installation on %s is suspended", r.owner).
			WithAdvice("unsuspend it in the settings of %s, under GitHub Apps", r.owner)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.installation = in
	return in, nil
}

// notInstalled says in plain words that GitHub does not know us on this
// repository; other errors pass.
func (r *repository) notInstalled(err error) error {
	var e *github.ErrorResponse
	if !errors.As(err, &e) {
		return err
	}
	switch status := e.Response.StatusCode; {
	case status == http.StatusUnprocessableEntity && strings.Contains(e.Message, "permissions"):
		return err // the installation's permissions changed under us.
	case status == http.StatusNotFound, status == http.StatusUnprocessableEntity:
		return bot.NewTrouble(bot.TroubleNotFound, nil, "the App is not installed on %s", r.name).
			WithAdvice("install the App on %s, or add it to the installation's repositories", r.name)
	case status == http.StatusUnauthorized:
		return bot.NewTrouble(bot.TroubleForbidden, nil, "GitHub does not accept the App's key").
			WithAdvice("check that App ID and private key belong together, and that this machine's clock is right")
	}
	return err
}

// node returns the repository's GraphQL ID.
func (r *repository) node(ctx context.Context) (string, error) {
	r.mu.Lock()
	id := r.nodeID
	r.mu.Unlock()
	if id != "" {
		return id, nil
	}
	var got struct {
		NodeID string `json:"node_id"`
	}
	if err := r.get(ctx, r.path(""), &got); err != nil {
		return "", err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.nodeID = got.NodeID
	return got.NodeID, nil
}

func (r *repository) cached(sc scope) (token, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t, ok := r.tokens[sc]
	return t, ok && r.client.now().Before(t.expires.Add(-tokenMargin))
}

func (r *repository) installed() installation {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.installation
}

func (r *repository) forgetInstallation() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.installation = installation{}
}

// forget drops a token that GitHub did not take, and what we knew of the
// installation.
func (r *repository) forget(used token) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for sc, t := range r.tokens {
		if t == used {
			delete(r.tokens, sc)
			r.installation = installation{}
		}
	}
}

// Refused forgets a token that a server of git did not take, so that Token
// gets another.
func (c *Client) Refused(name bot.RepoName, secret string) {
	r, err := c.repo(name)
	if err != nil {
		return
	}
	r.mu.Lock()
	used := r.tokens[scopeClone]
	r.mu.Unlock()
	if used.secret == secret {
		r.forget(used)
	}
}

// trouble is Client.trouble, and where a permission is missing it forgets the
// tokens that may lack it, so that one which is granted now counts at the next
// try and not an hour later.
func (r *repository) trouble(err error, act string, args ...any) error {
	err = r.client.trouble(err, act, args...)
	if bot.IsTrouble(err, bot.TroubleForbidden) {
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, sc := range []scope{scopeRead, scopeChange, scopeTell} {
			delete(r.tokens, sc)
		}
		r.installation = installation{}
	}
	return err
}
