package argo

import (
	"strings"
	"testing"
	"time"

	argov1 "github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	"github.com/google/go-cmp/cmp"

	"github.com/backout-dev/backout/bot"
)

func imageUpdate(ref, image, bad string) bot.ImageUpdate {
	return bot.ImageUpdate{By: bot.ImageArgo, Ref: ref, Image: image, Bad: bad, Good: "v1.0.0", Path: "apps/.argocd-source-web.yaml"}
}

func imageLeaseOf(us ...bot.ImageUpdate) bot.ImageLease {
	return bot.ImageLease{Updates: us, Culprit: sha2, Repo: "acme/fleet", Owner: "rb-1", Reason: "Backout reverts 222222222222", Deadline: noon.Add(24 * time.Hour)}
}

// annotated gives an Application annotations; "list" stands for the image-list,
// and "x!" for x.ignore-tags, "!" for those of all images.
func annotated(kv ...string) func(*argov1.Application) {
	return func(a *argov1.Application) {
		a.Annotations = map[string]string{}
		for i := 0; i < len(kv); i += 2 {
			a.Annotations[longKey(kv[i])] = kv[i+1]
		}
	}
}

func longKey(short string) string {
	alias, isList := strings.CutSuffix(short, "!")
	switch {
	case short == "list":
		return "argocd-image-updater.argoproj.io/image-list"
	case isList && alias == "":
		return "argocd-image-updater.argoproj.io/ignore-tags"
	case isList:
		return "argocd-image-updater.argoproj.io/" + alias + ".ignore-tags"
	}
	return short
}

// TestIgnoredTags gives the annotations before and what a hold makes of the lists
// of ignored tags; after the release all is as before.
func TestIgnoredTags(t *testing.T) {
	web := imageUpdate("web", "ghcr.io/acme/web", "v2.0.0")
	for _, tt := range []struct {
		name    string
		before  []string
		updates []bot.ImageUpdate
		lists   map[string]string
	}{
		{"an alias", []string{"list", "web=ghcr.io/acme/web"}, []bot.ImageUpdate{web}, map[string]string{"web!": "v2.0.0"}},
		{"no alias", []string{"list", "ghcr.io/acme/web:~1"}, []bot.ImageUpdate{web}, map[string]string{"!": "v2.0.0"}},
		{"an alias with a slash", []string{"list", "acme/web=ghcr.io/acme/web"}, []bot.ImageUpdate{web}, map[string]string{"acme_web!": "v2.0.0"}},
		{"a list that is there", []string{"list", "web=ghcr.io/acme/web", "web!", "*-rc, nightly"}, []bot.ImageUpdate{web}, map[string]string{"web!": "*-rc, nightly,v2.0.0"}},
		{"a list for all images", []string{"list", "web=ghcr.io/acme/web", "!", "*-rc"}, []bot.ImageUpdate{web}, map[string]string{"!": "*-rc", "web!": "*-rc,v2.0.0"}},
		{"one of several images", []string{"list", "a=ghcr.io/acme/a, web=ghcr.io/acme/web:1.x"}, []bot.ImageUpdate{web}, map[string]string{"web!": "v2.0.0"}},
		{"an image without its registry", []string{"list", "a=x/a,web=acme/web"}, []bot.ImageUpdate{web}, map[string]string{"web!": "v2.0.0"}},
		{"an image that is not told: all", []string{"list", "a=ghcr.io/acme/a,b=ghcr.io/acme/b"}, []bot.ImageUpdate{imageUpdate("web", "", "v2.0.0")}, map[string]string{"a!": "v2.0.0", "b!": "v2.0.0"}},
		{"an image that is not in the list: all", []string{"list", "a=ghcr.io/acme/a"}, []bot.ImageUpdate{web}, map[string]string{"a!": "v2.0.0"}},
		{"two tags", []string{"list", "web=ghcr.io/acme/web"}, []bot.ImageUpdate{web, imageUpdate("web", "ghcr.io/acme/web", "v2.0.1@sha256:aa")}, map[string]string{"web!": "v2.0.0,v2.0.1"}},
		{"a tag that is ignored and one that is not", []string{"list", "web=ghcr.io/acme/web", "web!", "v2.0.0"}, []bot.ImageUpdate{web, imageUpdate("web", "ghcr.io/acme/web", "v2.0.1")}, map[string]string{"web!": "v2.0.0,v2.0.1"}},
		{"named with its namespace", []string{"list", "web=ghcr.io/acme/web"}, []bot.ImageUpdate{imageUpdate("argocd_web", "ghcr.io/acme/web", "v2.0.0")}, map[string]string{"web!": "v2.0.0"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			si := newStandIn(t)
			si.add("web", annotated(tt.before...))
			before := si.look("web")
			c := si.client(t)
			l := imageLeaseOf(tt.updates...)
			want := bot.ImageHold{
				Cluster: "prod", Kind: "Application", Namespace: "argocd", Name: "web",
				Owner: l.Owner, Reason: l.Reason, Deadline: l.Deadline, Updates: tt.updates,
			}
			for range 2 { // a crash between act and record calls again
				held, err := c.HoldImages(t.Context(), l)
				if diff := cmp.Diff([]bot.ImageHeld{{ImageHold: want, Placed: true}}, held); err != nil || diff != "" {
					t.Fatalf("%v, held (-want +got):\n%s", err, diff)
				}
			}
			if calls := si.called(); len(calls) != 1 {
				t.Errorf("writes: %v", calls)
			}
			lists := map[string]string{}
			for short, list := range tt.lists {
				lists[longKey(short)] = list
			}
			held := si.look("web")
			for k, v := range held.Annotations {
				if strings.HasSuffix(k, "ignore-tags") && lists[k] != v || lists[k] != "" && lists[k] != v {
					t.Errorf("%s is %q, want %q", k, v, lists[k])
				}
				delete(lists, k)
			}
			if len(lists) > 0 {
				t.Errorf("not there: %v", lists)
			}
			if !sameJSON(before.Spec, held.Spec) {
				t.Error("the hold changed the spec")
			}
			holds, err := c.ImageHolds(t.Context())
			if diff := cmp.Diff([]bot.ImageHold{want}, holds); err != nil || diff != "" {
				t.Fatalf("%v, holds (-want +got):\n%s", err, diff)
			}
			if apps, err := c.Holds(t.Context()); err != nil || len(apps) != 0 {
				t.Errorf("the janitor of Apps sees %v, %v", apps, err)
			}
			for range 2 {
				if left, err := c.ReleaseImages(t.Context(), holds[0]); err != nil || left != "" {
					t.Fatalf("release: %q, %v", left, err)
				}
			}
			if diff := cmp.Diff(before.Annotations, si.look("web").Annotations); diff != "" {
				t.Errorf("annotations (-before +after):\n%s", diff)
			}
		})
	}
}

// TestNoHoldOnImages: what can't be held is told, and nothing is written.
func TestNoHoldOnImages(t *testing.T) {
	web := imageUpdate("web", "ghcr.io/acme/web", "v2.0.0")
	const list = "web=ghcr.io/acme/web"
	for _, tt := range []struct {
		name   string
		before []string
		update bot.ImageUpdate
		left   string
	}{
		{"an ImageUpdater resource", []string{"x", "y"}, web, "ImageUpdater resource governs its images"},
		{"a digest", []string{"list", list}, imageUpdate("web", "ghcr.io/acme/web", "sha256:aa"), "follows a digest"},
		{"a tag that is a pattern", []string{"list", list}, imageUpdate("web", "ghcr.io/acme/web", "*,x"), "can't be ignored"},
		{"ignored already", []string{"list", list, "web!", "a, v2.0.0"}, web, "already ignores v2.0.0"},
		{"held by another Rollback", []string{"list", list, imageOwnerKey, "rb-9", imageDeadlineKey, "2026-03-04T00:00:00Z"}, web, "for Rollback rb-9 until 2026-03-04"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			si := newStandIn(t)
			si.add("web", annotated(tt.before...))
			held, err := si.client(t).HoldImages(t.Context(), imageLeaseOf(tt.update))
			if err != nil || len(held) != 1 || held[0].Placed || !strings.Contains(held[0].Left, tt.left) {
				t.Errorf("%+v, %v", held, err)
			}
			if calls := si.called(); len(calls) != 0 {
				t.Errorf("writes: %v", calls)
			}
		})
	}
	t.Run("updates of others, and Applications that are not here", func(t *testing.T) {
		si := newStandIn(t)
		si.add("web", annotated("list", list))
		flux := bot.ImageUpdate{By: bot.ImageFlux, Ref: "web", Bad: "v2"}
		held, uncovered, err := bot.HoldImages(t.Context(), []bot.ImageAutomations{si.client(t)}, imageLeaseOf(flux, imageUpdate("gone", "", "v2"), imageUpdate("", "", "v2"), web))
		if err != nil || len(held) != 1 || len(uncovered) != 3 {
			t.Errorf("%+v, %v, %v", held, uncovered, err)
		}
	})
	t.Run("an Application of another repository", func(t *testing.T) {
		si := newStandIn(t)
		si.add("web", annotated("list", list))
		l := imageLeaseOf(web)
		l.Repo = "acme/other"
		held, err := si.client(t).HoldImages(t.Context(), l)
		if err != nil || len(held) != 1 || held[0].Placed || !strings.Contains(held[0].Left, "is not delivered from acme/other") {
			t.Errorf("%+v, %v", held, err)
		}
		if calls := si.called(); len(calls) != 0 {
			t.Errorf("writes: %v", calls)
		}
	})
	t.Run("an Application whose updater writes to another repository", func(t *testing.T) {
		si := newStandIn(t)
		si.add("web", annotated("list", list, updaterPrefix+"git-repository", "https://github.com/acme/other.git"))
		l := imageLeaseOf(web)
		l.Repo = "acme/other"
		held, err := si.client(t).HoldImages(t.Context(), l)
		if err != nil || len(held) != 1 || !held[0].Placed {
			t.Errorf("%+v, %v", held, err)
		}
	})
	t.Run("Applications that can't be read", func(t *testing.T) {
		si := newStandIn(t)
		si.add("web", annotated("list", list))
		si.set(func(s *standIn) { s.token = "another" })
		_, uncovered, err := bot.HoldImages(t.Context(), []bot.ImageAutomations{si.client(t)}, imageLeaseOf(web))
		if err == nil || len(uncovered) != 1 {
			t.Errorf("%v, %v", uncovered, err)
		}
	})
}

// TestReleaseImagesLeavesOthers: what somebody changed meanwhile is theirs, and
// our mark is gone in any case.
func TestReleaseImagesLeavesOthers(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(map[string]string)
		owner  bot.RollbackID
		left   string
		gone   bool
		list   string
	}{
		{"another owner", nil, "rb-9", "ignores tags for Rollback rb-1", false, "v2.0.0"},
		{"a list that was changed", func(a map[string]string) { a[longKey("web!")] = "v2.0.0,v3" }, "rb-1", "was changed meanwhile", true, "v2.0.0,v3"},
		{"a list that was removed", func(a map[string]string) { delete(a, longKey("web!")) }, "rb-1", "was changed meanwhile", true, ""},
		{"a damaged note", func(a map[string]string) { a[imagePreviousKey] = "{" }, "rb-1", "does not say what stood there before", true, "v2.0.0"},
		{"a note that names something else", func(a map[string]string) {
			a[imagePreviousKey] = `[{"key": "argocd.argoproj.io/sync-wave", "before": "1", "after": "2"}]`
		}, "rb-1", "not ours to change", true, "v2.0.0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			si := newStandIn(t)
			si.add("web", annotated("list", "web=ghcr.io/acme/web", "argocd.argoproj.io/sync-wave", "2"))
			c := si.client(t)
			held, err := c.HoldImages(t.Context(), imageLeaseOf(imageUpdate("web", "ghcr.io/acme/web", "v2.0.0")))
			if err != nil || len(held) != 1 {
				t.Fatalf("%+v, %v", held, err)
			}
			if tt.change != nil {
				si.change("web", func(a *argov1.Application) { tt.change(a.Annotations) })
			}
			h := held[0].ImageHold
			h.Owner = tt.owner
			left, err := c.ReleaseImages(t.Context(), h)
			if err != nil || !strings.Contains(left, tt.left) {
				t.Errorf("%q, %v", left, err)
			}
			a := si.look("web").Annotations
			if _, ok := a[imageOwnerKey]; ok == tt.gone || a[longKey("web!")] != tt.list || a["argocd.argoproj.io/sync-wave"] != "2" {
				t.Errorf("annotations: %v", a)
			}
		})
	}
}

// TestUndoneAtOnce: something that writes the Application by itself may take the
// tags off; then nothing is held.
func TestUndoneAtOnce(t *testing.T) {
	si := newStandIn(t)
	si.add("web", annotated("list", "web=ghcr.io/acme/web"), func(a *argov1.Application) {
		a.Labels = map[string]string{"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}
	})
	si.set(func(s *standIn) {
		s.unasked = func(a *argov1.Application) {
			a.Annotations = map[string]string{longKey("list"): "web=ghcr.io/acme/web"}
		}
	})
	held, err := si.client(t).HoldImages(t.Context(), imageLeaseOf(imageUpdate("web", "ghcr.io/acme/web", "v2.0.0")))
	if err != nil || len(held) != 1 || held[0].Placed || !strings.Contains(held[0].Left, "taken off at once by the Kustomization flux-system/apps") {
		t.Errorf("%+v, %v", held, err)
	}
}

// TestNewerImages: only a version that is later than the bad one ends a hold.
func TestNewerImages(t *testing.T) {
	for _, tt := range []struct {
		name, image, bad string
		running          []string
		newer            bool
	}{
		{"the good tag", "ghcr.io/acme/web", "v2.0.0", []string{"ghcr.io/acme/web:v1.0.0"}, false},
		{"a later tag", "ghcr.io/acme/web", "v2.0.0", []string{"x/y:v1", "ghcr.io/acme/web:v2.0.1@sha256:aa"}, true},
		{"an earlier tag than the bad one", "ghcr.io/acme/web", "v2.0.0", []string{"ghcr.io/acme/web:v1.9.0"}, false},
		{"both at once", "ghcr.io/acme/web", "v2.0.0", []string{"ghcr.io/acme/web:v2.0.1", "ghcr.io/acme/web:v1.0.0"}, false},
		{"the bad tag itself", "ghcr.io/acme/web", "v2.0.0", []string{"ghcr.io/acme/web:v2.0.0"}, false},
		{"nothing runs", "ghcr.io/acme/web", "v2.0.0", nil, false},
		{"no versions", "ghcr.io/acme/web", "main-abc", []string{"ghcr.io/acme/web:main-abd"}, false},
		{"a version and none", "ghcr.io/acme/web", "v2.0.0", []string{"ghcr.io/acme/web:main"}, false},
		{"no image", "", "v2.0.0", []string{":v3.0.0"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			si := newStandIn(t)
			si.add("web", func(a *argov1.Application) { a.Status.Summary.Images = tt.running })
			h := bot.ImageHold{Cluster: "prod", Kind: "Application", Namespace: "argocd", Name: "web", Updates: []bot.ImageUpdate{imageUpdate("web", tt.image, tt.bad)}}
			if tags, ok, err := si.client(t).Newer(t.Context(), h); err != nil || ok != tt.newer {
				t.Errorf("%q, %v, %v", tags, ok, err)
			}
			h.Updates = nil
			if _, ok, err := si.client(t).Newer(t.Context(), h); ok || err != nil {
				t.Errorf("with nothing to wait for: %v, %v", ok, err)
			}
		})
	}
	si := newStandIn(t)
	if _, ok, err := si.client(t).Newer(t.Context(), bot.ImageHold{Cluster: "prod", Kind: "Application", Namespace: "argocd", Name: "web"}); ok || err == nil {
		t.Errorf("an Application that can't be read: %v, %v", ok, err)
	}
}
