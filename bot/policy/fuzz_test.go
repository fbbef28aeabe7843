package policy

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/backout-dev/backout/bot"
)

// document is the part of the configuration that holds policies.
type document struct {
	Defaults Settings      `json:"defaults"`
	Apps     []AppSettings `json:"apps,omitempty"`
}

// FuzzSettings reads policies. What is taken gives every App a policy that uses
// known words and no bound below zero, is the more careful of two in either
// order, and is the same when it is written and read again.
func FuzzSettings(f *testing.F) {
	ids := []bot.AppID{appID("web"), appID("api"), {Cluster: "dev", Kind: bot.KindApplication, Namespace: "argocd", Name: "web"}}
	f.Fuzz(func(t *testing.T, text []byte) {
		var d document
		if yaml.UnmarshalStrict(text, &d) != nil {
			return
		}
		r, err := New(d.Defaults, d.Apps)
		if err != nil {
			return
		}
		for _, id := range ids {
			sound(t, r.Policy(id))
		}
		there, back := r.Policy(ids...), r.Policy(ids[2], ids[1], ids[0])
		sound(t, there)
		there.Checks, back.Checks = nil, nil // those of the first App
		if diff := cmp.Diff(there, back); diff != "" {
			t.Errorf("the order of the Apps matters:\n%s", diff)
		}
		written, err := yaml.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		var again document
		if err := yaml.UnmarshalStrict(written, &again); err != nil {
			t.Fatalf("%v in\n%s", err, written)
		}
		s, err := New(again.Defaults, again.Apps)
		if err != nil {
			t.Fatalf("%v in\n%s", err, written)
		}
		for _, id := range ids {
			// An empty list, which takes the checks away, is not written.
			a, b := r.Policy(id), s.Policy(id)
			if len(a.Checks) == 0 {
				b.Checks = a.Checks
			}
			if diff := cmp.Diff(a, b); diff != "" {
				t.Errorf("%s was read again differently:\n%s", id, diff)
			}
		}
	})
}

func sound(t *testing.T, p bot.Policy) {
	t.Helper()
	if !slices.Contains(modes, p.Alerts) || !slices.Contains(modes, p.Commands) || !slices.Contains(holds, p.Hold) ||
		!slices.Contains(unprotected, p.Unprotected) || !slices.Contains(merges, p.Merge) {
		t.Errorf("unknown words in %+v", p)
	}
	if p.MaxAffected < 0 || p.PerDay < 0 || min(p.BlameWindow, p.HoldFor, p.ApproveWithin, p.MergeWithin, p.SyncWithin, p.VerifyWithin) < 0 {
		t.Errorf("a bound below zero in %+v", p)
	}
	names := map[string]bool{}
	for _, c := range p.Checks {
		if c.Name == "" || c.Query == "" || c.For < 0 || names[c.Name] || !slices.Contains(operators, c.Operator) {
			t.Errorf("check %+v", c)
		}
		names[c.Name] = true
	}
}
