package flux

import (
	"errors"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/backout-dev/backout/bot"
)

// TestNewer: only a choice that surely is another one ends a hold.
func TestNewer(t *testing.T) {
	const a, b = "sha256:aa", "sha256:bb"
	status := func(fields map[string]any) func(*unstructured.Unstructured) {
		return func(u *unstructured.Unstructured) { u.Object["status"] = fields }
	}
	ref := func(tag, digest string) func(*unstructured.Unstructured) {
		latest := map[string]any{"name": "ghcr.io/acme/web", "tag": tag}
		if digest != "" {
			latest["digest"] = digest
		}
		return status(map[string]any{"latestRef": latest})
	}
	image := func(s string) func(*unstructured.Unstructured) { return status(map[string]any{"latestImage": s}) }
	for _, tt := range []struct {
		name, bad string
		policy    func(*unstructured.Unstructured)
		tags      string
		newer     bool
	}{
		{"the bad tag still", "v2", ref("v2", ""), "", false},
		{"a newer tag", "v2", ref("v3", ""), "v3", true},
		{"the good tag again", "v2", ref("v1", ""), "v1", true},
		{"nothing chosen yet", "v2", status(map[string]any{}), "", false},
		{"an old reflector, the bad tag", "v2", image("host:5000/web:v2"), "", false},
		{"an old reflector, a newer tag", "v2", image("host:5000/web:v3"), "v3", true},
		{"an old reflector, no tag", "v2", image("host:5000/web"), "", false},
		{"another digest of the tag", "v2@" + a, ref("v2", b), "v2@" + b, true},
		{"the same digest by another tag", "v2@" + a, ref("v3", a), "", false},
		{"a digest that is not told", "v2@" + a, ref("v2", ""), "", false},
		{"a digest alone, the same", a, ref("v3", a), "", false},
		{"a digest alone, another", a, ref("v3", b), "v3@" + b, true},
		{"a digest alone, not told", a, ref("v3", ""), "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCluster(t, imageVersions, webPolicy)
			c.edit(imagePolicies(), "v1beta2", "flux-system", "web", tt.policy)
			u := webUpdate()
			u.Bad = tt.bad
			tags, ok, err := c.controller().Newer(t.Context(), bot.ImageHold{Updates: []bot.ImageUpdate{u}})
			if err != nil || ok != tt.newer || tags != tt.tags {
				t.Errorf("%q, %v, %v", tags, ok, err)
			}
		})
	}
}

// TestNewerFailsClosed: where it can't be told, the hold stays.
func TestNewerFailsClosed(t *testing.T) {
	c := newCluster(t, imageVersions, webPolicy)
	c.edit(imagePolicies(), "v1beta2", "flux-system", "web", func(u *unstructured.Unstructured) {
		u.Object["status"] = map[string]any{"latestRef": map[string]any{"name": "x", "tag": "v3"}}
	})
	flux := c.controller()
	other := webUpdate()
	other.By = bot.ImageRenovate
	for name, h := range map[string]bot.ImageHold{
		"nothing known of what it is for": {},
		"one of another program":          {Updates: []bot.ImageUpdate{webUpdate(), other}},
	} {
		if tags, ok, err := flux.Newer(t.Context(), h); ok || err != nil {
			t.Errorf("%s: %q, %v, %v", name, tags, ok, err)
		}
	}
	gone := webUpdate()
	gone.Ref = "flux-system:gone"
	if _, ok, err := flux.Newer(t.Context(), bot.ImageHold{Updates: []bot.ImageUpdate{gone}}); !ok || err != nil {
		t.Errorf("a policy that is gone still chooses: %v, %v", ok, err)
	}
	if _, ok, err := newCluster(t, allVersions).controller().Newer(t.Context(), bot.ImageHold{Updates: []bot.ImageUpdate{webUpdate()}}); ok || err == nil {
		t.Errorf("without image controllers: %v, %v", ok, err)
	}
	c.fail("get", "imagepolicies", errors.New("gone away"))
	if _, ok, err := flux.Newer(t.Context(), bot.ImageHold{Updates: []bot.ImageUpdate{webUpdate()}}); ok || err == nil {
		t.Errorf("a policy that can't be read: %v, %v", ok, err)
	}
}
