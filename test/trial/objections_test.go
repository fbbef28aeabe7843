package trial

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/backout-dev/backout/test/fakehub"
)

// TestTheCourtObjects shows the court what must not pass: a judge that lets
// everything through would find fakehub flawless.
func TestTheCourtObjects(t *testing.T) {
	const comment = "/repos/acme/fleet/issues/1/comments"
	said := fakehub.Record{
		Kind: "rest", Method: "POST", Path: comment, Route: "POST /repos/{owner}/{repo}/issues/{issue_number}/comments",
		Type: "application/json", ResponseType: "application/json", Agent: "backout", Body: `{"body": "x"}`, Status: 404, Response: refused,
	}
	asked := fakehub.Record{
		Kind: "graphql", Agent: "backout", Status: 200, Body: graph(`{ viewer { login } }`), Response: `{"data": {"viewer": {"login": "ann"}}}`,
	}
	tests := []struct {
		name   string
		record fakehub.Record
		change func(*fakehub.Record)
		want   string // "" where there is nothing to object to
	}{
		{"a refusal", said, func(*fakehub.Record) {}, ""},
		{"a path that GitHub does not have", said, func(x *fakehub.Record) { x.Path = comment + "/all" }, "no matching operation"},
		{"an endpoint that fakehub does not have", said, func(x *fakehub.Record) { x.Route = "" }, "fakehub does not have it"},
		{"an endpoint taken for another", said, func(x *fakehub.Record) { x.Route = "POST /repos/{owner}/{repo}/issues" }, "takes it for"},
		{"a request without a field", said, func(x *fakehub.Record) { x.Body = `{}` }, "request | /body required"},
		{"a request of another type", said, func(x *fakehub.Record) { x.Body = `{"body": 1}` }, "request | /body type"},
		{"a request with a field of its own", said, func(x *fakehub.Record) { x.Body = `{"body": "x", "pinned": true}` }, "/pinned is not described"},
		{"a bad request of somebody else, refused", said, func(x *fakehub.Record) { x.Body, x.Agent = `{}`, "curl" }, ""},
		{"a status that GitHub does not give", said, func(x *fakehub.Record) { x.Status = 418 }, "answer 418 | status is not supported"},
		{"an answer without fields", said, func(x *fakehub.Record) { x.Status, x.Response = 201, `{"id": 1}` }, "answer 201 | /html_url required"},
		{"an answer with a field of its own", said, func(x *fakehub.Record) { x.Response = `{"message": "x", "documentation_url": "y", "mood": "bad"}` }, "/mood is not described"},
		{"an answer that a fault made up", said, func(x *fakehub.Record) { x.Status, x.Response, x.Injected = 418, "teapot", true }, ""},
		{"a refusal in another form", said, func(x *fakehub.Record) { x.Status, x.Response = 401, `{"error": "x"}` }, "refusal 401"},
		{"a document and its answer", asked, func(*fakehub.Record) {}, ""},
		{"a document with an unknown field", asked, func(x *fakehub.Record) { x.Body = graph(`{ viewer { shoeSize } }`) }, `Cannot query field "shoeSize"`},
		{"a refused one of somebody else", asked, func(x *fakehub.Record) {
			x.Body, x.Agent, x.Response = graph(`{ viewer { shoeSize } }`), "curl", `{"errors": []}`
		}, ""},
		{"a variable of another type", asked, func(x *fakehub.Record) {
			x.Body = `{"query": "query($id: ID!) { node(id: $id) { id } }", "variables": {}}`
		}, "variables"},
		{"null where there must be a value", asked, func(x *fakehub.Record) { x.Response = `{"data": {"viewer": {"login": null}}}` }, "User.login is null"},
		{"a value of another type", asked, func(x *fakehub.Record) { x.Response = `{"data": {"viewer": {"login": 1}}}` }, "User.login is no String"},
		{"a field that is not answered", asked, func(x *fakehub.Record) { x.Response = `{"data": {"viewer": {}}}` }, "User.login is not there"},
		{"a word that an enumeration lacks", asked, func(x *fakehub.Record) {
			x.Body = graph(`{ repository(owner: \"a\", name: \"b\") { pullRequest(number: 1) { mergeable } } }`)
			x.Response = `{"data": {"repository": {"pullRequest": {"mergeable": "MAYBE"}}}}`
		}, "MergeableState does not have"},
		{"a wrong value in a fragment", asked, func(x *fakehub.Record) {
			x.Body = graph(`{ node(id: \"a\") { ... on PullRequest { number } ... on Issue { title } } }`)
			x.Response = `{"data": {"node": {"number": "one"}}}`
		}, "PullRequest.number is no Int"},
		{"a webhook that GitHub does not send", fakehub.Record{Kind: "webhook", Event: "issue_comment", Action: "shouted", Payload: "{}"}, func(*fakehub.Record) {}, "no such webhook"},
		{"a webhook without fields and headers", fakehub.Record{Kind: "webhook", Event: "push", Payload: "{}"}, func(*fakehub.Record) {}, "missing properties"},
		{"a webhook without a signature", fakehub.Record{Kind: "webhook", Event: "push", Payload: "{}"}, func(*fakehub.Record) {}, "X-Hub-Signature-256 is missing"},
		{"a webhook with a field of its own", fakehub.Record{Kind: "webhook", Event: "push", Payload: `{"mood": "bad"}`}, func(*fakehub.Record) {}, "/mood is not described"},
		{"a record of nothing", fakehub.Record{}, func(*fakehub.Record) {}, "nobody judges"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newCourt(t)
			tt.change(&tt.record)
			c.hear(tt.record)
			got := slices.Sorted(maps.Keys(c.objections))
			found := slices.ContainsFunc(got, func(key string) bool { return strings.Contains(key, tt.want) })
			if tt.want == "" && len(got) != 0 || tt.want != "" && !found {
				t.Errorf("objections %q, want one with %q", got, tt.want)
			}
		})
	}
}

// TestAllowancesAreNeeded lets nothing else through, and none that is idle.
func TestAllowancesAreNeeded(t *testing.T) {
	list := allowances()
	if !allow(list, "GET /repos/{owner}/{repo} | answer 401 | status is not supported", 2) || allow(list, "GET /repos/{owner}/{repo} | answer 500 | status is not supported", 1) {
		t.Error("401 is allowed, 500 is not")
	}
	used := 0
	for _, a := range list {
		used += a.times
		if a.why == "" {
			t.Errorf("%s has no reason", a.pattern)
		}
	}
	if used != 2 {
		t.Errorf("used %d times", used)
	}
}

const refused = `{"message": "Not Found", "documentation_url": "https://docs.github.com/rest", "status": "404"}`

func graph(doc string) string { return `{"query": "` + doc + `"}` }
