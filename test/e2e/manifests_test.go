//go:build e2e

package e2e

import "strings"

const namespaceManifest = `
apiVersion: v1
kind: Namespace
metadata: {name: STORY}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: backout, namespace: STORY}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: backout}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: USER}]
`

// workloadRole is what the package comment of sync/workload asks for, and
// fluxRole that and what sync/flux asks for, to hold and in one namespace.
const (
	workloadRole = `
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: backout, namespace: STORY}
rules:
- {apiGroups: [""], resources: [pods], verbs: [get, list]}
- {apiGroups: [apps], resources: [deployments, replicasets, statefulsets, daemonsets], verbs: [get]}
- {apiGroups: [apps], resources: [replicasets, controllerrevisions], verbs: [list]}
- {apiGroups: [batch], resources: [jobs, cronjobs], verbs: [get]}
`
	fluxRole = workloadRole + `
- {apiGroups: [kustomize.toolkit.fluxcd.io], resources: [kustomizations], verbs: [get, list, patch]}
- {apiGroups: [helm.toolkit.fluxcd.io], resources: [helmreleases], verbs: [get, list, patch]}
- {apiGroups: [source.toolkit.fluxcd.io], resources: [gitrepositories], verbs: [get, list, patch]}
- {apiGroups: [source.toolkit.fluxcd.io], resources: [helmcharts], verbs: [get, list]}
- {apiGroups: [image.toolkit.fluxcd.io], resources: [imageupdateautomations], verbs: [get, list, patch]}
- {apiGroups: [image.toolkit.fluxcd.io], resources: [imagepolicies], verbs: [get]}
- {apiGroups: [apps], resources: [deployments, statefulsets, daemonsets], verbs: [list]}
`
)

// Flux delivers apps/APP. The source fetches when it is asked to and no sooner,
// so that a story decides what Flux sees when.
const (
	sourceManifest = `
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: fleet, namespace: STORY}
spec: {interval: 1h, url: "REPOSITORY", ref: {branch: main}}
`
	kustomizationManifest = `
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: APP, namespace: STORY}
spec:
  interval: 1h
  retryInterval: 2s
  timeout: 30s
  path: ./apps/APP
  prune: true
  wait: true
  sourceRef: {kind: GitRepository, name: fleet}
`
)

// Argo CD delivers apps/APP, by itself.
const (
	projectManifest = `
apiVersion: argoproj.io/v1alpha1
kind: AppProject
metadata: {name: STORY, namespace: argocd}
spec:
  sourceRepos: ["REPOSITORY"]
  destinations: [{namespace: STORY, server: "*"}]
`
	applicationManifest = `
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: STORY-APP, namespace: argocd}
spec:
  project: STORY
  source: {repoURL: "REPOSITORY", path: apps/APP, targetRevision: main}
  destination: {server: "https://kubernetes.default.svc", namespace: STORY}
  syncPolicy: {automated: {prune: true, selfHeal: true}}
`
)

// deployment is the manifest of a story's app. A bad one fails within seconds.
func deployment(story, app, image string) string {
	return strings.NewReplacer("APP", app, "STORY", story, "IMAGE", image).Replace(`apiVersion: apps/v1
kind: Deployment
metadata: {name: APP, namespace: STORY, labels: {app: APP}}
spec:
  replicas: 2
  progressDeadlineSeconds: 4
  selector: {matchLabels: {app: APP}}
  template:
    metadata: {labels: {app: APP}}
    spec: {containers: [{name: main, image: "IMAGE"}]}
`)
}

// manifestOf is where an app's manifest stands in the repository.
func manifestOf(app string) string { return "apps/" + app + "/deploy.yaml" }
