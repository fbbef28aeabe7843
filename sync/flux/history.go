package flux

import (
	"time"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/fluxcd/pkg/apis/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/backout-dev/backout/bot"
)

// applied is the commit that was last applied in full. For an artifact that was
// built elsewhere it is the commit that the artifact says it was built from.
func applied(k *kustomizev1.Kustomization) bot.SHA {
	if sha := commitOf(k.Status.LastAppliedRevision); sha != "" {
		return sha
	}
	return commitOf(k.Status.LastAppliedOriginRevision)
}

// begun is the commit whose objects stand in the cluster: the attempted one
// when they were applied, well or not, else the one applied in full. An attempt
// counts once its health checks began, or when only pruning was left to do.
// status.lastAttemptedRevision alone does not tell: it is written before the
// manifests are built.
func begun(k *kustomizev1.Kustomization) bot.SHA {
	attempt := commitOf(k.Status.LastAttemptedRevision)
	if attempt == "" || attempt == applied(k) {
		return applied(k)
	}
	st := kustomizationStatus(k)
	checked := st.has(meta.HealthyCondition) && !st.is(meta.HealthyCondition)
	if checked || st.condition(meta.ReadyCondition).Reason == meta.PruneFailedReason {
		return attempt
	}
	return applied(k)
}

// history is the part of a Kustomization's status that tells when its manifests
// were applied, newest first, since kustomize-controller v1.7
// (https://fluxcd.io/flux/components/kustomize/kustomizations/#history). The
// version of the API types that we build with does not have it yet.
type history struct {
	Status struct {
		History []pastApply `json:"history"`
	} `json:"status"`
}

// pastApply are the reconciliations of the same manifests with the same result.
// It is kept for manifests, not for commits: manifests that come back, as by a
// revert, go on with their old entry.
type pastApply struct {
	Digest          string            `json:"digest"` // of the manifests
	FirstReconciled metav1.Time       `json:"firstReconciled"`
	LastReconciled  metav1.Time       `json:"lastReconciled"`
	LastDuration    metav1.Duration   `json:"lastReconciledDuration"`
	Total           int64             `json:"totalReconciliations"`
	Metadata        map[string]string `json:"metadata"` // "revision" is that of the last one
}

// began is when the first of the reconciliations began; after more than one,
// when it ended, which is up to the health checks' timeout later.
func (p pastApply) began() time.Time {
	if p.Total == 1 {
		return p.FirstReconciled.Add(-p.LastDuration.Duration).UTC()
	}
	return p.FirstReconciled.UTC()
}

// begunAt is when begun was applied; zero when the status does not tell. A time
// that may be wrong is not told: our own look at the App gives an upper bound.
func begunAt(u *unstructured.Unstructured, k *kustomizev1.Kustomization) time.Time {
	h, err := decode[history](u)
	if err == nil {
		if at, ok := sinceHistory(h.Status.History, begun(k)); ok {
			return at
		}
	}
	// Health checks that run for the first time began right after the apply.
	st := kustomizationStatus(k)
	healthy := st.condition(meta.HealthyCondition)
	if st.has(meta.HealthyCondition) && healthy.Status == metav1.ConditionUnknown && begun(k) != applied(k) {
		return healthy.LastTransitionTime.UTC()
	}
	return time.Time{}
}

// sinceHistory is when the manifests of a commit were applied without others in
// between; ok is false when the history does not tell.
func sinceHistory(h []pastApply, commit bot.SHA) (at time.Time, ok bool) {
	if len(h) == 0 || commit == "" || commitOf(h[0].Metadata["revision"]) != commit {
		return time.Time{}, false
	}
	first := h[0]
	for _, p := range h {
		if p.Digest == first.Digest && p.FirstReconciled.Before(&first.FirstReconciled) {
			first = p // the same manifests with another result, such as a failed health check
		}
	}
	for _, p := range h {
		if p.Digest != first.Digest && first.FirstReconciled.Before(&p.LastReconciled) {
			return time.Time{}, false // they were gone and came back
		}
	}
	return first.began(), true
}

// deployedAt is when Helm last installed or upgraded a release.
func deployedAt(r *helmv2.HelmRelease) time.Time {
	if latest := r.Status.History.Latest(); latest != nil {
		return latest.LastDeployed.UTC()
	}
	return time.Time{}
}
