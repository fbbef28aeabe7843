package trial

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/backout-dev/backout/test/fakehub"
)

// part is the schema that fakehub answers.
func part(t *testing.T) *ast.Schema {
	t.Helper()
	source, err := os.ReadFile("../fakehub/schema.graphql")
	must(t, err)
	s, err := gqlparser.LoadSchema(&ast.Source{Name: "schema.graphql", Input: string(source)})
	must(t, err)
	return s
}

// talkGraphQL does every mutation that fakehub has, in an order in which each
// succeeds, and asks for every field of what it changed.
func talkGraphQL(t *testing.T) {
	s, schema := newScene(t), part(t)
	all := func(kind string, depth int) string { return everyField(schema, kind, depth) }
	// do runs one mutation and gives a field of its payload, of which it asks
	// for more.
	do := func(name, input, want, more string) string {
		t.Helper()
		path := strings.Split(want, ".")
		doc := strings.Join(path, " { ") + strings.Repeat(" }", len(path)-1)
		if more != "" {
			doc += " " + path[0] + " " + more
		}
		return s.bot.ask("mutation { " + name + "(input: {" + input + "}) { " + doc + " } }").text("data." + name + "." + want)
	}
	read := func(fields string) answer {
		t.Helper()
		return s.bot.ask(`{ repository(owner: "acme", name: "fleet") { id ` + fields + ` } }`)
	}
	home, base := read("").text("data.repository.id"), s.repo.Head("main")
	bob := s.bot.say(200, "GET /users/bob", "").text("node_id")

	ref := do("createRef", fmt.Sprintf(`repositoryId: %q, name: "refs/heads/bot/a", oid: %q`, home, base), "ref.id", all("Ref", 1))
	head := do("createCommitOnBranch", fmt.Sprintf(`branch: {repositoryNameWithOwner: "acme/fleet", branchName: "bot/a"}, expectedHeadOid: %q,
		message: {headline: "Roll out web 2"}, fileChanges: {additions: [{path: "apps/web.yaml", contents: "aW1hZ2U6IHdlYjoyCg=="}]}`, base), "commit.oid", all("Commit", 1))
	pr := do("createPullRequest", fmt.Sprintf(`repositoryId: %q, baseRefName: "main", headRefName: "bot/a", title: "Roll out web 2", body: "x"`, home), "pullRequest.id", all("PullRequest", 1))
	of := fmt.Sprintf("pullRequestId: %q", pr)
	do("updatePullRequest", of+`, title: "Roll out web two"`, "pullRequest.title", "")
	do("requestReviews", of+fmt.Sprintf(`, userIds: [%q], union: true`, bob), "pullRequest.id", "")
	comment := do("addComment", fmt.Sprintf(`subjectId: %q, body: "hello"`, pr), "commentEdge.node.id", all("IssueCommentEdge", 2))
	do("updateIssueComment", fmt.Sprintf(`id: %q, body: "hello again"`, comment), "issueComment.body", "")
	do("addReaction", fmt.Sprintf(`subjectId: %q, content: EYES`, comment), "reaction.id", all("Reaction", 1))
	must(t, s.repo.SetCheck(head, "ci", "success", nil))
	must(t, s.repo.SetStatus(head, "old", "success", "ann"))
	must(t, s.repo.Review(1, "ann", "APPROVE", "fine"))
	read("pullRequest(number: 1) " + all("PullRequest", 3))
	read(`object(expression: "bot/a") ` + all("GitObject", 3))
	read(`tree: object(expression: "bot/a:apps") ` + all("GitObject", 2) + ` blob: object(expression: "bot/a:apps/web.yaml") ` + all("GitObject", 1))
	s.bot.ask(fmt.Sprintf("{ viewer %s rateLimit %s node(id: %q) %s }", all("User", 0), all("RateLimit", 0), comment, all("Node", 1)))
	do("deleteIssueComment", fmt.Sprintf("id: %q", comment), "clientMutationId", "")

	// Auto-merge waits for a check that nobody reports.
	s.repo.Protect("main", fakehub.Protection{RequiredChecks: []fakehub.RequiredCheck{{Context: "late"}}})
	do("enablePullRequestAutoMerge", of+", mergeMethod: SQUASH", "pullRequest.id", "{ autoMergeRequest "+all("AutoMergeRequest", 0)+" }")
	do("disablePullRequestAutoMerge", of, "pullRequest.id", "")
	s.repo.Protect("main", fakehub.Protection{MergeQueue: true})
	do("enqueuePullRequest", of, "mergeQueueEntry.id", all("MergeQueueEntry", 1))
	do("dequeuePullRequest", fmt.Sprintf("id: %q", pr), "mergeQueueEntry.id", "")
	s.repo.Unprotect("main")

	_, err := s.repo.Commit("main", "ann", "Tidy", map[string]*string{"README.md": fakehub.Text("# the fleet\n")})
	must(t, err)
	do("updatePullRequestBranch", of+fmt.Sprintf(`, expectedHeadOid: %q`, head), "pullRequest.headRefOid", "")
	if merge := do("mergePullRequest", of+`, mergeMethod: SQUASH, commitHeadline: "Roll out web 2 (#1)"`, "pullRequest.mergeCommit.oid", all("PullRequest", 1)); merge != s.repo.Head("main") {
		t.Errorf("merged as %q, main is at %q", merge, s.repo.Head("main"))
	}
	do("updateRef", fmt.Sprintf(`refId: %q, oid: %q, force: true`, ref, base), "ref.name", "")
	_, err = s.repo.OpenPR("ann", "Another", "another", "main", map[string]*string{"README.md": fakehub.Text("# fleet 2\n")})
	must(t, err)
	second := read("pullRequest(number: 2) { id }").text("data.repository.pullRequest.id")
	if state := do("closePullRequest", fmt.Sprintf("pullRequestId: %q", second), "pullRequest.state", ""); state != "CLOSED" {
		t.Errorf("closed it is %s", state)
	}
	do("deleteRef", fmt.Sprintf("refId: %q", ref), "clientMutationId", "")
	must(t, s.hub.Flush(t.Context()))
}

// ask sends a GraphQL document, which must be answered without errors.
func (s *speaker) ask(doc string) answer {
	s.t.Helper()
	body, err := json.Marshal(map[string]any{"query": doc})
	must(s.t, err)
	was := s.base
	defer func() { s.base = was }()
	s.base = strings.TrimSuffix(was, "/v3")
	a := s.say(200, "POST /graphql", string(body))
	if m, _ := a.v.(map[string]any); m["errors"] != nil {
		raw, _ := json.Marshal(m["errors"]) //nolint:errchkjson // it came as JSON.
		s.t.Errorf("%.200s: %s", strings.Join(strings.Fields(doc), " "), raw)
	}
	return a
}

// everyField selects all fields of a type, and of what they lead to down to a
// depth.
func everyField(schema *ast.Schema, kind string, depth int) string {
	def := schema.Types[kind]
	var b strings.Builder
	b.WriteString("{ __typename ")
	if def.Kind == ast.Union || def.Kind == ast.Interface {
		for _, t := range schema.GetPossibleTypes(def) {
			fmt.Fprintf(&b, "... on %s %s ", t.Name, everyField(schema, t.Name, depth))
		}
		return b.String() + "}"
	}
	for _, f := range def.Fields {
		inner := schema.Types[f.Type.Name()]
		next := depth
		if !strings.HasSuffix(kind, "Connection") { // which is no level of its own
			next--
		}
		// Issues and pull requests share numbers, and 1 is a pull request.
		if f.Name == "issue" && kind == "Repository" {
			continue
		}
		if strings.HasPrefix(f.Name, "__") || inner.IsCompositeType() && next < 0 {
			continue
		}
		// An alias for each type, since fields of a union must merge.
		fmt.Fprintf(&b, "%s_%s: %s%s ", kind, f.Name, f.Name, needed(f))
		if inner.IsCompositeType() {
			b.WriteString(everyField(schema, f.Type.Name(), next))
		}
	}
	return b.String() + "}"
}

// needed gives the arguments without which a field fails.
func needed(f *ast.FieldDefinition) string {
	values := map[string]string{
		"first": "1", "number": "1", "qualifiedName": `"main"`, "expression": `"main:apps/web.yaml"`,
		"path": `"apps/web.yaml"`, "pullRequestNumber": "1",
	}
	var list []string
	for _, a := range f.Arguments {
		if v := values[a.Name]; v != "" {
			list = append(list, a.Name+": "+v)
		}
	}
	if len(list) == 0 {
		return ""
	}
	return "(" + strings.Join(list, ", ") + ")"
}
