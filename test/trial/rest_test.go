package trial

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"github.com/backout-dev/backout/test/fakehub"
)

// api is GitHub's description of its REST API.
type api struct {
	// narrow takes arguments of one segment, wide any where GitHub does.
	narrow, wide routers.Router
	// plain is the documented form of a widened path.
	plain map[string]string
	// refusal is the form that errors have.
	refusal *openapi3.Schema
	found   map[string]*found
}

type found struct {
	route *routers.Route
	args  map[string]string
	err   error
}

// rest loads the description once: that takes seconds.
var rest = sync.OnceValues(func() (*api, error) {
	body, err := published("openapi/generated/api.github.com.json")
	if err != nil {
		return nil, err
	}
	loader := openapi3.NewLoader()
	doc, err := loader.LoadFromData(body)
	if err != nil {
		return nil, fmt.Errorf("load GitHub's description: %w", err)
	}
	basic := doc.Components.Schemas["basic-error"]
	if basic == nil {
		return nil, errors.New("GitHub's description has no basic-error")
	}
	a := &api{refusal: basic.Value, plain: map[string]string{}, found: map[string]*found{}}
	doc.Servers = openapi3.Servers{{URL: "https://api.github.com"}}
	if a.narrow, err = gorillamux.NewRouter(doc); err != nil {
		return nil, err
	}
	wide := *doc
	wide.Paths = openapi3.NewPaths()
	for path, item := range doc.Paths.Map() {
		wide.Paths.Set(widen(path), item)
		a.plain[widen(path)] = path
	}
	a.wide, err = gorillamux.NewRouter(&wide)
	return a, err
})

var slashed = regexp.MustCompile(`\{(ref|path|basehead|branch)\}`)

// widen lets arguments hold slashes that do so at GitHub.
func widen(path string) string { return slashed.ReplaceAllString(path, "{$1:.+}") }

// find gives the documented operation of a request.
func (a *api) find(r *http.Request) (*found, string) {
	key := r.Method + " " + r.URL.Path
	f := a.found[key]
	if f == nil {
		f = &found{}
		if f.route, f.args, f.err = a.narrow.FindRoute(r); f.err != nil {
			f.route, f.args, f.err = a.wide.FindRoute(r)
		}
		a.found[key] = f
	}
	if f.err != nil {
		return f, ""
	}
	path := f.route.Path
	if p, ok := a.plain[path]; ok {
		path = p
	}
	return f, f.route.Method + " " + path
}

// ours tells whether a request was made by Backout's client.
func ours(agent string) bool { return strings.HasPrefix(agent, "backout") }

// rest judges one exchange of the REST API.
func (c *court) rest(x fakehub.Record) {
	c.count.exchanges++
	c.routes[x.Route]++
	r, err := http.NewRequest(x.Method, "https://api.github.com"+x.Path+"?"+x.Query, strings.NewReader(x.Body))
	if err != nil {
		c.object(x.Method+" "+x.Path, "request", err.Error(), x.Body)
		return
	}
	if x.Type != "" {
		r.Header.Set("Content-Type", x.Type)
	}
	f, op := c.api.find(r)
	switch {
	case f.err != nil && x.Route == "" && x.Status >= 400 && !ours(x.Agent):
		c.count.nowhere++
		return
	case f.err != nil:
		c.object(x.Method+" "+x.Path, "route", f.err.Error(), x.Route)
		return
	case x.Route == "":
		c.object(op, "route", "fakehub does not have it", x.Path)
		return
	case x.Route != op:
		c.object(op, "route", "fakehub takes it for "+x.Route, x.Path)
		return
	}
	c.operations[op]++
	in := &openapi3filter.RequestValidationInput{
		Request: r, PathParams: f.args, Route: f.route, Options: &openapi3filter.Options{
			MultiError: true, IncludeResponseStatus: true, RejectWhenRequestBodyNotSpecified: true, SkipSettingDefaults: true,
			AuthenticationFunc: openapi3filter.NoopAuthenticationFunc,
		},
	}
	// A refused request need not fit; one of ours always.
	if x.Status < 400 || ours(x.Agent) {
		c.count.requests++
		part := "request"
		if ours(x.Agent) {
			part = "our request" // to which no allowance for others applies
		}
		c.report(op, part, openapi3filter.ValidateRequest(context.Background(), in), x.Body)
		if b := f.route.Operation.RequestBody; b != nil {
			c.unknown(op, part, schemaOf(b.Value.Content), x.Body)
		}
	}
	if x.Injected || x.Status == 0 {
		c.count.injected++
		return
	}
	c.count.answers++
	if listed := f.route.Operation.Responses.Status(x.Status); listed != nil {
		c.unknown(op, fmt.Sprintf("answer %d", x.Status), schemaOf(listed.Value.Content), x.Response)
	} else if x.Status >= 400 {
		c.refusal(op, x)
	}
	c.report(op, fmt.Sprintf("answer %d", x.Status), openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: x.Status, Header: http.Header{"Content-Type": {x.ResponseType}},
		Body: io.NopCloser(bytes.NewReader([]byte(x.Response))), Options: in.Options,
	}), x.Response)
}

// refusal judges the body of a refusal that the operation does not list: it is
// the one that all have in common.
func (c *court) refusal(op string, x fakehub.Record) {
	var body any
	err := json.Unmarshal([]byte(x.Response), &body)
	if err == nil {
		err = c.api.refusal.VisitJSON(body, openapi3.MultiErrors())
	}
	if o, _ := body.(map[string]any); err == nil && (o["message"] == nil || o["documentation_url"] == nil) {
		err = errors.New("it has no message or no documentation_url")
	}
	c.report(op, fmt.Sprintf("refusal %d", x.Status), err, x.Response)
}

// report objects to each thing that a validation found.
func (c *court) report(op, part string, err error, body string) {
	if err == nil {
		return
	}
	var many openapi3.MultiError
	var schema *openapi3.SchemaError
	var request *openapi3filter.RequestError
	var answer *openapi3filter.ResponseError
	switch {
	case errors.As(err, &request) && request.Err != nil && request.Parameter == nil:
		c.report(op, part, request.Err, body)
	case errors.As(err, &answer) && answer.Err != nil:
		c.report(op, part, answer.Err, body)
	case errors.As(err, &many):
		for _, e := range many {
			c.report(op, part, e, body)
		}
	case errors.As(err, &schema):
		c.object(op, part, pointer(schema.JSONPointer())+" "+schema.SchemaField+": "+schema.Reason, body)
	default:
		c.object(op, part, err.Error(), body)
	}
}

var index = regexp.MustCompile(`^[0-9]+$`)

// pointer names a place in a body; all items of a list are one place.
func pointer(parts []string) string {
	parts = slices.Clone(parts)
	for i, p := range parts {
		if index.MatchString(p) {
			parts[i] = "*"
		}
	}
	return "/" + strings.Join(parts, "/")
}
