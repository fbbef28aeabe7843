package github

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// defaultPause is how long to leave GitHub alone when it limits us without
// saying for how long; the documentation asks for at least a minute
// (https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit).
const defaultPause = time.Minute

// limits remembers which installations GitHub told to pause. Going on asking
// during a secondary limit prolongs it and may get the App banned, so every
// repository of the installation keeps quiet, not only the one that hit it.
//
// Why not gofri/go-github-ratelimit v2.0.2: its WithNoSleep builds an option
// and drops it, so it sleeps; without Retry-After it takes the primary limit's
// reset for the secondary one's and, when that lies in the past, asks again in
// a tight loop; and it tells GraphQL from REST by URL.RawPath, which is empty.
type limits struct {
	mu    sync.Mutex
	until map[quota]time.Time
}

// quota is what one limit is about: an installation, or the App itself, and
// all that it asks or one resource of it.
type quota struct {
	installation int64 // 0 is the App itself
	resource     string
}

// The resources that have a primary limit each
// (https://docs.github.com/rest/rate-limit/rate-limit#about-rate-limits).
const (
	resourceAll     = "" // what secondary limits are about
	resourceCore    = "core"
	resourceGraphQL = "graphql"
)

// resource is what a request counts as.
func resource(req *http.Request) string {
	if strings.HasSuffix(req.URL.Path, "/graphql") {
		return resourceGraphQL
	}
	return resourceCore
}

// pause is the error for a request that was not sent because of limits.
type pause struct{ after time.Duration }

func (p *pause) Error() string {
	return fmt.Sprintf("not sent: GitHub asked this installation to pause for another %s", p.after.Round(time.Second))
}

// check returns a *pause while an installation has to keep quiet.
func (l *limits) check(installation int64, req *http.Request, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	left := max(l.until[quota{installation, resourceAll}].Sub(now), l.until[quota{installation, resource(req)}].Sub(now))
	if left > 0 {
		return &pause{after: left}
	}
	return nil
}

// note reads limits out of an answer. A primary limit that is used up, be it by
// an answer that is good, stops one resource until its reset: REST and GraphQL
// have one each. A secondary limit stops everything.
func (l *limits) note(installation int64, req *http.Request, resp *http.Response, now time.Time) {
	q := quota{installation, resourceAll}
	switch {
	case resp.Header.Get("X-Ratelimit-Remaining") == "0":
		if resp.Header.Get("Retry-After") == "" {
			q.resource = resource(req)
		}
	case !limitStatus(resp.StatusCode):
		return
	case resp.Header.Get("Retry-After") == "" && resp.StatusCode != http.StatusTooManyRequests && !tellsLimit(peek(resp)):
		return // it lacks a right.
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.until == nil {
		l.until = map[quota]time.Time{}
	}
	l.until[q] = now.Add(retryAfter(resp.Header, now))
}

// peek reads the beginning of an answer's body and puts it back.
func peek(resp *http.Response) string {
	head, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	rest := resp.Body
	body := io.MultiReader(bytes.NewReader(head), rest)
	if err != nil {
		body = io.MultiReader(bytes.NewReader(head), failed{err})
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{body, rest}
	return string(head)
}

// failed is a body that broke off.
type failed struct{ err error }

func (f failed) Read([]byte) (int, error) { return 0, f.err }

// tellsLimit knows the limits that are told by nothing but their text.
func tellsLimit(text string) bool {
	text = strings.ToLower(text)
	return strings.Contains(text, "rate limit") || strings.Contains(text, "rate-limits") ||
		strings.Contains(text, "abuse detection")
}

// limitStatus tells whether an answer of this status may be a rate limit.
func limitStatus(code int) bool {
	return code == http.StatusForbidden || code == http.StatusTooManyRequests
}

// retryAfter is how long an answer asks to wait, in the order in which the
// documentation says to look: Retry-After in seconds or as a date, then the
// reset of an exhausted primary limit, then a minute. Moments are GitHub's, so
// they are counted from the answer's own date where it has one: our clock may
// be off by more than the wait.
func retryAfter(h http.Header, now time.Time) time.Duration {
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	v := h.Get("Retry-After")
	if s, err := strconv.Atoi(v); err == nil && s > 0 {
		return time.Duration(s) * time.Second
	}
	if at, err := http.ParseTime(v); err == nil && at.After(now) {
		return at.Sub(now)
	}
	if h.Get("X-Ratelimit-Remaining") == "0" {
		if reset, err := strconv.ParseInt(h.Get("X-Ratelimit-Reset"), 10, 64); err == nil {
			// A reset that lies in the past is a clock that is off, not leave
			// to ask again at once.
			return max(time.Unix(reset, 0).Sub(now), time.Second)
		}
	}
	return defaultPause
}
