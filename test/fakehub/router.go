package fakehub

import (
	"net/http"
	"net/url"
	"strings"
)

// router finds the endpoint of a request. It knows what http.ServeMux does
// not: a ref with slashes in the middle of a path, and two patterns that
// would both match a path which never comes.
type router struct{ endpoints []endpoint }

type endpoint struct {
	pattern  string // as documented: "GET /repos/{owner}/{repo}/commits/{ref}/status"
	method   string
	segments []string
	route    route
}

// add registers an endpoint; of several that match, the first one answers.
// {name} is one segment, {name...} one or more.
func (rt *router) add(pattern string, r route) {
	method, path, _ := strings.Cut(pattern, " ")
	rt.endpoints = append(rt.endpoints, endpoint{
		pattern: strings.ReplaceAll(pattern, "...}", "}"), method: method,
		segments: strings.Split(strings.TrimPrefix(path, "/"), "/"), route: r,
	})
}

// Routes lists the REST endpoints as GitHub documents them.
func Routes() []string {
	var list []string
	for _, e := range routes().endpoints {
		list = append(list, e.pattern)
	}
	return list
}

// find returns the endpoint and what its placeholders stand for.
func (rt *router) find(r *http.Request) (*endpoint, map[string]string) {
	path := strings.Split(strings.Trim(r.URL.EscapedPath(), "/"), "/")
	for i, s := range path {
		if plain, err := url.PathUnescape(s); err == nil {
			path[i] = plain
		}
	}
	for i := range rt.endpoints {
		e := &rt.endpoints[i]
		if e.method != r.Method {
			continue
		}
		args := map[string]string{}
		if match(e.segments, path, args) {
			return e, args
		}
	}
	return nil, nil
}

func match(pattern, path []string, args map[string]string) bool {
	for i, p := range pattern {
		name, isArg := strings.CutPrefix(p, "{")
		name = strings.TrimSuffix(name, "}")
		if name, isRest := strings.CutSuffix(name, "..."); isRest {
			after := pattern[i+1:]
			n := len(path) - len(after)
			if n <= i || !match(after, path[n:], args) {
				return false
			}
			args[name] = strings.Join(path[i:n], "/")
			return args[name] != ""
		}
		switch {
		case i >= len(path):
			return false
		case isArg && path[i] != "":
			args[name] = path[i]
		case p != path[i]:
			return false
		}
	}
	return len(path) == len(pattern)
}
