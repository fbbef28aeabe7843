package bed

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	_ "embed"
	"fmt"
	"net/http"
	"strconv"

	"golang.org/x/sync/errgroup"
)

//go:embed manifests/audit-policy.yaml
var auditPolicy string

// startAPI starts etcd and the API server, and makes the clients.
func (b *Bed) startAPI(ctx context.Context) error {
	var port int
	_, err := b.progs.start(ctx, launch{
		name: "etcd", path: b.tools.Binary("etcd"), ports: 2, env: b.env(),
		args: func(p []int) []string {
			client, peer := loopback(p[0]), loopback(p[1])
			port = p[0]
			return []string{
				"--data-dir=" + b.path("data", "etcd"), "--unsafe-no-fsync",
				"--listen-client-urls=" + client, "--advertise-client-urls=" + client,
				"--listen-peer-urls=" + peer, "--initial-advertise-peer-urls=" + peer,
				"--initial-cluster=default=" + peer,
			}
		},
		ready: func(ctx context.Context, p []int) error {
			return get(ctx, http.DefaultClient, loopback(p[0])+"/health")
		},
	})
	if err != nil {
		return err
	}
	if err := b.writeKeys(); err != nil {
		return err
	}
	return b.startAPIServer(ctx, loopback(port))
}

// writeKeys writes what the servers of the control plane need in files.
func (b *Bed) writeKeys() error {
	servers, err := b.ca.forServers()
	if err != nil {
		return fmt.Errorf("make the servers' certificate: %w", err)
	}
	accounts, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("make the key of service accounts: %w", err)
	}
	key, err := keyPEM(accounts)
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{
		"ca.crt": b.ca.pem, "server.crt": servers.cert, "server.key": servers.key,
		"accounts.key": key, "audit-policy.yaml": []byte(auditPolicy),
	} {
		if _, err := b.write(name, content); err != nil {
			return err
		}
	}
	return nil
}

func (b *Bed) startAPIServer(ctx context.Context, etcd string) error {
	_, err := b.progs.start(ctx, launch{
		name: "kube-apiserver", path: b.tools.Binary("kube-apiserver"), ports: 1, env: b.env(),
		args: func(p []int) []string {
			return []string{
				"--etcd-servers=" + etcd,
				"--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", "--secure-port=" + strconv.Itoa(p[0]),
				"--tls-cert-file=" + b.path("config", "server.crt"), "--tls-private-key-file=" + b.path("config", "server.key"),
				"--client-ca-file=" + b.path("config", "ca.crt"), "--authorization-mode=RBAC",
				"--service-cluster-ip-range=10.96.0.0/16", "--allow-privileged=true",
				"--service-account-issuer=https://kubernetes.default.svc",
				"--service-account-key-file=" + b.path("config", "accounts.key"),
				"--service-account-signing-key-file=" + b.path("config", "accounts.key"),
				// No kubelet mounts a token; without it a pod need not wait for one.
				"--disable-admission-plugins=ServiceAccount",
				"--endpoint-reconciler-type=none",
				"--audit-policy-file=" + b.path("config", "audit-policy.yaml"), "--audit-log-path=" + b.AuditLog(),
				"--profiling=false", "--v=1",
			}
		},
		ready: func(ctx context.Context, p []int) error {
			if b.server != https(p[0]) {
				b.server = https(p[0])
				if err := b.connect(); err != nil {
					return err
				}
			}
			return b.kube.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
		},
	})
	return err
}

// startControllers starts what makes the objects of the cluster move.
func (b *Bed) startControllers(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		return b.startController(ctx, "kube-controller-manager", "--use-service-account-credentials=true",
			"--service-account-private-key-file="+b.path("config", "accounts.key"), "--root-ca-file="+b.path("config", "ca.crt"),
			// KWOK's lease may be late on a loaded machine; nothing here tests lost nodes.
			"--node-monitor-grace-period=1h",
			// The usual rate makes it take 5 s to start its own controllers.
			"--kube-api-qps=500", "--kube-api-burst=500",
			"--controllers=*,-node-ipam-controller,-cloud-node-lifecycle-controller,-service-lb-controller,-node-route-controller")
	})
	g.Go(func() error { return b.startController(ctx, "kube-scheduler") })
	g.Go(func() error { return b.startNode(ctx) })
	return g.Wait()
}

// startController starts a program of Kubernetes that is a user named after it.
func (b *Bed) startController(ctx context.Context, name string, flags ...string) error {
	config, err := b.KubeconfigFor("system:" + name)
	if err != nil {
		return err
	}
	trusting, err := b.ca.client()
	if err != nil {
		return err
	}
	_, err = b.progs.start(ctx, launch{
		name: name, path: b.tools.Binary(name), ports: 1, env: b.env(),
		args: func(p []int) []string {
			return append([]string{
				"--kubeconfig=" + config, "--authentication-kubeconfig=" + config, "--authorization-kubeconfig=" + config,
				"--bind-address=127.0.0.1", "--secure-port=" + strconv.Itoa(p[0]),
				"--tls-cert-file=" + b.path("config", "server.crt"), "--tls-private-key-file=" + b.path("config", "server.key"),
				"--leader-elect=false", "--profiling=false", "--v=1",
			}, flags...)
		},
		ready: func(ctx context.Context, p []int) error { return get(ctx, trusting, https(p[0])+"/healthz") },
	})
	return err
}
