package github_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/vcs/github"
)

// stub answers single endpoints as GitHub does, where the hub can't: what
// older servers leave out, and answers that contradict themselves. Keys are
// "METHOD /path" without query; "POST /graphql" takes every document.
type stub struct {
	mu   sync.Mutex
	seen []string
}

// start returns a client of the stub.
func (s *stub) start(t *testing.T, answers map[string]any) *github.Client {
	t.Helper()
	all := map[string]any{
		"GET /repos/acme/fleet/installation":      map[string]any{"id": 7},
		"POST /app/installations/7/access_tokens": map[string]any{"token": "ghs_x", "expires_at": "2999-01-01T00:00:00Z"},
		"GET /app":              map[string]any{"id": 99, "slug": "backout"},
		"GET /repos/acme/fleet": map[string]any{"node_id": "R_1", "default_branch": "main"},
		"GET /repos/acme/fleet/rules/branches/main": []any{},
	}
	maps.Copy(all, answers)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := r.Method + " " + strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/api"), "/v3")
		s.mu.Lock()
		s.seen = append(s.seen, key)
		s.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		switch answer := all[key].(type) {
		case nil:
			w.WriteHeader(http.StatusNotFound)
			say(w, `{"message":"Not Found"}`)
		case http.HandlerFunc:
			answer(w, r)
		case string:
			say(w, answer)
		default:
			json.NewEncoder(w).Encode(answer) //nolint:errcheck // a test's server.
		}
	}))
	t.Cleanup(srv.Close)
	key, err := appKeyPEM()
	must(t, err)
	c, err := github.New(github.Config{AppID: 99, PrivateKey: key, APIURL: srv.URL})
	must(t, err)
	return c
}

func say(w io.Writer, text string) {
	io.WriteString(w, text) //nolint:errcheck // a test's server.
}

func (s *stub) count(key string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, k := range s.seen {
		if k == key {
			n++
		}
	}
	return n
}

const classicBranch = `{"name":"main","commit":{"sha":"1111111111111111111111111111111111111111"},"protected":true,
	"protection":{"enabled":true,"required_status_checks":{"enforcement_level":"everyone","contexts":["lint"]}}}`

func TestBranchUnderClassicProtection(t *testing.T) {
	c := new(stub).start(t, map[string]any{
		"GET /repos/acme/fleet/branches/main": classicBranch,
		"POST /graphql": `{"data":{"repository":{"ref":{"refUpdateRule":{"requiredApprovingReviewCount":2,
			"requiredStatusCheckContexts":["lint","test",null],"requiresCodeOwnerReviews":true,
			"requiresConversationResolution":false,"requiresLinearHistory":true}}}}}`,
	})
	got, err := c.Branch(t.Context(), repoName, "main")
	must(t, err)
	want := bot.Branch{
		Name: "main", Head: "1111111111111111111111111111111111111111", Protected: true,
		RequiredChecks: []bot.RequiredCheck{{Name: "lint"}, {Name: "test"}}, Reviews: 2, Methods: []string{"squash", "rebase"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("branch (-want +got):\n%s", diff)
	}
}

func TestBranchWhereClassicProtectionIsNotShown(t *testing.T) {
	for name, answer := range map[string]string{
		"an older server": `{"errors":[{"message":"Field 'requiresCodeOwnerReviews' doesn't exist on type 'RefUpdateRule'"}]}`,
		"no permission":   `{"data":{"repository":{"ref":null}},"errors":[{"type":"FORBIDDEN","path":["repository","ref"],"message":"Resource not accessible by integration"}]}`,
		"nothing":         `{"data":{"repository":{"ref":{"refUpdateRule":null}}}}`,
	} {
		c := new(stub).start(t, map[string]any{"GET /repos/acme/fleet/branches/main": classicBranch, "POST /graphql": answer})
		got, err := c.Branch(t.Context(), repoName, "main")
		if err != nil || !got.Protected || len(got.RequiredChecks) != 1 || got.Reviews != 0 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	c := new(stub).start(t, map[string]any{
		"GET /repos/acme/fleet/branches/main": classicBranch,
		"POST /graphql":                       `{"data":null,"errors":[{"message":"Something went wrong while executing your query."}]}`,
	})
	_, err := c.Branch(t.Context(), repoName, "main")
	wantTrouble(t, err, bot.TroubleTransient)
}

func TestPullOfARebasedCommit(t *testing.T) {
	commit := func(sha, subject string) map[string]any {
		return map[string]any{"sha": strings.Repeat(sha, 40), "commit": map[string]any{"message": subject + "\n\nbody"}}
	}
	merged := map[string]any{
		"number": 5, "state": "closed", "merged_at": "2025-01-02T03:04:05Z", "merge_commit_sha": strings.Repeat("d", 40),
		"base": map[string]any{"ref": "main", "repo": map[string]any{"id": 1, "default_branch": "main"}},
	}
	for _, tt := range []struct {
		name   string
		landed []any
		want   bool
	}{
		{"rebased", []any{commit("d", "two"), commit("c", "one")}, true},
		{"squashed after another", []any{commit("d", "one and two"), commit("c", "other")}, false},
		{"the history is shorter", []any{commit("d", "two")}, false},
		{"rebased, but not with this commit", []any{commit("d", "two"), commit("e", "one")}, false},
	} {
		c := new(stub).start(t, map[string]any{
			"GET /repos/acme/fleet/commits/" + strings.Repeat("c", 40) + "/pulls": []any{merged},
			"GET /repos/acme/fleet/pulls/5/commits":                               []any{commit("a", "one"), commit("b", "two")},
			"GET /repos/acme/fleet/commits":                                       tt.landed,
		})
		p, ok, err := c.PullOf(t.Context(), repoName, bot.SHA(strings.Repeat("c", 40)))
		if err != nil || ok != tt.want || ok && p.Number != 5 {
			t.Errorf("%s: %+v, %v, %v", tt.name, p, ok, err)
		}
	}
}

// An older server does not say which App wrote a comment.
func TestPostWhereTheAppIsNotNamed(t *testing.T) {
	comments := []any{
		map[string]any{"id": 1, "body": marker, "user": map[string]any{"login": "backout", "type": "User"}},
		map[string]any{"id": 2, "body": marker, "user": map[string]any{"login": "other[bot]", "type": "Bot"}},
		map[string]any{"id": 3, "body": marker, "user": nil},
		map[string]any{"id": 4, "body": "x " + marker, "user": map[string]any{"login": "backout[bot]", "type": "Bot"}},
	}
	var edited string
	c := new(stub).start(t, map[string]any{
		"GET /repos/acme/fleet/issues/5/comments": comments,
		"PATCH /repos/acme/fleet/issues/comments/4": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body) //nolint:errcheck // a test's server.
			edited = string(body)
			say(w, `{"id":4}`)
		}),
	})
	id, err := c.Post(t.Context(), post(5, "Done."))
	must(t, err)
	if id != 4 || !strings.Contains(edited, "Done.") {
		t.Errorf("comment %d, edited to %q; want 4", id, edited)
	}
}

func TestPostOnALockedConversation(t *testing.T) {
	c := new(stub).start(t, map[string]any{
		"GET /repos/acme/fleet/issues/5/comments": []any{},
		"POST /repos/acme/fleet/issues/5/comments": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			say(w, `{"message":"Unable to create comment because issue is locked."}`)
		}),
	})
	_, err := c.Post(t.Context(), post(5, "Done."))
	wantTrouble(t, err, bot.TroubleForbidden, "locked", "unlock")
}

// A merge that answers nonsense is looked up, and never taken for done.
func TestMergeWithAnAnswerThatIsCutShort(t *testing.T) {
	head := strings.Repeat("a", 40)
	gate := `{"data":{"repository":{"pullRequest":{"number":5,"state":"%s","merged":%v,"mergeCommit":%s,"headRefOid":"` + head + `"}}}}`
	for name, tt := range map[string]struct {
		gate string
		want bool
		kind bot.TroubleKind
	}{
		"merged":            {fmt.Sprintf(gate, "MERGED", true, `{"oid":"`+strings.Repeat("b", 40)+`"}`), true, ""},
		"not merged":        {fmt.Sprintf(gate, "OPEN", false, "null"), false, bot.TroubleTransient},
		"merged, unnamed":   {fmt.Sprintf(gate, "MERGED", true, "null"), false, bot.TroubleTransient},
		"nobody can say so": {`{"data":nul`, false, bot.TroubleTransient},
	} {
		for _, answer := range []string{`{"sha":"bbb`, `{}`, `{"merged":true}`} {
			c := new(stub).start(t, map[string]any{"PUT /repos/acme/fleet/pulls/5/merge": answer, "POST /graphql": tt.gate})
			got, err := c.Merge(t.Context(), bot.MergeRequest{Repo: repoName, Number: 5, Head: bot.SHA(head), Method: "merge"})
			if got.Merged != tt.want || tt.kind == "" && err != nil || tt.kind != "" && !bot.IsTrouble(err, tt.kind) {
				t.Errorf("%s after %q: %+v, %v", name, answer, got, err)
			}
		}
	}
}

func TestNodeIDIsReadOnce(t *testing.T) {
	s := new(stub)
	c := s.start(t, nil)
	for range 3 {
		must(t, c.Warm(t.Context(), repoName))
	}
	if n := s.count("GET /repos/acme/fleet"); n != 1 {
		t.Errorf("the repository was read %d times", n)
	}
}
