//go:build e2e

package bed

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// origin is a repository behind smart HTTP, with a clone to commit in.
type origin struct {
	URL   string
	t     *testing.T
	clone string
}

func newOrigin(t *testing.T) *origin {
	t.Helper()
	root := t.TempDir()
	o := &origin{t: t, clone: filepath.Join(root, "clone")}
	o.git(root, "init", "--quiet", "--bare", "--initial-branch=main", "fleet.git")
	o.git(root, "clone", "--quiet", "fleet.git", "clone")
	server := httptest.NewServer(&cgi.Handler{
		Path:       filepath.Join(o.git(root, "--exec-path"), "git-http-backend"),
		Env:        []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1"},
		InheritEnv: []string{"PATH"},
	})
	t.Cleanup(server.Close)
	o.URL = server.URL + "/fleet.git"
	return o
}

// commit writes files, pushes them and returns the commit.
func (o *origin) commit(subject string, files map[string]string) string {
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
func (o *origin) revert(sha string) string {
	o.t.Helper()
	o.git(o.clone, "revert", "--no-edit", sha)
	return o.push()
}

func (o *origin) push() string {
	o.t.Helper()
	o.git(o.clone, "push", "--quiet", "origin", "HEAD:main")
	return o.git(o.clone, "rev-parse", "HEAD")
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

// pager receives what Alertmanager sends.
type pager struct {
	URL   string
	token string
	t     *testing.T

	mu  sync.Mutex
	got []string // "firing argo-demo"
}

func newPager(t *testing.T) *pager {
	t.Helper()
	p := &pager{t: t, token: "not-a-secret"}
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	p.URL = server.URL
	return p
}

func (p *pager) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var m struct {
		Alerts []struct {
			Status string
			Labels map[string]string
		}
	}
	if r.Header.Get("Authorization") != "Bearer "+p.token {
		p.t.Errorf("alert with authorization %q", r.Header.Get("Authorization"))
	}
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
		p.t.Errorf("decode an alert: %v", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range m.Alerts {
		p.got = append(p.got, a.Status+" "+a.Labels["namespace"])
	}
}

// want waits for alerts of that status from each namespace.
func (p *pager) want(ctx context.Context, b *Bed, status string, namespaces ...string) {
	p.t.Helper()
	err := b.Wait(ctx, status+" alerts", func(context.Context) (bool, error) {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, ns := range namespaces {
			if !slices.Contains(p.got, status+" "+ns) {
				return false, fmt.Errorf("got %q", p.got)
			}
		}
		return true, nil
	})
	if err != nil {
		p.t.Fatal(err)
	}
}
