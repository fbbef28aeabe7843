package github_test

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/backout-dev/backout/test/fakehub"
	"github.com/backout-dev/backout/vcs/github"
)

// TestTheStageGrantsWhatIsDocumented: the stories are played with just those
// permissions and events.
func TestTheStageGrantsWhatIsDocumented(t *testing.T) {
	want, events := map[string]string{}, fakehub.DefaultEvents()
	for _, g := range github.Grants() {
		if !g.Optional {
			want[g.Name] = g.Level
		}
	}
	if diff := cmp.Diff(want, fakehub.DefaultPermissions()); diff != "" {
		t.Errorf("permissions (-asked for +granted):\n%s", diff)
	}
	slices.Sort(events)
	if diff := cmp.Diff(github.Events(), events); diff != "" {
		t.Errorf("events (-asked for +granted):\n%s", diff)
	}
}

// TestGrantsAreDocumented: docs/security.md has a row for each, and no other.
func TestGrantsAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/security.md")
	must(t, err)
	var want, got []string
	for _, g := range github.Grants() {
		want = append(want, g.Name+": "+g.Level+" | "+g.Why+" | "+g.Without)
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_]+: (?:read|write))`(?: \\(optional\\))? \\| (.*) \\|$").FindAllStringSubmatch(string(page), -1) {
		got = append(got, m[1]+" | "+m[2])
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-code +page):\n%s", diff)
	}
}

// TestLacking names whatever is not granted, at once.
func TestLacking(t *testing.T) {
	w := newWorld(t, nil)
	lacks := func() (out []string) {
		list, err := w.client.Lacking(t.Context())
		must(t, err)
		for _, l := range list {
			out = append(out, l.Owner+" "+l.Name+l.Event+" has "+l.Has)
			if l.Event == "" && (l.Without == "" || l.Why == "") {
				t.Errorf("%+v does not say what breaks", l)
			}
		}
		return out
	}
	if got := lacks(); len(got) != 0 {
		t.Errorf("with all granted: %q", got)
	}
	for name, level := range fakehub.DefaultPermissions() {
		if name == "metadata" {
			continue // GitHub gives it to all.
		}
		perms := fakehub.DefaultPermissions()
		delete(perms, name)
		w.app.SetPermissions(perms)
		if diff := cmp.Diff([]string{"acme " + name + " has "}, lacks()); diff != "" {
			t.Errorf("without %s: %s", name, diff)
		}
		if level == "write" {
			perms = maps.Clone(fakehub.DefaultPermissions())
			perms[name] = "read"
			w.app.SetPermissions(perms)
			if diff := cmp.Diff([]string{"acme " + name + " has read"}, lacks()); diff != "" {
				t.Errorf("with %s: read: %s", name, diff)
			}
		}
	}
	w.app.SetPermissions(fakehub.DefaultPermissions())
	w.app.SetEvents([]string{"push"})
	if got := lacks(); len(got) != len(github.Events())-1 {
		t.Errorf("with one event: %q", got)
	}
	must(t, w.hub.Suspend(w.app, "acme", true))
	if got := lacks(); len(got) != 0 {
		t.Errorf("suspended: %q", got)
	}
}
