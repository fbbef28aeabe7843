package flux

import (
	"strings"
	"unicode/utf8"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/fluxcd/pkg/apis/meta"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backout-dev/backout/bot"
)

// status is what Flux's controllers say about an object, as far as all of them
// say it alike (https://fluxcd.io/flux/components/kustomize/kustomizations/#conditions).
type status struct {
	suspended  bool
	generation int64 // of the object
	observed   int64 // status.observedGeneration
	conditions []metav1.Condition
	requested  string // reconcile.fluxcd.io/requestedAt
	handled    string // status.lastHandledReconcileAt
}

func kustomizationStatus(k *kustomizev1.Kustomization) status {
	return status{
		k.Spec.Suspend, k.Generation, k.Status.ObservedGeneration, k.Status.Conditions,
		k.Annotations[meta.ReconcileRequestAnnotation], k.Status.LastHandledReconcileAt,
	}
}

func releaseStatus(r *helmv2.HelmRelease) status {
	return status{
		r.Spec.Suspend, r.Generation, r.Status.ObservedGeneration, r.Status.Conditions,
		r.Annotations[meta.ReconcileRequestAnnotation], r.Status.LastHandledReconcileAt,
	}
}

func (s status) condition(kind string) metav1.Condition {
	if c := apimeta.FindStatusCondition(s.conditions, kind); c != nil {
		return *c
	}
	return metav1.Condition{Status: metav1.ConditionUnknown}
}

func (s status) has(kind string) bool { return apimeta.FindStatusCondition(s.conditions, kind) != nil }

func (s status) is(kind string) bool { return s.condition(kind).Status == metav1.ConditionTrue }

// current reports whether the conditions speak of the present generation and no
// requested reconciliation is outstanding. A suspended object's never do: its
// controller advances status.observedGeneration and looks at nothing.
//
// Either of two generations will do. On a failing object kustomize-controller
// leaves status.observedGeneration behind, and only the Ready condition tells
// what was tried; controllers built before the condition's generation was
// refreshed without a change of state have only status.observedGeneration right.
func (s status) current() bool {
	ready := apimeta.FindStatusCondition(s.conditions, meta.ReadyCondition)
	if ready == nil || s.suspended || s.requested != "" && s.requested != s.handled {
		return false
	}
	return s.observed == s.generation || ready.ObservedGeneration == s.generation
}

// health maps conditions to our words. What waits for a dependency, or was
// interrupted by a newer revision, progresses although Ready is false: the
// controller goes on by itself and nothing of the App's own has failed.
func (s status) health() bot.Health {
	ready := s.condition(meta.ReadyCondition)
	switch {
	case s.is(meta.StalledCondition):
		return bot.HealthBad
	case ready.Status == metav1.ConditionTrue:
		if s.is(meta.ReconcilingCondition) {
			return bot.HealthProgressing
		}
		if s.condition(meta.HealthyCondition).Status == metav1.ConditionFalse {
			return bot.HealthBad
		}
		return bot.HealthGood
	case ready.Status == metav1.ConditionFalse:
		switch ready.Reason {
		case meta.DependencyNotReadyReason, meta.ProgressingReason, healthCheckCanceled:
			return bot.HealthProgressing
		}
		return bot.HealthBad
	case ready.Reason == meta.ProgressingReason || s.is(meta.ReconcilingCondition):
		return bot.HealthProgressing
	}
	return bot.HealthUnknown
}

// healthCheckCanceled is Ready's reason when kustomize-controller (v1.7 and
// later, feature CancelHealthCheckOnNewRevision) drops a running health check.
const healthCheckCanceled = "HealthCheckCanceled"

// message is what the controller says for people: why it stalled, what it is
// doing, or what came of it.
func (s status) message() string {
	var parts []string
	ready := s.condition(meta.ReadyCondition)
	if stalled := s.condition(meta.StalledCondition); stalled.Status == metav1.ConditionTrue && stalled.Message != ready.Message {
		parts = append(parts, stalled.Message)
	}
	if doing := s.condition(meta.ReconcilingCondition); doing.Status == metav1.ConditionTrue && ready.Status != metav1.ConditionFalse {
		parts = append(parts, doing.Message)
	} else {
		parts = append(parts, ready.Message)
	}
	if undone := s.condition(helmv2.RemediatedCondition); undone.Status == metav1.ConditionTrue {
		parts = append(parts, undone.Message)
	}
	return sentences(parts...)
}

// longestMessage bounds App.Message, in bytes: a failed health check lists
// every object that it waited for.
const longestMessage = 1000

// sentences joins what is not empty and cuts what is too long.
func sentences(parts ...string) string {
	var said []string
	for _, p := range parts {
		if p = strings.TrimSpace(p); p != "" {
			said = append(said, p)
		}
	}
	s := strings.Join(said, "; ")
	if len(s) <= longestMessage {
		return s
	}
	cut := longestMessage
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
