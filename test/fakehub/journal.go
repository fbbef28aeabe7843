package fakehub

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"
)

// Request is one request as the hub saw it.
type Request struct {
	// Kind is "rest", "graphql" or "git".
	Kind   string
	Method string
	// Path is without the API prefix: "/repos/acme/fleet/pulls/7/merge".
	Path  string
	Query string
	// Route is the endpoint as GitHub documents it,
	// "PUT /repos/{owner}/{repo}/pulls/{number}/merge", or "mutation" or
	// "query" for GraphQL.
	Route string
	// Fields are the top fields of a GraphQL document, such as "createRef".
	Fields []string
	Body   []byte
	// Actor is a login ("backout[bot]"), "app:<slug>" for an App with its JWT,
	// or "" for nobody.
	Actor string
	// Status is of the answer; 0 where the connection was cut.
	Status int
	// Injected is set where a Fault made up the answer.
	Injected bool
	// Writes is how many content writes the request was: one for a
	// REST write below /repos, one for each mutation field.
	Writes int
	// Start and End are on the real clock, never on Options.Now, so that two
	// requests under a frozen clock still have an order.
	Start, End time.Time

	began, ended int64 // ticks, to tell order where the clock can't
}

// Exchange is a finished API request with both sides.
type Exchange struct {
	Request
	RequestHeader  map[string][]string
	ResponseHeader map[string][]string
	Response       []byte
}

// journal is the log of requests.
type journal struct {
	mu   sync.Mutex
	tick int64
	list []Request
}

func (j *journal) begin() (time.Time, int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.tick++
	return time.Now(), j.tick
}

// end records a request. It is called before the answer leaves, so that who
// has the answer finds the request in the log, ended.
func (j *journal) end(r Request) Request {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.tick++
	r.End, r.ended = time.Now(), j.tick
	j.list = append(j.list, r)
	return r
}

// Requests lists every request that has been answered, in order of its end.
func (h *Hub) Requests() []Request {
	h.journal.mu.Lock()
	defer h.journal.mu.Unlock()
	return slices.Clone(h.journal.list)
}

// ContentWrites lists the requests that wrote content; Writes of each tells
// how often. Pushes over git, minting tokens and redeliveries don't count.
func (h *Hub) ContentWrites() []Request {
	return slices.DeleteFunc(h.Requests(), func(r Request) bool { return r.Writes == 0 })
}

// CountWrites sums the content writes of an actor ("": of everybody).
func (h *Hub) CountWrites(actor string) int {
	n := 0
	for _, r := range h.ContentWrites() {
		if actor == "" || r.Actor == actor {
			n += r.Writes
		}
	}
	return n
}

// Sequential returns the longest chain of requests between two instants in
// which each began after the one before had ended. Requests that overlap in
// time count once: it is what latency is made of. Fetches over git stream, so
// a client may go on before the hub has noted their end.
func (h *Hub) Sequential(from, to time.Time) []Request {
	list := slices.DeleteFunc(h.Requests(), func(r Request) bool {
		return r.Start.Before(from) || r.End.After(to)
	})
	return longestChain(list)
}

// longestChain takes, again and again, the request that ends first among
// those that begin after the last one taken; that is the longest chain.
func longestChain(list []Request) []Request {
	slices.SortFunc(list, func(a, b Request) int { return cmp.Compare(a.ended, b.ended) })
	var chain []Request
	var last int64
	for _, r := range list {
		if r.began > last {
			chain = append(chain, r)
			last = r.ended
		}
	}
	return chain
}

// String is one line for a test's message.
func (r Request) String() string {
	s := r.Method + " " + r.Path
	if len(r.Fields) > 0 {
		s += " " + r.Route + "{" + strings.Join(r.Fields, " ") + "}"
	}
	return s
}
