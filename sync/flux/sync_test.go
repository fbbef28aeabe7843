package flux

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/backout-dev/backout/bot"
)

// handles makes source-controller act on a token after a while.
func (c *cluster) handles(name, token string, after time.Duration, ready string) {
	// Never in the very moment of the request: editing is reading and writing, and
	// would take it back.
	time.AfterFunc(max(after, time.Millisecond), func() {
		c.edit(gitRepositories(), "v1", "flux-system", name, func(u *unstructured.Unstructured) {
			u.Object["status"] = map[string]any{
				"lastHandledReconcileAt": token,
				"conditions": []any{map[string]any{
					"type": "Ready", "status": ready, "reason": "GitOperationFailed", "message": "ssh: secret detail",
					"lastTransitionTime": "2026-03-04T10:00:00Z",
				}},
			}
		})
	})
}

func requested(u *unstructured.Unstructured) string {
	return u.GetAnnotations()["reconcile.fluxcd.io/requestedAt"]
}

func TestSyncAsksTheSourceFirst(t *testing.T) {
	for _, test := range []struct {
		id   bot.AppID
		docs []string
		want []string
	}{
		{webID(), []string{fleet, web}, []string{"gitrepositories flux-system/fleet", "kustomizations flux-system/web"}},
		{shopID(), []string{fleet, web, shop}, []string{"gitrepositories flux-system/fleet", "kustomizations flux-system/web", "helmreleases shop/shop"}},
		{shopID(), []string{fleet, web, gitShop}, []string{"gitrepositories flux-system/fleet", "kustomizations flux-system/web", "helmreleases shop/shop"}},
		{shopID(), []string{fleet, strings.ReplaceAll(gitShop, "kustomize.toolkit", "nobody")}, []string{"gitrepositories flux-system/fleet", "helmreleases shop/shop"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			c := newCluster(t, allVersions, test.docs...)
			c.handles("fleet", "rb-1-1", 3*time.Second, "True")
			began := time.Now()
			if err := c.controller().Sync(t.Context(), test.id, "rb-1-1"); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, c.patches); diff != "" {
				t.Errorf("%s: asked (-want +got):\n%s", test.id, diff)
			}
			if took := time.Since(began); took < 3*time.Second || took > 4*time.Second {
				t.Errorf("%s: took %s, the fetch 3s", test.id, took)
			}
		})
	}
}

func TestSyncAgainWithTheSameTokenWritesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, allVersions, fleet, web)
		c.handles("fleet", "rb-1-1", 0, "True")
		flux := c.controller()
		for range 2 {
			if err := flux.Sync(t.Context(), webID(), "rb-1-1"); err != nil {
				t.Fatal(err)
			}
		}
		if len(c.patches) != 2 {
			t.Errorf("wrote %v", c.patches)
		}
		if got := requested(c.object(kustomizations(), "v1", "flux-system", "web")); got != "rb-1-1" {
			t.Errorf("requestedAt is %q", got)
		}
	})
}

func TestSyncGoesOnWhenTheFetchTakesLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, allVersions, fleet, web)
		began := time.Now()
		if err := c.controller().Sync(t.Context(), webID(), "rb-1-1"); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took != defaultFetchWait {
			t.Errorf("waited %s", took)
		}
		if got := requested(c.object(kustomizations(), "v1", "flux-system", "web")); got != "rb-1-1" {
			t.Errorf("requestedAt is %q", got)
		}
	})
}

func TestSyncTellsThatTheFetchFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, allVersions, fleet, web)
		c.handles("fleet", "rb-1-1", time.Second, "False")
		err := c.controller().Sync(t.Context(), webID(), "rb-1-1")
		trouble := bot.AsTrouble(err)
		if trouble.Kind != bot.TroubleTransient || strings.Contains(trouble.Text, "secret") ||
			trouble.Text != "Flux could not fetch GitRepository flux-system/fleet (GitOperationFailed)." {
			t.Errorf("got %s %q", trouble.Kind, trouble.Text)
		}
		if len(c.patches) != 1 {
			t.Errorf("wrote %v", c.patches)
		}
	})
}

func TestSyncEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, allVersions, fleet, web)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := c.controller().Sync(ctx, webID(), "rb-1-1"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}

func TestSyncAsksNothingThatIsHeld(t *testing.T) {
	suspend := func(r resource, namespace, name string, more ...func(*unstructured.Unstructured)) func(*cluster) {
		return func(c *cluster) {
			for _, change := range append(more, setSuspend(true)) {
				c.edit(r, r.versions[0], namespace, name, change)
			}
		}
	}
	ours := annotate(mark{owner: "rb-1", deadline: deadline})
	for _, test := range []struct {
		name         string
		id           bot.AppID
		change       func(*cluster)
		kind         bot.TroubleKind
		text, advice string
	}{
		{"our hold", webID(), suspend(kustomizations(), "flux-system", "web", ours), bot.TroubleStale,
			"Kustomization flux-system/web is held by Rollback rb-1, so nothing would be applied.", ""},
		{"a person's", webID(), suspend(kustomizations(), "flux-system", "web"), bot.TroubleInvalid,
			"Kustomization flux-system/web is suspended by somebody, not by Backout, so nothing would be applied.",
			"Resume it: flux resume kustomization web -n flux-system"},
		{"a release", shopID(), suspend(helmReleases(), "shop", "shop"), bot.TroubleInvalid,
			"HelmRelease shop/shop is suspended by somebody, not by Backout, so nothing would be applied.",
			"Resume it: flux resume helmrelease shop -n shop"},
		{"the Kustomization of a release", shopID(), suspend(kustomizations(), "flux-system", "web"), bot.TroubleInvalid,
			"Kustomization flux-system/web is suspended by somebody, not by Backout, so nothing would be applied.",
			"Resume it: flux resume kustomization web -n flux-system"},
		{"the source", webID(), suspend(gitRepositories(), "flux-system", "fleet", asserts("kubectl-patch")), bot.TroubleInvalid,
			`GitRepository flux-system/fleet, the source of Kustomization flux-system/web, is suspended by "kubectl-patch" (last wrote at 2026-03-04T12:10:00Z), so no new commit is fetched.`,
			"Resume it: flux resume source git fleet -n flux-system"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newCluster(t, allVersions, fleet, web, shop)
			test.change(c)
			trouble := bot.AsTrouble(c.controller().Sync(t.Context(), test.id, "rb-1-1"))
			if trouble == nil || trouble.Kind != test.kind || trouble.Text != test.text || trouble.Advice != test.advice {
				t.Errorf("got %+v", trouble)
			}
			if len(c.patches) != 0 {
				t.Errorf("wrote %v", c.patches)
			}
		})
	}
}

func TestSyncTroubles(t *testing.T) {
	c := newCluster(t, allVersions, fleet, web)
	flux := c.controller()
	gone, elsewhere := webID(), webID()
	gone.Name, elsewhere.Cluster = "gone", "stage"
	for _, test := range []struct {
		id    bot.AppID
		token string
		want  bot.TroubleKind
	}{
		{gone, "t", bot.TroubleNotFound}, {elsewhere, "t", bot.TroubleInvalid}, {webID(), "", bot.TroubleInvalid},
	} {
		if err := flux.Sync(t.Context(), test.id, test.token); !bot.IsTrouble(err, test.want) {
			t.Errorf("%s: got %v, want %s", test.id, err, test.want)
		}
	}
	c.fail("patch", "gitrepositories", apierrors.NewForbidden(schema.GroupResource{}, "fleet", nil))
	if err := flux.Sync(t.Context(), webID(), "t"); !bot.IsTrouble(err, bot.TroubleForbidden) {
		t.Errorf("got %v, want forbidden", err)
	}
}
