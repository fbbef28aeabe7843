package github_test

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/test/fakehub"
)

const (
	rulesetRoute = "GET /repos/{owner}/{repo}/rulesets/{ruleset_id}"
	rulesRoute   = "GET /repos/{owner}/{repo}/rules/branches/{branch}"
)

func (w *world) branch() bot.Branch {
	w.Helper()
	b, err := w.client.Branch(w.Context(), repoName, "main")
	must(w.T, err)
	return b
}

// Each required check comes with its source, from all three places, once.
func TestBranchNamesTheSourceOfChecks(t *testing.T) {
	w := newWorld(t, nil)
	ci, err := w.hub.CreateApp(fakehub.AppOptions{Slug: "ci"})
	must(t, err)
	w.repo.Protect("main", fakehub.Protection{RequiredChecks: []fakehub.RequiredCheck{
		{Context: "lint"}, {Context: "build"}, {Context: "test", App: ci},
	}})
	w.repo.AddRuleset("main", fakehub.Protection{RequiredChecks: []fakehub.RequiredCheck{
		{Context: "lint", App: ci}, {Context: "test"}, {Context: "sign", App: w.app}, {Context: "sign", App: ci},
	}})
	want := []bot.RequiredCheck{
		{Name: "build"}, {Name: "lint", App: ci.ID()}, {Name: "sign", App: w.app.ID()}, {Name: "sign", App: ci.ID()}, {Name: "test", App: ci.ID()},
	}
	if diff := cmp.Diff(want, w.branch().RequiredChecks, cmpopts.SortSlices(func(a, b bot.RequiredCheck) bool {
		return a.Name < b.Name || a.Name == b.Name && a.App < b.App
	})); diff != "" {
		t.Errorf("required checks (-want +got):\n%s", diff)
	}
}

// A check of the right name by another App leaves the gate blocked, and what
// the gate shows says so: it is not the required one.
func TestGateTellsTheSourceOfAChecks(t *testing.T) {
	w, p := opened(t)
	w.hub.SetLag(fakehub.Lag{Reads: -1})
	ci, err := w.hub.CreateApp(fakehub.AppOptions{Slug: "ci"})
	must(t, err)
	w.repo.Protect("main", fakehub.Protection{Ruleset: true, RequiredChecks: []fakehub.RequiredCheck{{Context: "test", App: ci}}})
	met := func(want string) {
		t.Helper()
		g, err := w.client.Gate(t.Context(), repoName, p.Number)
		must(t, err)
		passed := 0
		for _, c := range g.Checks {
			if w.branch().RequiredChecks[0].By(c) && c.Passed {
				passed++
			}
		}
		if g.State != want || passed > 0 != (want == "CLEAN") {
			t.Errorf("gate %+v with %d passed, want it %s", g, passed, want)
		}
	}
	must(t, w.repo.SetCheck(string(p.Head), "test", "success", nil))
	met("BLOCKED")
	must(t, w.repo.SetCheck(string(p.Head), "test", "success", ci))
	met("CLEAN")
}

func TestBranchWithAClassicQueue(t *testing.T) {
	w := newWorld(t, nil)
	w.repo.Protect("main", fakehub.Protection{MergeQueue: true, LinearHistory: true, CodeOwners: []string{"ann"}})
	if b := w.branch(); !b.MergeQueue || !b.Protected || !cmp.Equal(b.Methods, []string{"squash", "rebase"}) {
		t.Errorf("branch %+v", b)
	}
	perms := fakehub.DefaultPermissions()
	delete(perms, "merge_queues")
	w.app.SetPermissions(perms)
	w.client = w.newClient(nil)
	if b := w.branch(); b.MergeQueue || !b.Protected {
		t.Errorf("without the permission to see queues, branch %+v", b)
	}
}

func TestBranchThatWeMayBypass(t *testing.T) {
	rule := fakehub.Protection{Approvals: 1, Name: "main is \x1b[1mreviewed"}
	for _, tt := range []struct {
		name  string
		world func(*world)
		want  string
	}{
		{"nothing", func(*world) {}, ""},
		{"a ruleset that binds us", func(w *world) { w.repo.AddRuleset("main", rule) }, ""},
		{"one that others may bypass", func(w *world) { rule := rule; rule.Bypass = []string{"ann"}; w.repo.AddRuleset("main", rule) }, ""},
		{"always", func(w *world) { rule := rule; rule.Bypass = []string{"backout"}; w.repo.AddRuleset("main", rule) }, `ruleset "main is [1mreviewed"`},
		{"by pull requests only", func(w *world) {
			rule := rule
			rule.Bypass, rule.BypassMode = []string{"backout"}, "pull_requests_only"
			w.repo.AddRuleset("main", rule)
		}, `ruleset "main is [1mreviewed"`},
		{"exempt, one of several", func(w *world) {
			w.repo.AddRuleset("main", rule)
			w.repo.AddRuleset("main", fakehub.Protection{MergeQueue: true, Name: "queue", Bypass: []string{"backout"}, BypassMode: "exempt"})
		}, `ruleset "queue"`},
		{"one that no merge can break", func(w *world) {
			w.repo.AddRuleset("main", fakehub.Protection{Name: "keep", Bypass: []string{"backout"}})
		}, ""},
		{"one that is not shown to us", func(w *world) {
			rule := rule
			rule.Bypass = []string{"backout"}
			w.repo.AddRuleset("main", rule)
			w.hub.Fail(fakehub.Fault{Match: fakehub.MatchRoute(rulesetRoute), Status: http.StatusNotFound})
		}, ""},
		{"one that is forbidden to us", func(w *world) {
			w.repo.AddRuleset("main", rule)
			w.hub.Fail(fakehub.Fault{
				Match: fakehub.MatchRoute(rulesetRoute), Status: http.StatusForbidden, Body: `{"message":"Resource not accessible by integration"}`,
			})
		}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, nil)
			tt.world(w)
			if got := w.branch().Bypass; got != tt.want {
				t.Errorf("bypass %q, want %q", got, tt.want)
			}
		})
	}
}

// A limit is no answer: what can't be read now must not count as unknown.
// Limits come with the same status as a lack of rights, in more than one form.
func TestBranchWhileWeAreLimited(t *testing.T) {
	for name, fault := range map[string]fakehub.Fault{
		"secondary": {}, "told by its header": {Body: `{"message":"Slow down"}`, RetryAfter: time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			w.repo.AddRuleset("main", fakehub.Protection{Approvals: 1, Bypass: []string{"backout"}})
			fault.Match, fault.Status, fault.Times = fakehub.MatchRoute(rulesetRoute), http.StatusForbidden, -1
			w.hub.Fail(fault)
			_, err := w.client.Branch(t.Context(), repoName, "main")
			wantTrouble(t, err, bot.TroubleTransient)
		})
	}
}

// However many rulesets there are, no more than two requests are in sequence,
// and each ruleset is asked for once. Each wave is answered only when all of it
// has been asked: read one by one, it would never end.
func TestBranchIsReadInParallel(t *testing.T) {
	w := newWorld(t, nil)
	w.repo.Protect("main", fakehub.Protection{Approvals: 1})
	for range 3 {
		w.repo.AddRuleset("main", fakehub.Protection{Approvals: 1, LinearHistory: true, Conversations: true})
	}
	meet := &meeting{waves: []int{3, 4}, gone: make(chan struct{})}
	w.client = w.newClient(meet)
	w.warm()
	meet.open.Store(true)
	count := map[string]int{}
	for _, r := range w.since(func() { w.branch() }) {
		count[r.Route]++
	}
	want := map[string]int{
		"GET /repos/{owner}/{repo}": 1, "GET /repos/{owner}/{repo}/branches/{branch}": 1, rulesRoute: 1, rulesetRoute: 3, "query": 1,
	}
	if diff := cmp.Diff(want, count); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

// meeting is a transport that holds requests back until a whole wave is there.
type meeting struct {
	open  atomic.Bool
	mu    sync.Mutex
	waves []int // how many are still to come, of this wave and the next ones
	gone  chan struct{}
}

func (m *meeting) RoundTrip(r *http.Request) (*http.Response, error) {
	if m.open.Load() {
		select {
		case <-m.arrive():
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	return http.DefaultTransport.RoundTrip(r)
}

// arrive returns what is closed when the wave is complete.
func (m *meeting) arrive() chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	gone := m.gone
	if len(m.waves) == 0 {
		return gone // one too many: it waits for ever.
	}
	if m.waves[0]--; m.waves[0] == 0 {
		m.waves, m.gone = m.waves[1:], make(chan struct{})
		close(gone)
	}
	return gone
}
