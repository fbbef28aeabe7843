// Package build makes the programs of the test bed from their published Go
// modules and keeps them in a cache outside the repository, so that only a
// first run pays for the fourteen minutes of compiling.
//
// Each component has a nested module under test/bed/modules which pins it and
// everything it is linked with: they want different versions of Kubernetes and
// could not share one go.mod. A component's folder in the cache is named after
// its version and a hash of its recipe, so a changed pin is built anew and an
// old one is never mistaken for it.
//
// The package uses the standard library only: the command that fills the cache
// must not itself wait for client-go to compile.
package build

// component is one nested module and what the bed takes from it.
type component struct {
	name     string   // folder under modules, and prefix of the cache folder
	module   string   // module that gives the component its version
	commands []string // main packages to link
	binaries []string // what each is called, same order
	ldflags  []string // beyond -s -w; {version} {major} {minor} are filled in
	files    []string // patterns of files to copy out of the module's own tree
	crds     []string // API packages to make CustomResourceDefinitions from
}

// components in the order in which a cold cache is filled, the quick first.
var components = [...]component{
	{
		name:     "etcd",
		module:   "go.etcd.io/etcd/server/v3",
		commands: []string{"go.etcd.io/etcd/server/v3"},
		binaries: []string{"etcd"},
	},
	{
		// source-controller and helm-controller cannot be built from what
		// the module proxy offers, only their API packages can.
		name:   "flux-crds",
		module: "github.com/fluxcd/source-controller/api",
		crds: []string{
			"github.com/fluxcd/source-controller/api/v1",
			"github.com/fluxcd/helm-controller/api/v2",
		},
	},
	{
		name:     "kwok",
		module:   "sigs.k8s.io/kwok",
		commands: []string{"sigs.k8s.io/kwok/cmd/kwok"},
		binaries: []string{"kwok"},
		files: []string{
			"kustomize/stage/node/fast/node-*.yaml",
			"kustomize/stage/node/heartbeat-with-lease/node-*.yaml",
			"kustomize/stage/pod/fast/pod-*.yaml",
		},
	},
	{
		name:   "kubernetes",
		module: "k8s.io/kubernetes",
		commands: []string{
			"k8s.io/kubernetes/cmd/kube-apiserver",
			"k8s.io/kubernetes/cmd/kube-controller-manager",
			"k8s.io/kubernetes/cmd/kube-scheduler",
		},
		binaries: []string{"kube-apiserver", "kube-controller-manager", "kube-scheduler"},
		// Without a version the API server calls itself v0.0.0 and
		// clients that check it refuse to work.
		ldflags: []string{
			"-X k8s.io/component-base/version.gitVersion={version}",
			"-X k8s.io/component-base/version.gitMajor={major}",
			"-X k8s.io/component-base/version.gitMinor={minor}",
			"-X k8s.io/client-go/pkg/version.gitVersion={version}",
			"-X k8s.io/client-go/pkg/version.gitMajor={major}",
			"-X k8s.io/client-go/pkg/version.gitMinor={minor}",
		},
	},
	{
		name:     "kustomize-controller",
		module:   "github.com/fluxcd/kustomize-controller",
		commands: []string{"github.com/fluxcd/kustomize-controller"},
		binaries: []string{"kustomize-controller"},
		files:    []string{"config/crd/bases/*.yaml"},
	},
	{
		// One binary, whose role is chosen by its environment.
		name:     "argo-cd",
		module:   "github.com/argoproj/argo-cd/v2",
		commands: []string{"github.com/argoproj/argo-cd/v2/cmd"},
		binaries: []string{"argocd"},
		ldflags:  []string{"-X github.com/argoproj/argo-cd/v2/common.version={version#v}"},
		files:    []string{"manifests/crds/*-crd.yaml"},
	},
}
