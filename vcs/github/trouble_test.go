package github

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/backout-dev/backout/bot"
)

func restError(status int, body string, header ...string) error {
	h := http.Header{}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	u, _ := url.Parse("https://api.github.com/repos/o/r") //nolint:errcheck // it is one.
	return github.CheckResponse(&http.Response{
		StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), Request: &http.Request{Method: "GET", URL: u},
	})
}

func graphErr(list string) error {
	e := graphErrors{header: http.Header{}}
	if err := json.Unmarshal([]byte(list), &e.list); err != nil {
		panic(err)
	}
	return e
}

func TestTrouble(t *testing.T) {
	c := &Client{now: time.Now}
	for _, tt := range []struct {
		name   string
		err    error
		kind   bot.TroubleKind
		text   string
		advice string
	}{
		{
			"a missing permission", restError(403, `{"message":"Resource not accessible by integration"}`, "X-Accepted-GitHub-Permissions", "issues=write; pull_requests=write"),
			bot.TroubleForbidden, "not accessible", "issues: write or pull_requests: write",
		},
		{
			"two permissions at once", restError(403, `{"message":"Resource not accessible by integration"}`, "X-Accepted-GitHub-Permissions", "contents=write,workflows=write"),
			bot.TroubleForbidden, "", "contents: write,workflows: write",
		},
		{
			"another reason, with the header that all answers carry", restError(403, `{"message":"Repository was archived so is read-only."}`, "X-Accepted-GitHub-Permissions", "contents=write"),
			bot.TroubleForbidden, "archived", "unarchive",
		},
		{"suspended", restError(403, `{"message":"This installation has been suspended"}`), bot.TroubleForbidden, "", "unsuspend"},
		{"unauthorised", restError(401, `{"message":"Bad credentials"}`), bot.TroubleForbidden, "credentials", "App ID"},
		{"legal", restError(451, `{"message":"Repository access blocked"}`), bot.TroubleForbidden, "blocked", ""},
		{"not found", restError(404, `{"message":"Not Found"}`), bot.TroubleNotFound, "no such thing", ""},
		{"gone", restError(410, `{"message":"Issues are disabled for this repo"}`), bot.TroubleNotFound, "", ""},
		{"conflict", restError(409, `{"message":"Head branch was modified."}`), bot.TroubleStale, "modified", ""},
		{
			"invalid", restError(422, `{"message":"Validation Failed","errors":[{"resource":"PullRequest","code":"custom","message":"No commits between main and x"},{"field":"head","code":"invalid"}]}`),
			bot.TroubleInvalid, "Validation Failed: No commits between main and x: head is invalid", "",
		},
		{"an outage", restError(502, `<html>`), bot.TroubleTransient, "status 502", ""},
		{"a limit by its text", restError(403, `{"message":"You have triggered an abuse detection mechanism."}`), bot.TroubleTransient, "", ""},
		{"a cut answer", &json.SyntaxError{}, bot.TroubleTransient, "could not be reached", ""},
		{"a timeout", &url.Error{Op: "Get", URL: "https://x", Err: context.DeadlineExceeded}, bot.TroubleTransient, "in time", ""},
		{"a broken line", &url.Error{Op: "Get", URL: "https://u:ghp_abcdef@x", Err: io.ErrUnexpectedEOF}, bot.TroubleTransient, "reached", ""},

		{"GraphQL forbidden", graphErr(`[{"type":"FORBIDDEN","path":["createRef"],"message":"Resource not accessible by integration"}]`), bot.TroubleForbidden, "", "contents: write"},
		{
			"GraphQL checks", graphErr(`[{"type":"FORBIDDEN","path":["createPullRequest","pullRequest","commits","nodes",0,"commit","statusCheckRollup"],"message":"Resource not accessible by integration"}]`),
			bot.TroubleForbidden, "", "checks: read, statuses: read",
		},
		{"GraphQL not found", graphErr(`[{"type":"NOT_FOUND","path":["repository"],"message":"Could not resolve to a Repository with the name 'o/r'."}]`), bot.TroubleNotFound, "resolve", ""},
		{"GraphQL stale", graphErr(`[{"type":"STALE_DATA","path":["createCommitOnBranch"],"message":"Expected branch to point to \"x\" but it did not. Pull and try again."}]`), bot.TroubleStale, "", ""},
		{"GraphQL unprocessable", graphErr(`[{"type":"UNPROCESSABLE","path":["createPullRequest"],"message":"No commits between main and x"}]`), bot.TroubleInvalid, "No commits", ""},
		{"GraphQL limit", graphErr(`[{"type":"RATE_LIMITED","message":"API rate limit exceeded"}]`), bot.TroubleTransient, "rate limit", ""},
		{"GraphQL outage", graphErr(`[{"message":"Something went wrong while executing your query. Please include 1:2 when reporting this issue."}]`), bot.TroubleTransient, "", ""},
		{"GraphQL on an old server", graphErr(`[{"message":"Field 'isInMergeQueue' doesn't exist on type 'PullRequest'","path":["query","repository"]}]`), bot.TroubleInvalid, "isInMergeQueue", ""},
	} {
		err := c.trouble(tt.err, "merge pull request %d", 7)
		got := bot.AsTrouble(err)
		if got.Kind != tt.kind || !strings.HasPrefix(got.Text, "merge pull request 7: ") ||
			!strings.Contains(got.Text, tt.text) || !strings.Contains(got.Advice, tt.advice) {
			t.Errorf("%s: %+v", tt.name, got)
		}
		if strings.Contains(err.Error(), "ghp_") {
			t.Errorf("%s: a token shows: %v", tt.name, err)
		}
	}
}

// A canceled context is no trouble of GitHub's: it is the engine going down.
func TestTroubleOfACanceledContext(t *testing.T) {
	c := &Client{now: time.Now}
	err := c.trouble(&url.Error{Op: "Get", URL: "https://x", Err: context.Canceled}, "read")
	var known *bot.Trouble
	if !errors.Is(err, context.Canceled) || errors.As(err, &known) {
		t.Errorf("error %v", err)
	}
	if c.trouble(nil, "read") != nil {
		t.Error("nothing became trouble")
	}
}

func TestRefusedMeansThatNothingHappened(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want bool
	}{
		{restError(403, `{}`), true},
		{restError(422, `{}`), true},
		{restError(429, `{}`), true},
		{&pause{time.Second}, true},
		{restError(500, `{}`), false},
		{restError(504, `<html>`), false},
		{io.ErrUnexpectedEOF, false},
		{&json.SyntaxError{}, false},
		{nil, false},
	} {
		if got := refused(tt.err); got != tt.want {
			t.Errorf("refused(%v) = %v", tt.err, got)
		}
	}
}
