package faults

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/test/fakehub"
)

// primary is the answer of a limit that is used up until a moment.
func primary(reset time.Time, resource string) http.Header {
	return http.Header{
		"X-Ratelimit-Limit": {"5000"}, "X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Resource": {resource},
		"X-Ratelimit-Reset": {strconv.FormatInt(reset.Unix(), 10)},
	}
}

const (
	primaryBody   = `{"message":"API rate limit exceeded for installation ID 7."}`
	graphqlBody   = `{"errors":[{"type":"RATE_LIMITED","message":"API rate limit exceeded for installation ID 7."}]}`
	forbiddenBody = `{"message":"Resource not accessible by integration","documentation_url":"https://docs.github.com/rest"}`
)

// TestLimits limits the bot once in the midst of a Rollback: it keeps quiet for
// as long as GitHub says, a minute where it does not say, and then goes on.
func TestLimits(t *testing.T) {
	const pause = 7 * time.Minute
	for _, tt := range []struct {
		name  string
		match func(fakehub.Request) bool
		fault fakehub.Fault
		quiet time.Duration
		same  func(sent) bool // what must keep quiet, nil for all but git
	}{
		{"primary on REST", restRead, fakehub.Fault{Status: 403, Body: primaryBody}, pause, rest},
		{"primary on REST as 429", restRead, fakehub.Fault{Status: 429, Body: primaryBody}, pause, rest},
		{"primary on a merge", kind("merge"), fakehub.Fault{Status: 403, Body: primaryBody}, pause, rest},
		{"primary on GraphQL", kind("graphql read"), fakehub.Fault{Status: 200, Body: graphqlBody}, pause, graphql},
		{"primary on GraphQL as 403", kind("graphql read"), fakehub.Fault{Status: 403, Body: primaryBody}, pause, graphql},
		{"secondary with Retry-After on a read", restRead, fakehub.Fault{Status: 403, RetryAfter: pause}, pause, nil},
		{"secondary with Retry-After on GraphQL", kind("graphql read"), fakehub.Fault{Status: 403, RetryAfter: pause}, pause, nil},
		{"secondary with Retry-After on a merge", kind("merge"), fakehub.Fault{Status: 429, RetryAfter: pause}, pause, nil},
		{"secondary with Retry-After on a check run", kind("check run"), fakehub.Fault{Status: 403, RetryAfter: pause}, pause, nil},
		{"secondary with Retry-After on a comment", kind("comment"), fakehub.Fault{Status: 403, RetryAfter: pause}, pause, nil},
		{"secondary on a read", restRead, fakehub.Fault{Status: 403}, time.Minute, nil},
		{"secondary on GraphQL", kind("graphql read"), fakehub.Fault{Status: 403}, time.Minute, nil},
		{"secondary on a merge", kind("merge"), fakehub.Fault{Status: 403}, time.Minute, nil},
		{"secondary on a comment", kind("comment"), fakehub.Fault{Status: 429}, time.Minute, nil},
		{"secondary on a token", kind("token"), fakehub.Fault{Status: 403}, time.Minute, asApp},
		{"secondary with Retry-After on a token", kind("token"), fakehub.Fault{Status: 403, RetryAfter: pause}, pause, asApp},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, setup{slowCI: true})
			w.comment("/rollback")
			pull := w.opened()
			if tt.name[len(tt.name)-5:] == "token" {
				w.stage.Hub.RevokeTokens()
			}
			if tt.quiet == pause && tt.fault.RetryAfter == 0 {
				tt.fault.Header = primary(w.clock.Now().Add(pause), "")
			}
			tt.fault.Match = tt.match
			w.fail(tt.fault)
			w.must(w.stage.Repo.SetCheck(pull.HeadSHA, "ci", "success", nil))
			rec := w.ended(time.Hour)
			w.toldBy(rec, time.Hour)
			if tt.fault.RetryAfter == 0 && tt.quiet == pause {
				tt.quiet -= time.Minute // a reset is a moment: the limit is met within one poll of the gate
			}
			w.quietFor(tt.quiet, tt.same)
			w.settled(rec, want{verdict: bot.VerdictVerified, says: []string{"verified"}})
		})
	}
}

func restRead(r fakehub.Request) bool { return kind("permission")(r) }

// What of the bot's requests keeps quiet.
func rest(s sent) bool    { return !graphql(s) && !asApp(s) && !git(s) }
func graphql(s sent) bool { return s.line == "POST /api/graphql" }
func asApp(s sent) bool {
	return contains(s.line, "/access_tokens") || contains(s.line, "/installation")
}
func git(s sent) bool { return contains(s.line, ".git/") }

// quietFor asserts that nothing of a kind was sent for so long after the
// limit. Requests that were under way when it came are no fault.
func (w *world) quietFor(d time.Duration, same func(sent) bool) {
	w.t.Helper()
	if same == nil {
		same = func(s sent) bool { return !git(s) }
	}
	var hit time.Time
	for _, s := range w.wire.since(w.faulty) {
		switch {
		case hit.IsZero():
			if s.limited {
				hit = s.done
			}
		case same(s) && s.at.After(hit) && s.at.Before(hit.Add(d-time.Second)):
			w.t.Errorf("%v after the limit: %s", s.at.Sub(hit), s.line)
		}
	}
	if hit.IsZero() {
		w.t.Error("no limit was met")
	}
}

// TestALackOfRightsIsNoLimit stops at once: asking again can't help.
func TestALackOfRightsIsNoLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{slowCI: true})
	w.comment("/rollback")
	pull := w.opened()
	w.fail(fakehub.Fault{Match: kind("merge"), Status: 403, Body: forbiddenBody, Times: -1})
	w.must(w.stage.Repo.SetCheck(pull.HeadSHA, "ci", "success", nil))
	rec := w.ended(time.Minute)
	w.toldBy(rec, time.Minute)
	w.settled(rec, want{verdict: bot.VerdictNeedsHuman, says: []string{"not accessible by integration", "Merge #2"}})
}

// TestExpiredToken revokes the tokens in the midst: each is replaced once.
func TestExpiredToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{slowCI: true})
	w.comment("/rollback")
	pull := w.opened()
	w.faulty = w.clock.Now()
	w.stage.Hub.RevokeTokens()
	w.must(w.stage.Repo.SetCheck(pull.HeadSHA, "ci", "success", nil))
	rec := w.ended(time.Hour)
	w.toldBy(rec, time.Hour)
	minted := 0
	for _, s := range w.wire.since(w.faulty) {
		if contains(s.line, "/access_tokens") {
			minted++
		}
	}
	if minted != 4 { // to look, to change, to tell, and for git
		t.Errorf("%d tokens were asked for, want 4", minted)
	}
	w.settled(rec, want{verdict: bot.VerdictVerified, says: []string{"verified"}})
}

// TestRevokedKey takes the App's key away in the midst for a day: a person is
// asked in the log at once, and on the pull request when the key is back.
func TestRevokedKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{slowCI: true})
	w.comment("/rollback")
	pull := w.opened()
	w.stage.Hub.RevokeTokens()
	jwt := func(r fakehub.Request) bool {
		return kind("token")(r) || r.Route == "GET /repos/{owner}/{repo}/installation" || r.Route == "GET /app"
	}
	w.fail(fakehub.Fault{Match: w.until(24*time.Hour, jwt), Status: 401, Times: -1})
	w.must(w.stage.Repo.SetCheck(pull.HeadSHA, "ci", "success", nil))
	rec := w.ended(time.Hour)
	if !w.log.has("does not accept the App's key") {
		t.Error("the log does not tell")
	}
	w.toldBy(rec, 25*time.Hour)
	w.settled(rec, want{verdict: bot.VerdictNeedsHuman, says: []string{"does not accept the App's key", "check that App ID and private key belong together", "Merge #2"}})
}

// TestTheClockIsAheadOfGitHub asks for no more tokens than with a right clock,
// and waits for the reset of a limit as long as it takes.
func TestTheClockIsAheadOfGitHub(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{slowCI: true, rightHub: true})
	w.clock.Advance(56 * time.Minute) // more than a token lives, less than a command
	w.stage.Hub.RevokeTokens()
	w.faulty = w.clock.Now()
	w.comment("/rollback")
	pull := w.opened()
	w.fail(fakehub.Fault{Match: restRead, Status: 403, Body: primaryBody, Header: primary(time.Now().Add(7*time.Minute), "core")})
	w.must(w.stage.Repo.SetCheck(pull.HeadSHA, "ci", "success", nil))
	rec := w.ended(2 * time.Hour)
	w.toldBy(rec, time.Hour)
	w.quietFor(7*time.Minute, rest)
	minted := 0
	for _, s := range w.wire.since(w.faulty) {
		if contains(s.line, "/access_tokens") {
			minted++
		}
	}
	if minted > 2 {
		t.Errorf("%d tokens were asked for, want at most 2", minted)
	}
	w.settled(rec, want{verdict: bot.VerdictVerified, says: []string{"verified"}})
}
