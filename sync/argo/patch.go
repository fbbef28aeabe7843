package argo

import (
	"strings"

	argov1 "github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
)

// patch is a JSON patch (RFC 6902). argocd-server applies it to the object that
// it has just read, so its tests are the only condition that the API offers: a
// resourceVersion in a patch has no effect.
type patch []operation

type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value"` // null in a test means: absent
}

const (
	annotationsPath = "/metadata/annotations"
	policyPath      = "/spec/syncPolicy"
	automatedPath   = "/spec/syncPolicy/automated"
)

func (p *patch) test(path string, value any) { *p = append(*p, operation{"test", path, value}) }
func (p *patch) add(path string, value any)  { *p = append(*p, operation{"add", path, value}) }
func (p *patch) remove(path string)          { *p = append(*p, operation{"remove", path, nil}) }
func (p *patch) annotate(key, value string)  { p.add(annotationPath(key), value) }

// annotationPath escapes the slash of a key (RFC 6901, section 3).
func annotationPath(key string) string {
	return annotationsPath + "/" + strings.ReplaceAll(key, "/", "~1")
}

// testOwner makes the patch fail unless the hold is whose it was read to be. It
// also makes room for annotations.
func (p *patch) testOwner(a *argov1.Application) {
	if len(a.Annotations) == 0 {
		p.test(annotationsPath, nil)
		p.add(annotationsPath, map[string]string{})
		return
	}
	var want any // absent
	if v, ok := a.Annotations[ownerKey]; ok {
		want = v
	}
	p.test(annotationPath(ownerKey), want)
}

// testAutomated makes the patch fail unless automated sync is as it was read.
// It fails, too, where a newer Argo CD has fields in it that this client does not
// know (automated.enabled of version 3): those could not be restored.
func (p *patch) testAutomated(a *argov1.Application) {
	switch {
	case a.Spec.SyncPolicy == nil:
		p.test(policyPath, nil)
	case a.Spec.SyncPolicy.Automated == nil:
		p.test(automatedPath, nil)
	default:
		p.test(automatedPath, a.Spec.SyncPolicy.Automated)
	}
}

// setAutomated writes automated sync where [patch.testAutomated] found none.
func (p *patch) setAutomated(a *argov1.Application, value *argov1.SyncPolicyAutomated) {
	if a.Spec.SyncPolicy == nil {
		p.add(policyPath, argov1.SyncPolicy{Automated: value})
		return
	}
	p.add(automatedPath, value)
}
