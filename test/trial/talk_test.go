package trial

import (
	"net/http"
	"os"
	"testing"

	"github.com/backout-dev/backout/test/fakehub"
)

const repo = "/repos/acme/fleet"

// TestTrial judges what the package plays itself and what other tests have
// recorded.
func TestTrial(t *testing.T) {
	c := newCourt(t)
	dir := t.TempDir()
	t.Setenv("FAKEHUB_RECORD", dir)
	t.Run("talk", talk)
	t.Run("talk GraphQL", talkGraphQL)
	c.hearFolder(t, dir)
	for _, route := range fakehub.Routes() {
		if c.routes[route] == 0 {
			t.Errorf("nobody asked for %s", route)
		}
	}
	for _, m := range part(t).Mutation.Fields {
		if c.mutations[m.Name] == 0 {
			t.Errorf("nobody did %s", m.Name)
		}
	}
	if more := os.Getenv("TRIAL_RECORDS"); more != "" {
		c.hearFolder(t, more)
	}
	c.pronounce(t, true)
}

// talk asks for everything that fakehub has an endpoint for, kindly and rudely.
func talk(t *testing.T) {
	s := newScene(t)
	base := s.repo.Head("main")
	talkOfApps(s)
	talkOfGit(s, base)
	number, head := talkOfPulls(t, s)
	talkOfIssues(t, s, number)
	talkOfChecks(t, s, head)
	talkOfRepositories(t, s)
	talkRudely(t, s)
	must(t, s.repo.Review(number, "bob", "APPROVE", "fine"))
	s.bot.say(200, "PUT "+repo+"/pulls/%d/merge", `{"merge_method": "squash", "sha": "`+head+`"}`, number)
	s.bot.say(204, "GET "+repo+"/pulls/%d/merge", "", number)
	s.bot.get("/pulls/%d", number)
	must(t, s.hub.Flush(t.Context()))
	delivered := s.jwt.say(200, "GET /app/hook/deliveries", "")
	s.jwt.say(200, "GET /app/hook/deliveries/%s", "", delivered.text("0.id"))
	s.jwt.say(202, "POST /app/hook/deliveries/%s/attempts", "", delivered.text("0.id"))
	must(t, s.hub.Flush(t.Context()))
	s.bot.say(204, "DELETE /installation/token", "")
}

func talkOfApps(s *scene) {
	s.jwt.say(200, "GET /app", "")
	s.jwt.say(200, "GET /app/installations", "")
	s.jwt.say(200, "GET /app/installations/%d", "", s.inst)
	s.jwt.say(201, "POST /app/installations/%d/access_tokens", `{"repositories": ["fleet"], "permissions": {"contents": "read"}}`, s.inst)
	s.jwt.say(200, "GET "+repo+"/installation", "")
	s.bot.say(200, "GET /installation/repositories", "")
	s.bot.say(200, "GET /rate_limit", "")
	s.bot.say(200, "GET /users/ann", "")
	s.bot.say(200, "GET /users/backout%%5Bbot%%5D", "")
	s.bot.say(200, "GET /orgs/acme/teams/sre/memberships/ann", "")
}

func talkOfGit(s *scene, base string) {
	blob := s.bot.say(201, "POST "+repo+"/git/blobs", `{"content": "aW1hZ2U6IHdlYjoyCg==", "encoding": "base64"}`).text("sha")
	s.bot.get("/git/blobs/%s", blob)
	commit := s.bot.get("/git/commits/%s", base)
	tree := s.bot.say(201, "POST "+repo+"/git/trees", `{"base_tree": "`+commit.text("tree.sha")+`", "tree": [{"path": "apps/web.yaml", "mode": "100644", "type": "blob", "sha": "`+blob+`"}]}`).text("sha")
	s.bot.get("/git/trees/%s?recursive=1", tree)
	made := s.bot.say(201, "POST "+repo+"/git/commits", `{"message": "Roll out web 2", "tree": "`+tree+`", "parents": ["`+base+`"]}`).text("sha")
	s.bot.say(201, "POST "+repo+"/git/refs", `{"ref": "refs/heads/bot/one", "sha": "`+base+`"}`)
	s.bot.say(200, "PATCH "+repo+"/git/refs/heads/bot/one", `{"sha": "`+made+`", "force": false}`)
	s.bot.get("/git/ref/heads/bot/one")
	s.bot.get("/git/matching-refs/heads/bot")
	s.bot.get("/compare/main...bot/one")
	s.bot.get("/commits?sha=bot/one&per_page=1")
	s.bot.get("/commits/bot/one")
	s.bot.get("/commits/%s", made)
	s.bot.say(204, "DELETE "+repo+"/git/refs/heads/bot/one", "")
}

func talkOfPulls(t *testing.T, s *scene) (number int, head string) {
	web2 := map[string]*string{"apps/web.yaml": fakehub.Text("image: web:2\n")}
	head, err := s.repo.Commit("bot/two", "backout[bot]", "Roll out web 2", web2)
	if err != nil {
		must(t, s.repo.CreateBranch("ann", "bot/two", "main"))
		head, err = s.repo.Commit("bot/two", "ann", "Roll out web 2", web2)
	}
	must(t, err)
	opened := s.bot.say(201, "POST "+repo+"/pulls", `{"title": "Roll out web 2", "head": "bot/two", "base": "main", "body": "x", "draft": false}`)
	one := repo + "/pulls/" + opened.text("number")
	s.bot.say(200, "GET "+repo+"/pulls?state=open&head=acme:bot/two", "")
	s.bot.say(200, "GET "+one, "")
	s.bot.say(200, "PATCH "+one, `{"title": "Roll out web 2 again"}`)
	s.bot.say(200, "GET "+one+"/commits", "")
	s.bot.say(200, "GET "+one+"/files", "")
	s.bot.say(404, "GET "+one+"/merge", "")
	s.bot.say(201, "POST "+one+"/requested_reviewers", `{"reviewers": ["bob"]}`)
	s.bot.say(200, "GET "+one+"/requested_reviewers", "")
	s.ann.say(200, "POST "+one+"/reviews", `{"event": "COMMENT", "body": "hm"}`)
	s.bot.say(200, "GET "+one+"/reviews", "")
	s.bot.get("/commits/%s/pulls", head)
	_, err = s.repo.Commit("main", "bob", "Tidy", map[string]*string{"README.md": fakehub.Text("# the fleet\n")})
	must(t, err)
	s.bot.say(202, "PUT "+one+"/update-branch", `{"expected_head_sha": "`+head+`"}`)
	return 1, s.repo.Head("bot/two")
}

func talkOfIssues(t *testing.T, s *scene, number int) {
	opened := s.bot.say(201, "POST "+repo+"/issues", `{"title": "It broke", "body": "x", "labels": ["incident"]}`)
	issue := repo + "/issues/" + opened.text("number")
	s.bot.say(200, "GET "+issue, "")
	s.bot.say(200, "PATCH "+issue, `{"state": "closed", "state_reason": "completed"}`)
	_, _, err := s.library.Issues.AddLabelsToIssue(t.Context(), "acme", "fleet", number, []string{"revert"})
	must(t, err)
	s.bot.get("/issues/%d/labels", number)
	s.bot.get("/issues/%d/events", number)
	s.bot.say(200, "GET "+repo+"/issues?labels=revert&state=all", "")
	comment := s.bot.say(201, "POST "+repo+"/issues/%d/comments", `{"body": "hello"}`, number).text("id")
	s.bot.get("/issues/%d/comments", number)
	s.bot.get("/issues/comments/%s", comment)
	s.bot.say(200, "PATCH "+repo+"/issues/comments/"+comment, `{"body": "hello again"}`)
	reaction := s.bot.say(201, "POST "+repo+"/issues/comments/"+comment+"/reactions", `{"content": "eyes"}`).text("id")
	s.bot.get("/issues/comments/%s/reactions", comment)
	s.bot.say(204, "DELETE "+repo+"/issues/comments/"+comment+"/reactions/"+reaction, "")
	s.bot.say(204, "DELETE "+repo+"/issues/comments/"+comment, "")
}

func talkOfChecks(t *testing.T, s *scene, head string) {
	run := s.bot.say(201, "POST "+repo+"/check-runs", `{"name": "backout", "head_sha": "`+head+`", "status": "in_progress", "output": {"title": "t", "summary": "s"}}`)
	s.bot.say(200, "PATCH "+repo+"/check-runs/"+run.text("id"), `{"status": "completed", "conclusion": "success"}`)
	s.bot.get("/check-runs/%s", run.text("id"))
	s.bot.get("/check-suites/%s", run.text("check_suite.id"))
	s.bot.get("/commits/%s/check-runs", head)
	s.bot.get("/commits/%s/check-suites", head)
	s.bot.say(201, "POST "+repo+"/statuses/"+head, `{"state": "success", "context": "old", "description": "fine"}`)
	s.bot.get("/commits/%s/status", head)
	s.bot.get("/commits/bot/two/statuses")
	must(t, s.repo.SetCheck(head, "ci", "failure", nil))
	must(t, s.repo.SetCheck(head, "ci", "success", nil))
}

func talkOfRepositories(t *testing.T, s *scene) {
	s.bot.get("")
	s.ann.get("")
	s.bot.get("/branches")
	s.bot.get("/branches/bot/two")
	s.bot.get("/contents/apps/web.yaml?ref=bot/two")
	s.bot.get("/contents")
	_, _, _, err := s.library.Repositories.GetContents(t.Context(), "acme", "fleet", "", nil)
	must(t, err)
	s.bot.get("/collaborators/ann/permission")
	s.repo.Protect("main", fakehub.Protection{
		RequiredChecks: []fakehub.RequiredCheck{{Context: "ci"}}, Approvals: 1, Strict: true, DismissStale: true,
	})
	s.bot.get("/branches/main/protection")
	s.bot.say(405, "PUT "+repo+"/pulls/1/merge", `{"merge_method": "squash"}`)
	s.repo.Protect("release", fakehub.Protection{
		RequiredChecks: []fakehub.RequiredCheck{{Context: "ci"}}, Approvals: 1, Ruleset: true, LinearHistory: true, MergeQueue: true,
	})
	rules := s.bot.get("/rules/branches/release")
	s.bot.get("/rulesets")
	s.bot.get("/rulesets/%s", rules.text("0.ruleset_id"))
}

// talkRudely says what is refused, in each way that GitHub's description does
// not list for an operation.
func talkRudely(t *testing.T, s *scene) {
	nobody := &speaker{t: t, base: s.bot.base, client: http.DefaultClient, token: "nothing"}
	nobody.say(401, "GET "+repo, "")
	s.bot.say(404, "GET /nothing", "")
	s.bot.say(400, "POST "+repo+"/pulls", `{`)
	s.bot.say(404, "GET "+repo+"/check-runs/1", "")
	s.bot.say(422, "POST "+repo+"/check-runs", `{"head_sha": "main"}`)
	s.bot.say(422, "POST "+repo+"/git/blobs", `{"content": "!", "encoding": "base64"}`)
	s.app.SetPermissions(map[string]string{"contents": "write", "pull_requests": "write"})
	weak, err := s.hub.Token(s.app, "acme")
	must(t, err)
	other := &speaker{t: t, base: s.bot.base, client: http.DefaultClient, token: weak}
	other.say(403, "GET "+repo+"/branches/main/protection", "")
}
