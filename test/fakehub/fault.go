package fakehub

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Fault is one way to misbehave. Match and Times say when; the rest says how.
// With neither Status nor a cut, a Fault with a Delay is only slow.
//
// Clients hide some cuts. When a reused connection dies without an answer,
// Go's http.Transport sends requests again that are safe to repeat (GET), and
// curl, hence git, sends any again. Times: -1 outlasts them.
type Fault struct {
	Match func(Request) bool // nil: every request; it must not use the hub
	Times int                // 0: once; negative: always
	Delay time.Duration      // before anything else, on the real clock
	// Status answers without performing the act: 401, 403 (a secondary rate
	// limit), 404, 429, 500, 502, 503 …
	Status     int
	RetryAfter time.Duration // as a Retry-After header, in whole seconds
	Header     http.Header
	Body       string // default: what GitHub says with that status
	CutBefore  bool   // closes the connection and doesn't perform the act
	CutAfter   bool   // performs the act, then closes the connection
	CutInside  bool   // performs the act, sends half of the answer, then closes the connection
	Half       bool   // performs the act and sends half of the answer as if it were all
	// Before is called before the act, After when it is done and its answer has
	// not left, and Sent when the answer has left. The client may be killed in
	// them: that keeps no act from being performed.
	Before, After, Sent func()
}

type faults struct {
	mu   sync.Mutex
	list []*Fault
}

// Fail adds a fault. Faults are tried in the order in which they were added;
// the first that matches and is not used up applies.
func (h *Hub) Fail(f Fault) {
	h.faults.mu.Lock()
	defer h.faults.mu.Unlock()
	if f.Times == 0 {
		f.Times = 1
	}
	h.faults.list = append(h.faults.list, &f)
}

// Behave forgets all faults.
func (h *Hub) Behave() {
	h.faults.mu.Lock()
	defer h.faults.mu.Unlock()
	h.faults.list = nil
}

// take returns the fault that applies to a request, using it up by one.
func (f *faults) take(r Request) *Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, x := range f.list {
		if x.Times != 0 && (x.Match == nil || x.Match(r)) {
			if x.Times > 0 {
				x.Times--
			}
			return x
		}
	}
	return nil
}

// strike returns the fault that a request meets: one given to Fail, or else the
// one that Options.OnRequest makes up for it. No fault is the zero Fault.
func (h *Hub) strike(r Request) *Fault {
	f := h.faults.take(r)
	if f == nil && h.opts.OnRequest != nil {
		f = h.opts.OnRequest(r)
	}
	if f == nil {
		f = &Fault{}
	}
	return f
}

// run calls one of a fault's functions, where it is set.
func run(f func()) {
	if f != nil {
		f()
	}
}

// MatchRoute matches a REST endpoint by its documented form, for example
// "PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge".
func MatchRoute(route string) func(Request) bool {
	return func(r Request) bool { return r.Route == route }
}

// MatchField matches GraphQL documents with such a top field, for example
// "mergePullRequest".
func MatchField(field string) func(Request) bool {
	return func(r Request) bool {
		return slices.Contains(r.Fields, field)
	}
}

// answer writes what a fault says instead of the act.
func (f *Fault) answer(w http.ResponseWriter) {
	maps.Copy(w.Header(), f.Header)
	if f.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(f.RetryAfter.Seconds())))
	}
	body := f.Body
	if body == "" {
		body = cannedBody(f.Status)
	}
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
	}
	w.WriteHeader(f.Status)
	w.Write([]byte(body)) //nolint:errcheck // the client may have gone.
}

func cannedBody(status int) string {
	message, doc := http.StatusText(status), "https://docs.github.com/rest"
	switch status {
	case http.StatusUnauthorized:
		message = "Bad credentials"
	case http.StatusForbidden, http.StatusTooManyRequests:
		message = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
		doc = "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits"
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		message = "Server Error"
	}
	var b bytes.Buffer
	json.NewEncoder(&b).Encode(obj{"message": message, "documentation_url": doc, "status": strconv.Itoa(status)}) //nolint:errcheck // strings always encode.
	return b.String()
}
