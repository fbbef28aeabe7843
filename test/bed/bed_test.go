//go:build e2e

package bed

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// TestBed is the story that every end-to-end test is a variation of: deploy,
// break, hear of it, revert, hear that it is over.
func TestBed(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	s := &story{T: t, begun: time.Now()}
	b, err := Up(ctx, Options{Flux: true, Argo: true, Metrics: true, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			_ = b.WriteTails(t.Output(), 30)
		}
		_ = b.Down()
	})
	s.Bed = b
	s.phase("up")

	s.origin = newOrigin(t)
	s.pager = newPager(t)
	s.must(b.Alertmanager.RouteTo(ctx, s.pager.URL, s.pager.token))
	s.must(b.Prometheus.SetRules(ctx, "errors", rules))

	good := s.origin.commit("first", s.deployments("web:v1"))
	s.must(b.Apply(ctx, delivery(s.origin.URL)))
	s.applied(ctx, good)
	s.synced(ctx, good)
	s.phase("first deploy healthy")

	bad := s.origin.commit("break it", s.deployments("web:v2-bad"))
	s.refresh(ctx)
	s.pager.want(ctx, b, "firing", fluxNamespace, argoNamespace)
	s.phase("alerts delivered")
	s.broken(ctx, bad)
	s.phase("both broken")

	reverted := s.origin.revert(bad)
	s.refresh(ctx)
	s.applied(ctx, reverted)
	s.synced(ctx, reverted)
	s.phase("both healthy again")
	s.pager.want(ctx, b, "resolved", fluxNamespace, argoNamespace)
	s.phase("alerts resolved")

	s.limitedUser(ctx)
	s.phase("limited user")
	s.serverRestart(ctx)
	s.phase("argocd-server restarted")
	s.sourceSuspended(ctx)
	s.phase("source suspended and resumed")
	s.down()
	s.phase("down")
}

// story is a test with its bed and the things it tells of.
type story struct {
	*testing.T
	*Bed
	origin *origin
	pager  *pager
	begun  time.Time
}

const (
	fluxNamespace = "flux-demo"
	argoNamespace = "argo-demo"
)

var (
	kustomizations = schema.GroupVersionKind{Group: "kustomize.toolkit.fluxcd.io", Version: "v1", Kind: "Kustomization"}
	repositories   = schema.GroupVersionKind{Group: "source.toolkit.fluxcd.io", Version: "v1", Kind: "GitRepository"}
	applications   = schema.GroupVersionKind{Group: "argoproj.io", Version: "v1alpha1", Kind: "Application"}
)

// phase tells how long the story took since the last one.
func (s *story) phase(name string) {
	s.Helper()
	s.T.Logf("phase %-30s %7s", name, time.Since(s.begun).Round(10*time.Millisecond))
	s.begun = time.Now()
}

func (s *story) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *story) get(ctx context.Context, kind schema.GroupVersionKind, namespace, name string) (*unstructured.Unstructured, error) {
	c, err := s.Client(kind, namespace)
	if err != nil {
		return nil, err
	}
	return c.Get(ctx, name, metav1.GetOptions{})
}

func (s *story) patch(ctx context.Context, kind schema.GroupVersionKind, namespace, name, patch string) {
	s.Helper()
	c, err := s.Client(kind, namespace)
	s.must(err)
	_, err = c.Patch(ctx, name, types.MergePatchType, []byte(patch), metav1.PatchOptions{FieldManager: FieldManager})
	s.must(err)
}

// refresh does what a webhook of the git host would.
func (s *story) refresh(ctx context.Context) {
	s.Helper()
	s.patch(ctx, repositories, "flux-system", "fleet",
		fmt.Sprintf(`{"metadata":{"annotations":{%q:%q}}}`, requestedAt, time.Now().Format(time.RFC3339Nano)))
	s.patch(ctx, applications, "argocd", "web", `{"metadata":{"annotations":{"argocd.argoproj.io/refresh":"normal"}}}`)
}

// applied waits until Flux has applied a commit and found it healthy.
func (s *story) applied(ctx context.Context, sha string) {
	s.Helper()
	s.must(s.Wait(ctx, "Flux to apply "+sha, func(ctx context.Context) (bool, error) {
		k, err := s.get(ctx, kustomizations, "flux-system", "web")
		if err != nil {
			return false, err
		}
		revision, _, _ := unstructured.NestedString(k.Object, "status", "lastAppliedRevision")
		ready := Condition(k, "Ready")
		if revision == "main@sha1:"+sha && ready.Status == metav1.ConditionTrue {
			return true, nil
		}
		return false, fmt.Errorf("revision %q, Ready %s %s: %s", revision, ready.Status, ready.Reason, ready.Message)
	}))
}

// synced waits until Argo CD has synced a commit and found it healthy.
func (s *story) synced(ctx context.Context, sha string) { s.Helper(); s.argo(ctx, sha, "Healthy") }

func (s *story) argo(ctx context.Context, sha, health string) {
	s.Helper()
	s.must(s.Wait(ctx, "Argo CD to find "+sha+" "+health, func(ctx context.Context) (bool, error) {
		a, err := s.get(ctx, applications, "argocd", "web")
		if err != nil {
			return false, err
		}
		status := func(path ...string) string {
			v, _, _ := unstructured.NestedString(a.Object, append([]string{"status"}, path...)...)
			return v
		}
		got := strings.Join([]string{
			status("sync", "revision"), status("sync", "status"), status("operationState", "phase"), status("health", "status"),
		}, " ")
		if want := sha + " Synced Succeeded " + health; got != want {
			return false, fmt.Errorf("%q, want %q", got, want)
		}
		return true, nil
	}))
}

// broken waits until both have found a commit to be bad.
func (s *story) broken(ctx context.Context, sha string) {
	s.Helper()
	s.argo(ctx, sha, "Degraded")
	s.must(s.Wait(ctx, "Flux to give up on "+sha, func(ctx context.Context) (bool, error) {
		k, err := s.get(ctx, kustomizations, "flux-system", "web")
		if err != nil {
			return false, err
		}
		attempted, _, _ := unstructured.NestedString(k.Object, "status", "lastAttemptedRevision")
		ready := Condition(k, "Ready")
		if attempted == "main@sha1:"+sha && ready.Status == metav1.ConditionFalse && ready.Reason == "HealthCheckFailed" {
			return true, nil
		}
		return false, fmt.Errorf("attempted %q, Ready %s %s: %s", attempted, ready.Status, ready.Reason, ready.Message)
	}))
}

// limitedUser may do nothing, then what RBAC says, and the audit log has both.
func (s *story) limitedUser(ctx context.Context) {
	s.Helper()
	path, err := s.KubeconfigFor("backout")
	s.must(err)
	config, err := clientcmd.BuildConfigFromFlags("", path)
	s.must(err)
	kube, err := kubernetes.NewForConfig(config)
	s.must(err)
	scale := func() error {
		_, err := kube.AppsV1().Deployments(fluxNamespace).Patch(ctx, "web", types.MergePatchType,
			[]byte(`{"metadata":{"annotations":{"touched":"yes"}}}`), metav1.PatchOptions{})
		return err
	}
	if err := scale(); !apierrors.IsForbidden(err) {
		s.Fatalf("a user without a role: got %v, want forbidden", err)
	}
	s.must(s.Apply(ctx, role))
	s.must(s.Wait(ctx, "the role to be in force", func(context.Context) (bool, error) { err := scale(); return err == nil, err }))
	writes, err := s.Writes("backout")
	s.must(err)
	first, last := writes[0], writes[len(writes)-1]
	if first.Code != http.StatusForbidden || last.Code != http.StatusOK || last.Verb != "patch" ||
		last.Resource != "deployments" || last.Name != "web" || !strings.Contains(string(last.Body), "touched") {
		s.Errorf("writes of the limited user: %+v", writes)
	}
}

// serverRestart takes Argo's API server away and brings it back where it was.
func (s *story) serverRestart(ctx context.Context) {
	s.Helper()
	url := s.Argo.URL + "/api/v1/applications/web"
	s.must(call(ctx, http.MethodGet, url, s.Argo.Token, nil, nil))
	s.Argo.Server.Stop()
	if err := call(ctx, http.MethodGet, url, s.Argo.Token, nil, nil); !errors.Is(err, syscall.ECONNREFUSED) {
		s.Errorf("a stopped server: got %v, want connection refused", err)
	}
	s.must(s.Argo.Server.Start(ctx))
	s.must(call(ctx, http.MethodGet, url, s.Argo.Token, nil, nil))
	syncer, err := s.Argo.TokenFor(ctx, "syncer")
	s.must(err)
	s.must(call(ctx, http.MethodGet, url, syncer, nil, nil))
	if err := call(ctx, http.MethodDelete, url, syncer, nil, nil); err == nil {
		s.Error("account syncer may delete an application")
	}
}

// sourceSuspended sees that the stand-in does nothing while it is suspended.
func (s *story) sourceSuspended(ctx context.Context) {
	s.Helper()
	s.patch(ctx, repositories, "flux-system", "fleet", `{"spec":{"suspend":true}}`)
	sha := s.origin.commit("while suspended", map[string]string{"README.md": "nothing that is delivered\n"})
	s.refresh(ctx)
	s.synced(ctx, sha) // Argo has seen it, so Flux has had the time
	r, err := s.get(ctx, repositories, "flux-system", "fleet")
	s.must(err)
	if revision, _, _ := unstructured.NestedString(r.Object, "status", "artifact", "revision"); strings.HasSuffix(revision, sha) {
		s.Errorf("a suspended source has published %s", revision)
	}
	s.patch(ctx, repositories, "flux-system", "fleet", `{"spec":{"suspend":false}}`)
	s.applied(ctx, sha)
}

// down takes all away and looks for what is left.
func (s *story) down() {
	s.Helper()
	pids := map[string]int{}
	for _, p := range s.Programs() {
		pids[p.Name()] = p.Pid()
		if p.Pid() == 0 || syscall.Kill(p.Pid(), 0) != nil {
			s.Errorf("%s does not run", p.Name())
		}
	}
	s.must(s.Down())
	for name, pid := range pids {
		if err := syscall.Kill(-pid, 0); !errors.Is(err, syscall.ESRCH) {
			s.Errorf("%s is left with process group %d (%v)", name, pid, err)
		}
	}
	if _, err := os.Stat(s.Dir()); !errors.Is(err, os.ErrNotExist) {
		s.Errorf("the bed's folder is left: %v", err)
	}
	s.must(s.Down()) // again
	if err := s.Argo.Server.Start(context.Background()); !errors.Is(err, errDown) {
		s.Errorf("start in a bed that is down: got %v", err)
	}
}
