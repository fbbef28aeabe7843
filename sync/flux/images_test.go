package flux

import (
	"errors"
	"strings"
	"testing"
	"time"

	imagev1 "github.com/fluxcd/image-automation-controller/api/v1beta2"
	reflectorv1 "github.com/fluxcd/image-reflector-controller/api/v1beta2"
	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/backout-dev/backout/bot"
)

const automation = `
apiVersion: image.toolkit.fluxcd.io/v1beta2
kind: ImageUpdateAutomation
metadata: {name: all, namespace: flux-system, generation: 1}
spec:
  interval: 30m
  sourceRef: {kind: GitRepository, name: fleet}
  git: {commit: {author: {name: fluxcdbot, email: fluxcdbot@users.noreply.github.com}}, push: {branch: main}}
  update: {path: ./apps, strategy: Setters}
status:
  lastPushCommit: "3333333333333333333333333333333333333333"
`

const webPolicy = `
apiVersion: image.toolkit.fluxcd.io/v1beta2
kind: ImagePolicy
metadata: {name: web, namespace: flux-system, generation: 1, labels: {team: shop}}
spec:
  imageRepositoryRef: {name: web}
  filterTags: {pattern: '^v(?P<version>.*)$', extract: $version}
  policy: {semver: {range: 1.x}}
status:
  latestRef: {name: ghcr.io/acme/web, tag: v2}
  observedPreviousRef: {name: ghcr.io/acme/web, tag: v1}
`

// imageVersions serve the API of the image controllers, besides the others.
var imageVersions = append([]string{"image.toolkit.fluxcd.io/v1beta2"}, allVersions...)

func webUpdate() bot.ImageUpdate {
	return bot.ImageUpdate{By: bot.ImageFlux, Ref: "flux-system:web", Image: "ghcr.io/acme/web", Bad: "v2", Good: "v1", Path: "apps/web.yaml"}
}

func imageLease() bot.ImageLease {
	return bot.ImageLease{
		Updates: []bot.ImageUpdate{webUpdate(), {By: bot.ImageRenovate, Bad: "v9"}, {By: bot.ImageFlux, Ref: "no-colon", Bad: "v9"}},
		Culprit: badSHA, Repo: "acme/fleet", Owner: "rb-1", Reason: "reverting 2222", Deadline: deadline,
	}
}

// TestImageFieldsAreThoseOfTheAPI: what these tests take for Flux's objects has
// no field that Flux's own types do not know.
func TestImageFieldsAreThoseOfTheAPI(t *testing.T) {
	if err := yaml.UnmarshalStrict([]byte(automation), &imagev1.ImageUpdateAutomation{}); err != nil {
		t.Error(err)
	}
	if err := yaml.UnmarshalStrict([]byte(webPolicy), &reflectorv1.ImagePolicy{}); err != nil {
		t.Error(err)
	}
	if g := imagev1.GroupVersion.Group; g != imageGroup || reflectorv1.GroupVersion.Group != imageGroup {
		t.Errorf("the group is %s", g)
	}
	held := strings.Replace(automation, "spec:\n", "spec:\n  suspend: true\n", 1)
	var a imagev1.ImageUpdateAutomation
	if err := yaml.UnmarshalStrict([]byte(held), &a); err != nil || !a.Spec.Suspend {
		t.Errorf("spec.suspend is no field of an ImageUpdateAutomation: %v", err)
	}
}

func TestHoldImagesAndReleaseLeaveTheObjectAsItWas(t *testing.T) {
	c := newCluster(t, imageVersions, fleet, automation, webPolicy)
	flux := c.controller()
	was := c.object(imageUpdateAutomations(), "v1beta2", "flux-system", "all")
	hold := bot.ImageHold{
		Cluster: "prod", Kind: "ImageUpdateAutomation", Namespace: "flux-system", Name: "all",
		Owner: "rb-1", Reason: "reverting 2222", Deadline: deadline, Updates: []bot.ImageUpdate{webUpdate()},
	}
	for range 2 { // a crash between act and record calls again
		held, err := flux.HoldImages(t.Context(), imageLease())
		if diff := cmp.Diff([]bot.ImageHeld{{ImageHold: hold, Placed: true}}, held); diff != "" || err != nil {
			t.Fatalf("%v, hold (-want +got):\n%s", err, diff)
		}
	}
	if got := suspendField(c.object(imageUpdateAutomations(), "v1beta2", "flux-system", "all")); got != true {
		t.Errorf("spec.suspend is %v", got)
	}
	if diff := cmp.Diff([]string{"imageupdateautomations flux-system/all"}, c.patches); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
	holds, err := flux.ImageHolds(t.Context())
	if diff := cmp.Diff([]bot.ImageHold{hold}, holds); diff != "" || err != nil {
		t.Fatalf("%v, holds (-want +got):\n%s", err, diff)
	}
	if apps, err := flux.Holds(t.Context()); err != nil || len(apps) != 0 {
		t.Errorf("the janitor of Apps sees %v, %v", apps, err)
	}
	for range 2 {
		if left, err := flux.ReleaseImages(t.Context(), holds[0]); left != "" || err != nil {
			t.Fatalf("release: %q, %v", left, err)
		}
	}
	is := c.object(imageUpdateAutomations(), "v1beta2", "flux-system", "all")
	is.SetResourceVersion(was.GetResourceVersion())
	is.SetGeneration(was.GetGeneration())
	is.SetAnnotations(nil)
	if diff := cmp.Diff(was.Object, is.Object); diff != "" {
		t.Errorf("the object after the release (-want +got):\n%s", diff)
	}
	if left := c.object(imageUpdateAutomations(), "v1beta2", "flux-system", "all").GetAnnotations(); len(left) != 0 {
		t.Errorf("annotations that stay: %v", left)
	}
}

// TestWhichAutomationsAreHeld: those that would write the tag again, and in
// doubt also those that may.
func TestWhichAutomationsAreHeld(t *testing.T) {
	replaced := func(old, text string) string { return strings.Replace(automation, old, text, 1) }
	selecting := func(selector string) string {
		return replaced("  interval: 30m\n", "  interval: 30m\n  policySelector: "+selector+"\n")
	}
	other := strings.NewReplacer("name: fleet", "name: other", "acme/fleet", "acme/other").Replace(fleet)
	for _, tt := range []struct {
		name, doc string
		held      bool
	}{
		{"all policies of the namespace", automation, true},
		{"a selector that matches", selecting("{matchLabels: {team: shop}}"), true},
		{"a selector that does not", selecting("{matchLabels: {team: other}}"), false},
		{"a selector that can't be understood", selecting("{matchExpressions: [{key: team, operator: Near}]}"), true},
		{"another namespace", replaced("namespace: flux-system", "namespace: other"), false},
		{"another repository", replaced("name: fleet", "name: other"), false},
		{"another repository that it has pushed the culprit to", strings.NewReplacer("name: fleet", "name: other", "3333333333333333333333333333333333333333", "main@sha1:"+badSHA).Replace(automation), true},
		{"a source that is gone", replaced("name: fleet", "name: gone"), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCluster(t, imageVersions, fleet, other, tt.doc, webPolicy)
			held, err := c.controller().HoldImages(t.Context(), imageLease())
			if err != nil || len(held) == 1 != tt.held || (tt.held && !held[0].Placed) {
				t.Errorf("%+v, %v", held, err)
			}
		})
	}
	t.Run("a policy that can't be read", func(t *testing.T) {
		c := newCluster(t, imageVersions, fleet, selecting("{matchLabels: {team: other}}"), webPolicy)
		c.fail("get", "imagepolicies", errors.New("gone away"))
		if held, err := c.controller().HoldImages(t.Context(), imageLease()); err != nil || len(held) != 1 {
			t.Errorf("%+v, %v", held, err)
		}
	})
	t.Run("a source that can't be read", func(t *testing.T) {
		c := newCluster(t, imageVersions, fleet, automation, webPolicy)
		c.fail("get", "gitrepositories", errors.New("gone away"))
		if held, err := c.controller().HoldImages(t.Context(), imageLease()); err == nil || len(held) != 0 {
			t.Errorf("%+v, %v", held, err)
		}
	})
	t.Run("a cluster without image controllers", func(t *testing.T) {
		c := newCluster(t, allVersions, fleet)
		if held, err := c.controller().HoldImages(t.Context(), imageLease()); err != nil || len(held) != 0 {
			t.Errorf("%+v, %v", held, err)
		}
	})
	t.Run("out of scope", func(t *testing.T) {
		c := newCluster(t, imageVersions, fleet, automation, webPolicy)
		flux := c.controller(func(c *Config) { c.Namespaces = []string{"shop"} })
		if held, err := flux.HoldImages(t.Context(), imageLease()); err != nil || len(held) != 0 {
			t.Errorf("%+v, %v", held, err)
		}
	})
}

// TestHoldImagesLeavesOthers: what somebody else suspended is theirs.
func TestHoldImagesLeavesOthers(t *testing.T) {
	c := newCluster(t, imageVersions, fleet, automation, webPolicy)
	c.edit(imageUpdateAutomations(), "v1beta2", "flux-system", "all", setSuspend(true))
	flux := c.controller()
	held, err := flux.HoldImages(t.Context(), imageLease())
	if err != nil || len(held) != 1 || held[0].Placed || !strings.Contains(held[0].Left, "already suspended by somebody") {
		t.Errorf("%+v, %v", held, err)
	}
	if len(c.patches) != 0 {
		t.Errorf("written: %v", c.patches)
	}
	left, err := flux.ReleaseImages(t.Context(), bot.ImageHold{Cluster: "prod", Kind: "ImageUpdateAutomation", Namespace: "flux-system", Name: "all", Owner: "rb-1"})
	if err != nil || !strings.Contains(left, "not by Backout") || len(c.patches) != 0 {
		t.Errorf("release: %q, %v, %v", left, err, c.patches)
	}
	left, err = flux.ReleaseImages(t.Context(), bot.ImageHold{Cluster: "prod", Kind: "ImageUpdateAutomation", Namespace: "flux-system", Name: "gone", Owner: "rb-1"})
	if err != nil || !strings.Contains(left, "no longer exists") {
		t.Errorf("release of what is gone: %q, %v", left, err)
	}
	if _, err := flux.ReleaseImages(t.Context(), bot.ImageHold{Cluster: "prod", Kind: "Application", Namespace: "flux-system", Name: "all", Owner: "rb-1"}); !bot.IsTrouble(err, bot.TroubleInvalid) {
		t.Errorf("release of another kind: %v", err)
	}
}

// TestSweepImages: the janitor releases what is past its deadline or has a newer
// tag, and nothing else.
func TestSweepImages(t *testing.T) {
	newer := func(c *cluster) {
		c.edit(imagePolicies(), "v1beta2", "flux-system", "web", func(u *unstructured.Unstructured) {
			u.Object["status"] = map[string]any{"latestRef": map[string]any{"name": "x", "tag": "v3"}}
		})
	}
	damage := func(c *cluster) {
		c.edit(imageUpdateAutomations(), "v1beta2", "flux-system", "all", func(u *unstructured.Unstructured) {
			a := u.GetAnnotations()
			a[AnnotationImages] = "{"
			u.SetAnnotations(a)
		})
	}
	unreadable := func(c *cluster) { c.fail("get", "imagepolicies", errors.New("gone away")) }
	for _, tt := range []struct {
		name     string
		now      time.Time
		change   func(*cluster)
		released bool
		err      bool
	}{
		{"the bad tag still chosen", deadline.Add(-time.Hour), nil, false, false},
		{"a newer tag", deadline.Add(-time.Hour), newer, true, false},
		{"past its deadline", deadline, nil, true, false},
		{"past its deadline, and nobody can tell", deadline, unreadable, true, false},
		{"nobody can tell", deadline.Add(-time.Hour), unreadable, false, true},
		{"a damaged note", deadline.Add(-time.Hour), damage, false, false},
		{"a damaged note past its deadline", deadline, damage, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCluster(t, imageVersions, fleet, automation, webPolicy)
			flux := c.controller()
			if _, uncovered, err := bot.HoldImages(t.Context(), []bot.ImageAutomations{flux}, imageLease()); err != nil || len(uncovered) != 2 {
				t.Fatalf("%v, %v", uncovered, err)
			}
			if tt.change != nil {
				tt.change(c)
			}
			released, err := bot.SweepImages(t.Context(), []bot.ImageAutomations{flux}, tt.now)
			if (err != nil) != tt.err || len(released) == 1 != tt.released {
				t.Errorf("released %v, %v", released, err)
			}
			held := suspendField(c.object(imageUpdateAutomations(), "v1beta2", "flux-system", "all")) == true
			if held == tt.released {
				t.Errorf("it is held: %v", held)
			}
		})
	}
}

// TestReleaseImagesOfOne: who wants a tag back gets back only what that Rollback
// held.
func TestReleaseImagesOfOne(t *testing.T) {
	c := newCluster(t, imageVersions, fleet, automation, webPolicy)
	all := []bot.ImageAutomations{c.controller()}
	if _, _, err := bot.HoldImages(t.Context(), all, imageLease()); err != nil {
		t.Fatal(err)
	}
	for _, owner := range []bot.RollbackID{"", "rb-2", "rb-1"} {
		if left, err := bot.ReleaseImagesOf(t.Context(), all, owner); len(left) != 0 || err != nil {
			t.Fatalf("%q: %v, %v", owner, left, err)
		}
		held := suspendField(c.object(imageUpdateAutomations(), "v1beta2", "flux-system", "all")) == true
		if held != (owner != "rb-1") {
			t.Errorf("after the release for %q it is held: %v", owner, held)
		}
	}
}
