//go:build e2e

package flux

import (
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/backout-dev/backout/bot"
)

// origin is the repository acme/fleet behind smart HTTP, with a clone to commit
// in.
type origin struct {
	Host  string // "127.0.0.1:12345"
	t     *testing.T
	clone string
}

func newOrigin(t *testing.T) *origin {
	t.Helper()
	root := t.TempDir()
	o := &origin{t: t, clone: filepath.Join(root, "clone")}
	o.git(root, "init", "--quiet", "--bare", "--initial-branch=main", "acme/fleet.git")
	o.git(root, "clone", "--quiet", "acme/fleet.git", "clone")
	server := httptest.NewServer(&cgi.Handler{
		Path:       filepath.Join(o.git(root, "--exec-path"), "git-http-backend"),
		Env:        []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1"},
		InheritEnv: []string{"PATH"},
	})
	t.Cleanup(server.Close)
	o.Host = strings.TrimPrefix(server.URL, "http://")
	return o
}

// URL is the clone URL as a GitRepository has it.
func (o *origin) URL() string { return "http://" + o.Host + "/acme/fleet.git" }

// commit writes files, pushes them and returns the commit.
func (o *origin) commit(subject string, files map[string]string) bot.SHA {
	o.t.Helper()
	for name, content := range files {
		path := filepath.Join(o.clone, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			o.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			o.t.Fatal(err)
		}
	}
	o.git(o.clone, "add", "--all")
	o.git(o.clone, "commit", "--quiet", "--message", subject)
	return o.push()
}

// revert takes a commit back.
func (o *origin) revert(sha bot.SHA) bot.SHA {
	o.t.Helper()
	o.git(o.clone, "revert", "--no-edit", string(sha))
	return o.push()
}

func (o *origin) push() bot.SHA {
	o.t.Helper()
	o.git(o.clone, "push", "--quiet", "origin", "HEAD:main")
	return bot.SHA(o.git(o.clone, "rev-parse", "HEAD"))
}

func (o *origin) git(dir string, args ...string) string {
	o.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=bed", "GIT_AUTHOR_EMAIL=bed@example.test",
		"GIT_COMMITTER_NAME=bed", "GIT_COMMITTER_EMAIL=bed@example.test")
	out, err := cmd.CombinedOutput()
	if err != nil {
		o.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}
