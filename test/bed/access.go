package bed

import (
	"fmt"
	"os"
	"strings"

	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// masters is the group that every cluster lets do everything.
const masters = "system:masters"

// RESTConfig is that of an administrator, without a client-side rate limit. The
// caller owns it.
func (b *Bed) RESTConfig() *rest.Config { return rest.CopyConfig(b.rest) }

// Kubernetes is an administrator's client.
func (b *Bed) Kubernetes() kubernetes.Interface { return b.kube }

// Dynamic is an administrator's client for objects of any kind.
func (b *Bed) Dynamic() dynamic.Interface { return b.dynamic }

// Kubeconfig is the path of an administrator's kubeconfig.
func (b *Bed) Kubeconfig() string { return b.kubeconfigPath("admin") }

// KubeconfigFor writes a kubeconfig for a user, who may do what RBAC grants to
// that name and those groups: nothing, before the test binds a role. It returns
// the file's path.
func (b *Bed) KubeconfigFor(user string, groups ...string) (string, error) {
	p, err := b.ca.forUser(user, groups...)
	if err != nil {
		return "", fmt.Errorf("make a certificate for %s: %w", user, err)
	}
	c := clientcmdapi.Config{
		Clusters: map[string]*clientcmdapi.Cluster{
			"bed": {Server: b.server, CertificateAuthorityData: b.ca.pem},
		},
		AuthInfos: map[string]*clientcmdapi.AuthInfo{
			user: {ClientCertificateData: p.cert, ClientKeyData: p.key},
		},
		Contexts:       map[string]*clientcmdapi.Context{"bed": {Cluster: "bed", AuthInfo: user}},
		CurrentContext: "bed",
	}
	path := b.kubeconfigPath(user)
	if err := clientcmd.WriteToFile(c, path); err != nil {
		return "", fmt.Errorf("write a kubeconfig for %s: %w", user, err)
	}
	return path, nil
}

func (b *Bed) kubeconfigPath(user string) string {
	return b.path("config", strings.ReplaceAll(user, ":", "_")+".kubeconfig")
}

// connect makes the administrator's clients.
func (b *Bed) connect() error {
	path, err := b.KubeconfigFor("admin", masters)
	if err != nil {
		return err
	}
	if b.rest, err = clientcmd.BuildConfigFromFlags("", path); err != nil {
		return err
	}
	b.rest.QPS = -1
	b.rest.WarningHandler = rest.NoWarnings{}
	if b.kube, err = kubernetes.NewForConfig(b.rest); err != nil {
		return err
	}
	if b.dynamic, err = dynamic.NewForConfig(b.rest); err != nil {
		return err
	}
	b.mapper = restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(b.kube.Discovery()))
	return nil
}

// write puts a file into the bed's config folder and returns its path.
func (b *Bed) write(name string, content []byte) (string, error) {
	path := b.path("config", name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		return "", fmt.Errorf("write %s: %w", name, err)
	}
	return path, nil
}

// env is the whole environment of a program: its home and its temporary files
// are in the bed's folder, and no proxy stands between loopback and loopback.
func (b *Bed) env(more ...string) []string {
	return append([]string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=" + b.path("home"),
		"TMPDIR=" + b.path("tmp"),
	}, more...)
}
