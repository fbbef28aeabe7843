package fakehub_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-github/v60/github"

	"github.com/backout-dev/backout/test/fakehub"
)

// get reads a path of the API as the installation, with headers.
func (w *world) get(path string, header ...string) (status int, head http.Header, body map[string]any) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.hub.URL()+path, nil)
	must(w.t, err)
	req.Header.Set("Authorization", "token "+w.token())
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	must(w.t, err)
	defer res.Body.Close()                  //nolint:errcheck // it was read.
	json.NewDecoder(res.Body).Decode(&body) //nolint:errcheck // some answers are empty.
	return res.StatusCode, res.Header, body
}

func TestCreateRepo(t *testing.T) {
	hub, err := fakehub.New(fakehub.Options{})
	must(t, err)
	t.Cleanup(func() { must(t, hub.Close()) })
	empty, err := hub.CreateRepo("acme/empty", fakehub.RepoOptions{DefaultBranch: "trunk"})
	must(t, err)
	if empty.Head("trunk") != "" {
		t.Error("an empty repository has a commit")
	}
	sha, err := empty.Commit("trunk", "ann", "First", map[string]*string{"a/b": new("c")})
	must(t, err)
	if text, ok := empty.File("trunk", "a/b"); !ok || text != "c" || empty.Head("trunk") != sha {
		t.Errorf("file is %q %v", text, ok)
	}
	if _, ok := empty.File("trunk", "nothing"); ok {
		t.Error("there is a file called nothing")
	}
	for _, name := range []string{"acme/empty", "ACME/Empty", "acme", "a/b/c", "/x"} {
		if _, err := hub.CreateRepo(name, fakehub.RepoOptions{}); err == nil {
			t.Errorf("created %q", name)
		}
	}
	if hub.Repo("Acme/EMPTY") != empty || hub.Repo("acme/nothing") != nil {
		t.Error("Repo finds the wrong ones")
	}
	if err := empty.Grant("ann", "king"); err == nil {
		t.Error("ann is king")
	}
	must(t, empty.CreateBranch("ann", "x", "trunk"))
	names, err := empty.Branches()
	must(t, err)
	if diff := cmp.Diff([]string{"trunk", "x"}, names); diff != "" {
		t.Error(diff)
	}
	if err := empty.CreateBranch("ann", "y", "nothing"); err == nil {
		t.Error("made a branch of nothing")
	}
}

// TestFrom begins with a history that is there already.
func TestFrom(t *testing.T) {
	w := newWorld(t, setup{})
	head := w.edit("main", "a", "b")
	git(t, w.repo.Dir, "tag", "v1", head)
	git(t, w.repo.Dir, "gc", "--quiet")
	copied, err := w.hub.CreateRepo("acme/copy", fakehub.RepoOptions{From: w.repo.Dir})
	must(t, err)
	log, err := copied.Log("v1")
	must(t, err)
	if copied.Head("main") != head || len(log) != 2 {
		t.Errorf("the copy is at %s: %v", copied.Head("main"), log)
	}
	if text, ok := w.repo.File("main", "a"); !ok || text != "b" || w.repo.Head("main") != head {
		t.Error("a packed repository is not read")
	}
	w.edit("main", "a", "c")
	if _, err := w.hub.CreateRepo("acme/none", fakehub.RepoOptions{From: t.TempDir()}); err == nil {
		t.Error("copied nothing")
	}
}

func TestRepoSettings(t *testing.T) {
	w := newWorld(t, setup{repo: fakehub.RepoOptions{Methods: []string{"squash"}, AllowAutoMerge: true}})
	repo, _, err := w.bot.Repositories.Get(t.Context(), "acme", "fleet")
	must(t, err)
	if repo.GetAllowMergeCommit() || !repo.GetAllowSquashMerge() || repo.GetAllowRebaseMerge() || !repo.GetAllowAutoMerge() ||
		repo.GetDefaultBranch() != "main" || !repo.GetPrivate() || repo.GetCloneURL() != w.repo.CloneURL() || repo.GetOwner().GetType() != "Organization" {
		t.Errorf("repository is %v", repo)
	}
	// The same answer without the prefix of GitHub Enterprise Server.
	code, _, body := w.get("/repos/acme/fleet")
	if code != http.StatusOK || body["full_name"] != "acme/fleet" {
		t.Errorf("%d %v", code, body)
	}
	code, _, body = w.get("/repos/acme/fleet/nothing")
	if code != http.StatusNotFound || body["message"] != "Not Found" {
		t.Errorf("%d %v", code, body)
	}
}

func TestBranch(t *testing.T) {
	w := newWorld(t, setup{})
	ctx := t.Context()
	branch := func() *github.Branch {
		b, _, err := w.bot.Repositories.GetBranch(ctx, "acme", "fleet", "main", 0)
		must(t, err)
		return b
	}
	if b := branch(); b.GetProtected() || b.GetCommit().GetSHA() != w.repo.Head("main") {
		t.Errorf("branch is %v", b)
	}
	w.repo.Protect("main", fakehub.Protection{RequiredChecks: []fakehub.RequiredCheck{{Context: "ci"}, {Context: "own", App: w.app}}, Approvals: 1})
	if b := branch(); !b.GetProtected() {
		t.Errorf("branch is %v", b)
	}
	checks := w.branchChecks()
	if !cmp.Equal(checks.Contexts, []string{"ci", "own"}) || checks.Checks[0].AppID != nil || *checks.Checks[1].AppID != w.app.ID() {
		t.Errorf("protection is %+v", checks)
	}
	must(t, w.repo.CreateBranch("ann", "feature/x", "main"))
	code, _, body := w.get("/repos/acme/fleet/branches/feature/x")
	if code != http.StatusOK || body["name"] != "feature/x" {
		t.Errorf("%d %v", code, body)
	}
	list, _, err := w.bot.Repositories.ListBranches(ctx, "acme", "fleet", nil)
	must(t, err)
	if len(list) != 2 || list[0].GetProtected() || !list[1].GetProtected() {
		t.Errorf("branches are %v", list)
	}
	code, _, body = w.get("/repos/acme/fleet/branches/nothing")
	if code != http.StatusNotFound || body["message"] != "Branch not found" {
		t.Errorf("%d %v", code, body)
	}
}

type branchChecks struct {
	Level    string `json:"enforcement_level"`
	Contexts []string
	Checks   []struct {
		Context string
		AppID   *int64 `json:"app_id"`
	}
}

// branchChecks reads what go-github's Branch leaves out.
func (w *world) branchChecks() branchChecks {
	w.t.Helper()
	req, err := w.bot.NewRequest(http.MethodGet, "repos/acme/fleet/branches/main", nil)
	must(w.t, err)
	var body struct {
		Protection struct {
			Required branchChecks `json:"required_status_checks"`
		}
	}
	_, err = w.bot.Do(w.t.Context(), req, &body)
	must(w.t, err)
	return body.Protection.Required
}

// TestRules: classic protection is told by the branch, rulesets by the rules.
func TestRules(t *testing.T) {
	w := newWorld(t, setup{})
	ctx := t.Context()
	kinds := func() string {
		// go-github v60 itself can't decode a merge_queue rule.
		req, err := w.bot.NewRequest(http.MethodGet, "repos/acme/fleet/rules/branches/main", nil)
		must(t, err)
		var rules []struct{ Type string }
		_, err = w.bot.Do(ctx, req, &rules)
		must(t, err)
		var list []string
		for _, r := range rules {
			list = append(list, r.Type)
		}
		return strings.Join(list, " ")
	}
	all := fakehub.Protection{RequiredChecks: ci("ci"), Strict: true, Approvals: 2, LinearHistory: true, MergeQueue: true}
	w.repo.Protect("main", all)
	if got := kinds(); got != "" {
		t.Errorf("classic protection shows as rules %q", got)
	}
	all.Ruleset = true
	all.Bypass = []string{"backout"}
	w.repo.Protect("main", all)
	if got := kinds(); got != "deletion non_fast_forward required_linear_history pull_request required_status_checks merge_queue" {
		t.Errorf("rules are %q", got)
	}
	if checks := w.branchChecks(); len(checks.Contexts) != 0 || checks.Level != "off" {
		t.Errorf("the ruleset's checks show as %+v", checks)
	}
	sets, _, err := w.bot.Repositories.GetAllRulesets(ctx, "acme", "fleet", true)
	must(t, err)
	if len(sets) != 1 {
		t.Fatalf("rulesets are %v", sets)
	}
	for name, want := range map[string]string{w.token(): "always", w.hub.User("ann").Token: "never"} {
		req, err := w.as(name).NewRequest(http.MethodGet, "repos/acme/fleet/rulesets/"+jsonNumber(sets[0].GetID()), nil)
		must(t, err)
		var set struct {
			Bypass string `json:"current_user_can_bypass"`
			Rules  []any
		}
		_, err = w.as(name).Do(ctx, req, &set)
		must(t, err)
		if set.Bypass != want || len(set.Rules) != 6 {
			t.Errorf("ruleset is %+v, want %s", set, want)
		}
	}
	must(t, w.repo.Grant("root", "admin"))
	_, _, err = w.as(w.hub.User("root").Token).Repositories.GetBranchProtection(ctx, "acme", "fleet", "main")
	if err == nil {
		t.Error("a ruleset shows as classic protection")
	}
	all.Ruleset = false
	w.repo.Protect("main", all)
	p, _, err := w.as(w.hub.User("root").Token).Repositories.GetBranchProtection(ctx, "acme", "fleet", "main")
	must(t, err)
	if !p.GetRequiredStatusChecks().Strict || p.GetRequiredPullRequestReviews().RequiredApprovingReviewCount != 2 {
		t.Errorf("protection is %v", p)
	}
}

func jsonNumber(n int64) string {
	b, _ := json.Marshal(n)
	return string(b)
}

func TestCollaboratorPermission(t *testing.T) {
	w := newWorld(t, setup{})
	ctx := t.Context()
	for role, want := range map[string]string{
		"none": "none", "read": "read", "triage": "read", "write": "write", "maintain": "write", "admin": "admin",
	} {
		must(t, w.repo.Grant("cat", role))
		got, _, err := w.bot.Repositories.GetPermissionLevel(ctx, "acme", "fleet", "cat")
		must(t, err)
		if got.GetPermission() != want || got.GetUser().GetRoleName() != role {
			t.Errorf("%s is %q, %q", role, got.GetPermission(), got.GetUser().GetRoleName())
		}
	}
	_, _, err := w.bot.Repositories.GetPermissionLevel(ctx, "acme", "fleet", "nobody")
	wantStatus(t, err, http.StatusNotFound, "is not a user")
	w.repo.SetPublic(true)
	w.hub.User("eve")
	got, _, err := w.bot.Repositories.GetPermissionLevel(ctx, "acme", "fleet", "eve")
	must(t, err)
	if got.GetPermission() != "read" {
		t.Errorf("on a public repository anybody is %q", got.GetPermission())
	}
	user, _, err := w.bot.Users.Get(ctx, "backout[bot]")
	must(t, err)
	if user.GetID() != w.app.BotID() || user.GetType() != "Bot" {
		t.Errorf("the bot is %v", user)
	}
}

func TestContents(t *testing.T) {
	w := newWorld(t, setup{})
	ctx := t.Context()
	old := w.repo.Head("main")
	w.edit("main", "apps/web.yaml", "new\n")
	file, _, _, err := w.bot.Repositories.GetContents(ctx, "acme", "fleet", "apps/web.yaml", nil)
	must(t, err)
	if text, err := file.GetContent(); err != nil || text != "new\n" {
		t.Errorf("file is %q %v", text, err)
	}
	file, _, _, err = w.bot.Repositories.GetContents(ctx, "acme", "fleet", "apps/web.yaml", &github.RepositoryContentGetOptions{Ref: old})
	must(t, err)
	if text, _ := file.GetContent(); !strings.HasPrefix(text, "replicas") {
		t.Errorf("the old file is %q", text)
	}
	_, dir, _, err := w.bot.Repositories.GetContents(ctx, "acme", "fleet", "", nil)
	must(t, err)
	if len(dir) != 2 || dir[1].GetType() != "dir" || dir[1].GetPath() != "apps" {
		t.Errorf("folder is %v", dir)
	}
	for _, path := range []string{"nothing", "apps/web.yaml/x"} {
		_, _, _, err = w.bot.Repositories.GetContents(ctx, "acme", "fleet", path, nil)
		wantStatus(t, err, http.StatusNotFound, "Not Found")
	}
}

func TestCommitsAndCompare(t *testing.T) {
	w := newWorld(t, setup{})
	ctx := t.Context()
	base := w.repo.Head("main")
	one := w.edit("main", "apps/web.yaml", "a\n")
	two := w.edit("feature/x", "b", "c\n")
	main := w.edit("main", "d", "e\n")
	for _, name := range []string{"feature/x", two} {
		c, _, err := w.bot.Repositories.GetCommit(ctx, "acme", "fleet", name, nil)
		must(t, err)
		if c.GetSHA() != two || len(c.Files) != 1 || c.GetStats().GetAdditions() != 1 || c.GetCommit().GetMessage() != "Change b\n" {
			t.Errorf("%s is %v", name, c)
		}
	}
	_, _, err := w.bot.Repositories.GetCommit(ctx, "acme", "fleet", "nothing", nil)
	wantStatus(t, err, http.StatusUnprocessableEntity, "No commit found for SHA: nothing")
	list, _, err := w.bot.Repositories.ListCommits(ctx, "acme", "fleet", &github.CommitsListOptions{Path: "apps"})
	must(t, err)
	if len(list) != 2 || list[0].GetSHA() != one || list[1].GetSHA() != base {
		t.Errorf("commits of apps are %v", list)
	}
	for name, tt := range map[string]struct {
		base, head, status string
		ahead, behind      int
	}{
		"ahead":     {base, "main", "ahead", 2, 0},
		"behind":    {"main", base, "behind", 0, 2},
		"diverged":  {"main", "feature/x", "diverged", 1, 1},
		"identical": {main, "main", "identical", 0, 0},
	} {
		c, _, err := w.bot.Repositories.CompareCommits(ctx, "acme", "fleet", tt.base, tt.head, nil)
		must(t, err)
		if c.GetStatus() != tt.status || c.GetAheadBy() != tt.ahead || c.GetBehindBy() != tt.behind || len(c.Commits) != tt.ahead {
			t.Errorf("%s: %v", name, c)
		}
	}
	_, _, err = w.bot.Repositories.CompareCommits(ctx, "acme", "fleet", "nothing", "main", nil)
	wantStatus(t, err, http.StatusNotFound, "Not Found")
}

func TestNotModified(t *testing.T) {
	w := newWorld(t, setup{})
	_, head, _ := w.get("/repos/acme/fleet/branches/main")
	tag := head.Get("ETag")
	again, _, _ := w.get("/repos/acme/fleet/branches/main", "If-None-Match", tag)
	if tag == "" || again != http.StatusNotModified {
		t.Errorf("tag %q, then %d", tag, again)
	}
	w.edit("main", "a", "b")
	if changed, _, _ := w.get("/repos/acme/fleet/branches/main", "If-None-Match", tag); changed != http.StatusOK {
		t.Errorf("after a push: %d", changed)
	}
}
