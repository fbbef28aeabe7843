package bed

import (
	"context"
	"net/http"
	"strconv"
)

// Flux is kustomize-controller with the definitions of Flux's resources, and
// the stand-in for its source-controller.
type Flux struct {
	Namespace  string // flux-system
	Controller *Program
	Source     *Source
}

func (b *Bed) startFlux(ctx context.Context) error {
	manifests := []string{namespace("flux-system")}
	for _, component := range []string{"flux-crds", "kustomize-controller"} {
		files, err := b.tools.Files(component)
		if err != nil {
			return err
		}
		for _, f := range files {
			manifests = append(manifests, string(f))
		}
	}
	if err := b.Apply(ctx, manifests...); err != nil {
		return err
	}
	source, err := b.startSource()
	if err != nil {
		return err
	}
	b.Flux = &Flux{Namespace: "flux-system", Source: source}
	b.Flux.Controller, err = b.progs.start(ctx, launch{
		name: "kustomize-controller", path: b.tools.Binary("kustomize-controller"), ports: 2,
		env: b.env("RUNTIME_NAMESPACE=flux-system", "KUBECONFIG="+b.Kubeconfig()),
		args: func(p []int) []string {
			return []string{
				"--watch-all-namespaces", "--enable-leader-election=false", "--log-encoding=console",
				"--metrics-addr=127.0.0.1:" + strconv.Itoa(p[0]), "--health-addr=127.0.0.1:" + strconv.Itoa(p[1]),
			}
		},
		ready: func(ctx context.Context, p []int) error {
			return get(ctx, http.DefaultClient, loopback(p[1])+"/readyz")
		},
	})
	return err
}

// namespace is the manifest of one.
func namespace(name string) string {
	return "apiVersion: v1\nkind: Namespace\nmetadata: {name: " + name + "}\n"
}
