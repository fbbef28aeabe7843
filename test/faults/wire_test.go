package faults

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// wire carries the bot's requests to GitHub, counts them on the fake clock and
// breaks some of them before they leave.
type wire struct {
	base http.RoundTripper
	now  func() time.Time

	mu     sync.Mutex
	sent   []sent
	flying int
	last   time.Time // real time of the last beginning or end
	refuse func(*http.Request) error
}

// sent is one request.
type sent struct {
	at     time.Time // on the fake clock
	line   string    // "PUT /repos/acme/fleet/pulls/2/merge"
	writes int       // content writes, as GitHub counts them
	status int       // 0 where no answer came

	done    time.Time // when the answer came
	limited bool      // it was a limit
}

func newWire(now func() time.Time) *wire {
	return &wire{base: &http.Transport{MaxIdleConnsPerHost: 16}, now: now}
}

// RoundTrip implements http.RoundTripper.
func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	s := sent{at: w.now(), line: req.Method + " " + strings.TrimPrefix(req.URL.Path, "/api/v3")}
	s.writes = contentWrites(req)
	w.mu.Lock()
	refuse := w.refuse
	w.flying++
	w.last = time.Now()
	w.mu.Unlock()
	var resp *http.Response
	var err error
	if refuse != nil {
		err = refuse(req)
	}
	if err == nil {
		resp, err = w.base.RoundTrip(req)
	} else if req.Body != nil {
		req.Body.Close() //nolint:errcheck // it was never read.
	}
	if err == nil {
		s.status, s.done = resp.StatusCode, w.now()
		s.limited = s.status == http.StatusForbidden || s.status == http.StatusTooManyRequests ||
			resp.Header.Get("X-Ratelimit-Remaining") == "0"
		resp.Body = &landing{resp.Body, w}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent = append(w.sent, s)
	w.flying--
	w.last = time.Now()
	return resp, err
}

// landing notes that an answer is still being read. Not everybody closes a
// body that it does not want.
type landing struct {
	io.ReadCloser
	wire *wire
}

func (l *landing) Read(p []byte) (int, error) {
	n, err := l.ReadCloser.Read(p)
	l.wire.mu.Lock()
	defer l.wire.mu.Unlock()
	l.wire.last = time.Now()
	return n, err
}

func contains(line, part string) bool { return strings.Contains(line, part) }

// contentWrites is how many content writes a request is: one for each REST
// write below /repos, one for each mutation field.
func contentWrites(req *http.Request) int {
	switch {
	case req.Method == http.MethodGet, strings.Contains(req.URL.Path, ".git/"):
		return 0
	case strings.HasSuffix(req.URL.Path, "/graphql"):
		if req.GetBody == nil {
			return 0
		}
		body, err := req.GetBody()
		if err != nil {
			return 0
		}
		b, err := io.ReadAll(body)
		if err != nil || !bytes.Contains(b, []byte(`"query":"mutation`)) {
			return 0
		}
		return bytes.Count(b, []byte("Input!"))
	case strings.Contains(req.URL.Path, "/repos/"):
		return 1
	}
	return 0
}

// breakWith makes every request fail that f has an error for; nil mends.
func (w *wire) breakWith(f func(*http.Request) error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refuse = f
}

// quiet reports that nothing is under way, nor was a moment ago. Comments are
// written beside the flow, so an engine that is idle is not enough; a moment
// too short counts a request into the next minute and does no other harm.
func (w *wire) quiet() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.flying == 0 && time.Since(w.last) > 4*time.Millisecond
}

// since lists what was sent at or after a moment.
func (w *wire) since(t time.Time) []sent {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(w.sent), func(s sent) bool { return s.at.Before(t) })
}

// worst is the most requests and content writes within any span.
func worst(list []sent, span time.Duration) (requests, writes int) {
	slices.SortFunc(list, func(a, b sent) int { return a.at.Compare(b.at) })
	from, w := 0, 0
	for i, s := range list {
		w += s.writes
		for ; !list[from].at.After(s.at.Add(-span)); from++ {
			w -= list[from].writes
		}
		requests, writes = max(requests, i-from+1), max(writes, w)
	}
	return requests, writes
}
