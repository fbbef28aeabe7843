package fakehub

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// call is one API request on its way through the hub.
type call struct {
	h      *Hub
	r      *http.Request
	body   []byte
	actor  *actor
	repo   *Repo // for routes below /repos/{owner}/{repo}
	route  route
	args   map[string]string
	out    http.Header
	seen   reads
	writes int
	doc    document // of GraphQL
}

// route is one REST endpoint.
type route struct {
	needs need // of the App, on the repository
	// as is who must ask: "" anybody who sees the repository, "app" an App
	// with its JWT, "installation" an installation.
	as string
	do func(*call) (status int, body any, err error)
}

// perform checks who asks for what, then does it, under the hub's lock.
func (h *Hub) perform(w http.ResponseWriter, c *call, rt route) {
	h.lock()
	defer h.unlock()
	status, body, err := c.run(rt)
	if err != nil {
		c.writeError(w, err)
		return
	}
	c.writeJSON(w, status, body)
}

func (c *call) run(rt route) (int, any, error) {
	c.limit("core")
	switch {
	case rt.as == "app" && c.actor.app == nil:
		return 0, nil, &apiError{status: http.StatusUnauthorized, message: "A JSON web token could not be decoded"}
	case rt.as == "installation" && c.actor.token == nil:
		return 0, nil, &apiError{status: http.StatusForbidden, message: "You must authenticate with an installation access token in order to list repositories for an installation."}
	}
	if name := c.args["repo"]; name != "" {
		if c.r.Method != http.MethodGet && rt.as == "" {
			c.writes = 1
		}
		c.repo = c.h.repos[strings.ToLower(c.args["owner"]+"/"+name)]
		if rt.as == "" {
			if !c.actor.sees(c.repo) {
				return 0, nil, errNotFound()
			}
			if c.r.Method != http.MethodGet && c.actor.account == nil {
				return 0, nil, &apiError{status: http.StatusUnauthorized, message: "Requires authentication"}
			}
			if err := c.actor.allow(c.repo, rt.needs); err != nil {
				return 0, nil, err
			}
		}
	}
	return rt.do(c)
}

func (c *call) arg(name string) string { return c.args[name] }

func (c *call) intArg(name string) int64 {
	n, err := strconv.ParseInt(c.arg(name), 10, 64)
	if err != nil {
		return -1
	}
	return n
}

func (c *call) query(name string) string { return c.r.URL.Query().Get(name) }

// decode reads the JSON body; an empty one leaves into as it is.
func (c *call) decode(into any) error {
	if len(c.body) == 0 {
		return nil
	}
	if err := json.Unmarshal(c.body, into); err != nil {
		return &apiError{status: http.StatusBadRequest, message: "Problems parsing JSON"}
	}
	return nil
}

func (c *call) writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("X-GitHub-Media-Type", "github.v3; format=json")
	if status == http.StatusNoContent || body == nil {
		w.WriteHeader(status)
		return
	}
	raw, err := json.Marshal(body)
	if err != nil {
		c.h.log.Error("encode answer", "path", c.r.URL.Path, "error", err)
		status, raw = http.StatusInternalServerError, []byte(`{"message":"Server Error"}`)
	}
	w.WriteHeader(status)
	w.Write(raw) //nolint:errcheck // it is a buffer.
}

// page cuts out the page that the request asks for and links to the others.
func page[T any](c *call, list []T) []T {
	size, _ := strconv.Atoi(c.query("per_page"))
	if size <= 0 {
		size = 30
	}
	size = min(size, 100)
	number, _ := strconv.Atoi(c.query("page"))
	number = max(number, 1)
	last := max(1, (len(list)+size-1)/size)
	var links []string
	link := func(n int, rel string) {
		q := c.r.URL.Query()
		q.Set("page", strconv.Itoa(n))
		u := url.URL{Path: c.r.URL.Path, RawPath: c.r.URL.RawPath, RawQuery: q.Encode()}
		links = append(links, fmt.Sprintf(`<%s%s>; rel=%q`, c.h.apiBase(), u.String(), rel))
	}
	if number > 1 {
		link(number-1, "prev")
	}
	if number < last {
		link(number+1, "next")
		link(last, "last")
	}
	if number > 1 {
		link(1, "first")
	}
	if len(links) > 0 {
		c.out.Set("Link", strings.Join(links, ", "))
	}
	from := min((number-1)*size, len(list))
	return append([]T{}, list[from:min(from+size, len(list))]...)
}

func (h *Hub) apiBase() string { return h.url + "/api/v3" }

// usage is an hour's worth of requests of one actor.
type usage struct {
	used  map[string]int
	reset time.Time
}

// hourly is the primary rate limit of a small installation.
const hourly = 5000

// limit counts a request and tells how many are left; nothing is refused
// (use a Fault for that).
func (c *call) limit(resource string) {
	key := c.actor.name()
	u := c.h.usage[key]
	if now := c.h.opts.AuthNow(); u == nil || !now.Before(u.reset) {
		u = &usage{used: map[string]int{}, reset: now.Add(time.Hour)}
		c.h.usage[key] = u
	}
	u.used[resource]++
	c.out.Set("X-RateLimit-Limit", strconv.Itoa(hourly))
	c.out.Set("X-RateLimit-Remaining", strconv.Itoa(max(0, hourly-u.used[resource])))
	c.out.Set("X-RateLimit-Used", strconv.Itoa(u.used[resource]))
	c.out.Set("X-RateLimit-Reset", strconv.FormatInt(u.reset.Unix(), 10))
	c.out.Set("X-RateLimit-Resource", resource)
}
