package app

import (
	"fmt"
	"os"
	"strings"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/sync/argo"
	"github.com/backout-dev/backout/sync/flux"
	"github.com/backout-dev/backout/sync/workload"
)

// fleet connects the configured clusters. Nothing is sent yet: a cluster that
// is down must not keep the bot from starting.
func (a *App) fleet() (*bot.Fleet, error) {
	f := &bot.Fleet{Workloads: map[string]bot.Workloads{}}
	for i, c := range a.cfg.Clusters {
		where := fmt.Sprintf("clusters[%d] (%s)", i, c.Name)
		cfg, err := restConfig(c)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", where, err)
		}
		w, err := workload.New(workload.Config{Cluster: c.Name, REST: cfg, Now: a.opts.Now, Log: a.log})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", where, err)
		}
		f.Workloads[c.Name] = w
		if c.Flux != nil {
			d, err := flux.New(flux.Config{Cluster: c.Name, Host: a.host(), Namespaces: c.Flux.Namespaces, REST: cfg, Log: a.log})
			if err != nil {
				return nil, fmt.Errorf("%s.flux: %w", where, err)
			}
			f.Deployers, f.Images = append(f.Deployers, d), append(f.Images, d)
		}
		if c.ArgoCD != nil {
			d, err := a.argo(c)
			if err != nil {
				return nil, fmt.Errorf("%s.argocd: %w", where, err)
			}
			f.Deployers, f.Images = append(f.Deployers, d), append(f.Images, d)
			a.close = append(a.close, d.Close)
		}
	}
	return f, nil
}

// restConfig reads how to reach a cluster.
func restConfig(c Cluster) (*rest.Config, error) {
	if c.InCluster {
		cfg, err := rest.InClusterConfig()
		if err != nil {
			return nil, fmt.Errorf("in_cluster: %w", err)
		}
		return cfg, nil
	}
	cfg, err := clientcmd.BuildConfigFromFlags("", c.KubeconfigFile)
	if err != nil {
		return nil, fmt.Errorf("kubeconfig_file: %w", err)
	}
	return cfg, nil
}

func (a *App) argo(c Cluster) (*argo.Server, error) {
	return argo.New(argo.Config{
		Cluster: c.Name, Server: c.ArgoCD.Server, PlainText: c.ArgoCD.PlainText, Insecure: c.ArgoCD.Insecure,
		CAFile: c.ArgoCD.CAFile, GRPCWeb: c.ArgoCD.GRPCWeb, Host: a.host(),
		Projects: c.ArgoCD.Projects, Namespaces: c.ArgoCD.Namespace, Now: a.opts.Now, Log: a.log,
		// Read each time, so that a rotated token needs no restart.
		Token: func() (string, error) {
			b, err := os.ReadFile(c.ArgoCD.TokenFile)
			if err != nil {
				return "", fmt.Errorf("read Argo CD token: %w", err)
			}
			return strings.TrimSpace(string(b)), nil
		},
	})
}
