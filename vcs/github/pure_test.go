package github

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/backout-dev/backout/bot"
)

func TestEndpoints(t *testing.T) {
	for _, tt := range []struct{ api, rest, graphql string }{
		{"", "https://api.github.com/", "https://api.github.com/graphql"},
		{"https://api.github.com", "https://api.github.com/", "https://api.github.com/graphql"},
		{"https://ghe.example.com", "https://ghe.example.com/api/v3/", "https://ghe.example.com/api/graphql"},
		{"https://ghe.example.com/api/v3/", "https://ghe.example.com/api/v3/", "https://ghe.example.com/api/graphql"},
		{"https://api.acme.ghe.com", "https://api.acme.ghe.com/", "https://api.acme.ghe.com/graphql"},
	} {
		rest, graphql, err := endpoints(tt.api)
		if err != nil || rest.String() != tt.rest || graphql != tt.graphql {
			t.Errorf("endpoints(%q) = %v, %v, %v; want %v, %v", tt.api, rest, graphql, err, tt.rest, tt.graphql)
		}
	}
	for _, api := range []string{"ghe.example.com", "ftp://x", "https://user:ghp_secret@ghe.example.com", "https://h/?token=x"} {
		_, _, err := endpoints(api)
		if err == nil {
			t.Errorf("endpoints(%q) is accepted", api)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("endpoints(%q) tells the secret: %v", api, err)
		}
	}
}

func TestFinestPermission(t *testing.T) {
	for _, tt := range []struct{ permission, role, want bot.Permission }{
		{"admin", "admin", bot.PermissionAdmin},
		{"write", "maintain", bot.PermissionMaintain},
		{"read", "triage", bot.PermissionTriage},
		{"write", "", bot.PermissionWrite},
		{"write", "release-captain", bot.PermissionWrite}, // a custom role
		{"read", "admin", bot.PermissionRead},             // a custom role that calls itself admin
		{"none", "none", bot.PermissionNone},
		{"", "admin", bot.PermissionNone},
		{"owner", "", bot.PermissionNone},
	} {
		if got := finest(tt.permission, tt.role); got != tt.want {
			t.Errorf("finest(%q, %q) = %q, want %q", tt.permission, tt.role, got, tt.want)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name   string
		header map[string]string
		want   time.Duration
	}{
		{"seconds", map[string]string{"Retry-After": "30", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1"}, 30 * time.Second},
		{"a date", map[string]string{"Retry-After": now.Add(2 * time.Minute).Format(http.TimeFormat)}, 2 * time.Minute},
		{"the primary reset", map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1740830700"}, 5 * time.Minute},
		{"a reset in the past", map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1740830000"}, time.Second},
		{"a reset that is not the cause", map[string]string{"X-RateLimit-Remaining": "4000", "X-RateLimit-Reset": "1740833000"}, time.Minute},
		{"nothing", nil, time.Minute},
	} {
		h := http.Header{}
		for k, v := range tt.header {
			h.Set(k, v)
		}
		if got := retryAfter(h, now); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestFitsOneDocument(t *testing.T) {
	text := func(path, before, after string) bot.FileChange {
		return bot.FileChange{Path: path, BeforeMode: before, AfterMode: after, After: []byte("x\n")}
	}
	many := func(n int) []bot.FileChange {
		var list []bot.FileChange
		for i := range n {
			list = append(list, text("f"+strings.Repeat("x", i), "", modeFile))
		}
		return list
	}
	truncated := text("a", modeFile, modeFile)
	truncated.Blob = blobName([]byte("x\nand more\n"))
	named := text("a", modeFile, modeFile)
	named.Blob = "587be6b4c3f93f93c489c0111bba5596147a26cb" // git hash-object of "x\n"
	big := text("a", modeFile, modeFile)
	big.After = make([]byte, maxAdditionBytes+1)
	for _, tt := range []struct {
		name  string
		files []bot.FileChange
		want  bool
	}{
		{"an edit", []bot.FileChange{text("a", modeFile, modeFile)}, true},
		{"an edit of a script", []bot.FileChange{text("a", modeExec, modeExec)}, true},
		{"a new file", []bot.FileChange{text("a", "", modeFile)}, true},
		{"a blob that is the content", []bot.FileChange{named}, true},
		{"a hundred", many(100), true},
		{"a hundred and a deletion", append(many(100), bot.FileChange{Path: "z", BeforeMode: modeFile}), true},
		{"a deleted link", []bot.FileChange{{Path: "z", BeforeMode: "120000"}}, true},
		{"a deleted submodule", []bot.FileChange{{Path: "z", BeforeMode: modeCommit}}, false},
		{"a new script", []bot.FileChange{text("a", "", modeExec)}, false},
		{"a changed mode", []bot.FileChange{text("a", modeExec, modeFile)}, false},
		{"a link", []bot.FileChange{text("a", "120000", "120000")}, false},
		{"a submodule", []bot.FileChange{text("a", modeCommit, modeCommit)}, false},
		{"a hundred and one", many(101), false},
		{"too many bytes", []bot.FileChange{big}, false},
		{"a name that is not UTF-8", []bot.FileChange{text("caf\xe9", "", modeFile)}, false},
		{"only the beginning of a content", []bot.FileChange{truncated}, false},
	} {
		if got := fitsOneDocument(tt.files); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestUploadsTakeThreeRoundsAtMost(t *testing.T) {
	for n := range 300 {
		if rounds := (n + uploads(n) - 1) / uploads(n); rounds > 3 {
			t.Errorf("%d blobs take %d rounds", n, rounds)
		}
	}
}

func TestTidyHidesSecrets(t *testing.T) {
	jwt := "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiIxMjMifQ.c2lnbmF0dXJl"
	for _, secret := range []string{
		"ghs_16C7e42F292c6912E7710c838347Ae178B4a", "github_pat_11AAAAAAA0abcdefghijkl", jwt,
		"v1.1f699f1069f60xxx"[:3] + strings.Repeat("a", 40),
	} {
		got := tidy("Get \"https://x-access-token:" + secret + "@github.com/o/r\": Authorization: Bearer " + secret)
		if strings.Contains(got, secret) {
			t.Errorf("tidy kept %q: %s", secret, got)
		}
	}
	if got, want := tidy("a\u202eb\n\tc\u200b\x1b[31m"), "ab c [31m"; got != want {
		t.Errorf("tidy = %q, want %q", got, want)
	}
	if got := tidy(strings.Repeat("word ", 1000)); len([]rune(got)) > maxSaid {
		t.Errorf("tidy kept %d characters", len([]rune(got)))
	}
}

func TestClipBodyKeepsTheMarker(t *testing.T) {
	const marker = "<!-- backout:rollback=1 -->"
	for name, body := range map[string]string{
		"first":  marker + strings.Repeat("ä", maxBody),
		"last":   strings.Repeat("𝄞", maxBody) + marker,
		"middle": strings.Repeat("x", maxBody-10) + marker + strings.Repeat("y", 100),
	} {
		got := clipBody(body, marker)
		if units(got) > maxBody || !strings.Contains(got, marker) || !strings.Contains(got, "too long for GitHub") {
			t.Errorf("%s: %d characters, marker %v", name, units(got), strings.Contains(got, marker))
		}
	}
	if short := "hello " + marker; clipBody(short, marker) != short {
		t.Error("a short body was changed")
	}
}

func TestDemands(t *testing.T) {
	rule := func(typ string, edit func(*ruleJSON)) ruleJSON {
		r := ruleJSON{Type: typ}
		if edit != nil {
			edit(&r)
		}
		return r
	}
	for _, tt := range []struct {
		name  string
		rules []ruleJSON
		want  bot.Branch
	}{
		{"nothing", nil, bot.Branch{Methods: []string{"merge", "squash", "rebase"}}},
		{
			"a pull request and nothing more", []ruleJSON{rule("pull_request", nil), rule("deletion", nil)},
			bot.Branch{Methods: []string{"merge", "squash", "rebase"}},
		},
		{
			"reviews, one method", []ruleJSON{rule("pull_request", func(r *ruleJSON) {
				r.Parameters.Reviews, r.Parameters.Methods = 2, []string{"squash"}
			})},
			bot.Branch{Protected: true, Reviews: 2, Methods: []string{"squash"}},
		},
		{
			"code owners only", []ruleJSON{rule("pull_request", func(r *ruleJSON) { r.Parameters.CodeOwners = true })},
			bot.Branch{Protected: true, Methods: []string{"merge", "squash", "rebase"}},
		},
		{
			"a queue, linear", []ruleJSON{rule("merge_queue", nil), rule("required_linear_history", nil)},
			bot.Branch{Protected: true, MergeQueue: true, Methods: []string{"squash", "rebase"}},
		},
		{
			"required workflows, and a rule of the future", []ruleJSON{rule("workflows", nil), rule("telepathy", nil)},
			bot.Branch{Protected: true, Methods: []string{"merge", "squash", "rebase"}},
		},
	} {
		d := demands{methods: repoJSON{}.methods()}
		for _, r := range tt.rules {
			d.add(r)
		}
		if diff := cmp.Diff(tt.want, d.branch(branchJSON{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestStanding(t *testing.T) {
	const onto, tree, other = "1111111111111111111111111111111111111111", "2222222222222222222222222222222222222222", "3333333333333333333333333333333333333333"
	req := bot.RevertRequest{Onto: onto, Tree: tree, Message: "Revert \"x\"\n\nBecause."}
	commit := func(oid, tree, headline string, parents ...bot.SHA) commitNode {
		n := commitNode{OID: bot.SHA(oid), Message: headline + "\n\nBody."}
		n.Tree.OID = bot.SHA(tree)
		for _, p := range parents {
			n.Parents.Nodes = append(n.Parents.Nodes, struct {
				OID bot.SHA `json:"oid"`
			}{p})
		}
		return n
	}
	pull := func(number int, state string, ours bool, head commitNode) pullNode {
		p := pullNode{Number: number, State: state, Merged: state == "MERGED", Head: head.OID}
		if ours {
			p.Author = &struct {
				Type  string `json:"__typename"`
				Login string `json:"login"`
			}{"Bot", "backout"}
		}
		p.Commits.Nodes = append(p.Commits.Nodes, struct {
			Commit headNode `json:"commit"`
		}{headNode{commitNode: head}})
		return p
	}
	wanted := commit("a", tree, `Revert "x"`, onto)
	wrong := commit("b", other, `Revert "x"`, onto)
	pushed := commit("c", tree, "fix it", "a")
	for _, tt := range []struct {
		name string
		w    world
		want standing
		pull int
	}{
		{"nothing", world{}, standsNothing, 0},
		{"nothing, and a fork's", world{pulls: []pullNode{pull(1, "CLOSED", true, wanted)}}, standsNothing, 0},
		{"merged, branch gone", world{pulls: []pullNode{pull(1, "MERGED", true, wanted)}}, standsComplete, 1},
		{"branch", world{tip: ptr(commit(onto, other, "the base"))}, standsBranch, 0},
		{"commit", world{tip: &wanted}, standsCommit, 0},
		{"complete", world{tip: &wanted, pulls: []pullNode{pull(1, "OPEN", true, wanted)}}, standsComplete, 1},
		{
			"closed by a person, then made again by a replay",
			world{tip: &wanted, pulls: []pullNode{pull(1, "CLOSED", true, wanted), pull(2, "OPEN", true, wanted)}},
			standsComplete, 1,
		},
		{"wrong tree of ours", world{tip: &wrong, pulls: []pullNode{pull(1, "OPEN", true, wrong)}}, standsWrong, 1},
		{"wrong tree of others", world{tip: &wrong, pulls: []pullNode{pull(1, "OPEN", false, wrong)}}, standsForeign, 1},
		{"wrong tree, no pull request", world{tip: &wrong}, standsForeign, 0},
		{"pushed to", world{tip: &pushed, pulls: []pullNode{pull(1, "OPEN", true, pushed)}}, standsForeign, 1},
	} {
		tt.w.me = "backout[bot]"
		if got := tt.w.against(req); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
		got := 0
		if p := tt.w.pull(req); p != nil {
			got = p.Number
		}
		if got != tt.pull {
			t.Errorf("%s: pull request %d, want %d", tt.name, got, tt.pull)
		}
	}
}

func ptr[T any](v T) *T { return &v }
