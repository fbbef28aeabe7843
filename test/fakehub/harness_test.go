package fakehub_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/google/go-github/v60/github"

	"github.com/backout-dev/backout/test/fakehub"
)

// key is one RSA key for all tests: making one takes longer than a test.
var key = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

// world is a hub with one App on one repository, and the App's clients.
type world struct {
	t     *testing.T
	hub   *fakehub.Hub
	app   *fakehub.App
	repo  *fakehub.Repo
	inst  int64
	bot   *github.Client // as the installation
	jwt   *github.Client // as the App
	token func() string
}

type setup struct {
	opts fakehub.Options
	app  fakehub.AppOptions
	repo fakehub.RepoOptions
	hook http.HandlerFunc
}

const hookSecret = "a webhook secret of at least 32 bytes"

func newWorld(t *testing.T, s setup) *world {
	t.Helper()
	if s.opts.Dir == "" {
		s.opts.Dir = t.TempDir()
	}
	hub, err := fakehub.New(s.opts)
	must(t, err)
	t.Cleanup(func() { must(t, hub.Close()) })
	s.app.Slug, s.app.PrivateKey = "backout", key()
	app, err := hub.CreateApp(s.app)
	must(t, err)
	if s.hook != nil {
		srv := httptest.NewServer(s.hook)
		t.Cleanup(srv.Close)
		app.SetWebhook(srv.URL, hookSecret)
	}
	if s.repo.Files == nil {
		s.repo.Files = map[string]string{"apps/web.yaml": "replicas: 3\nimage: web:1\n", "README.md": "# fleet\n"}
	}
	repo, err := hub.CreateRepo("acme/fleet", s.repo)
	must(t, err)
	inst, err := hub.Install(app, "acme/fleet")
	must(t, err)
	must(t, repo.Grant("ann", "write"))
	w := &world{t: t, hub: hub, app: app, repo: repo, inst: inst}
	appTransport, err := ghinstallation.NewAppsTransport(http.DefaultTransport, app.ID(), app.PrivateKeyPEM())
	must(t, err)
	appTransport.BaseURL = strings.TrimSuffix(hub.APIURL(), "/")
	w.jwt = client(t, hub, &http.Client{Transport: appTransport})
	itr := ghinstallation.NewFromAppsTransport(appTransport, inst)
	w.bot = client(t, hub, &http.Client{Transport: itr})
	w.token = func() string {
		tok, err := itr.Token(t.Context())
		must(t, err)
		return tok
	}
	return w
}

func client(t *testing.T, hub *fakehub.Hub, hc *http.Client) *github.Client {
	t.Helper()
	c, err := github.NewClient(hc).WithEnterpriseURLs(hub.APIURL(), hub.APIURL())
	must(t, err)
	return c
}

// as is a client with a fixed token.
func (w *world) as(token string) *github.Client {
	c := github.NewClient(nil)
	if token != "" {
		c = c.WithAuthToken(token)
	}
	c, err := c.WithEnterpriseURLs(w.hub.APIURL(), w.hub.APIURL())
	must(w.t, err)
	return c
}

func (w *world) flush() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 20*time.Second)
	defer cancel()
	must(w.t, w.hub.Flush(ctx))
}

// edit is one commit that sets one file.
func (w *world) edit(branch, path, text string) string {
	w.t.Helper()
	sha, err := w.repo.Commit(branch, "ann", "Change "+path, map[string]*string{path: &text})
	must(w.t, err)
	return sha
}

// openPR opens a pull request that sets one file.
func (w *world) openPR(branch, path, text string) fakehub.PR {
	w.t.Helper()
	pr, err := w.repo.OpenPR("ann", "Change "+path, branch, "main", map[string]*string{path: &text})
	must(w.t, err)
	return pr
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// gqlError is an entry of a GraphQL answer's errors.
type gqlError struct {
	Type       string
	Path       []any
	Message    string
	Extensions map[string]any
}

// graphql runs a document with the App's token.
func (w *world) graphql(doc string, vars map[string]any, into any) []gqlError {
	w.t.Helper()
	return w.graphqlAs(w.token(), doc, vars, into)
}

func (w *world) graphqlAs(token, doc string, vars map[string]any, into any) []gqlError {
	w.t.Helper()
	body, err := json.Marshal(map[string]any{"query": doc, "variables": vars})
	must(w.t, err)
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.hub.GraphQLURL(), bytes.NewReader(body))
	must(w.t, err)
	req.Header.Set("Authorization", "bearer "+token)
	res, err := http.DefaultClient.Do(req)
	must(w.t, err)
	defer res.Body.Close() //nolint:errcheck // it was read.
	raw, err := io.ReadAll(res.Body)
	must(w.t, err)
	if res.StatusCode != http.StatusOK {
		w.t.Fatalf("GraphQL answered %s: %s", res.Status, raw)
	}
	var out struct {
		Data   json.RawMessage
		Errors []gqlError
	}
	must(w.t, json.Unmarshal(raw, &out))
	if into != nil && len(out.Data) > 0 {
		must(w.t, json.Unmarshal(out.Data, into))
	}
	return out.Errors
}

// git runs the real git in a folder.
func git(t testing.TB, dir string, args ...string) string {
	t.Helper()
	out, err := tryGit(t, dir, args...)
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(out)
}

func tryGit(t testing.TB, dir string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(),
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=Ann", "GIT_AUTHOR_EMAIL=ann@example.com", "GIT_COMMITTER_NAME=Ann", "GIT_COMMITTER_EMAIL=ann@example.com")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// remote is a clone URL with credentials in it.
func remote(url, user, secret string) string {
	return strings.Replace(url, "://", fmt.Sprintf("://%s:%s@", user, secret), 1)
}

// status is the HTTP status of a go-github error, or 0.
func status(err error) int {
	if e, ok := err.(*github.ErrorResponse); ok { //nolint:errorlint // go-github returns it bare.
		return e.Response.StatusCode
	}
	return 0
}

func wantStatus(t *testing.T, err error, want int, message string) {
	t.Helper()
	if status(err) != want || !strings.Contains(err.Error(), message) {
		t.Errorf("error %v, want status %d with %q", err, want, message)
	}
}
