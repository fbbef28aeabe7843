package bed

import (
	"context"
	"crypto/rand"
	_ "embed"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strconv"

	"golang.org/x/crypto/bcrypt"
	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

//go:embed manifests/argo.yaml
var argoManifest string

// Argo is Argo CD without TLS, without Dex and without the controllers for
// ApplicationSets and notifications. It compares with git every 30 s, or when
// it is told to.
type Argo struct {
	URL       string // of the API server, http
	Namespace string // argocd, where Applications live
	Token     string // of account bot, which may do everything with applications

	Server     *Program
	Controller *Program
	RepoServer *Program

	bed      *Bed
	password string // of account admin
	redis    int    // port
	repo     int    // port of the repo server
}

// InCluster is the destination of an Application that deploys to the bed.
const InCluster = "https://kubernetes.default.svc"

// startBackends starts what needs no Kubernetes: Redis and the repo server.
func (a *Argo) startBackends(ctx context.Context) error {
	redis, err := exec.LookPath("redis-server")
	if err != nil {
		return fmt.Errorf("find Redis (Debian package redis-server): %w", err)
	}
	for _, d := range []string{"tls", "ssh", "gpg/keys", "gpg/source", "plugins"} {
		if err := os.MkdirAll(a.bed.path("data", "argo", d), 0o700); err != nil {
			return err
		}
	}
	if err := os.WriteFile(a.bed.path("data", "argo", "ssh", "ssh_known_hosts"), nil, 0o600); err != nil {
		return err
	}
	_, err = a.bed.progs.start(ctx, launch{
		name: "redis", path: redis, ports: 1, env: a.bed.env(),
		args: func(p []int) []string {
			a.redis = p[0]
			return []string{
				"--bind", "127.0.0.1", "--port", strconv.Itoa(p[0]),
				"--save", "", "--appendonly", "no", "--dir", a.bed.path("data", "argo"),
			}
		},
		ready: func(ctx context.Context, p []int) error { return ping(ctx, p[0]) },
	})
	if err != nil {
		return err
	}
	a.RepoServer, err = a.bed.progs.start(ctx, a.launch("argocd-repo-server", func(p []int) []string {
		a.repo = p[0]
		return []string{
			"--address=127.0.0.1", "--port=" + strconv.Itoa(p[0]), "--disable-tls",
			"--metrics-address=127.0.0.1", "--metrics-port=" + strconv.Itoa(p[1]),
			"--redis=127.0.0.1:" + strconv.Itoa(a.redis),
		}
	}, func(ctx context.Context, p []int) error {
		return get(ctx, http.DefaultClient, loopback(p[1])+"/healthz?full=true")
	}))
	return err
}

// start installs Argo CD into the cluster and starts what talks to it.
func (a *Argo) start(ctx context.Context, backends <-chan struct{}) error {
	if err := a.install(ctx); err != nil {
		return err
	}
	select {
	case <-backends:
	case <-ctx.Done():
		return ctx.Err()
	}
	shared := []string{
		"--namespace=" + a.Namespace, "--redis=127.0.0.1:" + strconv.Itoa(a.redis),
		"--repo-server=127.0.0.1:" + strconv.Itoa(a.repo), "--repo-server-plaintext",
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		a.Controller, err = a.bed.progs.start(ctx, a.launch("argocd-application-controller", func(p []int) []string {
			return append([]string{
				"--metrics-port=" + strconv.Itoa(p[0]), "--app-resync=30",
				"--status-processors=5", "--operation-processors=5",
			}, shared...)
		}, func(ctx context.Context, p []int) error {
			return get(ctx, http.DefaultClient, loopback(p[0])+"/healthz")
		}))
		return err
	})
	g.Go(func() (err error) {
		a.Server, err = a.bed.progs.start(ctx, a.launch("argocd-server", func(p []int) []string {
			a.URL = loopback(p[0])
			return append([]string{
				"--insecure", "--address=127.0.0.1", "--port=" + strconv.Itoa(p[0]),
				"--metrics-address=127.0.0.1", "--metrics-port=" + strconv.Itoa(p[1]),
				"--dex-server=http://127.0.0.1:1", // nobody is there
			}, shared...)
		}, func(ctx context.Context, p []int) error {
			return get(ctx, http.DefaultClient, loopback(p[0])+"/healthz")
		}))
		if err != nil {
			return err
		}
		a.Token, err = a.TokenFor(ctx, "bot")
		return err
	})
	return g.Wait()
}

// launch is Argo's one binary in one of its roles.
func (a *Argo) launch(role string, args func([]int) []string, ready func(context.Context, []int) error) launch {
	data := func(d string) string { return a.bed.path("data", "argo", d) }
	return launch{
		name: role, path: a.bed.tools.Binary("argocd"), ports: 2, args: args, ready: ready,
		env: a.bed.env(
			"ARGOCD_BINARY_NAME="+role, "ARGOCD_FAKE_IN_CLUSTER=true", "KUBECONFIG="+a.bed.Kubeconfig(),
			"ARGOCD_TLS_DATA_PATH="+data("tls"), "ARGOCD_SSH_DATA_PATH="+data("ssh"),
			"ARGOCD_GPG_ENABLED=false", "ARGOCD_GNUPGHOME="+data("gpg/keys"), "ARGOCD_GPG_DATA_PATH="+data("gpg/source"),
			"ARGOCD_PLUGINSOCKFILEPATH="+data("plugins"), "HOSTNAME="+role, "GIT_CONFIG_NOSYSTEM=1",
		),
	}
}

// install applies the definitions and what Argo CD wants to find.
func (a *Argo) install(ctx context.Context) error {
	files, err := a.bed.tools.Files("argo-cd")
	if err != nil {
		return err
	}
	manifests := []string{namespace(a.Namespace)}
	for _, f := range files {
		manifests = append(manifests, string(f))
	}
	if err := a.bed.Apply(ctx, append(manifests, argoManifest)...); err != nil {
		return err
	}
	a.password = rand.Text()
	hash, err := bcrypt.GenerateFromPassword([]byte(a.password), bcrypt.MinCost)
	if err != nil {
		return fmt.Errorf("hash Argo's password: %w", err)
	}
	_, err = a.bed.kube.CoreV1().Secrets(a.Namespace).Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Name:   "argocd-secret",
			Labels: map[string]string{"app.kubernetes.io/part-of": "argocd", "app.kubernetes.io/name": "argocd-secret"},
		},
		StringData: map[string]string{
			"admin.password":      string(hash),
			"admin.passwordMtime": "2026-01-01T00:00:00Z",
			"server.secretkey":    rand.Text() + rand.Text(),
		},
	}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("create Argo's secret: %w", err)
	}
	return nil
}

// TokenFor makes a new token for one of the accounts bot and syncer.
func (a *Argo) TokenFor(ctx context.Context, account string) (string, error) {
	var session, made struct{ Token string }
	err := a.bed.Wait(ctx, "a session with Argo CD", func(ctx context.Context) (bool, error) {
		err := call(ctx, http.MethodPost, a.URL+"/api/v1/session", "",
			map[string]string{"username": "admin", "password": a.password}, &session)
		return err == nil, err
	})
	if err != nil {
		return "", err
	}
	err = call(ctx, http.MethodPost, a.URL+"/api/v1/account/"+account+"/token", session.Token, map[string]any{}, &made)
	if err != nil {
		return "", fmt.Errorf("make a token for account %s: %w", account, err)
	}
	return made.Token, nil
}
