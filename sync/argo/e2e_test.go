//go:build e2e

package argo

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	argov1 "github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/test/bed"
)

// These tests talk to a real Argo CD v2.14.21 on a real Kubernetes; see package
// bed for what of it is a stand-in (the kubelet is).

// real is a bed, a repository and our client.
type real struct {
	*testing.T
	*bed.Bed
	ctx    context.Context
	server *Server
	url    string // of the repository acme/fleet
	host   string // of its server
	clone  string
}

const namespace = "argo-demo"

func newReal(t *testing.T) *real {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 25*time.Minute)
	t.Cleanup(cancel)
	r := &real{T: t, ctx: ctx}
	b, err := bed.Up(ctx, bed.Options{Argo: true, Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))})
	if err != nil {
		t.Fatal(err)
	}
	r.Bed = b
	t.Cleanup(func() {
		if t.Failed() {
			_ = b.WriteTails(t.Output(), 10)
		}
		_ = b.Down()
	})
	r.serveGit()
	r.server = r.connect(func(c *Config) {})
	r.must(b.Apply(ctx, "apiVersion: v1\nkind: Namespace\nmetadata: {name: "+namespace+"}\n"))
	return r
}

// in is the same bed under a subtest.
func (r *real) in(t *testing.T) *real {
	c := *r
	c.T = t
	return &c
}

func (r *real) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// connect makes a client of the real server.
func (r *real) connect(edit func(*Config)) *Server {
	r.Helper()
	c := Config{
		Cluster: "bed", Server: strings.TrimPrefix(r.Argo.URL, "http://"), PlainText: true, Host: r.host,
		Token: func() (string, error) { return r.Argo.Token, nil },
		Log:   slog.New(slog.NewTextHandler(r.Output(), nil)),
	}
	edit(&c)
	s, err := New(c)
	r.must(err)
	r.Cleanup(func() { _ = s.Close() })
	return s
}

func (r *real) serveGit() {
	r.Helper()
	root := r.TempDir()
	r.clone = filepath.Join(root, "clone")
	r.git(root, "init", "--quiet", "--bare", "--initial-branch=main", "acme/fleet.git")
	r.git(root, "clone", "--quiet", "acme/fleet.git", "clone")
	server := httptest.NewServer(&cgi.Handler{
		Path:       filepath.Join(r.git(root, "--exec-path"), "git-http-backend"),
		Env:        []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1"},
		InheritEnv: []string{"PATH"},
	})
	r.Cleanup(server.Close)
	r.url, r.host = server.URL+"/acme/fleet.git", strings.TrimPrefix(server.URL, "http://")
}

func (r *real) git(dir string, args ...string) string {
	r.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=bed", "GIT_AUTHOR_EMAIL=bed@example.test", "GIT_COMMITTER_NAME=bed", "GIT_COMMITTER_EMAIL=bed@example.test")
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// commit writes files (those with no content are deleted) and pushes.
func (r *real) commit(files map[string]string) bot.SHA {
	r.Helper()
	for name, content := range files {
		path := filepath.Join(r.clone, name)
		if content == "" {
			r.must(os.Remove(path))
			continue
		}
		r.must(os.MkdirAll(filepath.Dir(path), 0o755))
		r.must(os.WriteFile(path, []byte(content), 0o644))
	}
	r.git(r.clone, "add", "--all")
	r.git(r.clone, "commit", "--quiet", "--allow-empty", "--message", "change")
	return r.push()
}

func (r *real) revert(sha bot.SHA) bot.SHA {
	r.Helper()
	r.git(r.clone, "revert", "--no-edit", string(sha))
	return r.push()
}

func (r *real) push() bot.SHA {
	r.Helper()
	r.git(r.clone, "push", "--quiet", "origin", "HEAD:main")
	return bot.SHA(r.git(r.clone, "rev-parse", "HEAD"))
}

// deployment is a manifest that KWOK finds good, or bad when its tag says so.
func deployment(name, tag string) string {
	return fmt.Sprintf(`apiVersion: apps/v1
kind: Deployment
metadata: {name: %[1]s, namespace: %[2]s, labels: {app: %[1]s}}
spec:
  replicas: 1
  progressDeadlineSeconds: 4
  selector: {matchLabels: {app: %[1]s}}
  template:
    metadata: {labels: {app: %[1]s}}
    spec: {containers: [{name: main, image: "registry.example/web:%[3]s"}]}
`, name, namespace, tag)
}

// application delivers apps/<name>; policy is the YAML of spec.syncPolicy.
func (r *real) application(name, policy string) string {
	return fmt.Sprintf(`apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: %s, namespace: argocd}
spec:
  project: default
  source: {repoURL: %q, path: apps/%s, targetRevision: main}
  destination: {server: %q, namespace: %s}
  syncPolicy: %s
`, name, r.url, name, bed.InCluster, namespace, policy)
}

func id(name string) bot.AppID {
	return bot.AppID{Cluster: "bed", Kind: bot.KindApplication, Namespace: "argocd", Name: name}
}

var applications = schema.GroupVersionKind{Group: "argoproj.io", Version: "v1alpha1", Kind: "Application"}

// object reads an Application past Argo's API.
func (r *real) object(name string) *argov1.Application {
	r.Helper()
	c, err := r.Client(applications, "argocd")
	r.must(err)
	u, err := c.Get(r.ctx, name, metav1.GetOptions{})
	r.must(err)
	a := &argov1.Application{}
	text, err := u.MarshalJSON()
	r.must(err)
	r.must(json.Unmarshal(text, a))
	return a
}

// patch is what a person does with kubectl.
func (r *real) patch(kind schema.GroupVersionKind, name, patch string) {
	r.Helper()
	c, err := r.Client(kind, "argocd")
	r.must(err)
	_, err = c.Patch(r.ctx, name, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	r.must(err)
}

// wait observes an App until it is as wanted.
func (r *real) wait(name, what string, ok func(bot.App) bool) bot.App {
	r.Helper()
	var app bot.App
	r.must(r.Wait(r.ctx, name+" "+what, func(ctx context.Context) (done bool, err error) {
		if app, err = r.server.App(ctx, id(name)); err != nil {
			return false, err
		}
		if !ok(app) {
			return false, fmt.Errorf("%+v", app)
		}
		return true, nil
	}))
	return app
}

// runs waits until a commit is proven to be applied and healthy.
func (r *real) runs(name string, sha bot.SHA) bot.App {
	r.Helper()
	return r.wait(name, "to run "+sha.Short(), func(a bot.App) bool {
		return a.Current && a.Synced && a.Revision == sha && a.Health == bot.HealthGood
	})
}

// image is the tag that the cluster runs.
func (r *real) image(name string) string {
	r.Helper()
	d, err := r.Kubernetes().AppsV1().Deployments(namespace).Get(r.ctx, name, metav1.GetOptions{})
	r.must(err)
	_, tag, _ := strings.Cut(d.Spec.Template.Spec.Containers[0].Image, ":")
	return tag
}
