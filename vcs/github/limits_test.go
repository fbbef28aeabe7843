package github_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/test/fakehub"
)

func TestLimitsComeBackWithTheirWait(t *testing.T) {
	soon := strconv.FormatInt(time.Now().Add(10*time.Minute).Unix(), 10)
	empty := http.Header{"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {soon}, "X-Ratelimit-Resource": {"core"}}
	const secondary = `{"message":"You have exceeded a secondary rate limit. Please wait a few minutes before you try again.","documentation_url":"https://docs.github.com/free-pro-team@latest/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"}`
	for name, tt := range map[string]struct {
		fault fakehub.Fault
		want  time.Duration
	}{
		"primary":                       {fakehub.Fault{Status: 403, Header: empty, Body: `{"message":"API rate limit exceeded for installation ID 1."}`}, 10 * time.Minute},
		"primary, as 429":               {fakehub.Fault{Status: 429, Header: empty, Body: `{"message":"API rate limit exceeded"}`}, 10 * time.Minute},
		"secondary":                     {fakehub.Fault{Status: 403, RetryAfter: 42 * time.Second}, 42 * time.Second},
		"secondary, as 429":             {fakehub.Fault{Status: 429, RetryAfter: 42 * time.Second}, 42 * time.Second},
		"secondary, by its text":        {fakehub.Fault{Status: 403, Body: secondary}, time.Minute},
		"secondary, by its address":     {fakehub.Fault{Status: 403}, time.Minute},
		"GraphQL":                       {fakehub.Fault{Status: 200, Header: empty, Body: `{"errors":[{"type":"RATE_LIMITED","message":"API rate limit exceeded"}]}`}, 10 * time.Minute},
		"an outage that says how long":  {fakehub.Fault{Status: 503, RetryAfter: 7 * time.Second}, 7 * time.Second},
		"an outage that says no such":   {fakehub.Fault{Status: 502}, 0},
		"an outage with a page of HTML": {fakehub.Fault{Status: 504, Body: "<html>Unicorn!</html>"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil).warm()
			tt.fault.Times = -1
			w.hub.Fail(tt.fault)
			began := time.Now()
			_, gateErr := w.client.Gate(t.Context(), repoName, 1)
			errs := []error{gateErr}
			if name != "GraphQL" {
				_, pullErr := w.newClient(nil).Pull(t.Context(), repoName, 1)
				errs = append(errs, pullErr)
			}
			for _, err := range errs {
				wantTrouble(t, err, bot.TroubleTransient)
				got := bot.AsTrouble(err)
				slack := time.Second // what is remembered of a limit is its end, which comes nearer
				if tt.want == 10*time.Minute {
					slack = time.Minute
				}
				if off := tt.want - got.RetryAfter; off < 0 || off > slack {
					t.Errorf("wait %v, want %v: %v", got.RetryAfter, tt.want, err)
				}
				if strings.Contains(err.Error(), "<html>") {
					t.Errorf("the answer's body shows: %v", err)
				}
			}
			if spent := time.Since(began); spent > 20*time.Second {
				t.Errorf("it slept for %v", spent)
			}
		})
	}
}

// While an installation is limited, none of its repositories asks again; other
// installations do.
func TestALimitedInstallationKeepsQuiet(t *testing.T) {
	w := newWorld(t, nil)
	for _, name := range []string{"acme/apps", "other/infra"} {
		_, err := w.hub.CreateRepo(name, fakehub.RepoOptions{Files: map[string]string{"a": "b"}})
		must(t, err)
		_, err = w.hub.Install(w.app, name)
		must(t, err)
		must(t, w.client.Warm(t.Context(), bot.RepoName(name)))
	}
	w.warm()
	w.hub.Fail(fakehub.Fault{Status: 403, RetryAfter: time.Minute})
	wantTrouble(t, w.permission(), bot.TroubleTransient)
	seen := w.since(func() {
		for _, name := range []bot.RepoName{repoName, "acme/apps"} {
			_, err := w.client.Gate(t.Context(), name, 1)
			wantTrouble(t, err, bot.TroubleTransient)
			if wait := bot.AsTrouble(err).RetryAfter; wait < 30*time.Second {
				t.Errorf("wait %v", wait)
			}
		}
	})
	if len(seen) != 0 {
		t.Errorf("requests %v during the pause", seen)
	}
	_, err := w.client.Permission(t.Context(), "other/infra", "ann")
	must(t, err)
	w.clock.advance(61 * time.Second)
	must(t, w.permission())
}

func TestReadsAreRepeatedOnceWhenTheConnectionBreaks(t *testing.T) {
	w, p := opened(t)
	w.hub.Fail(fakehub.Fault{CutBefore: true})
	must(t, w.permission())
	w.hub.Fail(fakehub.Fault{CutAfter: true})
	_, err := w.client.Gate(t.Context(), repoName, p.Number)
	must(t, err)
	w.hub.Fail(fakehub.Fault{CutBefore: true, Times: -1})
	wantTrouble(t, w.permission(), bot.TroubleTransient, "could not be reached")
	_, err = w.client.Gate(t.Context(), repoName, p.Number)
	wantTrouble(t, err, bot.TroubleTransient, "could not be reached")
}
