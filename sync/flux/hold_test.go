package flux

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	k8stesting "k8s.io/client-go/testing"

	"github.com/backout-dev/backout/bot"
)

var deadline = time.Date(2026, 3, 4, 12, 30, 0, 0, time.UTC)

func lease() bot.Lease {
	return bot.Lease{App: webID(), Owner: "rb-1", Reason: "reverting 2222", Deadline: deadline}
}

// suspendField is spec.suspend as it stands: nil when absent.
func suspendField(u *unstructured.Unstructured) any {
	v, _, _ := unstructured.NestedFieldNoCopy(u.Object, "spec", "suspend")
	return v
}

func setSuspend(v any) func(*unstructured.Unstructured) {
	return func(u *unstructured.Unstructured) {
		if v == nil {
			unstructured.RemoveNestedField(u.Object, "spec", "suspend")
			return
		}
		if err := unstructured.SetNestedField(u.Object, v, "spec", "suspend"); err != nil {
			panic(err)
		}
	}
}

// asserts gives spec.suspend a field manager, as the API server records it.
func asserts(manager string) func(*unstructured.Unstructured) {
	return func(u *unstructured.Unstructured) {
		at := metav1.NewTime(time.Date(2026, 3, 4, 12, 10, 0, 0, time.UTC))
		u.SetManagedFields(append(u.GetManagedFields(), metav1.ManagedFieldsEntry{
			Manager: manager, Operation: metav1.ManagedFieldsOperationApply, APIVersion: "kustomize.toolkit.fluxcd.io/v1", Time: &at,
			FieldsType: "FieldsV1", FieldsV1: &metav1.FieldsV1{Raw: []byte(`{"f:spec":{"f:interval":{},"f:suspend":{}}}`)},
		}))
	}
}

func TestHoldAndReleaseLeaveTheObjectAsItWas(t *testing.T) {
	for name, before := range map[string]any{"suspend absent": nil, "suspend false": false} {
		for _, id := range []bot.AppID{webID(), shopID()} {
			t.Run(name+" "+string(id.Kind), func(t *testing.T) {
				c := newCluster(t, allVersions, fleet, web, shop)
				r, _ := kindOf(id.Kind)
				version := r.versions[0]
				c.edit(r, version, id.Namespace, id.Name, setSuspend(before))
				was := c.object(r, version, id.Namespace, id.Name)
				flux := c.controller()

				l := lease()
				l.App = id
				held, err := flux.Hold(t.Context(), l)
				if err != nil || held != (bot.Held{App: id, Placed: true}) {
					t.Fatalf("hold: %+v, %v", held, err)
				}
				app, err := flux.App(t.Context(), id)
				if err != nil {
					t.Fatal(err)
				}
				want := &bot.Hold{App: id, Owner: "rb-1", Reason: "reverting 2222", Deadline: deadline, Previous: encodePrevious(before != nil)}
				if diff := cmp.Diff(want, app.Hold); diff != "" {
					t.Errorf("hold on the App (-want +got):\n%s", diff)
				}
				if app.Current || app.Synced || app.AutoSync {
					t.Errorf("a held App claims to be current %v, synced %v, auto-sync %v", app.Current, app.Synced, app.AutoSync)
				}

				held, err = flux.Release(t.Context(), id, "rb-1")
				if err != nil || held != (bot.Held{App: id}) {
					t.Fatalf("release: %+v, %v", held, err)
				}
				is := c.object(r, version, id.Namespace, id.Name)
				for _, u := range []*unstructured.Unstructured{was, is} {
					u.SetResourceVersion("")
					u.SetGeneration(0)
					if len(u.GetAnnotations()) == 0 {
						u.SetAnnotations(nil)
					}
				}
				if diff := cmp.Diff(was.Object, is.Object); diff != "" {
					t.Errorf("object after hold and release (-was +is):\n%s", diff)
				}
			})
		}
	}
}

func TestHoldAgainChangesNothing(t *testing.T) {
	c := newCluster(t, allVersions, fleet, web)
	flux := c.controller()
	for range 2 {
		held, err := flux.Hold(t.Context(), lease())
		if err != nil || !held.Placed || held.Left != "" {
			t.Fatalf("%+v, %v", held, err)
		}
	}
	if len(c.patches) != 1 {
		t.Errorf("wrote %d times: %v", len(c.patches), c.patches)
	}
}

func TestHoldLeavesWhatOthersDid(t *testing.T) {
	other := mark{owner: "rb-2", deadline: deadline}
	for _, test := range []struct {
		name   string
		change []func(*unstructured.Unstructured)
		want   string
	}{
		{"a person's suspend", []func(*unstructured.Unstructured){setSuspend(true), asserts("flux")},
			`Kustomization flux-system/web is already suspended by "flux" (last wrote at 2026-03-04T12:10:00Z).`},
		{"a suspend by nobody we know", []func(*unstructured.Unstructured){setSuspend(true)}, "Kustomization flux-system/web is already suspended by somebody."},
		{"another Rollback's hold", []func(*unstructured.Unstructured){setSuspend(true), annotate(other)},
			"Kustomization flux-system/web is already held by Rollback rb-2 until 2026-03-04T12:30:00Z."},
		{"our hold that a person ended", []func(*unstructured.Unstructured){annotate(mark{owner: "rb-1", deadline: deadline})},
			`Kustomization flux-system/web is not held: the hold of Rollback rb-1 was undone by somebody who removed spec.suspend, as "flux resume" does.`},
		{"our hold that the parent ended", []func(*unstructured.Unstructured){setSuspend(false), asserts("kustomize-controller"), annotate(mark{owner: "rb-1"})},
			"Kustomization flux-system/web is not held: the hold of Rollback rb-1 was undone by its parent Kustomization flux-system/apps, whose manifest sets spec.suspend; hold the parent too, or take spec.suspend out of the manifest."},
		{"an object on its way out", []func(*unstructured.Unstructured){func(u *unstructured.Unstructured) {
			u.SetFinalizers([]string{"finalizers.fluxcd.io"})
			at := metav1.Now()
			u.SetDeletionTimestamp(&at)
		}}, "Kustomization flux-system/web is being deleted."},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newCluster(t, allVersions, fleet, web)
			for _, change := range test.change {
				c.edit(kustomizations(), "v1", "flux-system", "web", change)
			}
			was := c.object(kustomizations(), "v1", "flux-system", "web")
			held, err := c.controller().Hold(t.Context(), lease())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(bot.Held{App: webID(), Left: test.want}, held); diff != "" {
				t.Errorf("held (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(was.Object, c.object(kustomizations(), "v1", "flux-system", "web").Object); diff != "" {
				t.Errorf("the object was touched (-was +is):\n%s", diff)
			}
		})
	}
}

func annotate(m mark) func(*unstructured.Unstructured) {
	return func(u *unstructured.Unstructured) { u.SetAnnotations(written(m)) }
}

func TestHoldDecidesAgainAfterAConflict(t *testing.T) {
	for _, test := range []struct {
		name   string
		meddle func(*unstructured.Unstructured)
		want   bot.Held
		writes int
	}{
		{"the status moved", func(*unstructured.Unstructured) {}, bot.Held{App: webID(), Placed: true}, 2},
		{"a person suspended it first", setSuspend(true), bot.Held{App: webID(), Left: "Kustomization flux-system/web is already suspended by somebody."}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newCluster(t, allVersions, fleet, web)
			c.meddle = func() { c.edit(kustomizations(), "v1", "flux-system", "web", test.meddle) }
			held, err := c.controller().Hold(t.Context(), lease())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, held); diff != "" || len(c.patches) != test.writes {
				t.Errorf("%d writes, held (-want +got):\n%s", len(c.patches), diff)
			}
		})
	}
	t.Run("gives up in the end", func(t *testing.T) {
		c := newCluster(t, allVersions, fleet, web)
		c.fail("patch", "kustomizations", apierrors.NewConflict(schema.GroupResource{}, "web", errors.New("changed")))
		if _, err := c.controller().Hold(t.Context(), lease()); !bot.IsTrouble(err, bot.TroubleStale) {
			t.Errorf("got %v, want stale", err)
		}
	})
}

func TestHoldNoticesWhenItWasDropped(t *testing.T) {
	c := newCluster(t, allVersions, fleet, web)
	c.dynamic.PrependReactor("patch", "*", func(k8stesting.Action) (bool, runtime.Object, error) {
		return true, c.object(kustomizations(), "v1", "flux-system", "web"), nil
	})
	held, err := c.controller().Hold(t.Context(), lease())
	if err != nil || held.Placed || !strings.Contains(held.Left, "dropped spec.suspend") {
		t.Errorf("%+v, %v", held, err)
	}
}

func TestHoldNeedsOwnerAndDeadline(t *testing.T) {
	c := newCluster(t, allVersions, fleet, web)
	for _, l := range []bot.Lease{{App: webID(), Deadline: deadline}, {App: webID(), Owner: "rb-1"}} {
		if _, err := c.controller().Hold(t.Context(), l); !bot.IsTrouble(err, bot.TroubleInvalid) {
			t.Errorf("%+v: got %v, want invalid", l, err)
		}
	}
	if len(c.patches) != 0 {
		t.Errorf("wrote %v", c.patches)
	}
}

func TestReleaseLeavesWhatIsNotOurs(t *testing.T) {
	ours := annotate(mark{owner: "rb-1", previous: "{}", deadline: deadline})
	for _, test := range []struct {
		name    string
		change  []func(*unstructured.Unstructured)
		want    string
		suspend any
		marked  bool
	}{
		{"a person's suspend", []func(*unstructured.Unstructured){setSuspend(true)}, "Kustomization flux-system/web is suspended by somebody, not by Backout, and was left so.", true, false},
		{"released before", nil, "", nil, false},
		{"another Rollback's hold", []func(*unstructured.Unstructured){setSuspend(true), annotate(mark{owner: "rb-2"})},
			"Kustomization flux-system/web is held by Rollback rb-2 until an unreadable deadline.", true, true},
		{"resumed by a person", []func(*unstructured.Unstructured){ours},
			`Kustomization flux-system/web was not held any more: the hold of Rollback rb-1 was undone by somebody who removed spec.suspend, as "flux resume" does.`, nil, false},
		{"set to false by a tool", []func(*unstructured.Unstructured){setSuspend(false), asserts("kubectl-patch"), ours},
			`Kustomization flux-system/web was not held any more: the hold of Rollback rb-1 was undone by "kubectl-patch" (last wrote at 2026-03-04T12:10:00Z).`, false, false},
		{"suspended in git meanwhile", []func(*unstructured.Unstructured){setSuspend(true), asserts("kustomize-controller"), ours},
			`Kustomization flux-system/web is also suspended by "kustomize-controller" (last wrote at 2026-03-04T12:10:00Z), which was left so.`, true, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newCluster(t, allVersions, fleet, web)
			for _, change := range test.change {
				c.edit(kustomizations(), "v1", "flux-system", "web", change)
			}
			held, err := c.controller().Release(t.Context(), webID(), "rb-1")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(bot.Held{App: webID(), Left: test.want}, held); diff != "" {
				t.Errorf("held (-want +got):\n%s", diff)
			}
			u := c.object(kustomizations(), "v1", "flux-system", "web")
			if got := suspendField(u); got != test.suspend {
				t.Errorf("spec.suspend is %v, want %v", got, test.suspend)
			}
			if got := markOf(u.GetAnnotations()) != nil; got != test.marked {
				t.Errorf("marked: %v, want %v", got, test.marked)
			}
		})
	}
}

func TestReleaseOfWhatIsGone(t *testing.T) {
	for name, versions := range map[string][]string{"object": allVersions, "API": {}} {
		c := newCluster(t, versions)
		held, err := c.controller().Release(t.Context(), webID(), "rb-1")
		if err != nil || held.Left != "Kustomization flux-system/web no longer exists." {
			t.Errorf("%s gone: %+v, %v", name, held, err)
		}
	}
}

func TestReleaseIsRepeatable(t *testing.T) {
	c := newCluster(t, allVersions, fleet, web)
	flux := c.controller()
	if _, err := flux.Hold(t.Context(), lease()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if held, err := flux.Release(t.Context(), webID(), "rb-1"); err != nil || held != (bot.Held{App: webID()}) {
			t.Fatalf("%+v, %v", held, err)
		}
	}
}

func TestHolds(t *testing.T) {
	c := newCluster(t, allVersions, fleet, web, shop, strings.ReplaceAll(web, "name: web\n", "name: undone\n"), strings.ReplaceAll(web, "name: web\n", "name: theirs\n"))
	c.edit(kustomizations(), "v1", "flux-system", "theirs", setSuspend(true))
	c.edit(kustomizations(), "v1", "flux-system", "undone", annotate(mark{owner: "rb-9", reason: "why"}))
	flux := c.controller()
	l := lease()
	l.App = shopID()
	if _, err := flux.Hold(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	got, err := flux.Holds(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	undone := webID()
	undone.Name = "undone"
	want := []bot.Hold{
		{App: undone, Owner: "rb-9", Reason: `the hold of Rollback rb-9 was undone by somebody who removed spec.suspend, as "flux resume" does; why`},
		{App: shopID(), Owner: "rb-1", Reason: "reverting 2222", Deadline: deadline, Previous: "{}"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("holds (-want +got):\n%s", diff)
	}
}

func TestTroubleOfChanges(t *testing.T) {
	gr := schema.GroupResource{Group: "kustomize.toolkit.fluxcd.io", Resource: "kustomizations"}
	for _, test := range []struct {
		err  error
		want bot.TroubleKind
	}{
		{apierrors.NewForbidden(gr, "web", errors.New("no")), bot.TroubleForbidden},
		{apierrors.NewUnauthorized("expired"), bot.TroubleForbidden},
		{apierrors.NewInvalid(schema.GroupKind{}, "web", nil), bot.TroubleInvalid},
		{apierrors.NewTooManyRequests("slow down", 7), bot.TroubleTransient},
		{errors.New("connection refused"), bot.TroubleTransient},
		{fmt.Errorf("dial: %w", apierrors.NewServiceUnavailable("leader lost")), bot.TroubleTransient},
	} {
		c := newCluster(t, allVersions, fleet, web)
		c.fail("patch", "kustomizations", test.err)
		_, err := c.controller().Hold(t.Context(), lease())
		trouble := bot.AsTrouble(err)
		if trouble.Kind != test.want || strings.Contains(trouble.Text, test.err.Error()) {
			t.Errorf("%v: got %s %q", test.err, trouble.Kind, trouble.Text)
		}
		switch test.want {
		case bot.TroubleForbidden:
			if trouble.Advice == "" {
				t.Errorf("%v: no advice", test.err)
			}
		case bot.TroubleTransient:
			if apierrors.IsTooManyRequests(test.err) && trouble.RetryAfter != 7*time.Second {
				t.Errorf("retry after %s, want 7s", trouble.RetryAfter)
			}
		}
	}
	c := newCluster(t, allVersions, fleet, web)
	c.fail("patch", "kustomizations", apierrors.NewForbidden(gr, "web", nil))
	_, err := c.controller().Hold(t.Context(), lease())
	want := `Grant Backout's service account the verb "patch" on kustomizations.kustomize.toolkit.fluxcd.io in namespace flux-system.`
	if got := bot.AsTrouble(err).Advice; got != want {
		t.Errorf("advice %q, want %q", got, want)
	}
}
