package github_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/test/fakehub"
	"github.com/backout-dev/backout/vcs/github"
)

// mints are the requests for tokens among requests.
func mints(seen []fakehub.Request) []fakehub.Request {
	var list []fakehub.Request
	for _, r := range seen {
		if strings.HasSuffix(r.Path, "/access_tokens") {
			list = append(list, r)
		}
	}
	return list
}

func (w *world) permission() error {
	_, err := w.client.Permission(w.Context(), repoName, "ann")
	return err
}

func TestNewSaysWhatToDo(t *testing.T) {
	w := newWorld(t, nil)
	key := w.app.PrivateKeyPEM()
	for name, tt := range map[string]struct {
		cfg  github.Config
		want string
	}{
		"no key":   {github.Config{AppID: 1}, "Generate a private key"},
		"half key": {github.Config{AppID: 1, PrivateKey: key[:len(key)/2]}, "whole .pem file"},
		"no App":   {github.Config{PrivateKey: key}, "App's settings page"},
		"bad URL":  {github.Config{AppID: 1, PrivateKey: key, APIURL: "github.example.com"}, "https://"},
	} {
		_, err := github.New(tt.cfg)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q in it", name, err, tt.want)
		}
		if err != nil && strings.Contains(err.Error(), string(key[40:80])) {
			t.Errorf("%s: the error quotes the key", name)
		}
	}
}

func TestTokensAreForOneRepositoryAndNoMore(t *testing.T) {
	w := newWorld(t, nil)
	type ask struct {
		Repositories []string          `json:"repositories"`
		Permissions  map[string]string `json:"permissions"`
	}
	asked := func(f func()) (got ask) {
		seen := mints(w.since(f))
		if len(seen) != 1 {
			t.Fatalf("%d tokens were minted", len(seen))
		}
		must(t, json.Unmarshal(seen[0].Body, &got))
		return got
	}
	for _, tt := range []struct {
		use  string
		do   func()
		want map[string]string
	}{
		{"look", func() { must(t, w.permission()) }, map[string]string{
			"metadata": "read", "contents": "read", "pull_requests": "read", "issues": "read",
			"checks": "read", "statuses": "read", "merge_queues": "read",
		}},
		{"change", func() { must(t, w.client.DeleteBranch(t.Context(), repoName, "backout/revert-0123456789ab")) }, map[string]string{
			"metadata": "read", "contents": "write", "pull_requests": "write",
			"checks": "read", "statuses": "read", "merge_queues": "read",
		}},
		{"tell", func() { _ = w.client.React(t.Context(), repoName, 1, "eyes") }, map[string]string{
			"metadata": "read", "pull_requests": "write", "checks": "write",
		}},
	} {
		want := ask{[]string{"fleet"}, tt.want}
		if diff := cmp.Diff(want, asked(tt.do)); diff != "" {
			t.Errorf("the token to %s (-want +got):\n%s", tt.use, diff)
		}
	}
	clone := asked(func() {
		token, err := w.client.Token(t.Context(), repoName)
		must(t, err)
		url := strings.Replace(w.repo.CloneURL(), "http://", "http://x-access-token:"+token+"@", 1)
		if out, err := gitIn(t.TempDir(), "ls-remote", url, "refs/heads/main"); err != nil || !strings.HasPrefix(out, w.repo.Head("main")) {
			t.Errorf("fetch with the token: %q, %v", out, err)
		}
	})
	want := ask{[]string{"fleet"}, map[string]string{"metadata": "read", "contents": "read"}}
	if diff := cmp.Diff(want, clone); diff != "" {
		t.Errorf("the mirror's token (-want +got):\n%s", diff)
	}
}

func TestManyCallersMintOneToken(t *testing.T) {
	w := newWorld(t, nil)
	var group sync.WaitGroup
	seen := w.since(func() {
		for range 20 {
			group.Go(func() {
				if err := w.permission(); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
	})
	if n := len(mints(seen)); n != 1 {
		t.Errorf("%d tokens were minted", n)
	}
}

func TestTokensAreRenewedInTime(t *testing.T) {
	w := newWorld(t, nil).warm()
	minted := func() int { return len(mints(w.since(func() { must(t, w.permission()) }))) }
	w.clock.advance(54 * time.Minute)
	if minted() != 0 {
		t.Error("a token that is good for six minutes was replaced")
	}
	w.clock.advance(2 * time.Minute)
	if minted() != 1 {
		t.Error("a token that is good for four minutes was used")
	}
}

func TestARefusedTokenIsForgotten(t *testing.T) {
	w := newWorld(t, nil).warm()
	notMint := func(r fakehub.Request) bool { return !strings.Contains(r.Path, "installation") }
	w.hub.Fail(fakehub.Fault{Status: 401, Match: notMint})
	seen := w.since(func() { must(t, w.permission()) })
	if len(mints(seen)) != 1 {
		t.Errorf("requests %v, want one new token", seen)
	}
	w.bad()
	w.hub.Fail(fakehub.Fault{Status: 401, Match: notMint}) // a write goes out again with its body
	if _, err := w.client.Open(t.Context(), w.webBack()); err != nil {
		t.Error(err)
	}
	w.hub.Fail(fakehub.Fault{Status: 401, Match: notMint, Times: -1})
	seen = w.since(func() { wantTrouble(t, w.permission(), bot.TroubleForbidden, "App ID") })
	if len(seen) > 5 {
		t.Errorf("requests %v: it keeps knocking", seen)
	}
}

func TestInstalledAgain(t *testing.T) {
	w := newWorld(t, nil).warm()
	must(t, w.hub.Uninstall(w.app, "acme"))
	wantTrouble(t, w.permission(), bot.TroubleNotFound, "install the App on acme/fleet")
	_, err := w.hub.Install(w.app, string(repoName))
	must(t, err)
	must(t, w.permission())
}

func TestReplacedInstallation(t *testing.T) {
	w := newWorld(t, nil).warm()
	must(t, w.hub.Uninstall(w.app, "acme"))
	_, err := w.hub.Install(w.app, string(repoName))
	must(t, err)
	must(t, w.permission())
}

func TestNotInstalled(t *testing.T) {
	w := newWorld(t, nil)
	_, err := w.hub.CreateRepo("acme/other", fakehub.RepoOptions{Files: map[string]string{"a": "b"}})
	must(t, err)
	_, err = w.client.Pull(t.Context(), "acme/other", 1)
	wantTrouble(t, err, bot.TroubleNotFound, "install the App on acme/other")
	wantTrouble(t, w.client.Warm(t.Context(), "nonsense"), bot.TroubleInvalid, "owner/name")
}

func TestSuspended(t *testing.T) {
	w := newWorld(t, nil)
	must(t, w.hub.Suspend(w.app, "acme", true))
	wantTrouble(t, w.permission(), bot.TroubleForbidden, "unsuspend")
	must(t, w.hub.Suspend(w.app, "acme", false))
	must(t, w.permission())
	must(t, w.hub.Suspend(w.app, "acme", true)) // with a token in hand
	wantTrouble(t, w.permission(), bot.TroubleForbidden, "unsuspend")
}

func TestAnUnknownKey(t *testing.T) {
	w := newWorld(t, nil)
	other, err := w.hub.CreateApp(fakehub.AppOptions{Slug: "other"})
	must(t, err)
	c, err := github.New(github.Config{AppID: w.app.ID(), PrivateKey: other.PrivateKeyPEM(), APIURL: w.hub.URL()})
	must(t, err)
	wantTrouble(t, c.Warm(t.Context(), repoName), bot.TroubleForbidden, "App ID and private key")
}

func TestIdentity(t *testing.T) {
	w := newWorld(t, nil)
	want := github.Identity{Slug: "backout", AppID: w.app.ID(), Login: w.app.BotLogin()}
	seen := w.since(func() {
		for range 2 {
			if got, err := w.client.Identity(t.Context()); err != nil || got != want {
				t.Errorf("identity %+v, %v; want %+v", got, err, want)
			}
		}
	})
	if len(seen) != 1 {
		t.Errorf("requests %v, want one", seen)
	}
}

func TestInstalled(t *testing.T) {
	w := newWorld(t, nil)
	for _, name := range []string{"acme/apps", "other/infra", "asleep/x", "acme/not-installed"} {
		_, err := w.hub.CreateRepo(name, fakehub.RepoOptions{Files: map[string]string{"a": "b"}})
		must(t, err)
		if name != "acme/not-installed" {
			_, err = w.hub.Install(w.app, name)
			must(t, err)
		}
	}
	must(t, w.hub.Suspend(w.app, "asleep", true))
	got, err := w.client.Installed(t.Context())
	must(t, err)
	if diff := cmp.Diff([]bot.RepoName{"acme/apps", "acme/fleet", "other/infra"}, got); diff != "" {
		t.Errorf("installed (-want +got):\n%s", diff)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A broken transport that tells all it knows must not make us tell it on.
func TestSecretsStayOut(t *testing.T) {
	w := newWorld(t, nil)
	var log bytes.Buffer
	var secret string
	c, err := github.New(github.Config{
		AppID: w.app.ID(), PrivateKey: w.app.PrivateKeyPEM(), APIURL: w.hub.URL(),
		Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			if strings.Contains(r.URL.Path, "installation") {
				return http.DefaultTransport.RoundTrip(r)
			}
			secret = strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
			return nil, errors.New("proxy refused header Authorization: Bearer " + secret + " to https://x-access-token:" + secret + "@host/")
		}),
	})
	must(t, err)
	w.bad()
	_, openErr := c.Open(t.Context(), w.webBack())
	_, pullErr := c.Pull(t.Context(), repoName, 1)
	for _, err := range []error{openErr, pullErr} {
		wantTrouble(t, err, bot.TroubleTransient, "could not be reached")
		all := err.Error() + log.String()
		for e := err; e != nil; e = errors.Unwrap(e) {
			all += e.Error()
		}
		if secret == "" || strings.Contains(all, secret) {
			t.Errorf("the token %q shows in %q", secret, all)
		}
	}
}

func TestTokensDontFollowRedirectsElsewhere(t *testing.T) {
	w := newWorld(t, nil).warm()
	w.hub.Fail(fakehub.Fault{Status: 302, Header: http.Header{"Location": {"http://evil.example.com/"}}, Times: -1})
	err := w.permission()
	wantTrouble(t, err, bot.TroubleTransient)
	if !strings.Contains(err.Error(), "another host") {
		t.Errorf("error %v", err)
	}
}
