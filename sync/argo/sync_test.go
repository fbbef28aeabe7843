package argo

import (
	"strings"
	"testing"

	argov1 "github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	"github.com/argoproj/gitops-engine/pkg/sync/common"
	"github.com/google/go-cmp/cmp"

	"github.com/backout-dev/backout/bot"
)

func TestNext(t *testing.T) {
	synced, outOfSync := argov1.SyncStatusCodeSynced, argov1.SyncStatusCodeOutOfSync
	on := func(sha string) func(*argov1.OperationState) {
		return func(o *argov1.OperationState) { o.Operation.Sync.Revision, o.SyncResult.Revision = sha, sha }
	}
	byArgo := func(o *argov1.OperationState) { o.Operation.InitiatedBy.Automated = true }
	byUs := func(token string) func(*argov1.OperationState) {
		return func(o *argov1.OperationState) { o.Operation.Info = []*argov1.Info{{Name: tokenKey, Value: token}} }
	}
	partly := func(o *argov1.OperationState) {
		o.Operation.Sync.Resources = []argov1.SyncOperationResource{{Kind: "Deployment"}}
	}
	running := common.OperationRunning
	for _, c := range []struct {
		name string
		app  *argov1.Application
		want step
	}{
		{"in sync with the head", state(synced), stepDone},
		{"out of sync", state(outOfSync), stepAsk},
		{"the head does not render", state(argov1.SyncStatusCodeUnknown), stepSick},
		{"ours has ended, with the same token", state(outOfSync, ran(common.OperationFailed, byUs("t"))), stepDone},
		{"ours has ended, with another token", state(outOfSync, ran(common.OperationFailed, byUs("u"))), stepAsk},
		{"ours is under way on an older commit, with the same token", state(outOfSync, ran(running, on(sha3), byUs("t"))), stepDone},
		{"ours is under way on an older commit, with another token", state(outOfSync, ran(running, on(sha3), byUs("u"))), stepStop},
		{"Argo CD applies the head", state(outOfSync, ran(running, byArgo)), stepDone},
		{"Argo CD applies some objects of the head", state(outOfSync, ran(running, byArgo, partly)), stepWait},
		{"Argo CD applies an older commit", state(outOfSync, ran(running, on(sha3), byArgo)), stepStop},
		{"that is being stopped already", state(outOfSync, ran(common.OperationTerminating, on(sha3), byArgo)), stepWait},
		{"a person applies the head", state(outOfSync, ran(running)), stepDone},
		{"a person applies another commit", state(outOfSync, ran(running, on(sha3))), stepWait},
		{"Argo CD applies who knows what", state(outOfSync, ran(running, on(""), byArgo)), stepWait},
		{"Argo CD applies an older commit, and the head is unknown", state(outOfSync, ran(running, on(sha3), byArgo), func(a *argov1.Application) {
			a.Status.Sync.Revision = ""
		}), stepWait},
		{"an operation that is no sync", state(outOfSync, func(a *argov1.Application) { a.Operation = &argov1.Operation{} }), stepWait},
	} {
		if got := next(c.app, "t"); got != c.want {
			t.Errorf("%s: next = %s, want %s", c.name, got, c.want)
		}
	}
}

func TestSyncAppliesTheHead(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(*argov1.Application)
		want []string // of two calls: once more after a crash
	}{
		{"by hand", func(*argov1.Application) {}, []string{"refresh normal", "sync prune=false"}},
		{"automated, where refreshing is enough", auto(argov1.SyncPolicyAutomated{Prune: true}), []string{"refresh normal", "refresh normal"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			si := newStandIn(t)
			si.add("web", c.edit)
			si.push(sha2)
			s := si.client(t)
			for range 2 {
				if err := s.Sync(t.Context(), appID("web"), "t"); err != nil {
					t.Fatal(err)
				}
			}
			app, err := s.App(t.Context(), appID("web"))
			if err != nil || app.Revision != sha2 || !app.Synced || !app.Current {
				t.Errorf("App = %+v, %v; want %s applied", app, err, sha2)
			}
			if d := cmp.Diff(c.want, si.called()); d != "" {
				t.Errorf("calls (-want +got):\n%s", d)
			}
		})
	}
}

func TestSyncNeedsAToken(t *testing.T) {
	si := newStandIn(t)
	si.add("web")
	si.push(sha2)
	if err := si.client(t).Sync(t.Context(), appID("web"), ""); !bot.IsTrouble(err, bot.TroubleInvalid) {
		t.Errorf("Sync = %v, want invalid: every operation of a person carries the empty token", err)
	}
}

func TestSyncThatArgoCDBeginsFirst(t *testing.T) {
	si := newStandIn(t)
	si.add("web")
	si.push(sha2)
	si.set(func(s *standIn) {
		s.hangs = true
		s.rival = func(a *argov1.Application) {
			s.begin(a, &argov1.Operation{Sync: &argov1.SyncOperation{Revision: sha2}, InitiatedBy: argov1.OperationInitiator{Automated: true}})
		}
	})
	if err := si.client(t).Sync(t.Context(), appID("web"), "t"); err != nil {
		t.Errorf("Sync = %v, want it content: the head is being applied", err)
	}
	if a := si.look("web"); a.Operation == nil || !a.Operation.InitiatedBy.Automated {
		t.Errorf("operation %+v, want Argo CD's", a.Operation)
	}
}

func TestSyncPrunesAsThePolicyBeforeTheHold(t *testing.T) {
	si := newStandIn(t)
	si.add("web", auto(argov1.SyncPolicyAutomated{Prune: true}))
	s := si.client(t)
	mustHold(t, s, leaseOn("web"))
	si.push(sha2)
	if err := s.Sync(t.Context(), appID("web"), "t"); err != nil {
		t.Fatal(err)
	}
	if got := si.called(); got[len(got)-1] != "sync prune=true" {
		t.Errorf("calls %q, want a sync that prunes", got)
	}
}

func TestSyncStopsAnOlderCommit(t *testing.T) {
	si := newStandIn(t)
	si.add("web", auto(argov1.SyncPolicyAutomated{}))
	si.set(func(s *standIn) { s.hangs = true })
	si.push(sha2)
	s := si.client(t, func(c *Config) { c.HardRefresh = true })
	if _, err := s.refresh(t.Context(), appID("web")); err != nil {
		t.Fatal(err)
	}
	si.push(sha3)
	if err := s.Sync(t.Context(), appID("web"), "t"); err != nil {
		t.Fatal(err)
	}
	app, err := s.App(t.Context(), appID("web"))
	if err != nil || app.Revision != sha3 || app.Attempted != "" {
		t.Errorf("App = %+v, %v; want %s applied", app, err, sha3)
	}
	if d := cmp.Diff([]string{"refresh hard", "refresh hard", "terminate"}, si.called()); d != "" {
		t.Errorf("calls (-want +got):\n%s", d)
	}
}

func TestSyncLeavesAPersonsOperation(t *testing.T) {
	si := newStandIn(t)
	si.add("web")
	si.set(func(s *standIn) { s.hangs = true })
	si.change("web", func(a *argov1.Application) {
		si.begin(a, &argov1.Operation{Sync: &argov1.SyncOperation{Revision: sha2}, InitiatedBy: argov1.OperationInitiator{Username: "alice"}})
	})
	si.push(sha3)
	err := si.client(t).Sync(t.Context(), appID("web"), "t")
	if tr := bot.AsTrouble(err); !bot.IsTrouble(err, bot.TroubleStale) || tr.RetryAfter == 0 || !strings.Contains(tr.Text, "alice") {
		t.Errorf("Sync = %v, want it stale, soon to be tried again, and alice named", err)
	}
	if a := si.look("web"); a.Operation == nil {
		t.Error("alice's operation was stopped")
	}
}

func TestSyncOfAHeadThatDoesNotRender(t *testing.T) {
	si := newStandIn(t)
	si.add("web")
	si.set(func(s *standIn) { s.broken = true })
	err := si.client(t).Sync(t.Context(), appID("web"), "t")
	if !bot.IsTrouble(err, bot.TroubleTransient) || !strings.Contains(err.Error(), "it does not render") || strings.Contains(bot.AsTrouble(err).Text, "render") {
		t.Errorf("Sync = %v, want transient trouble with Argo CD's words for the log only", err)
	}
}

func TestSyncWindowDenies(t *testing.T) {
	si := newStandIn(t)
	si.add("web")
	si.push(sha2)
	si.set(func(s *standIn) { s.window = true })
	err := si.client(t).Sync(t.Context(), appID("web"), "t")
	want := "A sync window forbids Argo CD to sync Application argocd/web (deny 0 18 * * 5 for 60h)."
	if tr := bot.AsTrouble(err); !bot.IsTrouble(err, bot.TroubleForbidden) || tr.Text != want || tr.Advice == "" {
		t.Errorf("Sync = %v, want %q", err, want)
	}
}
