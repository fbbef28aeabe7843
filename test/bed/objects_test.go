//go:build e2e

package bed

import (
	"fmt"
	"strings"
)

const rules = `
groups:
  - name: errors
    rules:
      - alert: HighErrorRate
        expr: |
          sum by (namespace, deployment) (rate(http_requests_total{code="500"}[5s]))
            / sum by (namespace, deployment) (rate(http_requests_total[5s])) > 0.1
        labels: {severity: page}
`

const role = `
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: backout, namespace: flux-demo}
rules: [{apiGroups: [apps], resources: [deployments], verbs: [get, patch]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: backout, namespace: flux-demo}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: backout}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: backout}]
`

const deployment = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: NAMESPACE, labels: {app: web}}
spec:
  replicas: 2
  progressDeadlineSeconds: 4
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "registry.example/IMAGE"}]}
`

// deployments are the files of a repository that delivers the image twice, once
// through Flux and once through Argo CD.
func (s *story) deployments(image string) map[string]string {
	in := func(ns string) string {
		return strings.NewReplacer("NAMESPACE", ns, "IMAGE", image).Replace(deployment)
	}
	return map[string]string{
		"apps/flux/deploy.yaml":        in(fluxNamespace),
		"apps/flux/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [deploy.yaml]\n",
		"apps/argo/deploy.yaml":        in(argoNamespace),
	}
}

// delivery is everything that brings a repository into the cluster.
func delivery(url string) string {
	return namespace(fluxNamespace) + "---\n" + namespace(argoNamespace) + fmt.Sprintf(`---
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: fleet, namespace: flux-system}
spec: {interval: 5m, url: %[1]q, ref: {branch: main}}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: web, namespace: flux-system}
spec:
  interval: 10m
  retryInterval: 5s
  timeout: 1m
  path: ./apps/flux
  prune: true
  wait: true
  sourceRef: {kind: GitRepository, name: fleet}
---
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: web, namespace: argocd}
spec:
  project: default
  source: {repoURL: %[1]q, path: apps/argo, targetRevision: main}
  destination: {server: %[2]q, namespace: %[3]s}
  syncPolicy: {automated: {prune: true, selfHeal: true}}
`, url, InCluster, argoNamespace)
}
