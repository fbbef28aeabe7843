package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/backout-dev/backout/bot"
)

// trouble turns what came back into the flow's terms. The act is in the
// imperative: "merge pull request 7 of o/r". Everything that is not known to
// be final counts as transient: being asked again a bounded number of times is
// the safe direction.
func (c *Client) trouble(err error, act string, args ...any) error {
	if err == nil {
		return nil
	}
	act = fmt.Sprintf(act, args...)
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("%s: %w", act, context.Canceled)
	}
	v := c.judge(err)
	t := bot.NewTrouble(v.Kind, v.Unwrap(), "%s: %s", act, v.Text)
	t.Advice, t.RetryAfter = v.Advice, v.RetryAfter
	return t
}

// judge classes an error. What it returns holds no library text: addresses,
// headers and bodies stay out of what may be shown to people.
func (c *Client) judge(err error) *bot.Trouble {
	var (
		known   *bot.Trouble
		paused  *pause
		primary *github.RateLimitError
		abuse   *github.AbuseRateLimitError
		answer  *github.ErrorResponse
		graph   graphErrors
	)
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &paused):
		return limited("GitHub asked us to pause", paused.after)
	case errors.As(err, &primary):
		return limited("GitHub's rate limit is used up", c.wait(primary.Response))
	case errors.As(err, &abuse):
		return limited("GitHub limits how fast we may go", c.wait(abuse.Response))
	case errors.As(err, &graph):
		return c.judgeGraph(graph)
	case errors.As(err, &answer):
		return c.judgeAnswer(answer)
	case errors.Is(err, context.DeadlineExceeded):
		return bot.NewTrouble(bot.TroubleTransient, nil, "GitHub did not answer in time")
	}
	return bot.NewTrouble(bot.TroubleTransient, errors.New(tidy(err.Error())), "GitHub could not be reached")
}

// judgeAnswer classes a REST refusal by its status
// (https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api).
func (c *Client) judgeAnswer(e *github.ErrorResponse) *bot.Trouble {
	said := says(e)
	switch status := e.Response.StatusCode; {
	case limitStatus(status) && isLimit(e):
		return limited("GitHub limits how fast we may go", c.wait(e.Response))
	case status >= http.StatusInternalServerError:
		t := bot.NewTrouble(bot.TroubleTransient, nil, "GitHub is in trouble (status %d)", status)
		if e.Response.Header.Get("Retry-After") != "" {
			t.RetryAfter = c.wait(e.Response)
		}
		return t
	case status == http.StatusUnauthorized:
		return bot.NewTrouble(bot.TroubleForbidden, nil, "GitHub does not accept our credentials").
			WithAdvice("check that App ID and private key belong together, and that this machine's clock is right")
	case status == http.StatusForbidden, status == http.StatusUnavailableForLegalReasons:
		return forbidden(said, e.Response.Header.Get("X-Accepted-Github-Permissions"))
	case status == http.StatusNotFound, status == http.StatusGone:
		return bot.NewTrouble(bot.TroubleNotFound, nil, "GitHub finds no such thing, or does not show it to us")
	case status == http.StatusConflict:
		return bot.NewTrouble(bot.TroubleStale, nil, "GitHub says: %s", said)
	}
	return bot.NewTrouble(bot.TroubleInvalid, nil, "GitHub says: %s", said)
}

// forbidden names the missing permission where GitHub does: "contents=write",
// several joined by commas, alternatives by semicolons
// (https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api#resource-not-accessible).
func forbidden(said, accepted string) *bot.Trouble {
	t := bot.NewTrouble(bot.TroubleForbidden, nil, "GitHub says: %s", said)
	lacking := strings.Contains(said, "not accessible by integration")
	switch {
	case lacking && accepted != "":
		return t.WithAdvice("grant the App the permission %s in its settings, then approve it on the installation",
			permissionWords(accepted))
	case strings.Contains(said, "suspended"):
		return t.WithAdvice("unsuspend the App's installation in the account's settings, under GitHub Apps")
	case strings.Contains(said, "locked"):
		return t.WithAdvice("unlock the conversation")
	case strings.Contains(said, "archived"):
		return t.WithAdvice("unarchive the repository")
	case lacking:
		return t.WithAdvice("compare the App's permissions with those that Backout's documentation asks for")
	}
	return t
}

// permissionWords writes "contents=write" as "contents: write".
func permissionWords(accepted string) string {
	var words []string
	for alt := range strings.SplitSeq(accepted, ";") {
		alt = strings.ReplaceAll(strings.TrimSpace(alt), "=", ": ")
		if alt != "" {
			words = append(words, tidy(alt))
		}
	}
	return strings.Join(words, " or ")
}

// isLimit tells a rate limit from a lack of rights, which share a status.
// go-github v60 knows only some of the forms: not 429, and not those that are
// told by their text.
func isLimit(e *github.ErrorResponse) bool {
	h := e.Response.Header
	return e.Response.StatusCode == http.StatusTooManyRequests ||
		h.Get("Retry-After") != "" || h.Get("X-Ratelimit-Remaining") == "0" ||
		tellsLimit(e.Message+" "+e.DocumentationURL)
}

func limited(text string, after time.Duration) *bot.Trouble {
	t := bot.NewTrouble(bot.TroubleTransient, nil, "%s", text)
	t.RetryAfter = after
	return t
}

func (c *Client) wait(resp *http.Response) time.Duration {
	if resp == nil {
		return defaultPause
	}
	return retryAfter(resp.Header, c.now())
}

// says is what GitHub answered, as one short line.
func says(e *github.ErrorResponse) string {
	parts := []string{strings.TrimSuffix(e.Message, ".")}
	for _, d := range e.Errors {
		switch {
		case d.Message != "":
			parts = append(parts, d.Message)
		case d.Field != "":
			parts = append(parts, d.Field+" is "+d.Code)
		}
	}
	if said := tidy(strings.Join(parts, ": ")); said != "" {
		return said
	}
	return fmt.Sprintf("status %d", e.Response.StatusCode)
}

// refused reports whether GitHub answered that it did not do it: then nothing
// happened, and looking at the world would tell nothing new. After a broken
// connection or a 5xx, anything may have happened.
func refused(err error) bool {
	var (
		known   *bot.Trouble
		paused  *pause
		primary *github.RateLimitError
		abuse   *github.AbuseRateLimitError
		answer  *github.ErrorResponse
	)
	switch {
	case errors.As(err, &known), errors.As(err, &paused), errors.As(err, &primary), errors.As(err, &abuse):
		return true
	case errors.As(err, &answer):
		return answer.Response.StatusCode < http.StatusInternalServerError
	}
	return false
}

// status is the HTTP status of a refusal, 0 where there was none.
func status(err error) int {
	var e *github.ErrorResponse
	if errors.As(err, &e) {
		return e.Response.StatusCode
	}
	return 0
}

// message is what GitHub said when it refused.
func message(err error) string {
	var e *github.ErrorResponse
	if errors.As(err, &e) {
		return says(e)
	}
	return ""
}
