package fakehub_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v4"
	"github.com/google/go-github/v60/github"

	"github.com/backout-dev/backout/test/fakehub"
)

func (w *world) sign(claims jwt.RegisteredClaims) string {
	w.t.Helper()
	tok, err := jwt.NewWithClaims(jwt.SigningMethodRS256, claims).SignedString(key())
	must(w.t, err)
	return tok
}

func TestAppJWT(t *testing.T) {
	w := newWorld(t, setup{})
	now := time.Now()
	at := func(d time.Duration) *jwt.NumericDate { return jwt.NewNumericDate(now.Add(d)) }
	iss := strconv.FormatInt(w.app.ID(), 10)
	other, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.RegisteredClaims{Issuer: iss, IssuedAt: at(0), ExpiresAt: at(time.Minute)}).SignedString([]byte("x"))
	must(t, err)
	for name, tt := range map[string]struct {
		jwt  string
		want int
		say  string
	}{
		"by client ID": {w.sign(jwt.RegisteredClaims{Issuer: w.app.ClientID(), IssuedAt: at(0), ExpiresAt: at(9 * time.Minute)}), 0, ""},
		"good":         {w.sign(jwt.RegisteredClaims{Issuer: iss, IssuedAt: at(-time.Minute), ExpiresAt: at(9 * time.Minute)}), 0, ""},
		"expired":      {w.sign(jwt.RegisteredClaims{Issuer: iss, IssuedAt: at(-time.Hour), ExpiresAt: at(-time.Minute)}), 401, "'exp'"},
		"too long":     {w.sign(jwt.RegisteredClaims{Issuer: iss, IssuedAt: at(0), ExpiresAt: at(time.Hour)}), 401, "too far in the future"},
		"no expiry":    {w.sign(jwt.RegisteredClaims{Issuer: iss, IssuedAt: at(0)}), 401, "'exp'"},
		"from future":  {w.sign(jwt.RegisteredClaims{Issuer: iss, IssuedAt: at(5 * time.Minute), ExpiresAt: at(9 * time.Minute)}), 401, "'iat'"},
		"other app":    {w.sign(jwt.RegisteredClaims{Issuer: "77", IssuedAt: at(0), ExpiresAt: at(time.Minute)}), 401, "Integration"},
		"other key":    {w.sign(jwt.RegisteredClaims{Issuer: iss, IssuedAt: at(0), ExpiresAt: at(time.Minute)}) + "AA", 401, "could not be decoded"},
		"not RS256":    {other, 401, "could not be decoded"},
	} {
		t.Run(name, func(t *testing.T) {
			app, _, err := w.as(tt.jwt).Apps.Get(t.Context(), "")
			if tt.want != 0 {
				wantStatus(t, err, tt.want, tt.say)
				return
			}
			must(t, err)
			if app.GetSlug() != "backout" || app.GetPermissions().GetContents() != "write" {
				t.Errorf("app is %v", app)
			}
		})
	}
}

// TestTokenLife mints a token under a clock of its own and outlives it.
func TestTokenLife(t *testing.T) {
	var now time.Time
	clock := func() time.Time { return now }
	w := newWorld(t, setup{opts: fakehub.Options{AuthNow: clock}})
	now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	token, err := w.hub.Token(w.app, "acme")
	must(t, err)
	now = now.Add(59 * time.Minute)
	_, _, err = w.as(token).Repositories.Get(t.Context(), "acme", "fleet")
	must(t, err)
	now = now.Add(time.Minute)
	_, _, err = w.as(token).Repositories.Get(t.Context(), "acme", "fleet")
	wantStatus(t, err, http.StatusUnauthorized, "Bad credentials")
	_, _, err = w.as("ghs_nobody").Repositories.Get(t.Context(), "acme", "fleet")
	wantStatus(t, err, http.StatusUnauthorized, "Bad credentials")
}

func TestTokenNarrowing(t *testing.T) {
	w := newWorld(t, setup{})
	ctx := t.Context()
	other, err := w.hub.CreateRepo("acme/other", fakehub.RepoOptions{Files: map[string]string{"a": "b"}})
	must(t, err)
	_, err = w.hub.Install(w.app, "acme/other")
	must(t, err)
	_, err = w.hub.CreateRepo("acme/secret", fakehub.RepoOptions{Files: map[string]string{"a": "b"}})
	must(t, err)

	tok, _, err := w.jwt.Apps.CreateInstallationToken(ctx, w.inst, &github.InstallationTokenOptions{
		RepositoryIDs: []int64{other.ID()}, Permissions: &github.InstallationPermissions{Contents: new("read")},
	})
	must(t, err)
	if len(tok.Repositories) != 1 || tok.Repositories[0].GetFullName() != "acme/other" || tok.GetPermissions().Checks != nil {
		t.Errorf("token is for %v with %v", tok.Repositories, tok.Permissions)
	}
	narrow := w.as(tok.GetToken())
	_, _, err = narrow.Repositories.GetBranch(ctx, "acme", "other", "main", 0)
	must(t, err)
	_, _, err = narrow.Repositories.Get(ctx, "acme", "fleet")
	wantStatus(t, err, http.StatusNotFound, "Not Found")
	_, _, err = narrow.Git.CreateRef(ctx, "acme", "other", &github.Reference{Ref: new("refs/heads/x"), Object: &github.GitObject{SHA: new(other.Head("main"))}})
	wantStatus(t, err, http.StatusForbidden, "Resource not accessible by integration")

	named, _, err := w.jwt.Apps.CreateInstallationToken(ctx, w.inst, &github.InstallationTokenOptions{Repositories: []string{"fleet"}})
	must(t, err)
	list, _, err := w.as(named.GetToken()).Apps.ListRepos(ctx, nil)
	must(t, err)
	if list.GetTotalCount() != 1 || list.Repositories[0].GetName() != "fleet" {
		t.Errorf("token sees %v", list.Repositories)
	}
	for name, opts := range map[string]*github.InstallationTokenOptions{
		"not granted":   {Permissions: &github.InstallationPermissions{Administration: new("write")}},
		"not installed": {Repositories: []string{"secret"}},
	} {
		if _, _, err := w.jwt.Apps.CreateInstallationToken(ctx, w.inst, opts); status(err) != http.StatusUnprocessableEntity {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestVisibility has what nobody may know of not exist.
func TestVisibility(t *testing.T) {
	w := newWorld(t, setup{})
	ctx := t.Context()
	hidden, err := w.hub.CreateRepo("acme/hidden", fakehub.RepoOptions{Files: map[string]string{"a": "b"}})
	must(t, err)
	eve, ann := w.as(w.hub.User("eve").Token), w.as(w.hub.User("ann").Token)
	_, _, err = w.bot.Repositories.Get(ctx, "acme", "hidden")
	wantStatus(t, err, http.StatusNotFound, "Not Found")
	_, _, err = eve.Repositories.Get(ctx, "acme", "fleet")
	wantStatus(t, err, http.StatusNotFound, "Not Found")
	repo, _, err := ann.Repositories.Get(ctx, "acme", "fleet")
	must(t, err)
	if p := repo.GetPermissions(); !p["push"] || p["admin"] {
		t.Errorf("ann may %v", p)
	}
	hidden.SetPublic(true)
	_, _, err = w.bot.Repositories.Get(ctx, "acme", "hidden")
	must(t, err)
	_, _, err = w.as("").Repositories.Get(ctx, "acme", "hidden")
	must(t, err)
	_, _, err = w.bot.Git.CreateRef(ctx, "acme", "hidden", &github.Reference{Ref: new("refs/heads/x"), Object: &github.GitObject{SHA: new(hidden.Head("main"))}})
	wantStatus(t, err, http.StatusForbidden, "Resource not accessible by integration")
}

// TestPermissions takes each permission away and watches what it guarded.
func TestPermissions(t *testing.T) {
	w := newWorld(t, setup{})
	ctx := t.Context()
	pr := w.openPR("topic", "apps/web.yaml", "replicas: 4\n")
	issue := w.repo.OpenIssue("ann", "It broke", "")
	on, err := w.repo.Comment(pr.Number, "ann", "hello")
	must(t, err)
	one := func(name, level string) *github.Client {
		w.app.SetPermissions(map[string]string{name: level})
		tok, err := w.hub.Token(w.app, "acme")
		must(t, err)
		return w.as(tok)
	}
	body := &github.IssueComment{Body: new("hi")}
	for _, tt := range []struct {
		name, level string
		do          func(c *github.Client) error
		accepts     string // "": it is allowed
	}{
		{"contents", "read", func(c *github.Client) error {
			_, _, err := c.PullRequests.Get(ctx, "acme", "fleet", pr.Number)
			return err
		}, "pull_requests=read"},
		{"pull_requests", "read", func(c *github.Client) error {
			_, _, err := c.PullRequests.Get(ctx, "acme", "fleet", pr.Number)
			return err
		}, ""},
		{"pull_requests", "write", func(c *github.Client) error {
			_, _, err := c.PullRequests.Merge(ctx, "acme", "fleet", pr.Number, "", nil)
			return err
		}, "contents=write"},
		{"pull_requests", "read", func(c *github.Client) error {
			_, _, err := c.Issues.CreateComment(ctx, "acme", "fleet", pr.Number, body)
			return err
		}, "issues=write; pull_requests=write"},
		{"pull_requests", "write", func(c *github.Client) error {
			_, _, err := c.Issues.CreateComment(ctx, "acme", "fleet", pr.Number, body)
			return err
		}, ""},
		{"pull_requests", "write", func(c *github.Client) error {
			_, _, err := c.Issues.CreateComment(ctx, "acme", "fleet", issue, body)
			return err
		}, "issues=write; pull_requests=write"},
		{"issues", "write", func(c *github.Client) error {
			_, _, err := c.Issues.CreateComment(ctx, "acme", "fleet", issue, body)
			return err
		}, ""},
		{"issues", "write", func(c *github.Client) error {
			_, _, err := c.Issues.CreateComment(ctx, "acme", "fleet", pr.Number, body)
			return err
		}, "issues=write; pull_requests=write"},
		{"pull_requests", "write", func(c *github.Client) error {
			_, _, err := c.Reactions.CreateIssueCommentReaction(ctx, "acme", "fleet", on, "eyes")
			return err
		}, ""},
		{"issues", "read", func(c *github.Client) error {
			_, _, err := c.Issues.ListComments(ctx, "acme", "fleet", pr.Number, nil)
			return err
		}, ""},
		{"contents", "write", func(c *github.Client) error {
			_, _, err := c.Checks.CreateCheckRun(ctx, "acme", "fleet", github.CreateCheckRunOptions{Name: "x", HeadSHA: pr.HeadSHA})
			return err
		}, "checks=write"},
		{"checks", "read", func(c *github.Client) error {
			_, _, err := c.Checks.ListCheckRunsForRef(ctx, "acme", "fleet", "main", nil)
			return err
		}, ""},
		{"statuses", "read", func(c *github.Client) error {
			_, _, err := c.Repositories.CreateStatus(ctx, "acme", "fleet", pr.HeadSHA, &github.RepoStatus{State: new("success")})
			return err
		}, "statuses=write"},
		{"contents", "write", func(c *github.Client) error {
			_, _, err := c.Repositories.GetBranchProtection(ctx, "acme", "fleet", "main")
			return err
		}, "administration=read"},
		{"issues", "read", func(c *github.Client) error {
			_, _, err := c.Git.GetRef(ctx, "acme", "fleet", "heads/main")
			return err
		}, "contents=read"},
		{"issues", "read", func(c *github.Client) error {
			_, _, err := c.Repositories.GetPermissionLevel(ctx, "acme", "fleet", "ann")
			return err
		}, ""},
	} {
		err := tt.do(one(tt.name, tt.level))
		if tt.accepts == "" {
			if err != nil {
				t.Errorf("with %s: %s: %v", tt.name, tt.level, err)
			}
			continue
		}
		wantStatus(t, err, http.StatusForbidden, "Resource not accessible by integration")
		if e, ok := err.(*github.ErrorResponse); ok { //nolint:errorlint // go-github returns it bare.
			if got := e.Response.Header.Get("X-Accepted-GitHub-Permissions"); got != tt.accepts {
				t.Errorf("with %s: %s: accepts %q, want %q", tt.name, tt.level, got, tt.accepts)
			}
		}
	}
}

func TestSuspendedInstallation(t *testing.T) {
	w := newWorld(t, setup{})
	ctx := t.Context()
	token := w.token()
	must(t, w.hub.Suspend(w.app, "acme", true))
	_, _, err := w.as(token).Repositories.Get(ctx, "acme", "fleet")
	wantStatus(t, err, http.StatusForbidden, "suspended")
	_, _, err = w.jwt.Apps.CreateInstallationToken(ctx, w.inst, nil)
	wantStatus(t, err, http.StatusForbidden, "suspended")
	in, _, err := w.jwt.Apps.FindRepositoryInstallation(ctx, "acme", "fleet")
	must(t, err)
	if in.SuspendedAt == nil {
		t.Error("the installation does not say it is suspended")
	}
	must(t, w.hub.Suspend(w.app, "acme", false))
	_, _, err = w.as(token).Repositories.Get(ctx, "acme", "fleet")
	must(t, err)
	must(t, w.hub.Uninstall(w.app, "acme", "acme/fleet"))
	_, _, err = w.as(token).Repositories.Get(ctx, "acme", "fleet")
	wantStatus(t, err, http.StatusNotFound, "Not Found")
	must(t, w.hub.Uninstall(w.app, "acme"))
	_, _, err = w.as(token).Repositories.Get(ctx, "acme", "fleet")
	wantStatus(t, err, http.StatusUnauthorized, "Bad credentials")
}

func TestInstallations(t *testing.T) {
	w := newWorld(t, setup{})
	ctx := t.Context()
	list, _, err := w.jwt.Apps.ListInstallations(ctx, nil)
	must(t, err)
	if len(list) != 1 || list[0].GetID() != w.inst || list[0].GetAccount().GetLogin() != "acme" {
		t.Errorf("installations are %v", list)
	}
	_, _, err = w.jwt.Apps.FindRepositoryInstallation(ctx, "acme", "nothing")
	wantStatus(t, err, http.StatusNotFound, "Not Found")
	_, _, err = w.bot.Apps.ListInstallations(ctx, nil)
	wantStatus(t, err, http.StatusUnauthorized, "could not be decoded")
	_, _, err = w.as(w.hub.User("ann").Token).Apps.ListRepos(ctx, nil)
	wantStatus(t, err, http.StatusForbidden, "installation access token")
	if _, err := w.hub.CreateApp(fakehub.AppOptions{Slug: "backout", PrivateKey: key()}); err == nil {
		t.Error("two Apps have one slug")
	}
}

func TestRateLimitHeaders(t *testing.T) {
	w := newWorld(t, setup{})
	ctx := t.Context()
	_, first, err := w.bot.Repositories.Get(ctx, "acme", "fleet")
	must(t, err)
	_, second, err := w.bot.Repositories.Get(ctx, "acme", "fleet")
	must(t, err)
	if first.Rate.Limit != 5000 || first.Rate.Remaining-second.Rate.Remaining != 1 || second.Rate.Reset.Before(time.Now()) {
		t.Errorf("rates are %v, then %v", first.Rate, second.Rate)
	}
	limits, _, err := w.bot.RateLimit.Get(ctx)
	must(t, err)
	if limits.GetCore().Remaining != second.Rate.Remaining {
		t.Errorf("asking counted: %v after %v", limits.GetCore(), second.Rate)
	}
}

func TestTeams(t *testing.T) {
	w := newWorld(t, setup{app: fakehub.AppOptions{Permissions: map[string]string{"members": "read"}}})
	ctx := t.Context()
	w.hub.Team("acme", "sre", "ann")
	m, _, err := w.bot.Teams.GetTeamMembershipBySlug(ctx, "acme", "sre", "ann")
	must(t, err)
	if m.GetState() != "active" {
		t.Errorf("membership is %v", m)
	}
	_, _, err = w.bot.Teams.GetTeamMembershipBySlug(ctx, "acme", "sre", "eve")
	wantStatus(t, err, http.StatusNotFound, "Not Found")
	w.app.SetPermissions(nil)
	tok, err := w.hub.Token(w.app, "acme")
	must(t, err)
	_, _, err = w.as(tok).Teams.GetTeamMembershipBySlug(ctx, "acme", "sre", "ann")
	wantStatus(t, err, http.StatusForbidden, "Resource not accessible")
}

func TestRevokeToken(t *testing.T) {
	w := newWorld(t, setup{})
	ctx := t.Context()
	in, _, err := w.jwt.Apps.GetInstallation(ctx, w.inst)
	must(t, err)
	if in.GetAppSlug() != w.app.Slug() || in.GetTargetType() != "Organization" {
		t.Errorf("installation is %v", in)
	}
	_, _, err = w.jwt.Apps.GetInstallation(ctx, 1)
	wantStatus(t, err, http.StatusNotFound, "Not Found")
	token, err := w.hub.Token(w.app, "acme")
	must(t, err)
	_, err = w.as(token).Apps.RevokeInstallationToken(ctx)
	must(t, err)
	_, _, err = w.as(token).Repositories.Get(ctx, "acme", "fleet")
	wantStatus(t, err, http.StatusUnauthorized, "Bad credentials")
	if _, err := w.hub.Token(w.app, "nobody"); err == nil {
		t.Error("minted a token for nobody")
	}
}

// TestBadRequests: what is no JSON is said to be none.
func TestBadRequests(t *testing.T) {
	w := newWorld(t, setup{})
	for path, want := range map[string]int{
		"/repos/acme/fleet/pulls": 400, "/api/v3/repos/acme/fleet/git/refs": 400, "/graphql": 400, "/nothing": 404,
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.hub.URL()+path, strings.NewReader("{"))
		must(t, err)
		req.Header.Set("Authorization", "Bearer "+w.token())
		res, err := http.DefaultClient.Do(req)
		must(t, err)
		must(t, res.Body.Close())
		if res.StatusCode != want {
			t.Errorf("%s: %s", path, res.Status)
		}
	}
}
