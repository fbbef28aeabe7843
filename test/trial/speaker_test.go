package trial

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/google/go-github/v60/github"

	"github.com/backout-dev/backout/test/fakehub"
)

// scene is a hub with one App on one repository, where people and the App may
// do everything that fakehub has an endpoint for.
type scene struct {
	hub  *fakehub.Hub
	app  *fakehub.App
	repo *fakehub.Repo
	inst int64
	// jwt speaks as the App, bot as its installation, ann as a person.
	jwt, bot, ann *speaker
	// library is go-github as the installation.
	library *github.Client
}

func newScene(t *testing.T) *scene {
	t.Helper()
	hub, err := fakehub.New(fakehub.Options{Dir: t.TempDir(), Lag: fakehub.Lag{Reads: -1}})
	must(t, err)
	t.Cleanup(func() { must(t, hub.Close()) })
	s := &scene{hub: hub}
	perms := fakehub.DefaultPermissions()
	for _, p := range []string{"administration", "issues", "statuses", "members"} {
		perms[p] = "write"
	}
	s.app, err = hub.CreateApp(fakehub.AppOptions{Slug: "backout", Permissions: perms})
	must(t, err)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) }))
	t.Cleanup(receiver.Close)
	s.app.SetWebhook(receiver.URL, "a webhook secret of at least 32 bytes")
	s.repo, err = hub.CreateRepo("acme/fleet", fakehub.RepoOptions{
		AllowAutoMerge: true, Files: map[string]string{"apps/web.yaml": "image: web:1\n", "README.md": "# fleet\n"},
	})
	must(t, err)
	for login, role := range map[string]string{"ann": "write", "bob": "write", "eve": "read", "root": "admin"} {
		must(t, s.repo.Grant(login, role))
	}
	hub.Team("acme", "sre", "ann")
	s.inst, err = hub.Install(s.app, "acme/fleet")
	must(t, err)

	app, err := ghinstallation.NewAppsTransport(http.DefaultTransport, s.app.ID(), s.app.PrivateKeyPEM())
	must(t, err)
	app.BaseURL = strings.TrimSuffix(hub.APIURL(), "/")
	installation := ghinstallation.NewFromAppsTransport(app, s.inst)
	s.jwt = &speaker{t: t, base: app.BaseURL, client: &http.Client{Transport: app}}
	s.bot = &speaker{t: t, base: app.BaseURL, client: &http.Client{Transport: installation}}
	s.ann = &speaker{t: t, base: app.BaseURL, client: http.DefaultClient, token: hub.User("ann").Token}
	s.library, err = github.NewClient(s.bot.client).WithEnterpriseURLs(hub.APIURL(), hub.APIURL())
	must(t, err)
	return s
}

// speaker says things to the REST API.
type speaker struct {
	t      *testing.T
	base   string
	client *http.Client
	token  string
}

// say sends a request, wants a status, and gives the answer. A body is JSON.
func (s *speaker) say(want int, request, body string, args ...any) answer {
	s.t.Helper()
	method, path, _ := strings.Cut(fmt.Sprintf(request, args...), " ")
	var content io.Reader
	if body != "" {
		content = strings.NewReader(body)
	}
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.base+path, content)
	must(s.t, err)
	r.Header.Set("Accept", "application/vnd.github+json")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if s.token != "" {
		r.Header.Set("Authorization", "Bearer "+s.token)
	}
	res, err := s.client.Do(r)
	must(s.t, err)
	defer res.Body.Close() //nolint:errcheck // it is read.
	raw, err := io.ReadAll(res.Body)
	must(s.t, err)
	if res.StatusCode != want {
		s.t.Errorf("%s %s %s: %d, want %d\n%s", method, path, body, res.StatusCode, want, raw)
	}
	var a answer
	if len(bytes.TrimSpace(raw)) > 0 {
		must(s.t, json.Unmarshal(raw, &a.v))
	}
	return a
}

// get reads below the repository.
func (s *speaker) get(path string, args ...any) answer {
	s.t.Helper()
	return s.say(http.StatusOK, "GET /repos/acme/fleet"+path, "", args...)
}

// answer is decoded JSON.
type answer struct{ v any }

// text reads a field within fields, or an item of a list: "0.id".
func (a answer) text(path string) string {
	v := a.v
	for _, name := range strings.Split(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[name]
		case []any:
			v = x[0]
		}
	}
	if n, ok := v.(float64); ok {
		return fmt.Sprint(int64(n))
	}
	s, _ := v.(string)
	return s
}
