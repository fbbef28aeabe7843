package argo

import (
	"strings"
	"testing"
	"time"

	argov1 "github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backout-dev/backout/bot"
)

func leaseOn(name string) bot.Lease {
	return bot.Lease{App: appID(name), Owner: "rb-1", Reason: "Backout reverts 222222222222", Deadline: noon.Add(30 * time.Minute)}
}

func mustHold(t *testing.T, c *Server, l bot.Lease) {
	t.Helper()
	h, err := c.Hold(t.Context(), l)
	if want := (bot.Held{App: l.App, Placed: true}); err != nil || h != want {
		t.Fatalf("Hold = %+v, %v; want %+v", h, err, want)
	}
}

func mustRelease(t *testing.T, c *Server, l bot.Lease) {
	t.Helper()
	h, err := c.Release(t.Context(), l.App, l.Owner)
	if want := (bot.Held{App: l.App}); err != nil || h != want {
		t.Fatalf("Release = %+v, %v; want %+v", h, err, want)
	}
}

func TestReleaseRestoresExactly(t *testing.T) {
	retry := &argov1.RetryStrategy{Limit: 3}
	for name, policy := range map[string]*argov1.SyncPolicy{
		"none":            nil,
		"no-automation":   {Retry: retry},
		"empty":           {Automated: &argov1.SyncPolicyAutomated{}},
		"prune":           {Automated: &argov1.SyncPolicyAutomated{Prune: true}},
		"self-heal-empty": {Automated: &argov1.SyncPolicyAutomated{SelfHeal: true, AllowEmpty: true}, Retry: retry, SyncOptions: argov1.SyncOptions{"PruneLast=true"}},
	} {
		t.Run(name, func(t *testing.T) {
			si := newStandIn(t)
			si.add(name, func(a *argov1.Application) {
				a.Spec.SyncPolicy = policy.DeepCopy()
				if name == "prune" {
					a.Annotations = map[string]string{"somebody": "else's"}
				}
			})
			before := si.look(name)
			c := si.client(t)
			mustHold(t, c, leaseOn(name))
			held := si.look(name)
			if automated(held) != nil || held.Annotations[ownerKey] != "rb-1" {
				t.Errorf("held: policy %+v, annotations %v", held.Spec.SyncPolicy, held.Annotations)
			}
			mustRelease(t, c, leaseOn(name))
			after := si.look(name)
			if !sameJSON(before.Spec, after.Spec) {
				t.Errorf("spec before %+v, after %+v", before.Spec.SyncPolicy, after.Spec.SyncPolicy)
			}
			if d := cmp.Diff(before.Annotations, after.Annotations); len(before.Annotations)+len(after.Annotations) > 0 && d != "" {
				t.Errorf("annotations (-before +after):\n%s", d)
			}
		})
	}
}

func TestHoldRepeatedKeepsThePreviousState(t *testing.T) {
	si := newStandIn(t)
	si.add("web", auto(argov1.SyncPolicyAutomated{Prune: true}))
	c := si.client(t)
	l := leaseOn("web")
	mustHold(t, c, l)
	mustHold(t, c, l)
	if got := si.called(); len(got) != 1 {
		t.Errorf("writes %q, want one: a repeat changes nothing", got)
	}
	l.Deadline = l.Deadline.Add(time.Hour)
	mustHold(t, c, l)
	holds, err := c.Holds(t.Context())
	want := []bot.Hold{{App: appID("web"), Owner: "rb-1", Reason: l.Reason, Deadline: l.Deadline, Previous: `{"prune":true}`}}
	if d := cmp.Diff(want, holds); err != nil || d != "" {
		t.Errorf("Holds: %v (-want +got):\n%s", err, d)
	}
	mustRelease(t, c, l)
	if p := automated(si.look("web")); p == nil || !p.Prune {
		t.Errorf("policy after release %+v, want prune", p)
	}
}

func TestHoldNeedsOwnerAndDeadline(t *testing.T) {
	si := newStandIn(t)
	si.add("web", auto(argov1.SyncPolicyAutomated{}))
	for _, edit := range []func(*bot.Lease){func(l *bot.Lease) { l.Owner = "" }, func(l *bot.Lease) { l.Deadline = time.Time{} }} {
		l := leaseOn("web")
		edit(&l)
		if h, err := si.client(t).Hold(t.Context(), l); h.Placed || !bot.IsTrouble(err, bot.TroubleInvalid) {
			t.Errorf("Hold(%+v) = %+v, %v; want invalid", l, h, err)
		}
	}
}

func TestHoldOfAnotherIsLeft(t *testing.T) {
	si := newStandIn(t)
	si.add("web", auto(argov1.SyncPolicyAutomated{}))
	c := si.client(t, func(c *Config) { c.Now = func() time.Time { return noon.Add(time.Hour) } })
	mustHold(t, c, leaseOn("web"))
	l := leaseOn("web")
	l.Owner = "rb-2"
	h, err := c.Hold(t.Context(), l)
	if want := "Application argocd/web is held by rb-1 until 2026-01-02T12:30:00Z, which has passed."; err != nil || h.Placed || h.Left != want {
		t.Errorf("Hold = %+v, %v; want %q left", h, err, want)
	}
	h, err = c.Release(t.Context(), l.App, l.Owner)
	if err != nil || h.Placed || h.Left != "Application argocd/web is held by rb-1." {
		t.Errorf("Release = %+v, %v; want the other's hold left", h, err)
	}
	if si.look("web").Annotations[ownerKey] != "rb-1" {
		t.Error("the other's hold is gone")
	}
}

func TestPersonTurnsAutomatedSyncOnDuringAHold(t *testing.T) {
	si := newStandIn(t)
	si.add("web", auto(argov1.SyncPolicyAutomated{Prune: true}))
	c := si.client(t)
	mustHold(t, c, leaseOn("web"))
	si.change("web", auto(argov1.SyncPolicyAutomated{SelfHeal: true}))

	app, err := c.App(t.Context(), appID("web"))
	if err != nil || app.Hold != nil || !app.AutoSync || !strings.Contains(app.Message, "while rb-1 held it off") {
		t.Errorf("App = %+v, %v; want it not held, and the change told", app, err)
	}
	if holds, err := c.Holds(t.Context()); err != nil || len(holds) != 1 {
		t.Errorf("Holds = %+v, %v; want the annotation still listed, for the janitor", holds, err)
	}
	if h, err := c.Hold(t.Context(), leaseOn("web")); err != nil || h.Placed || h.Left == "" {
		t.Errorf("Hold = %+v, %v; want it left on", h, err)
	}
	h, err := c.Release(t.Context(), appID("web"), "rb-1")
	want := `Automated sync of Application argocd/web was turned on by somebody while we held it off; it stays {"selfHeal":true} (before the hold: {"prune":true}).`
	if err != nil || h.Placed || h.Left != want {
		t.Errorf("Release = %+v, %v; want %q", h, err, want)
	}
	a := si.look("web")
	if p := automated(a); p == nil || p.Prune || !p.SelfHeal || len(a.Annotations) != 0 {
		t.Errorf("policy %+v, annotations %v; want theirs kept and ours gone", p, a.Annotations)
	}
}

func TestReleaseOfAHoldThatIsGone(t *testing.T) {
	si := newStandIn(t)
	si.add("web")
	h, err := si.client(t).Release(t.Context(), appID("web"), "rb-1")
	if err != nil || h.Placed || h.Left != "No hold stands on Application argocd/web any more." {
		t.Errorf("Release = %+v, %v", h, err)
	}
	if p := automated(si.look("web")); p != nil {
		t.Errorf("policy %+v: a person's off state was turned on", p)
	}
}

func TestUnreadablePreviousStateFailsClosed(t *testing.T) {
	for _, previous := range []string{"", "yes", `{"prune":true,"enabled":false}`, `[]`} {
		si := newStandIn(t)
		si.add("web", func(a *argov1.Application) {
			a.Annotations = map[string]string{ownerKey: "rb-1", previousKey: previous}
		})
		_, err := si.client(t).Release(t.Context(), appID("web"), "rb-1")
		if !bot.IsTrouble(err, bot.TroubleInvalid) || bot.AsTrouble(err).Advice == "" {
			t.Errorf("previous %q: %v, want invalid and advice", previous, err)
		}
		if p := automated(si.look("web")); p != nil {
			t.Errorf("previous %q: automated sync was turned on as %+v", previous, p)
		}
	}
}

func TestHoldThatIsUndoneAtOnce(t *testing.T) {
	si := newStandIn(t)
	controller := true
	si.add("web", auto(argov1.SyncPolicyAutomated{Prune: true}), func(a *argov1.Application) {
		a.OwnerReferences = []metav1.OwnerReference{{Kind: "ApplicationSet", Name: "fleet", Controller: &controller}}
	})
	// The ApplicationSet controller writes its template back, annotations included.
	si.set(func(s *standIn) {
		s.unasked = func(a *argov1.Application) {
			a.Annotations = nil
			auto(argov1.SyncPolicyAutomated{Prune: true})(a)
		}
	})
	h, err := si.client(t).Hold(t.Context(), leaseOn("web"))
	if err != nil || h.Placed || !strings.Contains(h.Left, "the ApplicationSet fleet that generates it") {
		t.Errorf("Hold = %+v, %v; want it told that the ApplicationSet undid it", h, err)
	}
}

func TestWriteSeesWhatItDidNotRead(t *testing.T) {
	si := newStandIn(t)
	si.add("web", auto(argov1.SyncPolicyAutomated{Prune: true}))
	c := si.client(t)
	read := si.look("web")
	p, _, err := placing(read, leaseOn("web"), noon, "somebody")
	if err != nil {
		t.Fatal(err)
	}
	si.change("web", auto(argov1.SyncPolicyAutomated{SelfHeal: true}))
	if _, err := c.write(t.Context(), read, p, "hold"); !bot.IsTrouble(err, bot.TroubleTransient) {
		t.Errorf("a policy that changed after it was read: %v, want transient trouble", err)
	}
	if a := si.look("web"); automated(a) == nil || a.Annotations[ownerKey] != "" {
		t.Errorf("policy %+v, annotations %v; want nothing written", automated(a), a.Annotations)
	}

	// Another Rollback was faster.
	for _, before := range []map[string]string{nil, {"somebody": "else's"}} {
		si.change("web", func(a *argov1.Application) { a.Spec.SyncPolicy, a.Annotations = nil, before })
		read := si.look("web")
		p, _, err := placing(read, leaseOn("web"), noon, "somebody")
		if err != nil {
			t.Fatal(err)
		}
		si.change("web", func(a *argov1.Application) { a.Annotations = map[string]string{"somebody": "else's", ownerKey: "rb-2"} })
		if _, err := c.write(t.Context(), read, p, "hold"); !bot.IsTrouble(err, bot.TroubleTransient) {
			t.Errorf("a hold that was placed after it was read: %v, want transient trouble", err)
		}
		if o := si.look("web").Annotations[ownerKey]; o != "rb-2" {
			t.Errorf("owner %q, want rb-2", o)
		}
	}
	si.change("web", func(a *argov1.Application) { a.Annotations = nil })

	// What we read has not changed, yet it is not what is there: the server
	// knows fields that we don't.
	si.change("web", auto(argov1.SyncPolicyAutomated{Prune: true}))
	p.test("/spec/syncPolicy/automated/enabled", false)
	if _, err := c.write(t.Context(), read, p, "hold"); !bot.IsTrouble(err, bot.TroubleInvalid) {
		t.Errorf("a policy with unknown fields: %v, want invalid", err)
	}
}

func TestHeadThatDoesNotRender(t *testing.T) {
	si := newStandIn(t)
	si.add("web", auto(argov1.SyncPolicyAutomated{}))
	si.set(func(s *standIn) { s.broken = true })
	c := si.client(t)
	mustHold(t, c, leaseOn("web"))
	mustRelease(t, c, leaseOn("web"))
	if d := cmp.Diff([]string{"patch", "update", "patch", "update"}, si.called()); d != "" {
		t.Errorf("writes (-want +got):\n%s", d)
	}
	if p := automated(si.look("web")); p == nil || *p != (argov1.SyncPolicyAutomated{}) {
		t.Errorf("policy %+v, want the empty one back", p)
	}
}

func TestNewerArgoCDIsNotOverwritten(t *testing.T) {
	for _, version := range []string{"v3.1.0", "99.99.99", "somebody's build"} {
		si := newStandIn(t)
		si.add("web", auto(argov1.SyncPolicyAutomated{}))
		si.set(func(s *standIn) { s.broken, s.version = true, version })
		if h, err := si.client(t).Hold(t.Context(), leaseOn("web")); h.Placed || !bot.IsTrouble(err, bot.TroubleInvalid) {
			t.Errorf("version %s: Hold = %+v, %v; want invalid", version, h, err)
		}
		if d := cmp.Diff([]string{"patch"}, si.called()); d != "" {
			t.Errorf("version %s: writes (-want +got):\n%s", version, d)
		}
	}
}

func TestHoldStopsWhatArgoCDIsApplying(t *testing.T) {
	si := newStandIn(t)
	si.add("web", auto(argov1.SyncPolicyAutomated{}))
	si.set(func(s *standIn) { s.hangs, s.deaf = true, 2 })
	si.push(sha2)
	c := si.client(t)
	if _, err := c.refresh(t.Context(), appID("web")); err != nil {
		t.Fatal(err)
	}
	mustHold(t, c, leaseOn("web"))
	if a := si.look("web"); a.Operation != nil {
		t.Errorf("operation %+v still under way", a.Operation)
	}
	if d := cmp.Diff([]string{"refresh normal", "patch", "terminate", "terminate", "terminate"}, si.called()); d != "" {
		t.Errorf("calls (-want +got):\n%s", d)
	}
}

func TestHoldLeavesAPersonsSync(t *testing.T) {
	si := newStandIn(t)
	si.add("web", auto(argov1.SyncPolicyAutomated{}))
	si.set(func(s *standIn) { s.hangs = true })
	si.change("web", func(a *argov1.Application) {
		si.begin(a, &argov1.Operation{Sync: &argov1.SyncOperation{Revision: sha2}, InitiatedBy: argov1.OperationInitiator{Username: "alice"}})
	})
	h, err := si.client(t).Hold(t.Context(), leaseOn("web"))
	if err != nil || !h.Placed || h.Left != "A sync of Application argocd/web that alice started is still running." {
		t.Errorf("Hold = %+v, %v; want it placed and alice's sync told", h, err)
	}
	if si.look("web").Operation == nil {
		t.Error("alice's sync was stopped")
	}
}
