package github

import (
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/google/go-github/v60/github"

	"github.com/backout-dev/backout/bot"
)

var (
	_ bot.People  = (*Client)(nil)
	_ bot.Pulls   = (*Client)(nil)
	_ bot.Reverts = (*Client)(nil)
	_ bot.Board   = (*Client)(nil)
)

// Config says which App to be, and where.
type Config struct {
	// AppID is the App's number, from its settings page.
	AppID int64
	// PrivateKey is the App's key as GitHub lets it be downloaded: RSA in PEM.
	PrivateKey []byte
	// APIURL is the REST base of a GitHub Enterprise Server, with or without
	// "/api/v3"; empty means github.com.
	APIURL string
	// Transport carries every request, so that a caller can count, measure or
	// cut them; nil means a transport of the client's own.
	Transport http.RoundTripper
	// Now tells the time by which tokens expire and limits end; nil means
	// time.Now.
	Now func() time.Time
	// Log receives what is worth a line; nil discards it.
	Log *slog.Logger
	// Minted is told of every token that GitHub gave us, so that it can be kept
	// out of what people read; nil tells nobody.
	Minted func(token string)
}

// Client speaks to one GitHub host as one App. All methods are safe for
// concurrent use. Errors are [*bot.Trouble], but for a canceled context.
type Client struct {
	appID      int64
	restURL    *url.URL
	graphqlURL string
	base       http.RoundTripper
	app        *http.Client // authenticates as the App itself, by JWT
	now        func() time.Time
	log        *slog.Logger
	minted     func(token string)
	limits     limits

	mu       sync.Mutex
	repos    map[bot.RepoName]*repository
	identity Identity
}

// requestTimeout bounds one request. GitHub ends its own work on a request
// after 10 s; the rest is for the way and for large bodies.
const requestTimeout = 30 * time.Second

// New returns a client. Nothing is sent yet: a key that GitHub does not know
// shows at the first use.
func New(cfg Config) (*Client, error) {
	if cfg.AppID <= 0 {
		return nil, errors.New("configure GitHub: the App ID is missing; it is on the App's settings page")
	}
	rest, graphql, err := endpoints(cfg.APIURL)
	if err != nil {
		return nil, err
	}
	base := cfg.Transport
	if base == nil {
		base = newTransport()
	}
	c := &Client{
		appID:      cfg.AppID,
		restURL:    rest,
		graphqlURL: graphql,
		base:       base,
		now:        cfg.Now,
		log:        cfg.Log,
		minted:     cfg.Minted,
		repos:      map[bot.RepoName]*repository{},
	}
	if c.now == nil {
		c.now = time.Now
	}
	if c.minted == nil {
		c.minted = func(string) {}
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	jwt, err := ghinstallation.NewAppsTransport(asApp{c}, cfg.AppID, cfg.PrivateKey)
	if err != nil {
		// What the library says may quote the key; it is dropped.
		return nil, errors.New("configure GitHub: the private key is not an RSA key in PEM; " +
			`give the whole .pem file that "Generate a private key" on the App's settings page downloads`)
	}
	c.app = &http.Client{Transport: jwt, Timeout: requestTimeout, CheckRedirect: stayOnHost}
	return c, nil
}

func newTransport() http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 16
	return t
}

// endpoints derives the REST base and the GraphQL address, which differ
// between github.com and an Enterprise Server
// (https://docs.github.com/enterprise-server/graphql/guides/forming-calls-with-graphql#the-graphql-endpoint).
func endpoints(api string) (rest *url.URL, graphql string, err error) {
	if api == "" {
		api = "https://api.github.com/"
	}
	u, err := url.Parse(api)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, "", errors.New(`configure GitHub: the API URL must look like "https://github.example.com/api/v3"`)
	case u.User != nil || u.RawQuery != "":
		return nil, "", errors.New("configure GitHub: the API URL must hold neither a user nor a query")
	}
	u.Path = strings.TrimRight(u.Path, "/") + "/"
	onRoot := strings.HasPrefix(u.Host, "api.") // github.com and ghe.com
	if !onRoot && !strings.HasSuffix(u.Path, "/api/v3/") {
		u.Path += "api/v3/"
	}
	g := *u
	g.Path = strings.TrimSuffix(g.Path, "v3/") + "graphql"
	return u, g.String(), nil
}

// rest returns a go-github client over an authenticated HTTP client. It is
// made anew for each call: go-github keeps rate-limit state in the client,
// judges it by the wall clock and mixes GraphQL with REST; with a fresh one,
// limits.go alone decides.
func (c *Client) rest(hc *http.Client) *github.Client {
	gh := github.NewClient(hc)
	gh.BaseURL = c.restURL
	gh.UserAgent = "backout"
	return gh
}
