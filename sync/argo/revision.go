package argo

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"

	argov1 "github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backout-dev/backout/bot"
)

// revisions are the commits of an Application's sources, one each: Argo CD
// writes the one of a single source elsewhere than those of several.
func revisions(one string, several []string) []string {
	if len(several) > 0 {
		return several
	}
	return []string{one}
}

// applied is the commit that the live objects were last made from in full, of
// the source at position first, and when that was; empty and zero where Argo CD
// does not tell.
//
// status.sync.revision alone is only what was compared. While the comparison
// says Synced the two are the same, also when Argo CD had nothing to do because
// the commit changed none of the Application's objects. Otherwise the newest
// entry of the history counts: it is written when a sync of everything has
// succeeded, so failed and partial syncs are not in it, and a rollback is.
func applied(a *argov1.Application, first int) (sha bot.SHA, at time.Time) {
	of := recordOf(a, first)
	st := &a.Status
	var last bot.SHA
	if n := len(st.History); n > 0 {
		h := st.History[n-1]
		last, at = of(h.Source, h.Sources, h.Revision, h.Revisions), h.DeployedAt.Time
	} else if o := st.OperationState; o != nil && o.Phase.Successful() && o.SyncResult != nil && isFull(&o.Operation) {
		// revisionHistoryLimit 0 keeps no history at all.
		r := o.SyncResult
		last, at = of(r.Source, r.Sources, r.Revision, r.Revisions), timeOf(o.FinishedAt)
	}
	sha = last
	if c := st.Sync.ComparedTo; st.Sync.Status == argov1.SyncStatusCodeSynced {
		sha = of(c.Source, c.Sources, st.Sync.Revision, st.Sync.Revisions)
	}
	if sha == "" || sha != last {
		at = time.Time{} // it changed nothing here, so nothing was done at any time
	}
	return sha, at
}

// attempted is the commit of an operation that applies, or has applied, some of
// its objects without having succeeded, and when it began. While the live
// objects equal a commit there is none, whatever an earlier operation left.
func attempted(a *argov1.Application, first int) (sha bot.SHA, at time.Time) {
	o := a.Status.OperationState
	if o == nil || o.SyncResult == nil || o.Phase.Successful() || !isFull(&o.Operation) ||
		a.Status.Sync.Status == argov1.SyncStatusCodeSynced {
		return "", time.Time{}
	}
	r := o.SyncResult
	sha = recordOf(a, first)(r.Source, r.Sources, r.Revision, r.Revisions)
	if sha == "" {
		return "", time.Time{}
	}
	return sha, o.StartedAt.Time
}

func timeOf(t *metav1.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.Time
}

// isFull reports whether an operation applies everything.
func isFull(o *argov1.Operation) bool {
	return o.Sync != nil && !o.Sync.DryRun && len(o.Sync.Resources) == 0 && len(o.Sync.Manifests) == 0
}

// recordOf reads the commit of one of today's sources from a record, which may
// be older than today's list of sources.
func recordOf(a *argov1.Application, first int) func(argov1.ApplicationSource, argov1.ApplicationSources, string, []string) bot.SHA {
	today := a.Spec.GetSources()
	return func(one argov1.ApplicationSource, many argov1.ApplicationSources, rev string, revs []string) bot.SHA {
		if first >= len(today) {
			return ""
		}
		sources, revs := oneOrMany(one, many), revisions(rev, revs)
		n := min(len(sources), len(revs))
		same := func(s argov1.ApplicationSource) bool { return s.RepoURL == today[first].RepoURL }
		i := first
		if i >= n || !same(sources[i]) {
			i = slices.IndexFunc(sources[:n], same)
		}
		if i < 0 || !bot.SHA(revs[i]).Valid() {
			return ""
		}
		return bot.SHA(revs[i])
	}
}

func oneOrMany(one argov1.ApplicationSource, many argov1.ApplicationSources) argov1.ApplicationSources {
	if len(many) > 0 {
		return many
	}
	return argov1.ApplicationSources{one}
}

// current reports whether the status speaks of the Application as it is now.
// Times have whole seconds, so a comparison made in the very second in which an
// operation ended counts; it can't be Synced unless it saw what was applied.
func current(a *argov1.Application) bool {
	if _, pending := a.Annotations[argov1.AnnotationKeyRefresh]; pending || a.Operation != nil || a.Status.ReconciledAt == nil {
		return false
	}
	if o := a.Status.OperationState; o != nil {
		if !o.Phase.Completed() || o.FinishedAt != nil && a.Status.ReconciledAt.Before(o.FinishedAt) {
			return false
		}
	}
	to := a.Status.Sync.ComparedTo
	return sameJSON(a.Spec.GetSources(), oneOrMany(to.Source, to.Sources))
}

// sameJSON compares as the API would write it, where nil and empty are one.
func sameJSON(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}
