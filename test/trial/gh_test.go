package trial

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/backout-dev/backout/test/fakehub"
)

// gh runs Debian's gh against a hub, as a person: a client nobody here wrote.
// It takes the hub for github.com, since all it sends goes to a unix socket.
type gh struct {
	t      *testing.T
	config string
	token  string
}

func newGH(t *testing.T, hub *fakehub.Hub, login string) *gh {
	t.Helper()
	if _, err := exec.LookPath("gh"); err != nil {
		t.Fatal("gh is not installed: run make deps, or: apt-get install gh")
	}
	// A socket's name must be short.
	dir, err := os.MkdirTemp("", "gh")
	must(t, err)
	t.Cleanup(func() { must(t, os.RemoveAll(dir)) })
	socket := filepath.Join(dir, "hub")
	ln, err := net.Listen("unix", socket)
	must(t, err)
	to, err := url.Parse(hub.URL())
	must(t, err)
	srv := &http.Server{Handler: httputil.NewSingleHostReverseProxy(to)} //nolint:gosec // it is on a socket of ours.
	go srv.Serve(ln)                                                     //nolint:errcheck // it ends with Close.
	t.Cleanup(func() { must(t, srv.Close()) })
	must(t, os.WriteFile(filepath.Join(dir, "config.yml"), []byte("http_unix_socket: "+socket+"\nprompt: disabled\n"), 0o600))
	return &gh{t: t, config: dir, token: hub.User(login).Token}
}

// run gives what gh prints, and its exit code.
func (g *gh) run(args ...string) (out, errs string, code int) {
	g.t.Helper()
	cmd := exec.CommandContext(g.t.Context(), "gh", args...)
	cmd.Dir = g.config
	cmd.Env = []string{
		"HOME=" + g.config, "PATH=" + os.Getenv("PATH"), "GH_CONFIG_DIR=" + g.config, "GH_TOKEN=" + g.token, "GH_REPO=acme/fleet",
		"GH_NO_UPDATE_NOTIFIER=1", "NO_COLOR=1",
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if err != nil && cmd.ProcessState == nil {
		g.t.Fatal(err)
	}
	return stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()
}

// must runs gh, which must succeed.
func (g *gh) must(args ...string) string {
	g.t.Helper()
	out, errs, code := g.run(args...)
	if code != 0 {
		g.t.Fatalf("gh %s: exit %d\n%s%s", strings.Join(args, " "), code, out, errs)
	}
	return out
}

// TestGH lets a person work on a pull request with gh: both what gh prints and
// what the hub then holds must be right, and all that they said to each other
// is judged.
func TestGH(t *testing.T) {
	records := t.TempDir()
	t.Setenv("FAKEHUB_RECORD", records)
	t.Run("work", func(t *testing.T) { workWithGH(t) })
	c := newCourt(t)
	c.hearFolder(t, records)
	if len(c.documents) < 5 {
		t.Errorf("gh sent only %d documents", len(c.documents))
	}
	c.pronounce(t, false)
	fmt.Printf("trial: gh sent %d GraphQL documents, %d different, all published and answered as published\n", c.count.documents, len(c.documents))
}

func workWithGH(t *testing.T) {
	hub, err := fakehub.New(fakehub.Options{Dir: t.TempDir()})
	must(t, err)
	t.Cleanup(func() { must(t, hub.Close()) })
	repo, err := hub.CreateRepo("acme/fleet", fakehub.RepoOptions{Files: map[string]string{"apps/web.yaml": "image: web:1\n"}})
	must(t, err)
	for _, login := range []string{"ann", "bob"} {
		must(t, repo.Grant(login, "write"))
	}
	pr, err := repo.OpenPR("ann", "Roll out web 2", "web-2", "main", map[string]*string{"apps/web.yaml": fakehub.Text("image: web:2\n")})
	must(t, err)
	must(t, repo.Label(pr.Number, "rollout"))
	repo.Protect("main", fakehub.Protection{RequiredChecks: []fakehub.RequiredCheck{{Context: "test"}}})
	g := newGH(t, hub, "bob")

	wants(t, "list", g.must("pr", "list"), "1\tRoll out web 2\tweb-2\tOPEN\t")
	wants(t, "view", g.must("pr", "view", "1"), "title:\tRoll out web 2\n", "state:\tOPEN\n", "author:\tann\n", "labels:\trollout\n", "additions:\t1\n", "deletions:\t1\n")

	must(t, repo.SetCheck(pr.HeadSHA, "test", "failure", nil))
	out, _, code := g.run("pr", "checks", "1")
	if code != 1 {
		t.Errorf("gh pr checks: exit %d with a failed check", code)
	}
	wants(t, "checks", out, "test\tfail\t")
	if _, why, code := g.run("pr", "merge", "1", "--squash"); code != 1 || !strings.Contains(why, "not mergeable") {
		t.Errorf("gh pr merge of a blocked one: exit %d, %q", code, why)
	}
	must(t, repo.SetCheck(pr.HeadSHA, "test", "success", nil))
	wants(t, "checks", g.must("pr", "checks", "1"), "test\tpass\t")

	said := g.must("pr", "comment", "1", "--body", "It broke.\n\n/rollback")
	comments := repo.Comments(1)
	if len(comments) != 1 || comments[0].Author != "bob" || comments[0].Body != "It broke.\n\n/rollback" {
		t.Fatalf("comments %+v", comments)
	}
	wants(t, "comment", said, fmt.Sprintf("/acme/fleet/pull/1#issuecomment-%d", comments[0].ID))
	wants(t, "comments", g.must("pr", "view", "1", "--comments"), "author:\tbob\n", "/rollback")

	g.must("pr", "merge", "1", "--squash")
	got, _ := repo.PR(1)
	log, err := repo.Log("main")
	must(t, err)
	if text, _ := repo.File("main", "apps/web.yaml"); !got.Merged || text != "image: web:2\n" || len(log) != 2 || !strings.HasPrefix(log[0].Message, "Roll out web 2 (#1)") {
		t.Errorf("merged %v, main has %q, log %+v", got.Merged, text, log)
	}
	var state struct{ State, MergedAt, MergeStateStatus string }
	must(t, json.Unmarshal([]byte(g.must("pr", "view", "1", "--json", "state,mergedAt,mergeStateStatus")), &state))
	if state.State != "MERGED" || state.MergedAt == "" {
		t.Errorf("gh sees %+v", state)
	}
	wants(t, "list", g.must("pr", "list", "--state", "merged"), "MERGED")
	if open := g.must("pr", "list"); open != "" {
		t.Errorf("open ones: %s", open)
	}
}

func wants(t *testing.T, what, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%s: no %q in\n%s", what, part, text)
		}
	}
}
