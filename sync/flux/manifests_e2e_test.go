//go:build e2e

package flux

import "strings"

// grants are the permissions that the package comment lists, for a user who
// holds and one who only looks.
const grants = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: backout-observe}
rules:
- {apiGroups: [kustomize.toolkit.fluxcd.io], resources: [kustomizations], verbs: [get, list]}
- {apiGroups: [helm.toolkit.fluxcd.io], resources: [helmreleases], verbs: [get, list]}
- {apiGroups: [source.toolkit.fluxcd.io], resources: [gitrepositories, helmcharts], verbs: [get, list]}
- {apiGroups: [apps], resources: [deployments, statefulsets, daemonsets], verbs: [list]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: backout-act}
rules:
- {apiGroups: [kustomize.toolkit.fluxcd.io], resources: [kustomizations], verbs: [patch]}
- {apiGroups: [helm.toolkit.fluxcd.io], resources: [helmreleases], verbs: [patch]}
- {apiGroups: [source.toolkit.fluxcd.io], resources: [gitrepositories], verbs: [patch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: backout-observe}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: backout-observe}
subjects:
- {apiGroup: rbac.authorization.k8s.io, kind: User, name: backout}
- {apiGroup: rbac.authorization.k8s.io, kind: User, name: viewer}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: backout-act}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: backout-act}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: backout}]
`

// bootstrap brings the repository into the cluster: Kustomization root, which
// delivers the others.
func bootstrap(url string) string {
	return strings.ReplaceAll(`
apiVersion: v1
kind: Namespace
metadata: {name: demo}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: fleet, namespace: flux-system}
spec: {interval: 30m, url: "URL", ref: {branch: main}}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: root, namespace: flux-system}
spec: {interval: 30m, retryInterval: 5s, path: ./clusters/prod, prune: true, sourceRef: {kind: GitRepository, name: fleet}}
`, "URL", url)
}

// A Kustomization as the repository has it; suspend is a line of its spec, or
// empty.
func kustomizationFile(name, suspend string) string {
	return strings.NewReplacer("NAME", name, "SUSPEND", suspend).Replace(`
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: NAME, namespace: flux-system}
spec:
  interval: 30m
  retryInterval: 2s
  timeout: 30s
  path: ./apps/NAME
  prune: true
  wait: true
  SUSPEND
  sourceRef: {kind: GitRepository, name: fleet}
`)
}

func deploymentFile(name, image string) string {
	return strings.NewReplacer("NAME", name, "IMAGE", image).Replace(`
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME, namespace: demo}
spec:
  replicas: 2
  progressDeadlineSeconds: 4
  selector: {matchLabels: {app: NAME}}
  template:
    metadata: {labels: {app: NAME}}
    spec: {containers: [{name: app, image: "registry.example/IMAGE"}]}
`)
}

const releaseFile = `
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: shop, namespace: demo}
spec:
  interval: 30m
  chart: {spec: {chart: shop, sourceRef: {kind: HelmRepository, name: charts, namespace: flux-system}}}
  values: {unknownToUs: {kept: true}}
`
