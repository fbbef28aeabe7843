package fakehub

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
)

// everything selects all fields of a type, down to a depth: a document that
// shows whether the schema promises more than the executor answers.
func everything(schema *ast.Schema, kind string, depth int) string {
	def := schema.Types[kind]
	var b strings.Builder
	b.WriteString("{ __typename ")
	switch def.Kind {
	case ast.Union, ast.Interface:
		for _, t := range schema.GetPossibleTypes(def) {
			fmt.Fprintf(&b, "... on %s %s ", t.Name, everything(schema, t.Name, depth))
		}
	default:
		for _, f := range def.Fields {
			if strings.HasPrefix(f.Name, "__") {
				continue
			}
			inner := schema.Types[f.Type.Name()]
			composite := inner.IsCompositeType()
			// A connection is no level of its own.
			next := depth
			if !strings.HasSuffix(kind, "Connection") {
				next--
			}
			if composite && next < 0 {
				continue
			}
			// An alias for each type, since unions merge their fields.
			fmt.Fprintf(&b, "%s_%s: %s%s ", kind, f.Name, f.Name, arguments(f))
			if composite {
				b.WriteString(everything(schema, f.Type.Name(), next) + " ")
			}
		}
	}
	return b.String() + "}"
}

// arguments gives what a field can't do without.
func arguments(f *ast.FieldDefinition) string {
	values := map[string]string{
		"first": "1", "number": "1", "qualifiedName": `"main"`, "expression": `"main:apps/web.yaml"`,
		"path": `"apps/web.yaml"`, "pullRequestNumber": "1", "owner": `"acme"`, "name": `"fleet"`,
	}
	var list []string
	for _, a := range f.Arguments {
		if v, ok := values[a.Name]; ok {
			list = append(list, a.Name+": "+v)
		}
	}
	if len(list) == 0 {
		return ""
	}
	return "(" + strings.Join(list, ", ") + ")"
}

// TestSchemaIsAnswered asks for every field that schema.graphql promises.
func TestSchemaIsAnswered(t *testing.T) {
	hub, err := New(Options{Dir: t.TempDir(), Lag: Lag{Reads: -1}})
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(err)
	t.Cleanup(func() { check(hub.Close()) })
	r, err := hub.CreateRepo("acme/fleet", RepoOptions{AllowAutoMerge: true, Files: map[string]string{"apps/web.yaml": "a\n"}})
	check(err)
	for who, role := range map[string]string{"ann": "write", "bob": "write", "root": "admin"} {
		check(r.Grant(who, role))
	}
	pr, err := r.OpenPR("ann", "Change", "topic", "main", map[string]*string{"apps/web.yaml": new("b\n")})
	check(err)
	issue := r.OpenIssue("ann", "It broke", "")
	id, err := r.Comment(pr.Number, "ann", "hi")
	check(err)
	check(r.Label(pr.Number, "revert"))
	check(r.Review(pr.Number, "bob", "COMMENT", "nice"))
	check(r.SetCheck(pr.HeadSHA, "ci", "failure", nil))
	check(r.SetStatus(pr.HeadSHA, "old", "success", "ann"))
	r.Protect("main", Protection{RequiredChecks: []RequiredCheck{{Context: "ci"}}, Approvals: 1})
	hub.lock()
	p := r.pull(pr.Number)
	p.body = fmt.Sprintf("Fixes #%d", issue)
	p.requested = append(p.requested, hub.person("bob"))
	p.queued = &queueEntry{id: 7, by: p.author, at: stamp(hub.now())}
	r.comments[id].react(p.author, "eyes")
	check(r.armAutoMerge(p.author, p, autoMerge{method: "merge"}))
	hub.unlock()

	// Issues and pull requests share numbers: one of the two fields of
	// Repository always fails, so each is asked on its own.
	for name, doc := range map[string]string{
		"viewer":      "{ viewer " + everything(hub.schema, "User", 2) + " rateLimit " + everything(hub.schema, "RateLimit", 1) + " }",
		"pull":        `{ repository(owner: "acme", name: "fleet") { pullRequest(number: 1) ` + everything(hub.schema, "PullRequest", 3) + "} }",
		"issue":       `{ repository(owner: "acme", name: "fleet") { issue(number: 2) ` + everything(hub.schema, "Issue", 1) + "} }",
		"pulls":       `{ repository(owner: "acme", name: "fleet") { pullRequests(first: 5, states: [OPEN], headRefName: "topic") ` + everything(hub.schema, "PullRequestConnection", 1) + "} }",
		"branch":      `{ repository(owner: "acme", name: "fleet") { ref(qualifiedName: "topic") ` + everything(hub.schema, "Ref", 2) + "} }",
		"commit":      `{ repository(owner: "acme", name: "fleet") { object(expression: "topic") ` + everything(hub.schema, "GitObject", 3) + "} }",
		"tree":        `{ repository(owner: "acme", name: "fleet") { object(expression: "topic:apps") ` + everything(hub.schema, "GitObject", 2) + "} }",
		"blob":        `{ repository(owner: "acme", name: "fleet") { object(expression: "topic:apps/web.yaml") ` + everything(hub.schema, "GitObject", 1) + "} }",
		"node":        fmt.Sprintf(`{ node(id: %q) %s }`, r.Comments(1)[0].NodeID, everything(hub.schema, "Node", 1)),
		"repository":  `{ repository(owner: "acme", name: "fleet") { ` + strings.Join(scalars(hub.schema, "Repository"), " ") + " } }",
		"node, label": fmt.Sprintf(`{ node(id: %q) { ... on PullRequest { labels(first: 1) { nodes { id name } } } } }`, pr.NodeID),
	} {
		body, err := json.Marshal(obj{"query": doc})
		check(err)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, hub.GraphQLURL(), bytes.NewReader(body))
		check(err)
		req.Header.Set("Authorization", "bearer "+hub.User("root").Token)
		res, err := http.DefaultClient.Do(req)
		check(err)
		var out struct {
			Data   any
			Errors []struct {
				Message string
				Path    []any
			}
		}
		check(json.NewDecoder(res.Body).Decode(&out))
		check(res.Body.Close())
		for _, e := range out.Errors {
			// An issue number in the pull request's place, reached in depth.
			if !strings.HasPrefix(e.Message, "Could not resolve to an Issue") {
				t.Errorf("%s: %v: %s", name, e.Path, e.Message)
			}
		}
		if out.Data == nil {
			t.Errorf("%s: no data", name)
		}
	}
}

func scalars(schema *ast.Schema, kind string) []string {
	var list []string
	for _, f := range schema.Types[kind].Fields {
		if !schema.Types[f.Type.Name()].IsCompositeType() {
			list = append(list, f.Name)
		}
	}
	return list
}

// TestPayloadsAreAnswered has a mutation for every field of Mutation, and a
// payload type for every mutation.
func TestPayloadsAreAnswered(t *testing.T) {
	schema, err := loadSchema()
	if err != nil {
		t.Fatal(err)
	}
	have := (&execution{}).mutations()
	for _, f := range schema.Mutation.Fields {
		if have[f.Name] == nil && !strings.HasPrefix(f.Name, "__") {
			t.Errorf("nobody does %s", f.Name)
		}
		if want := strings.ToUpper(f.Name[:1]) + f.Name[1:] + "Payload"; f.Type.Name() != want && !strings.HasPrefix(f.Name, "__") {
			t.Errorf("%s returns %s", f.Name, f.Type.Name())
		}
	}
	queries := (&execution{}).queries()
	for _, f := range schema.Query.Fields {
		if queries[f.Name] == nil && !strings.HasPrefix(f.Name, "__") {
			t.Errorf("nobody answers %s", f.Name)
		}
	}
}
