package github_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/test/fakehub"
)

// withMembers grants what reading teams takes.
func withMembers(w *world) {
	perms := fakehub.DefaultPermissions()
	perms["members"] = "read"
	w.app.SetPermissions(perms)
}

// TestMember: an active member is one, and nobody else.
func TestMember(t *testing.T) {
	w := newWorld(t, nil)
	withMembers(w)
	w.hub.Team("acme", "sre", "dan")
	w.hub.Invite("acme", "sre", "ivy")
	for _, tt := range []struct {
		team, login string
		want        bool
	}{
		{"acme/sre", "dan", true},
		{"Acme/sre", "DAN", true},
		{"acme/sre", "ivy", false}, // has not accepted yet
		{"acme/sre", "eve", false},
		{"acme/sre", "../../user", false},
		{"acme/gone", "dan", false},
		{"acme/sre", "", false},
	} {
		got, err := w.client.Member(t.Context(), repoName, tt.team, tt.login)
		if err != nil || got != tt.want {
			t.Errorf("%s in %s: %v, %v", tt.login, tt.team, got, err)
		}
	}
	for _, team := range []string{"sre", "acme/", "/sre", "acme/a/b", "other/sre"} {
		if in, err := w.client.Member(t.Context(), repoName, team, "dan"); in || !bot.IsTrouble(err, bot.TroubleInvalid) {
			t.Errorf("team %q: %v, %v", team, in, err)
		}
	}
	w.hub.Leave("acme", "sre", "dan")
	if in, err := w.client.Member(t.Context(), repoName, "acme/sre", "dan"); in || err != nil {
		t.Errorf("after leaving: %v, %v", in, err)
	}
}

// TestMemberUnread: where teams can't be read, nobody is a member, and what is
// missing is named; where GitHub is away, that is no answer.
func TestMemberUnread(t *testing.T) {
	w := newWorld(t, nil)
	w.hub.Team("acme", "sre", "dan")
	in, err := w.client.Member(t.Context(), repoName, "acme/sre", "dan")
	trouble := bot.AsTrouble(err)
	if in || !bot.IsTrouble(err, bot.TroubleForbidden) || !strings.Contains(trouble.Advice, "Members (read-only)") {
		t.Errorf("not granted: %v, %v, advice %q", in, err, trouble.Advice)
	}
	withMembers(w)
	if in, err := w.client.Member(t.Context(), repoName, "acme/sre", "dan"); !in || err != nil {
		t.Errorf("granted since: %v, %v", in, err)
	}
	const route = "GET /orgs/{org}/teams/{team_slug}/memberships/{username}"
	for status, kind := range map[int]bot.TroubleKind{http.StatusBadGateway: bot.TroubleTransient, http.StatusInternalServerError: bot.TroubleTransient} {
		w.hub.Fail(fakehub.Fault{Match: fakehub.MatchRoute(route), Status: status})
		if in, err := w.client.Member(t.Context(), repoName, "acme/sre", "dan"); in || !bot.IsTrouble(err, kind) {
			t.Errorf("status %d: %v, %v", status, in, err)
		}
	}
}

// TestAuthors: everybody who wrote a part of it, also what a squash hides.
func TestAuthors(t *testing.T) {
	w := newWorld(t, map[string]string{"a.txt": "1\n"})
	two, three := "2\n", "3\n"
	_, err := w.repo.OpenPR("ann", "Two hands", "topic", "main", map[string]*string{"a.txt": &two})
	must(t, err)
	_, err = w.repo.Commit("topic", "bob", "More", map[string]*string{"a.txt": &three})
	must(t, err)
	got, err := w.client.Authors(t.Context(), repoName, bot.Change{PR: 1, Commits: []bot.SHA{bot.SHA(w.repo.Head("topic"))}})
	if err != nil || got.Unknown != 0 || !slices.Contains(got.Logins, "ann") || !slices.Contains(got.Logins, "bob") {
		t.Errorf("of the pull request: %+v, %v", got, err)
	}
	got, err = w.client.Authors(t.Context(), repoName, bot.Change{Commits: []bot.SHA{bot.SHA(w.repo.Head("topic"))}})
	if err != nil || got.Unknown != 0 || !slices.Equal(got.Logins, []string{"bob"}) {
		t.Errorf("of a commit: %+v, %v", got, err)
	}
	got, err = w.client.Authors(t.Context(), repoName, bot.Change{Commits: []bot.SHA{"0123456789012345678901234567890123456789"}})
	if err != nil || got.Unknown == 0 {
		t.Errorf("of a commit that GitHub does not have: %+v, %v", got, err)
	}
}

// TestAuthorsWithoutAnAccount: GitHub finds no account for an address.
func TestAuthorsWithoutAnAccount(t *testing.T) {
	sha := bot.SHA("0123456789012345678901234567890123456789")
	account := func(login string) any { return map[string]any{"login": login} }
	for _, tt := range []struct {
		name              string
		author, committer any
		logins            []string
		unknown           int
	}{
		{"known", account("ann"), account("web-flow"), []string{"ann"}, 0},
		{"unknown", nil, account("web-flow"), nil, 1},
		{"unknown, committed by somebody known", nil, account("bob"), []string{"bob"}, 1},
		{"two", account("ann"), account("bob"), []string{"ann", "bob"}, 0},
		{"empty", map[string]any{}, nil, nil, 1},
	} {
		s := &stub{}
		c := s.start(t, map[string]any{"GET /repos/acme/fleet/commits/" + string(sha): map[string]any{"sha": sha, "author": tt.author, "committer": tt.committer}})
		got, err := c.Authors(t.Context(), "acme/fleet", bot.Change{Commits: []bot.SHA{sha}})
		if err != nil || got.Unknown != tt.unknown || !slices.Equal(got.Logins, tt.logins) {
			t.Errorf("%s: %+v, %v", tt.name, got, err)
		}
	}
}

// TestLabelled: who put the label there, not who opened the issue; closing an
// issue takes nothing off.
func TestLabelled(t *testing.T) {
	w := newWorld(t, nil)
	look := func() []bot.Labelled {
		t.Helper()
		got, err := w.client.Labelled(t.Context(), repoName, "backout-freeze")
		must(t, err)
		return got
	}
	if got := look(); len(got) != 0 {
		t.Errorf("before: %+v", got)
	}
	n := w.repo.OpenIssue("eve", "Stop", "")
	must(t, w.repo.LabelAs("ann", n, "bug", "backout-freeze"))
	if got := look(); len(got) != 1 || got[0].Number != n || got[0].By != "ann" {
		t.Errorf("labelled: %+v", got)
	}
	must(t, w.repo.CloseIssue(n))
	if got := look(); len(got) != 1 {
		t.Errorf("closed: %+v", got)
	}
	must(t, w.repo.Unlabel("eve", n, "backout-freeze"))
	if got := look(); len(got) != 0 {
		t.Errorf("taken off: %+v", got)
	}
	must(t, w.repo.LabelAs("bob", n, "Backout-Freeze"))
	if got := look(); len(got) != 1 || got[0].By != "bob" {
		t.Errorf("labelled again: %+v", got)
	}
}

// TestLabelledUnread: without the permission the answer is an error, never
// that nothing carries the label.
func TestLabelledUnread(t *testing.T) {
	w := newWorld(t, nil)
	n := w.repo.OpenIssue("eve", "Stop", "")
	must(t, w.repo.LabelAs("ann", n, "backout-freeze"))
	perms := fakehub.DefaultPermissions()
	delete(perms, "issues")
	w.app.SetPermissions(perms)
	got, err := w.client.Labelled(t.Context(), repoName, "backout-freeze")
	if !bot.IsTrouble(err, bot.TroubleForbidden) || len(got) != 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestLabelledTooOften: nobody can push a freeze out of sight by labelling more.
func TestLabelledTooOften(t *testing.T) {
	const most = 20
	w := newWorld(t, nil)
	for n := range most + 1 {
		got, err := w.client.Labelled(t.Context(), repoName, "backout-freeze")
		if err != nil || len(got) != n {
			t.Fatalf("%d issues: %d, %v", n, len(got), err)
		}
		must(t, w.repo.LabelAs("eve", w.repo.OpenIssue("eve", "Stop", ""), "backout-freeze"))
	}
	if got, err := w.client.Labelled(t.Context(), repoName, "backout-freeze"); !bot.IsTrouble(err, bot.TroubleInvalid) {
		t.Errorf("%d issues: %v, %v", most+1, got, err)
	}
}

// TestLabelledByNobody: a label that no event tells of is somebody's all the same.
func TestLabelledByNobody(t *testing.T) {
	s := &stub{}
	c := s.start(t, map[string]any{
		"GET /repos/acme/fleet/issues":          []any{map[string]any{"number": 7, "html_url": "x"}},
		"GET /repos/acme/fleet/issues/7/events": []any{map[string]any{"event": "labeled", "actor": nil, "created_at": "2026-01-01T00:00:00Z", "label": map[string]any{"name": "backout-freeze"}}},
	})
	got, err := c.Labelled(t.Context(), "acme/fleet", "backout-freeze")
	if err != nil || len(got) != 1 || got[0].By != "" {
		t.Errorf("%+v, %v", got, err)
	}
}
