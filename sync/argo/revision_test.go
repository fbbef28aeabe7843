package argo

import (
	"testing"
	"time"

	argov1 "github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	"github.com/argoproj/gitops-engine/pkg/sync/common"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backout-dev/backout/bot"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func at12(minutes int) *metav1.Time {
	return &metav1.Time{Time: noon.Add(time.Duration(minutes) * time.Minute)}
}

// state makes an Application whose single source has been compared with sha2
// and whose history ends with sha1.
func state(sync argov1.SyncStatusCode, edit ...func(*argov1.Application)) *argov1.Application {
	a := application("web")
	src := a.Spec.GetSource()
	a.Status = argov1.ApplicationStatus{
		Sync:         argov1.SyncStatus{Status: sync, Revision: sha2, ComparedTo: argov1.ComparedTo{Source: src}},
		History:      argov1.RevisionHistories{{Revision: sha3, Source: src, DeployedAt: *at12(-9)}, {Revision: sha1, Source: src, DeployedAt: *at12(-5)}},
		ReconciledAt: at12(0),
	}
	for _, e := range edit {
		e(a)
	}
	return a
}

// ran adds an operation on sha2.
func ran(phase common.OperationPhase, edit ...func(*argov1.OperationState)) func(*argov1.Application) {
	return func(a *argov1.Application) {
		o := &argov1.OperationState{
			Phase: phase, Operation: argov1.Operation{Sync: &argov1.SyncOperation{Revision: sha2}}, StartedAt: *at12(-2),
			SyncResult: &argov1.SyncOperationResult{Revision: sha2, Source: a.Spec.GetSource()},
		}
		if phase.Completed() {
			o.FinishedAt = at12(-1)
		} else {
			a.Operation = &o.Operation
		}
		for _, e := range edit {
			e(o)
		}
		a.Status.OperationState = o
	}
}

func TestRevision(t *testing.T) {
	noHistory := func(a *argov1.Application) { a.Status.History = nil }
	synced, outOfSync := argov1.SyncStatusCodeSynced, argov1.SyncStatusCodeOutOfSync
	for _, c := range []struct {
		name      string
		app       *argov1.Application
		revision  bot.SHA
		at        time.Duration // since noon, in the past; 0 is unknown
		attempted bot.SHA
	}{
		{"out of sync: what was synced last, not what was compared", state(outOfSync), sha1, -5, ""},
		{"in sync: what was compared, applied at an unknown time", state(synced), sha2, 0, ""},
		{"in sync with what was synced last", state(synced, func(a *argov1.Application) { a.Status.Sync.Revision = sha1 }), sha1, -5, ""},
		{"unknown", state(argov1.SyncStatusCodeUnknown), sha1, -5, ""},
		{"a failed sync is an attempt", state(outOfSync, ran(common.OperationFailed)), sha1, -5, sha2},
		{"a running sync is an attempt", state(outOfSync, ran(common.OperationRunning)), sha1, -5, sha2},
		{"a failed sync before the objects were in sync again is none", state(synced, ran(common.OperationError)), sha2, 0, ""},
		{"a dry run is no attempt", state(outOfSync, ran(common.OperationFailed, func(o *argov1.OperationState) { o.Operation.Sync.DryRun = true })), sha1, -5, ""},
		{"a sync of single objects is no attempt", state(outOfSync, ran(common.OperationFailed, func(o *argov1.OperationState) {
			o.Operation.Sync.Resources = []argov1.SyncOperationResource{{Kind: "Deployment", Name: "web"}}
		})), sha1, -5, ""},
		{"no history is kept: the last operation", state(outOfSync, noHistory, ran(common.OperationSucceeded)), sha2, -1, ""},
		{"no history, and a failed operation", state(outOfSync, noHistory, ran(common.OperationFailed)), "", 0, sha2},
		{"never synced", state(outOfSync, noHistory), "", 0, ""},
		{"moved to another repository since", state(outOfSync, func(a *argov1.Application) { a.Spec.Source.RepoURL = "https://github.com/acme/other" }), "", 0, ""},
		{"a chart version is no commit", state(synced, func(a *argov1.Application) { a.Status.Sync.Revision = "1.2.3" }), "", 0, ""},
	} {
		sha, at := applied(c.app, 0)
		if wantAt := noon.Add(c.at * time.Minute); sha != c.revision || c.at != 0 && !at.Equal(wantAt) || c.at == 0 && !at.IsZero() {
			t.Errorf("%s: applied %q at %s, want %q at %s", c.name, sha, at, c.revision, wantAt)
		}
		if sha, at := attempted(c.app, 0); sha != c.attempted || (sha != "") != at.Equal(noon.Add(-2*time.Minute)) {
			t.Errorf("%s: attempted %q at %s, want %q", c.name, sha, at, c.attempted)
		}
	}
}

func TestRevisionOfSeveralSources(t *testing.T) {
	chart := argov1.ApplicationSource{RepoURL: charts, Chart: "web", TargetRevision: "1.2.3"}
	values := argov1.ApplicationSource{RepoURL: fleet, Ref: "values", TargetRevision: "main"}
	a := application("web")
	a.Spec.Source, a.Spec.Sources = nil, argov1.ApplicationSources{chart, values}
	a.Status.Sync = argov1.SyncStatus{
		Status: argov1.SyncStatusCodeOutOfSync, Revisions: []string{"1.2.3", sha2}, ComparedTo: argov1.ComparedTo{Sources: a.Spec.Sources},
	}
	// The history was written when the sources stood the other way round.
	a.Status.History = argov1.RevisionHistories{{Sources: argov1.ApplicationSources{values, chart}, Revisions: []string{sha1, "1.2.3"}}}
	if sha, _ := applied(a, 1); sha != sha1 {
		t.Errorf("applied %q, want %q", sha, sha1)
	}
	a.Status.Sync.Status = argov1.SyncStatusCodeSynced
	if sha, _ := applied(a, 1); sha != sha2 {
		t.Errorf("applied %q, want %q", sha, sha2)
	}
	if sha, _ := applied(a, 2); sha != "" {
		t.Errorf("applied %q for a source that is not there, want none", sha)
	}
}

func TestCurrent(t *testing.T) {
	synced := argov1.SyncStatusCodeSynced
	for _, c := range []struct {
		name string
		app  *argov1.Application
		want bool
	}{
		{"at rest", state(synced), true},
		{"after an operation", state(synced, ran(common.OperationSucceeded)), true},
		{"never looked at", state(synced, func(a *argov1.Application) { a.Status.ReconciledAt = nil }), false},
		{"refreshing", state(synced, func(a *argov1.Application) {
			a.Annotations = map[string]string{argov1.AnnotationKeyRefresh: "normal"}
		}), false},
		{"an operation is asked for", state(synced, func(a *argov1.Application) { a.Operation = &argov1.Operation{} }), false},
		{"an operation runs", state(synced, ran(common.OperationRunning)), false},
		{"not compared since the operation ended", state(synced, ran(common.OperationSucceeded, func(o *argov1.OperationState) { o.FinishedAt = at12(1) })), false},
		{"compared with another source", state(synced, func(a *argov1.Application) { a.Spec.Source.TargetRevision = "other" }), false},
	} {
		if got := current(c.app); got != c.want {
			t.Errorf("%s: current = %v, want %v", c.name, got, c.want)
		}
	}
}
