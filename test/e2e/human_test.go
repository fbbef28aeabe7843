//go:build e2e

package e2e

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/backout-dev/backout/cmd/app"
)

// TestStoryHumanHold: somebody suspended the Kustomization before anybody asked
// the bot. That is theirs: the revert is merged, the bot says that it can't be
// applied and by which command it can, and touches nothing. The command works.
func TestStoryHumanHold(t *testing.T) {
	t.Parallel()
	w := newFlux(t, "story-human")
	w.serve(w.fluxConfig(func(c *app.Config) { c.Policy.Defaults.Hold = to("always") }))
	w.requireCI(quick)
	culprit := w.breakWeb()
	olga := w.operator("olga")
	olga(`{"spec":{"suspend":true}}`)

	w.comment(culprit, "ann", "/rollback")
	said := w.verdict(culprit, needsHuman)
	w.phase("verdict")
	resume := "`flux resume kustomization web -n " + w.name + "`"
	w.holds("the comment", said, "The revert is merged", "held by somebody else", resume)
	merge := w.merged()
	k := w.kustomization("web")
	if suspended(k) != true || len(holdNotes(k)) > 0 {
		t.Errorf("suspend %v, notes %v; want olga's suspend and nothing else", suspended(k), holdNotes(k))
	}
	if writes := w.writes(); len(writes) > 0 {
		t.Errorf("the bot wrote in the cluster: %+v", writes)
	}

	olga(`{"spec":{"suspend":false}}`)
	w.fetch()
	w.applied("web", merge)
	w.runs("web", goodImage)
	w.phase("resumed by hand, healthy")
}

const operatorRole = `
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: operator, namespace: STORY}
rules: [{apiGroups: [kustomize.toolkit.fluxcd.io], resources: [kustomizations], verbs: [get, patch]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: operator, namespace: STORY}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: operator}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: olga}]
`

// operator is a person who patches the Kustomization web with kubectl.
func (w *world) operator(name string) func(patch string) {
	w.Helper()
	w.must(plane.Apply(w.ctx, w.fill(operatorRole)))
	file, err := plane.KubeconfigFor(name)
	w.must(err)
	config, err := clientcmd.BuildConfigFromFlags("", file)
	w.must(err)
	client, err := dynamic.NewForConfig(config)
	w.must(err)
	resource := client.Resource(schema.GroupVersionResource{Group: kustomizations.Group, Version: kustomizations.Version, Resource: "kustomizations"})
	return func(patch string) {
		w.Helper()
		w.until(name+" to patch the Kustomization", func() error {
			_, err := resource.Namespace(w.name).Patch(w.ctx, "web", types.MergePatchType, []byte(patch), metav1.PatchOptions{FieldManager: "kubectl-patch"})
			return err
		})
	}
}
