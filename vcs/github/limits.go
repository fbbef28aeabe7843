package github

import (
	"fmt"
	"net/http"
	"strconv"
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
	until map[int64]time.Time // by installation
}

// pause is the error for a request that was not sent because of limits.
type pause struct{ after time.Duration }

func (p *pause) Error() string {
	return fmt.Sprintf("not sent: GitHub asked this installation to pause for another %s", p.after.Round(time.Second))
}

// check returns a *pause while an installation has to keep quiet.
func (l *limits) check(installation int64, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if left := l.until[installation].Sub(now); left > 0 {
		return &pause{after: left}
	}
	return nil
}

// note reads a secondary limit out of an answer. Primary limits are left to
// each caller: REST and GraphQL have one each, and one does not stop the other.
func (l *limits) note(installation int64, resp *http.Response, now time.Time) {
	if !limitStatus(resp.StatusCode) || resp.Header.Get("Retry-After") == "" {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.until == nil {
		l.until = map[int64]time.Time{}
	}
	l.until[installation] = now.Add(retryAfter(resp.Header, now))
}

// limitStatus tells whether an answer of this status may be a rate limit.
func limitStatus(code int) bool {
	return code == http.StatusForbidden || code == http.StatusTooManyRequests
}

// retryAfter is how long an answer asks to wait, in the order in which the
// documentation says to look: Retry-After in seconds or as a date, then the
// reset of an exhausted primary limit, then a minute.
func retryAfter(h http.Header, now time.Time) time.Duration {
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
