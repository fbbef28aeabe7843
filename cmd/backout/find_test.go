package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// findNoon is the moment that these tests ask about.
var findNoon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// story is a repository made commit by commit.
type story struct {
	t   *testing.T
	dir string
}

func newStory(t *testing.T) story {
	s := story{t, t.TempDir()}
	s.git(findNoon, "init", "-q", "-b", "main")
	return s
}

func (s story) git(at time.Time, args ...string) string {
	s.t.Helper()
	cmd := exec.Command("git", append([]string{"-C", s.dir, "-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false"}, args...)...)
	cmd.Env = append(os.Environ(), "GIT_AUTHOR_DATE="+at.Format(time.RFC3339), "GIT_COMMITTER_DATE="+at.Format(time.RFC3339), "GIT_CONFIG_GLOBAL=/dev/null")
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// commit writes files, given as name and content in turn, some time before noon.
func (s story) commit(before time.Duration, subject string, files ...string) string {
	s.t.Helper()
	for i := 0; i < len(files); i += 2 {
		at := filepath.Join(s.dir, files[i])
		if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
			s.t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(files[i+1]), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
	s.git(findNoon, "add", "-A")
	s.git(findNoon.Add(-before), "commit", "-q", "-m", subject)
	return s.git(findNoon, "rev-parse", "HEAD")
}

// find runs the command at noon.
func (s story) find(args ...string) (string, error) {
	return run(s.t, append([]string{"find", "--repo", s.dir, "--at", findNoon.Format(time.RFC3339)}, args...)...)
}

// suspects are the subjects that the command ranks, best first.
func (s story) suspects(args ...string) []string {
	s.t.Helper()
	out, err := s.find(append([]string{"--json"}, args...)...)
	if err != nil {
		s.t.Fatal(err)
	}
	var got foundJSON
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		s.t.Fatalf("%v in %s", err, out)
	}
	var names []string
	for _, p := range got.Suspects {
		names = append(names, p.Subject)
	}
	return names
}

func deploymentOf(name, image string) string {
	return fmt.Sprintf("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: %s}\nspec:\n  template:\n    metadata: {labels: {app: %s}}\n    spec:\n      containers:\n      - image: %s\n        envFrom: [{configMapRef: {name: settings}}]\n", name, name, image)
}

// fleet is a repository with two apps and a base that one of them uses.
func fleet(t *testing.T) story {
	s := newStory(t)
	s.commit(1000*time.Hour, "begin", "apps/web/kustomization.yaml", "resources: [web.yaml, ../../base]\n", "apps/web/web.yaml", deploymentOf("web", "v1"),
		"apps/api/api.yaml", deploymentOf("api", "v1"), "base/kustomization.yaml", "resources: [settings.yaml]\n", "base/settings.yaml", "kind: ConfigMap\nmetadata: {name: settings}\ndata: {a: b}\n")
	return s
}

func TestFindRanks(t *testing.T) {
	s := fleet(t)
	s.commit(300*time.Hour, "settings", "base/settings.yaml", "kind: ConfigMap\nmetadata: {name: settings}\ndata: {a: c}\n")
	good := s.commit(200*time.Hour, "api", "apps/api/api.yaml", deploymentOf("api", "v2"))
	s.commit(2*time.Hour, "web", "apps/web/web.yaml", deploymentOf("web", "v2"))
	s.commit(time.Hour, "docs", "apps/web/README.md", "hello\n")
	s.commit(-time.Hour, "later", "apps/web/web.yaml", deploymentOf("web", "v3"))
	for _, tt := range []struct {
		name, args, want string
	}{
		{"the closure, at the moment", "apps/web", "web docs settings begin"},
		{"a file", "apps/web/web.yaml", "web begin"},
		{"since what was good", "--good " + good + " apps/web", "web docs"},
		{"at a revision", "--head HEAD apps/web/web.yaml", "later web begin"},
		{"two at most", "--limit 2 apps/web", "web docs"},
		{"several paths", "apps/web/web.yaml apps/api", "web api begin"},
		{"nothing since", "--good HEAD apps/web", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := strings.Join(s.suspects(strings.Fields(tt.args)...), " "); got != tt.want {
				t.Errorf("suspects are %q, want %q", got, tt.want)
			}
		})
	}
	out, err := s.find("--explain", "apps/web")
	if err != nil || !strings.Contains(out, "2 of 2 lines it changed are still so") || !strings.Contains(out, "no change of ours") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestFindWorkload: the failing object points past newer changes, also through
// what it uses, and the evidence names file and field.
func TestFindWorkload(t *testing.T) {
	s := fleet(t)
	s.commit(3*time.Hour, "settings", "base/settings.yaml", "kind: ConfigMap\nmetadata: {name: settings}\ndata: {a: c}\n")
	s.commit(2*time.Hour, "other", "apps/web/worker.yaml", deploymentOf("worker", "v2"))
	if got := s.suspects("--workload", "Deployment/web", "apps/web"); got[0] != "settings" {
		t.Errorf("suspects are %q", got)
	}
	if got := s.suspects("apps/web"); got[0] != "other" {
		t.Errorf("without the object suspects are %q", got)
	}
	out, err := s.find("--workload", "Deployment/web", "--explain", "apps/web")
	if want := "changes ConfigMap settings in `base/settings.yaml`, which Deployment web uses as configMapRef"; err != nil || !strings.Contains(out, want) {
		t.Errorf("%v, want %q in\n%s", err, want, out)
	}
}

// TestFindLines: one answer for each line, in order, also for bad ones.
func TestFindLines(t *testing.T) {
	s := fleet(t)
	head := s.commit(2*time.Hour, "web", "apps/web/web.yaml", deploymentOf("web", "v2"))
	at := fmt.Sprint(findNoon.Unix())
	cmd := root()
	cmd.SetArgs([]string{"find", "--stdin", "--repo", s.dir})
	cmd.SetIn(strings.NewReader(strings.Join([]string{
		head + "\t" + at + "\tapps/web", "nonsense", head + "\tnoon\tapps/web", strings.Repeat("0", 40) + "\t" + at + "\tapps/web",
		head + "\t" + at + "\t../x", head + "\t" + at + "\tnowhere", head + "\t" + at + "\tapps/api",
	}, "\n")))
	var out bytes.Buffer
	cmd.SetOut(&out)
	if err := cmd.Execute(); err != nil {
		t.Fatal(err)
	}
	want := []string{`"subject":"web"`, "1 columns", "no Unix time", "not a commit", "not a path", "never existed", `"subject":"begin"`}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != len(want) {
		t.Fatalf("%d answers:\n%s", len(lines), out.String())
	}
	for i, line := range lines {
		if !strings.Contains(line, want[i]) || !json.Valid([]byte(line)) {
			t.Errorf("answer %d is %s, want %s", i, line, want[i])
		}
	}
}

func TestFindBadInput(t *testing.T) {
	s := fleet(t)
	second := s.commit(2*time.Hour, "web", "apps/web/web.yaml", deploymentOf("web", "v2"))
	shallow := filepath.Join(t.TempDir(), "shallow")
	s.git(findNoon, "clone", "-q", "--depth", "1", "file://"+s.dir, shallow)
	for _, tt := range []struct{ args, want string }{
		{"", "name the paths"},
		{"--stdin apps/web", "name the paths"},
		{"--limit 0 apps/web", "--limit 0"},
		{"--head nosuch apps/web", "nosuch"},
		{"--good nosuch apps/web", "nosuch"},
		{"--head " + second + "~9 apps/web", "~9"},
		{"--at yesterday apps/web", "is not a time"},
		{"--at 1000 apps/web", "no commit as old"},
		{"--workload web apps/web", "Deployment/web"},
		{"--workload Deployment/nosuch apps/web", "no manifest below"},
		{"nowhere", "never existed"},
		{"/etc", "not a path below"},
		{"--repo " + t.TempDir() + " apps/web", "not in a git repository"},
		{"--repo " + shallow + " apps/web", "shallow"},
	} {
		out, err := s.find(strings.Fields(tt.args)...)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("find %s: %v, want %q\n%s", tt.args, err, tt.want, out)
		}
	}
}
